#include "svm_report.h"
#include "predictions.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_SHOWN 10 /* features in the table */
#define MOST_DRAWN 15

typedef struct svm_model {
    const char *names[2];                /* of the classes: below and above a score of 0 */
    double lambda;
    bool squared;                        /* the hinge terms are */
    const lg_real *weights, *bias;       /* [features], [1]: of standardised features */
    const lg_real *rows;                 /* [all rows, 2]: score, hinge term */
    const lg_real *held_out;             /* the same by models that did not see the row; NULL: none */
    size_t folds;                        /* of held_out */
} svm_model;

/* ------------------------------------------------------------------ scores */

/* A row violates the margin when y score < 1: inside it while it is still on its side, y score > 0. */
typedef struct margin_scores {
    size_t rows, violations, wrong;
    double hinge; /* mean */
} margin_scores;

/* Of rows ids[0..count). values: score and hinge term of all rows; y: 0 or 1. */
static margin_scores score_rows(size_t count, const size_t *ids, const lg_real *values, const lg_real *y)
{
    margin_scores scores = { .rows = count };
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        const double score = (double)values[2 * ids[i]], signed_score = y[ids[i]] > 0 ? score : -score;
        scores.violations += signed_score < 1;
        scores.wrong += signed_score <= 0;
        sum += (double)values[2 * ids[i] + 1];
    }
    scores.hinge = count ? sum / (double)count : 0;
    return scores;
}

void svm_report_batch(lg_tape *tape, lg_tensor *scores, lg_tensor *labels)
{
    const size_t rows = lg_tensor_size(scores);
    const lg_real *score = lg_tensor_data(scores), *label = lg_tensor_data(labels);
    if (!score || !label)
        return;
    size_t violations = 0;
    for (size_t i = 0; i < rows; i++)
        violations += (label[i] > 0 ? score[i] : -score[i]) < 1;
    lg_report_accuracy(tape, scores, labels);
    lg_report(tape, "violations", (double)violations / (double)rows, (double)rows);
}

static double accuracy(const margin_scores *scores)
{
    return 1 - (double)scores->wrong / (double)scores->rows;
}

static void tell_scores(run *r, const char *title, const char *key, const margin_scores *scores)
{
    printf("  %-24s %8zu %12.6f %12zu %12zu %10.4f\n", title, scores->rows, scores->hinge,
           scores->violations - scores->wrong, scores->wrong, accuracy(scores));
    char path[96];
    const struct {
        const char *name;
        double value;
    } numbers[] = { { "mean_hinge", scores->hinge }, { "accuracy", accuracy(scores) } };
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s.%s", key, numbers[i].name);
        run_note_number(r, path, numbers[i].value);
    }
    snprintf(path, sizeof path, "%s.margin_violations", key);
    run_note_count(r, path, scores->violations);
    snprintf(path, sizeof path, "%s.errors", key);
    run_note_count(r, path, scores->wrong);
}

/* Objective, and a line for each part. */
static void tell_parts(run *r, const trainer_data *data, const svm_model *model)
{
    const lg_split *split = data->split;
    const lg_real *y = lg_dataset_values(data->all, "y");
    double norm = 0;
    for (size_t k = 0; k < lg_dataset_features(data->all); k++)
        norm += (double)model->weights[k] * (double)model->weights[k];
    margin_scores scores = score_rows(split->train_rows, split->train, model->rows, y);
    printf("\nObjective %.7f = %g |w|^2 + mean %shinge = %.7f + %.7f, on the training part\n\n",
           model->lambda * norm + scores.hinge, model->lambda, model->squared ? "squared " : "", model->lambda * norm,
           scores.hinge);
    run_note_number(r, "metrics.objective", model->lambda * norm + scores.hinge);
    run_note_number(r, "metrics.weight_norm", sqrt(norm));

    printf("  %-24s %8s %12s %12s %12s %10s\n", "", "rows", "mean hinge", "in margin", "wrong side", "accuracy");
    tell_scores(r, "training", "metrics.train", &scores);
    if (split->validation_rows) {
        scores = score_rows(split->validation_rows, split->validation, model->rows, y);
        tell_scores(r, "validation", "metrics.validation", &scores);
    }
    if (split->test_rows) {
        scores = score_rows(split->test_rows, split->test, model->rows, y);
        tell_scores(r, "test", "metrics.test", &scores);
    }
    if (model->held_out) {
        char title[64];
        snprintf(title, sizeof title, "held out, %zu folds", model->folds);
        scores = score_rows(split->train_rows, split->train, model->held_out, y);
        tell_scores(r, title, "metrics.held_out", &scores);
    }
    printf("\n");
}

/* ---------------------------------------------------------------- features */

typedef struct feature {
    char name[64];
    double weight;
    size_t index;
} feature;

static int heavier_first(const void *a, const void *b)
{
    const feature *x = a, *y = b;
    if (fabs(x->weight) != fabs(y->weight))
        return fabs(x->weight) > fabs(y->weight) ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

/* All features, in order of weight; NULL with LG_E_MEMORY. */
static feature *rank_features(const lg_dataset *all, const svm_model *model)
{
    const size_t count = lg_dataset_features(all);
    feature *features = calloc(count + 1, sizeof *features);
    if (!features) {
        lg_fail(LG_E_MEMORY, "out of memory for %zu features", count);
        return NULL;
    }
    for (size_t k = 0; k < count; k++) {
        const char *name = lg_dataset_feature_name(all, k);
        if (name)
            snprintf(features[k].name, sizeof features[k].name, "%s", name);
        else
            snprintf(features[k].name, sizeof features[k].name, "feature %zu", k);
        features[k].weight = (double)model->weights[k];
        features[k].index = k;
    }
    qsort(features, count, sizeof *features, heavier_first);
    return features;
}

static void tell_features(run *r, const feature *features, size_t count, const svm_model *model)
{
    const size_t shown = count < MOST_SHOWN ? count : MOST_SHOWN;
    const char *names[MOST_SHOWN];
    printf("The %zu of %zu features that weigh most, in deviations of the training part:\n", shown, count);
    for (size_t i = 0; i < shown; i++) {
        printf("  %+10.4f  %-28s towards %s\n", features[i].weight, features[i].name,
               model->names[features[i].weight > 0]);
        names[i] = features[i].name;
    }
    printf("\n");
    run_note_texts(r, "heaviest_features", shown, names);
}

/* What it takes to score a row elsewhere: score = bias + sum weight (value - mean) / deviation. */
static lg_status write_weights(run *r, const trainer_data *data, const svm_model *model)
{
    const double *mean = lg_scaler_means(data->scaler), *deviation = lg_scaler_deviations(data->scaler);
    run_file file;
    lg_status status = run_file_begin(&file, r, "weights.csv");
    if (status != LG_OK)
        return status;
    fputs("feature,weight,mean,deviation\n", file.stream);
    for (size_t k = 0; k < lg_dataset_features(data->all); k++) {
        const char *name = lg_dataset_feature_name(data->all, k);
        char number[32];
        snprintf(number, sizeof number, "%zu", k);
        csv_cell(file.stream, name ? name : number);
        fprintf(file.stream, ",%.17g,%.17g,%.17g\n", (double)model->weights[k], mean[k], deviation[k]);
    }
    fprintf(file.stream, "\"(bias)\",%.17g,0,1\n", (double)model->bias[0]);
    return run_file_end(&file);
}

/* ---------------------------------------------------------------- pictures */

typedef struct picture {
    const trainer_data *data;
    const svm_model *model;
    const feature *features;
    size_t count;
} picture;

/* A bar for each feature, the heaviest on top. */
static void weights_script(FILE *gnuplot, const void *context)
{
    const picture *p = context;
    const size_t drawn = p->count < MOST_DRAWN ? p->count : MOST_DRAWN;
    fputs("$bars << END\n", gnuplot);
    for (size_t i = 0; i < drawn; i++)
        fprintf(gnuplot, "%.9g %zu %s\n", p->features[i].weight, i,
                p->features[i].weight > 0 ? "0xd9622b" : "0x1f6fb4");
    fputs("END\nset title 'The features that weigh most'\nset ytics scale 0 (", gnuplot);
    for (size_t i = 0; i < drawn; i++) {
        fputs(i ? ", " : "", gnuplot);
        plot_string(gnuplot, p->features[i].name);
        fprintf(gnuplot, " %zu", i);
    }
    char towards[256];
    snprintf(towards, sizeof towards, "weight of the standardised feature (%.60s < 0 < %.60s)", p->model->names[0],
             p->model->names[1]);
    fputs(")\nset xlabel ", gnuplot);
    plot_string(gnuplot, towards);
    fprintf(gnuplot, "\nset yrange [%g:-0.5]\nset border 1\nset xtics nomirror\nset grid xtics lc rgb '#dddddd'\n"
                     "unset key\nset style fill solid\nset arrow from 0,-0.5 to 0,%g nohead lc rgb '#666666'\n"
                     "plot $bars using ($1/2):2:(abs($1)/2):(0.35):3 with boxxyerrorbars lc rgb variable notitle\n",
            (double)drawn - 0.5, (double)drawn - 0.5);
}

/* Histograms of each class's scores about the margin. Far rows say little, so the picture ends at BEYOND. */
#define BEYOND 6
#define BINS 60
static void scores_script(FILE *gnuplot, const void *context)
{
    const picture *p = context;
    const lg_real *y = lg_dataset_values(p->data->all, "y"), *rows = p->model->rows;
    const double width = 2.0 * BEYOND / BINS;
    size_t counts[2][BINS] = { { 0 } }, beyond = 0;
    for (size_t i = 0; i < p->data->split->train_rows; i++) {
        const size_t row = p->data->split->train[i];
        const double score = (double)rows[2 * row];
        if (fabs(score) < BEYOND)
            counts[y[row] > 0][(size_t)fmin((score + BEYOND) / width, BINS - 1)]++;
        else
            beyond++;
    }
    for (int c = 0; c < 2; c++) {
        fprintf(gnuplot, "$class%d << END\n", c);
        for (size_t k = 0; k < BINS; k++)
            fprintf(gnuplot, "%g %zu\n", -BEYOND + ((double)k + 0.5) * width, counts[c][k]);
        fputs("END\n", gnuplot);
    }
    fprintf(gnuplot, "set title 'Scores of the training part; the margin lies between -1 and 1'\n"
                     "set xlabel 'score (%zu rows are beyond)'\nset ylabel 'rows'\nset border 3\nset tics nomirror\n"
                     "set xrange [%d:%d]\nset yrange [0:*]\nset style fill transparent solid 0.55 noborder\n"
                     "set boxwidth %g\n",
            beyond, -BEYOND, BEYOND, width);
    for (int at = -1; at <= 1; at++)
        fprintf(gnuplot, "set arrow from %d,graph 0 to %d,graph 1 nohead lc rgb '#444444' %s\n", at, at,
                at ? "dt 2" : "lw 1.5");
    for (int c = 0; c < 2; c++) {
        fprintf(gnuplot, "%s $class%d using 1:2 with boxes lc rgb '%s' title ", c ? "," : "plot", c,
                c ? "#d9622b" : "#1f6fb4");
        plot_string(gnuplot, p->model->names[c]);
    }
    fputs("\n", gnuplot);
}

/* ---------------------------------------------------------------- together */

static lg_status write_rows(run *r, const trainer_data *data, const svm_model *model)
{
    const size_t rows = lg_dataset_rows(data->all), columns = model->held_out ? 5 : 3;
    const lg_real *y = lg_dataset_values(data->all, "y");
    data_part *part = part_of_rows(data->split);
    lg_real *table = calloc(rows * columns, sizeof *table); /* [rows, columns] */
    lg_status status = LG_OK;
    if (!part || !table)
        status = lg_fail(LG_E_MEMORY, "out of memory for the predictions of %zu rows", rows);
    for (size_t i = 0; status == LG_OK && i < rows; i++) {
        lg_real *row = table + i * columns;
        row[0] = y[i];
        memcpy(row + 1, model->rows + 2 * i, 2 * sizeof *row);
        if (model->held_out)
            memcpy(row + 3, model->held_out + 2 * i, 2 * sizeof *row);
    }
    if (status == LG_OK)
        status = predictions_write(r, rows, part, columns,
                                   (const char *[]){ "target", "score", "loss", "held_out_score", "held_out_loss" },
                                   table);
    free(part);
    free(table);
    return status;
}

static lg_status tell_and_write(run *r, const trainer_data *data, const svm_model *model)
{
    const size_t count = lg_dataset_features(data->all);
    feature *features = rank_features(data->all, model);
    if (!features)
        return lg_error_code();
    tell_parts(r, data, model);
    tell_features(r, features, count, model);
    const picture p = { data, model, features, count };
    lg_status status = write_rows(r, data, model);
    if (status == LG_OK)
        status = write_weights(r, data, model);
    if (status == LG_OK)
        status = plot_draw(r, "weights.svg", weights_script, &p);
    if (status == LG_OK)
        status = plot_draw(r, "scores.svg", scores_script, &p);
    free(features);
    return status;
}

lg_status svm_report(run *r, const table_model *t, const svm_options *options, const lg_dense *plane, lg_tensor *rows,
                     lg_tensor *held_out)
{
    const svm_model model = { .names = { lg_dataset_class_name(t->data.all, 0), lg_dataset_class_name(t->data.all, 1) },
                              .lambda = options->lambda,
                              .squared = options->loss == SVM_SQUARED_HINGE,
                              .weights = lg_tensor_data(lg_dense_weight(plane)),
                              .bias = lg_tensor_data(lg_dense_bias(plane)),
                              .rows = lg_tensor_data(rows),
                              .held_out = lg_tensor_data(held_out),
                              .folds = folds_count(t->folds) };
    return tell_and_write(r, &t->data, &model);
}
