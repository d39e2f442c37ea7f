#include "vae_rows.h"
#include "embedded.h"

#include <math.h>
#include <stdlib.h>

/* ------------------------------------------------------------------- shape */

/* The rows of an array are pictures as they are, [height, width] or [height, width, 1]; those of a table by --shape, or
 * if they come out square. */
static lg_status find_shape(vae_rows *v, const vae_options *options)
{
    const lg_field *x = lg_dataset_field(v->data.all, "x");
    const size_t features = lg_dataset_features(v->data.all), side = (size_t)sqrt((double)features);
    if (options->height) {
        if (options->height * options->width != features)
            return lg_fail(LG_E_PARAM, "--shape: %zu x %zu are %zu pixels, but a row has %zu values", options->height,
                           options->width, options->height * options->width, features);
        v->height = options->height;
        v->width = options->width;
    } else if (x->rank == 2 || (x->rank == 3 && x->dims[2] == 1)) {
        v->height = x->dims[0];
        v->width = x->dims[1];
    } else if (x->rank == 1 && side > 1 && side * side == features)
        v->height = v->width = side;
    if (options->textbook && features != VAE_TEXTBOOK_SIDE * VAE_TEXTBOOK_SIDE)
        return lg_fail(LG_E_PARAM, "--textbook: the network is for pictures of 28 x 28, 784 values; a row of %s has %zu",
                       options->shared.data, features);
    return LG_OK;
}

/* ------------------------------------------------------------------- range */

/* Lowest and highest value of each feature, in the training part. */
static void find_range(const vae_rows *v, double *low, double *high)
{
    const size_t features = lg_dataset_features(v->data.all);
    const lg_real *x = lg_dataset_values(v->data.all, "x");
    for (size_t j = 0; j < features; j++)
        low[j] = INFINITY, high[j] = -INFINITY;
    for (size_t i = 0; i < v->data.split->train_rows; i++) {
        const lg_real *row = x + v->data.split->train[i] * features;
        for (size_t j = 0; j < features; j++) {
            const double value = (double)row[j];
            low[j] = value < low[j] ? value : low[j];
            high[j] = value > high[j] ? value : high[j];
        }
    }
}

/* Turns low and high into what is subtracted from values and what they are divided by: 0 and 1 where they are in [0, 1]
 * anyhow, and not all in its lower half (as bytes of 0 .. 16 would be); for pictures the range of all pixels; else that
 * of each column. */
static lg_status settle_range(const vae_rows *v, const char *name, double *low, double *high)
{
    const size_t features = lg_dataset_features(v->data.all);
    double lowest = low[0], highest = high[0];
    for (size_t j = 1; j < features; j++) {
        lowest = fmin(lowest, low[j]);
        highest = fmax(highest, high[j]);
    }
    if (!(highest > lowest))
        return lg_fail(LG_E_DOMAIN, "%s: every value of the training part is %g; there is nothing to learn",
                       name, lowest);
    const bool probabilities = lowest >= 0 && highest > 0.5 && highest <= 1;
    for (size_t j = 0; j < features; j++) {
        if (v->height)
            low[j] = lowest, high[j] = highest;
        high[j] = high[j] > low[j] ? high[j] - low[j] : 1;
        if (probabilities)
            low[j] = 0, high[j] = 1;
    }
    return LG_OK;
}

static lg_status scale(vae_rows *v, const char *name)
{
    const size_t features = lg_dataset_features(v->data.all);
    double *low = calloc(features, sizeof *low), *range = calloc(features, sizeof *range);
    lg_status status = low && range ? LG_OK : lg_fail(LG_E_MEMORY, "out of memory for the range of %zu features", features);
    if (status == LG_OK) {
        find_range(v, low, range);
        status = settle_range(v, name, low, range);
    }
    if (status == LG_OK)
        v->data.scaler = lg_scaler_from(features, low, range);
    free(low);
    free(range);
    if (status == LG_OK)
        status = v->data.scaler ? lg_scaler_apply(v->data.scaler, v->data.all) : lg_error_code();
    return status;
}

/* ------------------------------------------------------------------ scored */

/* A data set with the columns of another, for lg_csv_options.like, but no target: strangers may be of any class. */
static lg_dataset *columns_of(const lg_dataset *data)
{
    enum { NUMBER = 24 };
    const size_t features = lg_dataset_features(data);
    lg_real *x = calloc(features, sizeof *x);
    const char **names = calloc(features, sizeof *names);
    char(*numbers)[NUMBER] = calloc(features, sizeof *numbers);
    lg_dataset *columns = x && names && numbers ? lg_dataset_from_arrays(1, features, x, NULL) : NULL;
    lg_status status = columns ? LG_OK : lg_fail_null("out of memory for %zu columns", features);
    for (size_t i = 0; i < features && status == LG_OK; i++) {
        snprintf(numbers[i], NUMBER, "%zu", i);
        names[i] = lg_dataset_feature_name(data, i) ? lg_dataset_feature_name(data, i) : numbers[i];
    }
    if (status == LG_OK)
        status = lg_dataset_set_feature_names(columns, features, names);
    const lg_category_column *texts;
    for (size_t i = 0; status == LG_OK && (texts = lg_dataset_category_column(data, i)); i++)
        status = lg_dataset_add_category_column(columns, texts);
    free(numbers);
    free(names);
    free(x);
    if (status == LG_OK)
        return columns;
    lg_dataset_free(columns);
    return NULL;
}

/* --score, with the target of --data or without. */
static lg_dataset *read_like(const vae_options *options, const lg_dataset *like)
{
    trainer_options other = options->shared;
    other.data = options->score;
    other.labels = other.target = NULL;
    lg_dataset *rows = trainer_read(&other, (lg_csv_options){ .like = like });
    if (rows || lg_error_code() == LG_E_IO || !options->shared.target)
        return rows;
    char first[1024];
    const lg_status status = lg_error_code();
    snprintf(first, sizeof first, "%s", lg_error());
    other.target = options->shared.target;
    rows = trainer_read(&other, (lg_csv_options){ .like = like });
    if (!rows)
        lg_fail(status, "%s", first);
    return rows;
}

static lg_status read_scored(vae_rows *v, const vae_options *options)
{
    lg_dataset *like = columns_of(v->data.all);
    v->scored = like ? read_like(options, like) : NULL;
    lg_status status = v->scored ? LG_OK : lg_error_code();
    lg_dataset_free(like);
    if (status == LG_OK && v->data.imputer)
        status = lg_imputer_apply(v->data.imputer, v->scored);
    return status == LG_OK ? lg_scaler_apply(v->data.scaler, v->scored) : status;
}

/* ---------------------------------------------------------------- together */

/* Pictures keep their shape, unless they are read as the rows of a model. */
static lg_dataset *read_all(const vae_options *options, loaded_model *loaded)
{
    lg_csv_options csv = { .target_kind = LG_CLASSES };
    if (!options->shared.data)
        return embedded_read("digits.csv.gz", &(lg_csv_options){ .target = "-1", .target_kind = LG_CLASSES });
    if (!loaded)
        return trainer_read_pictures(&options->shared, csv);
    csv.like = loaded_like(loaded, false);
    return csv.like ? trainer_read(&options->shared, csv) : NULL;
}

lg_status vae_rows_read(vae_rows *rows, const vae_options *options, loaded_model *loaded)
{
    *rows = (vae_rows){ 0 };
    lg_status status = trainer_split(&rows->data, &options->shared, read_all(options, loaded));
    if (status == LG_OK && loaded)
        status = loaded_scale(loaded, &rows->data);
    if (status == LG_OK)
        status = find_shape(rows, options);
    if (status == LG_OK && !loaded)
        status = scale(rows, options->shared.data);
    return status == LG_OK && options->score ? read_scored(rows, options) : status;
}

void vae_rows_free(vae_rows *rows)
{
    lg_dataset_free(rows->scored);
    trainer_data_free(&rows->data);
}
