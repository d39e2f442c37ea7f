#include "models/layers.h"

#include "fail_alloc.h"
#include "optim/optimizer.h"

#include <check.h>
#include <math.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const double tolerance = sizeof(lg_real) == 8 ? 1e-13 : 1e-5;

static void expect_error(lg_status code, const char *part)
{
    ck_assert_int_eq(lg_error_code(), code);
    ck_assert_msg(strstr(lg_error(), part) != NULL, "\"%s\" does not say \"%s\"", lg_error(), part);
    lg_error_clear();
}

static lg_real *random_values(lg_rng *rng, size_t n, lg_real *values)
{
    lg_rng_fill_uniform(rng, n, values, -1, 1);
    return values;
}

/* ------------------------------------------------------------------ dense */

START_TEST(dense_is_x_times_weight_transposed_plus_bias)
{
    enum { BATCH = 3, IN = 4, OUT = 5 };
    lg_rng rng = lg_rng_seed(7);
    lg_params *params = lg_params_new();
    const lg_dense_options relu = { .activation = LG_RELU };
    lg_dense *plain = lg_dense_new(params, NULL, IN, OUT, &rng);
    lg_dense *fused = lg_dense_new_with(params, NULL, IN, OUT, &relu, &rng);
    lg_dense *layers[] = { plain, fused };
    lg_tape *tape = lg_tape_new();
    lg_real values[BATCH * IN];
    lg_tensor *x = lg_constant(tape, LG_SHAPE(BATCH, IN), random_values(&rng, BATCH * IN, values));
    for (size_t l = 0; l < 2; l++) {
        lg_tensor *y = lg_dense_apply(tape, layers[l], x); /* [3, 5] */
        ck_assert_msg(y != NULL, "%s", lg_error());
        ck_assert_uint_eq(lg_tensor_dim(y, 0), BATCH);
        ck_assert_uint_eq(lg_tensor_dim(y, 1), OUT);
        const lg_real *w = lg_tensor_data(lg_dense_weight(layers[l])), *b = lg_tensor_data(lg_dense_bias(layers[l]));
        for (size_t r = 0; r < BATCH; r++)
            for (size_t o = 0; o < OUT; o++) {
                double sum = (double)b[o];
                for (size_t i = 0; i < IN; i++)
                    sum += (double)values[r * IN + i] * (double)w[o * IN + i];
                const double expected = l == 1 ? fmax(sum, 0) : sum;
                ck_assert_double_eq_tol((double)lg_tensor_data(y)[r * OUT + o], expected, tolerance);
            }
    }
    lg_tape_free(tape);
    lg_params_free(params);
}
END_TEST

/* L = sum of y: dL/dw[o][i] = sum over the batch of x[.][i], dL/db[o] = batch size, dL/dx[r][i] = sum over o of w. */
START_TEST(dense_has_the_gradients_of_its_formula)
{
    enum { BATCH = 6, IN = 3, OUT = 2 };
    lg_rng rng = lg_rng_seed(1);
    lg_params *params = lg_params_new();
    lg_dense *dense = lg_dense_new(params, "d", IN, OUT, &rng);
    lg_tape *tape = lg_tape_new();
    lg_real values[BATCH * IN];
    lg_tensor *x = lg_variable(tape, LG_SHAPE(BATCH, IN), random_values(&rng, BATCH * IN, values));
    ck_assert_int_eq(lg_backward(tape, lg_sum(tape, lg_dense_apply(tape, dense, x))), LG_OK);
    const lg_real *w = lg_tensor_data(lg_dense_weight(dense));
    for (size_t i = 0; i < IN; i++) {
        double column = 0;
        for (size_t r = 0; r < BATCH; r++)
            column += (double)values[r * IN + i];
        for (size_t o = 0; o < OUT; o++)
            ck_assert_double_eq_tol((double)lg_tensor_grad(lg_dense_weight(dense))[o * IN + i], column, tolerance);
        for (size_t r = 0; r < BATCH; r++)
            ck_assert_double_eq_tol((double)lg_tensor_grad(x)[r * IN + i], (double)(w[i] + w[IN + i]), tolerance);
    }
    for (size_t o = 0; o < OUT; o++)
        ck_assert_double_eq_tol((double)lg_tensor_grad(lg_dense_bias(dense))[o], BATCH, tolerance);
    lg_tape_free(tape);
    lg_params_free(params);
}
END_TEST

/* Mean and variance of 60000 draws: five standard errors of each for the widest distribution here, the normal. */
static void expect_moments(lg_tensor *tensor, double variance, double bound)
{
    const size_t n = lg_tensor_size(tensor);
    const lg_real *x = lg_tensor_data(tensor);
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)x[i];
        squares += (double)x[i] * (double)x[i];
        ck_assert(fabs((double)x[i]) <= bound * (1 + 1e-6));
    }
    ck_assert_double_le(fabs(sum / (double)n), 5 * sqrt(variance / (double)n));
    ck_assert_double_eq_tol(squares / (double)n / variance, 1, 5 * sqrt(2 / (double)n));
}

static void expect_all_zero(lg_tensor *tensor)
{
    for (size_t i = 0; i < lg_tensor_size(tensor); i++)
        ck_assert(lg_tensor_data(tensor)[i] == 0);
}

START_TEST(weights_begin_as_their_init_says)
{
    const double in = 200, out = 300;
    const struct {
        lg_init init;
        double variance, bound;
    } rows[] = {
        { LG_INIT_DEFAULT, 1 / (3 * in), 1 / sqrt(in) },
        { LG_INIT_GLOROT_UNIFORM, 2 / (in + out), sqrt(6 / (in + out)) },
        { LG_INIT_GLOROT_NORMAL, 2 / (in + out), (double)INFINITY },
        { LG_INIT_HE_UNIFORM, 2 / in, sqrt(6 / in) },
        { LG_INIT_HE_NORMAL, 2 / in, (double)INFINITY },
    };
    lg_rng rng = lg_rng_seed(3);
    for (size_t i = 0; i < COUNT(rows); i++) {
        lg_params *params = lg_params_new();
        const lg_dense_options options = { .init = rows[i].init };
        lg_dense *dense = lg_dense_new_with(params, NULL, (size_t)in, (size_t)out, &options, &rng);
        expect_moments(lg_dense_weight(dense), rows[i].variance, rows[i].bound);
        if (rows[i].init == LG_INIT_DEFAULT)
            expect_moments(lg_dense_bias(dense), rows[i].variance, rows[i].bound);
        else
            expect_all_zero(lg_dense_bias(dense));
        lg_params_free(params);
    }
    lg_params *params = lg_params_new();
    lg_dense *zeros = lg_dense_new_with(params, NULL, 20, 30, &(lg_dense_options){ .init = LG_INIT_ZEROS }, NULL);
    ck_assert_ptr_nonnull(zeros);
    expect_all_zero(lg_dense_weight(zeros));
    expect_all_zero(lg_dense_bias(zeros));
    lg_params_free(params);
}
END_TEST

START_TEST(the_same_seed_gives_the_same_layer)
{
    lg_params *params[] = { lg_params_new(), lg_params_new() };
    lg_dense *dense[2];
    for (size_t i = 0; i < 2; i++) {
        lg_rng rng = lg_rng_seed(99);
        dense[i] = lg_dense_new(params[i], "d", 10, 10, &rng);
    }
    ck_assert_mem_eq(lg_tensor_data(lg_dense_weight(dense[0])), lg_tensor_data(lg_dense_weight(dense[1])),
                     100 * sizeof(lg_real));
    ck_assert_mem_eq(lg_tensor_data(lg_dense_bias(dense[0])), lg_tensor_data(lg_dense_bias(dense[1])),
                     10 * sizeof(lg_real));
    lg_params_free(params[0]);
    lg_params_free(params[1]);
}
END_TEST

START_TEST(names_are_given_or_numbered_and_never_shared)
{
    lg_rng rng = lg_rng_seed(0);
    lg_params *params = lg_params_new();
    ck_assert_str_eq(lg_dense_name(lg_dense_new(params, NULL, 2, 2, &rng)), "dense_1");
    ck_assert_str_eq(lg_dense_name(lg_dense_new(params, "dense_2", 2, 2, &rng)), "dense_2");
    ck_assert_str_eq(lg_dense_name(lg_dense_new(params, "hidden", 2, 2, &rng)), "hidden");
    ck_assert_str_eq(lg_dense_name(lg_dense_new(params, NULL, 2, 2, &rng)), "dense_3");
    const char *expected[] = { "dense_1.weight", "dense_1.bias",  "dense_2.weight", "dense_2.bias",
                               "hidden.weight",  "hidden.bias", "dense_3.weight", "dense_3.bias" };
    ck_assert_uint_eq(lg_params_count(params), COUNT(expected));
    for (size_t i = 0; i < COUNT(expected); i++)
        ck_assert_str_eq(lg_params_name(params, i), expected[i]);
    ck_assert_ptr_null(lg_dense_new(params, "hidden", 2, 2, &rng));
    expect_error(LG_E_PARAM, "\"hidden.weight\" already");
    char long_name[200] = { 0 };
    memset(long_name, 'n', 120);
    ck_assert_ptr_null(lg_dense_new(params, long_name, 2, 2, &rng));
    expect_error(LG_E_PARAM, "1 to 119 bytes");
    long_name[119] = '\0';
    ck_assert_ptr_nonnull(lg_dense_new(params, long_name, 2, 2, &rng));
    ck_assert_ptr_null(lg_dense_new(params, "", 2, 2, &rng));
    expect_error(LG_E_PARAM, "1 to 119 bytes");
    lg_params_free(params);
}
END_TEST

START_TEST(a_layer_that_cannot_be_made_leaves_the_set_as_it_was)
{
    lg_rng rng = lg_rng_seed(0);
    lg_params *params = lg_params_new();
    ck_assert_ptr_nonnull(lg_params_add(params, "half.bias", LG_SHAPE(1)));
    lg_tensor_data(lg_params_at(params, 0))[0] = 5;
    ck_assert_ptr_null(lg_dense_new(params, "half", 100, 100, &rng)); /* fails at its bias */
    expect_error(LG_E_PARAM, "\"half.bias\" already");
    ck_assert_uint_eq(lg_params_count(params), 1);
    ck_assert_uint_eq(lg_params_size(params), 1);
    ck_assert_ptr_nonnull(lg_dense_new(params, "next", 2, 2, &rng));
    ck_assert(lg_tensor_data(lg_params_at(params, 0))[0] == 5);
    ck_assert_str_eq(lg_params_name(params, 1), "next.weight");
    const lg_dense_options no_bias = { .no_bias = true };
    lg_dense *half = lg_dense_new_with(params, "half", 3, 2, &no_bias, &rng);
    ck_assert_ptr_nonnull(half);
    ck_assert_ptr_null(lg_dense_bias(half));
    ck_assert_uint_eq(lg_params_size(params), 1 + 6 + 6);
    lg_params_free(params);
}
END_TEST

START_TEST(bad_arguments_are_refused_and_null_keeps_the_first_message)
{
    lg_rng rng = lg_rng_seed(0);
    lg_params *params = lg_params_new();
    ck_assert_ptr_null(lg_dense_new(params, "d", 0, 2, &rng));
    expect_error(LG_E_PARAM, "widths are 0 and 2");
    ck_assert_ptr_null(lg_dense_new(params, "d", 2, 2, NULL));
    expect_error(LG_E_PARAM, "rng is NULL");
    ck_assert_ptr_null(lg_dense_new(NULL, "d", 2, 2, &rng));
    expect_error(LG_E_PARAM, "params is NULL");
    ck_assert_ptr_null(lg_dense_new(params, "d", SIZE_MAX / 2, 3, &rng));
    expect_error(LG_E_SHAPE, "");
    ck_assert_ptr_null(lg_dense_new_with(params, "d", 2, 2, &(lg_dense_options){ .init = (lg_init)50 }, &rng));
    expect_error(LG_E_PARAM, "no init 50");
    ck_assert_ptr_null(lg_dense_new_with(params, "d", 2, 2, &(lg_dense_options){ .activation = (lg_activation)50 }, &rng));
    expect_error(LG_E_PARAM, "no activation 50");
    ck_assert_uint_eq(lg_params_count(params), 0);

    lg_tape *tape = lg_tape_new();
    lg_dense *dense = lg_dense_new(params, "d", 3, 2, &rng);
    lg_tensor *wide = lg_constant(tape, LG_SHAPE(1, 4), (const lg_real[4]){ 0 });
    ck_assert_ptr_null(lg_dense_apply(tape, dense, wide));
    expect_error(LG_E_SHAPE, "linear");
    lg_fail(LG_E_IO, "what failed first");
    ck_assert_ptr_null(lg_dense_apply(tape, NULL, wide));
    ck_assert_ptr_null(lg_dense_apply(tape, dense, NULL));
    ck_assert_ptr_null(lg_dense_new(NULL, "d", 2, 2, &rng));
    ck_assert(lg_layer_dense(NULL).apply == NULL);
    ck_assert_ptr_null(lg_layer_apply(tape, NULL, wide));
    expect_error(LG_E_IO, "what failed first");
    lg_optimizer *sgd = lg_sgd_new(params, NULL);
    ck_assert_ptr_null(lg_dense_new(params, "late", 2, 2, &rng));
    expect_error(LG_E_STATE, "add layers first");
    lg_optimizer_free(sgd);
    lg_tape_free(tape);
    lg_params_free(params);
}
END_TEST

/* --------------------------------------------------- training with layers */

enum { ROWS = 8, WIDE = 3 };

/* Sum over the rows of (dense(x) - 1)^2. */
static lg_tensor *squared_error(lg_tape *tape, const lg_dense *dense, size_t rows, const lg_real *x)
{
    lg_tensor *y = lg_dense_apply(tape, dense, lg_constant(tape, LG_SHAPE(rows, WIDE), x)); /* [rows, 2] */
    return lg_sum(tape, lg_square(tape, lg_add_scalar(tape, y, -1)));
}

START_TEST(gradients_of_two_batches_add_up_to_those_of_both_together)
{
    lg_rng rng = lg_rng_seed(5);
    lg_params *params = lg_params_new();
    lg_dense *dense = lg_dense_new(params, NULL, WIDE, 2, &rng);
    lg_tape *tape = lg_tape_new();
    lg_real x[ROWS * WIDE], together[2 * WIDE];
    random_values(&rng, ROWS * WIDE, x);
    ck_assert_int_eq(lg_backward(tape, squared_error(tape, dense, ROWS, x)), LG_OK);
    memcpy(together, lg_tensor_grad(lg_dense_weight(dense)), sizeof together);

    lg_params_zero_grad(params);
    for (size_t begin = 0; begin < ROWS; begin += 5) {
        lg_tape_reset(tape);
        const size_t rows = begin == 0 ? 5 : ROWS - 5;
        ck_assert_int_eq(lg_backward(tape, squared_error(tape, dense, rows, x + begin * WIDE)), LG_OK);
    }
    for (size_t i = 0; i < 2 * WIDE; i++)
        ck_assert_double_eq_tol((double)lg_tensor_grad(lg_dense_weight(dense))[i], (double)together[i], 10 * tolerance);
    lg_tape_free(tape);
    lg_params_free(params);
}
END_TEST

/* A generator and a critic, as in a GAN: the generator's loss sends gradients through the critic into both sets, and
 * each optimizer moves its own alone. */
START_TEST(two_sets_train_against_each_other)
{
    lg_rng rng = lg_rng_seed(11);
    lg_params *g_params = lg_params_new(), *c_params = lg_params_new();
    lg_dense *generator = lg_dense_new(g_params, "g", 2, 2, &rng), *critic = lg_dense_new(c_params, "c", 2, 1, &rng);
    lg_optimizer *g_adam = lg_adam_new(g_params, NULL), *c_adam = lg_adam_new(c_params, NULL);
    lg_tape *tape = lg_tape_new();
    lg_real noise[8];
    lg_tensor *z = lg_constant(tape, LG_SHAPE(4, 2), random_values(&rng, 8, noise));
    lg_tensor *score = lg_dense_apply(tape, critic, lg_dense_apply(tape, generator, z)); /* [4, 1] */
    ck_assert_int_eq(lg_backward(tape, lg_neg(tape, lg_mean(tape, score))), LG_OK);
    ck_assert_double_gt(lg_params_grad_norm(g_params), 0);
    ck_assert_double_gt(lg_params_grad_norm(c_params), 0);

    const lg_real g_before = lg_tensor_data(lg_dense_weight(generator))[0];
    const lg_real c_before = lg_tensor_data(lg_dense_weight(critic))[0];
    ck_assert_int_eq(lg_optimizer_step(g_adam), LG_OK);
    ck_assert(lg_tensor_data(lg_dense_weight(generator))[0] != g_before);
    ck_assert(lg_tensor_data(lg_dense_weight(critic))[0] == c_before);
    lg_optimizer_zero_grad(c_adam);
    ck_assert_double_eq(lg_params_grad_norm(c_params), 0);
    ck_assert_double_gt(lg_params_grad_norm(g_params), 0);
    ck_assert_int_eq(lg_optimizer_step(c_adam), LG_OK); /* gradient 0: nothing moves */
    ck_assert(lg_tensor_data(lg_dense_weight(critic))[0] == c_before);
    lg_optimizer_free(g_adam);
    lg_optimizer_free(c_adam);
    lg_tape_free(tape);
    lg_params_free(g_params);
    lg_params_free(c_params);
}
END_TEST

START_TEST(a_steady_training_step_allocates_nothing)
{
    lg_rng rng = lg_rng_seed(5);
    lg_params *params = lg_params_new();
    lg_dense *dense = lg_dense_new(params, NULL, WIDE, 2, &rng);
    lg_optimizer *adam = lg_adam_new(params, NULL);
    lg_tape *tape = lg_tape_new();
    lg_real x[ROWS * WIDE];
    random_values(&rng, ROWS * WIDE, x);
    for (int step = 0; step < 10; step++) {
        if (step == 3)
            fail_alloc_at(0);
        lg_tape_reset(tape);
        lg_backward(tape, squared_error(tape, dense, ROWS, x));
        lg_params_clip_norm(params, 1);
        lg_optimizer_step(adam);
        lg_optimizer_zero_grad(adam);
    }
    fail_alloc_off();
    ck_assert_uint_eq(fail_alloc_count(), 0);
    ck_assert_uint_eq(lg_optimizer_steps(adam), 10);
    lg_optimizer_free(adam);
    lg_tape_free(tape);
    lg_params_free(params);
}
END_TEST

/* ----------------------------------------------------- layers of any kind */

START_TEST(an_activation_layer_is_the_operation_of_its_name)
{
    lg_tape *tape = lg_tape_new();
    lg_rng rng = lg_rng_seed(2);
    lg_real values[12];
    lg_tensor *x = lg_constant(tape, LG_SHAPE(3, 4), random_values(&rng, 12, values));
    lg_tensor *expected[] = { x,
                              lg_relu(tape, x),
                              lg_tanh(tape, x),
                              lg_sigmoid(tape, x),
                              lg_leaky_relu(tape, x, 0.01),
                              lg_elu(tape, x, 1),
                              lg_silu(tape, x),
                              lg_softplus(tape, x),
                              lg_gelu(tape, x),
                              lg_softmax(tape, x, 1),
                              lg_log_softmax(tape, x, 1),
                              lg_leaky_relu(tape, x, 0.3),
                              lg_elu(tape, x, 2) };
    for (int i = 0; i < (int)COUNT(expected); i++) {
        lg_activation found;
        lg_layer layer = i == 11 ? lg_layer_leaky_relu(0.3) : i == 12 ? lg_layer_elu(2)
                                                                      : lg_layer_activation((lg_activation)i);
        lg_tensor *y = lg_layer_apply(tape, &layer, x);
        ck_assert_msg(y && expected[i], "%s", lg_error());
        ck_assert_mem_eq(lg_tensor_data(y), lg_tensor_data(expected[i]), sizeof values);
        ck_assert_int_eq(lg_activation_by_name(layer.type, &found), LG_OK);
        if (i < 11)
            ck_assert_int_eq((int)found, i);
    }
    lg_activation found;
    ck_assert_int_eq(lg_activation_by_name("rellu", &found), LG_E_PARAM);
    expect_error(LG_E_PARAM, "did you mean \"relu\"?");
    ck_assert_ptr_null(lg_activation_name((lg_activation)11));
    lg_tape_free(tape);
}
END_TEST

START_TEST(dropout_acts_in_training_only)
{
    enum { N = 1000 };
    lg_tape *tape = lg_tape_new();
    lg_tensor *x = lg_tensor_full(LG_SHAPE(1, N), 1);
    lg_layer dropout = lg_layer_dropout(0.25);
    size_t zeros = 0;
    lg_tensor *y = lg_layer_apply(tape, &dropout, x);
    for (size_t i = 0; i < N; i++) {
        const double value = (double)lg_tensor_data(y)[i];
        ck_assert(value == 0 || fabs(value - 1 / 0.75) < 1e-6);
        zeros += value == 0;
    }
    ck_assert_uint_ge(zeros, 180); /* 250 expected, deviation 13.7 */
    ck_assert_uint_le(zeros, 320);
    lg_tape_reset(tape);
    lg_tape_set_training(tape, false);
    y = lg_layer_apply(tape, &dropout, x);
    for (size_t i = 0; i < N; i++)
        ck_assert(lg_tensor_data(y)[i] == 1);
    lg_tensor_free(x);
    lg_tape_free(tape);
}
END_TEST

START_TEST(flatten_keeps_the_batch_axis)
{
    lg_tape *tape = lg_tape_new();
    lg_rng rng = lg_rng_seed(2);
    lg_real values[24];
    lg_layer flatten = lg_layer_flatten();
    lg_tensor *x = lg_constant(tape, LG_SHAPE(2, 3, 4), random_values(&rng, 24, values));
    lg_tensor *y = lg_layer_apply(tape, &flatten, x);
    ck_assert_uint_eq(lg_tensor_rank(y), 2);
    ck_assert_uint_eq(lg_tensor_dim(y, 0), 2);
    ck_assert_uint_eq(lg_tensor_dim(y, 1), 12);
    ck_assert_mem_eq(lg_tensor_data(y), values, sizeof values);
    lg_tensor *empty = lg_layer_apply(tape, &flatten, lg_constant(tape, LG_SHAPE(0, 3, 4), NULL));
    ck_assert_uint_eq(lg_tensor_dim(empty, 0), 0);
    ck_assert_uint_eq(lg_tensor_dim(empty, 1), 12);
    ck_assert_ptr_null(lg_layer_apply(tape, &flatten, lg_constant(tape, LG_SCALAR_SHAPE, values)));
    expect_error(LG_E_SHAPE, "batch axis");
    lg_tape_free(tape);
}
END_TEST

START_TEST(a_layer_out_of_range_is_refused_when_it_is_made)
{
    ck_assert(lg_layer_dropout(1.5).apply == NULL);
    expect_error(LG_E_PARAM, "rate is 1.5, but must be from 0 to 1");
    ck_assert(lg_layer_dropout((double)NAN).apply == NULL);
    expect_error(LG_E_PARAM, "rate is nan");
    ck_assert(lg_layer_elu((double)INFINITY).apply == NULL);
    expect_error(LG_E_PARAM, "alpha is inf");
    ck_assert(lg_layer_activation((lg_activation)99).apply == NULL);
    expect_error(LG_E_PARAM, "no activation 99");
    lg_layer broken = lg_layer_dropout(-1);
    lg_tape *tape = lg_tape_new();
    ck_assert_ptr_null(lg_layer_apply(tape, &broken, lg_constant(tape, LG_SHAPE(1), (const lg_real[]){ 1 })));
    expect_error(LG_E_PARAM, "rate is -1");
    lg_tape_free(tape);
}
END_TEST

/* ----------------------------------------------------------------- memory */

static lg_status make_train_free(void *context)
{
    lg_rng rng = lg_rng_seed(4);
    const lg_real x[6] = { 1, 2, 3, 4, 5, 6 };
    (void)context;
    lg_params *params = lg_params_new();
    lg_dense *hidden = lg_dense_new(params, "hidden", 3, 4, &rng), *out = lg_dense_new(params, NULL, 4, 2, &rng);
    lg_optimizer *adam = out ? lg_adam_new(params, NULL) : NULL;
    lg_tape *tape = lg_tape_new();
    lg_tensor *h = lg_tanh(tape, lg_dense_apply(tape, hidden, lg_constant(tape, LG_SHAPE(2, 3), x))); /* [2, 4] */
    lg_status status = lg_backward(tape, lg_mean(tape, lg_dense_apply(tape, out, h)));
    if (status == LG_OK)
        status = lg_optimizer_step(adam);
    lg_optimizer_free(adam);
    lg_tape_free(tape);
    lg_params_free(params);
    return status;
}

START_TEST(every_failing_allocation_is_reported_and_leaks_nothing)
{
    ck_assert_uint_ge(for_each_allocation_failure(make_train_free, NULL), 20);
}
END_TEST

Suite *layers_suite(void)
{
    Suite *suite = suite_create("layers");
    TCase *dense = tcase_create("dense");
    tcase_add_checked_fixture(dense, lg_error_clear, NULL);
    tcase_add_test(dense, dense_is_x_times_weight_transposed_plus_bias);
    tcase_add_test(dense, dense_has_the_gradients_of_its_formula);
    tcase_add_test(dense, weights_begin_as_their_init_says);
    tcase_add_test(dense, the_same_seed_gives_the_same_layer);
    tcase_add_test(dense, names_are_given_or_numbered_and_never_shared);
    tcase_add_test(dense, a_layer_that_cannot_be_made_leaves_the_set_as_it_was);
    tcase_add_test(dense, bad_arguments_are_refused_and_null_keeps_the_first_message);
    suite_add_tcase(suite, dense);
    TCase *training = tcase_create("training");
    tcase_add_checked_fixture(training, lg_error_clear, NULL);
    tcase_add_test(training, gradients_of_two_batches_add_up_to_those_of_both_together);
    tcase_add_test(training, two_sets_train_against_each_other);
    tcase_add_test(training, a_steady_training_step_allocates_nothing);
    suite_add_tcase(suite, training);
    TCase *kinds = tcase_create("kinds");
    tcase_add_checked_fixture(kinds, lg_error_clear, NULL);
    tcase_add_test(kinds, an_activation_layer_is_the_operation_of_its_name);
    tcase_add_test(kinds, dropout_acts_in_training_only);
    tcase_add_test(kinds, flatten_keeps_the_batch_axis);
    tcase_add_test(kinds, a_layer_out_of_range_is_refused_when_it_is_made);
    suite_add_tcase(suite, kinds);
    TCase *memory = tcase_create("memory");
    tcase_add_checked_fixture(memory, lg_error_clear, NULL);
    tcase_add_test(memory, every_failing_allocation_is_reported_and_leaks_nothing);
    suite_add_tcase(suite, memory);
    return suite;
}
