#include "data/scaler.h"

#include <check.h>
#include <math.h>

#include "data/csv.h"
#include "fail_alloc.h"
#include "scratch.h"

/* Of values stored as lg_real against ones computed from the decimal file in double. */
static const double real_tolerance = sizeof(lg_real) == sizeof(float) ? 1e-6 : 1e-13;

static lg_dataset *read_iris(void)
{
    return lg_dataset_read_csv(data_file("iris.csv"),
                               &(lg_csv_options){ .skip_lines = 1, .target = "-1", .target_kind = LG_CLASSES });
}

/* scikit-learn 1.x: StandardScaler().fit(iris[::3, :4]).mean_ and .scale_ */
START_TEST(iris_is_fitted_as_scikit_learn_does_on_the_given_rows_alone)
{
    static const double mean[] = { 5.841999999999998, 3.044000000000001, 3.7159999999999997, 1.18 };
    static const double deviation[] = { 0.8520774612674602, 0.47038707465235496, 1.7470386372373108,
                                        0.7751128950030438 };
    lg_dataset *iris = read_iris();
    size_t ids[50];
    for (size_t i = 0; i < 50; i++)
        ids[i] = 3 * i;
    lg_scaler *scaler = lg_scaler_fit(iris, ids, 50);
    ck_assert_uint_eq(lg_scaler_features(scaler), 4);
    for (size_t j = 0; j < 4; j++) {
        ck_assert_double_eq_tol(lg_scaler_means(scaler)[j], mean[j], real_tolerance);
        ck_assert_double_eq_tol(lg_scaler_deviations(scaler)[j], deviation[j], real_tolerance);
    }
    lg_dataset *part = lg_dataset_subset(iris, ids, 50);
    lg_scaler *of_part = lg_scaler_fit(part, NULL, 0);
    for (size_t j = 0; j < 4; j++)
        ck_assert_double_eq(lg_scaler_means(scaler)[j], lg_scaler_means(of_part)[j]);
    lg_scaler_free(of_part);
    lg_dataset_free(part);
    lg_scaler_free(scaler);
    lg_dataset_free(iris);
}
END_TEST

/* scikit-learn 1.x: StandardScaler().fit_transform(iris[:, :4])[0] */
START_TEST(iris_is_scaled_in_place_and_back)
{
    static const double first[] = { -0.90068117, 1.01900435, -1.34022653, -1.3154443 };
    lg_dataset *iris = read_iris();
    lg_scaler *scaler = lg_scaler_fit(iris, NULL, 0);
    lg_dataset *part = lg_dataset_subset(iris, (size_t[]){ 0, 7 }, 2);
    ck_assert_int_eq(lg_scaler_apply(scaler, iris), LG_OK);
    lg_batch *batch = lg_batch_new(part, 1);
    ck_assert_int_eq(lg_batch_fill(batch, (size_t[]){ 0 }, 1), LG_OK);
    for (size_t j = 0; j < 4; j++)
        ck_assert_double_eq_tol(lg_batch_values(batch, "x")[j], first[j], 2e-6);
    lg_scaler *again = lg_scaler_fit(iris, NULL, 0);
    for (size_t j = 0; j < 4; j++) {
        ck_assert_double_eq_tol(lg_scaler_means(again)[j], 0, real_tolerance);
        ck_assert_double_eq_tol(lg_scaler_deviations(again)[j], 1, real_tolerance);
    }
    lg_real *x = lg_dataset_values(iris, "x");
    ck_assert_int_eq(lg_scaler_revert_values(scaler, 1, x), LG_OK);
    ck_assert_double_eq_tol(x[0], 5.1, 1e-6);
    ck_assert_double_eq_tol(x[3], 0.2, 1e-6);
    lg_scaler_free(again);
    lg_batch_free(batch);
    lg_dataset_free(part);
    lg_scaler_free(scaler);
    lg_dataset_free(iris);
}
END_TEST

/* 2^23 + {0, 1, 2, 3} are exact floats; their deviation is sqrt(5/4). A sum of squares in float would be lost. Repeated
 * over several blocks. */
START_TEST(a_large_mean_costs_no_accuracy)
{
    enum { ROWS = 1000 };
    lg_real x[ROWS];
    for (size_t i = 0; i < ROWS; i++)
        x[i] = (lg_real)(8388608 + i % 4);
    lg_dataset *dataset = lg_dataset_from_arrays(ROWS, 1, x, NULL);
    lg_scaler *scaler = lg_scaler_fit(dataset, NULL, 0);
    ck_assert_double_eq_tol(lg_scaler_means(scaler)[0], 8388609.5, 1e-8);
    ck_assert_double_eq_tol(lg_scaler_deviations(scaler)[0], 1.1180339887498949, 1e-12);
    lg_scaler_free(scaler);
    lg_dataset_free(dataset);
}
END_TEST

START_TEST(a_constant_feature_is_centred_and_keeps_its_scale)
{
    enum { ROWS = 777 };
    lg_real x[ROWS * 2];
    for (size_t i = 0; i < ROWS; i++) {
        x[2 * i] = (lg_real)0.1;
        x[2 * i + 1] = (lg_real)i;
    }
    lg_dataset *dataset = lg_dataset_from_arrays(ROWS, 2, x, NULL);
    lg_scaler *scaler = lg_scaler_fit(dataset, NULL, 0);
    ck_assert_double_eq(lg_scaler_deviations(scaler)[0], 1);
    ck_assert_double_eq_tol(lg_scaler_deviations(scaler)[1], sqrt((777.0 * 777 - 1) / 12), 1e-10);
    ck_assert_int_eq(lg_scaler_apply(scaler, dataset), LG_OK);
    ck_assert_double_eq_tol(lg_dataset_values(dataset, "x")[0], 0, 1e-9);
    lg_scaler_free(scaler);
    lg_dataset_free(dataset);
}
END_TEST

START_TEST(values_that_are_not_finite_are_named)
{
    lg_real x[] = { 1, 2, 3, (lg_real)NAN, 5, 6 };
    lg_dataset *dataset = lg_dataset_from_arrays(3, 2, x, NULL);
    lg_dataset_set_feature_names(dataset, 2, (const char *[]){ "Time", "Amount" });
    ck_assert_ptr_null(lg_scaler_fit(dataset, NULL, 0));
    ck_assert_int_eq(lg_error_code(), LG_E_DOMAIN);
    ck_assert_str_eq(lg_error(),
                     "scaler_fit: row 1, feature 1 (Amount) is nan; fill missing values first (lg_imputer_fit)");
    lg_scaler *scaler = lg_scaler_fit(dataset, (size_t[]){ 0, 2 }, 2);
    ck_assert_double_eq(lg_scaler_means(scaler)[1], 4);
    lg_scaler_free(scaler);
    lg_dataset_free(dataset);
}
END_TEST

START_TEST(misuse_of_a_scaler_is_told)
{
    lg_real x[] = { 1, 2, 3, 4 };
    lg_dataset *dataset = lg_dataset_from_arrays(2, 2, x, NULL);
    lg_dataset *part = lg_dataset_subset(dataset, (size_t[]){ 0 }, 1);
    lg_dataset *narrow = lg_dataset_from_arrays(4, 1, x, NULL);
    lg_scaler *scaler = lg_scaler_fit(dataset, NULL, 0);
    ck_assert_int_eq(lg_scaler_apply(scaler, part), LG_E_STATE);
    ck_assert_int_eq(lg_scaler_apply(scaler, narrow), LG_E_SHAPE);
    ck_assert_str_eq(lg_error(), "scaler_apply: fitted on 2 features, but the data set has 1");
    ck_assert_ptr_null(lg_scaler_fit(dataset, (size_t[]){ 2 }, 1));
    ck_assert_int_eq(lg_error_code(), LG_E_INDEX);
    ck_assert_ptr_null(lg_scaler_fit(dataset, (size_t[]){ 0 }, 0));
    ck_assert_int_eq(lg_error_code(), LG_E_PARAM);
    ck_assert_ptr_null(lg_scaler_from(1, (double[]){ 0 }, (double[]){ 0 }));
    ck_assert_str_eq(lg_error(), "scaler_from: feature 0 has mean 0 and deviation 0");
    ck_assert_int_eq(lg_scaler_apply(NULL, dataset), LG_E_DOMAIN); /* the message before stays */
    lg_scaler_free(NULL);
    lg_scaler_free(scaler);
    lg_dataset_free(narrow);
    lg_dataset_free(part);
    lg_dataset_free(dataset);
}
END_TEST

START_TEST(a_saved_scaler_scales_alike)
{
    lg_real x[] = { 1, 2, 3, 6 }, copy[] = { 1, 2, 3, 6 };
    lg_dataset *dataset = lg_dataset_from_arrays(2, 2, x, NULL);
    lg_scaler *scaler = lg_scaler_fit(dataset, NULL, 0);
    lg_scaler *loaded = lg_scaler_from(2, lg_scaler_means(scaler), lg_scaler_deviations(scaler));
    ck_assert_int_eq(lg_scaler_apply_values(loaded, 2, copy), LG_OK);
    for (size_t k = 0; k < 4; k++)
        ck_assert_double_eq(copy[k], k < 2 ? -1 : 1);
    lg_scaler_free(loaded);
    lg_scaler_free(scaler);
    lg_dataset_free(dataset);
}
END_TEST

/* Columns: 1, 2, NaN, 9 and NaN, 4, 6, NaN. */
static lg_dataset *holes(void)
{
    lg_real x[] = { 1, (lg_real)NAN, 2, 4, (lg_real)NAN, 6, 9, (lg_real)NAN };
    return lg_dataset_from_arrays(4, 2, x, NULL);
}

START_TEST(holes_are_filled_with_what_was_fitted)
{
    lg_dataset *dataset = holes();
    lg_imputer *mean = lg_imputer_fit(dataset, LG_IMPUTE_MEAN, 0, NULL, 0);
    lg_imputer *median = lg_imputer_fit(dataset, LG_IMPUTE_MEDIAN, 0, NULL, 0);
    lg_imputer *part = lg_imputer_fit(dataset, LG_IMPUTE_MEAN, 0, (size_t[]){ 0, 1 }, 2);
    lg_imputer *constant = lg_imputer_fit(dataset, LG_IMPUTE_CONSTANT, -1, NULL, 0);
    ck_assert_double_eq(lg_imputer_values(mean)[0], 4);
    ck_assert_double_eq(lg_imputer_values(mean)[1], 5);
    ck_assert_double_eq(lg_imputer_values(median)[0], 2);
    ck_assert_double_eq(lg_imputer_values(median)[1], 5);
    ck_assert_double_eq(lg_imputer_values(part)[0], 1.5);
    ck_assert_double_eq(lg_imputer_values(part)[1], 4);
    ck_assert_double_eq(lg_imputer_values(constant)[1], -1);
    ck_assert_int_eq(lg_imputer_apply(part, dataset), LG_OK);
    const lg_real *x = lg_dataset_values(dataset, "x"), expected[] = { 1, 4, 2, 4, 1.5, 6, 9, 4 };
    for (size_t k = 0; k < 8; k++)
        ck_assert_double_eq(x[k], expected[k]);
    lg_imputer_free(mean);
    lg_imputer_free(median);
    lg_imputer_free(part);
    lg_imputer_free(constant);
    lg_dataset_free(dataset);
}
END_TEST

START_TEST(a_feature_without_values_cannot_be_fitted)
{
    lg_dataset *dataset = holes();
    ck_assert_ptr_null(lg_imputer_fit(dataset, LG_IMPUTE_MEDIAN, 0, (size_t[]){ 0, 3 }, 2));
    ck_assert_str_eq(lg_error(), "imputer_fit: feature 1 has no value in the rows to fit on");
    ck_assert_int_eq(lg_error_code(), LG_E_DOMAIN);
    lg_dataset_free(dataset);
}
END_TEST

static lg_status fit_and_apply(void *context)
{
    (void)context;
    lg_dataset *dataset = holes();
    lg_imputer *imputer = dataset ? lg_imputer_fit(dataset, LG_IMPUTE_MEDIAN, 0, NULL, 0) : NULL;
    lg_status status = imputer ? lg_imputer_apply(imputer, dataset) : lg_error_code();
    lg_scaler *scaler = status == LG_OK ? lg_scaler_fit(dataset, NULL, 0) : NULL;
    if (status == LG_OK)
        status = scaler ? lg_scaler_apply(scaler, dataset) : lg_error_code();
    lg_scaler_free(scaler);
    lg_imputer_free(imputer);
    lg_dataset_free(dataset);
    return status;
}

START_TEST(any_allocation_of_a_fit_may_fail)
{
    ck_assert_uint_ge(for_each_allocation_failure(fit_and_apply, NULL), 10);
}
END_TEST

Suite *scaler_suite(void)
{
    Suite *suite = suite_create("scaler");
    TCase *tcase = tcase_create("scaler");
    tcase_add_test(tcase, iris_is_fitted_as_scikit_learn_does_on_the_given_rows_alone);
    tcase_add_test(tcase, iris_is_scaled_in_place_and_back);
    tcase_add_test(tcase, a_large_mean_costs_no_accuracy);
    tcase_add_test(tcase, a_constant_feature_is_centred_and_keeps_its_scale);
    tcase_add_test(tcase, values_that_are_not_finite_are_named);
    tcase_add_test(tcase, misuse_of_a_scaler_is_told);
    tcase_add_test(tcase, a_saved_scaler_scales_alike);
    tcase_add_test(tcase, holes_are_filled_with_what_was_fitted);
    tcase_add_test(tcase, a_feature_without_values_cannot_be_fitted);
    tcase_add_test(tcase, any_allocation_of_a_fit_may_fail);
    suite_add_tcase(suite, tcase);
    return suite;
}
