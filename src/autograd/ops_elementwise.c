/* Elementwise functions of one tensor. An op is one line: its name, its value of x, and the gradient it passes on, from
 * g (the gradient of the result), x, y (the result) and the constants c.a, c.b that it was recorded with. */
#include "autograd/ops_internal.h"

#include <math.h>

static void forward(const lg_node *node, lg_range_task *values)
{
    lg_parallel_ranges(node->output->size, LG_LEAST_ELEMENTS, values, &(lg_sweep){ .node = node });
}

static void backward(const lg_node *node, lg_range_task *gradients)
{
    lg_sweep sweep = { .node = node };
    sweep.gradient = lg_grad_target(node, 0, &sweep.add);
    if (sweep.gradient)
        lg_parallel_ranges(node->output->size, LG_LEAST_ELEMENTS, gradients, &sweep);
}

/* What each line stands for: two functions of one element, the loops around them, and the row of the table. */
#define UNARY_OP(name, value, gradient)                                                                                \
    LG_INLINE lg_real name##_value(lg_real x, lg_constants c)                                                          \
    {                                                                                                                  \
        (void)c;                                                                                                       \
        return value;                                                                                                  \
    }                                                                                                                  \
    LG_INLINE lg_real name##_gradient(lg_real g, lg_real x, lg_real y, lg_constants c)                                 \
    {                                                                                                                  \
        (void)x, (void)y, (void)c;                                                                                     \
        return gradient;                                                                                               \
    }                                                                                                                  \
    LG_CLONES static void name##_values(size_t begin, size_t end, void *sweep)                                         \
    {                                                                                                                  \
        lg_unary_forward(begin, end, sweep, name##_value);                                                             \
    }                                                                                                                  \
    LG_CLONES static void name##_gradients(size_t begin, size_t end, void *sweep)                                      \
    {                                                                                                                  \
        lg_unary_backward(begin, end, sweep, name##_gradient);                                                         \
    }                                                                                                                  \
    static void name##_forward(const lg_node *node)                                                                    \
    {                                                                                                                  \
        forward(node, name##_values);                                                                                  \
    }                                                                                                                  \
    static void name##_backward(const lg_node *node)                                                                   \
    {                                                                                                                  \
        backward(node, name##_gradients);                                                                              \
    }                                                                                                                  \
    const lg_op lg_##name##_op = { #name, name##_forward, name##_backward };

/* ------------------------------------------------------------- arithmetic */

UNARY_OP(neg, -x, -g)
UNARY_OP(scale, c.a * x, c.a * g)
UNARY_OP(add_scalar, x + c.a, g)
UNARY_OP(exp, real_exp(x), g * y)
UNARY_OP(log, real_log(x), g / x)
UNARY_OP(sqrt, real_sqrt(x), g / (2 * y))
UNARY_OP(square, x * x, 2 * x * g)
UNARY_OP(abs, LG_LIBM(fabs)(x), x == 0 ? 0 : x < 0 ? -g : g)

/* c x^(c - 1), 0 for c = 0 */
LG_INLINE lg_real pow_slope(lg_real x, lg_real c)
{
    return c * real_pow(x, c == 0 ? 0 : c - 1);
}

UNARY_OP(pow, real_pow(x, c.a), (c.a == 0 ? 0 : g) * pow_slope(x, c.a))

/* Written so that NaN, which compares false, passes through. */
UNARY_OP(clamp, x < c.a ? c.a : x > c.b ? c.b : x, x < c.a || x > c.b ? 0 : g)

/* ------------------------------------------------------------ activations */

UNARY_OP(relu, x < 0 ? 0 : x, x <= 0 ? 0 : g)
UNARY_OP(leaky_relu, x <= 0 ? c.a * x : x, x <= 0 ? c.a * g : g)
UNARY_OP(elu, x <= 0 ? c.a * real_expm1(x) : x, x <= 0 ? g * (y + c.a) : g)
UNARY_OP(sigmoid, real_sigmoid(x), g * y * (1 - y))
UNARY_OP(tanh, real_tanh(x), g * ((1 - y) * (1 + y)))
UNARY_OP(softplus, real_softplus(x), g * real_sigmoid(x))

/* x f(x) where f has long reached its limit 0 or 1 at x = +-bound: keeps 0 * inf from making a NaN of the limit 0. */
LG_INLINE lg_real within(lg_real x, lg_real bound)
{
    return x < -bound ? -bound : x > bound ? bound : x;
}

LG_INLINE lg_real silu_slope(lg_real x)
{
    const lg_real s = real_sigmoid(x);
    return s * (1 + within(x, 1000) * (1 - s));
}

UNARY_OP(silu, (x < -1000 ? -1000 : x) * real_sigmoid(x), g * silu_slope(x))

LG_INLINE lg_real gelu_of(lg_real x)
{
    lg_real density;
    return (x < -100 ? -100 : x) * real_normal(x, &density);
}

LG_INLINE lg_real gelu_slope(lg_real x)
{
    lg_real density;
    const lg_real below = real_normal(x, &density);
    return below + within(x, 100) * density;
}

UNARY_OP(gelu, gelu_of(x), g * gelu_slope(x))

/* -------------------------------------------------------------- the calls */

/* False with LG_E_PARAM unless `value` is finite as lg_real too. */
static bool finite_constant(const char *name, const char *what, double value)
{
    if (isfinite((double)(lg_real)value))
        return true;
    lg_fail(LG_E_PARAM, "%s: the %s %g is not a finite number of this build", name, what, value);
    return false;
}

static lg_tensor *record(lg_tape *tape, const lg_op *op, lg_tensor *x)
{
    return lg_record_unary(tape, op, x, (lg_constants){ 0, 0 });
}

static lg_tensor *record_with(lg_tape *tape, const lg_op *op, lg_tensor *x, const char *what, double constant)
{
    if (!lg_real_operands(tape, op->name, 1, &x) || !finite_constant(op->name, what, constant))
        return NULL;
    return lg_record_unary(tape, op, x, (lg_constants){ (lg_real)constant, 0 });
}

lg_tensor *lg_neg(lg_tape *tape, lg_tensor *x)
{
    return record(tape, &lg_neg_op, x);
}

lg_tensor *lg_scale(lg_tape *tape, lg_tensor *x, double factor)
{
    return record_with(tape, &lg_scale_op, x, "factor", factor);
}

lg_tensor *lg_add_scalar(lg_tape *tape, lg_tensor *x, double addend)
{
    return record_with(tape, &lg_add_scalar_op, x, "addend", addend);
}

lg_tensor *lg_exp(lg_tape *tape, lg_tensor *x)
{
    return record(tape, &lg_exp_op, x);
}

lg_tensor *lg_log(lg_tape *tape, lg_tensor *x)
{
    return record(tape, &lg_log_op, x);
}

lg_tensor *lg_sqrt(lg_tape *tape, lg_tensor *x)
{
    return record(tape, &lg_sqrt_op, x);
}

lg_tensor *lg_square(lg_tape *tape, lg_tensor *x)
{
    return record(tape, &lg_square_op, x);
}

lg_tensor *lg_abs(lg_tape *tape, lg_tensor *x)
{
    return record(tape, &lg_abs_op, x);
}

lg_tensor *lg_pow(lg_tape *tape, lg_tensor *x, double exponent)
{
    return record_with(tape, &lg_pow_op, x, "exponent", exponent);
}

lg_tensor *lg_clamp(lg_tape *tape, lg_tensor *x, double low, double high)
{
    if (!lg_real_operands(tape, "clamp", 1, &x))
        return NULL;
    if (!(low <= high)) {
        lg_fail(LG_E_PARAM, "clamp: from %g to %g is no range; low <= high is wanted", low, high);
        return NULL;
    }
    return lg_record_unary(tape, &lg_clamp_op, x, (lg_constants){ (lg_real)low, (lg_real)high });
}

lg_tensor *lg_relu(lg_tape *tape, lg_tensor *x)
{
    return record(tape, &lg_relu_op, x);
}

lg_tensor *lg_leaky_relu(lg_tape *tape, lg_tensor *x, double slope)
{
    return record_with(tape, &lg_leaky_relu_op, x, "slope", slope);
}

lg_tensor *lg_elu(lg_tape *tape, lg_tensor *x, double alpha)
{
    return record_with(tape, &lg_elu_op, x, "alpha", alpha);
}

lg_tensor *lg_sigmoid(lg_tape *tape, lg_tensor *x)
{
    return record(tape, &lg_sigmoid_op, x);
}

lg_tensor *lg_tanh(lg_tape *tape, lg_tensor *x)
{
    return record(tape, &lg_tanh_op, x);
}

lg_tensor *lg_softplus(lg_tape *tape, lg_tensor *x)
{
    return record(tape, &lg_softplus_op, x);
}

lg_tensor *lg_silu(lg_tape *tape, lg_tensor *x)
{
    return record(tape, &lg_silu_op, x);
}

lg_tensor *lg_gelu(lg_tape *tape, lg_tensor *x)
{
    return record(tape, &lg_gelu_op, x);
}

lg_tensor *lg_activate(lg_tape *tape, lg_tensor *x, lg_activation activation)
{
    switch (activation) {
    case LG_LINEAR: return lg_real_operands(tape, "activate", 1, &x) ? x : NULL;
    case LG_RELU: return lg_relu(tape, x);
    case LG_TANH: return lg_tanh(tape, x);
    case LG_SIGMOID: return lg_sigmoid(tape, x);
    case LG_LEAKY_RELU: return lg_leaky_relu(tape, x, 0.01);
    case LG_ELU: return lg_elu(tape, x, 1);
    case LG_SILU: return lg_silu(tape, x);
    case LG_SOFTPLUS: return lg_softplus(tape, x);
    case LG_GELU: return lg_gelu(tape, x);
    case LG_SOFTMAX: return lg_softmax(tape, x, -1);
    case LG_LOG_SOFTMAX: return lg_log_softmax(tape, x, -1);
    }
    lg_fail(LG_E_PARAM, "activate: there is no activation %d", (int)activation);
    return NULL;
}
