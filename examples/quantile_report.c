#include "quantile_report.h"
#include "predictions.h"
#include "quantile_picture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_SHOWN 6 /* features in the table of lines */
#define MOST_PARTS 4

/* All in the units of the data. */
typedef struct quantile_model {
    size_t quantiles;
    const double *tau;
    const lg_real *rows;             /* [all rows, quantiles]: predictions */
    const lg_real *held_out;         /* the same by models that did not see the row; NULL: none */
    size_t folds;                    /* of held_out */
    const double *intercept, *slope; /* [quantiles], [quantiles, features] of a linear model; NULL of another */
} quantile_model;

const char *quantile_name(double tau)
{
    static char names[8][32];
    static size_t next;
    char *name = names[next++ % 8];
    snprintf(name, sizeof names[0], "q%.6g", 100 * tau);
    for (char *c = name; *c; c++)
        if (*c == '.')
            *c = '_';
    return name;
}

const char *const *quantile_names(const quantile_options *options)
{
    static char texts[MOST_QUANTILES][32];
    static const char *names[MOST_QUANTILES];
    for (size_t q = 0; q < options->quantiles; q++) {
        snprintf(texts[q], sizeof texts[q], "%s", quantile_name(options->tau[q]));
        names[q] = texts[q];
    }
    return names;
}

/* ------------------------------------------------------------------ scores */

/* Rows of a part, and what is predicted for them: in `predicted` of all rows. */
typedef struct scored_part {
    char title[32];
    const char *key;
    size_t count;
    const size_t *ids;
    const lg_real *predicted;
    size_t crossings;
    double pinball[MOST_QUANTILES], coverage[MOST_QUANTILES];
} scored_part;

static double pinball(double tau, double error)
{
    return fmax(tau * error, (tau - 1) * error);
}

/* Whether a higher quantile lies below a lower one. */
static bool crosses(const lg_real *predicted, size_t quantiles)
{
    for (size_t q = 1; q < quantiles; q++)
        if (predicted[q] < predicted[q - 1])
            return true;
    return false;
}

static void score_part(const quantile_model *model, const lg_real *y, scored_part *part)
{
    for (size_t i = 0; i < part->count; i++) {
        const lg_real *predicted = part->predicted + part->ids[i] * model->quantiles;
        const double target = (double)y[part->ids[i]];
        for (size_t q = 0; q < model->quantiles; q++) {
            part->pinball[q] += pinball(model->tau[q], target - (double)predicted[q]) / (double)part->count;
            part->coverage[q] += (target <= (double)predicted[q]) / (double)part->count;
        }
        part->crossings += crosses(predicted, model->quantiles);
    }
}

/* The parts that have rows, scored; how many. */
static size_t score_parts(const trainer_data *data, const quantile_model *model, scored_part parts[MOST_PARTS])
{
    const lg_split *split = data->split;
    const lg_real *y = lg_dataset_values(data->all, "y");
    const scored_part all[MOST_PARTS] = {
        { .title = "training", .key = "train", .count = split->train_rows, .ids = split->train,
          .predicted = model->rows },
        { .title = "validation", .key = "validation", .count = split->validation_rows, .ids = split->validation,
          .predicted = model->rows },
        { .title = "test", .key = "test", .count = split->test_rows, .ids = split->test, .predicted = model->rows },
        { .key = "held_out", .count = model->held_out ? split->train_rows : 0, .ids = split->train,
          .predicted = model->held_out },
    };
    size_t count = 0;
    for (size_t i = 0; i < MOST_PARTS; i++) {
        if (all[i].count == 0)
            continue;
        parts[count] = all[i];
        if (i == MOST_PARTS - 1)
            snprintf(parts[count].title, sizeof parts[count].title, "held out, %zu folds", model->folds);
        score_part(model, y, &parts[count++]);
    }
    return count;
}

void quantile_report_batch(lg_tape *tape, const quantile_options *options, lg_tensor *predicted, lg_tensor *target,
                           double unit)
{
    const size_t rows = lg_tensor_size(target), quantiles = options->quantiles;
    const double *tau = options->tau;
    const lg_real *p = lg_tensor_data(predicted), *y = lg_tensor_data(target);
    double crossings = 0;
    char name[64];
    for (size_t i = 0; i < rows; i++)
        crossings += crosses(p + i * quantiles, quantiles);
    for (size_t q = 0; q < quantiles; q++) {
        double loss = 0, covered = 0;
        for (size_t i = 0; i < rows; i++) {
            loss += pinball(tau[q], (double)y[i] - (double)p[i * quantiles + q]);
            covered += y[i] <= p[i * quantiles + q];
        }
        snprintf(name, sizeof name, "pinball_%s", quantile_name(tau[q]));
        lg_report(tape, name, unit * loss / (double)rows, (double)rows);
        snprintf(name, sizeof name, "coverage_%s", quantile_name(tau[q]));
        lg_report(tape, name, covered / (double)rows, (double)rows);
    }
    lg_report(tape, "crossings", crossings / (double)rows, (double)rows);
}

static void tell_scores(const quantile_model *model, const scored_part *parts, size_t count)
{
    printf("\n  %-8s", "");
    for (size_t i = 0; i < count; i++)
        printf("   %21s", parts[i].title);
    printf("\n  %-8s", "quantile");
    for (size_t i = 0; i < count; i++)
        printf("   %12s %8s", "pinball", "coverage");
    for (size_t q = 0; q < model->quantiles; q++) {
        printf("\n  %-8g", model->tau[q]);
        for (size_t i = 0; i < count; i++)
            printf("   %12.7g %8.4f", parts[i].pinball[q], parts[i].coverage[q]);
    }
    printf("\n  %-8s", "crossing");
    for (size_t i = 0; i < count; i++) {
        char rows[48];
        snprintf(rows, sizeof rows, "%zu of %zu rows", parts[i].crossings, parts[i].count);
        printf("   %21s", rows);
    }
    printf("\n\n");
}

static void note_scores(run *r, const quantile_model *model, const scored_part *parts, size_t count)
{
    char path[128];
    for (size_t i = 0; i < count; i++) {
        for (size_t q = 0; q < model->quantiles; q++) {
            snprintf(path, sizeof path, "metrics.%s.%s.pinball", parts[i].key, quantile_name(model->tau[q]));
            run_note_number(r, path, parts[i].pinball[q]);
            snprintf(path, sizeof path, "metrics.%s.%s.coverage", parts[i].key, quantile_name(model->tau[q]));
            run_note_number(r, path, parts[i].coverage[q]);
        }
        snprintf(path, sizeof path, "metrics.%s.crossings", parts[i].key);
        run_note_count(r, path, parts[i].crossings);
    }
}

/* ------------------------------------------------------------------- lines */

/* The lines in the data's units: with z = (x - mean) / deviation and y = centre + unit (b + w z)
 *   slope = unit w / deviation,   intercept = centre + unit b - sum slope mean      */
static void unscale_lines(const trainer_data *data, const quantile_results *results, size_t quantiles,
                          double *intercept, double *slope)
{
    const size_t features = lg_dataset_features(data->all);
    const target_scale scale = results->scale;
    const lg_real *w = lg_tensor_data(lg_dense_weight(results->last));
    const lg_real *b = lg_tensor_data(lg_dense_bias(results->last));
    const double *mean = lg_scaler_means(data->scaler), *deviation = lg_scaler_deviations(data->scaler);
    for (size_t q = 0; q < quantiles; q++) {
        intercept[q] = scale.centre + scale.unit * (double)b[q];
        for (size_t k = 0; k < features; k++) {
            slope[q * features + k] = scale.unit * (double)w[q * features + k] / (deviation ? deviation[k] : 1);
            intercept[q] -= mean ? slope[q * features + k] * mean[k] : 0;
        }
    }
}

static void tell_lines(const trainer_data *data, const quantile_model *model)
{
    const size_t features = lg_dataset_features(data->all);
    if (!model->intercept || features > MOST_SHOWN)
        return;
    printf("  %-8s   %14s", "quantile", "intercept");
    for (size_t k = 0; k < features; k++)
        printf(" %14.14s", lg_dataset_feature_name(data->all, k) ? lg_dataset_feature_name(data->all, k) : "slope");
    for (size_t q = 0; q < model->quantiles; q++) {
        printf("\n  %-8g   %14.7g", model->tau[q], model->intercept[q]);
        for (size_t k = 0; k < features; k++)
            printf(" %14.7g", model->slope[q * features + k]);
    }
    printf("\n\n");
}

static lg_status write_lines(run *r, const trainer_data *data, const quantile_model *model)
{
    const size_t features = lg_dataset_features(data->all);
    run_file file;
    lg_status status = run_file_begin(&file, r, "lines.csv");
    if (status != LG_OK)
        return status;
    fputs("quantile,(intercept)", file.stream);
    for (size_t k = 0; k < features; k++) {
        const char *name = lg_dataset_feature_name(data->all, k);
        char number[32];
        snprintf(number, sizeof number, "%zu", k);
        fputc(',', file.stream);
        csv_cell(file.stream, name ? name : number);
    }
    fputs("\n", file.stream);
    for (size_t q = 0; q < model->quantiles; q++) {
        fprintf(file.stream, "%g,%.17g", model->tau[q], model->intercept[q]);
        for (size_t k = 0; k < features; k++)
            fprintf(file.stream, ",%.17g", model->slope[q * features + k]);
        fputs("\n", file.stream);
    }
    return run_file_end(&file);
}

/* ---------------------------------------------------------------- together */

static lg_status write_rows(run *r, const trainer_data *data, const quantile_model *model)
{
    const size_t rows = lg_dataset_rows(data->all), quantiles = model->quantiles;
    const size_t columns = 2 + quantiles + (model->held_out ? quantiles : 0);
    const lg_real *y = lg_dataset_values(data->all, "y");
    char texts[2 * MOST_QUANTILES + 2][48];
    const char *names[2 * MOST_QUANTILES + 2];
    for (size_t c = 0; c < columns; c++)
        names[c] = texts[c];
    snprintf(texts[0], sizeof texts[0], "target");
    snprintf(texts[1 + quantiles], sizeof texts[0], "loss");
    for (size_t q = 0; q < quantiles; q++) {
        snprintf(texts[1 + q], sizeof texts[0], "%s", quantile_name(model->tau[q]));
        snprintf(texts[2 + quantiles + q], sizeof texts[0], "held_out_%s", quantile_name(model->tau[q]));
    }
    data_part *part = part_of_rows(data->split);
    lg_real *table = calloc(rows * columns, sizeof *table); /* [rows, columns] */
    lg_status status = LG_OK;
    if (!part || !table)
        status = lg_fail(LG_E_MEMORY, "out of memory for the predictions of %zu rows", rows);
    for (size_t i = 0; status == LG_OK && i < rows; i++) {
        const lg_real *predicted = model->rows + i * quantiles;
        lg_real *row = table + i * columns;
        double loss = 0;
        for (size_t q = 0; q < quantiles; q++)
            loss += pinball(model->tau[q], (double)y[i] - (double)predicted[q]) / (double)quantiles;
        row[0] = y[i];
        memcpy(row + 1, predicted, quantiles * sizeof *row);
        row[1 + quantiles] = (lg_real)loss;
        if (model->held_out)
            memcpy(row + 2 + quantiles, model->held_out + i * quantiles, quantiles * sizeof *row);
    }
    if (status == LG_OK)
        status = predictions_write(r, rows, part, columns, names, table);
    free(part);
    free(table);
    return status;
}

static lg_status tell_and_write(run *r, const trainer_data *data, const quantile_model *model)
{
    scored_part parts[MOST_PARTS];
    const size_t count = score_parts(data, model, parts);
    tell_scores(model, parts, count);
    tell_lines(data, model);
    note_scores(r, model, parts, count);
    lg_status status = write_rows(r, data, model);
    return status == LG_OK && model->intercept ? write_lines(r, data, model) : status;
}

lg_status quantile_report(run *r, const table_model *t, const quantile_options *options,
                          const quantile_results *results)
{
    const trainer_data *data = &t->data;
    const size_t features = lg_dataset_features(data->all);
    const bool linear = options->hidden.count == 0;
    double intercept[MOST_QUANTILES], *slope = calloc(options->quantiles * features + 1, sizeof *slope);
    if (!slope)
        return lg_fail(LG_E_MEMORY, "out of memory for %zu slopes", options->quantiles * features);
    const quantile_model model = { .quantiles = options->quantiles,
                                   .tau = options->tau,
                                   .rows = lg_tensor_data(results->rows),
                                   .held_out = lg_tensor_data(results->held_out),
                                   .folds = folds_count(t->folds),
                                   .intercept = linear ? intercept : NULL,
                                   .slope = slope };
    if (linear)
        unscale_lines(data, results, options->quantiles, intercept, slope);
    lg_status status = tell_and_write(r, data, &model);
    free(slope);
    return status == LG_OK ? quantile_draw(r, data, options, results) : status;
}
