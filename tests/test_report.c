/* Batches on the tape, and reports: what they count, pool and refuse. */
#include "fit_support.h"

#include <check.h>
#include <math.h>
#include <string.h>

static lg_tape *tape;
static lg_reports *reports;

static void listen_on_tape(void)
{
    tape = lg_tape_new();
    reports = lg_reports_new(NULL);
    lg_reports_attach(reports, tape);
    lg_error_clear();
}

static void stop_listening(void)
{
    lg_tape_free(tape);
    lg_reports_free(reports);
}

/* The value reported under a name; NaN with a failure when there is none. */
static double value_of(const char *name)
{
    size_t count;
    const char *const *names;
    const double *values;
    ck_assert_int_eq(lg_reports_read(reports, true, &count, &names, &values), LG_OK);
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return values[i];
    ck_abort_msg("nothing was reported as %s", name);
    return NAN;
}

static lg_tensor *matrix(size_t rows, size_t columns, const lg_real *values)
{
    return lg_constant(tape, LG_SHAPE(rows, columns), values);
}

static lg_tensor *vector(size_t n, const lg_real *values)
{
    return lg_constant(tape, LG_SHAPE(n), values);
}

static lg_tensor *classes(size_t n, const int32_t *values)
{
    return lg_constant_indices(tape, LG_SHAPE(n), values);
}

/* ----------------------------------------------------------------- batches */

START_TEST(fields_are_tensors_of_the_batch)
{
    const lg_real x[] = { 1, 2, 3, 4, 5, 6 }, words[] = { 1, 2, 3, 4 };
    const int32_t y[] = { 2, 0, 1 }, lengths[] = { 1, 3, 0 };
    lg_dataset *data = lg_dataset_from_classes(3, 2, x, y, 3);
    ck_assert_int_eq(lg_dataset_add_field(data, &(lg_field){ .name = "words", .ragged = true }, words, lengths), LG_OK);
    lg_batch *batch = lg_batch_new(data, 3);
    ck_assert_int_eq(lg_batch_fill(batch, (size_t[]){ 1, 0 }, 2), LG_OK);
    lg_tensor *tx = lg_batch_x(tape, batch), *ty = lg_batch_y(tape, batch);
    lg_tensor *tw = lg_batch_field(tape, batch, "words"), *tl = lg_batch_field_lengths(tape, batch, "words");
    ck_assert(lg_tensor_rank(tx) == 2 && lg_tensor_dim(tx, 0) == 2 && lg_tensor_dim(tx, 1) == 2);
    ck_assert_mem_eq(lg_tensor_data(tx), ((lg_real[]){ 3, 4, 1, 2 }), 4 * sizeof(lg_real));
    ck_assert(lg_tensor_rank(ty) == 1 && lg_tensor_dtype(ty) == LG_INT32 && lg_tensor_indices(ty)[0] == 0 &&
              lg_tensor_indices(ty)[1] == 2);
    ck_assert(lg_tensor_rank(tw) == 2 && lg_tensor_dim(tw, 0) == 2 && lg_tensor_dim(tw, 1) == 3);
    ck_assert_mem_eq(lg_tensor_data(tw), ((lg_real[]){ 2, 3, 4, 1, 0, 0 }), 6 * sizeof(lg_real));
    ck_assert(lg_tensor_indices(tl)[0] == 3 && lg_tensor_indices(tl)[1] == 1);
    ck_assert(!lg_tensor_requires_grad(tx) && !lg_batch_class_weight(tape, batch));
    ck_assert_ptr_null(lg_batch_field(tape, batch, "z"));
    ck_assert_str_eq(lg_error(), "lg_batch_field: the data set has no field \"z\"");
    ck_assert_ptr_null(lg_batch_field_lengths(tape, batch, "x"));
    lg_error_clear();
    ck_assert_ptr_null(lg_batch_x(tape, NULL));
    ck_assert_str_eq(lg_error(), "lg_batch_x: the batch is NULL");
    lg_batch_free(batch);
    lg_dataset_free(data);
}
END_TEST

/* ----------------------------------------------------------------- reports */

START_TEST(means_are_weighted_and_begin_anew_each_epoch)
{
    ck_assert_int_eq(lg_report(tape, "a", 1, 1), LG_OK);
    ck_assert_int_eq(lg_report(tape, "b", 5, 2), LG_OK);
    ck_assert_int_eq(lg_report(tape, "a", 4, 3), LG_OK);
    ck_assert_int_eq(lg_report(tape, "a", NAN, 0), LG_OK);
    ck_assert(value_of("a") == 13.0 / 4 && value_of("b") == 5);
    lg_reports_clear(reports);
    ck_assert(isnan(value_of("a")) && isnan(value_of("b")));
    lg_report(tape, "b", 7, 1);
    ck_assert(isnan(value_of("a")) && value_of("b") == 7);
    lg_report(tape, "b", NAN, 1);
    ck_assert(isnan(value_of("b")));
}
END_TEST

START_TEST(accuracy_takes_every_form_of_labels)
{
    const lg_real nan = (lg_real)NAN;
    const lg_real logits[] = { 1, 3, 2, 5, 5, 1, 0, 1, 9, nan, 9, 1, -1, -2, -3 };
    lg_tensor *rows = matrix(5, 3, logits); /* argmax: 1, 0 (first of a tie), 2, none, 0 */
    lg_report_accuracy(tape, rows, classes(5, (int32_t[]){ 1, 0, 0, 1, 0 }));
    ck_assert(value_of("accuracy") == 3.0 / 5);
    lg_reports_clear(reports);
    lg_report_accuracy(tape, rows, classes(5, (int32_t[]){ 1, 0, -100, 1, -1 })); /* two are left out */
    ck_assert(value_of("accuracy") == 2.0 / 3);
    lg_reports_clear(reports);
    lg_report_accuracy(tape, rows, matrix(5, 3, (lg_real[]){ 0, 1, 0, 1, 0, 0, 0, 0.25, 0.75, 0, 1, 0, 0, 0, 1 }));
    ck_assert(value_of("accuracy") == 3.0 / 5);
    lg_reports_clear(reports);
    const lg_real scores[] = { -1, 0, 0.5, nan };
    lg_report_accuracy(tape, matrix(4, 1, scores), classes(4, (int32_t[]){ 0, 0, 1, 1 }));
    lg_report_accuracy(tape, vector(4, scores), matrix(4, 1, (lg_real[]){ 0, 1, 0, 0 }));
    ck_assert(value_of("accuracy") == 5.0 / 8);
    lg_reports_clear(reports);
    lg_report_accuracy_above(tape, 0.5, matrix(2, 2, (lg_real[]){ 0.375, 0.625, 0.875, 0.125 }),
                             matrix(2, 2, (lg_real[]){ 0, 1, 0, 0 }));
    ck_assert(value_of("accuracy") == 3.0 / 4);
    ck_assert_int_eq(lg_reports_status(reports), LG_OK);
}
END_TEST

START_TEST(precision_recall_and_f1_are_of_the_whole_epoch)
{
    lg_report_binary(tape, vector(4, (lg_real[]){ 1, 1, -1, -1 }), vector(4, (lg_real[]){ 1, 0, 1, 0 }));
    lg_report_binary(tape, vector(3, (lg_real[]){ 2, 2, 2 }), classes(3, (int32_t[]){ 1, 1, 0 }));
    /* 3 true and 2 false positives, 1 false negative */
    ck_assert(value_of("precision") == 3.0 / 5 && value_of("recall") == 3.0 / 4 && value_of("f1") == 6.0 / 9);
    lg_reports_clear(reports);
    ck_assert(value_of("precision") == 0 && value_of("recall") == 0 && value_of("f1") == 0);
    lg_report_binary_above(tape, 0.75, vector(2, (lg_real[]){ 0.625, 0.875 }), vector(2, (lg_real[]){ -1, 1 }));
    ck_assert(value_of("precision") == 1 && value_of("recall") == 1);
}
END_TEST

/* The same scores in one report and in three: pooled, not averaged. */
START_TEST(scores_are_pooled_over_the_epoch)
{
    const lg_real scores[] = { 0.1f, 0.4f, 0.35f, 0.8f, 0.4f, -3 };
    const int32_t labels[] = { 0, 0, 1, 1, 1, 0 };
    double auc, precision;
    lg_roc_auc(6, scores, labels, &auc);
    lg_average_precision(6, scores, labels, &precision);
    for (int epoch = 0; epoch < 3; epoch++) {
        lg_reports_clear(reports);
        const size_t part = epoch == 0 ? 6 : 2;
        for (size_t first = 0; first < 6; first += part)
            lg_report_scores(tape, vector(part, scores + first), classes(part, labels + first));
        ck_assert(value_of("roc_auc") == auc && value_of("average_precision") == precision);
    }
    size_t count;
    const char *const *names;
    const double *values;
    lg_reports_read(reports, false, &count, &names, &values);
    ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(a_prefix_goes_before_every_name)
{
    lg_reports *validation = lg_reports_new("val_");
    lg_reports_attach(validation, tape);
    lg_report(tape, "a", 2, 1);
    lg_report_binary(tape, vector(1, (lg_real[]){ 2 }), classes(1, (int32_t[]){ 1 }));
    size_t count;
    const char *const *names;
    const double *values;
    ck_assert_int_eq(lg_reports_read(validation, true, &count, &names, &values), LG_OK);
    ck_assert(count == 4 && strcmp(names[0], "val_a") == 0 && strcmp(names[3], "val_f1") == 0 && values[3] == 1);
    lg_reports_free(validation);
    ck_assert_ptr_null(lg_reports_new("a long prefix"));
}
END_TEST

START_TEST(a_tape_without_a_listener_takes_anything)
{
    lg_reports_attach(NULL, tape);
    ck_assert_int_eq(lg_report(tape, "loss", NAN, -1), LG_OK);
    ck_assert_int_eq(lg_report_accuracy(tape, vector(2, (lg_real[]){ 1, 2 }), classes(1, (int32_t[]){ 7 })), LG_OK);
    ck_assert_int_eq(lg_error_code(), LG_OK);
}
END_TEST

static const char *const no_names[] = { "", "a,b", "loss", "epoch", "seconds", "learning_rate", "val_accuracy",
                                        "precision",
                                        "12345678901234567890123456789012345678901234567890123456789012345" };

START_TEST(names_that_the_history_cannot_take_are_refused)
{
    lg_report_binary(tape, vector(1, (lg_real[]){ 2 }), classes(1, (int32_t[]){ 1 }));
    ck_assert_int_eq(lg_report(tape, no_names[_i], 1, 1), LG_E_PARAM);
    ck_assert_int_eq(lg_reports_status(reports), LG_E_PARAM);
    ck_assert_int_eq(lg_report(tape, "fine", 1, 1), LG_OK);
    ck_assert_int_eq(lg_reports_status(reports), LG_E_PARAM); /* the first failure is kept */
    lg_reports_clear(reports);
    ck_assert_int_eq(lg_reports_status(reports), LG_OK);
}
END_TEST

START_TEST(what_does_not_fit_is_refused)
{
    lg_tensor *two = vector(2, (lg_real[]){ 1, 2 }), *nan = vector(2, (lg_real[]){ 1, NAN });
    lg_tensor *labels = classes(2, (int32_t[]){ 0, 1 }), *bad = classes(2, (int32_t[]){ 0, 2 });
    lg_tensor *square = matrix(2, 2, (lg_real[]){ 1, 2, 3, 4 });
    ck_assert_int_eq(lg_report(tape, "a", 1, -1), LG_E_PARAM);
    ck_assert_int_eq(lg_report(tape, "a", 1, INFINITY), LG_E_PARAM);
    ck_assert_int_eq(lg_report_accuracy(tape, two, bad), LG_E_DOMAIN);
    ck_assert_int_eq(lg_report_accuracy(tape, square, bad), LG_E_INDEX);
    ck_assert_str_eq(lg_error(), "lg_report_accuracy: label 1 is 2, but there are 2 classes (0..1)");
    ck_assert_int_eq(lg_report_accuracy(tape, square, two), LG_E_SHAPE);
    ck_assert_str_eq(lg_error(), "lg_report_accuracy: predictions [2, 2] and real labels [2] do not fit");
    ck_assert_int_eq(lg_report_accuracy(tape, two, classes(3, (int32_t[]){ 0, 1, 0 })), LG_E_SHAPE);
    ck_assert_int_eq(lg_report_accuracy(tape, labels, labels), LG_E_DTYPE);
    ck_assert_int_eq(lg_report_accuracy(tape, square, matrix(2, 2, (lg_real[]){ 1, NAN, 0, 1 })), LG_E_DOMAIN);
    ck_assert_int_eq(lg_report_binary(tape, two, nan), LG_E_DOMAIN);
    ck_assert_int_eq(lg_report_scores(tape, nan, labels), LG_E_DOMAIN);
    ck_assert_str_eq(lg_error(), "lg_report_scores: score 1 is NaN");
    ck_assert_int_eq(lg_report_scores(tape, square, labels), LG_E_SHAPE);
    lg_tape_reset(tape);
    ck_assert_int_eq(lg_report_scores(tape, two, labels), LG_E_STATE);
    lg_error_clear();
    lg_fail(LG_E_IO, "first");
    ck_assert_int_eq(lg_report_accuracy(tape, NULL, NULL), LG_E_IO); /* what failed first keeps its message */
    ck_assert_str_eq(lg_error(), "first");
}
END_TEST

Suite *report_suite(void)
{
    Suite *suite = suite_create("report");
    TCase *tcase = tcase_create("report");
    tcase_add_checked_fixture(tcase, listen_on_tape, stop_listening);
    tcase_add_test(tcase, fields_are_tensors_of_the_batch);
    tcase_add_test(tcase, means_are_weighted_and_begin_anew_each_epoch);
    tcase_add_test(tcase, accuracy_takes_every_form_of_labels);
    tcase_add_test(tcase, precision_recall_and_f1_are_of_the_whole_epoch);
    tcase_add_test(tcase, scores_are_pooled_over_the_epoch);
    tcase_add_test(tcase, a_prefix_goes_before_every_name);
    tcase_add_test(tcase, a_tape_without_a_listener_takes_anything);
    tcase_add_loop_test(tcase, names_that_the_history_cannot_take_are_refused, 0, sizeof no_names / sizeof *no_names);
    tcase_add_test(tcase, what_does_not_fit_is_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}
