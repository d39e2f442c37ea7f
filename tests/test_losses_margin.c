/* Margin and ranking losses: worked examples, edges, equivalences, errors. */
#include "losses/margin.h"

#include "losses/ranking.h"
#include "loss_trial.h"

#include <check.h>
#include <math.h>
#include <string.h>

static const double tight = LG_REAL_BITS == 64 ? 1e-12 : 1e-6;
static lg_tape *tape;

static void open_tape(void)
{
    lg_error_clear();
    tape = lg_tape_new();
}

static void close_tape(void)
{
    lg_tape_free(tape);
}

/* Scores or features and weights, with and without bias and sample weights. */
static void build_svm(loss_trial *trial, size_t variant, lg_rng *rng)
{
    const lg_loss_input *inputs = trial->spec.info->inputs;
    const bool features = variant % 2 == 1, biased = variant % 4 == 3;
    ck_assert_int_eq(lg_loss_set(&trial->spec, features ? "form=features" : "form=scores"), LG_OK);
    trial->count = 4;
    trial->units = 1;
    trial->inputs[0] = features ? random_input(LG_SHAPE(5, 3), &inputs[0], trial, 0, rng)
                                : random_input(LG_SHAPE(5), &inputs[0], trial, 0, rng);
    trial->inputs[1] = random_input(LG_SHAPE(3), &inputs[1], trial, 0, rng);
    trial->inputs[2] = random_input(LG_SHAPE(5), &inputs[2], trial, 0, rng);
    if (biased)
        trial->inputs[3] = random_input(LG_SHAPE(1), &inputs[3], trial, 0, rng);
    if (variant % 3 == 2)
        trial->options.sample_weight = trial->sample_weight =
            lg_tensor_from(LG_SHAPE(5), (lg_real[]){ 1, 0, 2, (lg_real)0.5, 1 });
}

const loss_builder margin_loss_builders[] = { { "svm", 4, build_svm }, { 0 } };

static double value_of(lg_tensor *loss)
{
    ck_assert_msg(loss != NULL, "%s", lg_error());
    return lg_tensor_item(loss);
}

static lg_tensor *vector(size_t n, const lg_real *values)
{
    return lg_variable(tape, LG_SHAPE(n), values);
}

START_TEST(small_cases_have_the_values_worked_out_by_hand)
{
    lg_tensor *z = vector(2, (lg_real[]){ (lg_real).5, -2 }), *y = lg_constant(tape, LG_SHAPE(2), (lg_real[]){ 1, -1 });
    lg_tensor *w = vector(2, (lg_real[]){ 3, 4 });
    ck_assert_double_eq_tol(value_of(lg_hinge(tape, z, y, NULL)), 0.25, tight);
    ck_assert_double_eq_tol(value_of(lg_squared_hinge(tape, z, y, NULL)), 0.125, tight);
    ck_assert_double_eq_tol(value_of(lg_svm(tape, z, w, y, 0.01, 1, NULL)), 0.50, tight);
    ck_assert_double_eq_tol(value_of(lg_svm(tape, z, w, y, 0.01, 2, NULL)), 0.375, tight);
    ck_assert_double_eq_tol(value_of(lg_svm(tape, z, w, y, 0.01, 1, &(lg_loss_options){ .reduction = LG_REDUCE_SUM })),
                            0.75, tight);
    lg_tensor *three = lg_variable(tape, LG_SHAPE(1, 3), (lg_real[]){ -1, -2, -3 });
    lg_tensor *first = lg_constant(tape, LG_SHAPE(1, 3), (lg_real[]){ 1, 0, 0 });
    ck_assert_double_eq_tol(value_of(lg_categorical_hinge(tape, three, first, NULL)), 2, tight);
    lg_tensor *four = lg_variable(tape, LG_SHAPE(1, 4), (lg_real[]){ (lg_real).1, (lg_real).2, (lg_real).4, (lg_real).8 });
    lg_tensor *last = lg_constant_indices(tape, LG_SHAPE(1), (int32_t[]){ 3 });
    lg_tensor *several = lg_constant_indices(tape, LG_SHAPE(1, 4), (int32_t[]){ 3, 0, -1, 1 });
    ck_assert_double_eq_tol(value_of(lg_multi_margin(tape, four, last, 1, 1, NULL)), 0.325, tight);
    ck_assert_double_eq_tol(value_of(lg_multilabel_margin(tape, four, several, NULL)), 0.85, tight);
    ck_assert_double_eq_tol(value_of(lg_margin_ranking(tape, vector(1, (lg_real[]){ 1 }), vector(1, (lg_real[]){ 2 }),
                                                       lg_constant(tape, LG_SHAPE(1), (lg_real[]){ 1 }), .5, NULL)),
                            1.5, tight);
}
END_TEST

START_TEST(at_the_margin_itself_the_derivative_is_zero)
{
    lg_tensor *z = vector(2, (lg_real[]){ 1, -1 }), *y = lg_constant(tape, LG_SHAPE(2), (lg_real[]){ 1, -1 });
    ck_assert_int_eq(lg_backward(tape, lg_hinge(tape, z, y, NULL)), LG_OK);
    ck_assert(lg_tensor_grad(z)[0] == 0 && lg_tensor_grad(z)[1] == 0);
}
END_TEST

START_TEST(labels_0_and_1_mean_minus_one_and_one)
{
    lg_tensor *z = vector(3, (lg_real[]){ (lg_real).5, -2, 3 });
    lg_tensor *pm1 = lg_constant(tape, LG_SHAPE(3), (lg_real[]){ 1, -1, -1 });
    lg_tensor *zero_one = lg_constant(tape, LG_SHAPE(3), (lg_real[]){ 1, 0, 0 });
    ck_assert(value_of(lg_hinge(tape, z, pm1, NULL)) == value_of(lg_hinge(tape, z, zero_one, NULL)));
    ck_assert(value_of(lg_squared_hinge(tape, z, pm1, NULL)) == value_of(lg_squared_hinge(tape, z, zero_one, NULL)));
}
END_TEST

START_TEST(the_svm_is_its_parts_and_minus_bias_only_turns_the_bias_around)
{
    lg_tensor *x = lg_variable(tape, LG_SHAPE(3, 2), (lg_real[]){ 1, 2, -1, 0, (lg_real).5, -3 });
    lg_tensor *w = vector(2, (lg_real[]){ (lg_real).25, -1 }), *b = vector(1, (lg_real[]){ (lg_real).75 });
    lg_tensor *minus_b = vector(1, (lg_real[]){ (lg_real)-.75 });
    lg_tensor *y = lg_constant(tape, LG_SHAPE(3), (lg_real[]){ 1, -1, 1 });
    /* z = -1, 0.5, 3.875: hinge terms 2, 1.5, 0 */
    const double by_hand = 0.1 * (0.0625 + 1) + 3.5 / 3;
    ck_assert_double_eq_tol(value_of(lg_svm_linear(tape, x, w, b, y, 0.1, 1, false, NULL)), by_hand, tight);
    ck_assert_double_eq_tol(value_of(lg_svm_linear(tape, x, w, minus_b, y, 0.1, 1, true, NULL)), by_hand, tight);
    lg_tensor *objective = lg_svm_linear(tape, x, w, minus_b, y, 0.1, 1, true, NULL);
    ck_assert_int_eq(lg_backward(tape, objective), LG_OK);
    /* dz = (-1, 1, 0) / 3; db = -sum dz = 0; dw = 0.2 w + X' dz */
    ck_assert_double_eq_tol((double)lg_tensor_grad(minus_b)[0], 0, tight);
    ck_assert_double_eq_tol((double)lg_tensor_grad(w)[0], 0.05 - 2.0 / 3, tight);
    ck_assert_double_eq_tol((double)lg_tensor_grad(w)[1], -0.2 - 2.0 / 3, tight);
}
END_TEST

START_TEST(sample_weights_enter_the_svm_and_leave_the_penalty_alone)
{
    lg_tensor *z = vector(2, (lg_real[]){ (lg_real).5, 1 }), *y = lg_constant(tape, LG_SHAPE(2), (lg_real[]){ 1, -1 });
    lg_tensor *w = vector(1, (lg_real[]){ 2 }), *weight = lg_constant(tape, LG_SHAPE(2), (lg_real[]){ 3, 1 });
    /* hinge terms 0.5 and 2 */
    ck_assert_double_eq_tol(value_of(lg_svm(tape, z, w, y, .5, 1, &(lg_loss_options){ .sample_weight = weight })),
                            2 + 3.5 / 2, tight);
    ck_assert_double_eq_tol(value_of(lg_svm(tape, z, w, y, .5, 1,
                                            &(lg_loss_options){ .sample_weight = weight,
                                                                .reduction = LG_REDUCE_WEIGHTED_MEAN })),
                            2 + 3.5 / 4, tight);
}
END_TEST

/* Rows 1, 2, 3 in batches of two and one: the mean over rows is what all three together give. */
START_TEST(an_svm_counts_by_its_rows_in_means_over_batches)
{
    const lg_real scores[] = { (lg_real).5, 1, -2 }, labels[] = { 1, -1, 1 }, weights[] = { 3, 1, 4 };
    lg_tensor *w = vector(1, (lg_real[]){ 2 });
    for (int weighted = 0; weighted < 2; weighted++) {
        const size_t first[] = { 0, 0, 2 }, rows[] = { 3, 2, 1 };
        double sum[3], divisor[3];
        for (size_t k = 0; k < 3; k++) {
            lg_tensor *weight = lg_constant(tape, LG_SHAPE(rows[k]), weights + first[k]);
            const lg_loss_options options = { .sample_weight = weighted ? weight : NULL,
                                              .reduction = weighted ? LG_REDUCE_WEIGHTED_MEAN : LG_REDUCE_MEAN };
            lg_tensor *y = lg_constant(tape, LG_SHAPE(rows[k]), labels + first[k]);
            lg_tensor *loss = lg_svm(tape, vector(rows[k], scores + first[k]), w, y, .5, 1, &options);
            ck_assert(lg_loss_terms(loss, &sum[k], &divisor[k]));
            ck_assert_double_eq_tol(sum[k] / divisor[k], value_of(loss), tight);
        }
        ck_assert_double_eq(divisor[0], weighted ? 8 : 3);
        ck_assert_double_eq_tol((sum[1] + sum[2]) / (divisor[1] + divisor[2]), sum[0] / divisor[0], tight);
    }
}
END_TEST

START_TEST(an_svm_of_no_samples_costs_nothing)
{
    lg_tensor *z = lg_variable(tape, LG_SHAPE(0), NULL), *w = vector(1, (lg_real[]){ 2 });
    lg_tensor *y = lg_constant(tape, LG_SHAPE(0), NULL);
    lg_tensor *loss = lg_svm(tape, z, w, y, .5, 1, NULL);
    ck_assert(value_of(loss) == 0);
    ck_assert_int_eq(lg_backward(tape, loss), LG_OK);
    ck_assert(lg_tensor_grad(w)[0] == 0);
}
END_TEST

START_TEST(a_label_given_twice_counts_twice_and_none_cost_nothing)
{
    lg_tensor *z = lg_variable(tape, LG_SHAPE(2, 3), (lg_real[]){ 0, 1, 0, 5, 6, 7 });
    lg_tensor *once = lg_constant_indices(tape, LG_SHAPE(2, 3), (int32_t[]){ 1, -1, 9, -1, 0, 0 });
    lg_tensor *twice = lg_constant_indices(tape, LG_SHAPE(2, 3), (int32_t[]){ 0, 0, -1, -1, 0, 0 });
    ck_assert(value_of(lg_multilabel_margin(tape, z, once, NULL)) == 0);
    /* label 0 against 1 and 2: 2 + 1, twice, over 3 classes, mean of two rows */
    ck_assert_double_eq_tol(value_of(lg_multilabel_margin(tape, z, twice, NULL)), 2 * 3.0 / 3 / 2, tight);
}
END_TEST

static void assert_mistake(lg_tensor *loss, lg_status status, const char *message)
{
    ck_assert_ptr_null(loss);
    ck_assert_str_eq(lg_error(), message);
    ck_assert_int_eq(lg_error_code(), status);
    lg_error_clear();
}

START_TEST(wrong_labels_powers_and_shapes_are_named)
{
    lg_tensor *z = vector(3, (lg_real[]){ 1, 2, 3 }), *w = vector(2, (lg_real[]){ 1, 1 });
    lg_tensor *mixed = lg_constant(tape, LG_SHAPE(3), (lg_real[]){ 1, -1, 0 });
    lg_tensor *zero_one = lg_constant(tape, LG_SHAPE(3), (lg_real[]){ 1, 0, 1 });
    lg_tensor *nan = lg_constant(tape, LG_SHAPE(3), (lg_real[]){ 1, (lg_real)NAN, 1 });
    assert_mistake(lg_hinge(tape, z, mixed, NULL), LG_E_DOMAIN,
                   "hinge: target[2] is 0, but labels must all be -1 or 1, or all be 0 or 1");
    assert_mistake(lg_hinge(tape, z, zero_one, &(lg_loss_options){ .labels = LG_LABELS_PM1 }), LG_E_DOMAIN,
                   "hinge: target[1] is 0, but labels must be -1 or 1");
    assert_mistake(lg_squared_hinge(tape, z, mixed, &(lg_loss_options){ .labels = LG_LABELS_01 }), LG_E_DOMAIN,
                   "squared_hinge: target[1] is -1, but labels must be 0 or 1");
    assert_mistake(lg_hinge(tape, z, nan, NULL), LG_E_DOMAIN,
                   "hinge: target[1] is nan, but labels must all be -1 or 1, or all be 0 or 1");
    assert_mistake(lg_svm(tape, z, w, zero_one, .01, 3, NULL), LG_E_PARAM, "svm: power must be one of 1|2");
    assert_mistake(lg_svm(tape, z, w, zero_one, -1, 1, NULL), LG_E_PARAM,
                   "svm: lambda is -1, but must be finite and >= 0");
    assert_mistake(lg_svm_linear(tape, z, w, NULL, zero_one, .01, 1, false, NULL), LG_E_SHAPE,
                   "svm: x [3], w [2], target [3]; [N, D], [D], [N] are wanted");
    lg_tensor *rows = lg_variable(tape, LG_SHAPE(1, 3), (lg_real[]){ 1, 2, 3 });
    lg_tensor *beyond = lg_constant_indices(tape, LG_SHAPE(1, 3), (int32_t[]){ 0, 3, -1 });
    assert_mistake(lg_multilabel_margin(tape, rows, beyond, &(lg_loss_options){ .unchecked = true }), LG_E_INDEX,
                   "multilabel_margin: target[1] is 3, but there are 3 classes (0..2, -1 ends a row)");
    assert_mistake(lg_margin_ranking(tape, z, z, zero_one, 0, NULL), LG_E_DOMAIN,
                   "margin_ranking: target[1] is 0, but must be -1 or 1");
}
END_TEST

Suite *losses_margin_suite(void)
{
    Suite *suite = suite_create("losses_margin");
    TCase *cases = tcase_create("cases");
    tcase_add_checked_fixture(cases, open_tape, close_tape);
    tcase_add_test(cases, small_cases_have_the_values_worked_out_by_hand);
    tcase_add_test(cases, at_the_margin_itself_the_derivative_is_zero);
    tcase_add_test(cases, labels_0_and_1_mean_minus_one_and_one);
    tcase_add_test(cases, the_svm_is_its_parts_and_minus_bias_only_turns_the_bias_around);
    tcase_add_test(cases, sample_weights_enter_the_svm_and_leave_the_penalty_alone);
    tcase_add_test(cases, an_svm_counts_by_its_rows_in_means_over_batches);
    tcase_add_test(cases, an_svm_of_no_samples_costs_nothing);
    tcase_add_test(cases, a_label_given_twice_counts_twice_and_none_cost_nothing);
    tcase_add_test(cases, wrong_labels_powers_and_shapes_are_named);
    suite_add_tcase(suite, cases);
    return suite;
}
