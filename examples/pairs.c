#include "pairs.h"
#include "projection.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STREAM_PAIRS (TRAINER_OWN + 50)
#define MOST_DRAWN 2000
#define MOST_CLASSES_DRAWN 12
#define MOST_NEIGHBOURS 4000

/* ---------------------------------------------------------------- measuring */

static lg_status allocate(pair_part *part, const char *name, size_t count)
{
    *part = (pair_part){ .name = name,
                         .count = count,
                         .row_a = calloc(count, sizeof *part->row_a),
                         .row_b = calloc(count, sizeof *part->row_b),
                         .same = calloc(count, sizeof *part->same),
                         .distance = calloc(count, sizeof *part->distance),
                         .raw = calloc(count, sizeof *part->raw) };
    if (part->row_a && part->row_b && part->same && part->distance && part->raw)
        return LG_OK;
    return lg_fail(LG_E_MEMORY, "out of memory for %zu pairs", count);
}

static void free_part(pair_part *part)
{
    free(part->row_a);
    free(part->row_b);
    free(part->same);
    free(part->distance);
    free(part->raw);
    free(part->loss);
}

/* Which rows make the pairs, from the draw's fields. */
static lg_status take_rows(pair_part *part, const lg_draw *draw)
{
    lg_batch *batch = lg_batch_new(lg_draw_dataset(draw), 1);
    lg_status status = batch ? LG_OK : lg_error_code();
    for (size_t i = 0; i < part->count && status == LG_OK; i++) {
        status = lg_batch_fill(batch, &i, 1);
        if (status != LG_OK)
            break;
        part->row_a[i] = lg_batch_indices(batch, "row_a")[0];
        part->row_b[i] = lg_batch_indices(batch, "row_b")[0];
        part->same[i] = lg_batch_values(batch, "y")[0] > (lg_real)0.5;
    }
    lg_batch_free(batch);
    return status;
}

static lg_status measure(pair_part *part, const char *name, const pairs *p, const trainer_data *data, const size_t *ids,
                         size_t rows, size_t count, lg_rng rng)
{
    lg_draw *draw = lg_draw_pairs(data->all, ids, rows, count, 0.5, &rng);
    lg_status status = draw ? allocate(part, name, count) : lg_error_code();
    if (status == LG_OK)
        status = take_rows(part, draw);
    lg_draw_free(draw);
    const lg_real *e = lg_tensor_data(p->embeddings), *x = lg_dataset_values(data->all, "x");
    const size_t inputs = lg_dataset_features(data->all);
    for (size_t i = 0; i < count && status == LG_OK; i++) {
        const size_t a = (size_t)part->row_a[i], b = (size_t)part->row_b[i];
        part->distance[i] = (lg_real)embedder_distance(e + a * p->width, e + b * p->width, p->width);
        part->raw[i] = (lg_real)embedder_distance(x + a * inputs, x + b * inputs, inputs);
    }
    return status;
}

lg_status pairs_new(pairs *p, embedder *e, const trainer_data *data, const trainer_options *shared, size_t count)
{
    const lg_split *split = data->split;
    const lg_rng rng = trainer_rng(shared, STREAM_PAIRS);
    *p = (pairs){ .embeddings = embedder_rows(e, data->all), .width = e->width };
    if (!p->embeddings)
        return lg_error_code();
    lg_status status = measure(&p->validation, "validation", p, data, split->validation, split->validation_rows, count,
                               lg_rng_split(&rng, 1));
    if (status == LG_OK)
        status = measure(&p->test, "test", p, data, split->test, split->test_rows, count, lg_rng_split(&rng, 2));
    return status;
}

void pairs_free(pairs *p)
{
    free_part(&p->validation);
    free_part(&p->test);
    lg_tensor_free(p->embeddings);
    *p = (pairs){ 0 };
}

/* ---------------------------------------------------------------- reporting */

/* The rates of verification.h are about scores that are higher for what is alike: distances with the sign turned. */
static lg_status scores_of(const pair_part *part, bool raw, lg_real **scores)
{
    *scores = calloc(part->count, sizeof **scores);
    if (!*scores)
        return lg_fail(LG_E_MEMORY, "out of memory for %zu scores", part->count);
    for (size_t i = 0; i < part->count; i++)
        (*scores)[i] = -(raw ? part->raw : part->distance)[i];
    return LG_OK;
}

typedef struct pair_rates {
    double auc, equal_error;                  /* of the test part */
    double far[2], frr[2], accuracy[2];       /* of the test part, at ... */
    double threshold[2];                      /* ... distances chosen on the validation part: equal errors, false accepts */
} pair_rates;

static lg_status rate(const pairs *p, bool raw, double false_accepts, pair_rates *rates)
{
    lg_real *validation = NULL, *test = NULL;
    const pair_part *v = &p->validation, *t = &p->test;
    lg_status status = scores_of(v, raw, &validation);
    if (status == LG_OK)
        status = scores_of(t, raw, &test);
    if (status == LG_OK)
        status = lg_roc_auc(t->count, test, t->same, &rates->auc);
    if (status == LG_OK)
        status = lg_equal_error_rate(t->count, test, t->same, &rates->equal_error, NULL);
    if (status == LG_OK)
        status = lg_equal_error_rate(v->count, validation, v->same, NULL, &rates->threshold[0]);
    if (status == LG_OK)
        status = lg_threshold_at_false_accepts(v->count, validation, v->same, false_accepts, &rates->threshold[1], NULL);
    for (size_t k = 0; k < 2 && status == LG_OK; k++) {
        status = lg_rates_at(t->count, test, t->same, rates->threshold[k], &rates->far[k], &rates->frr[k],
                             &rates->accuracy[k]);
        rates->threshold[k] = -rates->threshold[k];
    }
    free(validation);
    free(test);
    return status;
}

/* The share of rows of the test part whose nearest other row is of their class; of the first MOST_NEIGHBOURS rows. */
static lg_status rate_neighbours(size_t width, const lg_real *points, const trainer_data *data, double *share)
{
    const size_t *ids = data->split->test, all = data->split->test_rows;
    const size_t rows = all < MOST_NEIGHBOURS ? all : MOST_NEIGHBOURS;
    int32_t *labels = calloc(rows, sizeof *labels);
    if (!labels)
        return lg_fail(LG_E_MEMORY, "out of memory for %zu labels", rows);
    lg_status status = lg_dataset_labels(data->all, ids, rows, labels);
    size_t right = 0;
    for (size_t i = 0; i < rows && status == LG_OK; i++) {
        double nearest = INFINITY;
        int32_t label = -1;
        for (size_t k = 0; k < rows; k++) {
            const double distance = k == i ? INFINITY
                                           : embedder_distance(points + ids[i] * width, points + ids[k] * width, width);
            if (distance < nearest) {
                nearest = distance;
                label = labels[k];
            }
        }
        right += label == labels[i];
    }
    *share = (double)right / (double)rows;
    free(labels);
    return status;
}

static void note_rates(run *r, const char *key, const pair_rates *rates, double neighbours)
{
    static const char *const at[] = { "equal_errors", "false_accepts" };
    char path[128];
    const struct {
        const char *name;
        double value;
    } numbers[] = { { "roc_auc", rates->auc }, { "equal_error_rate", rates->equal_error },
                    { "nearest_neighbour_accuracy", neighbours } };
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "metrics.%s.%s", key, numbers[i].name);
        run_note_number(r, path, numbers[i].value);
    }
    for (size_t k = 0; k < 2; k++) {
        const struct {
            const char *name;
            double value;
        } rest[] = { { "threshold", rates->threshold[k] }, { "accuracy", rates->accuracy[k] },
                     { "false_accept_rate", rates->far[k] }, { "false_reject_rate", rates->frr[k] } };
        for (size_t i = 0; i < 4; i++) {
            snprintf(path, sizeof path, "metrics.%s.at_%s.%s", key, at[k], rest[i].name);
            run_note_number(r, path, rest[i].value);
        }
    }
}

lg_status pairs_report(run *r, const pairs *p, const embedder_options *options, const trainer_data *data,
                       double *threshold)
{
    pair_rates embedded = { 0 }, raw = { 0 };
    double neighbours[2] = { 0 };
    lg_status status = rate(p, false, options->false_accepts, &embedded);
    if (status == LG_OK)
        status = rate(p, true, options->false_accepts, &raw);
    if (status == LG_OK)
        status = rate_neighbours(p->width, lg_tensor_data(p->embeddings), data, &neighbours[0]);
    if (status == LG_OK)
        status = rate_neighbours(lg_dataset_features(data->all), lg_dataset_values(data->all, "x"), data, &neighbours[1]);
    if (status != LG_OK)
        return status;
    *threshold = embedded.threshold[0];
    note_rates(r, "test", &embedded, neighbours[0]);
    note_rates(r, "raw", &raw, neighbours[1]);
    char stated[64];
    snprintf(stated, sizeof stated, "at %.3g%% false accepts", 100 * options->false_accepts);
    printf("\nThe test part: %zu pairs of classes that the network has never seen, half of them of one class\n\n",
           p->test.count);
    printf("%-26s %10s %10s\n", "", "embedding", "raw input");
    printf("%-26s %10.4f %10.4f\n", "ROC AUC", embedded.auc, raw.auc);
    printf("%-26s %10.4f %10.4f\n", "equal error rate", embedded.equal_error, raw.equal_error);
    printf("%-26s %10.4f %10.4f\n", "nearest is of its class", neighbours[0], neighbours[1]);
    for (size_t k = 0; k < 2; k++) {
        printf("threshold %s on the validation part\n", k ? stated : "of equal errors");
        printf("%-26s %10.4g %10.4g\n", "  distance", embedded.threshold[k], raw.threshold[k]);
        printf("%-26s %10.4f %10.4f\n", "  pair accuracy", embedded.accuracy[k], raw.accuracy[k]);
        printf("%-26s %10.4f %10.4f\n", "  false accepts", embedded.far[k], raw.far[k]);
        printf("%-26s %10.4f %10.4f\n", "  false rejects", embedded.frr[k], raw.frr[k]);
    }
    printf("\n");
    return LG_OK;
}

static void write_part(FILE *stream, const pair_part *part, int similar_label)
{
    const int digits = LG_REAL_BITS == 64 ? 17 : 9;
    for (size_t i = 0; i < part->count; i++) {
        fprintf(stream, "%s,%d,%d,%d,%.*g,%.*g", part->name, (int)part->row_a[i], (int)part->row_b[i],
                part->same[i] ? similar_label : 1 - similar_label, digits, (double)part->distance[i], digits,
                (double)part->raw[i]);
        if (part->loss)
            fprintf(stream, ",%.*g", digits, (double)part->loss[i]);
        fputc('\n', stream);
    }
}

lg_status pairs_write(run *r, const pairs *p, const char *file, int similar_label)
{
    run_file out;
    lg_status status = run_file_begin(&out, r, file);
    if (status != LG_OK)
        return status;
    fprintf(out.stream, "part,row_a,row_b,target,distance,raw_distance%s\n", p->test.loss ? ",loss" : "");
    write_part(out.stream, &p->validation, similar_label);
    write_part(out.stream, &p->test, similar_label);
    return run_file_end(&out);
}

/* ------------------------------------------------------------------ drawing */

typedef struct embedding_picture {
    size_t rows, classes;
    const int32_t *label;
    const double *xy;
    const lg_dataset *all;
    const char *title;
    bool projected;
} embedding_picture;

/* The classes in the order of their first row, at most MOST_CLASSES_DRAWN, each with a colour and a mark of its own. */
static void embedding_script(FILE *gnuplot, const void *context)
{
    static const char *const colours[] = { "#1f6fb4", "#d9622b", "#2d9145", "#8e4ec6", "#b8860b", "#c2255c" };
    const embedding_picture *picture = context;
    size_t shown = 0;
    int32_t classes[MOST_CLASSES_DRAWN];
    for (size_t i = 0; i < picture->rows && shown < MOST_CLASSES_DRAWN; i++) {
        size_t k = 0;
        while (k < shown && classes[k] != picture->label[i])
            k++;
        if (k < shown)
            continue;
        classes[shown] = picture->label[i];
        fprintf(gnuplot, "$class%zu << END\n", shown++);
        for (size_t j = i; j < picture->rows; j++)
            if (picture->label[j] == picture->label[i])
                fprintf(gnuplot, "%.6g %.6g\n", picture->xy[2 * j], picture->xy[2 * j + 1]);
        fputs("END\n", gnuplot);
    }
    fputs("set title ", gnuplot);
    plot_string(gnuplot, picture->title);
    fprintf(gnuplot, "\nset xlabel '%s'\nset ylabel '%s'\nset key outside right top\nset grid lc rgb '#dddddd'\n"
                     "set border 3\nset tics nomirror\nset size ratio -1\nplot ",
            picture->projected ? "first principal component" : "first number",
            picture->projected ? "second principal component" : "second number");
    for (size_t k = 0; k < shown; k++) {
        fprintf(gnuplot, "%s$class%zu using 1:2 with points pt %d ps 0.5 lc rgb '%s' title ", k ? ", " : "", k,
                k < 6 ? 7 : 9, colours[k % 6]);
        plot_string(gnuplot, lg_dataset_class_name(picture->all, (size_t)classes[k]));
    }
    fputs("\n", gnuplot);
}

static lg_status write_points(run *r, const embedding_picture *picture, const size_t *ids)
{
    run_file file;
    lg_status status = run_file_begin(&file, r, "embedding.csv");
    if (status != LG_OK)
        return status;
    fputs("row,class,x,y\n", file.stream);
    for (size_t i = 0; i < picture->rows; i++) {
        fprintf(file.stream, "%zu,\"", ids[i]);
        for (const char *c = lg_dataset_class_name(picture->all, (size_t)picture->label[i]); *c; c++)
            fprintf(file.stream, *c == '"' ? "\"\"" : "%c", *c);
        fprintf(file.stream, "\",%.9g,%.9g\n", picture->xy[2 * i], picture->xy[2 * i + 1]);
    }
    return run_file_end(&file);
}

lg_status pairs_draw_embedding(run *r, const pairs *p, const trainer_data *data, const char *title)
{
    const size_t *ids = data->split->test, all = data->split->test_rows, rows = all < MOST_DRAWN ? all : MOST_DRAWN;
    lg_real *points = calloc(rows * p->width, sizeof *points);
    double *xy = calloc(2 * rows, sizeof *xy);
    int32_t *labels = calloc(rows, sizeof *labels);
    lg_status status = points && xy && labels ? LG_OK : lg_fail(LG_E_MEMORY, "out of memory for %zu points", rows);
    for (size_t i = 0; i < rows && status == LG_OK; i++)
        memcpy(points + i * p->width, lg_tensor_data(p->embeddings) + ids[i] * p->width, p->width * sizeof *points);
    if (status == LG_OK)
        status = project_to_plane(rows, p->width, points, xy);
    if (status == LG_OK)
        status = lg_dataset_labels(data->all, ids, rows, labels);
    const embedding_picture picture = { .rows = rows, .label = labels, .xy = xy, .all = data->all, .title = title,
                                        .projected = p->width > 2 };
    if (status == LG_OK)
        status = write_points(r, &picture, ids);
    const char *path = status == LG_OK ? run_path(r, "embeddings.npy") : NULL;
    if (status == LG_OK)
        status = path ? lg_npy_write(path, p->embeddings) : lg_error_code();
    if (status == LG_OK) {
        run_note_file(r, "embeddings.npy");
        status = plot_draw(r, "embedding.svg", embedding_script, &picture);
    }
    free(points);
    free(xy);
    free(labels);
    return status;
}
