/* What the files of ops share: the list of all ops, checks of shapes, and the kernels' loops. */
#ifndef LG_OPS_INTERNAL_H
#define LG_OPS_INTERNAL_H

#include "autograd/ops.h"
#include "autograd/tape_internal.h"
#include "tensor/math_internal.h"
#include "tensor/reduce_internal.h"
#include "tensor/threads_internal.h"

/* Every op of the library: X(name) declares lg_NAME_op, defined beside its two functions. An op that is not in this list
 * cannot be found by lg_op_at, and the tests refuse one that is missing here. */
#define LG_OP_LIST(X)                                                                                                  \
    X(matmul) X(linear) X(linear_relu) X(linear_tanh) X(linear_sigmoid)                                                \
    X(add) X(sub) X(mul) X(div) X(maximum) X(minimum)                                                                  \
    X(neg) X(scale) X(add_scalar) X(exp) X(log) X(sqrt) X(square) X(abs) X(pow) X(clamp)                               \
    X(relu) X(sigmoid) X(tanh) X(softplus) X(silu) X(gelu) X(leaky_relu) X(elu)                                        \
    X(softmax) X(log_softmax) X(sum) X(mean) X(max)                                                                    \
    X(reshape) X(transpose) X(concat) X(slice) X(gather_rows) X(dropout) X(detach)

#define LG_DECLARE_OP(name) extern const lg_op lg_##name##_op;
LG_OP_LIST(LG_DECLARE_OP)
#undef LG_DECLARE_OP

/* The axis that `axis` means in x, counted from the end when negative; false with LG_E_SHAPE. */
bool lg_axis_of(const char *name, const lg_tensor *x, int axis, size_t *found);

/* Writes the position of element `flat` of x as "[2, 0]". */
const char *lg_position_text(const lg_tensor *x, size_t flat, char *text, size_t bytes);

/* A shape as [outer, length, inner] around one axis. */
typedef struct lg_around {
    size_t outer, length, inner;
} lg_around;
lg_around lg_around_axis(const lg_tensor *x, size_t axis);

/* Records an elementwise op on x with up to two constants. */
typedef struct lg_constants {
    lg_real a, b;
} lg_constants;
lg_tensor *lg_record_unary(lg_tape *tape, const lg_op *op, lg_tensor *x, lg_constants constants);

/* ------------------------------------------------------ elementwise kernels
 * The functions of an elementwise op: its value, and the gradient it passes on, given that of the result, g. They are
 * inlined into the two loops below, and those into the op's forward and backward. */
typedef lg_real lg_value_function(lg_real x, lg_constants c);
typedef lg_real lg_gradient_function(lg_real g, lg_real x, lg_real y, lg_constants c);

/* A pass over a node's elements, which threads share. */
typedef struct lg_sweep {
    const lg_node *node;
    lg_real *gradient; /* of an input, to be written or, with add, added to */
    bool add;
} lg_sweep;

/* LG_LEAST_ELEMENTS in rows of that length. */
static inline size_t lg_least_rows(size_t length)
{
    const size_t rows = LG_LEAST_ELEMENTS / (length + 1);
    return rows > LG_RANGE_MULTIPLE ? rows : LG_RANGE_MULTIPLE;
}

LG_INLINE void lg_unary_forward(size_t begin, size_t end, const lg_sweep *s, lg_value_function *value)
{
    const lg_constants c = *(const lg_constants *)s->node->attributes;
    const lg_real *restrict x = s->node->inputs[0]->real;
    lg_real *restrict y = s->node->output->real;
    for (size_t i = begin; i < end; i++)
        y[i] = value(x[i], c);
}

LG_INLINE void lg_unary_backward(size_t begin, size_t end, const lg_sweep *s, lg_gradient_function *gradient)
{
    const lg_constants c = *(const lg_constants *)s->node->attributes;
    const lg_real *restrict x = s->node->inputs[0]->real, *restrict y = s->node->output->real;
    const lg_real *restrict g = s->node->output->grad;
    lg_real *restrict gx = s->gradient;
    if (s->add)
        for (size_t i = begin; i < end; i++)
            gx[i] += gradient(g[i], x[i], y[i], c);
    else
        for (size_t i = begin; i < end; i++)
            gx[i] = gradient(g[i], x[i], y[i], c);
}

/* sum[j] = sum over k of x[k, j], in double, of n columns whose elements are `stride` apart. */
LG_INLINE void lg_sum_columns(size_t length, size_t n, size_t stride, const lg_real *x, double *restrict sum)
{
    memset(sum, 0, n * sizeof *sum);
    for (size_t k = 0; k < length; k++) {
        const lg_real *restrict row = x + k * stride;
        for (size_t j = 0; j < n; j++)
            sum[j] += (double)row[j];
    }
}

/* gradient[0..n) = values, or += values. */
LG_INLINE void lg_put_all(lg_real *restrict gradient, bool add, const lg_real *restrict values, size_t n)
{
    if (add)
        for (size_t i = 0; i < n; i++)
            gradient[i] += values[i];
    else
        for (size_t i = 0; i < n; i++)
            gradient[i] = values[i];
}

#endif
