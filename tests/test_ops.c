/* Every operation against finite differences, by a table of cases. Nothing can escape: the tests at the end compare the
 * table of cases with ops.h, with lg_op_at and with the sources. */
#include "autograd/gradcheck.h"
#include "autograd/ops.h"
#include "autograd/tape_internal.h"
#include "support.h"

#include <check.h>
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ inputs */

#define MAX_INPUTS 4

/* What a case is run on: made by its builder for one variant of shapes. */
typedef struct setting {
    lg_rng rng;
    size_t count;
    lg_tensor *input[MAX_INPUTS];
    int axis, other_axis;
    bool flag, flag_b;
    size_t start, stop;
    double constant;
    lg_activation activation;
} setting;

/* Shapes for what takes any; empty ones, a scalar, and lengths that leave a rest behind any vector width. */
static const struct {
    size_t rank, dims[LG_MAX_RANK];
} any_shape[] = {
    { 0, { 0 } },       { 1, { 1 } },          { 1, { 0 } },       { 1, { 7 } },      { 2, { 4, 3 } },
    { 3, { 3, 0, 2 } }, { 4, { 2, 3, 1, 4 } }, { 3, { 2, 3, 5 } }, { 2, { 3, 130 } }, { 2, { 130, 3 } },
};
#define ANY_SHAPES (sizeof any_shape / sizeof any_shape[0])

/* A heap tensor that wants a gradient, uniform in [low, high). */
static lg_tensor *uniform(setting *s, size_t rank, const size_t *dims, double low, double high)
{
    lg_tensor *x = lg_tensor_uniform(rank, dims, low, high, &s->rng);
    ck_assert_msg(x && lg_tensor_require_grad(x, true) == LG_OK, "%s", lg_error());
    s->input[s->count++] = x;
    return x;
}

/* Moves values that lie closer than `room` to a kink away from it. */
static void step_around(lg_tensor *x, double kink, double room)
{
    lg_real *value = lg_tensor_data(x);
    for (size_t i = 0; i < lg_tensor_size(x); i++) {
        const double distance = (double)value[i] - kink;
        if (fabs(distance) < room)
            value[i] = (lg_real)(distance < 0 ? kink - room : kink + room);
    }
}

/* Distinct values between -2 and 2, equally spaced, in random order: a step of 2^-8 makes no tie. */
static void make_distinct(setting *s, lg_tensor *x)
{
    const size_t n = lg_tensor_size(x);
    size_t *order = calloc(n + 1, sizeof *order);
    ck_assert(order != NULL && n <= 400);
    lg_rng_permutation(&s->rng, n, order);
    for (size_t i = 0; i < n; i++)
        lg_tensor_data(x)[i] = (lg_real)(4 * ((double)order[i] + 0.5) / (double)n - 2);
    free(order);
}

typedef bool builder(setting *s, size_t variant); /* false: there is no such variant */

static bool any(setting *s, size_t variant)
{
    if (variant >= ANY_SHAPES)
        return false;
    uniform(s, any_shape[variant].rank, any_shape[variant].dims, -2, 2);
    s->constant = variant % 2 ? -1.5 : 0.75;
    return true;
}

static bool off_zero(setting *s, size_t variant)
{
    if (!any(s, variant))
        return false;
    step_around(s->input[0], 0, 0.1);
    s->constant = variant % 2 ? 0.3 : 1.5;
    return true;
}

static bool off_bounds(setting *s, size_t variant)
{
    if (!any(s, variant))
        return false;
    step_around(s->input[0], -0.75, 0.1);
    step_around(s->input[0], 0.5, 0.1);
    return true;
}

static bool positive(setting *s, size_t variant)
{
    if (variant >= ANY_SHAPES)
        return false;
    uniform(s, any_shape[variant].rank, any_shape[variant].dims, 0.5, 2);
    return true;
}

/* x^e: positive bases with broken exponents, bases of both signs with whole ones. */
static bool powers(setting *s, size_t variant)
{
    static const double exponents[] = { 2, 0.5, 3, -0.7, 1, 1.5, -2, 0.3, 0, -1 };
    const double exponent = exponents[variant % ANY_SHAPES];
    if (!(exponent == floor(exponent) ? off_zero(s, variant) : positive(s, variant)))
        return false;
    if (exponent < 0)
        step_around(s->input[0], 0, 0.6);
    s->constant = exponent;
    return true;
}

/* Both shapes of a broadcast, either way round. */
static const struct {
    size_t rank[2], dims[2][LG_MAX_RANK];
} pair_shape[] = {
    { { 2, 2 }, { { 3, 4 }, { 3, 4 } } },       { { 0, 0 }, { { 0 }, { 0 } } },
    { { 2, 1 }, { { 3, 4 }, { 4 } } },          { { 2, 2 }, { { 3, 4 }, { 3, 1 } } },
    { { 2, 2 }, { { 3, 4 }, { 1, 1 } } },       { { 3, 0 }, { { 2, 3, 2 }, { 0 } } },
    { { 2, 2 }, { { 4, 1 }, { 1, 3 } } },       { { 4, 4 }, { { 2, 3, 4, 2 }, { 2, 1, 4, 1 } } },
    { { 4, 3 }, { { 2, 1, 3, 1 }, { 4, 1, 2 } } }, { { 1, 3 }, { { 5 }, { 2, 3, 1 } } },
    { { 2, 2 }, { { 2, 300 }, { 1, 300 } } },   { { 2, 2 }, { { 2, 300 }, { 2, 1 } } },
    { { 2, 1 }, { { 0, 3 }, { 3 } } },          { { 2, 2 }, { { 3, 0 }, { 3, 1 } } },
    { { 3, 3 }, { { 2, 0, 3 }, { 2, 1, 3 } } }, { { 3, 2 }, { { 2, 3, 4 }, { 3, 4 } } },
};
#define PAIR_SHAPES (sizeof pair_shape / sizeof pair_shape[0])

static bool pair(setting *s, size_t variant)
{
    const size_t row = variant / 2, first = variant % 2;
    if (row >= PAIR_SHAPES)
        return false;
    for (size_t k = 0; k < 2; k++) {
        const size_t which = k ^ first;
        uniform(s, pair_shape[row].rank[which], pair_shape[row].dims[which], -2, 2);
    }
    return true;
}

static bool pair_without_ties(setting *s, size_t variant)
{
    if (!pair(s, variant))
        return false;
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < lg_tensor_size(s->input[k]); i++)
            lg_tensor_data(s->input[k])[i] = (lg_real)(-2 + 0.125 * (double)k + 0.25 * (double)lg_rng_below(&s->rng, 16));
    return true;
}

static bool pair_second_off_zero(setting *s, size_t variant)
{
    if (!pair(s, variant))
        return false;
    step_around(s->input[1], 0, 0.7);
    return true;
}

/* Every axis of every shape, from both ends; a scalar has none. */
static bool with_axis(setting *s, size_t variant)
{
    for (size_t row = 0; row < ANY_SHAPES; row++) {
        const size_t rank = any_shape[row].rank;
        if (variant < 4 * rank) {
            s->axis = (int)(variant % (2 * rank)) - (int)rank;
            s->flag = variant >= 2 * rank;
            uniform(s, rank, any_shape[row].dims, -2, 2);
            return true;
        }
        variant -= 4 * rank;
    }
    return false;
}

/* The same but for axes that are empty, of which there is no largest; no ties. */
static bool with_full_axis(setting *s, size_t variant)
{
    if (!with_axis(s, variant))
        return false;
    const int rank = (int)lg_tensor_rank(s->input[0]);
    if (lg_tensor_dim(s->input[0], (size_t)(s->axis < 0 ? s->axis + rank : s->axis)) == 0)
        s->axis = 0;
    if (lg_tensor_dim(s->input[0], 0) == 0)
        lg_tensor_free(s->input[0]), s->count = 0, uniform(s, 1, (const size_t[]){ 3 }, 0, 1), s->axis = 0;
    make_distinct(s, s->input[0]);
    return true;
}

static bool not_empty_distinct(setting *s, size_t variant)
{
    if (!any(s, variant))
        return false;
    if (lg_tensor_size(s->input[0]) == 0)
        lg_tensor_free(s->input[0]), s->count = 0, uniform(s, LG_SCALAR_SHAPE, 0, 1);
    make_distinct(s, s->input[0]);
    return true;
}

/* Long enough for the pieces in which softmax works. */
static bool softmax_axes(setting *s, size_t variant)
{
    static const size_t wide[] = { 2, 1100 }, tall[] = { 2, 3, 1030 };
    if (variant == 0)
        uniform(s, 2, wide, -2, 2), s->axis = 1;
    else if (variant == 1)
        uniform(s, 3, tall, -2, 2), s->axis = 0;
    else
        return with_axis(s, variant - 2);
    return true;
}

static const size_t product_sizes[][3] = { { 3, 4, 2 }, { 1, 5, 3 }, { 4, 3, 1 }, { 1, 4, 1 }, { 0, 2, 3 },
                                           { 2, 0, 3 }, { 2, 3, 0 }, { 5, 1, 4 }, { 7, 6, 9 } };
#define PRODUCT_SIZES (sizeof product_sizes / sizeof product_sizes[0])

/* [m, k] x [k, n] in the four transpositions. */
static bool matrices(setting *s, size_t variant)
{
    if (variant >= 4 * PRODUCT_SIZES)
        return false;
    const size_t m = product_sizes[variant / 4][0], k = product_sizes[variant / 4][1], n = product_sizes[variant / 4][2];
    s->flag = variant & 1, s->flag_b = variant & 2;
    uniform(s, 2, s->flag ? (const size_t[]){ k, m } : (const size_t[]){ m, k }, -2, 2);
    uniform(s, 2, s->flag_b ? (const size_t[]){ n, k } : (const size_t[]){ k, n }, -2, 2);
    return true;
}

static bool plain_matrices(setting *s, size_t variant)
{
    return matrices(s, 4 * variant);
}

/* x of rank 1 to 4, with bias or without, every activation. relu is kept off its kink by a large bias of either sign. */
static bool layer(setting *s, size_t variant)
{
    static const struct {
        size_t rank, dims[LG_MAX_RANK], out;
    } shape[] = { { 2, { 3, 4 }, 2 }, { 1, { 4 }, 3 }, { 3, { 2, 3, 4 }, 5 },   { 4, { 2, 1, 2, 3 }, 2 }, { 2, { 5, 3 }, 1 },
                  { 2, { 1, 3 }, 1 }, { 2, { 0, 3 }, 2 }, { 2, { 2, 0 }, 3 }, { 2, { 2, 3 }, 70 } };
    const size_t activations = LG_LOG_SOFTMAX + 1, row = variant / activations / 2;
    if (row >= sizeof shape / sizeof shape[0])
        return false;
    const size_t in = shape[row].dims[shape[row].rank - 1], out = shape[row].out;
    s->activation = (lg_activation)(variant % activations);
    s->flag = variant / activations % 2 == 0; /* bias */
    const bool kinked = s->activation == LG_RELU || s->activation == LG_LEAKY_RELU || s->activation == LG_ELU;
    lg_tensor *x = uniform(s, shape[row].rank, shape[row].dims, 0.1, 1);
    lg_tensor *w = uniform(s, 2, (const size_t[]){ out, in }, 0.1, 1);
    if (kinked && !s->flag) /* rows of w of one sign */
        for (size_t i = 0; i < out * in; i++)
            lg_tensor_data(w)[i] *= i / in % 2 ? -1 : 1;
    if (!kinked) {
        step_around(x, 0.5, 0.2);
        for (size_t i = 0; i < out * in; i += 2)
            lg_tensor_data(w)[i] *= -1;
    }
    if (s->flag) {
        lg_tensor *bias = uniform(s, 1, (const size_t[]){ out }, 0.1, 1);
        for (size_t i = 0; kinked && i < out; i += 2)
            lg_tensor_data(bias)[i] -= 6; /* below -(in + 1) */
    }
    return true;
}

static bool activated(setting *s, size_t variant)
{
    const size_t activations = LG_LOG_SOFTMAX + 1;
    s->activation = (lg_activation)(variant % activations);
    return off_zero(s, 1 + variant / activations); /* not the scalar, which has no axis for softmax */
}

static bool reshaped(setting *s, size_t variant)
{
    static const size_t from[][3] = { { 2, 3, 4 }, { 4, 1, 6 }, { 2, 0, 3 }, { 1, 1, 1 } };
    if (variant >= 8)
        return false;
    uniform(s, 3, from[variant / 2], -2, 2);
    s->flag = variant % 2;
    return true;
}

/* Every pair of axes of every shape. */
static bool two_axes(setting *s, size_t variant)
{
    for (size_t row = 0; row < ANY_SHAPES; row++) {
        const size_t rank = any_shape[row].rank;
        if (variant < rank * rank) {
            uniform(s, rank, any_shape[row].dims, -2, 2);
            s->axis = (int)(variant % rank);
            s->other_axis = (int)(variant / rank) - (int)rank;
            return true;
        }
        variant -= rank * rank;
    }
    return false;
}

/* One to three tensors that differ along one axis, 0 included; the flag repeats the first. */
static bool joined(setting *s, size_t variant)
{
    if (variant >= 36)
        return false;
    s->axis = (int)(variant % 3) - (variant % 2 ? 3 : 0);
    s->flag = variant >= 27;
    for (size_t k = 0; k < 1 + variant / 3 % 3; k++) {
        size_t dims[] = { 2, 3, 2 };
        dims[variant % 3] = (variant + k) % 4;
        uniform(s, 3, dims, -2, 2);
    }
    return true;
}

static bool sliced(setting *s, size_t variant)
{
    if (variant >= 18)
        return false;
    const size_t dims[] = { 4, 5, 6 }, axis = variant % 3;
    const size_t ends[][2] = { { 0, 2 }, { 1, 3 }, { 2, 4 }, { 0, 4 }, { 3, 3 }, { 3, 4 } };
    uniform(s, 3, dims, -2, 2);
    s->axis = variant % 2 ? (int)axis : (int)axis - 3;
    s->start = ends[variant / 3][0], s->stop = ends[variant / 3][1];
    return true;
}

static bool rows_and_indices(setting *s, size_t variant)
{
    static const int32_t index[] = { 3, 0, 3, 1, 2, 3 };
    static const struct {
        size_t table_rank, table[LG_MAX_RANK], rank, dims[LG_MAX_RANK];
    } shape[] = { { 2, { 4, 3 }, 1, { 6 } }, { 3, { 4, 2, 3 }, 2, { 2, 3 } }, { 1, { 4 }, 3, { 1, 2, 3 } },
                  { 2, { 4, 3 }, 0, { 0 } }, { 2, { 4, 3 }, 1, { 0 } },       { 2, { 4, 0 }, 1, { 2 } } };
    if (variant >= sizeof shape / sizeof shape[0])
        return false;
    uniform(s, shape[variant].table_rank, shape[variant].table, -2, 2);
    s->input[1] = lg_tensor_from_indices(shape[variant].rank, shape[variant].dims, index);
    ck_assert_ptr_nonnull(s->input[1]);
    s->count = 2;
    return true;
}

static bool dropped(setting *s, size_t variant)
{
    static const double rates[] = { 0.5, 0, 0.1, 0.9, 1 };
    if (!any(s, variant))
        return false;
    s->constant = rates[variant % 5];
    return true;
}

/* ------------------------------------------------------------------- calls */

#define CALL(name, expression)                                                                                         \
    static lg_tensor *call_##name(lg_tape *t, lg_tensor *const x[], void *context)                                     \
    {                                                                                                                  \
        const setting *s = context;                                                                                    \
        (void)s;                                                                                                       \
        return expression;                                                                                             \
    }

CALL(matmul, lg_matmul(t, x[0], x[1]))
CALL(matmul_transposed, lg_matmul_transposed(t, x[0], s->flag, x[1], s->flag_b))
CALL(linear, lg_linear(t, x[0], x[1], s->flag ? x[2] : NULL, s->activation))
CALL(activate, lg_activate(t, x[0], s->activation))
CALL(add, lg_add(t, x[0], x[1]))
CALL(sub, lg_sub(t, x[0], x[1]))
CALL(mul, lg_mul(t, x[0], x[1]))
CALL(div, lg_div(t, x[0], x[1]))
CALL(add_itself, lg_add(t, x[0], x[0]))
CALL(mul_itself, lg_mul(t, x[0], x[0]))
CALL(maximum, lg_maximum(t, x[0], x[1]))
CALL(minimum, lg_minimum(t, x[0], x[1]))
CALL(neg, lg_neg(t, x[0]))
CALL(scale, lg_scale(t, x[0], s->constant))
CALL(add_scalar, lg_add_scalar(t, x[0], s->constant))
CALL(exp, lg_exp(t, x[0]))
CALL(log, lg_log(t, x[0]))
CALL(sqrt, lg_sqrt(t, x[0]))
CALL(square, lg_square(t, x[0]))
CALL(abs, lg_abs(t, x[0]))
CALL(pow, lg_pow(t, x[0], s->constant))
CALL(clamp, lg_clamp(t, x[0], -0.75, 0.5))
CALL(relu, lg_relu(t, x[0]))
CALL(leaky_relu, lg_leaky_relu(t, x[0], s->constant))
CALL(elu, lg_elu(t, x[0], s->constant))
CALL(sigmoid, lg_sigmoid(t, x[0]))
CALL(tanh, lg_tanh(t, x[0]))
CALL(softplus, lg_softplus(t, x[0]))
CALL(silu, lg_silu(t, x[0]))
CALL(gelu, lg_gelu(t, x[0]))
CALL(softmax, lg_softmax(t, x[0], s->axis))
CALL(log_softmax, lg_log_softmax(t, x[0], s->axis))
CALL(sum, lg_sum(t, x[0]))
CALL(sum_axis, lg_sum_axis(t, x[0], s->axis, s->flag))
CALL(mean, lg_mean(t, x[0]))
CALL(mean_axis, lg_mean_axis(t, x[0], s->axis, s->flag))
CALL(max, lg_max(t, x[0]))
CALL(max_axis, lg_max_axis(t, x[0], s->axis, s->flag))
CALL(reshape, s->flag ? lg_reshape(t, x[0], 1, (const size_t[]){ LG_INFER })
                      : lg_reshape(t, x[0], 2,
                                   (const size_t[]){ lg_tensor_dim(x[0], 2) * lg_tensor_dim(x[0], 1),
                                                     lg_tensor_dim(x[0], 0) }))
CALL(transpose, lg_transpose(t, x[0], s->axis, s->other_axis))
CALL(concat, s->flag ? lg_concat(t, 3, (lg_tensor *[]){ x[0], x[0], x[s->count - 1] }, s->axis)
                     : lg_concat(t, s->count, x, s->axis))
CALL(slice, lg_slice(t, x[0], s->axis, s->start, s->stop))
CALL(gather_rows, lg_gather_rows(t, x[0], x[1]))
CALL(dropout, lg_dropout(t, x[0], s->constant))
CALL(detach, lg_detach(t, x[0]))

static const struct op_case {
    const char *function;
    builder *build;
    lg_function call;
    bool no_gradient;
} cases[] = {
#define CASE(name, build) { "lg_" #name, build, call_##name, false }
    CASE(matmul, plain_matrices),
    CASE(matmul_transposed, matrices),
    CASE(linear, layer),
    CASE(activate, activated),
    CASE(add, pair),
    CASE(sub, pair),
    CASE(mul, pair),
    CASE(div, pair_second_off_zero),
    { "lg_add", any, call_add_itself, false },
    { "lg_mul", any, call_mul_itself, false },
    CASE(maximum, pair_without_ties),
    CASE(minimum, pair_without_ties),
    CASE(neg, any),
    CASE(scale, any),
    CASE(add_scalar, any),
    CASE(exp, any),
    CASE(log, positive),
    CASE(sqrt, positive),
    CASE(square, any),
    CASE(abs, off_zero),
    CASE(pow, powers),
    CASE(clamp, off_bounds),
    CASE(relu, off_zero),
    CASE(leaky_relu, off_zero),
    CASE(elu, off_zero),
    CASE(sigmoid, any),
    CASE(tanh, any),
    CASE(softplus, any),
    CASE(silu, any),
    CASE(gelu, any),
    CASE(softmax, softmax_axes),
    CASE(log_softmax, softmax_axes),
    CASE(sum, any),
    CASE(sum_axis, with_axis),
    CASE(mean, any),
    CASE(mean_axis, with_axis),
    CASE(max, not_empty_distinct),
    CASE(max_axis, with_full_axis),
    CASE(reshape, reshaped),
    CASE(transpose, two_axes),
    CASE(concat, joined),
    CASE(slice, sliced),
    CASE(gather_rows, rows_and_indices),
    CASE(dropout, dropped),
    { "lg_detach", any, call_detach, true },
};
#define CASES ((int)(sizeof cases / sizeof cases[0]))

static void release(setting *s)
{
    for (size_t k = 0; k < s->count; k++)
        lg_tensor_free(s->input[k]);
}

/* Calls `visit` with every variant of a case; asserts that there are some. */
static void for_each_variant(const struct op_case *c, void (*visit)(const struct op_case *, setting *, size_t variant))
{
    size_t variant = 0;
    for (;; variant++) {
        setting s = { .rng = lg_rng_seed(1000 + variant) };
        if (!c->build(&s, variant)) {
            release(&s);
            break;
        }
        if (variant % test_stride(5) == 0)
            visit(c, &s, variant);
        release(&s);
    }
    ck_assert_uint_ge(variant, 4);
}

/* -------------------------------------------------------------- gradients */

/* The defaults of gradcheck.h, and in float more for many outputs, as explained there. */
static lg_gradcheck_options options_for(const setting *s)
{
    size_t largest = 64;
    for (size_t k = 0; k < s->count; k++)
        largest = lg_tensor_size(s->input[k]) > largest ? lg_tensor_size(s->input[k]) : largest;
    return (lg_gradcheck_options){ .tolerance = LG_REAL_BITS == 64 ? 0 : 2e-3 * sqrt((double)largest) / 8 };
}

static void check_gradient(const struct op_case *c, setting *s, size_t variant)
{
    lg_gradcheck_report report;
    const lg_gradcheck_options options = options_for(s);
    const lg_status status = lg_gradcheck(c->call, s->count, s->input, s, &options, &report);
    if (c->no_gradient) {
        ck_assert_msg(status == LG_E_STATE, "%s, variant %zu: a gradient came through", c->function, variant);
        return;
    }
    ck_assert_msg(status == LG_OK, "%s, variant %zu: %s", c->function, variant, lg_error());
    size_t wanted = 0;
    for (size_t k = 0; k < s->count; k++)
        wanted += lg_tensor_requires_grad(s->input[k]) ? lg_tensor_size(s->input[k]) : 0;
    ck_assert_uint_eq(report.compared, wanted);
}

START_TEST(gradient_equals_finite_differences)
{
    for_each_variant(&cases[_i], check_gradient);
}
END_TEST

typedef struct shared {
    const struct op_case *c;
    setting *s;
} shared;

/* y^2 + y' + sum x^2, where y and y' come from the op on the same operands: gradients meet in the operands, that of x^2
 * first, and in y. The small factors keep the largest gradients near 1. */
static lg_tensor *share(lg_tape *tape, lg_tensor *const x[], void *context)
{
    const shared *sh = context;
    lg_tensor *operand[MAX_INPUTS] = { NULL }, *rest = NULL;
    for (size_t k = 0; k < sh->s->count; k++)
        operand[k] = lg_tensor_dtype(x[k]) == LG_REAL ? lg_scale(tape, x[k], 1) : x[k];
    lg_tensor *y = sh->c->call(tape, operand, sh->s);
    lg_tensor *result = lg_add(tape, lg_mul(tape, y, y), sh->c->call(tape, operand, sh->s));
    for (size_t k = 0; k < sh->s->count; k++) {
        if (lg_tensor_dtype(x[k]) != LG_REAL)
            continue;
        lg_tensor *square = lg_sum(tape, lg_scale(tape, lg_mul(tape, operand[k], operand[k]), 0.125));
        rest = rest ? lg_add(tape, rest, square) : square;
    }
    return lg_add(tape, lg_scale(tape, result, 0.25), lg_scale(tape, rest, 1.0 / 64));
}

static void check_shared(const struct op_case *c, setting *s, size_t variant)
{
    if (c->no_gradient)
        return;
    shared sh = { c, s };
    size_t largest = 0;
    for (size_t k = 0; k < s->count; k++)
        largest = lg_tensor_size(s->input[k]) > largest ? lg_tensor_size(s->input[k]) : largest;
    if (largest > 400) /* the shapes for long loops were checked above, and are slow here */
        return;
    const lg_gradcheck_options options = options_for(s);
    ck_assert_msg(lg_gradcheck(share, s->count, s->input, &sh, &options, NULL) == LG_OK, "%s, variant %zu: %s",
                  c->function, variant, lg_error());
}

START_TEST(gradients_of_shared_operands_add_up)
{
    for_each_variant(&cases[_i], check_shared);
}
END_TEST

/* Where no gradient is wanted the values are the same, to the bit, and no gradient is kept. */
static void check_without_gradients(const struct op_case *c, setting *s, size_t variant)
{
    lg_tape *with = lg_tape_new(), *without = lg_tape_new();
    lg_tape_set_gradients(without, false);
    lg_tensor *y = c->call(with, s->input, s), *z = c->call(without, s->input, s);
    ck_assert_msg(y && z, "%s: %s", c->function, lg_error());
    ck_assert(lg_same_shape(y, z));
    if (y->size > 0)
        ck_assert_msg(memcmp(lg_tensor_data(y), lg_tensor_data(z), y->size * sizeof(lg_real)) == 0,
                      "%s, variant %zu: other values without gradients", c->function, variant);
    if (z->owner == LG_OWNER_TAPE)
        ck_assert(!lg_tensor_requires_grad(z));
    ck_assert_uint_eq(without->grad_bytes, 0);
    for (const lg_node *node = without->first; node; node = node->next)
        ck_assert_msg(!node->saved || !node->wants_grad, "%s saves for a backward that never comes", c->function);
    lg_tape_free(with);
    lg_tape_free(without);
}

START_TEST(values_do_not_depend_on_gradients_being_wanted)
{
    for_each_variant(&cases[_i], check_without_gradients);
}
END_TEST

static void check_null(const struct op_case *c, setting *s, size_t variant)
{
    (void)variant;
    lg_tape *tape = lg_tape_new();
    lg_tensor *nothing[MAX_INPUTS] = { NULL };
    lg_error_clear();
    lg_fail(LG_E_DOMAIN, "the first failure");
    ck_assert_ptr_null(c->call(tape, nothing, s));
    ck_assert_str_eq(lg_error(), "the first failure");
    lg_error_clear();
    ck_assert_ptr_null(c->call(tape, nothing, s));
    ck_assert_int_eq(lg_error_code(), LG_E_PARAM);
    ck_assert_ptr_null(c->call(NULL, s->input, s));
    ck_assert_uint_eq(lg_tape_length(tape), 0);
    lg_tape_free(tape);
}

START_TEST(null_operands_give_null_and_keep_the_first_message)
{
    setting s = { .rng = lg_rng_seed(5) };
    const size_t variant = strcmp(cases[_i].function, "lg_reshape") == 0 ? 1 : 0;
    ck_assert(cases[_i].build(&s, variant));
    check_null(&cases[_i], &s, variant);
    release(&s);
}
END_TEST

/* ------------------------------------------------------------ completeness */

/* Reads a whole source file. */
static char *source_text(const char *path)
{
    FILE *file = fopen(path, "r");
    ck_assert_msg(file != NULL, "%s cannot be read", path);
    char *text = NULL;
    size_t bytes = 0;
    const ssize_t length = getdelim(&text, &bytes, '\0', file);
    ck_assert(length > 0);
    fclose(file);
    return text;
}

/* Copies the C identifier at `from`. */
static const char *identifier(const char *from, char *name, size_t bytes)
{
    snprintf(name, bytes, "%.*s", (int)strspn(from, "abcdefghijklmnopqrstuvwxyz_0123456789"), from);
    return name;
}

START_TEST(every_function_of_the_header_has_a_case)
{
    char path[4096], name[128];
    snprintf(path, sizeof path, "%s/src/autograd/ops.h", test_source_dir());
    char *text = source_text(path);
    size_t found = 0;
    for (const char *at = text; (at = strstr(at, "LG_API lg_tensor *lg_")) != NULL; at++) {
        identifier(at + strlen("LG_API lg_tensor *"), name, sizeof name);
        bool named = false;
        for (int i = 0; i < CASES; i++)
            named |= strcmp(cases[i].function, name) == 0;
        ck_assert_msg(named, "%s has no case", name);
        found++;
    }
    ck_assert_uint_ge(found, 43);
    free(text);
}
END_TEST

static bool recorded[256];

static void note_ops(const struct op_case *c, setting *s, size_t variant)
{
    (void)variant;
    lg_tape *tape = lg_tape_new();
    ck_assert_msg(c->call(tape, s->input, s) != NULL, "%s: %s", c->function, lg_error());
    for (const lg_node *node = tape->first; node; node = node->next)
        for (size_t row = 0; row < lg_op_count(); row++)
            recorded[row] |= lg_op_at(row) == node->op;
    lg_tape_free(tape);
}

START_TEST(every_op_of_the_table_is_recorded_by_a_case)
{
    ck_assert_uint_le(lg_op_count(), sizeof recorded);
    ck_assert_ptr_null(lg_op_at(lg_op_count()));
    for (int i = 0; i < CASES; i++)
        for_each_variant(&cases[i], note_ops);
    for (size_t row = 0; row < lg_op_count(); row++)
        ck_assert_msg(recorded[row], "no case records %s", lg_op_at(row)->name);
}
END_TEST

static bool in_table(const char *name)
{
    for (size_t row = 0; row < lg_op_count(); row++)
        if (strcmp(lg_op_at(row)->name, name) == 0)
            return true;
    return false;
}

/* Looks for `opening` at the start of lines, followed by an op's name, which must be in the table. */
static size_t check_definitions(const char *text, const char *opening, const char *prefix)
{
    size_t found = 0;
    char name[128], op[160];
    for (const char *at = text; (at = strstr(at, opening)) != NULL; at += strlen(opening)) {
        if (at > text && at[-1] != '\n')
            continue;
        const char *word = at + strlen(opening);
        word += strncmp(word, "lg_", 3) == 0 ? 3 : 0;
        if (strcmp(identifier(word, name, sizeof name), "") == 0 || strncmp(word + strlen(name), "[", 1) == 0 ||
            *word == '*')
            continue;
        const size_t length = strlen(name);
        if (length > 3 && strcmp(name + length - 3, "_op") == 0)
            name[length - 3] = '\0';
        snprintf(op, sizeof op, "%s%s", prefix, name);
        ck_assert_msg(in_table(op), "the op %s is defined and not in the table", op);
        found++;
    }
    return found;
}

START_TEST(every_op_that_is_defined_is_in_the_table)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/src/autograd", test_source_dir());
    DIR *folder = opendir(path);
    ck_assert_ptr_nonnull(folder);
    size_t found = 0;
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        const size_t length = strlen(entry->d_name);
        if (length < 2 || strcmp(entry->d_name + length - 2, ".c") != 0)
            continue;
        snprintf(path, sizeof path, "%s/src/autograd/%s", test_source_dir(), entry->d_name);
        char *text = source_text(path);
        found += check_definitions(text, "const lg_op ", "") + check_definitions(text, "static const lg_op ", "") +
                 check_definitions(text, "UNARY_OP(", "") + check_definitions(text, "BINARY_OP(", "") +
                 check_definitions(text, "LINEAR_OP(", "linear_");
        free(text);
    }
    closedir(folder);
    ck_assert_uint_eq(found, lg_op_count());
}
END_TEST

Suite *ops_suite(void)
{
    Suite *suite = suite_create("ops");
    TCase *gradients = tcase_create("gradients");
    tcase_set_timeout(gradients, 20);
    tcase_add_loop_test(gradients, gradient_equals_finite_differences, 0, CASES);
    tcase_add_loop_test(gradients, gradients_of_shared_operands_add_up, 0, CASES);
    tcase_add_loop_test(gradients, values_do_not_depend_on_gradients_being_wanted, 0, CASES);
    tcase_add_loop_test(gradients, null_operands_give_null_and_keep_the_first_message, 0, CASES);
    suite_add_tcase(suite, gradients);
    TCase *complete = tcase_create("completeness");
    tcase_add_test(complete, every_function_of_the_header_has_a_case);
    tcase_add_test(complete, every_op_of_the_table_is_recorded_by_a_case);
    tcase_add_test(complete, every_op_that_is_defined_is_in_the_table);
    suite_add_tcase(suite, complete);
    return suite;
}
