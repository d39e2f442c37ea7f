/* Standardising features, and filling what is missing. Both are fitted on some rows (the training part alone, so that
 * nothing of the test part leaks into training) and applied to all. */
#ifndef LG_SCALER_H
#define LG_SCALER_H

#include "data/dataset.h"

LG_BEGIN_DECLS

typedef struct lg_scaler lg_scaler;

/* Mean and deviation of each feature of "x" over rows ids[0..count) (ids NULL: all rows, count is not read):
 *
 *   mean_j = 1/n sum_i x_ij      deviation_j = sqrt(1/n sum_i (x_ij - mean_j)^2)       (population, not n - 1)
 *
 * in double, blockwise in two passes, blocks merged by Chan, Golub, LeVeque 1983. A feature that is constant up to
 * rounding (variance <= n eps variance + (n mean eps)^2) gets deviation 1, as in sklearn.preprocessing.StandardScaler.
 * LG_E_PARAM for no rows or no dense real "x", LG_E_DOMAIN for a value that is NaN or infinite (with its place),
 * LG_E_INDEX, LG_E_MEMORY. */
LG_API lg_scaler *lg_scaler_fit(const lg_dataset *dataset, const size_t *ids, size_t count);

/* A scaler with given values (loaded from a file). LG_E_DOMAIN unless means are finite, deviations finite and > 0. */
LG_API lg_scaler *lg_scaler_from(size_t features, const double *means, const double *deviations);

LG_API void lg_scaler_free(lg_scaler *scaler);

/* What was fitted, for saving; on NULL 0 and NULL. */
LG_API size_t lg_scaler_features(const lg_scaler *scaler);
LG_API const double *lg_scaler_means(const lg_scaler *scaler);
LG_API const double *lg_scaler_deviations(const lg_scaler *scaler);

/* x = (x - mean) / deviation in place, for all rows of a data set in memory, and from now on for those of one that is
 * streamed (streaming.h); its subsets show the scaled values. Apply to the whole data set, once. LG_E_STATE for a subset
 * or a source of one's own (scale its batches with lg_scaler_apply_values), LG_E_SHAPE for another number of features. */
LG_API lg_status lg_scaler_apply(const lg_scaler *scaler, lg_dataset *dataset);

/* The same for values [rows, features] in a buffer, and back: x = x deviation + mean. */
LG_API lg_status lg_scaler_apply_values(const lg_scaler *scaler, size_t rows, lg_real *values);
LG_API lg_status lg_scaler_revert_values(const lg_scaler *scaler, size_t rows, lg_real *values);

typedef struct lg_imputer lg_imputer;

typedef enum lg_impute { LG_IMPUTE_MEAN = 0, LG_IMPUTE_MEDIAN = 1, LG_IMPUTE_CONSTANT = 2 } lg_impute;

/* A value per feature of "x" to stand in for NaN: the mean or median of what is not NaN in rows ids[0..count) (NULL: all
 * rows), or `constant`. As sklearn.impute.SimpleImputer. LG_E_DOMAIN for a feature that has no value in those rows,
 * else as lg_scaler_fit; for medians the data set must lie in memory (LG_E_STATE), as a subset of one does. */
LG_API lg_imputer *lg_imputer_fit(const lg_dataset *dataset, lg_impute kind, double constant, const size_t *ids,
                                  size_t count);
LG_API lg_imputer *lg_imputer_from(size_t features, const double *values);
LG_API void lg_imputer_free(lg_imputer *imputer);
LG_API size_t lg_imputer_features(const lg_imputer *imputer);
LG_API const double *lg_imputer_values(const lg_imputer *imputer);

/* Writes the value where x is NaN, in place; errors as lg_scaler_apply. */
LG_API lg_status lg_imputer_apply(const lg_imputer *imputer, lg_dataset *dataset);
LG_API lg_status lg_imputer_apply_values(const lg_imputer *imputer, size_t rows, lg_real *values);

LG_END_DECLS

#endif
