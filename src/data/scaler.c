/* Standard scaler and imputer. */
#include "data/scaler.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "data/blocks_internal.h"
#include "data/dataset_internal.h"
#include "tensor/memory_internal.h"

enum { BLOCK = 256 };

/* A value or two per feature. */
struct lg_scaler {
    size_t features;
    double *means, *deviations;
};

struct lg_imputer {
    size_t features;
    double *values;
};

/* ---- rows of a data set, block by block ---------------------------------------------------------------------------- */

typedef lg_status (*block_function)(void *state, const lg_real *x, size_t rows, const size_t *ids);

/* Calls `block` on all of ids[0..count) (NULL: all rows), at most BLOCK rows at a time. */
static lg_status for_each_block(const lg_dataset *dataset, const size_t *ids, size_t count, block_function block,
                                void *state)
{
    size_t rows = ids ? count : lg_dataset_rows(dataset), all[BLOCK];
    lg_batch *batch = lg_batch_new(dataset, BLOCK);
    lg_status status = batch ? LG_OK : lg_error_code();
    for (size_t first = 0; status == LG_OK && first < rows; first += BLOCK) {
        size_t now = rows - first < BLOCK ? rows - first : BLOCK;
        for (size_t i = 0; i < now; i++)
            all[i] = ids ? ids[first + i] : first + i;
        status = lg_batch_fill(batch, all, now);
        if (status == LG_OK)
            status = block(state, lg_batch_values(batch, "x"), now, all);
    }
    lg_batch_free(batch);
    return status;
}

static lg_status check_fit(const lg_dataset *dataset, const size_t *ids, size_t count, const char *what)
{
    if (!dataset)
        return lg_fail_null("%s: no data set", what);
    if (ids && count == 0)
        return lg_fail(LG_E_PARAM, "%s: no rows to fit on", what);
    for (size_t i = 0; ids && i < count; i++)
        if (ids[i] >= dataset->rows)
            return lg_fail(LG_E_INDEX, "%s: ids[%zu] is %zu, but the data set has %zu rows", what, i, ids[i],
                           dataset->rows);
    return lg_dataset_require_x(dataset, what);
}

/* "feature 3 (Amount)" */
typedef struct {
    char text[96];
} feature_text;

static feature_text describe(const lg_dataset *dataset, size_t feature)
{
    feature_text out;
    const char *name = lg_dataset_feature_name(dataset, feature);
    snprintf(out.text, sizeof out.text, name ? "feature %zu (%s)" : "feature %zu", feature, name);
    return out;
}

/* ---- fitting the scaler -------------------------------------------------------------------------------------------- */

typedef struct {
    const lg_dataset *dataset;
    size_t features, rows;
    double *mean, *squares;             /* of all blocks so far: mean, and sum of (x - mean)^2 */
    double *block_mean, *block_squares; /* of this block */
} moments;

static lg_status check_block(const moments *m, const lg_real *x, size_t rows, const size_t *ids)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < m->features; j++)
            if (!isfinite(x[i * m->features + j]))
                return lg_fail(LG_E_DOMAIN, "scaler_fit: row %zu, %s is %g; fill missing values first (lg_imputer_fit)",
                               ids[i], describe(m->dataset, j).text, (double)x[i * m->features + j]);
    return LG_OK;
}

/* Two passes within the block, then Chan, Golub, LeVeque 1983: with d = mean_b - mean_a,
 *   mean    = mean_a + d n_b / n
 *   squares = squares_a + squares_b + d^2 n_a n_b / n                      */
static lg_status add_block(void *state, const lg_real *x, size_t rows, const size_t *ids)
{
    moments *m = state;
    size_t features = m->features;
    double before = (double)m->rows, now = (double)rows, after = before + now;
    lg_status status = check_block(m, x, rows, ids);
    if (status < 0)
        return status;
    for (size_t j = 0; j < features; j++)
        m->block_mean[j] = m->block_squares[j] = 0;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < features; j++)
            m->block_mean[j] += (double)x[i * features + j];
    for (size_t j = 0; j < features; j++)
        m->block_mean[j] /= now;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < features; j++) {
            double e = (double)x[i * features + j] - m->block_mean[j];
            m->block_squares[j] += e * e;
        }
    for (size_t j = 0; j < features; j++) {
        double d = m->block_mean[j] - m->mean[j];
        m->mean[j] += d * now / after;
        m->squares[j] += m->block_squares[j] + d * d * before * now / after;
    }
    m->rows += rows;
    return LG_OK;
}

/* Constant up to what rounding does to a constant: the bound of scikit-learn's _is_constant_feature. */
static double deviation_of(double variance, double mean, double rows)
{
    double slack = rows * mean * DBL_EPSILON;
    return variance <= rows * DBL_EPSILON * variance + slack * slack ? 1.0 : sqrt(variance);
}

static lg_scaler *new_scaler(size_t features)
{
    lg_scaler *scaler = lg_calloc(1, sizeof *scaler, "scaler");
    if (!scaler)
        return NULL;
    scaler->features = features;
    scaler->means = lg_calloc(features, sizeof *scaler->means, "scaler");
    scaler->deviations = lg_calloc(features, sizeof *scaler->deviations, "scaler");
    if (scaler->means && scaler->deviations)
        return scaler;
    lg_scaler_free(scaler);
    return NULL;
}

lg_scaler *lg_scaler_fit(const lg_dataset *dataset, const size_t *ids, size_t count)
{
    if (check_fit(dataset, ids, count, "scaler_fit") < 0)
        return NULL;
    size_t features = lg_dataset_features(dataset);
    lg_scaler *scaler = new_scaler(features);
    double *block = lg_calloc(features, 2 * sizeof *block, "scaler");
    bool good = scaler && block;
    if (good) {
        moments m = { .dataset = dataset, .features = features, .mean = scaler->means, .squares = scaler->deviations,
                      .block_mean = block, .block_squares = block + features };
        good = for_each_block(dataset, ids, count, add_block, &m) == LG_OK;
        for (size_t j = 0; good && j < features; j++) {
            scaler->deviations[j] = deviation_of(m.squares[j] / (double)m.rows, m.mean[j], (double)m.rows);
            if (!isfinite(scaler->deviations[j])) {
                lg_fail(LG_E_DOMAIN, "scaler_fit: the squares of %s overflow", describe(dataset, j).text);
                good = false;
            }
        }
    }
    free(block);
    if (good)
        return scaler;
    lg_scaler_free(scaler);
    return NULL;
}

lg_scaler *lg_scaler_from(size_t features, const double *means, const double *deviations)
{
    if (!means || !deviations || features == 0) {
        lg_fail_null("scaler_from: no features, means or deviations");
        return NULL;
    }
    for (size_t j = 0; j < features; j++)
        if (!isfinite(means[j]) || !isfinite(deviations[j]) || deviations[j] <= 0) {
            lg_fail(LG_E_DOMAIN, "scaler_from: feature %zu has mean %g and deviation %g", j, means[j], deviations[j]);
            return NULL;
        }
    lg_scaler *scaler = new_scaler(features);
    for (size_t j = 0; scaler && j < features; j++) {
        scaler->means[j] = means[j];
        scaler->deviations[j] = deviations[j];
    }
    return scaler;
}

void lg_scaler_free(lg_scaler *scaler)
{
    if (!scaler)
        return;
    free(scaler->means);
    free(scaler->deviations);
    free(scaler);
}

size_t lg_scaler_features(const lg_scaler *scaler)
{
    return scaler ? scaler->features : 0;
}

const double *lg_scaler_means(const lg_scaler *scaler)
{
    return scaler ? scaler->means : NULL;
}

const double *lg_scaler_deviations(const lg_scaler *scaler)
{
    return scaler ? scaler->deviations : NULL;
}

/* ---- applying ------------------------------------------------------------------------------------------------------ */

lg_status lg_scaler_apply_values(const lg_scaler *scaler, size_t rows, lg_real *values)
{
    if (!scaler || (!values && rows))
        return lg_fail_null("scaler_apply_values: no scaler or values");
    for (size_t i = 0; i < rows; i++, values += scaler->features)
        for (size_t j = 0; j < scaler->features; j++)
            values[j] = (lg_real)(((double)values[j] - scaler->means[j]) / scaler->deviations[j]);
    return LG_OK;
}

lg_status lg_scaler_revert_values(const lg_scaler *scaler, size_t rows, lg_real *values)
{
    if (!scaler || (!values && rows))
        return lg_fail_null("scaler_revert_values: no scaler or values");
    for (size_t i = 0; i < rows; i++, values += scaler->features)
        for (size_t j = 0; j < scaler->features; j++)
            values[j] = (lg_real)((double)values[j] * scaler->deviations[j] + scaler->means[j]);
    return LG_OK;
}

/* The table of "x" for writing, where it lies in memory whole and belongs to this data set. */
static lg_status writable(lg_dataset *dataset, size_t features, const char *what, lg_real **x)
{
    lg_status status = lg_dataset_require_x(dataset, what);
    if (status < 0)
        return status;
    if (!dataset->in_memory)
        return lg_fail(LG_E_STATE, "%s: the data set is a subset, or its source is not in memory; apply it to the whole "
                       "data set, or to each batch's values", what);
    if (lg_dataset_features(dataset) != features)
        return lg_fail(LG_E_SHAPE, "%s: fitted on %zu features, but the data set has %zu", what, features,
                       lg_dataset_features(dataset));
    *x = lg_dataset_values(dataset, "x");
    return LG_OK;
}

lg_status lg_scaler_apply(const lg_scaler *scaler, lg_dataset *dataset)
{
    lg_real *x = NULL;
    if (!scaler || !dataset)
        return lg_fail_null("scaler_apply: no scaler or data set");
    if (dataset->blocks)
        return lg_blocks_scale(dataset->blocks, scaler->features, scaler->means, scaler->deviations);
    lg_status status = writable(dataset, scaler->features, "scaler_apply", &x);
    return status < 0 ? status : lg_scaler_apply_values(scaler, lg_dataset_rows(dataset), x);
}

/* ---- imputer ------------------------------------------------------------------------------------------------------- */

/* The values of one feature that are not NaN, in rows ids[0..count) (NULL: all rows), and how many there are. */
static size_t gather_feature(const lg_dataset *dataset, const size_t *ids, size_t count, size_t feature, double *values)
{
    const lg_dataset *original = lg_dataset_original(dataset);
    const lg_real *x = lg_dataset_values(original, "x");
    size_t features = lg_dataset_features(dataset), rows = ids ? count : dataset->rows, found = 0;
    for (size_t i = 0; i < rows; i++) {
        size_t row = ids ? ids[i] : i;
        if (dataset->original)
            row = dataset->row_map[row];
        double value = (double)x[row * features + feature];
        if (!isnan(value))
            values[found++] = value;
    }
    return found;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median_of(double *values, size_t count)
{
    qsort(values, count, sizeof *values, by_size);
    double low = values[(count - 1) / 2], high = values[count / 2];
    return low / 2 + high / 2;
}

static lg_status check_fitted(const lg_imputer *imputer, const lg_dataset *dataset, size_t j, size_t found)
{
    if (found == 0)
        return lg_fail(LG_E_DOMAIN, "imputer_fit: %s has no value in the rows to fit on", describe(dataset, j).text);
    if (!isfinite(imputer->values[j]))
        return lg_fail(LG_E_DOMAIN, "imputer_fit: %s holds infinite values", describe(dataset, j).text);
    return LG_OK;
}

static lg_status fit_medians(lg_imputer *imputer, const lg_dataset *dataset, const size_t *ids, size_t count)
{
    if (!lg_dataset_original(dataset)->in_memory)
        return lg_fail(LG_E_STATE, "imputer_fit: medians need all values in memory, where this data set's source is not; "
                                   "means do not");
    double *values = lg_calloc(ids ? count : lg_dataset_rows(dataset), sizeof *values, "imputer");
    lg_status status = values ? LG_OK : LG_E_MEMORY;
    for (size_t j = 0; status == LG_OK && j < imputer->features; j++) {
        size_t found = gather_feature(dataset, ids, count, j, values);
        imputer->values[j] = found ? median_of(values, found) : 0;
        status = check_fitted(imputer, dataset, j, found);
    }
    free(values);
    return status;
}

typedef struct {
    size_t features, *found; /* [features] values that are not NaN, ... */
    double *sum;             /* ... and their sum */
} sums;

static lg_status add_to_sums(void *state, const lg_real *x, size_t rows, const size_t *ids)
{
    const sums *s = state;
    (void)ids;
    for (size_t i = 0; i < rows; i++, x += s->features)
        for (size_t j = 0; j < s->features; j++)
            if (!isnan(x[j])) {
                s->sum[j] += (double)x[j];
                s->found[j]++;
            }
    return LG_OK;
}

static lg_status fit_means(lg_imputer *imputer, const lg_dataset *dataset, const size_t *ids, size_t count)
{
    sums s = { .features = imputer->features, .sum = imputer->values };
    s.found = lg_calloc(s.features, sizeof *s.found, "imputer");
    lg_status status = s.found ? for_each_block(dataset, ids, count, add_to_sums, &s) : LG_E_MEMORY;
    for (size_t j = 0; status == LG_OK && j < s.features; j++) {
        imputer->values[j] /= (double)s.found[j];
        status = check_fitted(imputer, dataset, j, s.found[j]);
    }
    free(s.found);
    return status;
}

static lg_imputer *new_imputer(size_t features)
{
    lg_imputer *imputer = lg_calloc(1, sizeof *imputer, "imputer");
    double *values = lg_calloc(features, sizeof *values, "imputer");
    if (!imputer || !values) {
        free(imputer);
        free(values);
        return NULL;
    }
    *imputer = (lg_imputer){ .features = features, .values = values };
    return imputer;
}

lg_imputer *lg_imputer_fit(const lg_dataset *dataset, lg_impute kind, double constant, const size_t *ids, size_t count)
{
    if (check_fit(dataset, ids, count, "imputer_fit") < 0)
        return NULL;
    if ((unsigned)kind > LG_IMPUTE_CONSTANT || (kind == LG_IMPUTE_CONSTANT && !isfinite(constant))) {
        lg_fail(LG_E_PARAM, "imputer_fit: kind %d with constant %g", (int)kind, constant);
        return NULL;
    }
    lg_imputer *imputer = new_imputer(lg_dataset_features(dataset));
    lg_status status = imputer ? LG_OK : LG_E_MEMORY;
    for (size_t j = 0; status == LG_OK && kind == LG_IMPUTE_CONSTANT && j < imputer->features; j++)
        imputer->values[j] = constant;
    if (status == LG_OK && kind != LG_IMPUTE_CONSTANT)
        status = (kind == LG_IMPUTE_MEAN ? fit_means : fit_medians)(imputer, dataset, ids, count);
    if (status == LG_OK)
        return imputer;
    lg_imputer_free(imputer);
    return NULL;
}

lg_imputer *lg_imputer_from(size_t features, const double *values)
{
    if (!values || features == 0) {
        lg_fail_null("imputer_from: no features or values");
        return NULL;
    }
    lg_imputer *imputer = new_imputer(features);
    for (size_t j = 0; imputer && j < features; j++)
        imputer->values[j] = values[j];
    return imputer;
}

void lg_imputer_free(lg_imputer *imputer)
{
    if (!imputer)
        return;
    free(imputer->values);
    free(imputer);
}

size_t lg_imputer_features(const lg_imputer *imputer)
{
    return imputer ? imputer->features : 0;
}

const double *lg_imputer_values(const lg_imputer *imputer)
{
    return imputer ? imputer->values : NULL;
}

lg_status lg_imputer_apply_values(const lg_imputer *imputer, size_t rows, lg_real *values)
{
    if (!imputer || (!values && rows))
        return lg_fail_null("imputer_apply_values: no imputer or values");
    for (size_t i = 0; i < rows; i++, values += imputer->features)
        for (size_t j = 0; j < imputer->features; j++)
            if (isnan(values[j]))
                values[j] = (lg_real)imputer->values[j];
    return LG_OK;
}

lg_status lg_imputer_apply(const lg_imputer *imputer, lg_dataset *dataset)
{
    lg_real *x = NULL;
    if (!imputer || !dataset)
        return lg_fail_null("imputer_apply: no imputer or data set");
    if (dataset->blocks)
        return lg_blocks_fill_missing(dataset->blocks, imputer->features, imputer->values);
    lg_status status = writable(dataset, imputer->features, "imputer_apply", &x);
    return status < 0 ? status : lg_imputer_apply_values(imputer, lg_dataset_rows(dataset), x);
}
