/* Probabilistic losses: against PyTorch, worked examples, edges, equivalences, errors. */
#include "losses/probabilistic.h"

#include "loss_reference.h"
#include "loss_trial.h"
#include "autograd/ops.h"
#include "losses/classification.h"
#include "reference/losses_probabilistic.h"

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

START_TEST(probabilistic_losses_equal_pytorch_in_every_reduction)
{
    assert_loss_reference(&probabilistic_references[_i]);
}
END_TEST

/* A variance of its own for each element, one per row (two ways to write it), one for all. */
static void build_gaussian(loss_trial *trial, size_t variant, lg_rng *rng)
{
    static const struct {
        size_t rank, dims[3], var_rank, var_dims[3];
    } shapes[] = { { 1, { 7 }, 1, { 7 } },
                   { 2, { 4, 3 }, 2, { 4, 3 } },
                   { 2, { 4, 3 }, 1, { 4 } },
                   { 3, { 2, 3, 2 }, 3, { 2, 3, 1 } },
                   { 2, { 3, 2 }, 1, { 1 } } };
    const size_t s = variant % COUNT(shapes);
    const lg_loss_input *inputs = trial->spec.info->inputs;
    trial->count = 3;
    trial->unit_rank = shapes[s].rank;
    memcpy(trial->unit_dims, shapes[s].dims, sizeof shapes[s].dims);
    for (size_t i = 0; i < 2; i++)
        trial->inputs[i] = random_input(shapes[s].rank, shapes[s].dims, &inputs[i], trial, 0, rng);
    trial->inputs[2] = random_input(shapes[s].var_rank, shapes[s].var_dims, &inputs[2], trial, 0, rng);
    trial->units = lg_tensor_size(trial->inputs[0]);
}

const loss_builder probabilistic_loss_builders[] = { { "gaussian_nll", 5, build_gaussian }, { NULL, 0, NULL } };

/* ---------------------------------------------------------- worked examples */

static double value_of(const char *name, const char *params, size_t count, lg_tensor *const inputs[])
{
    lg_loss_spec spec;
    lg_tensor *all[LG_LOSS_MAX_INPUTS] = { NULL };
    memcpy(all, inputs, count * sizeof *all);
    ck_assert_msg(lg_loss_find(name, &spec) == LG_OK && lg_loss_set(&spec, params) == LG_OK, "%s", lg_error());
    lg_tensor *loss = lg_loss_apply(tape, &spec, all, NULL);
    ck_assert_msg(loss != NULL, "%s: %s", name, lg_error());
    if (lg_tensor_requires_grad(loss))
        ck_assert_msg(lg_backward(tape, loss) == LG_OK, "%s", lg_error());
    return lg_tensor_item(loss);
}

static lg_tensor *number(double x, bool variable)
{
    const lg_real value = (lg_real)x;
    return variable ? lg_variable(tape, LG_SHAPE(1), &value) : lg_constant(tape, LG_SHAPE(1), &value);
}

static double poisson_value(const char *params, double pred, double target, double *slope)
{
    lg_tensor *x = number(pred, true);
    const double value = value_of("poisson", params, 2, (lg_tensor *[]){ x, number(target, false) });
    *slope = (double)lg_tensor_grad(x)[0];
    lg_tape_reset(tape);
    return value;
}

START_TEST(worked_examples_have_their_values)
{
    double slope;
    ck_assert_double_eq_tol(poisson_value("eps=0", 3, 2, &slope), 3 - 2 * log(3), 1e-6);
    ck_assert_double_eq_tol(slope, 1.0 / 3, 1e-6);
    ck_assert_double_eq_tol(poisson_value("eps=0,full=true", 3, 2, &slope), 1.454582, 1e-6);
    lg_tensor *mean = number(1, true), *variance = number(4, true);
    lg_tensor *loss = lg_gaussian_nll(tape, mean, number(3, false), variance, false, false, NULL);
    ck_assert_double_eq_tol(lg_tensor_item(loss), 1.193147, 1e-6);
    ck_assert_int_eq(lg_backward(tape, loss), LG_OK);
    ck_assert_double_eq_tol((double)lg_tensor_grad(mean)[0], -0.5, 1e-6);
    ck_assert_double_eq_tol((double)lg_tensor_grad(variance)[0], 0, 1e-7);
    lg_tape_reset(tape);
    lg_tensor *q = lg_constant(tape, LG_SHAPE(2), (lg_real[]){ (lg_real)0.9, (lg_real)0.1 });
    lg_tensor *p = lg_constant(tape, LG_SHAPE(2), (lg_real[]){ (lg_real)0.5, (lg_real)0.5 });
    ck_assert_double_eq_tol(lg_tensor_item(lg_kl_divergence(tape, q, p, LG_KL_PROBS, false, NULL)), 0.510826, 1e-6);
}
END_TEST

/* ------------------------------------------------------------------ poisson */

START_TEST(a_count_of_zero_leaves_the_rate)
{
    const double infinity = (double)INFINITY;
    double slope;
    ck_assert(poisson_value("", 3, 0, &slope) == 3 && slope == 1);
    ck_assert(poisson_value("eps=0", 0, 0, &slope) == 0 && slope == 1);
    ck_assert(poisson_value("eps=0", 0, 2, &slope) == infinity && slope == -infinity);
    ck_assert(poisson_value("log_input=true", -infinity, 0, &slope) == 0 && slope == 0);
    ck_assert(poisson_value("log_input=true", -infinity, 2, &slope) == infinity && slope == -2);
    ck_assert(poisson_value("log_input=true", 1e4, 2, &slope) == infinity && slope == infinity);
    ck_assert(poisson_value("log_input=true,full=true", 1e4, 2, &slope) == infinity && slope == infinity);
    ck_assert(poisson_value("log_input=true", infinity, 2, &slope) == infinity && slope == infinity);
}
END_TEST

/* With Stirling's term the loss is close to -log of the probability of the count, log(y!) by lgamma. */
START_TEST(full_poisson_is_nearly_the_negative_logarithm_of_the_probability)
{
    const double counts[] = { 2, 7, 100, 1000, 30000 };
    for (size_t i = 0; i < COUNT(counts); i++) {
        for (double factor = 0.25; factor <= 4; factor *= 2) {
            const double y = counts[i], rate = (double)(lg_real)(y * factor + 0.125), exact = rate - y * log(rate) + lgamma(y + 1);
            double slope;
            const double stirling = 1 / (12 * y); /* what the formula leaves out is below this */
            const double tolerance = (LG_REAL_BITS == 64 ? 1e-9 : 1e-5) * fmax(1, fabs(exact));
            ck_assert_double_eq_tol(poisson_value("eps=0,full=true", rate, y, &slope), exact, stirling + tolerance);
            ck_assert_double_eq_tol(slope, 1 - y / rate, 1e-5);
        }
    }
}
END_TEST

/* ------------------------------------------------------------- gaussian_nll */

/* Straight through: at a variance of 1e-9 the derivative is that at eps, so that the variance can grow again. */
START_TEST(a_clamped_variance_has_the_derivative_at_eps)
{
    lg_tensor *mean = number(0.5, true), *variance = number(1e-9, true);
    lg_tensor *loss = lg_gaussian_nll(tape, mean, number(0.25, false), variance, false, false,
                                      &(lg_loss_options){ .eps = 0.01 });
    ck_assert_double_eq_tol(lg_tensor_item(loss), (log(0.01) + 0.0625 / 0.01) / 2, 1e-6);
    ck_assert_int_eq(lg_backward(tape, loss), LG_OK);
    ck_assert_double_eq_tol((double)lg_tensor_grad(variance)[0], (1 - 6.25) / 0.02, 1e-3);
    ck_assert_double_eq_tol((double)lg_tensor_grad(mean)[0], 25, 1e-4);
}
END_TEST

START_TEST(logarithms_of_variances_may_be_extreme)
{
    lg_tensor *mean = lg_variable(tape, LG_SHAPE(3), (lg_real[]){ 1, 2, 3 });
    lg_tensor *target = lg_constant(tape, LG_SHAPE(3), (lg_real[]){ 1, 1, (lg_real)(3 - 1e-3) });
    lg_tensor *log_variance = lg_variable(tape, LG_SHAPE(3), (lg_real[]){ -1000, 1000, -100 });
    lg_tensor *loss = lg_gaussian_nll(tape, mean, target, log_variance, false, true,
                                      &(lg_loss_options){ .reduction = LG_REDUCE_NONE });
    const double e = 3 - (double)(lg_real)(3 - 1e-3), third = (-100 + e * e * exp(100)) / 2;
    ck_assert((double)lg_tensor_data(loss)[0] == -500 && (double)lg_tensor_data(loss)[1] == 500);
    ck_assert_double_eq_tol((double)lg_tensor_data(loss)[2] / third, 1, 1e-5);
}
END_TEST

START_TEST(one_variance_for_all_equals_the_same_one_for_each)
{
    const lg_real means[] = { 1, 2, 3, 4, 5, 6 }, targets[] = { 0, 2, 5, 4, (lg_real)5.5, 4 };
    double values[3], sums[3];
    const lg_real variances[] = { (lg_real)1.5, (lg_real)1.5, (lg_real)1.5, (lg_real)1.5, (lg_real)1.5, (lg_real)1.5 };
    const size_t sizes[] = { 6, 3, 1 };
    for (size_t i = 0; i < 3; i++) {
        lg_tensor *mean = lg_constant(tape, LG_SHAPE(3, 2), means), *target = lg_constant(tape, LG_SHAPE(3, 2), targets);
        lg_tensor *variance = sizes[i] == 6 ? lg_variable(tape, LG_SHAPE(3, 2), variances)
                                            : lg_variable(tape, LG_SHAPE(sizes[i]), variances);
        lg_tensor *loss = lg_gaussian_nll(tape, mean, target, variance, true, false, NULL);
        ck_assert_msg(loss != NULL && lg_backward(tape, loss) == LG_OK, "%s", lg_error());
        values[i] = lg_tensor_item(loss);
        sums[i] = 0;
        for (size_t k = 0; k < sizes[i]; k++)
            sums[i] += (double)lg_tensor_grad(variance)[k];
        lg_tape_reset(tape);
    }
    for (size_t i = 1; i < 3; i++) {
        ck_assert_double_eq_tol(values[i], values[0], 1e-6);
        ck_assert_double_eq_tol(sums[i], sums[0], 1e-6);
    }
}
END_TEST

START_TEST(nan_weight_zero_and_nothing_do_what_they_do_elsewhere)
{
    lg_tensor *mean = lg_variable(tape, LG_SHAPE(2), (lg_real[]){ (lg_real)NAN, 1 });
    lg_tensor *target = lg_constant(tape, LG_SHAPE(2), (lg_real[]){ 1, 0 });
    lg_tensor *variance = lg_variable(tape, LG_SHAPE(1), (lg_real[]){ 1 });
    lg_tensor *none = lg_gaussian_nll(tape, mean, target, variance, false, false,
                                      &(lg_loss_options){ .reduction = LG_REDUCE_NONE });
    ck_assert(isnan((double)lg_tensor_data(none)[0]) && (double)lg_tensor_data(none)[1] == 0.5);
    lg_tensor *weight = lg_tensor_from(LG_SHAPE(2), (lg_real[]){ 0, 1 });
    lg_tensor *loss = lg_gaussian_nll(tape, mean, target, variance, false, false,
                                      &(lg_loss_options){ .sample_weight = weight });
    ck_assert_double_eq_tol(lg_tensor_item(loss), 0.25, 1e-7);
    ck_assert_int_eq(lg_backward(tape, loss), LG_OK);
    ck_assert((double)lg_tensor_grad(mean)[0] == 0 && (double)lg_tensor_grad(variance)[0] == 0);
    lg_tensor_free(weight);
    lg_tape_reset(tape);
    lg_tensor *empty = lg_tensor_zeros(LG_SHAPE(0, 3));
    variance = lg_variable(tape, LG_SHAPE(1), (lg_real[]){ 1 });
    loss = lg_gaussian_nll(tape, empty, empty, variance, true, false, NULL);
    ck_assert_msg(loss != NULL && lg_tensor_item(loss) == 0, "%s", lg_error());
    ck_assert_int_eq(lg_backward(tape, loss), LG_OK);
    ck_assert((double)lg_tensor_grad(variance)[0] == 0);
    lg_tensor_free(empty);
}
END_TEST

/* ------------------------------------------------------------ kl_divergence */

static lg_tensor *three(double a, double b, double c, bool variable)
{
    const lg_real values[] = { (lg_real)a, (lg_real)b, (lg_real)c };
    return variable ? lg_variable(tape, LG_SHAPE(1, 3), values) : lg_constant(tape, LG_SHAPE(1, 3), values);
}

static void assert_three(const lg_real *got, double a, double b, double c)
{
    const double want[] = { a, b, c };
    for (size_t k = 0; k < 3; k++)
        ck_assert_msg((double)got[k] == want[k] || fabs((double)got[k] - want[k]) < 1e-6, "[%zu] is %g, not %g", k,
                      (double)got[k], want[k]);
}

/* PyTorch gives NaN for P = 0 at a log probability of -inf; luge defines 0 log 0 as 0. */
START_TEST(nothing_expected_costs_nothing_even_where_it_is_impossible)
{
    const double infinity = (double)INFINITY;
    lg_tensor *log_q = three(log(0.5), log(0.5), -infinity, true), *p = three(0.25, 0.75, 0, true);
    lg_tensor *loss = lg_kl_divergence(tape, log_q, p, LG_KL_LOG_PROBS, false, NULL);
    ck_assert_double_eq_tol(lg_tensor_item(loss), 0.25 * log(0.5) + 0.75 * log(1.5), 1e-6);
    ck_assert_int_eq(lg_backward(tape, loss), LG_OK);
    assert_three(lg_tensor_grad(log_q), -0.25, -0.75, 0);
    assert_three(lg_tensor_grad(p), log(0.5) + 1, log(1.5) + 1, 0);
    lg_tape_reset(tape);

    log_q = three(log(0.5), log(0.5), -infinity, true), p = three(log(0.25), log(0.75), -infinity, true);
    loss = lg_kl_divergence(tape, log_q, p, LG_KL_LOG_PROBS, true, NULL);
    ck_assert_double_eq_tol(lg_tensor_item(loss), 0.25 * log(0.5) + 0.75 * log(1.5), 1e-6);
    ck_assert_int_eq(lg_backward(tape, loss), LG_OK);
    assert_three(lg_tensor_grad(log_q), -0.25, -0.75, 0);
    assert_three(lg_tensor_grad(p), 0.25 * (log(0.5) + 1), 0.75 * (log(1.5) + 1), 0);
    lg_tape_reset(tape);

    lg_tensor *logits = three(1, 1, -infinity, true);
    loss = lg_kl_divergence(tape, logits, three(0.25, 0.75, 0, false), LG_KL_LOGITS, false, NULL);
    ck_assert_double_eq_tol(lg_tensor_item(loss), 0.25 * log(0.5) + 0.75 * log(1.5), 1e-6);
    ck_assert_int_eq(lg_backward(tape, loss), LG_OK);
    assert_three(lg_tensor_grad(logits), 0.25, -0.25, 0);
    lg_tape_reset(tape);

    loss = lg_kl_divergence(tape, three(0, -1, -infinity, false), three(0.25, 0.5, 0.25, false), LG_KL_LOG_PROBS, false, NULL);
    ck_assert(lg_tensor_item(loss) == infinity);
    loss = lg_kl_divergence(tape, three(0, -1, (double)NAN, false), three(0.5, 0.5, 0, false), LG_KL_LOG_PROBS, false, NULL);
    ck_assert(isnan(lg_tensor_item(loss)));
}
END_TEST

/* R9: where a probability is clipped the derivative is 0. */
START_TEST(clipped_probabilities_have_no_derivative)
{
    lg_tensor *q = three(0, 0.5, 0.5, true), *p = three(0.5, 0, 0.5, true);
    lg_tensor *loss = lg_kl_divergence(tape, q, p, LG_KL_PROBS, false, &(lg_loss_options){ .eps = 0.125 });
    ck_assert_double_eq_tol(lg_tensor_item(loss), 0.5 * log(4) + 0.125 * log(0.25), 1e-6);
    ck_assert_int_eq(lg_backward(tape, loss), LG_OK);
    assert_three(lg_tensor_grad(q), 0, -0.25, -1);
    assert_three(lg_tensor_grad(p), log(4) + 1, 0, 1);
}
END_TEST

/* Distributions that nearly agree: the terms cancel, but each keeps its digits. Exact: sum of P log1p((P - Q) / Q). */
START_TEST(close_distributions_keep_their_distance)
{
    const lg_real q[] = { (lg_real)0.25, (lg_real)0.25, (lg_real)0.5 };
    const double off = 1.0 / 1024;
    lg_tensor *pred = lg_constant(tape, LG_SHAPE(1, 3), q), *target = three(0.25 + off, 0.25, 0.5 - off, false);
    const double exact = (0.25 + off) * log1p(off / 0.25) + (0.5 - off) * log1p(-off / 0.5);
    const double got = lg_tensor_item(lg_kl_divergence(tape, pred, target, LG_KL_PROBS, false, NULL));
    ck_assert_double_eq_tol(got / exact, 1, LG_REAL_BITS == 64 ? 1e-12 : 1e-4);
}
END_TEST

START_TEST(logits_may_be_shifted_and_their_derivatives_add_up_to_nothing)
{
    lg_tensor *p = three(0.25, 0.125, 0.625, false);
    double values[3];
    for (size_t i = 0; i < 3; i++) {
        const double shift = (double[]){ 0, 8, -4096 }[i];
        lg_tensor *logits = three(1 + shift, -2 + shift, 0.5 + shift, true);
        lg_tensor *loss = lg_kl_divergence(tape, logits, p, LG_KL_LOGITS, false, NULL);
        ck_assert_msg(loss != NULL && lg_backward(tape, loss) == LG_OK, "%s", lg_error());
        values[i] = lg_tensor_item(loss);
        const lg_real *d = lg_tensor_grad(logits);
        ck_assert_double_eq_tol((double)d[0] + (double)d[1] + (double)d[2], 0, 1e-6);
        ck_assert(fabs((double)d[2]) > 0.1);
        lg_tape_reset(tape);
        p = three(0.25, 0.125, 0.625, false);
    }
    ck_assert_double_eq_tol(values[1], values[0], 1e-6);
    ck_assert_double_eq_tol(values[2], values[0], 1e-6);
}
END_TEST

/* KL(one-hot || softmax) is the cross-entropy of its class. */
START_TEST(divergence_from_a_certain_class_is_cross_entropy)
{
    lg_tensor *logits = three(1, -2, 0.5, true), *other = three(1, -2, 0.5, true);
    lg_tensor *label = lg_constant_indices(tape, LG_SHAPE(1), (int32_t[]){ 2 });
    lg_tensor *kl = lg_kl_divergence(tape, logits, three(0, 0, 1, false), LG_KL_LOGITS, false, NULL);
    lg_tensor *ce = lg_sparse_categorical_crossentropy(tape, other, label, &(lg_loss_options){ .from_logits = true });
    ck_assert_double_eq_tol(lg_tensor_item(kl), lg_tensor_item(ce), 1e-6);
    ck_assert_int_eq(lg_backward(tape, lg_add(tape, kl, ce)), LG_OK);
    for (size_t k = 0; k < 3; k++)
        ck_assert_double_eq_tol((double)lg_tensor_grad(logits)[k], (double)lg_tensor_grad(other)[k], 1e-6);
}
END_TEST

/* --------------------------------------------------- knowledge_distillation */

START_TEST(a_student_that_equals_its_teacher_has_nothing_to_learn)
{
    lg_tensor *student = three(1, -2, 0.5, true), *teacher = three(11, 8, 10.5, false);
    lg_tensor *loss = lg_knowledge_distillation(tape, student, teacher, 3, NULL);
    ck_assert_double_eq_tol(lg_tensor_item(loss), 0, 1e-5);
    ck_assert_int_eq(lg_backward(tape, loss), LG_OK);
    assert_three(lg_tensor_grad(student), 0, 0, 0);
}
END_TEST

START_TEST(classes_that_both_rule_out_do_not_count)
{
    const double infinity = (double)INFINITY;
    lg_tensor *student = three(1, -infinity, 0.5, true), *teacher = three(0.25, -infinity, 2, false);
    const double masked = lg_tensor_item(lg_knowledge_distillation(tape, student, teacher, 2, NULL));
    lg_tensor *two = lg_constant(tape, LG_SHAPE(1, 2), (lg_real[]){ 1, (lg_real)0.5 });
    lg_tensor *two_teachers = lg_constant(tape, LG_SHAPE(1, 2), (lg_real[]){ (lg_real)0.25, 2 });
    ck_assert_double_eq_tol(lg_tensor_item(lg_knowledge_distillation(tape, two, two_teachers, 2, NULL)), masked, 1e-6);
    ck_assert(masked > 0.1);
    ck_assert(lg_tensor_item(lg_knowledge_distillation(tape, student, three(0, 0, 0, false), 2, NULL)) == infinity);
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

START_TEST(wrong_calls_say_what_would_be_right)
{
    lg_tensor *good = three(0.25, 0.25, 0.5, false), *negative = three(0.5, -0.5, 1, false), *large = three(0, 2, 1, false);
    lg_tensor *two = lg_constant(tape, LG_SHAPE(1, 2), (lg_real[]){ 1, 1 });
    assert_fails(lg_poisson(tape, negative, good, false, false, NULL), LG_E_DOMAIN,
                 "poisson: pred[1] is -0.5, but must be not negative");
    ck_assert_ptr_nonnull(lg_poisson(tape, negative, good, true, false, NULL));
    assert_fails(lg_poisson(tape, good, negative, true, false, NULL), LG_E_DOMAIN,
                 "poisson: target[1] is -0.5, but must be not negative");
    ck_assert_ptr_nonnull(lg_poisson(tape, good, negative, true, false, &(lg_loss_options){ .unchecked = true }));
    assert_fails(lg_gaussian_nll(tape, good, good, negative, false, false, NULL), LG_E_DOMAIN,
                 "gaussian_nll: var[1] is -0.5, but must be not negative");
    ck_assert_ptr_nonnull(lg_gaussian_nll(tape, good, good, negative, false, true, NULL));
    assert_fails(lg_gaussian_nll(tape, good, two, good, false, false, NULL), LG_E_SHAPE,
                 "gaussian_nll: mean has shape [1, 3], target [1, 2]; they must be the same");
    assert_fails(lg_gaussian_nll(tape, good, good, two, false, false, NULL), LG_E_SHAPE,
                 "gaussian_nll: mean has shape [1, 3], variance [1, 2]; the same, one for each row of the last axis, or "
                 "one for all is wanted");
    assert_fails(lg_kl_divergence(tape, large, good, LG_KL_PROBS, false, NULL), LG_E_DOMAIN,
                 "kl_divergence: pred[1] is 2, but must be a probability in [0, 1]");
    assert_fails(lg_kl_divergence(tape, good, large, LG_KL_PROBS, false, NULL), LG_E_DOMAIN,
                 "kl_divergence: target[1] is 2, but must be a probability in [0, 1]");
    ck_assert_ptr_nonnull(lg_kl_divergence(tape, good, large, LG_KL_LOGITS, false, NULL));
    assert_fails(lg_kl_divergence(tape, good, negative, LG_KL_LOGITS, false, NULL), LG_E_DOMAIN,
                 "kl_divergence: target[1] is -0.5, but must be not negative");
    ck_assert_ptr_nonnull(lg_kl_divergence(tape, good, negative, LG_KL_LOGITS, true, NULL));
    assert_fails(lg_kl_divergence(tape, good, good, LG_KL_PROBS, true, NULL), LG_E_PARAM,
                 "kl_divergence: log_target is for pred=log_probs or logits, not for probs");
    assert_fails(lg_kl_divergence(tape, good, good, (lg_kl_pred)7, false, NULL), LG_E_PARAM,
                 "kl_divergence: pred must be one of probs|log_probs|logits");
    assert_fails(lg_poisson(tape, good, good, false, false, &(lg_loss_options){ .reduction = LG_REDUCE_ELEMENT_MEAN }),
                 LG_E_PARAM, "poisson: the reduction element_mean does not apply here");
    assert_fails(lg_knowledge_distillation(tape, good, good, 0, NULL), LG_E_PARAM,
                 "knowledge_distillation: temperature is 0, but must be finite and > 0");
    assert_fails(lg_knowledge_distillation(tape, good, three(1, 2, 3, true), 3, NULL), LG_E_PARAM,
                 "knowledge_distillation: teacher requires a gradient, but the loss has none by it");
}
END_TEST

Suite *losses_probabilistic_suite(void)
{
    Suite *suite = suite_create("losses_probabilistic");
    TCase *reference = tcase_create("reference");
    tcase_add_loop_test(reference, probabilistic_losses_equal_pytorch_in_every_reduction, 0,
                        (int)COUNT(probabilistic_references));
    suite_add_tcase(suite, reference);
    TCase *cases = tcase_create("cases");
    tcase_add_checked_fixture(cases, open_tape, close_tape);
    tcase_add_test(cases, worked_examples_have_their_values);
    tcase_add_test(cases, a_count_of_zero_leaves_the_rate);
    tcase_add_test(cases, full_poisson_is_nearly_the_negative_logarithm_of_the_probability);
    tcase_add_test(cases, a_clamped_variance_has_the_derivative_at_eps);
    tcase_add_test(cases, logarithms_of_variances_may_be_extreme);
    tcase_add_test(cases, one_variance_for_all_equals_the_same_one_for_each);
    tcase_add_test(cases, nan_weight_zero_and_nothing_do_what_they_do_elsewhere);
    tcase_add_test(cases, nothing_expected_costs_nothing_even_where_it_is_impossible);
    tcase_add_test(cases, clipped_probabilities_have_no_derivative);
    tcase_add_test(cases, close_distributions_keep_their_distance);
    tcase_add_test(cases, logits_may_be_shifted_and_their_derivatives_add_up_to_nothing);
    tcase_add_test(cases, divergence_from_a_certain_class_is_cross_entropy);
    tcase_add_test(cases, a_student_that_equals_its_teacher_has_nothing_to_learn);
    tcase_add_test(cases, classes_that_both_rule_out_do_not_count);
    tcase_add_test(cases, wrong_calls_say_what_would_be_right);
    suite_add_tcase(suite, cases);
    return suite;
}
