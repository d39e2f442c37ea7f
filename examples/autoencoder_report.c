#include "autoencoder_report.h"
#include "autoencoder_score.h"
#include "predictions.h"

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

static totals total(const lg_real *table, const size_t *ids, size_t rows)
{
    totals t = { .rows = rows };
    for (size_t i = 0; i < rows; i++) {
        t.reconstruction += (double)table[SCORES * ids[i] + SCORE_RECONSTRUCTION];
        t.kl += (double)table[SCORES * ids[i] + SCORE_KL];
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

/* By the loss that training minimised, with the full beta. */
static lg_status write_predictions(run *r, const trainer_data *data, const lg_real *table, double beta)
{
    const size_t rows = lg_dataset_rows(data->all);
    const bool classes = lg_dataset_classes(data->all) > 0;
    const int digits = LG_REAL_BITS == 64 ? 17 : 9;
    int32_t *labels = calloc(rows, sizeof *labels);
    data_part *part = part_of_rows(data->split);
    lg_status status = part ? LG_OK : lg_error_code();
    if (status == LG_OK && !labels)
        status = lg_fail(LG_E_MEMORY, "out of memory for %zu labels", rows);
    if (status == LG_OK && classes)
        status = lg_dataset_labels(data->all, NULL, 0, labels);
    run_file file;
    if (status == LG_OK)
        status = run_file_begin(&file, r, "predictions.csv");
    if (status == LG_OK) {
        fputs("row,part,target,loss,reconstruction,kl\n", file.stream);
        for (size_t i = 0; i < rows; i++) {
            const double reconstruction = (double)table[SCORES * i + SCORE_RECONSTRUCTION];
            const double kl = (double)table[SCORES * i + SCORE_KL];
            char label[16] = "";
            if (classes)
                snprintf(label, sizeof label, "%d", (int)labels[i]);
            fprintf(file.stream, "%zu,%s,%s,%.*g,%.*g,%.*g\n", i, part_name(part[i]), label, digits,
                    reconstruction + beta * kl, digits, reconstruction, digits, kl);
        }
        status = run_file_end(&file);
    }
    free(labels);
    free(part);
    return status;
}

lg_status autoencoder_report(run *r, autoencoder *model, const trainer_data *data, const lg_tensor *scores)
{
    const double beta = model->options.beta;
    const lg_split *split = data->split;
    const lg_real *table = lg_tensor_data((lg_tensor *)(uintptr_t)scores);
    const totals train = total(table, split->train, split->train_rows),
                 validation = total(table, split->validation, split->validation_rows),
                 test = total(table, split->test, split->test_rows);
    printf("\n  %-12s %10s %12s %16s %12s\n", "part", "rows", "loss", "reconstruction", "kl");
    say_part(r, "train", &train, beta);
    say_part(r, "validation", &validation, beta);
    say_part(r, "test", &test, beta);
    lg_status status = say_codes(r, model, data);
    return status == LG_OK ? write_predictions(r, data, table, beta) : status;
}
