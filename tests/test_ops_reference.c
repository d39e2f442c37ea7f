/* Operations against PyTorch's values and gradients (tests/reference/ops.h, made by ops.py). */
#include "autograd/ops.h"
#include "reference/ops.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROWS ((int)(sizeof reference_ops / sizeof reference_ops[0]))

/* float: each value passes through a handful of roundings of 6e-8; the references hold sums of up to 24 terms. ABSOLUTE
 * is for derivatives that are told from the rounded result, as y (1 - y) near y = 1, with upstream gradients below 2. */
#ifdef LG_DOUBLE
#define RELATIVE 1e-13
#define ABSOLUTE 4e-16
#else
#define RELATIVE 2e-6
#define ABSOLUTE 1.2e-7
#endif

static size_t size_of(const reference_tensor *r)
{
    size_t size = 1;
    for (size_t i = 0; i < r->rank; i++)
        size *= r->dims[i];
    return size;
}

static lg_tensor *tensor_of(const reference_tensor *r, const double *values)
{
    lg_tensor *x = lg_tensor_zeros(r->rank, r->dims);
    ck_assert_ptr_nonnull(x);
    for (size_t i = 0; i < size_of(r); i++)
        lg_tensor_data(x)[i] = (lg_real)values[i];
    return x;
}

static lg_activation activation_of(const char *name)
{
    return !name                        ? LG_LINEAR
           : strcmp(name, "relu") == 0 ? LG_RELU
           : strcmp(name, "tanh") == 0 ? LG_TANH
                                        : LG_SIGMOID;
}

typedef lg_tensor *unary(lg_tape *, lg_tensor *);
typedef lg_tensor *binary(lg_tape *, lg_tensor *, lg_tensor *);
typedef lg_tensor *with_constant(lg_tape *, lg_tensor *, double);
typedef lg_tensor *along_axis(lg_tape *, lg_tensor *, int);
typedef lg_tensor *reduction(lg_tape *, lg_tensor *, int, bool);

static const struct {
    const char *name;
    unary *unary; /* for reductions, over all */
    binary *binary;
    with_constant *with_constant;
    along_axis *along_axis;
    reduction *reduction;
} functions[] = {
    { .name = "add", .binary = lg_add },
    { .name = "sub", .binary = lg_sub },
    { .name = "mul", .binary = lg_mul },
    { .name = "div", .binary = lg_div },
    { .name = "maximum", .binary = lg_maximum },
    { .name = "minimum", .binary = lg_minimum },
    { .name = "neg", .unary = lg_neg },
    { .name = "exp", .unary = lg_exp },
    { .name = "log", .unary = lg_log },
    { .name = "sqrt", .unary = lg_sqrt },
    { .name = "square", .unary = lg_square },
    { .name = "abs", .unary = lg_abs },
    { .name = "relu", .unary = lg_relu },
    { .name = "sigmoid", .unary = lg_sigmoid },
    { .name = "tanh", .unary = lg_tanh },
    { .name = "softplus", .unary = lg_softplus },
    { .name = "gelu", .unary = lg_gelu },
    { .name = "scale", .with_constant = lg_scale },
    { .name = "pow", .with_constant = lg_pow },
    { .name = "leaky_relu", .with_constant = lg_leaky_relu },
    { .name = "softmax", .along_axis = lg_softmax },
    { .name = "log_softmax", .along_axis = lg_log_softmax },
    { .name = "sum", .unary = lg_sum, .reduction = lg_sum_axis },
    { .name = "mean", .unary = lg_mean, .reduction = lg_mean_axis },
    { .name = "max", .unary = lg_max, .reduction = lg_max_axis },
};

/* Calls what the row names; NULL with nothing pending when the row names what is not known here. */
static lg_tensor *call(lg_tape *tape, const struct reference_op *r, lg_tensor *const x[])
{
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        if (strcmp(functions[i].name, r->op) != 0)
            continue;
        if (functions[i].binary)
            return functions[i].binary(tape, x[0], x[1]);
        if (functions[i].with_constant)
            return functions[i].with_constant(tape, x[0], r->real[0]);
        if (functions[i].along_axis)
            return functions[i].along_axis(tape, x[0], r->axis);
        if (functions[i].reduction && r->axis != OPS_NO_AXIS)
            return functions[i].reduction(tape, x[0], r->axis, false);
        return functions[i].unary(tape, x[0]);
    }
    if (strcmp(r->op, "matmul") == 0)
        return lg_matmul_transposed(tape, x[0], r->transpose[0], x[1], r->transpose[1]);
    if (strcmp(r->op, "linear") == 0)
        return lg_linear(tape, x[0], x[1], r->inputs > 2 ? x[2] : NULL, activation_of(r->activation));
    if (strcmp(r->op, "clamp") == 0)
        return lg_clamp(tape, x[0], r->real[0], r->real[1]);
    if (strcmp(r->op, "reshape") == 0)
        return lg_reshape(tape, x[0], r->output.rank, r->output.dims);
    if (strcmp(r->op, "transpose") == 0)
        return lg_transpose(tape, x[0], 0, 1);
    if (strcmp(r->op, "concat") == 0)
        return lg_concat(tape, r->inputs, x, r->axis);
    if (strcmp(r->op, "slice") == 0)
        return lg_slice(tape, x[0], r->axis, r->begin, r->end);
    if (strcmp(r->op, "gather") == 0)
        return lg_gather_rows(tape, x[0], lg_constant_indices(tape, LG_SHAPE(r->indices), r->index));
    return NULL;
}

/* Equal within ABSOLUTE and RELATIVE of the value or, where terms cancel, of the largest of its tensor; infinities and NaN alike.
 * What double holds and float does not is infinite, or nothing, in float. */
static void compare(const struct reference_op *r, const char *what, const lg_real *ours, const double *theirs, size_t n)
{
    double largest = 0;
    for (size_t i = 0; i < n; i++)
        if (isfinite(theirs[i]) && fabs(theirs[i]) < 1e6)
            largest = fmax(largest, fabs(theirs[i]));
    for (size_t i = 0; i < n; i++) {
        const double value = (double)ours[i], wanted = (double)(lg_real)theirs[i];
        const bool same = isnan(wanted)   ? isnan(value)
                          : isinf(wanted) ? value == wanted
                                          : fabs(value - wanted) <= RELATIVE * fmax(fabs(wanted), largest) + ABSOLUTE;
        ck_assert_msg(same, "%s (%s): %s[%zu] is %.17g, PyTorch has %.17g", r->op, r->what, what, i, value, theirs[i]);
    }
}

START_TEST(values_and_gradients_are_pytorchs)
{
    const struct reference_op *r = &reference_ops[_i];
    lg_tape *tape = lg_tape_new();
    lg_tensor *x[3] = { NULL }, *upstream = tensor_of(&r->output, r->output.gradient);
    for (size_t k = 0; k < r->inputs; k++) {
        x[k] = tensor_of(&r->input[k], r->input[k].value);
        ck_assert_int_eq(lg_tensor_require_grad(x[k], true), LG_OK);
    }
    lg_tensor *y = call(tape, r, x);
    ck_assert_msg(y != NULL, "%s (%s): %s", r->op, r->what, lg_error()[0] ? lg_error() : "not known to this test");
    ck_assert_uint_eq(lg_tensor_rank(y), r->output.rank);
    for (size_t i = 0; i < r->output.rank; i++)
        ck_assert_uint_eq(lg_tensor_dim(y, i), r->output.dims[i]);
    compare(r, "the value", lg_tensor_data(y), r->output.value, size_of(&r->output));

    ck_assert_msg(lg_backward_from(tape, y, upstream) == LG_OK, "%s (%s): %s", r->op, r->what, lg_error());
    for (size_t k = 0; k < r->inputs; k++) {
        char what[32];
        snprintf(what, sizeof what, "gradient %zu", k);
        ck_assert_ptr_nonnull(lg_tensor_grad(x[k]));
        compare(r, what, lg_tensor_grad(x[k]), r->input[k].gradient, size_of(&r->input[k]));
        lg_tensor_free(x[k]);
    }
    lg_tensor_free(upstream);
    lg_tape_free(tape);
}
END_TEST

Suite *ops_reference_suite(void)
{
    Suite *suite = suite_create("ops_reference");
    TCase *tcase = tcase_create("pytorch");
    tcase_add_loop_test(tcase, values_and_gradients_are_pytorchs, 0, ROWS);
    suite_add_tcase(suite, tcase);
    return suite;
}
