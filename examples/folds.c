#include "folds.h"
#include "interrupt.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct folds {
    size_t count, rows, features;
    bool scale;
    lg_real *x; /* [rows, features] */
};

folds *folds_new(const lg_dataset *all, size_t count, bool scale)
{
    const lg_real *x = lg_dataset_values(all, "x");
    if (!x || !lg_dataset_values(all, "y")) {
        lg_fail(LG_E_DTYPE, "cross-validation wants features and real targets");
        return NULL;
    }
    folds *f = calloc(1, sizeof *f);
    if (f) {
        *f = (folds){ .count = count, .scale = scale };
        f->rows = lg_dataset_rows(all);
        f->features = lg_dataset_features(all);
        f->x = calloc(f->rows * f->features, sizeof *f->x);
    }
    if (!f || !f->x) {
        lg_fail(LG_E_MEMORY, "out of memory for a copy of the data");
        folds_free(f);
        return NULL;
    }
    memcpy(f->x, x, f->rows * f->features * sizeof *x);
    return f;
}

void folds_free(folds *f)
{
    if (!f)
        return;
    free(f->x);
    free(f);
}

size_t folds_argument(struct argp_state *state, const char *text)
{
    const size_t count = argument_count(state, "--folds", text, 0, 1000);
    if (count == 1)
        argp_error(state, "--folds: 1 leaves nothing to train on; 2 are wanted, or 0 for none");
    return count;
}

size_t folds_settle(struct argp_state *state, size_t given, const trainer_options *options)
{
    if (options->load && !options->predict && given != FOLDS_DEFAULT && given > 0)
        argp_error(state, "--folds: a model that is loaded may have seen every row; --test-split holds new ones back");
    return given != FOLDS_DEFAULT ? given : options->load ? 0 : 5;
}

size_t folds_count(const folds *f)
{
    return f ? f->count : 0;
}

lg_status folds_check(const folds *f, const trainer_data *data)
{
    if (!f || data->split->train_rows >= f->count)
        return LG_OK;
    return lg_fail(LG_E_PARAM, "%zu folds want as many rows to train on, but there are %zu; --folds 0 does without",
                   f->count, data->split->train_rows);
}

/* The fold of each training row: rows in random order, class after class, dealt out like cards. */
static lg_status deal(const folds *f, const trainer_data *data, const trainer_options *options, size_t *fold)
{
    const lg_split *split = data->split;
    const size_t rows = split->train_rows, classes = lg_dataset_classes(data->all);
    lg_rng rng = trainer_rng(options, TRAINER_FOLDS);
    lg_sampler *sampler = lg_sampler_new(rows, true, &rng);
    const size_t *order = lg_sampler_epoch(sampler, 0);
    int32_t *label = calloc(rows, sizeof *label);
    lg_status status = !order ? lg_error_code() : !label ? lg_fail(LG_E_MEMORY, "out of memory for folds") : LG_OK;
    if (status == LG_OK && classes)
        status = lg_dataset_labels(data->train, NULL, 0, label);
    for (size_t c = 0, dealt = 0; status == LG_OK && c < (classes ? classes : 1); c++)
        for (size_t i = 0; i < rows; i++)
            if (label[order[i]] == (int32_t)c)
                fold[split->train[order[i]]] = dealt++ % f->count;
    free(label);
    lg_sampler_free(sampler);
    return status;
}

/* The training rows as a split of their own: `which` is its test part. */
static lg_split *split_of(const lg_split *whole, const size_t *fold, size_t which)
{
    lg_split *split = calloc(1, sizeof *split);
    if (split) {
        split->train = calloc(whole->train_rows, sizeof *split->train);
        split->test = calloc(whole->train_rows, sizeof *split->test);
    }
    if (!split || !split->train || !split->test) {
        lg_fail(LG_E_MEMORY, "out of memory for folds");
        lg_split_free(split);
        return NULL;
    }
    for (size_t i = 0; i < whole->train_rows; i++) {
        const size_t row = whole->train[i];
        if (fold[row] == which)
            split->test[split->test_rows++] = row;
        else
            split->train[split->train_rows++] = row;
    }
    return split;
}

/* Trains on the rows of the other folds, predicts those of fold `which`, and copies what it says to their places in
 * out. */
static lg_status predict_fold(const folds *f, const trainer_data *data, const trainer_options *options,
                              const size_t *fold, size_t which, const fold_trainer *how, lg_real *out)
{
    trainer_data own = { 0 };
    lg_history *history = NULL;
    lg_tensor *predicted = NULL;
    lg_split *split = split_of(data->split, fold, which);
    if (!split)
        return lg_error_code();
    lg_dataset *copy = lg_dataset_from_arrays(f->rows, f->features, f->x, lg_dataset_values(data->all, "y"));
    lg_status status = trainer_split_as(&own, options, copy, split);
    if (status == LG_OK && f->scale)
        status = trainer_scale(&own);
    if (status == LG_OK)
        status = (history = how->train(how->model, &own)) ? LG_OK : lg_error_code();
    interrupt_tell(lg_history_signal(history));
    if (status == LG_OK && interrupt_signal())
        status = lg_fail(LG_E_INTERRUPTED, "cross-validation: interrupted");
    if (status == LG_OK) {
        predicted = lg_predict(how->outputs, how->model, own.test, &(lg_fit_options){ .batch_size = 4096 });
        status = predicted ? LG_OK : lg_error_code();
    }
    const size_t width = how->width;
    for (size_t i = 0; status == LG_OK && i < own.split->test_rows; i++)
        memcpy(out + own.split->test[i] * width, lg_tensor_data(predicted) + i * width, width * sizeof *out);
    lg_tensor_free(predicted);
    lg_history_free(history);
    how->release(how->model);
    trainer_data_free(&own);
    return status;
}

lg_tensor *folds_predict(const folds *f, const trainer_data *data, const trainer_options *options,
                         const fold_trainer *how)
{
    if (folds_check(f, data) != LG_OK)
        return NULL;
    lg_tensor *out = lg_tensor_full(LG_SHAPE(f->rows, how->width), NAN);
    size_t *fold = calloc(f->rows, sizeof *fold);
    lg_status status = !out ? lg_error_code() : LG_OK;
    if (status == LG_OK && !fold)
        status = lg_fail(LG_E_MEMORY, "out of memory for the folds of %zu rows", f->rows);
    if (status == LG_OK)
        status = deal(f, data, options, fold);
    for (size_t k = 0; status == LG_OK && k < f->count; k++)
        status = predict_fold(f, data, options, fold, k, how, lg_tensor_data(out));
    free(fold);
    if (status == LG_OK)
        return out;
    lg_tensor_free(out);
    return NULL;
}
