/* Regression losses: against PyTorch (and, by the script, Keras and scikit-learn), worked examples, edges, equivalences, errors. */
#include "losses/regression.h"

#include "loss_reference.h"
#include "loss_trial.h"
#include "reference/losses_regression.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

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

START_TEST(regression_losses_equal_pytorch_in_every_reduction)
{
    assert_loss_reference(&regression_references[_i]);
}
END_TEST

/* -------------------------------------------------------- builder of trials */

/* One quantile, of a vector and of a matrix; several, of a vector and of a matrix; one of a list. */
static void build_quantile(loss_trial *trial, size_t variant, lg_rng *rng)
{
    static const struct {
        size_t pred_rank, pred[3], target_rank, target[3], taus;
    } shapes[] = { { 1, { 9 }, 1, { 9 }, 0 },
                   { 2, { 4, 3 }, 2, { 4, 3 }, 0 },
                   { 2, { 5, 3 }, 1, { 5 }, 3 },
                   { 3, { 2, 3, 2 }, 3, { 2, 3, 1 }, 2 },
                   { 1, { 4 }, 2, { 4, 1 }, 1 } };
    const size_t s = variant % COUNT(shapes), taus = shapes[s].taus;
    const lg_loss_input *inputs = trial->spec.info->inputs;
    trial->count = taus ? 3 : 2;
    trial->unit_rank = shapes[s].pred_rank;
    memcpy(trial->unit_dims, shapes[s].pred, sizeof shapes[s].pred);
    trial->units_are_rows = taus <= 1;
    trial->inputs[0] = random_input(shapes[s].pred_rank, shapes[s].pred, &inputs[0], trial, 0, rng);
    trial->inputs[1] = random_input(shapes[s].target_rank, shapes[s].target, &inputs[1], trial, 0, rng);
    trial->units = lg_tensor_size(trial->inputs[0]);
    if (taus)
        trial->inputs[2] = lg_tensor_from(LG_SHAPE(taus), (lg_real[]){ (lg_real)0.2, (lg_real)0.5, (lg_real)0.9 });
    else
        ck_assert_int_eq(lg_loss_set(&trial->spec, "crossing_penalty=0"), LG_OK);
}

const loss_builder regression_loss_builders[] = { { "quantile", 5, build_quantile }, { NULL, 0, NULL } };

/* ---------------------------------------------------------- worked examples */

/* The value of a unit, and its derivative by the prediction, for one number. */
typedef struct outcome {
    double loss, slope;
} outcome;

static outcome outcome_of(const char *name, const char *params, double pred, double target)
{
    lg_loss_spec spec;
    ck_assert_msg(lg_loss_find(name, &spec) == LG_OK && lg_loss_set(&spec, params) == LG_OK, "%s", lg_error());
    lg_tensor *x = lg_variable(tape, LG_SHAPE(1), (lg_real[]){ (lg_real)pred });
    lg_tensor *y = lg_constant(tape, LG_SHAPE(1), (lg_real[]){ (lg_real)target });
    lg_tensor *loss = lg_loss_apply(tape, &spec, (lg_tensor *[LG_LOSS_MAX_INPUTS]){ x, y }, NULL);
    ck_assert_msg(loss != NULL && lg_backward(tape, loss) == LG_OK, "%s: %s", name, lg_error());
    const outcome result = { lg_tensor_item(loss), (double)lg_tensor_grad(x)[0] };
    lg_tape_reset(tape);
    return result;
}

static void assert_outcome(const char *name, const char *params, double pred, double target, double loss, double slope)
{
    const outcome got = outcome_of(name, params, pred, target);
    const double tolerance = LG_REAL_BITS == 64 ? 1e-12 : 1e-6; /* relative; the values here are exact or closed forms */
    ck_assert_msg(got.loss == loss || fabs(got.loss - loss) <= tolerance * fabs(loss), "%s(%g, %g) is %.17g, not %.17g",
                  name, pred, target, got.loss, loss);
    ck_assert_msg(got.slope == slope || fabs(got.slope - slope) <= tolerance * fabs(slope),
                  "%s(%g, %g) has slope %.17g, not %.17g", name, pred, target, got.slope, slope);
}

static lg_tensor *four(const lg_real values[4])
{
    return lg_variable(tape, LG_SHAPE(4), values);
}

START_TEST(worked_examples_have_their_values)
{
    lg_tensor *target = lg_constant(tape, LG_SHAPE(4), (lg_real[]){ 1, 2, 3, 4 });
    lg_tensor *pred = four((lg_real[]){ (lg_real)1.1, (lg_real)2.2, (lg_real)2.8, (lg_real)4.2 });
    lg_tensor *far = four((lg_real[]){ (lg_real)1.1, (lg_real)2.2, (lg_real)2.8, 6 });
    ck_assert_double_eq_tol(lg_tensor_item(lg_mean_squared_error(tape, pred, target, NULL)), 0.0325, 1e-7);
    ck_assert_double_eq_tol(lg_tensor_item(lg_half_squared_error(tape, pred, target, NULL)), 0.01625, 1e-7);
    ck_assert_double_eq_tol(lg_tensor_item(lg_huber(tape, far, target, 1, NULL)), 0.38625, 1e-7);
    ck_assert_double_eq_tol(lg_tensor_item(lg_smooth_l1(tape, far, target, 1, NULL)), 0.38625, 1e-7);
    assert_outcome("mse", "", 200e3, 500e3, 9e10, -6e5);
    assert_outcome("mae", "", 200e3, 500e3, 3e5, -1);
    assert_outcome("log_cosh", "", 1, 0, log(cosh(1)), tanh(1));
    assert_outcome("msle", "", 3, 2, log(4.0 / 3) * log(4.0 / 3), log(4.0 / 3) / 2);
    assert_outcome("mape", "", 2.5, 2, 25, 50);
    assert_outcome("quantile", "tau=0.9", 1, 3, 1.8, -0.9);
    assert_outcome("quantile", "tau=0.9", 3, 1, 0.2, 0.1);
}
END_TEST

/* -------------------------------------------------------------------- edges */

/* R8: at a kink the derivative is 0; where two pieces meet smoothly it is theirs. */
START_TEST(kinks_have_slope_zero_and_joints_are_smooth)
{
    assert_outcome("mae", "", 2, 2, 0, 0);
    assert_outcome("quantile", "tau=0.9", 2, 2, 0, 0);
    assert_outcome("mape", "", 2, 2, 0, 0);
    assert_outcome("smooth_l1", "beta=0", 2, 2, 0, 0);
    assert_outcome("smooth_l1", "beta=0", 2, 5, 3, -1);
    assert_outcome("huber", "delta=0.5", 2.5, 2, 0.125, 0.5);
    assert_outcome("huber", "delta=0.5", 2, 2.5, 0.125, -0.5);
    assert_outcome("smooth_l1", "beta=0.5", 2.5, 2, 0.25, 1);
    assert_outcome("msle", "eps=0.5", 0.5, 2, log(2) * log(2), 0);
    assert_outcome("msle", "", -3, 0, 0, 0);
}
END_TEST

START_TEST(log_cosh_keeps_small_errors_and_survives_large_ones)
{
    for (double e = 1e-6; e < 1; e *= 3) { /* log cosh e by its series where it is exact to double's precision */
        const double x = (double)(lg_real)e, square = x * x;
        const double loss = x < 0.05 ? square / 2 - square * square / 12 + square * square * square / 45 : log(cosh(x));
        const outcome got = outcome_of("log_cosh", "", x, 0);
        const double tolerance = x < 0.05 || LG_REAL_BITS == 32 ? 1e-6 : 1e-12;
        ck_assert_double_eq_tol(got.loss / loss, 1, tolerance);
        ck_assert_double_eq_tol(got.slope / tanh(x), 1, LG_REAL_BITS == 64 ? 1e-14 : 1e-6);
    }
    assert_outcome("log_cosh", "", 900, 0, 900 - log(2), 1);
    assert_outcome("log_cosh", "", -1e30, 0, 1e30, -1);
    assert_outcome("log_cosh", "", (double)INFINITY, 0, (double)INFINITY, 1);
    assert_outcome("log_cosh", "", 0, 0, 0, 0);
}
END_TEST

/* log(1 + a) - log(1 + b) would lose every digit in float here. */
START_TEST(logarithmic_errors_do_not_cancel)
{
    const double pairs[][2] = { { 100.0078125, 100 }, { 1e6, 1e6 + 1 }, { 0, 1e6 }, { 3e7, 0 }, { 1e30, 1 } };
    for (size_t i = 0; i < COUNT(pairs); i++) {
        const double a = fmax((double)(lg_real)pairs[i][0], (double)(lg_real)1e-7);
        const double b = fmax((double)(lg_real)pairs[i][1], (double)(lg_real)1e-7);
        const double r = a > b ? log1p((a - b) / (1 + b)) : -log1p((b - a) / (1 + a));
        assert_outcome("msle", "", pairs[i][0], pairs[i][1], r * r, pairs[i][0] > 0 ? 2 * r / (1 + a) : 0);
    }
}
END_TEST

START_TEST(a_target_of_zero_is_legal_for_percentages)
{
    const double eps = (double)(lg_real)1e-7;
    assert_outcome("mape", "", 1, 0, 100 / eps, 100 / eps);
    assert_outcome("mape", "eps=0.5", -1, 0, 200, -200);
}
END_TEST

START_TEST(infinite_errors_cost_infinitely_much_and_nan_stays)
{
    const double infinity = (double)INFINITY;
    assert_outcome("huber", "", infinity, 0, infinity, 1);
    assert_outcome("smooth_l1", "", -infinity, 0, infinity, -1);
    assert_outcome("mae", "", -infinity, 0, infinity, -1);
    assert_outcome("quantile", "tau=0.25", infinity, 0, infinity, 0.75);
    static const char *const names[] = { "mse", "mae", "huber", "smooth_l1", "log_cosh", "mape", "quantile", "msle" };
    for (size_t i = 0; i < COUNT(names); i++) {
        const outcome got = outcome_of(names[i], "", (double)NAN, 1);
        ck_assert_msg(isnan(got.loss) && isnan(got.slope), "%s of NaN is %g with slope %g", names[i], got.loss, got.slope);
    }
}
END_TEST

/* ------------------------------------------------------------- equivalences */

START_TEST(losses_that_coincide_have_equal_values_and_slopes)
{
    const double tolerance = LG_REAL_BITS == 64 ? 1e-15 : 1e-6;
    for (double e = -3; e <= 3; e += 0.25) {
        const outcome l1 = outcome_of("mae", "", e, 0), smooth = outcome_of("smooth_l1", "", e, 0);
        const outcome half = outcome_of("quantile", "", e, 0), huber = outcome_of("huber", "", e, 0);
        ck_assert_double_eq_tol(huber.loss, smooth.loss, tolerance);
        ck_assert_double_eq_tol(huber.slope, smooth.slope, tolerance);
        ck_assert_double_eq_tol(2 * half.loss, l1.loss, tolerance);
        ck_assert_double_eq_tol(2 * half.slope, l1.slope, tolerance);
        const outcome delta = outcome_of("huber", "delta=0.3", e, 0), beta = outcome_of("smooth_l1", "beta=0.3", e, 0);
        ck_assert_double_eq_tol(delta.loss, 0.3 * beta.loss, tolerance);
        ck_assert_double_eq_tol(delta.slope, 0.3 * beta.slope, tolerance);
    }
}
END_TEST

/* ----------------------------------------------------------------- quantile */

START_TEST(crossing_quantiles_are_charged_to_the_lower_one)
{
    lg_tensor *pred = lg_variable(tape, LG_SHAPE(1, 3), (lg_real[]){ 2, 1, 4 });
    lg_tensor *target = lg_variable(tape, LG_SHAPE(1), (lg_real[]){ 0 });
    lg_tensor *tau = lg_constant(tape, LG_SHAPE(3), (lg_real[]){ (lg_real)0.25, (lg_real)0.5, (lg_real)0.75 });
    lg_tensor *loss = lg_multi_quantile(tape, pred, target, tau, 10, &(lg_loss_options){ .reduction = LG_REDUCE_NONE });
    ck_assert_msg(loss != NULL, "%s", lg_error());
    const double units[] = { 0.75 * 2 + 10, 0.5, 0.25 * 4 }, slopes[] = { 0.75 + 10, 0.5 - 10, 0.25 };
    for (size_t q = 0; q < 3; q++)
        ck_assert_double_eq_tol((double)lg_tensor_data(loss)[q], units[q], 1e-6);
    ck_assert_int_eq(lg_backward_from(tape, loss, lg_constant(tape, LG_SHAPE(1, 3), (lg_real[]){ 1, 1, 1 })), LG_OK);
    for (size_t q = 0; q < 3; q++)
        ck_assert_double_eq_tol((double)lg_tensor_grad(pred)[q], slopes[q], 1e-6);
    ck_assert_double_eq_tol((double)lg_tensor_grad(target)[0], -1.5, 1e-6);
}
END_TEST

START_TEST(nan_in_one_column_leaves_the_others_alone)
{
    lg_tensor *pred = lg_variable(tape, LG_SHAPE(2, 2), (lg_real[]){ (lg_real)NAN, 1, 2, 3 });
    lg_tensor *target = lg_constant(tape, LG_SHAPE(2), (lg_real[]){ 0, 0 });
    lg_tensor *tau = lg_constant(tape, LG_SHAPE(2), (lg_real[]){ (lg_real)0.25, (lg_real)0.75 });
    lg_tensor *loss = lg_multi_quantile(tape, pred, target, tau, 0, &(lg_loss_options){ .reduction = LG_REDUCE_NONE });
    const lg_real *units = lg_tensor_data(loss);
    ck_assert(isnan((double)units[0]) && (double)units[1] == 0.25 && (double)units[2] == 1.5 && (double)units[3] == 0.75);
    /* and with a weight of 0 it counts nothing */
    lg_tensor *weight = lg_tensor_from(LG_SHAPE(2, 2), (lg_real[]){ 0, 1, 1, 1 });
    lg_tensor *mean = lg_multi_quantile(tape, pred, target, tau, 0, &(lg_loss_options){ .sample_weight = weight });
    ck_assert_double_eq_tol(lg_tensor_item(mean), 2.5 / 4, 1e-6);
    ck_assert_int_eq(lg_backward(tape, mean), LG_OK);
    ck_assert((double)lg_tensor_grad(pred)[0] == 0);
    lg_tensor_free(weight);
}
END_TEST

START_TEST(an_empty_batch_of_quantiles_costs_nothing)
{
    lg_tensor *pred = lg_variable(tape, LG_SHAPE(0, 2), NULL), *target = lg_constant(tape, LG_SHAPE(0), NULL);
    lg_tensor *tau = lg_constant(tape, LG_SHAPE(2), (lg_real[]){ (lg_real)0.25, (lg_real)0.75 });
    lg_tensor *loss = lg_multi_quantile(tape, pred, target, tau, 1, NULL);
    ck_assert_msg(loss != NULL, "%s", lg_error());
    ck_assert(lg_tensor_item(loss) == 0);
    ck_assert_int_eq(lg_backward(tape, loss), LG_OK);
}
END_TEST

/* -------------------------------------------------------- cosine_similarity */

static lg_tensor *cosine_of(lg_tensor *a, lg_tensor *b, lg_reduction reduction)
{
    lg_tensor *loss = lg_cosine_similarity(tape, a, b, 0, &(lg_loss_options){ .reduction = reduction });
    ck_assert_msg(loss != NULL, "%s", lg_error());
    return loss;
}

START_TEST(cosine_ignores_lengths_and_its_gradient_is_across_the_vector)
{
    lg_rng rng = lg_rng_seed(5);
    for (int exponent = -3; exponent <= 18; exponent += 3) {
        const lg_real scale = (lg_real)pow(10, exponent);
        lg_real values_a[6], values_b[6], values_longer[6];
        for (size_t k = 0; k < 6; k++) {
            values_a[k] = (lg_real)lg_rng_normal(&rng);
            values_b[k] = (lg_real)lg_rng_normal(&rng);
            values_longer[k] = scale * values_a[k];
        }
        lg_tape_reset(tape);
        lg_tensor *a = lg_variable(tape, LG_SHAPE(1, 6), values_a), *b = lg_variable(tape, LG_SHAPE(1, 6), values_b);
        lg_tensor *longer = lg_variable(tape, LG_SHAPE(1, 6), values_longer);
        const double direct = lg_tensor_item(cosine_of(a, b, LG_REDUCE_MEAN));
        lg_tensor *scaled = cosine_of(longer, b, LG_REDUCE_MEAN);
        ck_assert_double_eq_tol(lg_tensor_item(scaled), direct, LG_REAL_BITS == 64 ? 1e-14 : 1e-6);
        ck_assert_int_eq(lg_backward(tape, scaled), LG_OK);
        double along_a = 0, along_b = 0, norm_a = 0, norm_b = 0;
        for (size_t k = 0; k < 6; k++) {
            along_a += (double)lg_tensor_grad(longer)[k] * (double)lg_tensor_data(longer)[k];
            along_b += (double)lg_tensor_grad(b)[k] * (double)lg_tensor_data(b)[k];
            norm_a += fabs((double)lg_tensor_grad(longer)[k] * (double)lg_tensor_data(longer)[k]);
            norm_b += fabs((double)lg_tensor_grad(b)[k] * (double)lg_tensor_data(b)[k]);
        }
        const double tolerance = LG_REAL_BITS == 64 ? 1e-14 : 1e-6;
        ck_assert(norm_a > 0.01 && norm_b > 0.01);
        ck_assert_double_le(fabs(along_a), tolerance * norm_a);
        ck_assert_double_le(fabs(along_b), tolerance * norm_b);
    }
}
END_TEST

/* Squares of these overflow in the type of the elements; the cosine of (1, 1) and (1, 0) is 1 / sqrt 2. */
START_TEST(cosine_of_enormous_vectors_is_exact)
{
    const lg_real large = LG_REAL_BITS == 64 ? (lg_real)1e300 : (lg_real)1e38;
    lg_tensor *a = lg_variable(tape, LG_SHAPE(1, 2), (lg_real[]){ large, large });
    lg_tensor *b = lg_variable(tape, LG_SHAPE(1, 2), (lg_real[]){ 1, 0 });
    lg_tensor *loss = cosine_of(a, b, LG_REDUCE_MEAN);
    ck_assert_double_eq_tol(lg_tensor_item(loss), -sqrt(0.5), LG_REAL_BITS == 64 ? 1e-15 : 1e-7);
    ck_assert_int_eq(lg_backward(tape, loss), LG_OK);
    ck_assert_double_eq_tol((double)lg_tensor_grad(b)[1], -sqrt(0.5), 1e-6);
    ck_assert_double_eq_tol((double)lg_tensor_grad(a)[0] * (double)large, -sqrt(0.125), 1e-6);
}
END_TEST

/* PyTorch gives a huge finite gradient here; luge defines it as 0. */
START_TEST(a_zero_vector_has_no_direction)
{
    lg_tensor *a = lg_variable(tape, LG_SHAPE(3, 2), (lg_real[]){ 0, 0, 3, 4, (lg_real)1e-8, 0 });
    lg_tensor *b = lg_variable(tape, LG_SHAPE(3, 2), (lg_real[]){ 1, 2, 0, 0, 1, 0 });
    lg_tensor *loss = cosine_of(a, b, LG_REDUCE_NONE);
    for (size_t i = 0; i < 3; i++)
        ck_assert((double)lg_tensor_data(loss)[i] == 0);
    ck_assert_int_eq(lg_backward_from(tape, loss, lg_constant(tape, LG_SHAPE(3), (lg_real[]){ 1, 1, 1 })), LG_OK);
    for (size_t i = 0; i < 6; i++)
        ck_assert((double)lg_tensor_grad(a)[i] == 0 && (double)lg_tensor_grad(b)[i] == 0);
    lg_tensor *nan = lg_variable(tape, LG_SHAPE(1, 2), (lg_real[]){ (lg_real)NAN, 1 });
    lg_tensor *zero = lg_constant(tape, LG_SHAPE(1, 2), (lg_real[]){ 0, 0 });
    ck_assert(isnan(lg_tensor_item(cosine_of(nan, zero, LG_REDUCE_MEAN))));
    ck_assert(lg_tensor_item(lg_cosine_similarity(tape, zero, zero, 1, NULL)) == 1);
}
END_TEST

/* ------------------------------------------------------------------- errors */

static void assert_fails(const lg_tensor *loss, lg_status code, const char *message)
{
    ck_assert_ptr_null(loss);
    ck_assert_int_eq(lg_error_code(), code);
    ck_assert_str_eq(lg_error(), message);
    lg_error_clear();
}

START_TEST(wrong_calls_say_what_would_be_right)
{
    lg_tensor *pred = lg_variable(tape, LG_SHAPE(4), (lg_real[]){ 1, 2, 3, 4 });
    lg_tensor *target = lg_variable(tape, LG_SHAPE(3), (lg_real[]){ 1, 2, 3 });
    lg_tensor *same = lg_variable(tape, LG_SHAPE(4), (lg_real[]){ 1, 2, 3, 4 });
    lg_tensor *labels = lg_tensor_from_indices(LG_SHAPE(4), (int32_t[]){ 1, 2, 3, 4 });
    assert_fails(lg_mean_squared_error(tape, pred, target, NULL), LG_E_SHAPE,
                 "mean_squared_error: pred has shape [4], target [3]; [4] is wanted");
    assert_fails(lg_mean_absolute_error(tape, pred, labels, NULL), LG_E_DTYPE,
                 "mean_absolute_error: target must hold real numbers");
    assert_fails(lg_huber(tape, pred, same, 0, NULL), LG_E_PARAM, "huber: delta is 0, but must be finite and > 0");
    assert_fails(lg_huber(tape, pred, same, (double)NAN, NULL), LG_E_PARAM,
                 "huber: delta is nan, but must be finite and > 0");
    assert_fails(lg_smooth_l1(tape, pred, same, -1, NULL), LG_E_PARAM,
                 "smooth_l1: beta is -1, but must be finite and >= 0");
    assert_fails(lg_mean_absolute_percentage_error(tape, pred, same, NULL), LG_E_PARAM,
                 "mean_absolute_percentage_error: target requires a gradient, but the loss has none by it");
    assert_fails(lg_log_cosh(tape, pred, same, &(lg_loss_options){ .from_logits = true }), LG_E_PARAM,
                 "log_cosh: the option from_logits does not apply here");
    assert_fails(lg_cosine_similarity(tape, pred, same, (double)INFINITY, NULL), LG_E_PARAM,
                 "cosine_similarity: offset is inf, but must be finite");
    assert_fails(lg_cosine_similarity(tape, pred, same, 0, &(lg_loss_options){ .class_axis = 1 }), LG_E_SHAPE,
                 "cosine_similarity: pred [4] has no class axis 1");
    assert_fails(lg_mean_squared_error(tape, NULL, same, NULL), LG_E_PARAM, "mean_squared_error: pred is NULL");
    lg_tensor_free(labels);
}
END_TEST

START_TEST(wrong_quantiles_say_what_would_be_right)
{
    lg_tensor *pred = lg_variable(tape, LG_SHAPE(2, 3), (lg_real[6]){ 0 });
    lg_tensor *target = lg_constant(tape, LG_SHAPE(2), (lg_real[2]){ 0 });
    lg_tensor *two = lg_constant(tape, LG_SHAPE(2), (lg_real[]){ (lg_real)0.25, (lg_real)0.5 });
    lg_tensor *equal = lg_constant(tape, LG_SHAPE(3), (lg_real[]){ (lg_real)0.25, (lg_real)0.5, (lg_real)0.5 });
    lg_tensor *outside = lg_constant(tape, LG_SHAPE(3), (lg_real[]){ (lg_real)0.25, (lg_real)0.5, 1 });
    assert_fails(lg_quantile(tape, pred, target, 0.5, NULL), LG_E_SHAPE,
                 "quantile: pred has shape [2, 3], target [2]; pred must be the same");
    assert_fails(lg_quantile(tape, pred, pred, 1, NULL), LG_E_PARAM, "quantile: tau is 1, but must be in (0, 1)");
    assert_fails(lg_multi_quantile(tape, pred, target, two, 0, NULL), LG_E_SHAPE,
                 "quantile: pred has shape [2, 3], target [2]; pred must be that of target with an axis of the quantiles "
                 "after it");
    assert_fails(lg_multi_quantile(tape, pred, target, outside, 0, NULL), LG_E_PARAM,
                 "quantile: tau[2] is 1, but must be in (0, 1)");
    assert_fails(lg_multi_quantile(tape, pred, target, equal, 1, NULL), LG_E_PARAM,
                 "quantile: tau[2] is 0.5 after 0.5, but must ascend for a crossing_penalty");
    assert_fails(lg_multi_quantile(tape, pred, target, pred, 0, NULL), LG_E_PARAM,
                 "quantile: tau requires a gradient, but the loss has none by it");
    assert_fails(lg_multi_quantile(tape, pred, target, NULL, 0, NULL), LG_E_PARAM, "quantile: tau is NULL");
    lg_loss_spec spec;
    ck_assert_int_eq(lg_loss_find("quantile", &spec), LG_OK);
    ck_assert_int_eq(lg_loss_set(&spec, "crossing_penalty=2"), LG_OK);
    assert_fails(lg_loss_apply(tape, &spec, (lg_tensor *[LG_LOSS_MAX_INPUTS]){ target, target }, NULL), LG_E_PARAM,
                 "quantile: crossing_penalty is 2, but there is only one quantile");
}
END_TEST

Suite *losses_regression_suite(void)
{
    Suite *suite = suite_create("losses_regression");
    TCase *reference = tcase_create("reference");
    tcase_add_loop_test(reference, regression_losses_equal_pytorch_in_every_reduction, 0,
                        (int)COUNT(regression_references));
    suite_add_tcase(suite, reference);
    TCase *cases = tcase_create("cases");
    tcase_add_checked_fixture(cases, open_tape, close_tape);
    tcase_add_test(cases, worked_examples_have_their_values);
    tcase_add_test(cases, kinks_have_slope_zero_and_joints_are_smooth);
    tcase_add_test(cases, log_cosh_keeps_small_errors_and_survives_large_ones);
    tcase_add_test(cases, logarithmic_errors_do_not_cancel);
    tcase_add_test(cases, a_target_of_zero_is_legal_for_percentages);
    tcase_add_test(cases, infinite_errors_cost_infinitely_much_and_nan_stays);
    tcase_add_test(cases, losses_that_coincide_have_equal_values_and_slopes);
    tcase_add_test(cases, crossing_quantiles_are_charged_to_the_lower_one);
    tcase_add_test(cases, nan_in_one_column_leaves_the_others_alone);
    tcase_add_test(cases, an_empty_batch_of_quantiles_costs_nothing);
    tcase_add_test(cases, cosine_ignores_lengths_and_its_gradient_is_across_the_vector);
    tcase_add_test(cases, cosine_of_enormous_vectors_is_exact);
    tcase_add_test(cases, a_zero_vector_has_no_direction);
    tcase_add_test(cases, wrong_calls_say_what_would_be_right);
    tcase_add_test(cases, wrong_quantiles_say_what_would_be_right);
    suite_add_tcase(suite, cases);
    return suite;
}
