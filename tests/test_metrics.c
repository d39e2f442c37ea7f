/* Metrics against scikit-learn's values (reference/metrics.h), and against their definitions. */
#include "fail_alloc.h"
#include "reference/metrics.h"
#include "tensor/random.h"
#include "train/metrics.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define MOST_ROWS 2000

static void near(double value, double expected, const char *what)
{
    ck_assert_msg(fabs(value - expected) <= 1e-14 || value == expected, "%s: %.17g instead of %.17g", what, value,
                  expected);
}

/* ------------------------------------------------------------------ classes */

START_TEST(classes_score_as_in_scikit_learn)
{
    const struct reference_report *r = reference_reports + _i;
    size_t matrix[100];
    lg_class_score scores[10];
    lg_class_summary all;
    ck_assert_int_eq(lg_confusion_matrix(r->rows, r->target, r->predicted, r->classes, matrix), LG_OK);
    ck_assert_mem_eq(matrix, r->matrix, r->classes * r->classes * sizeof *matrix);
    ck_assert_int_eq(lg_class_scores(r->classes, matrix, scores, &all), LG_OK);
    for (size_t class = 0; class < r->classes; class++) {
        near(scores[class].precision, r->precision[class], "precision");
        near(scores[class].recall, r->recall[class], "recall");
        near(scores[class].f1, r->f1[class], "f1");
        ck_assert_uint_eq(scores[class].support, r->support[class]);
    }
    near(all.accuracy, r->accuracy, "accuracy");
    const lg_class_score *averages[] = { &all.macro, &all.weighted };
    const double *expected[] = { r->macro, r->weighted };
    for (int i = 0; i < 2; i++) {
        near(averages[i]->precision, expected[i][0], "average precision");
        near(averages[i]->recall, expected[i][1], "average recall");
        near(averages[i]->f1, expected[i][2], "average f1");
        ck_assert_uint_eq(averages[i]->support, r->rows);
    }
}
END_TEST

START_TEST(the_report_is_scikit_learns_letter_by_letter)
{
    const struct reference_report *r = reference_reports + _i;
    char *text = lg_classification_report(r->classes, r->matrix, r->names, r->digits);
    ck_assert_str_eq(text, r->text);
    free(text);
}
END_TEST

START_TEST(classes_without_names_are_numbered)
{
    const size_t matrix[] = { 1, 0, 1, 0 };
    char *text = lg_classification_report(2, matrix, NULL, 2);
    ck_assert_str_eq(text, "              precision    recall  f1-score   support\n\n"
                           "           0       0.50      1.00      0.67         1\n"
                           "           1       0.00      0.00      0.00         1\n\n"
                           "    accuracy                           0.50         2\n"
                           "   macro avg       0.25      0.50      0.33         2\n"
                           "weighted avg       0.25      0.50      0.33         2\n");
    free(text);
}
END_TEST

START_TEST(a_class_out_of_range_is_named)
{
    size_t matrix[9];
    ck_assert_int_eq(lg_confusion_matrix(3, (int32_t[]){ 0, 3, 1 }, (int32_t[]){ 0, 0, 0 }, 3, matrix), LG_E_INDEX);
    ck_assert_str_eq(lg_error(), "lg_confusion_matrix: target[1] is 3, but there are 3 classes (0..2)");
    ck_assert_int_eq(lg_confusion_matrix(3, (int32_t[]){ 0, 2, 1 }, (int32_t[]){ 0, 0, -1 }, 3, matrix), LG_E_INDEX);
    ck_assert_str_eq(lg_error(), "lg_confusion_matrix: predicted[2] is -1, but there are 3 classes (0..2)");
    ck_assert_int_eq(lg_confusion_matrix(0, NULL, NULL, 0, matrix), LG_E_PARAM);
    lg_error_clear();
    ck_assert_int_eq(lg_confusion_matrix(1, NULL, (int32_t[]){ 0 }, 2, matrix), LG_E_PARAM);
    ck_assert_ptr_null(lg_classification_report(2, NULL, NULL, 2));
    ck_assert_ptr_null(lg_classification_report(1, (size_t[]){ 1 }, NULL, 16));
}
END_TEST

START_TEST(no_rows_have_no_accuracy)
{
    size_t matrix[4];
    lg_class_summary all;
    ck_assert_int_eq(lg_confusion_matrix(0, NULL, NULL, 2, matrix), LG_OK);
    ck_assert_int_eq(lg_class_scores(2, matrix, NULL, &all), LG_OK);
    ck_assert(isnan(all.accuracy) && all.macro.f1 == 0 && all.weighted.recall == 0);
    char *text = lg_classification_report(2, matrix, NULL, 2);
    ck_assert_ptr_nonnull(strstr(text, "    accuracy                            nan         0\n"));
    free(text);
}
END_TEST

START_TEST(a_score_at_the_threshold_is_positive)
{
    int32_t predicted[4];
    ck_assert_int_eq(lg_threshold_classes(4, (lg_real[]){ 0.25, 0.5, 0.75, -INFINITY }, 0.5, predicted), LG_OK);
    ck_assert_mem_eq(predicted, ((int32_t[]){ 0, 1, 1, 0 }), sizeof predicted);
    ck_assert_int_eq(lg_threshold_classes(1, (lg_real[]){ NAN }, 0.5, predicted), LG_E_DOMAIN);
    ck_assert_int_eq(lg_threshold_classes(1, (lg_real[]){ 1 }, NAN, predicted), LG_E_PARAM);
}
END_TEST

/* ------------------------------------------------------------------- scores */

static const lg_real *reals(const double *values, size_t count)
{
    static lg_real copy[MOST_ROWS];
    ck_assert_uint_le(count, MOST_ROWS);
    for (size_t i = 0; i < count; i++)
        copy[i] = (lg_real)values[i];
    return copy;
}

static void check_curve(lg_curve *curve, size_t points, const double *x, const double *y, const double *threshold)
{
    ck_assert_ptr_nonnull(curve);
    ck_assert_uint_eq(curve->count, points);
    for (size_t i = 0; i < points; i++) {
        near(curve->x[i], x[i], "x");
        near(curve->y[i], y[i], "y");
        near(curve->threshold[i], (double)(lg_real)threshold[i], "threshold");
    }
    lg_curve_free(curve);
}

START_TEST(scores_rank_as_in_scikit_learn)
{
    const struct reference_ranking *r = reference_rankings + _i;
    const lg_real *scores = reals(r->scores, r->rows);
    double auc, precision, threshold, f1;
    ck_assert_int_eq(lg_roc_auc(r->rows, scores, r->label, &auc), LG_OK);
    ck_assert_int_eq(lg_average_precision(r->rows, scores, r->label, &precision), LG_OK);
    ck_assert_int_eq(lg_best_threshold(r->rows, scores, r->label, &threshold, &f1), LG_OK);
    near(auc, r->auc, "auc");
    near(precision, r->average_precision, "average precision");
    near(threshold, (double)(lg_real)r->best_threshold, "best threshold");
    near(f1, r->best_f1, "best f1");
    check_curve(lg_roc_curve(r->rows, scores, r->label), r->roc_points, r->roc_x, r->roc_y, r->roc_threshold);
    check_curve(lg_precision_recall_curve(r->rows, scores, r->label), r->pr_points, r->pr_x, r->pr_y, r->pr_threshold);
}
END_TEST

/* Mann and Whitney's statistic by its definition, over all pairs; signs, ties, zeros of both signs, huge and subnormal
 * scores included. */
START_TEST(auc_counts_pairs)
{
    lg_rng rng = lg_rng_seed(3);
    for (int round = 0; round < 60; round++) {
        lg_real scores[300];
        int32_t labels[300];
        const size_t n = 2 + lg_rng_below(&rng, 299);
        const lg_real scale = (lg_real)ldexp(1, (int)lg_rng_below(&rng, 240) - 130);
        for (size_t i = 0; i < n; i++) {
            scores[i] = scale * (lg_real)((int)lg_rng_below(&rng, 41) - 20);
            labels[i] = (int32_t)lg_rng_below(&rng, 2);
        }
        scores[0] = (lg_real)-0.0, labels[0] = 1, scores[1] = 0, labels[1] = 0;
        double pairs = 0, won = 0, auc;
        for (size_t p = 0; p < n; p++)
            for (size_t q = 0; q < n; q++)
                if (labels[p] == 1 && labels[q] == 0) {
                    pairs++;
                    won += scores[p] > scores[q] ? 1 : scores[p] == scores[q] ? 0.5 : 0;
                }
        ck_assert_int_eq(lg_roc_auc(n, scores, labels, &auc), LG_OK);
        ck_assert_msg(fabs(auc - won / pairs) <= 1e-14, "round %d: %.17g instead of %.17g", round, auc, won / pairs);
    }
}
END_TEST

START_TEST(infinite_scores_rank_at_the_ends)
{
    double auc;
    const lg_real scores[] = { -INFINITY, -1, 1, INFINITY };
    ck_assert_int_eq(lg_roc_auc(4, scores, (int32_t[]){ 0, 0, 1, 1 }, &auc), LG_OK);
    ck_assert(auc == 1);
    ck_assert_int_eq(lg_roc_auc(4, scores, (int32_t[]){ 1, 0, 1, 0 }, &auc), LG_OK);
    ck_assert(auc == 0.25);
}
END_TEST

START_TEST(one_class_alone_is_defined)
{
    const lg_real scores[] = { 1, 2, 3 };
    const int32_t none[] = { 0, 0, 0 }, all[] = { 1, 1, 1 };
    double auc = 0, precision = 0, threshold = 0, f1 = 1;
    ck_assert_int_eq(lg_roc_auc(3, scores, none, &auc), LG_OK);
    ck_assert_int_eq(lg_average_precision(3, scores, none, &precision), LG_OK);
    ck_assert_int_eq(lg_best_threshold(3, scores, none, &threshold, &f1), LG_OK);
    ck_assert(isnan(auc) && isnan(precision) && threshold == 1 && f1 == 0);
    ck_assert_int_eq(lg_roc_auc(3, scores, all, &auc), LG_OK);
    ck_assert_int_eq(lg_average_precision(3, scores, all, &precision), LG_OK);
    ck_assert_int_eq(lg_best_threshold(3, scores, all, &threshold, &f1), LG_OK);
    ck_assert(isnan(auc) && precision == 1 && threshold == 1 && f1 == 1);
    ck_assert_int_eq(lg_roc_auc(0, NULL, NULL, &auc), LG_OK);
    ck_assert(isnan(auc));
    ck_assert_int_eq(lg_best_threshold(0, NULL, NULL, &threshold, &f1), LG_E_PARAM);
    lg_curve *curve = lg_roc_curve(3, scores, none);
    ck_assert(curve->count == 4 && isnan(curve->y[0]) && isnan(curve->y[3]) && curve->x[0] == 0 && curve->x[3] == 1);
    lg_curve_free(curve);
}
END_TEST

START_TEST(scores_and_labels_are_checked)
{
    double auc;
    ck_assert_int_eq(lg_roc_auc(2, (lg_real[]){ 1, NAN }, (int32_t[]){ 0, 1 }, &auc), LG_E_DOMAIN);
    ck_assert_str_eq(lg_error(), "lg_roc_auc: scores[1] is NaN");
    ck_assert_int_eq(lg_average_precision(2, (lg_real[]){ 1, 2 }, (int32_t[]){ 0, 2 }, &auc), LG_E_DOMAIN);
    ck_assert_str_eq(lg_error(), "lg_average_precision: labels[1] is 2, 0 or 1 is wanted");
    lg_error_clear();
    ck_assert_int_eq(lg_roc_auc(2, NULL, (int32_t[]){ 0, 1 }, &auc), LG_E_PARAM);
    ck_assert_ptr_null(lg_roc_curve(2, (lg_real[]){ 1, NAN }, (int32_t[]){ 0, 1 }));
}
END_TEST

static lg_status all_metrics(void *context)
{
    const struct reference_ranking *r = reference_rankings + COUNT(reference_rankings) - 1;
    const lg_real *scores = context;
    double value;
    lg_status status = lg_roc_auc(r->rows, scores, r->label, &value);
    if (status == LG_OK)
        status = lg_average_precision(r->rows, scores, r->label, &value);
    if (status == LG_OK)
        status = lg_best_threshold(r->rows, scores, r->label, &value, NULL);
    lg_curve *roc = status == LG_OK ? lg_roc_curve(r->rows, scores, r->label) : NULL;
    lg_curve *pr = roc ? lg_precision_recall_curve(r->rows, scores, r->label) : NULL;
    char *text = pr ? lg_classification_report(2, (size_t[]){ 1, 2, 3, 4 }, NULL, 2) : NULL;
    if (!text)
        status = lg_error_code();
    free(text);
    lg_curve_free(pr);
    lg_curve_free(roc);
    return status;
}

START_TEST(running_out_of_memory_anywhere_is_an_error)
{
    const struct reference_ranking *r = reference_rankings + COUNT(reference_rankings) - 1;
    ck_assert_uint_gt(for_each_allocation_failure(all_metrics, (void *)reals(r->scores, r->rows)), 15);
}
END_TEST

Suite *metrics_suite(void)
{
    Suite *suite = suite_create("metrics");
    TCase *classes = tcase_create("classes");
    tcase_add_loop_test(classes, classes_score_as_in_scikit_learn, 0, COUNT(reference_reports));
    tcase_add_loop_test(classes, the_report_is_scikit_learns_letter_by_letter, 0, COUNT(reference_reports));
    tcase_add_test(classes, classes_without_names_are_numbered);
    tcase_add_test(classes, a_class_out_of_range_is_named);
    tcase_add_test(classes, no_rows_have_no_accuracy);
    tcase_add_test(classes, a_score_at_the_threshold_is_positive);
    suite_add_tcase(suite, classes);
    TCase *scores = tcase_create("scores");
    tcase_add_loop_test(scores, scores_rank_as_in_scikit_learn, 0, COUNT(reference_rankings));
    tcase_add_test(scores, auc_counts_pairs);
    tcase_add_test(scores, infinite_scores_rank_at_the_ends);
    tcase_add_test(scores, one_class_alone_is_defined);
    tcase_add_test(scores, scores_and_labels_are_checked);
    tcase_add_test(scores, running_out_of_memory_anywhere_is_an_error);
    suite_add_tcase(suite, scores);
    return suite;
}
