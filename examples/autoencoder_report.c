#include "autoencoder_report.h"

#include "picture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define UNIT_IN_USE 0.01 /* nats, mean over rows: Burda et al. 2016 count units by their variance, at 0.01 too */

/* ------------------------------------------------------------------ losses */

/* Sums over the rows of a part. */
typedef struct totals {
    size_t rows;
    double reconstruction, kl;
} totals;

/* Reconstruction and KL of each row.   [rows, 2] */
static lg_tensor *losses_of(autoencoder *model, const lg_dataset *rows, uint64_t seed)
{
    return lg_predict(autoencoder_losses, model, rows, &(lg_fit_options){ .batch_size = 256, .seed = seed });
}

static totals total(const lg_real *table, const size_t *ids, size_t rows)
{
    totals t = { .rows = rows };
    for (size_t i = 0; i < rows; i++) {
        t.reconstruction += (double)table[2 * ids[i]];
        t.kl += (double)table[2 * ids[i] + 1];
    }
    return t;
}

static void say_part(run *r, const char *name, const totals *t, double beta)
{
    if (t->rows == 0)
        return;
    const double rows = (double)t->rows, reconstruction = t->reconstruction / rows, kl = t->kl / rows;
    printf("  %-12s %10zu %12.4f %16.4f %12.4f\n", name, t->rows, reconstruction + beta * kl, reconstruction, kl);
    char key[64];
    snprintf(key, sizeof key, "metrics.%s.loss", name);
    run_note_number(r, key, reconstruction + beta * kl);
    snprintf(key, sizeof key, "metrics.%s.reconstruction", name);
    run_note_number(r, key, reconstruction);
    snprintf(key, sizeof key, "metrics.%s.kl", name);
    run_note_number(r, key, kl);
}

/* The part by which the model is judged. */
static const lg_dataset *judged(const trainer_data *data)
{
    return data->validation ? data->validation : data->train;
}

/* A unit whose distribution does not depend on the row has no KL and tells the decoder nothing. */
static lg_status say_units(run *r, autoencoder *model, const trainer_data *data)
{
    const size_t latent = model->options.latent, rows = lg_dataset_rows(judged(data));
    lg_tensor *codes = lg_predict(autoencoder_codes, model, judged(data), &(lg_fit_options){ .batch_size = 1024 });
    const lg_real *table = lg_tensor_data(codes); /* [rows, 2 latent] */
    if (!table)
        return lg_error_code();
    size_t used = 0;
    for (size_t k = 0; k < latent; k++) {
        double kl = 0;
        for (size_t i = 0; i < rows; i++) {
            const double mean = (double)table[2 * latent * i + k], log_var = (double)table[2 * latent * i + latent + k];
            kl += (mean * mean + exp(log_var) - 1 - log_var) / 2;
        }
        used += kl / (double)rows > UNIT_IN_USE;
    }
    lg_tensor_free(codes);
    printf("  Units of the code in use: %zu of %zu (KL above %g nats)\n\n", used, latent, UNIT_IN_USE);
    run_note_count(r, "metrics.units_in_use", used);
    return LG_OK;
}

/* ------------------------------------------------------------- predictions */

static lg_status write_predictions(run *r, const trainer_data *data, const lg_real *table, double beta)
{
    const size_t rows = lg_dataset_rows(data->all);
    const bool classes = lg_dataset_classes(data->all) > 0;
    const int digits = LG_REAL_BITS == 64 ? 17 : 9;
    int32_t *labels = calloc(rows, sizeof *labels);
    const char **part = calloc(rows, sizeof *part);
    lg_status status = labels && part ? LG_OK : lg_fail(LG_E_MEMORY, "out of memory for the predictions of %zu rows", rows);
    if (status == LG_OK && classes)
        status = lg_dataset_labels(data->all, NULL, 0, labels);
    run_file file;
    if (status == LG_OK)
        status = run_file_begin(&file, r, "predictions.csv");
    if (status == LG_OK) {
        for (size_t i = 0; i < data->split->validation_rows; i++)
            part[data->split->validation[i]] = "validation";
        for (size_t i = 0; i < data->split->test_rows; i++)
            part[data->split->test[i]] = "test";
        fputs("row,part,target,loss,reconstruction,kl\n", file.stream);
        for (size_t i = 0; i < rows; i++) {
            const double reconstruction = (double)table[2 * i], kl = (double)table[2 * i + 1];
            char label[16] = "";
            if (classes)
                snprintf(label, sizeof label, "%d", (int)labels[i]);
            fprintf(file.stream, "%zu,%s,%s,%.*g,%.*g,%.*g\n", i, part[i] ? part[i] : "train", label, digits,
                    reconstruction + beta * kl, digits, reconstruction, digits, kl);
        }
        status = run_file_end(&file);
    }
    free(labels);
    free(part);
    return status;
}

lg_status autoencoder_report(run *r, autoencoder *model, const trainer_data *data, uint64_t seed)
{
    const double beta = model->options.beta;
    const lg_split *split = data->split;
    lg_tensor *losses = losses_of(model, data->all, seed);
    const lg_real *table = lg_tensor_data(losses);
    if (!table)
        return lg_error_code();
    const totals train = total(table, split->train, split->train_rows),
                 validation = total(table, split->validation, split->validation_rows),
                 test = total(table, split->test, split->test_rows);
    printf("\n  %-12s %10s %12s %16s %12s\n", "part", "rows", "loss", "reconstruction", "kl");
    say_part(r, "train", &train, beta);
    say_part(r, "validation", &validation, beta);
    say_part(r, "test", &test, beta);
    lg_status status = say_units(r, model, data);
    if (status == LG_OK)
        status = write_predictions(r, data, table, beta);
    lg_tensor_free(losses);
    return status;
}

/* ------------------------------------------------------------------ scores */

static int ascending(const void *a, const void *b)
{
    const lg_real x = *(const lg_real *)a, y = *(const lg_real *)b;
    return (x > y) - (x < y);
}

/* Negative ELBO of each row, whatever beta was: [rows], to be released by free(). */
static lg_real *scores_of(autoencoder *model, const lg_dataset *rows, uint64_t seed)
{
    const size_t count = lg_dataset_rows(rows);
    lg_tensor *losses = losses_of(model, rows, seed);
    const lg_real *table = lg_tensor_data(losses);
    lg_real *scores = table ? calloc(count, sizeof *scores) : NULL;
    if (table && !scores)
        lg_fail(LG_E_MEMORY, "out of memory for the scores of %zu rows", count);
    for (size_t i = 0; scores && i < count; i++)
        scores[i] = table[2 * i] + table[2 * i + 1];
    lg_tensor_free(losses);
    return scores;
}

/* The area under the ROC curve of telling `count` scores from `known_count` known ones. */
static lg_status area(const lg_real *scores, size_t count, const lg_real *known, size_t known_count, double *auc)
{
    lg_real *both = calloc(count + known_count, sizeof *both);
    int32_t *labels = calloc(count + known_count, sizeof *labels);
    lg_status status = both && labels ? LG_OK : lg_fail(LG_E_MEMORY, "out of memory for %zu scores", count);
    if (status == LG_OK) {
        memcpy(both, scores, count * sizeof *both);
        memcpy(both + count, known, known_count * sizeof *both);
        for (size_t i = 0; i < count; i++)
            labels[i] = 1;
        status = lg_roc_auc(count + known_count, both, labels, auc);
    }
    free(both);
    free(labels);
    return status;
}

static lg_status write_scores(run *r, const lg_real *scores, size_t count)
{
    run_file file;
    lg_status status = run_file_begin(&file, r, "scores.csv");
    if (status != LG_OK)
        return status;
    fputs("row,score\n", file.stream);
    for (size_t i = 0; i < count; i++)
        fprintf(file.stream, "%zu,%.*g\n", i, LG_REAL_BITS == 64 ? 17 : 9, (double)scores[i]);
    return run_file_end(&file);
}

lg_status autoencoder_score(run *r, autoencoder *model, const trainer_data *data, const lg_dataset *rows,
                            const char *name, uint64_t seed)
{
    const size_t count = lg_dataset_rows(rows), known_count = lg_dataset_rows(judged(data));
    const char *known_name = data->validation ? "validation" : "training";
    lg_real *scores = scores_of(model, rows, seed);
    lg_real *known = scores ? scores_of(model, judged(data), seed) : NULL;
    double auc = NAN, mean = 0, known_mean = 0;
    lg_status status = known ? area(scores, count, known, known_count, &auc) : lg_error_code();
    if (status == LG_OK && (status = write_scores(r, scores, count)) == LG_OK) {
        qsort(known, known_count, sizeof *known, ascending);
        const lg_real threshold = known[(known_count * 99 + 99) / 100 - 1];
        size_t above = 0;
        for (size_t i = 0; i < count; i++) {
            above += scores[i] > threshold;
            mean += (double)scores[i] / (double)count;
        }
        for (size_t i = 0; i < known_count; i++)
            known_mean += (double)known[i] / (double)known_count;
        printf("Scored %s: %zu rows, mean score %.4f (%s rows: %.4f)\n", name, count, mean, known_name, known_mean);
        printf("  %zu of them (%.1f%%) lie above %.4f, which 99%% of the %s rows do not exceed\n", above,
               100 * (double)above / (double)count, (double)threshold, known_name);
        printf("  ROC AUC of telling them from the %s rows: %.4f\n\n", known_name, auc);
        run_note_text(r, "scored.file", name);
        run_note_count(r, "scored.rows", count);
        run_note_number(r, "scored.mean", mean);
        run_note_number(r, "scored.threshold", (double)threshold);
        run_note_count(r, "scored.above", above);
        run_note_number(r, "scored.roc_auc", auc);
    }
    free(scores);
    free(known);
    return status;
}

/* ---------------------------------------------------------------- pictures */

enum { COLUMNS = 12, BANDS = 3, SAMPLE_ROWS = 6, WALKS = 6, CELLS = COLUMNS * 6 };

/* What the pictures are made of. */
typedef struct studio {
    run *r;
    autoencoder *model;
    size_t height, width, features, latent;
    const lg_real *codes; /* [shown, 2 latent] */
    lg_real *values;      /* [CELLS, features] */
    lg_real *z;           /* [CELLS, latent] */
} studio;

static lg_status draw_reconstructions(const studio *s, const lg_real *originals)
{
    for (size_t i = 0; i < COLUMNS * BANDS; i++)
        memcpy(s->z + i * s->latent, s->codes + 2 * i * s->latent, s->latent * sizeof *s->z);
    lg_status status = LG_OK;
    for (size_t b = 0; b < BANDS && status == LG_OK; b++) {
        lg_real *above = s->values + 2 * b * COLUMNS * s->features, *below = above + COLUMNS * s->features;
        memcpy(above, originals + b * COLUMNS * s->features, COLUMNS * s->features * sizeof *above);
        status = autoencoder_decode(s->model, COLUMNS, s->z + b * COLUMNS * s->latent, below);
    }
    const picture_grid grid = { 2 * BANDS, COLUMNS, s->height, s->width, .band_rows = 2 };
    return status == LG_OK ? picture_write(s->r, "reconstructions.png", &grid, s->values) : status;
}

static lg_status draw_samples(const studio *s, uint64_t seed)
{
    lg_rng rng = lg_rng_seed(seed);
    lg_rng_fill_normal(&rng, SAMPLE_ROWS * COLUMNS * s->latent, s->z, 0, 1);
    lg_status status = autoencoder_decode(s->model, SAMPLE_ROWS * COLUMNS, s->z, s->values);
    const picture_grid grid = { SAMPLE_ROWS, COLUMNS, s->height, s->width, .band_rows = 1 };
    return status == LG_OK ? picture_write(s->r, "samples.png", &grid, s->values) : status;
}

static lg_status draw_walks(const studio *s)
{
    for (size_t w = 0; w < WALKS; w++) {
        const lg_real *from = s->codes + 2 * (2 * w) * s->latent, *to = s->codes + 2 * (2 * w + 1) * s->latent;
        for (size_t c = 0; c < COLUMNS; c++)
            for (size_t k = 0; k < s->latent; k++)
                s->z[(w * COLUMNS + c) * s->latent + k] =
                    from[k] + (to[k] - from[k]) * (lg_real)c / (lg_real)(COLUMNS - 1);
    }
    lg_status status = autoencoder_decode(s->model, WALKS * COLUMNS, s->z, s->values);
    const picture_grid grid = { WALKS, COLUMNS, s->height, s->width, .band_rows = 1 };
    return status == LG_OK ? picture_write(s->r, "walk.png", &grid, s->values) : status;
}

/* Rows from the whole of the part, evenly spaced; of a part with fewer rows some more than once. */
static lg_dataset *choose_rows(const lg_dataset *part)
{
    size_t ids[COLUMNS * BANDS];
    for (size_t i = 0; i < COLUMNS * BANDS; i++)
        ids[i] = i * lg_dataset_rows(part) / (COLUMNS * BANDS);
    return lg_dataset_subset(part, ids, COLUMNS * BANDS);
}

lg_status autoencoder_pictures(run *r, autoencoder *model, const trainer_data *data, size_t height, size_t width,
                               uint64_t seed)
{
    const size_t features = model->options.features, latent = model->options.latent;
    studio s = { .r = r, .model = model, .height = height, .width = width, .features = features, .latent = latent,
                 .values = calloc(CELLS, features * sizeof(lg_real)), .z = calloc(CELLS, latent * sizeof(lg_real)) };
    lg_dataset *shown = NULL;
    lg_batch *batch = NULL;
    lg_tensor *codes = NULL;
    lg_status status = s.values && s.z ? LG_OK : lg_fail(LG_E_MEMORY, "out of memory for pictures");
    if (status == LG_OK) {
        size_t ids[COLUMNS * BANDS];
        for (size_t i = 0; i < COLUMNS * BANDS; i++)
            ids[i] = i;
        shown = choose_rows(judged(data));
        batch = lg_batch_new(shown, COLUMNS * BANDS);
        codes = lg_predict(autoencoder_codes, model, shown, NULL);
        s.codes = lg_tensor_data(codes);
        status = lg_batch_fill(batch, ids, COLUMNS * BANDS);
        if (status == LG_OK && !s.codes)
            status = lg_error_code();
    }
    if (status == LG_OK)
        status = draw_reconstructions(&s, lg_batch_values(batch, "x"));
    if (status == LG_OK)
        status = draw_samples(&s, seed);
    if (status == LG_OK)
        status = draw_walks(&s);
    lg_batch_free(batch);
    lg_tensor_free(codes);
    lg_dataset_free(shown);
    free(s.values);
    free(s.z);
    return status;
}
