/* Averages of parameters: by themselves, and in lg_fit. */
#include "fail_alloc.h"
#include "fit_support.h"
#include "support.h"

#include <check.h>
#include <luge.h>
#include <math.h>
#include <string.h>

static const double tight = LG_REAL_BITS == 64 ? 1e-12 : 1e-6;

static lg_params *params;
static lg_tensor *a, *b;

static void setup(void)
{
    lg_error_clear();
    params = lg_params_new();
    a = lg_params_add(params, "a", LG_SHAPE(3));
    b = lg_params_add(params, "b", LG_SHAPE(1));
}

static void teardown(void)
{
    lg_params_free(params);
}

/* The t-th point of a way: a = (t, t^2, 1), b = -t. */
static void go_to(double t)
{
    const double point[] = { t, t * t, 1 };
    for (size_t i = 0; i < 3; i++)
        lg_tensor_data(a)[i] = (lg_real)point[i];
    lg_tensor_data(b)[0] = (lg_real)-t;
}

static void expect(double first, double second)
{
    ck_assert_double_eq_tol((double)lg_tensor_data(a)[0], first, tight * fabs(first));
    ck_assert_double_eq_tol((double)lg_tensor_data(a)[1], second, tight * fabs(second));
    ck_assert_double_eq_tol((double)lg_tensor_data(a)[2], 1, tight);
    ck_assert_double_eq_tol((double)lg_tensor_data(b)[0], -first, tight * fabs(first));
}

/* Sums of t^k weight over t = 1..10, by hand. */
START_TEST(averages_are_the_weighted_means_of_the_way)
{
    const struct {
        lg_average_options options;
        double first, second;
    } cases[] = {
        { { .kind = LG_AVERAGE_MEAN }, 5.5, 38.5 },
        { { .kind = LG_AVERAGE_POLYNOMIAL }, 5.5, 38.5 },
        { { .kind = LG_AVERAGE_POLYNOMIAL, .power = 1 }, 385 / 55.0, 3025 / 55.0 },
        { { .kind = LG_AVERAGE_MEAN, .start = 6 }, 8.5, (49 + 64 + 81 + 100) / 4.0 },
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        lg_average *average = lg_average_new(params, &cases[k].options);
        ck_assert_msg(average != NULL, "%s", lg_error());
        for (int t = 1; t <= 10; t++) {
            go_to(t);
            ck_assert_int_eq(lg_average_update(average), LG_OK);
        }
        ck_assert_uint_eq(lg_average_updates(average), 10 - cases[k].options.start);
        ck_assert_int_eq(lg_average_apply(average), LG_OK);
        expect(cases[k].first, cases[k].second);
        ck_assert_int_eq(lg_average_apply(average), LG_OK);
        ck_assert_int_eq(lg_average_update(average), LG_E_STATE);
        ck_assert_int_eq(lg_average_revert(average), LG_OK);
        ck_assert_int_eq(lg_average_revert(average), LG_OK);
        expect(10, 100);
        lg_average_free(average);
    }
}
END_TEST

/* decay^9 1 + (1 - decay) sum decay^(10 - t) t */
START_TEST(exponential_averages_follow_pytorchs_formula)
{
    lg_average *average = lg_average_new(params, &(lg_average_options){ .kind = LG_AVERAGE_EXPONENTIAL, .decay = 0.8 });
    double expected = 1, squares = 1;
    for (int t = 1; t <= 10; t++) {
        go_to(t);
        ck_assert_int_eq(lg_average_update(average), LG_OK);
        expected = t == 1 ? 1 : 0.8 * expected + 0.2 * t;
        squares = t == 1 ? 1 : 0.8 * squares + 0.2 * t * t;
    }
    lg_average_apply(average);
    expect(expected, squares);
    lg_average_free(average);
}
END_TEST

/* Late steps change the mean by less than half a unit in the last place of a float: in float it would stand still. */
START_TEST(many_steps_keep_their_digits_and_allocate_nothing)
{
    lg_average *average = lg_average_new(params, &(lg_average_options){ .kind = LG_AVERAGE_MEAN });
    const int steps = 100000 / (int)test_stride(10);
    fail_alloc_at(0);
    for (int t = 0; t < steps; t++) {
        lg_tensor_data(b)[0] = t < steps / 2 ? 1000 : (lg_real)1000.5;
        lg_average_update(average);
    }
    lg_average_apply(average);
    fail_alloc_off();
    ck_assert_uint_eq(fail_alloc_count(), 0);
    ck_assert_double_eq_tol((double)lg_tensor_data(b)[0], 1000.25, 1e-3);
    lg_average_free(average);
}
END_TEST

START_TEST(before_the_first_update_averages_are_the_parameters)
{
    lg_average *average = lg_average_new(params, &(lg_average_options){ .kind = LG_AVERAGE_MEAN, .start = 5 });
    go_to(7);
    ck_assert_int_eq(lg_average_update(average), LG_OK);
    ck_assert_int_eq(lg_average_apply(average), LG_OK);
    expect(7, 49);
    lg_average_free(average);
}
END_TEST

START_TEST(wrong_options_are_refused)
{
    const struct {
        lg_average_options options;
        const char *said;
    } wrong[] = {
        { { 0 }, "no kind 0" },
        { { .kind = (lg_average_kind)9 }, "no kind 9" },
        { { .kind = LG_AVERAGE_POLYNOMIAL, .power = -1 }, "power is -1" },
        { { .kind = LG_AVERAGE_EXPONENTIAL, .decay = 1 }, "decay is 1" },
        { { .kind = LG_AVERAGE_EXPONENTIAL, .decay = (double)NAN }, "decay is nan" },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_ptr_null(lg_average_new(params, &wrong[i].options));
        ck_assert_int_eq(lg_error_code(), LG_E_PARAM);
        ck_assert_msg(strstr(lg_error(), wrong[i].said) != NULL, "%s", lg_error());
    }
    lg_error_clear();
    ck_assert_ptr_null(lg_average_new(NULL, &(lg_average_options){ .kind = LG_AVERAGE_MEAN }));
    ck_assert_int_eq(lg_average_update(NULL), LG_E_PARAM);
    ck_assert_int_eq(lg_average_apply(NULL), LG_E_PARAM);
    ck_assert_int_eq(lg_average_revert(NULL), LG_E_PARAM);
    ck_assert_uint_eq(lg_average_updates(NULL), 0);
    lg_average_free(NULL);
}
END_TEST

static lg_status make_average(void *context)
{
    lg_average *average = lg_average_new(context, &(lg_average_options){ .kind = LG_AVERAGE_MEAN });
    lg_average_free(average);
    return average ? LG_OK : lg_error_code();
}

START_TEST(out_of_memory_is_an_error_and_leaves_nothing)
{
    ck_assert_uint_ge(for_each_allocation_failure(make_average, params), 3);
    ck_assert_ptr_nonnull(lg_params_add(params, "c", LG_SHAPE(1))); /* nobody holds the set any more */
}
END_TEST

/* ------------------------------------------------------------------ lg_fit */

/* What an epoch's callback saw of w. */
static double seen[3];
static lg_status look(size_t epoch, const lg_history *history, void *context)
{
    (void)history;
    seen[epoch - 1] = (double)lg_tensor_data(((line *)context)->w)[0];
    return LG_OK;
}

/* Full batches, so that the points of the way are those of plain descent: one epoch gives the first, two the second. */
START_TEST(fit_ends_at_the_average_and_goes_on_from_the_last_point)
{
    lg_dataset *data = points_new(20, 1, false, 3);
    double plain[3];
    for (size_t epochs = 1; epochs <= 3; epochs++) {
        line l = line_new(1, 0.1);
        lg_fit_options options = quiet(epochs, 20);
        lg_history_free(lg_fit(line_step, &l, l.optimizer, data, &options));
        plain[epochs - 1] = (double)lg_tensor_data(l.w)[0];
        line_free(&l);
    }
    line l = line_new(1, 0.1);
    lg_fit_options options = quiet(3, 20);
    options.average.kind = LG_AVERAGE_MEAN;
    options.evaluate_train = true;
    options.validation = data;
    options.callback = look;
    options.context = &l;
    lg_history *history = lg_fit(line_step, &l, l.optimizer, data, &options);
    ck_assert_msg(history != NULL, "%s", lg_error());
    ck_assert_double_eq_tol(seen[0], plain[0], tight);
    ck_assert_double_eq_tol(seen[1], (plain[0] + plain[1]) / 2, tight * 10);
    ck_assert_double_eq_tol(seen[2], (plain[0] + plain[1] + plain[2]) / 3, tight * 10);
    ck_assert_double_eq((double)lg_tensor_data(l.w)[0], seen[2]);

    /* Both evaluations are of the averages, so they agree, and with lg_evaluate of what came out. */
    lg_history *after = lg_evaluate(line_step, &l, data, &options);
    ck_assert_double_eq(lg_history_last(history, "train_loss"), lg_history_last(history, "val_loss"));
    ck_assert_double_eq_tol(lg_history_last(history, "train_loss"), lg_history_last(after, "loss"), tight);
    ck_assert_double_gt(fabs(lg_history_last(history, "loss") - lg_history_last(history, "train_loss")), 1e-3);
    lg_history_free(after);
    lg_history_free(history);
    line_free(&l);
    lg_dataset_free(data);
}
END_TEST

/* Without averages the training rows after the epoch are evaluated with what its last update left. */
START_TEST(training_rows_are_evaluated_after_each_epoch_when_asked)
{
    lg_dataset *data = points_new(30, 2, true, 4);
    line l = line_new(2, 0.3);
    lg_fit_options options = quiet(2, 7);
    options.evaluate_train = true;
    lg_history *history = lg_fit(logistic_step, &l, l.optimizer, data, &options);
    ck_assert_msg(history != NULL, "%s", lg_error());
    lg_history *after = lg_evaluate(logistic_step, &l, data, &options);
    ck_assert_double_eq_tol(lg_history_last(history, "train_loss"), lg_history_last(after, "loss"), tight);
    ck_assert_double_lt(lg_history_last(history, "train_loss"), lg_history_last(history, "loss"));
    const char *const names[] = { "epoch", "loss", "accuracy", "train_loss", "train_accuracy", "learning_rate", "seconds" };
    ck_assert_uint_eq(lg_history_column_count(history), 7);
    for (size_t i = 0; i < 7; i++)
        ck_assert_str_eq(lg_history_column_name(history, i), names[i]);
    lg_history_free(after);
    lg_history_free(history);
    line_free(&l);
    lg_dataset_free(data);
}
END_TEST

/* A rate at which descent runs away: the first epoch is the best, and its average comes back. */
START_TEST(early_stopping_returns_to_the_best_average)
{
    lg_dataset *data = points_new(20, 1, false, 3);
    double first = 0;
    for (size_t epochs = 1; epochs <= 20; epochs += 19) {
        line l = line_new(1, 1.2);
        lg_fit_options options = quiet(epochs, 10);
        options.no_shuffle = true;
        options.average.kind = LG_AVERAGE_MEAN;
        options.validation = data;
        options.early_stopping.patience = epochs > 1 ? 3 : 0;
        lg_history *history = lg_fit(line_step, &l, l.optimizer, data, &options);
        ck_assert_msg(history != NULL, "%s", lg_error());
        ck_assert_uint_eq(lg_history_rows(history), epochs > 1 ? 4 : 1);
        if (epochs == 1)
            first = (double)lg_tensor_data(l.w)[0];
        else
            ck_assert_double_eq((double)lg_tensor_data(l.w)[0], first);
        lg_history_free(history);
        line_free(&l);
    }
    lg_dataset_free(data);
}
END_TEST

START_TEST(fit_refuses_an_average_that_is_none)
{
    lg_dataset *data = points_new(5, 1, false, 3);
    line l = line_new(1, 0.1);
    lg_fit_options options = quiet(1, 5);
    options.average = (lg_average_options){ .kind = LG_AVERAGE_EXPONENTIAL, .decay = 2 };
    ck_assert_ptr_null(lg_fit(line_step, &l, l.optimizer, data, &options));
    ck_assert_int_eq(lg_error_code(), LG_E_PARAM);
    line_free(&l);
    lg_dataset_free(data);
}
END_TEST

Suite *average_suite(void)
{
    Suite *suite = suite_create("average");
    TCase *tests = tcase_create("average");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, averages_are_the_weighted_means_of_the_way);
    tcase_add_test(tests, exponential_averages_follow_pytorchs_formula);
    tcase_add_test(tests, many_steps_keep_their_digits_and_allocate_nothing);
    tcase_add_test(tests, before_the_first_update_averages_are_the_parameters);
    tcase_add_test(tests, wrong_options_are_refused);
    tcase_add_test(tests, out_of_memory_is_an_error_and_leaves_nothing);
    tcase_add_test(tests, fit_ends_at_the_average_and_goes_on_from_the_last_point);
    tcase_add_test(tests, training_rows_are_evaluated_after_each_epoch_when_asked);
    tcase_add_test(tests, early_stopping_returns_to_the_best_average);
    tcase_add_test(tests, fit_refuses_an_average_that_is_none);
    suite_add_tcase(suite, tests);
    return suite;
}
