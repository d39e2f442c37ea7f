/* Circle loss: against its formula (and, by the script, Keras), closed forms, edges, errors. */
#include "losses/metric.h"

#include "loss_reference.h"
#include "reference/losses_circle.h"

#include <check.h>
#include <math.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const double tolerance = LG_REAL_BITS == 64 ? 1e-12 : 1e-6; /* relative, of closed forms */
static const lg_loss_options none = { .reduction = LG_REDUCE_NONE };

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

START_TEST(circle_equals_its_formula_in_every_reduction)
{
    assert_loss_reference(&circle_references[_i]);
}
END_TEST

/* ----------------------------------------------------------------- helpers */

/* Rows of length 1 in the plane, at these fractions of a turn. */
static lg_tensor *directions(size_t n, const double *turns)
{
    lg_real values[32];
    for (size_t i = 0; i < n; i++) {
        values[2 * i] = (lg_real)cos(8 * atan(1) * turns[i]);
        values[2 * i + 1] = (lg_real)sin(8 * atan(1) * turns[i]);
    }
    return lg_variable(tape, LG_SHAPE(n, 2), values);
}

static lg_tensor *labels(size_t n, const int32_t *values)
{
    return lg_constant_indices(tape, LG_SHAPE(n), values);
}

static lg_tensor *circle(lg_tensor *x, lg_tensor *y, const lg_loss_options *options)
{
    lg_tensor *loss = lg_circle(tape, x, y, NULL, NULL, 4, 0.25, true, false, options);
    ck_assert_msg(loss != NULL, "%s", lg_error());
    return loss;
}

static void differentiate(lg_tensor *loss)
{
    lg_tensor *ones = lg_tensor_full(lg_tensor_rank(loss), lg_tensor_dims(loss), 1);
    ck_assert_msg(lg_backward_from(tape, loss, ones) == LG_OK, "%s", lg_error());
    lg_tensor_free(ones);
}

static void assert_near(const char *what, double got, double want)
{
    ck_assert_msg(got == want || fabs(got - want) <= tolerance * fmax(1, fabs(want)), "%s is %.17g, not %.17g", what, got,
                  want);
}

/* ------------------------------------------------------------ closed forms */

/* Right angles: d = 1 of the positive and of the negative, so that P = gamma (1 - m^2) and Q = -gamma m (m), the
 * exponents at d = 1. */
START_TEST(right_angles_have_their_closed_form)
{
    lg_tensor *x = lg_variable(tape, LG_SHAPE(3, 3), (lg_real[]){ 1, 0, 0, 0, 1, 0, 0, 0, 1 });
    lg_tensor *loss = lg_circle(tape, x, labels(3, (int32_t[]){ 5, 5, -2 }), NULL, NULL, 2, 0.25, true, false, &none);
    const double z = 2 * (1 - 0.0625) - 2 * 0.0625, slope = 1 / (1 + exp(-z)) * 2 * 2 * 1;
    assert_near("loss[0]", (double)lg_tensor_data(loss)[0], z + log1p(exp(-z)));
    assert_near("loss[1]", (double)lg_tensor_data(loss)[1], z + log1p(exp(-z)));
    ck_assert((double)lg_tensor_data(loss)[2] == 0);
    differentiate(loss);
    /* rows 0 and 1 pull each other, once as anchor and once as the anchor's positive; d loss / d d of the negative is 0 */
    const double want[] = { 0, -2 * slope, 0, -2 * slope, 0, 0, 0, 0, 0 };
    for (size_t i = 0; i < 9; i++)
        assert_near("gradient", (double)lg_tensor_grad(x)[i], want[i]);
}
END_TEST

START_TEST(detached_weights_change_the_derivative_and_not_the_value)
{
    const double turns[] = { 0, 0.125, 0.25 };
    const int32_t classes[] = { 1, 1, 2 };
    double value[2];
    lg_real gradient[2][6];
    for (int detached = 0; detached < 2; detached++) {
        lg_tensor *x = directions(3, turns);
        lg_tensor *loss = lg_circle(tape, x, labels(3, classes), NULL, NULL, 2, 0.25, true, detached, NULL);
        value[detached] = lg_tensor_item(loss);
        differentiate(loss);
        for (size_t i = 0; i < 6; i++)
            gradient[detached][i] = lg_tensor_grad(x)[i];
        lg_tape_reset(tape);
    }
    ck_assert(value[0] == value[1]);
    ck_assert_double_ge(fabs((double)(gradient[0][0] - gradient[1][0])), 0.01);
}
END_TEST

/* The diagonal is a positive at distance 0: P = log exp(-gamma m^2), and without gradient. */
START_TEST(the_diagonal_counts_where_it_is_kept)
{
    lg_tensor *x = lg_variable(tape, LG_SHAPE(2, 2), (lg_real[]){ 1, 0, 0, 1 }), *y = labels(2, (int32_t[]){ 0, 1 });
    lg_tensor *kept = lg_circle(tape, x, y, NULL, NULL, 3, 0.25, false, false, NULL);
    assert_near("kept", lg_tensor_item(kept), log1p(exp(-3 * 0.0625 - 3 * 0.0625)));
    lg_tensor *removed = lg_circle(tape, x, y, NULL, NULL, 3, 0.25, true, false, NULL);
    ck_assert(lg_tensor_item(removed) == 0);
}
END_TEST

/* ------------------------------------------------------------------- edges */

/* Positives at distances 2, negatives at 0, gamma 80: P + Q is 300, and its exponential overflows float. */
START_TEST(the_worst_pairs_do_not_overflow)
{
    lg_tensor *x = lg_variable(tape, LG_SHAPE(3, 2), (lg_real[]){ 1, 0, -1, 0, 1, 0 });
    lg_tensor *loss = lg_circle(tape, x, labels(3, (int32_t[]){ 0, 0, 1 }), NULL, NULL, 80, 0.4, true, false, &none);
    assert_near("loss[0]", (double)lg_tensor_data(loss)[0], 80 * (2.4 * 1.6 + 1.4 * 0.6));
    differentiate(loss);
    for (size_t i = 0; i < 6; i++)
        ck_assert(isfinite((double)lg_tensor_grad(x)[i]));
    lg_tape_reset(tape);
    /* and the best: P + Q is -80 (0.16 + 0) or less */
    x = lg_variable(tape, LG_SHAPE(3, 2), (lg_real[]){ 1, 0, 1, 0, -1, 0 });
    loss = lg_circle(tape, x, labels(3, (int32_t[]){ 0, 0, 1 }), NULL, NULL, 80, 0.4, true, false, &none);
    const double best = exp(-80 * 0.16);
    ck_assert_double_eq_tol((double)lg_tensor_data(loss)[0] / log1p(best), 1, 1e-5);
}
END_TEST

START_TEST(a_batch_without_pairs_costs_nothing)
{
    static const int32_t all_same[] = { 4, 4, 4 }, all_different[] = { 1, 2, 3 };
    const double turns[] = { 0, 0.2, 0.4 };
    for (int reduction = LG_REDUCE_MEAN; reduction <= LG_REDUCE_WEIGHTED_MEAN; reduction++) {
        for (int same = 0; same < 2; same++) {
            lg_tensor *x = directions(3, turns);
            lg_tensor *loss = circle(x, labels(3, same ? all_same : all_different),
                                     &(lg_loss_options){ .reduction = (lg_reduction)reduction });
            for (size_t i = 0; i < lg_tensor_size(loss); i++)
                ck_assert((double)lg_tensor_data(loss)[i] == 0);
            differentiate(loss);
            for (size_t i = 0; i < 6; i++)
                ck_assert((double)lg_tensor_grad(x)[i] == 0);
            lg_tape_reset(tape);
        }
    }
    lg_tensor *empty = lg_variable(tape, LG_SHAPE(0, 2), NULL);
    lg_tensor *loss = circle(empty, labels(0, NULL), NULL);
    ck_assert(lg_tensor_item(loss) == 0);
    differentiate(loss);
}
END_TEST

START_TEST(no_references_is_no_loss)
{
    lg_tensor *x = directions(2, (double[]){ 0, 0.25 }), *empty = lg_variable(tape, LG_SHAPE(0, 2), NULL);
    lg_tensor *loss = lg_circle(tape, x, labels(2, (int32_t[]){ 0, 1 }), empty, labels(0, NULL), 80, 0.4, true, false, NULL);
    ck_assert_msg(loss != NULL && lg_tensor_item(loss) == 0, "%s", lg_error());
    differentiate(loss);
    for (size_t i = 0; i < 4; i++)
        ck_assert((double)lg_tensor_grad(x)[i] == 0);
}
END_TEST

/* Rows that lack a pair leave both sides of the mean: of the three rows two count. */
START_TEST(rows_without_pairs_are_not_in_the_mean)
{
    lg_tensor *x = directions(3, (double[]){ 0, 0.125, 0.25 }), *y = labels(3, (int32_t[]){ 0, 0, 1 });
    const lg_real *units = lg_tensor_data(circle(x, y, &none));
    assert_near("mean", lg_tensor_item(circle(x, y, NULL)), ((double)units[0] + (double)units[1]) / 2);
    lg_tensor *weight = lg_constant(tape, LG_SHAPE(3), (lg_real[]){ 1, 3, 8 });
    const lg_loss_options weighted = { .reduction = LG_REDUCE_WEIGHTED_MEAN, .sample_weight = weight };
    assert_near("weighted mean", lg_tensor_item(circle(x, y, &weighted)), ((double)units[0] + 3 * (double)units[1]) / 4);
    double sum, divisor;
    ck_assert(lg_loss_terms(circle(x, y, &weighted), &sum, &divisor) && divisor == 4);
}
END_TEST

START_TEST(nan_makes_every_row_nan_that_is_compared_with_it)
{
    lg_tensor *x = lg_variable(tape, LG_SHAPE(3, 2), (lg_real[]){ 1, 0, 0, 1, (lg_real)NAN, 1 });
    lg_tensor *loss = circle(x, labels(3, (int32_t[]){ 0, 0, 1 }), &none);
    ck_assert(isnan((double)lg_tensor_data(loss)[0]) && isnan((double)lg_tensor_data(loss)[1]));
    /* as a row of references it concerns one anchor only, if the others have a pair without it */
    lg_tensor *reference = lg_variable(tape, LG_SHAPE(2, 2), (lg_real[]){ 0, 1, 1, 0 });
    loss = lg_circle(tape, x, labels(3, (int32_t[]){ 0, 0, 0 }), reference, labels(2, (int32_t[]){ 0, 1 }), 4, 0.25, false,
                     false, &none);
    ck_assert(isfinite((double)lg_tensor_data(loss)[0]) && isfinite((double)lg_tensor_data(loss)[1]));
    ck_assert(isnan((double)lg_tensor_data(loss)[2]));
}
END_TEST

/* The embeddings as their own references: the same pairs, but the diagonal's distance is computed. */
START_TEST(references_that_are_the_embeddings_are_the_same_pairs)
{
    const double turns[] = { 0, 0.125, 0.25, 0.5, 0.7 };
    const int32_t classes[] = { 0, 1, 0, 1, 1 };
    lg_tensor *x = directions(5, turns), *y = labels(5, classes);
    lg_tensor *with = lg_circle(tape, x, y, x, y, 4, 0.25, true, false, NULL);
    differentiate(with);
    const double value = lg_tensor_item(with);
    lg_real gradient[10];
    for (size_t i = 0; i < 10; i++)
        gradient[i] = lg_tensor_grad(x)[i];
    lg_tape_reset(tape);
    x = directions(5, turns);
    lg_tensor *own = circle(x, labels(5, classes), NULL);
    assert_near("value", lg_tensor_item(own), value);
    differentiate(own);
    for (size_t i = 0; i < 10; i++)
        assert_near("gradient", (double)lg_tensor_grad(x)[i], (double)gradient[i]);
}
END_TEST

START_TEST(exchanging_samples_exchanges_their_circle_losses)
{
    lg_tensor *a = directions(4, (double[]){ 0, 0.1, 0.3, 0.45 }), *b = directions(4, (double[]){ 0.45, 0.1, 0.3, 0 });
    const lg_real *before = lg_tensor_data(circle(a, labels(4, (int32_t[]){ 0, 1, 0, 1 }), &none));
    const lg_real *after = lg_tensor_data(circle(b, labels(4, (int32_t[]){ 1, 1, 0, 0 }), &none));
    const size_t place[] = { 3, 1, 2, 0 };
    for (size_t i = 0; i < 4; i++)
        assert_near("a unit", (double)after[i], (double)before[place[i]]);
}
END_TEST

/* ------------------------------------------------------------------- errors */

static void assert_fails(const lg_tensor *loss, lg_status code, const char *message)
{
    ck_assert_ptr_null(loss);
    ck_assert_str_eq(lg_error(), message);
    ck_assert_int_eq(lg_error_code(), code);
    lg_error_clear();
}

START_TEST(wrong_batches_say_what_would_be_right)
{
    lg_tensor *x = directions(2, (double[]){ 0, 0.25 }), *y = labels(2, (int32_t[]){ 0, 1 }), *three = labels(3, (int32_t[3]){ 0 });
    lg_tensor *flat = lg_variable(tape, LG_SHAPE(2), (lg_real[]){ 1, 0 });
    lg_tensor *wide = lg_variable(tape, LG_SHAPE(1, 3), (lg_real[]){ 1, 0, 0 });
    lg_tensor *long_row = lg_variable(tape, LG_SHAPE(2, 2), (lg_real[]){ 1, 0, 0, 2 });
    lg_tensor *one = labels(1, (int32_t[]){ 0 });
    assert_fails(lg_circle(tape, flat, y, NULL, NULL, 80, 0.4, true, false, NULL), LG_E_SHAPE,
                 "circle: embeddings has shape [2], but must be [rows, features]");
    assert_fails(lg_circle(tape, x, three, NULL, NULL, 80, 0.4, true, false, NULL), LG_E_SHAPE,
                 "circle: embeddings has shape [2, 2], labels [3]; [2] is wanted");
    assert_fails(lg_circle(tape, x, y, wide, one, 80, 0.4, true, false, NULL), LG_E_SHAPE,
                 "circle: embeddings has shape [2, 2], ref_embeddings [1, 3]; the features must be as many");
    assert_fails(lg_circle(tape, x, y, x, one, 80, 0.4, true, false, NULL), LG_E_SHAPE,
                 "circle: ref_embeddings has shape [2, 2], ref_labels [1]; [2] is wanted");
    assert_fails(lg_circle(tape, x, y, x, NULL, 80, 0.4, true, false, NULL), LG_E_PARAM,
                 "circle: ref_embeddings and ref_labels go together, but ref_labels is NULL");
    assert_fails(lg_circle(tape, x, y, NULL, y, 80, 0.4, true, false, NULL), LG_E_PARAM,
                 "circle: ref_embeddings and ref_labels go together, but ref_embeddings is NULL");
    assert_fails(lg_circle(tape, long_row, y, NULL, NULL, 80, 0.4, true, false, NULL), LG_E_DOMAIN,
                 "circle: row 1 of embeddings has length 2, but must have length 1 (to 0.001)");
    assert_fails(lg_circle(tape, x, y, long_row, y, 80, 0.4, true, false, NULL), LG_E_DOMAIN,
                 "circle: row 1 of ref_embeddings has length 2, but must have length 1 (to 0.001)");
    assert_fails(lg_circle(tape, x, y, NULL, NULL, 0, 0.4, true, false, NULL), LG_E_PARAM,
                 "circle: gamma is 0, but must be finite and > 0");
    assert_fails(lg_circle(tape, x, x, NULL, NULL, 80, 0.4, true, false, NULL), LG_E_DTYPE,
                 "circle: labels must hold int32 class indices");
    ck_assert(lg_circle(tape, long_row, y, NULL, NULL, 80, 0.4, true, false, &(lg_loss_options){ .unchecked = true }) != NULL);
}
END_TEST

Suite *losses_circle_suite(void)
{
    Suite *suite = suite_create("losses_circle");
    TCase *reference = tcase_create("reference");
    tcase_add_loop_test(reference, circle_equals_its_formula_in_every_reduction, 0, (int)COUNT(circle_references));
    suite_add_tcase(suite, reference);
    TCase *cases = tcase_create("cases");
    tcase_add_checked_fixture(cases, open_tape, close_tape);
    tcase_add_test(cases, right_angles_have_their_closed_form);
    tcase_add_test(cases, detached_weights_change_the_derivative_and_not_the_value);
    tcase_add_test(cases, the_diagonal_counts_where_it_is_kept);
    tcase_add_test(cases, the_worst_pairs_do_not_overflow);
    tcase_add_test(cases, a_batch_without_pairs_costs_nothing);
    tcase_add_test(cases, no_references_is_no_loss);
    tcase_add_test(cases, rows_without_pairs_are_not_in_the_mean);
    tcase_add_test(cases, nan_makes_every_row_nan_that_is_compared_with_it);
    tcase_add_test(cases, references_that_are_the_embeddings_are_the_same_pairs);
    tcase_add_test(cases, exchanging_samples_exchanges_their_circle_losses);
    tcase_add_test(cases, wrong_batches_say_what_would_be_right);
    suite_add_tcase(suite, cases);
    return suite;
}
