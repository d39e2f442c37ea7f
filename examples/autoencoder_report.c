#include "autoencoder_report.h"

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
static size_t units_in_use(const lg_real *codes, size_t latent, const size_t *ids, size_t rows)
{
    size_t used = 0;
    for (size_t k = 0; k < latent; k++) {
        double kl = 0;
        for (size_t i = 0; i < rows; i++) {
            const lg_real *code = codes + 2 * latent * ids[i];
            const double mean = (double)code[k], log_var = (double)code[latent + k];
            kl += (mean * mean + exp(log_var) - 1 - log_var) / 2;
        }
        used += kl / (double)rows > UNIT_IN_USE;
    }
    return used;
}

/* codes.npy, [rows, latent]: the mean of each row's code. Moves the means together in `codes`. */
static lg_status write_codes(run *r, lg_real *codes, size_t rows, size_t latent)
{
    for (size_t i = 1; i < rows; i++)
        memmove(codes + i * latent, codes + 2 * i * latent, latent * sizeof *codes);
    const char *path = run_path(r, "codes.npy");
    lg_status status = path ? lg_npy_write_array(path, LG_REAL, 2, (size_t[]){ rows, latent }, codes) : lg_error_code();
    if (status == LG_OK)
        run_note_file(r, "codes.npy");
    return status;
}

static lg_status say_codes(run *r, autoencoder *model, const trainer_data *data)
{
    const size_t latent = model->options.latent, rows = lg_dataset_rows(data->all);
    const lg_split *split = data->split;
    lg_tensor *codes = lg_predict(autoencoder_codes, model, data->all, &(lg_fit_options){ .batch_size = 1024 });
    lg_real *table = lg_tensor_data(codes); /* [rows, 2 latent] */
    if (!table)
        return lg_error_code();
    const size_t used = data->validation ? units_in_use(table, latent, split->validation, split->validation_rows)
                                         : units_in_use(table, latent, split->train, split->train_rows);
    printf("  Units of the code in use: %zu of %zu (KL above %g nats)\n\n", used, latent, UNIT_IN_USE);
    run_note_count(r, "metrics.units_in_use", used);
    lg_status status = write_codes(r, table, rows, latent);
    lg_tensor_free(codes);
    return status;
}

/* ------------------------------------------------------------- predictions */

static lg_status write_predictions(run *r, const trainer_data *data, const lg_real *table, double beta)
{
    const size_t rows = lg_dataset_rows(data->all);
    const bool classes = lg_dataset_classes(data->all) > 0;
    const int digits = LG_REAL_BITS == 64 ? 17 : 9;
    int32_t *labels = calloc(rows, sizeof *labels);
    const char **part = calloc(rows, sizeof *part);
    lg_status status =
        labels && part ? LG_OK : lg_fail(LG_E_MEMORY, "out of memory for the predictions of %zu rows", rows);
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
    lg_status status = say_codes(r, model, data);
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

/* Two scores of each row, in nats, whatever beta was.
 *   negative ELBO   -log p(x | z) + KL, what training brought down (with beta 1)
 *   excess          the same less the entropy of x itself, -sum x log x + (1 - x) log(1 - x). A grey pixel costs that
 *                   much even if it is known exactly, so that without it a blank row is cheaper than one well learned */
typedef struct scores {
    size_t rows;
    lg_real *negative_elbo, *excess;
} scores;

static void scores_free(scores *s)
{
    free(s->negative_elbo);
    free(s->excess);
}

static double entropy(const lg_real *x, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        const double p = (double)x[i];
        sum -= (p > 0 ? p * log(p) : 0) + (p < 1 ? (1 - p) * log1p(-p) : 0);
    }
    return sum;
}

static lg_status scores_new(scores *s, autoencoder *model, const lg_dataset *rows, uint64_t seed)
{
    const size_t count = lg_dataset_rows(rows), features = model->options.features;
    *s = (scores){ .rows = count, .negative_elbo = calloc(count, sizeof *s->negative_elbo),
                   .excess = calloc(count, sizeof *s->excess) };
    if (!s->negative_elbo || !s->excess)
        return lg_fail(LG_E_MEMORY, "out of memory for the scores of %zu rows", count);
    lg_batch *batch = lg_batch_new(rows, 1);
    lg_tensor *losses = batch ? losses_of(model, rows, seed) : NULL;
    const lg_real *table = lg_tensor_data(losses);
    lg_status status = table ? LG_OK : lg_error_code();
    for (size_t i = 0; i < count && status == LG_OK; i++) {
        s->negative_elbo[i] = table[2 * i] + table[2 * i + 1];
        status = lg_batch_fill(batch, &i, 1);
        if (status == LG_OK)
            s->excess[i] = s->negative_elbo[i] - (lg_real)entropy(lg_batch_values(batch, "x"), features);
    }
    lg_tensor_free(losses);
    lg_batch_free(batch);
    return status;
}

/* How scores differ from known ones: means, how many lie above the known ones' 99th percentile, and the area under the
 * ROC curve of telling them apart. */
typedef struct comparison {
    double mean, known_mean, threshold, auc;
    size_t above;
} comparison;

static lg_status compare(const lg_real *score, size_t count, const lg_real *known, size_t known_count, comparison *c)
{
    *c = (comparison){ 0 };
    lg_real *both = calloc(count + known_count, sizeof *both);
    int32_t *labels = calloc(count + known_count, sizeof *labels);
    lg_status status = both && labels ? LG_OK : lg_fail(LG_E_MEMORY, "out of memory for %zu scores", count);
    if (status == LG_OK) {
        memcpy(both, score, count * sizeof *both);
        memcpy(both + count, known, known_count * sizeof *both);
        for (size_t i = 0; i < count; i++)
            labels[i] = 1;
        status = lg_roc_auc(count + known_count, both, labels, &c->auc);
    }
    if (status == LG_OK) {
        lg_real *sorted = both + count;
        qsort(sorted, known_count, sizeof *sorted, ascending);
        c->threshold = (double)sorted[(known_count * 99 + 99) / 100 - 1];
        for (size_t i = 0; i < known_count; i++)
            c->known_mean += (double)known[i] / (double)known_count;
        for (size_t i = 0; i < count; i++) {
            c->mean += (double)score[i] / (double)count;
            c->above += (double)score[i] > c->threshold;
        }
    }
    free(both);
    free(labels);
    return status;
}

static void say_comparison(run *r, const char *name, const char *key, const comparison *c, size_t count)
{
    printf("  %-14s %12.4f %12.4f %12.4f %8zu (%5.1f%%) %9.4f\n", name, c->mean, c->known_mean, c->threshold, c->above,
           100 * (double)c->above / (double)count, c->auc);
    char path[64];
    const struct {
        const char *name;
        double value;
    } facts[] = { { "mean", c->mean }, { "known_mean", c->known_mean }, { "threshold", c->threshold },
                  { "above", (double)c->above }, { "roc_auc", c->auc } };
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        snprintf(path, sizeof path, "scored.%s.%s", key, facts[i].name);
        run_note_number(r, path, facts[i].value);
    }
}

static lg_status write_scores(run *r, const scores *s)
{
    const int digits = LG_REAL_BITS == 64 ? 17 : 9;
    run_file file;
    lg_status status = run_file_begin(&file, r, "scores.csv");
    if (status != LG_OK)
        return status;
    fputs("row,score,excess\n", file.stream);
    for (size_t i = 0; i < s->rows; i++)
        fprintf(file.stream, "%zu,%.*g,%.*g\n", i, digits, (double)s->negative_elbo[i], digits, (double)s->excess[i]);
    return run_file_end(&file);
}

lg_status autoencoder_score(run *r, autoencoder *model, const trainer_data *data, const lg_dataset *rows,
                            const char *name, uint64_t seed)
{
    scores s = { 0 }, known = { 0 };
    comparison elbo, excess;
    lg_status status = scores_new(&s, model, rows, seed);
    if (status == LG_OK)
        status = scores_new(&known, model, judged(data), seed);
    if (status == LG_OK)
        status = compare(s.negative_elbo, s.rows, known.negative_elbo, known.rows, &elbo);
    if (status == LG_OK)
        status = compare(s.excess, s.rows, known.excess, known.rows, &excess);
    if (status == LG_OK)
        status = write_scores(r, &s);
    if (status == LG_OK) {
        printf("Scored: %s, %zu rows, against %zu %s rows\n", name, s.rows, known.rows,
               data->validation ? "validation" : "training");
        printf("  %-14s %12s %12s %12s %17s %9s\n", "score", "mean", "known mean", "99% up to", "above that", "ROC AUC");
        run_note_text(r, "scored.file", name);
        run_note_count(r, "scored.rows", s.rows);
        say_comparison(r, "negative ELBO", "negative_elbo", &elbo, s.rows);
        say_comparison(r, "excess", "excess", &excess, s.rows);
        printf("\n");
    }
    scores_free(&s);
    scores_free(&known);
    return status;
}
