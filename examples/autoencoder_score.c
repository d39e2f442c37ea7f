#include "autoencoder_score.h"

#include "predictions.h"

#include <stdlib.h>
#include <string.h>

const char *const score_names[SCORES] = { "negative_elbo", "reconstruction", "kl", "excess" };

/* ------------------------------------------------------------------ scores */

lg_tensor *autoencoder_scores(lg_tape *tape, const lg_batch *batch, void *context)
{
    autoencoder *model = context;
    const size_t rows = lg_batch_rows(batch), samples = model->options.samples;
    const lg_loss_options each = { .reduction = LG_REDUCE_NONE };
    lg_tensor *x = autoencoder_values(tape, batch, model); /* [batch, features] */
    autoencoder_code code = autoencoder_encode(tape, model, x);
    lg_tensor *sum = NULL; /* [batch] */
    for (size_t s = 0; s < samples; s++) {
        lg_tensor *logits = autoencoder_logits(tape, model, autoencoder_sample(tape, model, &code));
        lg_tensor *one = lg_reconstruction(tape, logits, x, LG_RECONSTRUCT_BCE_LOGITS, LG_FEATURES_SUM, &each);
        sum = sum ? lg_add(tape, sum, one) : one;
        if (!sum)
            return NULL;
    }
    lg_tensor *reconstruction = lg_reshape(tape, lg_scale(tape, sum, 1 / (double)samples), LG_SHAPE(rows, 1));
    lg_tensor *kl = lg_reshape(tape, lg_gaussian_kl(tape, code.mean, code.log_var, &each), LG_SHAPE(rows, 1));
    lg_tensor *elbo = lg_add(tape, reconstruction, kl); /* [batch, 1] */
    /* what the reconstruction costs when each value is known exactly */
    lg_tensor *entropy = lg_reconstruction(tape, x, x, LG_RECONSTRUCT_BCE, LG_FEATURES_SUM, &each);
    lg_tensor *excess = lg_sub(tape, elbo, lg_reshape(tape, entropy, LG_SHAPE(rows, 1)));
    lg_tensor *columns[] = { elbo, reconstruction, kl, excess };
    return lg_concat(tape, SCORES, columns, 1);
}

lg_tensor *autoencoder_score_rows(autoencoder *model, const lg_dataset *rows, uint64_t seed)
{
    return lg_predict(autoencoder_scores, model, rows, &(lg_fit_options){ .batch_size = SCORE_BATCH, .seed = seed });
}

/* -------------------------------------------------------------- known rows */

static int ascending(const void *a, const void *b)
{
    const lg_real x = *(const lg_real *)a, y = *(const lg_real *)b;
    return (x > y) - (x < y);
}

/* One score of the rows by which the model is judged; free() them. */
static lg_real *known_scores(const trainer_data *data, const lg_tensor *scores, size_t column, size_t *count)
{
    const lg_split *split = data->split;
    const size_t *ids = data->validation ? split->validation : split->train;
    const lg_real *table = lg_tensor_data((lg_tensor *)(uintptr_t)scores);
    *count = data->validation ? split->validation_rows : split->train_rows;
    lg_real *known = calloc(*count, sizeof *known);
    if (!known)
        lg_fail(LG_E_MEMORY, "out of memory for %zu scores", *count);
    for (size_t i = 0; known && i < *count; i++)
        known[i] = table[SCORES * ids[i] + column];
    return known;
}

static lg_status limit_of(const trainer_data *data, const lg_tensor *scores, size_t column, double *limit)
{
    size_t count;
    lg_real *known = known_scores(data, scores, column, &count);
    if (!known)
        return lg_error_code();
    qsort(known, count, sizeof *known, ascending);
    *limit = (double)known[(count * 99 + 99) / 100 - 1];
    free(known);
    return LG_OK;
}

lg_status autoencoder_limits(const trainer_data *data, const lg_tensor *scores, score_limits *limits)
{
    lg_status status = limit_of(data, scores, SCORE_NEGATIVE_ELBO, &limits->negative_elbo);
    return status == LG_OK ? limit_of(data, scores, SCORE_EXCESS, &limits->excess) : status;
}

/* -------------------------------------------------------------- other rows */

static void note(run *r, const char *score, const char *name, double value)
{
    char key[64];
    snprintf(key, sizeof key, "scored.%s.%s", score, name);
    run_note_number(r, key, value);
}

static void say_score(run *r, const char *title, size_t column, size_t rows, const lg_real *scores, double limit)
{
    double mean = 0;
    size_t above = 0;
    for (size_t i = 0; i < rows; i++) {
        const double score = (double)scores[SCORES * i + column];
        mean += score / (double)rows;
        above += score > limit;
    }
    printf("  %-14s %12.4f %12.4f %8zu (%5.1f%%)\n", title, mean, limit, above, 100 * (double)above / (double)rows);
    note(r, score_names[column], "mean", mean);
    note(r, score_names[column], "threshold", limit);
    note(r, score_names[column], "above", (double)above);
}

void autoencoder_say_scores(run *r, size_t rows, const lg_real *scores, const score_limits *limits)
{
    printf("  %-14s %12s %12s %17s\n", "score", "mean", "99% up to", "above that");
    run_note_count(r, "scored.rows", rows);
    say_score(r, "negative ELBO", SCORE_NEGATIVE_ELBO, rows, scores, limits->negative_elbo);
    say_score(r, "excess", SCORE_EXCESS, rows, scores, limits->excess);
}

/* The area under the ROC curve of telling rows from known ones by a score. */
static lg_status say_auc(run *r, const char *title, size_t column, const trainer_data *data, const lg_tensor *known,
                         size_t rows, const lg_real *scores)
{
    size_t known_rows;
    double auc;
    lg_real *old = known_scores(data, known, column, &known_rows);
    lg_real *both = old ? calloc(rows + known_rows, sizeof *both) : NULL;
    int32_t *labels = both ? calloc(rows + known_rows, sizeof *labels) : NULL;
    lg_status status = labels ? LG_OK : lg_fail(LG_E_MEMORY, "out of memory for %zu scores", rows);
    if (status == LG_OK) {
        memcpy(both + rows, old, known_rows * sizeof *both);
        for (size_t i = 0; i < rows; i++) {
            both[i] = scores[SCORES * i + column];
            labels[i] = 1;
        }
        status = lg_roc_auc(rows + known_rows, both, labels, &auc);
    }
    if (status == LG_OK) {
        printf("  ROC AUC by %s: %.4f\n", title, auc);
        note(r, score_names[column], "roc_auc", auc);
    }
    free(old);
    free(both);
    free(labels);
    return status;
}

lg_status autoencoder_score(run *r, autoencoder *model, const trainer_data *data, const lg_tensor *known,
                            const lg_dataset *rows, const char *name, uint64_t seed)
{
    const size_t count = lg_dataset_rows(rows);
    score_limits limits = { 0 };
    lg_tensor *scores = autoencoder_score_rows(model, rows, seed);
    const lg_real *table = lg_tensor_data(scores);
    lg_status status = table ? autoencoder_limits(data, known, &limits) : lg_error_code();
    if (status == LG_OK) {
        printf("Scored: %s, %zu rows, against the rows of the %s part\n", name, count,
               data->validation ? "validation" : "training");
        run_note_text(r, "scored.file", name);
        autoencoder_say_scores(r, count, table, &limits);
        status = say_auc(r, "negative ELBO", SCORE_NEGATIVE_ELBO, data, known, count, table);
    }
    if (status == LG_OK)
        status = say_auc(r, "excess", SCORE_EXCESS, data, known, count, table);
    if (status == LG_OK) {
        printf("\n");
        status = columns_write(r, "scores.csv", count, SCORES, score_names, table);
    }
    lg_tensor_free(scores);
    return status;
}
