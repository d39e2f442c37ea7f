#include "autograd/params_internal.h"
#include "fail_alloc.h"
#include "optim/optimizer_internal.h"
#include "reference/optimizers.h"
#include "support.h"

#include <check.h>
#include <float.h>
#include <math.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static lg_params *one_tensor(size_t n, const double *values)
{
    lg_params *params = lg_params_new();
    lg_tensor *tensor = lg_params_add(params, "p", LG_SHAPE(n));
    ck_assert_ptr_nonnull(tensor);
    for (size_t i = 0; values && i < n; i++)
        lg_tensor_data(tensor)[i] = (lg_real)values[i];
    return params;
}

static lg_params *scalar(double value)
{
    return one_tensor(1, &value);
}

static double value_of(lg_params *params)
{
    return (double)lg_tensor_data(lg_params_at(params, 0))[0];
}

/* Sets every gradient of the first tensor and makes a step. */
static void step_with(lg_optimizer *optimizer, double gradient)
{
    lg_params *params = lg_optimizer_params(optimizer);
    lg_block block = lg_params_block(params);
    for (size_t i = 0; i < lg_tensor_size(lg_params_at(params, 0)); i++)
        block.gradients[i] = (lg_real)gradient;
    ck_assert_int_eq(lg_optimizer_step(optimizer), LG_OK);
}

/* ------------------------------------------------- PyTorch over 100 steps */

static lg_optimizer *make_reference(const struct reference_optimizer *r, lg_params *params)
{
    if (strcmp(r->kind, "sgd") == 0)
        return lg_sgd_new(params, &(lg_sgd_options){ .learning_rate = r->learning_rate,
                                                     .momentum = r->momentum,
                                                     .weight_decay = r->weight_decay,
                                                     .nesterov = r->nesterov });
    if (strcmp(r->kind, "rmsprop") == 0)
        return lg_rmsprop_new(params, &(lg_rmsprop_options){ .learning_rate = r->learning_rate,
                                                             .alpha = r->alpha,
                                                             .epsilon = r->epsilon,
                                                             .momentum = r->momentum,
                                                             .weight_decay = r->weight_decay,
                                                             .centered = r->centered });
    const lg_adam_options adam = { .learning_rate = r->learning_rate,
                                   .beta1 = r->beta1,
                                   .beta2 = r->beta2,
                                   .epsilon = r->epsilon,
                                   .weight_decay = r->weight_decay };
    return strcmp(r->kind, "adam") == 0 ? lg_adam_new(params, &adam) : lg_adamw_new(params, &adam);
}

/* The eight parameters lie in two tensors, so that padding stands between them; i counts through both. */
static size_t place(const lg_params *params, size_t i)
{
    return i < 3 ? i : lg_params_offset(params, 1) + i - 3;
}

static void set_reference_gradients(lg_params *params, int t)
{
    lg_block block = lg_params_block(params);
    for (size_t i = 0; i < REFERENCE_OPTIMIZER_PARAMETERS; i++) {
        const size_t at = place(params, i);
        block.gradients[at] = (lg_real)(sin(0.1 * (t + 1) * (double)(i + 1)) + 0.05 * (double)block.values[at]);
    }
}

START_TEST(equals_pytorch_over_100_steps)
{
    const struct reference_optimizer *r = &reference_optimizers[_i];
    lg_params *params = lg_params_new();
    ck_assert_ptr_nonnull(lg_params_add(params, "a", LG_SHAPE(3)));
    ck_assert_ptr_nonnull(lg_params_add(params, "b", LG_SHAPE(5, 1)));
    for (size_t i = 0; i < REFERENCE_OPTIMIZER_PARAMETERS; i++)
        lg_params_block(params).values[place(params, i)] = (lg_real)(0.5 * cos((double)i));
    lg_optimizer *optimizer = make_reference(r, params);
    ck_assert_msg(optimizer != NULL, "%s", lg_error());

    int t = 0;
    for (size_t k = 0; k < 3; k++) {
        for (; t < reference_optimizer_steps[k]; t++) {
            set_reference_gradients(params, t);
            ck_assert_int_eq(lg_optimizer_step(optimizer), LG_OK);
        }
        /* float: a step's update rounds to a few units in the last place of values up to 5 (6e-7), momentum adds up
         * ten of them, and their signs vary over the steps: sqrt(100) x 10 x 6e-7 = 6e-5. */
        const double bound = sizeof(lg_real) == 8 ? 1e-12 : 6e-5;
        for (size_t i = 0; i < REFERENCE_OPTIMIZER_PARAMETERS; i++) {
            const double found = (double)lg_params_block(params).values[place(params, i)];
            ck_assert_msg(fabs(found - r->value[k][i]) <= bound, "%s (%s), step %d, p[%zu]: %.17g, PyTorch %.17g",
                          r->kind, r->name, t, i, found, r->value[k][i]);
        }
    }
    ck_assert_uint_eq(lg_optimizer_steps(optimizer), 100);
    lg_optimizer_free(optimizer);
    lg_params_free(params);
}
END_TEST

/* ----------------------------------------------------------- closed forms */

START_TEST(sgd_moves_against_the_gradient_by_the_learning_rate)
{
    lg_params *params = scalar(1);
    lg_optimizer *sgd = lg_sgd_new(params, &(lg_sgd_options){ .learning_rate = 0.25 });
    step_with(sgd, 2);
    ck_assert_double_eq(value_of(params), 0.5); /* 1 - 0.25 * 2 */
    lg_optimizer_free(sgd);
    sgd = lg_sgd_new(params, &(lg_sgd_options){ .learning_rate = 0.25, .weight_decay = 1 });
    step_with(sgd, 2);
    ck_assert_double_eq(value_of(params), -0.125); /* 0.5 - 0.25 * (2 + 0.5) */
    lg_optimizer_free(sgd);
    lg_params_free(params);
}
END_TEST

START_TEST(sgd_dampening_spares_the_first_step)
{
    lg_params *params = scalar(0);
    lg_optimizer *sgd = lg_sgd_new(params, &(lg_sgd_options){ .learning_rate = 1, .momentum = 0.5, .dampening = 0.25 });
    step_with(sgd, 1);
    ck_assert_double_eq(value_of(params), -1); /* b = g */
    step_with(sgd, 1);
    ck_assert_double_eq(value_of(params), -2.25); /* b = 0.5 + 0.75 */
    lg_optimizer_free(sgd);
    lg_params_free(params);
}
END_TEST

/* Gradients 1 and -1: with beta1 = 0 Adam undoes its first step; with 0.9, m / (1 - beta1^2) = -0.01 / 0.19. */
START_TEST(lg_zero_is_zero_and_0_is_the_default)
{
    const double beta1[] = { LG_ZERO, 0, 0.9 }, expected[] = { 0, -0.1 + 0.001 / 0.19, -0.1 + 0.001 / 0.19 };
    for (size_t i = 0; i < COUNT(beta1); i++) {
        lg_params *params = scalar(0);
        lg_optimizer *adam = lg_adam_new(params, &(lg_adam_options){ .learning_rate = 0.1, .beta1 = beta1[i] });
        step_with(adam, 1);
        ck_assert_double_eq_tol(value_of(params), -0.1, 1e-7);
        step_with(adam, -1);
        ck_assert_double_eq_tol(value_of(params), expected[i], 1e-7);
        lg_optimizer_free(adam);
        lg_params_free(params);
    }
}
END_TEST

START_TEST(adamw_decays_unless_told_zero)
{
    const double decay[] = { 0, LG_ZERO }, expected[] = { 1 - 0.1 * 0.01, 1 };
    for (size_t i = 0; i < COUNT(decay); i++) {
        lg_params *params = scalar(1);
        lg_optimizer *adamw = lg_adamw_new(params, &(lg_adam_options){ .learning_rate = 0.1, .weight_decay = decay[i] });
        step_with(adamw, 0);
        ck_assert_double_eq_tol(value_of(params), expected[i], 1e-7);
        lg_optimizer_free(adamw);
        lg_params_free(params);
    }
}
END_TEST

START_TEST(no_options_give_the_defaults)
{
    lg_params *params = scalar(0);
    lg_optimizer *made[] = { lg_sgd_new(params, NULL), lg_adam_new(params, NULL), lg_adamw_new(params, NULL),
                             lg_rmsprop_new(params, NULL) };
    const double rate[] = { 1e-3, 1e-3, 1e-3, 1e-2 };
    const char *name[] = { "sgd", "adam", "adamw", "rmsprop" };
    for (size_t i = 0; i < COUNT(made); i++) {
        ck_assert_double_eq(lg_optimizer_learning_rate(made[i]), rate[i]);
        ck_assert_str_eq(lg_optimizer_name(made[i]), name[i]);
        ck_assert_ptr_eq(lg_optimizer_params(made[i]), params);
        lg_optimizer_free(made[i]);
    }
    lg_params_free(params);
}
END_TEST

/* A constant gradient makes the centered variance vanish; rounding must not turn it into the root of a negative. */
START_TEST(centered_rmsprop_survives_a_constant_gradient)
{
    lg_params *params = scalar(0);
    lg_optimizer *rmsprop = lg_rmsprop_new(params, &(lg_rmsprop_options){ .alpha = 0.5, .centered = true });
    for (int i = 0; i < 200; i++)
        step_with(rmsprop, 0.3);
    ck_assert(isfinite(value_of(params)));
    lg_optimizer_free(rmsprop);
    lg_params_free(params);
}
END_TEST

START_TEST(a_nan_gradient_stays_with_its_parameter)
{
    for (size_t k = 0; lg_optimizer_known(k); k++) {
        lg_params *params = one_tensor(40, NULL);
        lg_optimizer *optimizer = lg_optimizer_by_name(lg_optimizer_known(k), params, 0.1);
        lg_block block = lg_params_block(params);
        for (size_t i = 0; i < 40; i++)
            block.gradients[i] = i == 17 ? (lg_real)NAN : 1;
        ck_assert_int_eq(lg_optimizer_step(optimizer), LG_OK);
        for (size_t i = 0; i < 40; i++)
            ck_assert_msg(i == 17 ? isnan(block.values[i]) : block.values[i] < 0, "%s: p[%zu] is %g",
                          lg_optimizer_name(optimizer), i, (double)block.values[i]);
        lg_optimizer_free(optimizer);
        lg_params_free(params);
    }
}
END_TEST

/* Averages of what has become 0 shrink until only subnormal numbers are left, with which a step takes many times as long.
 * (valgrind knows no processor that leaves them out.) */
START_TEST(nothing_subnormal_stays_in_the_state_and_the_program_keeps_its_own)
{
#if defined(__x86_64__) && defined(__GNUC__)
    const lg_real smallest = LG_REAL_BITS == 64 ? (lg_real)DBL_MIN : (lg_real)FLT_MIN;
    for (size_t k = 0; lg_optimizer_known(k); k++) {
        lg_params *params = one_tensor(40, NULL);
        lg_optimizer *optimizer = lg_optimizer_by_name(lg_optimizer_known(k), params, 0.1);
        step_with(optimizer, 1e3 * (double)smallest);
        for (int step = 0; step < 200; step++) {
            step_with(optimizer, 0);
            for (size_t s = 0; s < optimizer->state_count; s++)
                ck_assert_int_ne(fpclassify(optimizer->state[s][0]), FP_SUBNORMAL);
        }
        volatile lg_real half = smallest;
        half /= 2;
        ck_assert_int_eq(fpclassify(half), FP_SUBNORMAL);
        lg_optimizer_free(optimizer);
        lg_params_free(params);
    }
#endif
}
END_TEST

/* ------------------------------------------------------------------ sets */

START_TEST(a_tensor_without_a_gradient_counts_as_gradient_zero)
{
    lg_params *params = scalar(3);
    lg_optimizer *sgd = lg_sgd_new(params, &(lg_sgd_options){ .learning_rate = 1, .momentum = 0.5 });
    step_with(sgd, 1);
    lg_optimizer_zero_grad(sgd);
    ck_assert_int_eq(lg_optimizer_step(sgd), LG_OK);
    ck_assert_double_eq(value_of(params), 1.5); /* 3 - 1 - 0.5 */
    lg_optimizer_free(sgd);
    lg_params_free(params);
}
END_TEST

START_TEST(a_frozen_tensor_stays_as_it_is_whatever_its_momentum)
{
    for (size_t k = 0; lg_optimizer_known(k); k++) {
        lg_params *frozen = lg_params_new(), *free_one = scalar(1);
        for (int i = 0; i < 4; i++)
            lg_tensor_data(lg_params_add(frozen, (const char *[]){ "a", "b", "c", "d" }[i], LG_SHAPE(1)))[0] = 1;
        lg_optimizer *a = lg_optimizer_by_name(lg_optimizer_known(k), frozen, 0.1);
        lg_optimizer *b = lg_optimizer_by_name(lg_optimizer_known(k), free_one, 0.1);
        for (int t = 0; t < 6; t++) {
            lg_block block = lg_params_block(frozen);
            for (size_t i = 0; i < 4; i++)
                block.gradients[lg_params_offset(frozen, i)] = (lg_real)(t + 1);
            const lg_real before = lg_tensor_data(lg_params_at(frozen, 1))[0];
            for (size_t i = 1; t == 3 && i < 4; i += 2)
                ck_assert_int_eq(lg_tensor_require_grad(lg_params_at(frozen, i), false), LG_OK);
            ck_assert_int_eq(lg_optimizer_step(a), LG_OK);
            step_with(b, t + 1);
            const lg_real *values = lg_params_block(frozen).values;
            ck_assert(values[lg_params_offset(frozen, 0)] == (lg_real)value_of(free_one));
            ck_assert(values[lg_params_offset(frozen, 2)] == (lg_real)value_of(free_one));
            for (size_t i = 1; i < 4; i += 2)
                ck_assert((values[lg_params_offset(frozen, i)] == before) == (t >= 3));
        }
        lg_optimizer_free(a);
        lg_optimizer_free(b);
        lg_params_free(frozen);
        lg_params_free(free_one);
    }
}
END_TEST

START_TEST(a_set_freed_first_lives_until_its_last_optimizer)
{
    lg_params *params = scalar(1);
    lg_optimizer *a = lg_sgd_new(params, NULL), *b = lg_adam_new(params, NULL);
    lg_params_free(params);
    ck_assert_int_eq(lg_optimizer_step(a), LG_OK);
    lg_optimizer_free(a);
    ck_assert_int_eq(lg_optimizer_step(b), LG_OK);
    lg_optimizer_free(b);
}
END_TEST

START_TEST(padding_stays_zero)
{
    for (size_t k = 0; lg_optimizer_known(k); k++) {
        lg_params *params = one_tensor(3, (const double[]){ 1, 2, 3 });
        lg_optimizer *optimizer = lg_optimizer_by_name(lg_optimizer_known(k), params, 0.1);
        step_with(optimizer, 1);
        lg_block block = lg_params_block(params);
        ck_assert_uint_gt(block.length, 3);
        for (size_t i = 3; i < block.length; i++)
            ck_assert(block.values[i] == 0 && block.gradients[i] == 0);
        lg_optimizer_free(optimizer);
        lg_params_free(params);
    }
}
END_TEST

START_TEST(two_sets_have_each_their_optimizer)
{
    lg_params *generator = scalar(1), *critic = scalar(1);
    lg_optimizer *adam = lg_adam_new(generator, &(lg_adam_options){ .learning_rate = 0.5 });
    lg_optimizer *sgd = lg_sgd_new(critic, &(lg_sgd_options){ .learning_rate = 0.5 });
    step_with(adam, 3);
    ck_assert_double_eq_tol(value_of(generator), 0.5, 1e-6);
    ck_assert_double_eq(value_of(critic), 1);
    step_with(sgd, 4);
    ck_assert_double_eq_tol(value_of(generator), 0.5, 1e-6);
    ck_assert_double_eq(value_of(critic), -1);
    ck_assert_uint_eq(lg_optimizer_steps(adam), 1);
    lg_optimizer_free(adam);
    lg_optimizer_free(sgd);
    lg_params_free(generator);
    lg_params_free(critic);
}
END_TEST

START_TEST(two_optimizers_share_a_set_and_keep_their_own_state)
{
    lg_params *params = scalar(0);
    lg_optimizer *a = lg_sgd_new(params, &(lg_sgd_options){ .learning_rate = 1, .momentum = 0.5 });
    lg_optimizer *b = lg_sgd_new(params, &(lg_sgd_options){ .learning_rate = 1, .momentum = 0.5 });
    step_with(a, 1);
    ck_assert_double_eq(value_of(params), -1);
    step_with(b, 1); /* its first step: no momentum yet */
    ck_assert_double_eq(value_of(params), -2);
    step_with(a, 1);
    ck_assert_double_eq(value_of(params), -3.5);
    lg_optimizer_free(a);
    ck_assert_ptr_null(lg_params_add(params, "late", LG_SHAPE(1))); /* b still holds the set */
    lg_optimizer_free(b);
    ck_assert_ptr_nonnull(lg_params_add(params, "late", LG_SHAPE(1)));
    lg_params_free(params);
}
END_TEST

START_TEST(an_empty_set_can_be_stepped)
{
    lg_params *params = lg_params_new();
    for (size_t k = 0; lg_optimizer_known(k); k++) {
        lg_optimizer *optimizer = lg_optimizer_by_name(lg_optimizer_known(k), params, 0);
        ck_assert_ptr_nonnull(optimizer);
        ck_assert_int_eq(lg_optimizer_step(optimizer), LG_OK);
        lg_optimizer_free(optimizer);
    }
    lg_params_free(params);
}
END_TEST

/* What a checkpoint does: steps and state blocks copied to a new optimizer go on to the same bits. */
START_TEST(state_and_steps_resume_to_the_bit)
{
    for (size_t k = 0; lg_optimizer_known(k); k++) {
        lg_params *first = scalar(1), *second = scalar(1);
        lg_optimizer *a = lg_optimizer_by_name(lg_optimizer_known(k), first, 0.1);
        lg_optimizer *b = lg_optimizer_by_name(lg_optimizer_known(k), second, 0.1);
        for (int i = 0; i < 5; i++)
            step_with(a, sin(i + 1.0));
        b->steps = a->steps;
        for (size_t s = 0; s < a->state_count; s++) {
            ck_assert_ptr_nonnull(lg_optimizer_state(b, a->state_name[s]));
            memcpy(lg_optimizer_state(b, a->state_name[s]), a->state[s], a->state_length * sizeof(lg_real));
        }
        lg_tensor_data(lg_params_at(second, 0))[0] = lg_tensor_data(lg_params_at(first, 0))[0];
        for (int i = 5; i < 10; i++) {
            step_with(a, sin(i + 1.0));
            step_with(b, sin(i + 1.0));
        }
        ck_assert(value_of(first) == value_of(second));
        ck_assert_ptr_null(lg_optimizer_state(a, "no such state"));
        lg_optimizer_free(a);
        lg_optimizer_free(b);
        lg_params_free(first);
        lg_params_free(second);
    }
}
END_TEST

/* ----------------------------------------------------------------- errors */

static void expect_refused(lg_optimizer *optimizer, const char *part)
{
    ck_assert_ptr_null(optimizer);
    ck_assert_int_eq(lg_error_code(), LG_E_PARAM);
    ck_assert_msg(strstr(lg_error(), part) != NULL, "\"%s\" does not say \"%s\"", lg_error(), part);
    lg_error_clear();
}

START_TEST(options_outside_their_range_are_refused)
{
    lg_params *p = scalar(0);
    expect_refused(lg_sgd_new(p, &(lg_sgd_options){ .learning_rate = -1 }), "learning_rate is -1");
    expect_refused(lg_sgd_new(p, &(lg_sgd_options){ .momentum = -0.5 }), "momentum is -0.5");
    expect_refused(lg_sgd_new(p, &(lg_sgd_options){ .momentum = 0.9, .dampening = 1.5 }), "dampening is 1.5");
    expect_refused(lg_sgd_new(p, &(lg_sgd_options){ .weight_decay = (double)NAN }), "weight_decay is nan");
    expect_refused(lg_sgd_new(p, &(lg_sgd_options){ .nesterov = true }), "nesterov needs momentum");
    expect_refused(lg_sgd_new(p, &(lg_sgd_options){ .nesterov = true, .momentum = 0.9, .dampening = 0.1 }), "0.1");
    expect_refused(lg_adam_new(p, &(lg_adam_options){ .beta1 = 1 }), "lg_adam_new: beta1 is 1, but must be at least 0");
    expect_refused(lg_adam_new(p, &(lg_adam_options){ .beta2 = -0.1 }), "beta2 is -0.1");
    expect_refused(lg_adam_new(p, &(lg_adam_options){ .epsilon = LG_ZERO }), "epsilon is 0");
    expect_refused(lg_adamw_new(p, &(lg_adam_options){ .weight_decay = -1 }), "lg_adamw_new: weight_decay is -1");
    expect_refused(lg_adam_new(p, &(lg_adam_options){ .learning_rate = (double)INFINITY }), "learning_rate is inf");
    expect_refused(lg_rmsprop_new(p, &(lg_rmsprop_options){ .alpha = 1.5 }), "alpha is 1.5");
    expect_refused(lg_rmsprop_new(p, &(lg_rmsprop_options){ .epsilon = -1 }), "epsilon is -1");
    expect_refused(lg_rmsprop_new(p, &(lg_rmsprop_options){ .momentum = -1 }), "momentum is -1");
    expect_refused(lg_rmsprop_new(p, &(lg_rmsprop_options){ .weight_decay = -1 }), "weight_decay is -1");
    ck_assert_ptr_nonnull(lg_params_add(p, "q", LG_SHAPE(1))); /* nothing that was refused holds the set */
    lg_params_free(p);
}
END_TEST

START_TEST(names_are_found_and_the_nearest_is_suggested)
{
    lg_params *params = scalar(0);
    size_t known = 0;
    for (; lg_optimizer_known(known); known++) {
        lg_optimizer *optimizer = lg_optimizer_by_name(lg_optimizer_known(known), params, 0.125);
        ck_assert_ptr_nonnull(optimizer);
        ck_assert_double_eq(lg_optimizer_learning_rate(optimizer), 0.125);
        lg_optimizer_free(optimizer);
    }
    ck_assert_uint_eq(known, 6);
    expect_refused(lg_optimizer_by_name("adamm", params, 0), "no optimizer \"adamm\", did you mean \"adam\"?");
    expect_refused(lg_optimizer_by_name("zzzzzzzz", params, 0), "no optimizer \"zzzzzzzz\"");
    expect_refused(lg_optimizer_by_name("adam", params, -3), "learning_rate is -3");
    expect_refused(lg_optimizer_by_name(NULL, params, 0), "name is NULL");
    expect_refused(lg_optimizer_by_name("adam", NULL, 0), "params is NULL");
    lg_params_free(params);
}
END_TEST

START_TEST(null_is_refused_and_keeps_the_first_message)
{
    expect_refused(lg_sgd_new(NULL, NULL), "lg_sgd_new: params is NULL");
    expect_refused(lg_adam_new(NULL, NULL), "lg_adam_new: params is NULL");
    expect_refused(lg_adamw_new(NULL, NULL), "lg_adamw_new: params is NULL");
    expect_refused(lg_rmsprop_new(NULL, NULL), "lg_rmsprop_new: params is NULL");
    ck_assert_int_eq(lg_optimizer_step(NULL), LG_E_PARAM);
    lg_error_clear();
    lg_fail(LG_E_IO, "what failed first");
    ck_assert_ptr_null(lg_adam_new(NULL, NULL));
    ck_assert_int_eq(lg_optimizer_step(NULL), LG_E_IO);
    ck_assert_int_eq(lg_optimizer_set_learning_rate(NULL, 1), LG_E_IO);
    ck_assert_str_eq(lg_error(), "what failed first");
    lg_optimizer_zero_grad(NULL);
    lg_optimizer_free(NULL);
    ck_assert_double_eq(lg_optimizer_learning_rate(NULL), 0);
    ck_assert_ptr_null(lg_optimizer_params(NULL));
    ck_assert_ptr_null(lg_optimizer_name(NULL));
    ck_assert_uint_eq(lg_optimizer_steps(NULL), 0);
}
END_TEST

START_TEST(the_learning_rate_can_be_set_to_anything_sensible)
{
    lg_params *params = scalar(1);
    lg_optimizer *sgd = lg_sgd_new(params, &(lg_sgd_options){ .learning_rate = 0.5 });
    ck_assert_int_eq(lg_optimizer_set_learning_rate(sgd, 0), LG_OK);
    step_with(sgd, 1);
    ck_assert_double_eq(value_of(params), 1);
    const double bad[] = { -1, (double)NAN, (double)INFINITY };
    for (size_t i = 0; i < COUNT(bad); i++)
        ck_assert_int_eq(lg_optimizer_set_learning_rate(sgd, bad[i]), LG_E_PARAM);
    ck_assert_double_eq(lg_optimizer_learning_rate(sgd), 0);
    ck_assert_int_eq(lg_optimizer_set_learning_rate(sgd, 2), LG_OK);
    step_with(sgd, 1);
    ck_assert_double_eq(value_of(params), -1);
    lg_optimizer_free(sgd);
    lg_params_free(params);
}
END_TEST

/* ----------------------------------------------------------------- memory */

START_TEST(a_step_allocates_nothing)
{
    for (size_t k = 0; lg_optimizer_known(k); k++) {
        lg_params *params = one_tensor(1000, NULL);
        lg_optimizer *optimizer = lg_optimizer_by_name(lg_optimizer_known(k), params, 0.1);
        fail_alloc_at(0);
        for (int i = 0; i < 3; i++) {
            lg_optimizer_zero_grad(optimizer);
            lg_optimizer_step(optimizer);
        }
        fail_alloc_off();
        ck_assert_uint_eq(fail_alloc_count(), 0);
        lg_optimizer_free(optimizer);
        lg_params_free(params);
    }
}
END_TEST

static lg_status make_and_step(void *name)
{
    lg_params *params = lg_params_new();
    lg_tensor *tensor = lg_params_add(params, "p", LG_SHAPE(20));
    lg_optimizer *optimizer = tensor ? lg_optimizer_by_name(name, params, 0.1) : NULL;
    lg_status status = lg_optimizer_step(optimizer);
    lg_optimizer_free(optimizer);
    lg_params_free(params);
    return status;
}

START_TEST(every_failing_allocation_is_reported_and_leaks_nothing)
{
    for (size_t k = 0; lg_optimizer_known(k); k++) {
        char name[32];
        snprintf(name, sizeof name, "%s", lg_optimizer_known(k));
        ck_assert_uint_ge(for_each_allocation_failure(make_and_step, name), 6);
    }
}
END_TEST

Suite *optim_suite(void)
{
    Suite *suite = suite_create("optim");
    TCase *values = tcase_create("values");
    tcase_add_checked_fixture(values, lg_error_clear, NULL);
    tcase_add_loop_test(values, equals_pytorch_over_100_steps, 0, (int)COUNT(reference_optimizers));
    tcase_add_test(values, sgd_moves_against_the_gradient_by_the_learning_rate);
    tcase_add_test(values, sgd_dampening_spares_the_first_step);
    tcase_add_test(values, lg_zero_is_zero_and_0_is_the_default);
    tcase_add_test(values, adamw_decays_unless_told_zero);
    tcase_add_test(values, no_options_give_the_defaults);
    tcase_add_test(values, centered_rmsprop_survives_a_constant_gradient);
    tcase_add_test(values, a_nan_gradient_stays_with_its_parameter);
    if (test_stride(2) == 1)
        tcase_add_test(values, nothing_subnormal_stays_in_the_state_and_the_program_keeps_its_own);
    suite_add_tcase(suite, values);
    TCase *sets = tcase_create("sets");
    tcase_add_checked_fixture(sets, lg_error_clear, NULL);
    tcase_add_test(sets, a_tensor_without_a_gradient_counts_as_gradient_zero);
    tcase_add_test(sets, a_frozen_tensor_stays_as_it_is_whatever_its_momentum);
    tcase_add_test(sets, a_set_freed_first_lives_until_its_last_optimizer);
    tcase_add_test(sets, padding_stays_zero);
    tcase_add_test(sets, two_sets_have_each_their_optimizer);
    tcase_add_test(sets, two_optimizers_share_a_set_and_keep_their_own_state);
    tcase_add_test(sets, an_empty_set_can_be_stepped);
    tcase_add_test(sets, state_and_steps_resume_to_the_bit);
    suite_add_tcase(suite, sets);
    TCase *errors = tcase_create("errors");
    tcase_add_checked_fixture(errors, lg_error_clear, NULL);
    tcase_add_test(errors, options_outside_their_range_are_refused);
    tcase_add_test(errors, names_are_found_and_the_nearest_is_suggested);
    tcase_add_test(errors, null_is_refused_and_keeps_the_first_message);
    tcase_add_test(errors, the_learning_rate_can_be_set_to_anything_sensible);
    suite_add_tcase(suite, errors);
    TCase *memory = tcase_create("memory");
    tcase_add_checked_fixture(memory, lg_error_clear, NULL);
    tcase_add_test(memory, a_step_allocates_nothing);
    tcase_add_test(memory, every_failing_allocation_is_reported_and_leaks_nothing);
    suite_add_tcase(suite, memory);
    return suite;
}
