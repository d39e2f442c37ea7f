/* What the table and PyTorch's values do not reach: ties, extremes, NaN, accuracy of sums, dropout, and the messages. */
#include "autograd/ops.h"
#include "tensor/tensor_internal.h"

#include "support.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static lg_tape *tape;

static void set_up(void)
{
    lg_error_clear();
    tape = lg_tape_new();
    ck_assert_ptr_nonnull(tape);
}

static void tear_down(void)
{
    lg_tape_free(tape);
}

#define INF (lg_real) INFINITY
#define NOT (lg_real) NAN
#define EPSILON (LG_REAL_BITS == 64 ? 0x1p-52 : 0x1p-23)

static lg_tensor *variable(size_t n, const lg_real *values)
{
    lg_tensor *x = lg_variable(tape, LG_SHAPE(n), values);
    ck_assert_ptr_nonnull(x);
    return x;
}

static void assert_close(lg_real value, double wanted, double tolerance)
{
    ck_assert_msg(isnan(wanted) ? isnan(value) : (double)value == wanted || fabs((double)value - wanted) <= tolerance,
                  "%.9g instead of %.9g", (double)value, wanted);
}

/* Runs backward from the sum of y, and compares y and the gradient of x. */
static void assert_op(lg_tensor *y, lg_tensor *x, const double *values, const double *gradients)
{
    ck_assert_msg(y != NULL, "%s", lg_error());
    lg_tensor *upstream = lg_tensor_full(lg_tensor_rank(y), lg_tensor_dims(y), 1);
    ck_assert_msg(lg_backward_from(tape, y, upstream) == LG_OK, "%s", lg_error());
    for (size_t i = 0; i < lg_tensor_size(x); i++) {
        assert_close(lg_tensor_data(y)[i], values[i], 4 * EPSILON * fmax(1, fabs(values[i])));
        assert_close(lg_tensor_grad(x)[i], gradients[i], 4 * EPSILON * fmax(1, fabs(gradients[i])));
    }
    lg_tensor_free(upstream);
    lg_tape_reset(tape);
}

/* --------------------------------------------------------- kinks and extremes */

START_TEST(kinks_have_the_documented_side)
{
    const lg_real at[] = { 0, -1, 2, NOT };
    lg_tensor *x = variable(4, at);
    assert_op(lg_relu(tape, x), x, (const double[]){ 0, 0, 2, NAN }, (const double[]){ 0, 0, 1, 1 });
    x = variable(4, at);
    assert_op(lg_abs(tape, x), x, (const double[]){ 0, 1, 2, NAN }, (const double[]){ 0, -1, 1, 1 });
    x = variable(4, at);
    assert_op(lg_leaky_relu(tape, x, 0.5), x, (const double[]){ 0, -0.5, 2, NAN }, (const double[]){ 0.5, 0.5, 1, 1 });
    x = variable(4, at); /* the bounds themselves pass */
    assert_op(lg_clamp(tape, x, -1, 0), x, (const double[]){ 0, -1, 0, NAN }, (const double[]){ 1, 1, 0, 1 });
    x = variable(4, at);
    assert_op(lg_clamp(tape, x, -(double)INFINITY, 1), x, (const double[]){ 0, -1, 1, NAN },
              (const double[]){ 1, 1, 0, 1 });
    x = variable(3, at);
    assert_op(lg_sqrt(tape, x), x, (const double[]){ 0, NAN, sqrt(2) }, (const double[]){ INFINITY, NAN, sqrt(0.125) });
    x = variable(3, at);
    assert_op(lg_log(tape, x), x, (const double[]){ -INFINITY, NAN, log(2) }, (const double[]){ INFINITY, -1, 0.5 });
}
END_TEST

START_TEST(powers_of_zero_are_defined)
{
    const lg_real at[] = { 0, 4 };
    lg_tensor *x = variable(2, at);
    assert_op(lg_pow(tape, x, -1), x, (const double[]){ INFINITY, 0.25 }, (const double[]){ -INFINITY, -1.0 / 16 });
    x = variable(2, at);
    assert_op(lg_pow(tape, x, 0), x, (const double[]){ 1, 1 }, (const double[]){ 0, 0 });
    x = variable(2, at);
    assert_op(lg_pow(tape, x, 1), x, (const double[]){ 0, 4 }, (const double[]){ 1, 1 });
    x = variable(2, at);
    assert_op(lg_pow(tape, x, 0.5), x, (const double[]){ 0, 2 }, (const double[]){ INFINITY, 0.25 });
    x = variable(2, at);
    assert_op(lg_pow(tape, x, 2), x, (const double[]){ 0, 16 }, (const double[]){ 0, 8 });
    x = variable(2, (const lg_real[]){ -8, -2 });
    assert_op(lg_pow(tape, x, 3), x, (const double[]){ -512, -8 }, (const double[]){ 192, 12 });
    x = variable(1, (const lg_real[]){ -8 });
    assert_op(lg_pow(tape, x, 0.5), x, (const double[]){ NAN }, (const double[]){ NAN });
}
END_TEST

START_TEST(activations_reach_their_limits)
{
    const lg_real at[] = { -INF, -1e4, 1e4, INF, NOT };
    const double rising[] = { 0, 0, 1e4, INFINITY, NAN }, step[] = { 0, 0, 1, 1, NAN };
    lg_tensor *x = variable(5, at);
    assert_op(lg_silu(tape, x), x, rising, step);
    x = variable(5, at);
    assert_op(lg_gelu(tape, x), x, rising, step);
    x = variable(5, at);
    assert_op(lg_softplus(tape, x), x, rising, step);
    x = variable(5, at);
    assert_op(lg_sigmoid(tape, x), x, (const double[]){ 0, 0, 1, 1, NAN }, (const double[]){ 0, 0, 0, 0, NAN });
    x = variable(5, at);
    assert_op(lg_tanh(tape, x), x, (const double[]){ -1, -1, 1, 1, NAN }, (const double[]){ 0, 0, 0, 0, NAN });
    x = variable(4, at);
    assert_op(lg_elu(tape, x, 2), x, (const double[]){ -2, -2, 1e4, INFINITY }, (const double[]){ 0, 0, 1, 1 });
}
END_TEST

START_TEST(elu_silu_and_add_scalar_are_their_formulas)
{
    lg_real at[41];
    double y[3][41], d[3][41];
    for (size_t i = 0; i < 41; i++) {
        const double x = -4 + 0.2 * (double)i, v = (double)(at[i] = (lg_real)x), s = 1 / (1 + exp(-v));
        y[0][i] = v > 0 ? v : 1.5 * expm1(v), d[0][i] = v > 0 ? 1 : 1.5 * exp(v);
        y[1][i] = v * s, d[1][i] = s + v * s * (1 - s);
        y[2][i] = v + 0.375, d[2][i] = 1;
    }
    lg_tensor *x = variable(41, at);
    assert_op(lg_elu(tape, x, 1.5), x, y[0], d[0]);
    x = variable(41, at);
    assert_op(lg_silu(tape, x), x, y[1], d[1]);
    x = variable(41, at);
    assert_op(lg_add_scalar(tape, x, 0.375), x, y[2], d[2]);
}
END_TEST

START_TEST(ties_go_to_the_first)
{
    lg_tensor *a = variable(4, (const lg_real[]){ 1, 2, NOT, 3 }), *b = variable(4, (const lg_real[]){ 1, 3, 3, NOT });
    lg_tensor *high = lg_maximum(tape, a, b), *low = lg_minimum(tape, a, b);
    for (size_t i = 2; i < 4; i++)
        ck_assert(isnan(lg_tensor_data(high)[i]) && isnan(lg_tensor_data(low)[i]));
    ck_assert(lg_tensor_data(high)[1] == 3 && lg_tensor_data(low)[1] == 2);
    lg_tensor *upstream = lg_constant(tape, LG_SHAPE(4), (const lg_real[]){ 1, 1, 1, 1 });
    ck_assert_int_eq(lg_backward_from(tape, high, upstream), LG_OK);
    const lg_real *ga = lg_tensor_grad(a), *gb = lg_tensor_grad(b);
    ck_assert(ga[0] == 1 && gb[0] == 0 && ga[1] == 0 && gb[1] == 1 && ga[2] == 1 && gb[3] == 1);

    lg_tape_reset(tape);
    lg_tensor *x = lg_variable(tape, LG_SHAPE(2, 3), (const lg_real[]){ 5, 7, 7, NOT, 9, NOT });
    lg_tensor *y = lg_max_axis(tape, x, 1, false);
    ck_assert(lg_tensor_data(y)[0] == 7 && isnan(lg_tensor_data(y)[1]));
    ck_assert_int_eq(lg_backward_from(tape, y, lg_constant(tape, LG_SHAPE(2), (const lg_real[]){ 2, 3 })), LG_OK);
    const lg_real expected[] = { 0, 2, 0, 3, 0, 0 };
    ck_assert_mem_eq(lg_tensor_grad(x), expected, sizeof expected);
}
END_TEST

START_TEST(softmax_survives_extremes)
{
    const lg_real at[] = { 1e4, -1e4, 0, -INF, 0, 0, -INF, -INF, -INF, INF, 0, 0, NOT, 0, 0 };
    lg_tensor *x = lg_constant(tape, LG_SHAPE(5, 3), at);
    lg_tensor *p = lg_softmax(tape, x, 1), *l = lg_log_softmax(tape, x, 1);
    const double half = 0.5, none = NAN;
    const double wanted[] = { 1, 0, 0, 0, half, half, none, none, none, none, none, none, none, none, none };
    const double logs[] = { 0, -2e4, -1e4, -INFINITY, -log(2), -log(2) };
    /* The same across columns. */
    lg_tensor *across = lg_transpose(tape, lg_softmax(tape, lg_transpose(tape, x, 0, 1), 0), 0, 1);
    lg_tensor *logs_across = lg_transpose(tape, lg_log_softmax(tape, lg_transpose(tape, x, 0, 1), 0), 0, 1);
    for (size_t i = 0; i < 15; i++) {
        /* exp(0 - inf) is 0 beside a +inf, whose own place is NaN; the sum makes all NaN. */
        assert_close(lg_tensor_data(p)[i], wanted[i], EPSILON);
        assert_close(lg_tensor_data(across)[i], wanted[i], EPSILON);
        const double log_wanted = i < 6 ? logs[i] : (double)NAN;
        assert_close(lg_tensor_data(l)[i], log_wanted, 2e4 * EPSILON);
        assert_close(lg_tensor_data(logs_across)[i], log_wanted, 2e4 * EPSILON);
    }
}
END_TEST

START_TEST(softmax_rows_of_any_length_sum_to_one)
{
    lg_rng rng = lg_rng_seed(1);
    static const size_t shapes[][2] = { { 100, 28 }, { 3, 1024 }, { 2, 1025 }, { 5, 5000 }, { 3000, 1 }, { 4, 2 } };
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
        lg_tensor *x = lg_tensor_normal(2, shapes[s], 0, 3, &rng);
        lg_tensor *p = lg_softmax(tape, x, 1), *l = lg_log_softmax(tape, x, 1);
        for (size_t r = 0; r < shapes[s][0]; r++) {
            double sum = 0, sum_of_exp = 0, direct = 0;
            for (size_t i = 0; i < shapes[s][1]; i++) {
                const size_t at = r * shapes[s][1] + i;
                sum += (double)lg_tensor_data(p)[at];
                sum_of_exp += exp((double)lg_tensor_data(l)[at]);
                direct += exp((double)lg_tensor_data(x)[at]);
            }
            const double own = (double)shapes[s][1] * 0x1p-53; /* the rounding of these three sums themselves */
            ck_assert_double_eq_tol(sum, 1, 8 * EPSILON + own);
            ck_assert_double_eq_tol(sum_of_exp, 1, 32 * EPSILON + own);
            const double first = exp((double)lg_tensor_data(x)[r * shapes[s][1]]) / direct;
            assert_close(lg_tensor_data(p)[r * shapes[s][1]], first, 32 * EPSILON * first);
        }
        lg_tensor_free(x);
    }
}
END_TEST

START_TEST(softmax_is_right_in_every_place_of_any_number_of_rows)
{
    static const size_t numbers[] = { 1, 3, 15, 16, 17, 63, 64, 65, 150 };
    static const size_t lengths[] = { 1, 2, 3, 4, 5, 10, 17, 63, 64, 65, 100, 130 };
    lg_rng rng = lg_rng_seed(2);
    for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n += test_stride(4))
        for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k += test_stride(5)) {
            const size_t rows = numbers[n], length = lengths[k];
            lg_tape_reset(tape);
            lg_tensor *x = lg_tensor_normal(LG_SHAPE(rows, length), 0, 3, &rng);
            const lg_real *at = lg_tensor_data(x);
            const lg_real *p = lg_tensor_data(lg_softmax(tape, x, 1)), *l = lg_tensor_data(lg_log_softmax(tape, x, 1));
            for (size_t r = 0; r < rows; r++) {
                double sum = 0;
                for (size_t i = 0; i < length; i++)
                    sum += exp((double)at[r * length + i]);
                for (size_t i = r * length; i < (r + 1) * length; i++) {
                    const double wanted = exp((double)at[i]) / sum;
                    assert_close(p[i], wanted, 32 * EPSILON * wanted);
                    assert_close(l[i], log(wanted), 32 * EPSILON * (1 + fabs(log(wanted))));
                }
            }
            lg_tensor_free(x);
        }
}
END_TEST

/* ------------------------------------------------------------------ accuracy */

START_TEST(sums_are_made_in_double)
{
    /* 2^24 + 1 + 1 + ...: in float every 1 would be lost. In double, 2^53. */
    const lg_real large = LG_REAL_BITS == 64 ? 0x1p26F : 0x1p24F;
    lg_tensor *x = lg_tensor_full(LG_SHAPE(4, 1000), 1);
    for (size_t r = 0; r < 4; r++)
        lg_tensor_data(x)[r * 1000] = large;
    const double row = (double)large + 999;
    assert_close(lg_tensor_data(lg_sum(tape, x))[0], (double)(lg_real)(4 * row), 0);
    assert_close(lg_tensor_data(lg_sum_axis(tape, x, 1, false))[3], (double)(lg_real)row, 0);
    lg_tensor *turned = lg_transpose(tape, x, 0, 1);
    assert_close(lg_tensor_data(lg_sum_axis(tape, turned, 0, false))[2], (double)(lg_real)row, 0);
    assert_close(lg_tensor_data(lg_mean(tape, x))[0], (double)(lg_real)(row / 1000), 0);
    /* And gradients that are summed over a broadcast, or over the rows of a layer. */
    lg_tensor *b = lg_variable(tape, LG_SCALAR_SHAPE, (const lg_real[]){ 0 });
    lg_tensor *c = lg_variable(tape, LG_SHAPE(1000, 1), (const lg_real[1000]){ 0 });
    lg_tensor *bias = lg_variable(tape, LG_SHAPE(4), (const lg_real[4]){ 0 });
    lg_tensor *w = lg_constant(tape, LG_SHAPE(4, 1), (const lg_real[4]){ 0 });
    lg_tensor *y = lg_mul(tape, lg_add(tape, lg_add(tape, b, c), lg_linear(tape, c, w, bias, LG_LINEAR)), turned);
    ck_assert_int_eq(lg_backward(tape, lg_sum(tape, y)), LG_OK);
    assert_close(lg_tensor_grad(b)[0], (double)(lg_real)(4 * row), 0);
    assert_close(lg_tensor_grad(bias)[1], (double)(lg_real)row, 0);
    assert_close(lg_tensor_grad(c)[0], (double)(4 * large), 0);
    lg_tensor_free(x);
}
END_TEST

enum { LAYER_ROWS = 150, LAYER_IN = 3, LAYER_OUT = 4096, LAYER_TIMES = 2 }; /* backward takes such a layer 64 rows at a time */

/* Whether two gradients are the same but for rounding, of a sum over the rows. */
static void assert_same_gradient(lg_tensor *a, lg_tensor *b)
{
    double worst = 0, largest = 0;
    for (size_t i = 0; i < lg_tensor_size(a); i++) {
        const double difference = fabs((double)lg_tensor_grad(a)[i] - (double)lg_tensor_grad(b)[i]);
        worst = !(difference <= worst) ? difference : worst;
        largest = fmax(largest, fabs((double)lg_tensor_grad(a)[i]));
    }
    ck_assert_double_gt(largest, 0);
    ck_assert_double_le(worst, LAYER_ROWS * EPSILON * largest);
}

/* Weights that two layers share get both gradients. */
START_TEST(a_layer_with_its_activation_has_the_gradients_of_the_two_apart)
{
    lg_rng rng = lg_rng_seed(7);
    lg_tensor *x[LAYER_TIMES], *w = lg_tensor_uniform(LG_SHAPE(LAYER_OUT, LAYER_IN), -1, 1, &rng);
    lg_tensor *bias = lg_tensor_uniform(LG_SHAPE(LAYER_OUT), -1, 1, &rng);
    for (size_t i = 0; i < LAYER_TIMES; i++)
        x[i] = lg_tensor_uniform(LG_SHAPE(LAYER_ROWS, LAYER_IN), -1, 1, &rng);
    const lg_activation activations[] = { LG_TANH, LG_RELU, LG_SIGMOID };
    for (size_t a = 0; a < sizeof activations / sizeof *activations; a++) {
        lg_tensor *weights[2], *biases[2], *inputs[2][LAYER_TIMES];
        lg_tape_reset(tape);
        lg_tensor *total = NULL;
        for (size_t apart = 0; apart < 2; apart++) {
            weights[apart] = lg_variable(tape, LG_SHAPE(LAYER_OUT, LAYER_IN), lg_tensor_data(w));
            biases[apart] = lg_variable(tape, LG_SHAPE(LAYER_OUT), lg_tensor_data(bias));
            for (size_t i = 0; i < LAYER_TIMES; i++) {
                lg_tensor *in = inputs[apart][i] = lg_variable(tape, LG_SHAPE(LAYER_ROWS, LAYER_IN), lg_tensor_data(x[i]));
                lg_tensor *y = lg_linear(tape, in, weights[apart], biases[apart], apart ? LG_LINEAR : activations[a]);
                lg_tensor *squares = lg_sum(tape, lg_square(tape, apart ? lg_activate(tape, y, activations[a]) : y));
                total = total ? lg_add(tape, total, squares) : squares;
            }
        }
        ck_assert_msg(lg_backward(tape, total) == LG_OK, "%s", lg_error());
        assert_same_gradient(weights[0], weights[1]);
        assert_same_gradient(biases[0], biases[1]);
        for (size_t i = 0; i < LAYER_TIMES; i++)
            assert_same_gradient(inputs[0][i], inputs[1][i]);
    }
    lg_tensor_free(w), lg_tensor_free(bias);
    for (size_t i = 0; i < LAYER_TIMES; i++)
        lg_tensor_free(x[i]);
}
END_TEST

START_TEST(sums_and_maxima_are_right_for_any_number_and_length_of_rows)
{
    static const size_t numbers[] = { 1, 3, 63, 64, 65, 200 }, lengths[] = { 1, 2, 3, 10, 63, 64, 65, 200 };
    lg_rng rng = lg_rng_seed(6);
    for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k += test_stride(3))
        for (size_t w = 0; w < sizeof lengths / sizeof *lengths; w += test_stride(3)) {
            const size_t rows = numbers[k], length = lengths[w];
            lg_tape_reset(tape);
            lg_tensor *drawn = lg_tensor_normal(LG_SHAPE(rows, length), 0, 1, &rng);
            lg_real *at = lg_tensor_data(drawn);
            at[rows * length / 2] = NOT;     /* a NaN is the largest of its row */
            at[rows * length - 1] = at[(rows - 1) * length]; /* ties */
            lg_tensor *x = lg_variable(tape, LG_SHAPE(rows, length), at);
            lg_tensor *sum = lg_sum_axis(tape, x, 1, false), *largest = lg_max_axis(tape, x, 1, false);
            ck_assert_int_eq(lg_backward(tape, lg_sum(tape, largest)), LG_OK);
            for (size_t r = 0; r < rows; r++) {
                const lg_real *row = at + r * length;
                size_t first = 0;
                double total = 0, size = 0;
                for (size_t i = 0; i < length; i++) {
                    total += (double)row[i];
                    size += fabs((double)row[i]);
                    if (row[i] > row[first] || (isnan(row[i]) && !isnan(row[first])))
                        first = i;
                }
                assert_close(lg_tensor_data(sum)[r], total, EPSILON * size * (LG_REAL_BITS == 64 ? (double)length : 1));
                assert_close(lg_tensor_data(largest)[r], (double)row[first], 0);
                for (size_t i = 0; i < length; i++)
                    ck_assert(lg_tensor_grad(x)[r * length + i] == (i == first ? 1 : 0));
            }
            lg_tensor_free(drawn);
        }
}
END_TEST

START_TEST(reductions_of_nothing_are_defined)
{
    lg_tensor *x = lg_constant(tape, LG_SHAPE(2, 0), NULL);
    ck_assert_double_eq(lg_tensor_item(lg_sum(tape, x)), 0);
    ck_assert(isnan(lg_tensor_item(lg_mean(tape, x))));
    ck_assert(lg_tensor_data(lg_sum_axis(tape, x, 1, false))[1] == 0);
    ck_assert_uint_eq(lg_tensor_size(lg_max_axis(tape, x, 0, false)), 0);
    ck_assert_ptr_null(lg_max_axis(tape, x, 1, false));
    ck_assert_int_eq(lg_error_code(), LG_E_SHAPE);
    ck_assert_ptr_null(lg_max(tape, x));
    ck_assert_str_eq(lg_error(), "max: [2, 0] has nothing to take the largest of");
}
END_TEST

/* -------------------------------------------------------------------- layout */

/* Gradients of sum(u a b), u an upstream gradient, and of a / b, a row or a column of which is repeated. */
START_TEST(a_row_or_a_column_meets_any_number_of_short_rows)
{
    static const size_t numbers[] = { 1, 2, 5, 300, 1030 }, widths[] = { 2, 3, 10, 63, 64 };
    lg_rng rng = lg_rng_seed(5);
    for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k += test_stride(3))
        for (size_t w = 0; w < sizeof widths / sizeof *widths; w += test_stride(2))
            for (int form = 0; form < 8; form++) {
                const size_t rows = numbers[k], width = widths[w];
                const bool column = form & 1, first = form & 2, twice = form & 4;
                lg_tape_reset(tape);
                lg_tensor *drawn = lg_tensor_uniform(LG_SHAPE(rows, width), 1, 2, &rng);
                lg_tensor *few = lg_tensor_uniform(LG_SHAPE(column ? rows : 1, column ? 1 : width), 1, 2, &rng);
                lg_tensor *up = lg_tensor_uniform(LG_SHAPE(rows, width), -1, 1, &rng);
                lg_tensor *x = lg_variable(tape, LG_SHAPE(rows, width), lg_tensor_data(drawn));
                lg_tensor *f = lg_variable(tape, lg_tensor_rank(few), lg_tensor_dims(few), lg_tensor_data(few));
                lg_tensor *y = first ? lg_div(tape, f, x) : lg_mul(tape, x, f);
                /* a second time, gradients are added to what is there */
                lg_tensor *root = twice ? lg_add(tape, y, first ? lg_div(tape, f, x) : lg_mul(tape, x, f)) : y;
                ck_assert_msg(root && lg_backward_from(tape, root, up) == LG_OK, "%s", lg_error());
                const double times = twice ? 2 : 1;
                double *sum = calloc(rows + width, sizeof *sum), *size = calloc(rows + width, sizeof *size);
                for (size_t i = 0; i < rows * width; i++) {
                    const size_t at = column ? i / width : i % width;
                    const double a = (double)lg_tensor_data(x)[i], b = (double)lg_tensor_data(f)[at];
                    const double u = times * (double)lg_tensor_data(up)[i], by_x = first ? -u * b / (a * a) : u * b;
                    const double by_f = first ? u / a : u * a;
                    assert_close(lg_tensor_data(y)[i], first ? b / a : a * b, 4 * EPSILON);
                    assert_close(lg_tensor_grad(x)[i], by_x, 16 * EPSILON);
                    sum[at] += by_f;
                    size[at] += fabs(by_f);
                }
                for (size_t at = 0; at < (column ? rows : width); at++)
                    assert_close(lg_tensor_grad(f)[at], sum[at], 8 * EPSILON * (1 + size[at]));
                free(sum), free(size);
                lg_tensor_free(drawn), lg_tensor_free(few), lg_tensor_free(up);
            }
}
END_TEST

START_TEST(transposes_put_every_element_in_its_place)
{
    const size_t dims[] = { 2, 19, 3, 17 };
    lg_tensor *x = lg_tensor_zeros(4, dims);
    for (size_t i = 0; i < lg_tensor_size(x); i++)
        lg_tensor_data(x)[i] = (lg_real)i;
    for (int a = 0; a < 4; a++)
        for (int b = 0; b < 4; b++) {
            lg_tensor *y = lg_transpose(tape, x, a, b - 4);
            size_t at[4], flat = 0;
            for (at[0] = 0; at[0] < lg_tensor_dim(y, 0); at[0]++)
                for (at[1] = 0; at[1] < lg_tensor_dim(y, 1); at[1]++)
                    for (at[2] = 0; at[2] < lg_tensor_dim(y, 2); at[2]++)
                        for (at[3] = 0; at[3] < lg_tensor_dim(y, 3); at[3]++, flat++) {
                            size_t from[] = { at[0], at[1], at[2], at[3] };
                            from[a] = at[b], from[b] = at[a];
                            const size_t i = ((from[0] * dims[1] + from[1]) * dims[2] + from[2]) * dims[3] + from[3];
                            ck_assert(lg_tensor_data(y)[flat] == (lg_real)i);
                        }
            ck_assert_uint_eq(flat, lg_tensor_size(x));
        }
    lg_tensor_free(x);
}
END_TEST

START_TEST(views_do_not_copy)
{
    lg_tensor *x = lg_constant(tape, LG_SHAPE(4, 2), (const lg_real[]){ 0, 1, 2, 3, 4, 5, 6, 7 });
    ck_assert_ptr_eq(lg_tensor_data(lg_reshape(tape, x, 2, (const size_t[]){ 2, LG_INFER })), lg_tensor_data(x));
    ck_assert_uint_eq(lg_tensor_dim(lg_reshape(tape, x, 2, (const size_t[]){ 2, LG_INFER }), 1), 4);
    ck_assert_ptr_eq(lg_tensor_data(lg_slice(tape, x, 0, 1, 3)), lg_tensor_data(x) + 2);
    ck_assert_ptr_eq(lg_tensor_data(lg_detach(tape, x)), lg_tensor_data(x));
    ck_assert_ptr_eq(lg_activate(tape, x, LG_LINEAR), x);
}
END_TEST

START_TEST(detach_stops_the_gradient)
{
    lg_tensor *x = variable(2, (const lg_real[]){ 3, -2 });
    lg_tensor *y = lg_mul(tape, x, lg_detach(tape, x));
    assert_op(y, x, (const double[]){ 9, 4 }, (const double[]){ 3, -2 });
}
END_TEST

/* ------------------------------------------------------------------- dropout */

START_TEST(dropout_keeps_the_share_and_the_mean)
{
    const size_t n = 40000;
    const double rate = 0.3;
    lg_tensor *x = lg_tensor_full(LG_SHAPE(n), 2);
    ck_assert_int_eq(lg_tensor_require_grad(x, true), LG_OK);
    lg_tensor *y = lg_dropout(tape, x, rate), *again = lg_dropout(tape, x, rate);
    ck_assert_int_eq(lg_backward(tape, lg_sum(tape, y)), LG_OK);
    size_t dropped = 0, both = 0;
    for (size_t i = 0; i < n; i++) {
        const lg_real value = lg_tensor_data(y)[i];
        dropped += value == 0;
        both += value == 0 && lg_tensor_data(again)[i] == 0;
        assert_close(value, value == 0 ? 0 : 2 / (1 - rate), 4 * EPSILON);
        assert_close(lg_tensor_grad(x)[i], value == 0 ? 0 : 1 / (1 - rate), 2 * EPSILON); /* the same mask */
    }
    /* Binomial: 5 standard deviations. The two masks are independent. */
    const double share = (double)dropped / (double)n, of_both = (double)both / (double)n, count = (double)n;
    ck_assert_double_le(fabs(share - rate), 5 * sqrt(rate * (1 - rate) / count));
    ck_assert_double_le(fabs(of_both - rate * rate), 5 * sqrt(rate * rate / count));
    lg_tensor_free(x);
}
END_TEST

START_TEST(dropout_masks_are_named_by_the_tape)
{
    const lg_real ones[64] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };
    lg_real first[64];
    for (int pass = 0; pass < 3; pass++) {
        lg_tape_reset(tape);
        lg_tape_set_random(tape, 9, 1, pass == 2 ? 5 : 4);
        const lg_real *y = lg_tensor_data(lg_dropout(tape, lg_constant(tape, LG_SHAPE(64), ones), 0.5));
        if (pass == 0)
            memcpy(first, y, sizeof first);
        else
            ck_assert_int_eq(memcmp(first, y, sizeof first) == 0, pass == 1);
    }
}
END_TEST

START_TEST(dropout_is_the_identity_in_evaluation)
{
    lg_tensor *x = variable(2, (const lg_real[]){ 1, 2 });
    ck_assert_ptr_eq(lg_dropout(tape, x, 0), x);
    lg_tape_set_training(tape, false);
    ck_assert_ptr_eq(lg_dropout(tape, x, 0.9), x);
    lg_tape_set_training(tape, true);
    const lg_real *y = lg_tensor_data(lg_dropout(tape, variable(2, (const lg_real[]){ INF, 2 }), 1));
    ck_assert(y[0] == 0 && y[1] == 0);
}
END_TEST

/* ------------------------------------------------------------------ messages */

#define ASSERT_REFUSED(expression, code, message)                                                                      \
    do {                                                                                                               \
        lg_error_clear();                                                                                              \
        ck_assert_ptr_null(expression);                                                                                \
        ck_assert_str_eq(lg_error(), message);                                                                         \
        ck_assert_int_eq(lg_error_code(), code);                                                                       \
    } while (0)

START_TEST(errors_say_what_was_wrong_and_what_would_be_right)
{
    lg_tensor *x = lg_tensor_zeros(LG_SHAPE(128, 784)), *w = lg_tensor_zeros(LG_SHAPE(512, 784));
    lg_tensor *v = lg_tensor_zeros(LG_SHAPE(3)), *cube = lg_tensor_zeros(LG_SHAPE(2, 3, 4));
    lg_tensor *index = lg_tensor_from_indices(LG_SHAPE(2, 2), (const int32_t[]){ 0, 2, 3, 1 });
    ASSERT_REFUSED(lg_matmul(tape, x, w), LG_E_SHAPE,
                   "matmul: [128, 784] x [512, 784] do not fit: 784 columns against 512 rows; transpose the second?");
    ASSERT_REFUSED(lg_matmul_transposed(tape, x, true, x, true), LG_E_SHAPE,
                   "matmul: [128, 784] transposed x [128, 784] transposed do not fit: 128 columns against 784 rows; without "
                   "transposing the second?");
    ASSERT_REFUSED(lg_matmul(tape, x, v), LG_E_SHAPE,
                   "matmul: [128, 784] x [3]: two matrices are wanted, [m, k] x [k, n]");
    ASSERT_REFUSED(lg_linear(tape, w, x, v, LG_RELU), LG_E_SHAPE,
                   "linear: bias [3] does not fit w [128, 784]; [128] is wanted");
    ASSERT_REFUSED(lg_linear(tape, v, x, NULL, LG_RELU), LG_E_SHAPE,
                   "linear: x [3] and w [128, 784] do not fit: x has 3 columns, w [out, in] takes 784");
    ASSERT_REFUSED(lg_add(tape, cube, v), LG_E_SHAPE,
                   "add: [2, 3, 4] and [3] do not fit: 4 against 3 along axis -1, where equal lengths or a 1 are wanted");
    ASSERT_REFUSED(lg_softmax(tape, cube, 3), LG_E_SHAPE,
                   "softmax: axis 3 of [2, 3, 4], which has axes 0 to 2, or -3 to -1 from the end");
    ASSERT_REFUSED(lg_reshape(tape, cube, 2, (const size_t[]){ 5, 5 }), LG_E_SHAPE,
                   "reshape: [2, 3, 4] has 24 elements, [5, 5] has 25");
    ASSERT_REFUSED(lg_reshape(tape, cube, 2, (const size_t[]){ 5, LG_INFER }), LG_E_SHAPE,
                   "reshape: the 24 elements of [2, 3, 4] do not divide by the other dims of the new shape");
    ASSERT_REFUSED(lg_reshape(tape, cube, 2, (const size_t[]){ LG_INFER, LG_INFER }), LG_E_SHAPE,
                   "reshape: two dims of [2, 3, 4] are to be inferred; one can be");
    ASSERT_REFUSED(lg_concat(tape, 2, (lg_tensor *[]){ x, w }, 1), LG_E_SHAPE,
                   "concat: tensor 2 is [512, 784], the first is [128, 784]; only axis 1 may differ");
    ASSERT_REFUSED(lg_concat(tape, 0, &x, 1), LG_E_PARAM, "concat: the list of tensors is empty");
    ASSERT_REFUSED(lg_slice(tape, cube, -1, 2, 5), LG_E_INDEX,
                   "slice: 2 to 5 along axis 2 of [2, 3, 4]; 0 <= start <= stop <= 4 is wanted");
    ASSERT_REFUSED(lg_gather_rows(tape, v, index), LG_E_INDEX, "gather_rows: indices[1, 0] is 3, but the rows are 0..2");
    ASSERT_REFUSED(lg_gather_rows(tape, v, v), LG_E_DTYPE, "gather_rows: a real table and int32 indices are wanted");
    ASSERT_REFUSED(lg_exp(tape, index), LG_E_DTYPE, "exp: argument 1 holds int32 indices, real numbers are wanted");
    ASSERT_REFUSED(lg_clamp(tape, x, 1, 0), LG_E_PARAM, "clamp: from 1 to 0 is no range; low <= high is wanted");
    ASSERT_REFUSED(lg_scale(tape, x, (double)NAN), LG_E_PARAM,
                   "scale: the factor nan is not a finite number of this build");
    ASSERT_REFUSED(lg_dropout(tape, x, 1.5), LG_E_PARAM,
                   "dropout: the rate 1.5 is no probability; 0 <= rate <= 1 is wanted");
    ASSERT_REFUSED(lg_activate(tape, x, (lg_activation)99), LG_E_PARAM, "activate: there is no activation 99");
    ck_assert_uint_eq(lg_tape_length(tape), 0);
    lg_tensor_free(x);
    lg_tensor_free(w);
    lg_tensor_free(v);
    lg_tensor_free(cube);
    lg_tensor_free(index);
}
END_TEST

Suite *ops_values_suite(void)
{
    Suite *suite = suite_create("ops_values");
    TCase *tcase = tcase_create("values");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, kinks_have_the_documented_side);
    tcase_add_test(tcase, powers_of_zero_are_defined);
    tcase_add_test(tcase, activations_reach_their_limits);
    tcase_add_test(tcase, elu_silu_and_add_scalar_are_their_formulas);
    tcase_add_test(tcase, ties_go_to_the_first);
    tcase_add_test(tcase, softmax_survives_extremes);
    tcase_add_test(tcase, softmax_rows_of_any_length_sum_to_one);
    tcase_add_test(tcase, softmax_is_right_in_every_place_of_any_number_of_rows);
    tcase_add_test(tcase, sums_are_made_in_double);
    tcase_add_test(tcase, a_layer_with_its_activation_has_the_gradients_of_the_two_apart);
    tcase_add_test(tcase, sums_and_maxima_are_right_for_any_number_and_length_of_rows);
    tcase_add_test(tcase, reductions_of_nothing_are_defined);
    tcase_add_test(tcase, a_row_or_a_column_meets_any_number_of_short_rows);
    tcase_add_test(tcase, transposes_put_every_element_in_its_place);
    tcase_add_test(tcase, views_do_not_copy);
    tcase_add_test(tcase, detach_stops_the_gradient);
    tcase_add_test(tcase, dropout_keeps_the_share_and_the_mean);
    tcase_add_test(tcase, dropout_masks_are_named_by_the_tape);
    tcase_add_test(tcase, dropout_is_the_identity_in_evaluation);
    tcase_add_test(tcase, errors_say_what_was_wrong_and_what_would_be_right);
    suite_add_tcase(suite, tcase);
    return suite;
}
