/* Losses over classes, and of margins: against PyTorch and Keras, worked examples, edges, equivalences. */
#include "autograd/ops.h"
#include "losses/classification.h"
#include "losses/imbalance.h"
#include "losses/margin.h"

#include "loss_reference.h"
#include "reference/losses_classes.h"
#include "support.h"

#include <check.h>
#include <math.h>

static const double tight = LG_REAL_BITS == 64 ? 1e-12 : 1e-6;
static const lg_loss_options logits = { .from_logits = true };
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

START_TEST(losses_over_classes_equal_pytorch_and_keras_in_every_reduction)
{
    assert_class_loss_reference(&classes_references[_i]);
}
END_TEST

static lg_tensor *rows(size_t n, size_t classes, const lg_real *values)
{
    return lg_variable(tape, LG_SHAPE(n, classes), values);
}

static double value_of(lg_tensor *loss)
{
    ck_assert_msg(loss != NULL, "%s", lg_error());
    return lg_tensor_item(loss);
}

START_TEST(the_worked_examples_of_the_textbooks_come_out)
{
    static const lg_real p[] = { (lg_real).9, (lg_real).1, 0, (lg_real).1, (lg_real).8, (lg_real).1,
                                 (lg_real).1, (lg_real).2, (lg_real).7 };
    lg_tensor *pred = rows(3, 3, p), *identity = rows(3, 3, (lg_real[]){ 1, 0, 0, 0, 1, 0, 0, 0, 1 });
    lg_tensor *labels = lg_constant_indices(tape, LG_SHAPE(3), (int32_t[]){ 0, 1, 2 });
    ck_assert_double_eq_tol(value_of(lg_categorical_crossentropy(tape, pred, identity, NULL)), 0.228393003636923, tight);
    lg_tensor *fixed = lg_constant(tape, LG_SHAPE(3, 3), (lg_real[]){ 1, 0, 0, 0, 1, 0, 0, 0, 1 });
    ck_assert_double_eq_tol(value_of(lg_categorical_focal_crossentropy(tape, pred, fixed, 2, .25, NULL)), 0.003506674, 1e-8);
    ck_assert_double_eq_tol(value_of(lg_categorical_focal_crossentropy(tape, pred, fixed, 2, 1, NULL)), 0.014026697, 1e-7);
    ck_assert_double_eq_tol(value_of(lg_sparse_categorical_focal_crossentropy(tape, pred, labels, 2, 1, NULL)), 0.014026697,
                            1e-7);
    lg_tensor *one = lg_constant_indices(tape, LG_SHAPE(1), (int32_t[]){ 0 });
    ck_assert_double_eq_tol(value_of(lg_categorical_generalized_cross_entropy(
                                tape, rows(1, 2, (lg_real[]){ (lg_real).64, (lg_real).36 }), one, .5, NULL)),
                            .4, tight);
    lg_tensor *z = rows(1, 2, (lg_real[]){ 1, -1 }), *y = lg_constant(tape, LG_SHAPE(1, 2), (lg_real[]){ 1, 0 });
    ck_assert_double_eq_tol(value_of(lg_multilabel_soft_margin(tape, z, y, NULL)), 0.313262, 1e-6);
    lg_tensor *two = lg_variable(tape, LG_SHAPE(1), (lg_real[]){ 2 }), *plus = lg_constant(tape, LG_SHAPE(1), (lg_real[]){ 1 });
    ck_assert_double_eq_tol(value_of(lg_soft_margin(tape, two, plus, NULL)), 0.126928, 1e-6);
}
END_TEST

START_TEST(a_class_without_weight_costs_nothing_at_minus_infinity_and_one_with_weight_everything)
{
    lg_tensor *z = rows(1, 3, (lg_real[]){ 1, -(lg_real)INFINITY, 2 });
    lg_tensor *without = rows(1, 3, (lg_real[]){ .5, 0, .5 }), *with = rows(1, 3, (lg_real[]){ .5, .25, .25 });
    const double want = log1p(exp(-1)) + 0.5;
    lg_tensor *loss = lg_categorical_crossentropy(tape, z, without, &logits);
    ck_assert_double_eq_tol(value_of(loss), want, tight);
    ck_assert(isinf(value_of(lg_categorical_crossentropy(tape, z, with, &logits))));
    lg_tensor *fixed = lg_constant(tape, LG_SHAPE(1, 3), (lg_real[]){ .5, 0, .5 });
    ck_assert(isfinite(value_of(lg_categorical_focal_crossentropy(tape, z, fixed, .5, 1, &logits))));
}
END_TEST

START_TEST(logits_of_ten_thousand_keep_value_and_gradient_finite)
{
    static const lg_real extreme[] = { 10000, -10000, 0, -10000, 10000, 0 };
    lg_tensor *labels = lg_constant_indices(tape, LG_SHAPE(2), (int32_t[]){ 1, 1 });
    lg_tensor *y = lg_constant(tape, LG_SHAPE(2, 3), (lg_real[]){ 0, 1, 0, 0, 1, 0 });
    lg_tensor *z[] = { rows(2, 3, extreme), rows(2, 3, extreme), rows(2, 3, extreme), rows(2, 3, extreme) };
    lg_tensor *losses[] = { lg_categorical_crossentropy(tape, z[0], y, &logits),
                            lg_categorical_generalized_cross_entropy(tape, z[1], labels, .5, &logits),
                            lg_categorical_focal_crossentropy(tape, z[2], y, .5, .25, &logits),
                            lg_multilabel_soft_margin(tape, z[3], y, NULL) };
    ck_assert_double_eq_tol(value_of(losses[0]), 1e4, 1e-2);
    for (size_t i = 0; i < 4; i++)
        ck_assert(isfinite(value_of(losses[i])));
    lg_tensor *ones = lg_tensor_full(LG_SCALAR_SHAPE, 1);
    for (size_t i = 0; i < 4; i++) {
        lg_tape *own = lg_tape_new();
        lg_tensor *x = lg_variable(own, LG_SHAPE(2, 3), extreme);
        lg_tensor *fixed = lg_constant(own, LG_SHAPE(2, 3), (lg_real[]){ 0, 1, 0, 0, 1, 0 });
        lg_tensor *index = lg_constant_indices(own, LG_SHAPE(2), (int32_t[]){ 1, 1 });
        lg_tensor *loss = i == 0   ? lg_categorical_crossentropy(own, x, fixed, &logits)
                          : i == 1 ? lg_categorical_generalized_cross_entropy(own, x, index, .5, &logits)
                          : i == 2 ? lg_categorical_focal_crossentropy(own, x, fixed, .5, .25, &logits)
                                   : lg_multilabel_soft_margin(own, x, fixed, NULL);
        ck_assert_int_eq(lg_backward(own, loss), LG_OK);
        for (size_t k = 0; k < 6; k++)
            ck_assert_msg(isfinite((double)lg_tensor_grad(x)[k]), "loss %zu, gradient %zu", i, k);
        lg_tape_free(own);
    }
    lg_tensor_free(ones);
}
END_TEST

START_TEST(one_hot_rows_cost_what_their_indices_cost)
{
    static const lg_real values[] = { (lg_real).5, -1, 2, (lg_real).25, 3, -2 };
    lg_tensor *z = rows(2, 3, values);
    lg_tensor *index = lg_constant_indices(tape, LG_SHAPE(2), (int32_t[]){ 2, 0 });
    lg_tensor *hot = lg_constant(tape, LG_SHAPE(2, 3), (lg_real[]){ 0, 0, 1, 1, 0, 0 });
    ck_assert_double_eq_tol(value_of(lg_categorical_crossentropy(tape, z, hot, &logits)),
                            value_of(lg_sparse_categorical_crossentropy(tape, z, index, &logits)), tight);
    ck_assert_double_eq_tol(value_of(lg_categorical_focal_crossentropy(tape, z, hot, 2, .25, &logits)),
                            value_of(lg_sparse_categorical_focal_crossentropy(tape, z, index, 2, .25, &logits)), tight);
    ck_assert_double_eq_tol(value_of(lg_sparse_categorical_focal_crossentropy(tape, z, index, 0, 1, &logits)),
                            value_of(lg_sparse_categorical_crossentropy(tape, z, index, &logits)), tight);
}
END_TEST

START_TEST(soft_margin_is_binary_cross_entropy_of_labels_0_and_1)
{
    static const lg_real values[] = { -3, (lg_real).5, 2, 40 };
    lg_tensor *z = lg_variable(tape, LG_SHAPE(4), values);
    lg_tensor *pm1 = lg_constant(tape, LG_SHAPE(4), (lg_real[]){ 1, -1, 1, -1 });
    lg_tensor *zero_one = lg_constant(tape, LG_SHAPE(4), (lg_real[]){ 1, 0, 1, 0 });
    ck_assert_double_eq_tol(value_of(lg_soft_margin(tape, z, pm1, NULL)) /
                                value_of(lg_binary_crossentropy(tape, z, zero_one, &logits)),
                            1, tight);
}
END_TEST

START_TEST(a_constant_added_to_all_logits_changes_nothing_and_gradients_of_a_row_add_up_to_zero)
{
    lg_tensor *a = rows(1, 4, (lg_real[]){ .5, -1, 2, .25 }), *b = rows(1, 4, (lg_real[]){ 8.5, 7, 10, 8.25 });
    lg_tensor *y = lg_constant(tape, LG_SHAPE(1, 4), (lg_real[]){ .25, .25, .5, 0 });
    ck_assert_double_eq_tol(value_of(lg_categorical_crossentropy(tape, a, y, &logits)),
                            value_of(lg_categorical_crossentropy(tape, b, y, &logits)), tight);
    ck_assert_double_eq_tol(value_of(lg_categorical_focal_crossentropy(tape, a, y, 2, .25, &logits)),
                            value_of(lg_categorical_focal_crossentropy(tape, b, y, 2, .25, &logits)), tight);
    ck_assert_int_eq(lg_backward(tape, lg_categorical_focal_crossentropy(tape, a, y, 1.5, .25, &logits)), LG_OK);
    double sum = 0;
    for (size_t k = 0; k < 4; k++)
        sum += (double)lg_tensor_grad(a)[k];
    ck_assert_double_eq_tol(sum, 0, tight);
}
END_TEST

/* -log p of the label and its derivatives, of each row by the definition. */
START_TEST(cross_entropy_of_logits_is_right_in_every_row_of_any_number)
{
    static const size_t numbers[] = { 1, 15, 16, 17, 64, 65, 300 }, widths[] = { 2, 3, 10, 63, 64, 100 };
    lg_rng rng = lg_rng_seed(4);
    for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n += test_stride(3))
        for (size_t w = 0; w < sizeof widths / sizeof *widths; w += test_stride(2)) {
            const size_t units = numbers[n], classes = widths[w];
            lg_tape_reset(tape);
            lg_tensor *drawn = lg_tensor_normal(LG_SHAPE(units, classes), 0, 3, &rng);
            lg_tensor *z = rows(units, classes, lg_tensor_data(drawn));
            int32_t label[300];
            for (size_t u = 0; u < units; u++)
                label[u] = (int32_t)lg_rng_below(&rng, classes);
            lg_tensor *loss = lg_sparse_categorical_crossentropy(
                tape, z, lg_constant_indices(tape, LG_SHAPE(units), label),
                &(lg_loss_options){ .from_logits = true, .reduction = LG_REDUCE_NONE });
            ck_assert_msg(loss && lg_backward(tape, lg_sum(tape, loss)) == LG_OK, "%s", lg_error());
            for (size_t u = 0; u < units; u++) {
                const lg_real *x = lg_tensor_data(z) + u * classes, *d = lg_tensor_grad(z) + u * classes;
                double sum = 0;
                for (size_t k = 0; k < classes; k++)
                    sum += exp((double)x[k]);
                const double wanted = log(sum) - (double)x[label[u]];
                ck_assert_double_eq_tol((double)lg_tensor_data(loss)[u], wanted, 4 * tight * (1 + wanted));
                for (size_t k = 0; k < classes; k++)
                    ck_assert_double_eq_tol((double)d[k], exp((double)x[k]) / sum - (k == (size_t)label[u]), 4 * tight);
            }
            lg_tensor_free(drawn);
        }
}
END_TEST

START_TEST(wrong_targets_are_named)
{
    lg_tensor *p = rows(1, 2, (lg_real[]){ .5, .5 }), *minus = rows(1, 2, (lg_real[]){ 1, -1 });
    ck_assert_ptr_null(lg_categorical_crossentropy(tape, p, minus, NULL));
    ck_assert_str_eq(lg_error(), "categorical_crossentropy: target[1] is -1, but must be not negative");
    lg_tensor *beyond = rows(1, 2, (lg_real[]){ .5, 1.5 });
    lg_tensor *label = lg_constant_indices(tape, LG_SHAPE(1), (int32_t[]){ 1 });
    ck_assert_ptr_null(lg_categorical_generalized_cross_entropy(tape, beyond, label, .5, NULL));
    ck_assert_str_eq(lg_error(), "categorical_generalized_cross_entropy: pred[1] is 1.5, but must be a probability in "
                                 "[0, 1] (or set from_logits)");
    ck_assert_ptr_null(lg_categorical_generalized_cross_entropy(tape, p, label, 1, NULL));
    ck_assert_str_eq(lg_error(), "categorical_generalized_cross_entropy: q is 1, but must be in (0, 1)");
    ck_assert_ptr_null(lg_categorical_generalized_cross_entropy(tape, p, label, .5,
                                                                &(lg_loss_options){ .ignore_index = &(int32_t){ 1 } }));
    ck_assert_str_eq(lg_error(), "categorical_generalized_cross_entropy: the option ignore_index does not apply here");
}
END_TEST

Suite *losses_classes_suite(void)
{
    Suite *suite = suite_create("losses_classes");
    TCase *reference = tcase_create("reference");
    tcase_add_loop_test(reference, losses_over_classes_equal_pytorch_and_keras_in_every_reduction, 0,
                        (int)(sizeof classes_references / sizeof classes_references[0]));
    suite_add_tcase(suite, reference);
    TCase *cases = tcase_create("cases");
    tcase_add_checked_fixture(cases, open_tape, close_tape);
    tcase_add_test(cases, the_worked_examples_of_the_textbooks_come_out);
    tcase_add_test(cases, a_class_without_weight_costs_nothing_at_minus_infinity_and_one_with_weight_everything);
    tcase_add_test(cases, logits_of_ten_thousand_keep_value_and_gradient_finite);
    tcase_add_test(cases, one_hot_rows_cost_what_their_indices_cost);
    tcase_add_test(cases, soft_margin_is_binary_cross_entropy_of_labels_0_and_1);
    tcase_add_test(cases, a_constant_added_to_all_logits_changes_nothing_and_gradients_of_a_row_add_up_to_zero);
    tcase_add_test(cases, cross_entropy_of_logits_is_right_in_every_row_of_any_number);
    tcase_add_test(cases, wrong_targets_are_named);
    suite_add_tcase(suite, cases);
    return suite;
}
