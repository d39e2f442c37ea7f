/* Operations on tensors, recorded on a tape.
 *
 * Each takes the tape and its operands (tensors of this tape, heap tensors, parameters), computes at once, and returns a
 * new real tensor of the tape; NULL on error, see lg_error(): LG_E_SHAPE for shapes that do not fit, LG_E_DTYPE for
 * indices where real numbers are wanted, LG_E_PARAM for a constant outside its range, LG_E_STATE for a tensor of a tape
 * that was reset or of another tape, LG_E_MEMORY. Given NULL, an operation returns NULL and keeps the message of what
 * failed first. Below, g is the gradient of the result. Ranks go up to LG_MAX_RANK; empty tensors are allowed.
 *
 * An `axis` counts from 0; a negative one from the end (-1 is the last). One outside -rank .. rank-1 is LG_E_SHAPE.
 * NaN in gives NaN out, of the elements that depend on it. Sums over data are made in double. */
#ifndef LG_OPS_H
#define LG_OPS_H

#include "autograd/tape.h"

LG_BEGIN_DECLS

/* ---------------------------------------------------------------- products */

/* a b, of a [m, k] and b [k, n]: [m, n].   d a = g b', d b = a' g. One BLAS call each. */
LG_API lg_tensor *lg_matmul(lg_tape *tape, lg_tensor *a, lg_tensor *b);

/* op(a) op(b), op the transpose where asked; nothing is copied. */
LG_API lg_tensor *lg_matmul_transposed(lg_tape *tape, lg_tensor *a, bool transpose_a, lg_tensor *b, bool transpose_b);

/* Names for lg_linear, lg_activate and the layers; each is the operation of its name below, with PyTorch's defaults.
 * LG_SOFTMAX and LG_LOG_SOFTMAX act along the last axis. */
typedef enum lg_activation {
    LG_LINEAR = 0, /* none */
    LG_RELU,
    LG_TANH,
    LG_SIGMOID,
    LG_LEAKY_RELU, /* slope 0.01 */
    LG_ELU,        /* alpha 1 */
    LG_SILU,
    LG_SOFTPLUS,
    LG_GELU,
    LG_SOFTMAX,
    LG_LOG_SOFTMAX
} lg_activation;

/* activation(x w' + bias), of x [..., in], w [out, in], bias [out] or NULL: [..., out]. torch.nn.functional.linear.
 * Bias with relu, tanh or sigmoid is one sweep and one node; with the others, the activation is a node of its own.
 *   z = x w' + bias;  dz = g activation'(z);  d x = dz w, d w = dz' x, d bias = column sums of dz                   */
LG_API lg_tensor *lg_linear(lg_tape *tape, lg_tensor *x, lg_tensor *w, lg_tensor *bias, lg_activation activation);

/* activation(x), elementwise or, for the softmaxes, along the last axis. LG_LINEAR gives x itself. */
LG_API lg_tensor *lg_activate(lg_tape *tape, lg_tensor *x, lg_activation activation);

/* -------------------------------------------------------------- arithmetic
 * Elementwise, with NumPy's broadcasting: shapes are aligned at their last axes, a missing axis or one of 1 is repeated
 * to fit the other operand. The gradient of a repeated operand is summed over the repetitions. */
LG_API lg_tensor *lg_add(lg_tape *tape, lg_tensor *a, lg_tensor *b);
LG_API lg_tensor *lg_sub(lg_tape *tape, lg_tensor *a, lg_tensor *b);
LG_API lg_tensor *lg_mul(lg_tape *tape, lg_tensor *a, lg_tensor *b);
LG_API lg_tensor *lg_div(lg_tape *tape, lg_tensor *a, lg_tensor *b);

/* The larger or the smaller of the two; NaN if either is NaN. The gradient goes to the operand that was taken; at a tie
 * all of it to a (PyTorch splits it in halves; here ties go to the first, as everywhere in luge). */
LG_API lg_tensor *lg_maximum(lg_tape *tape, lg_tensor *a, lg_tensor *b);
LG_API lg_tensor *lg_minimum(lg_tape *tape, lg_tensor *a, lg_tensor *b);

/* ------------------------------------------------------------- elementwise */

LG_API lg_tensor *lg_neg(lg_tape *tape, lg_tensor *x);                         /* -x */
LG_API lg_tensor *lg_scale(lg_tape *tape, lg_tensor *x, double factor);        /* factor x */
LG_API lg_tensor *lg_add_scalar(lg_tape *tape, lg_tensor *x, double addend);   /* x + addend */
LG_API lg_tensor *lg_exp(lg_tape *tape, lg_tensor *x);                         /* derivative: the result */
LG_API lg_tensor *lg_log(lg_tape *tape, lg_tensor *x);                         /* 1 / x; log 0 = -inf, of negatives NaN */
LG_API lg_tensor *lg_sqrt(lg_tape *tape, lg_tensor *x);                        /* 1 / (2 sqrt x); infinite at 0 */
LG_API lg_tensor *lg_square(lg_tape *tape, lg_tensor *x);                      /* 2 x */
LG_API lg_tensor *lg_abs(lg_tape *tape, lg_tensor *x);                         /* sign(x); 0 at 0 */

/* x^exponent, as C's pow: 0^negative = inf, x^0 = 1 for every x, a negative x with a broken exponent NaN.
 * Derivative exponent x^(exponent - 1), taken as 0 for exponent 0; so at x = 0 it is 0 for exponents over 1, 1 for 1,
 * and infinite below 1. */
LG_API lg_tensor *lg_pow(lg_tape *tape, lg_tensor *x, double exponent);

/* min(max(x, low), high), low <= high (else LG_E_PARAM; infinities allowed). Derivative 1 for low <= x <= high, else 0. */
LG_API lg_tensor *lg_clamp(lg_tape *tape, lg_tensor *x, double low, double high);

/* ------------------------------------------------------------- activations */

LG_API lg_tensor *lg_relu(lg_tape *tape, lg_tensor *x);     /* max(x, 0); derivative [x > 0] */
LG_API lg_tensor *lg_sigmoid(lg_tape *tape, lg_tensor *x);  /* y = 1 / (1 + exp(-x)); y (1 - y) */
LG_API lg_tensor *lg_tanh(lg_tape *tape, lg_tensor *x);     /* 1 - tanh^2 x */
LG_API lg_tensor *lg_softplus(lg_tape *tape, lg_tensor *x); /* log(1 + exp x), without overflow; sigmoid x */
LG_API lg_tensor *lg_silu(lg_tape *tape, lg_tensor *x);     /* x s, s = sigmoid x; s (1 + x (1 - s)).  Swish */

/* x P, P = (1 + erf(x / sqrt 2)) / 2 (the exact form, PyTorch's default); derivative P + x exp(-x^2/2) / sqrt(2 pi).
 * Hendrycks & Gimpel 2016. */
LG_API lg_tensor *lg_gelu(lg_tape *tape, lg_tensor *x);

/* x for x > 0, else slope x; derivative 1 or slope (slope at 0). PyTorch's default slope is 0.01. */
LG_API lg_tensor *lg_leaky_relu(lg_tape *tape, lg_tensor *x, double slope);

/* x for x > 0, else alpha (exp x - 1); derivative 1 or alpha exp x (alpha at 0). Clevert et al. 2016; usual alpha 1. */
LG_API lg_tensor *lg_elu(lg_tape *tape, lg_tensor *x, double alpha);

/* y = exp(x) / sum exp(x) along an axis, after subtracting the maximum; d x = y (g - sum g y). A slice with +inf, or
 * all -inf, gives NaN. */
LG_API lg_tensor *lg_softmax(lg_tape *tape, lg_tensor *x, int axis);

/* log of the softmax, from x - max x without ever taking the log of a tiny number; d x = g - softmax(x) sum g. */
LG_API lg_tensor *lg_log_softmax(lg_tape *tape, lg_tensor *x, int axis);

/* -------------------------------------------------------------- reductions
 * Over all elements (the result is a scalar, shape []), or over one axis, which is dropped or, with keepdims, left as 1.
 * Of nothing: the sum is 0, the mean NaN, the max LG_E_SHAPE. The gradient of max goes to the first largest element; a
 * NaN counts as largest. */
LG_API lg_tensor *lg_sum(lg_tape *tape, lg_tensor *x);
LG_API lg_tensor *lg_sum_axis(lg_tape *tape, lg_tensor *x, int axis, bool keepdims);
LG_API lg_tensor *lg_mean(lg_tape *tape, lg_tensor *x);
LG_API lg_tensor *lg_mean_axis(lg_tape *tape, lg_tensor *x, int axis, bool keepdims);
LG_API lg_tensor *lg_max(lg_tape *tape, lg_tensor *x);
LG_API lg_tensor *lg_max_axis(lg_tape *tape, lg_tensor *x, int axis, bool keepdims);

/* ------------------------------------------------------------------ layout */

/* The same values in another shape of the same size; no copy. One dim may be LG_INFER: it is computed. */
#define LG_INFER SIZE_MAX
LG_API lg_tensor *lg_reshape(lg_tape *tape, lg_tensor *x, size_t rank, const size_t *dims);

/* Two axes exchanged (a copy). */
LG_API lg_tensor *lg_transpose(lg_tape *tape, lg_tensor *x, int axis_a, int axis_b);

/* `count` >= 1 tensors, alike in all but `axis`, one after the other along it. */
LG_API lg_tensor *lg_concat(lg_tape *tape, size_t count, lg_tensor *const tensors[], int axis);

/* Positions start .. stop-1 along an axis; start <= stop <= its length, else LG_E_INDEX. Along the first axis no copy. */
LG_API lg_tensor *lg_slice(lg_tape *tape, lg_tensor *x, int axis, size_t start, size_t stop);

/* Row indices[i] of table [rows, ...] for each i: shape indices' + [...]; an embedding. `indices` is int32 of any shape
 * that leaves the rank in range; one outside 0 .. rows-1 is LG_E_INDEX and its position is named. Gradients of rows
 * taken more than once add up. */
LG_API lg_tensor *lg_gather_rows(lg_tape *tape, lg_tensor *table, lg_tensor *indices);

/* In training: each element is 0 with probability `rate` in [0, 1], else x / (1 - rate) (inverted dropout, Srivastava
 * et al. 2014), the mask drawn from lg_tape_next_rng. In evaluation, or at rate 0: x itself, and no draw. */
LG_API lg_tensor *lg_dropout(lg_tape *tape, lg_tensor *x, double rate);

/* x as a constant: the same values (no copy), and no gradient flows through it. */
LG_API lg_tensor *lg_detach(lg_tape *tape, lg_tensor *x);

/* --------------------------------------------------------------- the table
 * Every operation above as the tape records it, for listings and tests: row 0 .. lg_op_count() - 1; NULL beyond. */
LG_API size_t lg_op_count(void);
LG_API const lg_op *lg_op_at(size_t row);

LG_END_DECLS

#endif
