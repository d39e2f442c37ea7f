/* Elementwise arithmetic of two tensors, with NumPy's broadcasting. An op is one line, as in ops_elementwise.c; how two
 * shapes meet is worked out once, when the op is recorded. */
#include "autograd/ops_internal.h"
#include "tensor/transpose_internal.h"

#include <string.h>

/* ----------------------------------------------------------- broadcasting */

/* How two operands meet in a result, innermost axis first, in as few axes as will do: neighbouring axes that both
 * operands walk alike are one, axes of 1 are none. stride[k][i] is how far one step along axis i takes operand k: 0 where
 * it is repeated; 0 or 1 on the innermost. */
typedef struct meeting {
    size_t rank; /* at least 1 */
    size_t dims[LG_MAX_RANK];
    size_t stride[2][LG_MAX_RANK];
} meeting;

/* The length of axis i of a result of `rank` axes, as x has it: 1 where x has no such axis. */
static size_t aligned_dim(const lg_tensor *x, size_t rank, size_t i)
{
    return i + x->rank < rank ? 1 : x->dims[i + x->rank - rank];
}

/* The broadcast shape; false with LG_E_SHAPE. */
static bool broadcast_shape(const char *name, const lg_tensor *a, const lg_tensor *b, size_t *rank, size_t *dims)
{
    *rank = a->rank > b->rank ? a->rank : b->rank;
    for (size_t i = 0; i < *rank; i++) {
        const size_t m = aligned_dim(a, *rank, i), n = aligned_dim(b, *rank, i);
        if (m != n && m != 1 && n != 1) {
            char at[LG_SHAPE_TEXT_BYTES], bt[LG_SHAPE_TEXT_BYTES];
            lg_fail(LG_E_SHAPE, "%s: %s and %s do not fit: %zu against %zu along axis -%zu, where equal lengths or a 1 are "
                                "wanted",
                    name, lg_tensor_shape_text(a, at, sizeof at), lg_tensor_shape_text(b, bt, sizeof bt), m, n,
                    *rank - i);
            return false;
        }
        dims[i] = m == 1 ? n : m;
    }
    return true;
}

static meeting meet(const lg_tensor *a, const lg_tensor *b, size_t rank, const size_t *dims)
{
    const lg_tensor *operand[2] = { a, b };
    meeting met; /* what lies beyond its rank is not looked at */
    met.rank = 0;
    size_t step[2] = { 1, 1 };
    for (size_t i = rank; i-- > 0;) {
        size_t stride[2];
        for (int k = 0; k < 2; k++) {
            const size_t dim = aligned_dim(operand[k], rank, i);
            stride[k] = dim == dims[i] ? step[k] : 0;
            step[k] *= dim;
        }
        if (dims[i] == 1)
            continue;
        const size_t top = met.rank - 1; /* the axis just inside of this one, if there is one */
        if (met.rank > 0 && stride[0] == met.stride[0][top] * met.dims[top] &&
            stride[1] == met.stride[1][top] * met.dims[top]) {
            met.dims[top] *= dims[i];
            continue;
        }
        met.dims[met.rank] = dims[i];
        met.stride[0][met.rank] = stride[0];
        met.stride[1][met.rank] = stride[1];
        met.rank++;
    }
    if (met.rank == 0) {
        met.dims[0] = met.stride[0][0] = met.stride[1][0] = 1;
        met.rank = 1;
    }
    return met;
}

/* Some of a meeting's axes, a bit each. */
typedef unsigned axes;

static size_t combinations(const meeting *met, axes some)
{
    size_t product = 1;
    for (size_t i = 0; i < met->rank; i++)
        if (some >> i & 1)
            product *= met->dims[i];
    return product;
}

/* Offsets into the operands and into the result. */
typedef struct place {
    size_t operand[2], result;
} place;

/* Where the n-th combination of positions along `some` axes lies, starting from `from`. */
static place step_to(const meeting *met, axes some, size_t n, place from)
{
    size_t stride = 1;
    for (size_t i = 0; some >> i; i++) {
        if (some >> i & 1) {
            const bool outermost = some >> i == 1; /* of these: no division is needed */
            const size_t position = outermost ? n : n % met->dims[i];
            n = outermost ? 0 : n / met->dims[i];
            from.operand[0] += position * met->stride[0][i];
            from.operand[1] += position * met->stride[1][i];
            from.result += position * stride;
        }
        stride *= met->dims[i];
    }
    return from;
}

/* ---------------------------------------------------------------- kernels */

/* A piece of the innermost axis: what the kernels of an op work on. `out` takes values or gradients. */
typedef struct stretch {
    size_t n;
    const lg_real *a, *b, *g, *y;
    bool repeats_a, repeats_b;
    lg_real *out;
} stretch;

typedef void kernel(const stretch *s);

LG_INLINE void value_along(const stretch *s, lg_real (*value)(lg_real a, lg_real b))
{
    const lg_real *restrict a = s->a, *restrict b = s->b;
    lg_real *restrict out = s->out;
    const size_t n = s->n;
    if (s->repeats_a)
        for (size_t i = 0; i < n; i++)
            out[i] = value(a[0], b[i]);
    else if (s->repeats_b)
        for (size_t i = 0; i < n; i++)
            out[i] = value(a[i], b[0]);
    else
        for (size_t i = 0; i < n; i++)
            out[i] = value(a[i], b[i]);
}

LG_INLINE void gradient_along(const stretch *s, lg_real (*gradient)(lg_real g, lg_real a, lg_real b, lg_real y))
{
    const lg_real *restrict a = s->a, *restrict b = s->b, *restrict g = s->g, *restrict y = s->y;
    lg_real *restrict out = s->out;
    const size_t n = s->n;
    if (s->repeats_a)
        for (size_t i = 0; i < n; i++)
            out[i] = gradient(g[i], a[0], b[i], y[i]);
    else if (s->repeats_b)
        for (size_t i = 0; i < n; i++)
            out[i] = gradient(g[i], a[i], b[0], y[i]);
    else
        for (size_t i = 0; i < n; i++)
            out[i] = gradient(g[i], a[i], b[i], y[i]);
}

static stretch stretch_at(const lg_node *node, const meeting *met, place at, size_t n, lg_real *out)
{
    return (stretch){ .n = n,
                      .a = node->inputs[0]->real + at.operand[0],
                      .b = node->inputs[1]->real + at.operand[1],
                      .g = node->output->grad ? node->output->grad + at.result : NULL,
                      .y = node->output->real + at.result,
                      .repeats_a = met->stride[0][0] == 0,
                      .repeats_b = met->stride[1][0] == 0,
                      .out = out };
}

/* A pass of one of them over operands that meet in one axis, which threads share. */
typedef struct flat_pass {
    const lg_node *node;
    kernel *kernel;
    lg_real *out;
} flat_pass;

static void run_flat(size_t begin, size_t end, void *context)
{
    const flat_pass *p = context;
    const meeting *met = p->node->attributes;
    const place at = step_to(met, 1, begin, (place){ { 0, 0 }, 0 });
    const stretch s = stretch_at(p->node, met, at, end - begin, p->out + begin);
    p->kernel(&s);
}

/* Operands that meet in short rows, a row or a column of one beside all of the other, are worked on some rows at a
 * time, as one stretch: what is repeated is first written out. */
enum { BLOCK = 1024 };

static bool meet_in_short_rows(const meeting *met)
{
    return met->rank == 2 && met->dims[0] > 0 && lg_are_short(met->dims[0]);
}

typedef struct short_rows {
    lg_real full[2][BLOCK];
} short_rows;

/* Operand k of `count` rows from `first` on, written out in full unless it lies so already. */
static const lg_real *in_full(const lg_node *node, size_t k, size_t first, size_t count, short_rows *rows)
{
    const meeting *met = node->attributes;
    const size_t n = met->dims[0];
    const lg_real *x = node->inputs[k]->real;
    lg_real *restrict to = rows->full[k];
    if (met->stride[k][0] == 0) /* a column */
        for (size_t r = 0; r < count; r++)
            for (size_t j = 0; j < n; j++)
                to[r * n + j] = x[first + r];
    else if (met->stride[k][1] != 0)
        return x + first * n;
    else if (first == 0) /* a row, the same for all blocks */
        for (size_t r = 0; r < count; r++)
            memcpy(to + r * n, x, n * sizeof *to);
    return to;
}

static stretch stretch_of_rows(const lg_node *node, size_t first, size_t count, short_rows *rows, lg_real *out)
{
    const size_t n = ((const meeting *)node->attributes)->dims[0];
    return (stretch){ .n = count * n,
                      .a = in_full(node, 0, first, count, rows),
                      .b = in_full(node, 1, first, count, rows),
                      .g = node->output->grad ? node->output->grad + first * n : NULL,
                      .y = node->output->real + first * n,
                      .out = out };
}

static size_t rows_at(const meeting *met, size_t row)
{
    const size_t most = BLOCK / met->dims[0], left = met->dims[1] - row;
    return left < most ? left : most;
}

static void forward_short_rows(const lg_node *node, kernel *value)
{
    const meeting *met = node->attributes;
    short_rows rows;
    for (size_t r = 0, count; r < met->dims[1]; r += count) {
        count = rows_at(met, r);
        const stretch s = stretch_of_rows(node, r, count, &rows, node->output->real + r * met->dims[0]);
        value(&s);
    }
}

static void forward(const lg_node *node, kernel *value)
{
    const meeting *met = node->attributes;
    if (met->rank == 1) {
        lg_parallel_ranges(met->dims[0], LG_LEAST_ELEMENTS, run_flat, &(flat_pass){ node, value, node->output->real });
        return;
    }
    if (meet_in_short_rows(met)) {
        forward_short_rows(node, value);
        return;
    }
    const axes all = (1U << met->rank) - 1, outer = all & ~1U;
    const size_t rows = combinations(met, outer);
    for (size_t r = 0; r < rows; r++) {
        const place at = step_to(met, outer, r, (place){ { 0, 0 }, 0 });
        const stretch s = stretch_at(node, met, at, met->dims[0], node->output->real + at.result);
        value(&s);
    }
}

#define PIECE 256

/* sum += part, or sum[0] += the sum of part. */
LG_CLONES static void collect(double *restrict sum, const lg_real *restrict part, size_t n, bool one)
{
    if (one)
        sum[0] += lg_sum_of(part, n);
    else
        for (size_t i = 0; i < n; i++)
            sum[i] += (double)part[i];
}

LG_CLONES static void put_sums(lg_real *restrict target, bool add, const double *restrict sum, size_t n)
{
    if (add)
        for (size_t i = 0; i < n; i++)
            target[i] = (lg_real)((double)target[i] + sum[i]);
    else
        for (size_t i = 0; i < n; i++)
            target[i] = (lg_real)sum[i];
}

LG_CLONES static void add_all(lg_real *restrict target, const lg_real *restrict values, size_t n)
{
    lg_put_all(target, true, values, n);
}

/* sum[r] = the sum of row r of `part` [rows, n]. */
LG_CLONES static void sum_rows(double *restrict sum, const lg_real *part, size_t rows, size_t n)
{
    lg_real columns[BLOCK];
    lg_transpose_reals(rows, n, part, n, columns, rows);
    lg_sum_columns(n, rows, rows, columns, sum);
}

static void backward_short_rows(const lg_node *node, size_t which, kernel *gradient, lg_real *target, bool add)
{
    const meeting *met = node->attributes;
    const size_t n = met->dims[0];
    const bool is_column = met->stride[which][0] == 0, is_row = met->stride[which][1] == 0;
    short_rows rows;
    lg_real part[BLOCK];
    double sum[BLOCK]; /* of a row, as many as a block has: added up at the end */
    const size_t most = rows_at(met, 0), sums = (most > 0 ? most : 1) * n; /* no rows add up to 0 */
    memset(sum, 0, sums * sizeof *sum);
    for (size_t r = 0, count; r < met->dims[1]; r += count) {
        count = rows_at(met, r);
        const bool direct = !is_column && !is_row && !add;
        const stretch s = stretch_of_rows(node, r, count, &rows, direct ? target + r * n : part);
        gradient(&s);
        if (is_column) {
            sum_rows(sum, part, count, n);
            put_sums(target + r, add, sum, count);
        } else if (is_row) {
            collect(sum, part, s.n, false);
        } else if (!direct) {
            add_all(target + r * n, part, s.n);
        }
    }
    if (!is_row)
        return;
    for (size_t i = n; i < sums; i += n)
        for (size_t j = 0; j < n; j++)
            sum[j] += sum[i + j];
    put_sums(target, add, sum, n);
}

/* The gradient of operand `which`. Its elements are made a piece at a time: each is the sum of what `gradient` gives over
 * the axes along which the operand was repeated, if any. */
static void backward(const lg_node *node, size_t which, kernel *gradient)
{
    bool add;
    lg_real *target = lg_grad_target(node, which, &add);
    if (!target)
        return;
    const meeting *met = node->attributes;
    if (meet_in_short_rows(met)) {
        backward_short_rows(node, which, gradient, target, add);
        return;
    }
    axes repeated = 0;
    for (size_t i = 0; i < met->rank; i++)
        if (met->stride[which][i] == 0)
            repeated |= 1U << i;
    const axes outer = ((1U << met->rank) - 1) & ~1U, kept_outer = outer & ~repeated, repeated_outer = outer & repeated;
    const bool one = repeated & 1; /* the innermost axis is summed into one element */
    const size_t kept_rows = combinations(met, kept_outer), repeated_rows = combinations(met, repeated_outer);
    const size_t kept_width = one ? 1 : met->dims[0], repeated_width = one ? met->dims[0] : 1;
    const bool direct = !repeated && !add;
    if (direct && met->rank == 1) {
        lg_parallel_ranges(met->dims[0], LG_LEAST_ELEMENTS, run_flat, &(flat_pass){ node, gradient, target });
        return;
    }
    const size_t piece = direct ? met->dims[0] : PIECE;
    lg_real part[PIECE];
    double sum[PIECE];

    for (size_t k = 0; k < kept_rows; k++)
        for (size_t c = 0; c < kept_width; c += piece) {
            place kept = step_to(met, kept_outer, k, (place){ { 0, 0 }, 0 });
            kept = step_to(met, 1, c, kept);
            lg_real *to = target + kept.operand[which];
            const size_t n = kept_width - c < piece ? kept_width - c : piece; /* elements of the target */
            if (!repeated) {
                const stretch s = stretch_at(node, met, kept, n, direct ? to : part);
                gradient(&s);
                if (!direct)
                    add_all(to, part, n);
                continue;
            }
            memset(sum, 0, n * sizeof *sum);
            for (size_t r = 0; r < repeated_rows; r++)
                for (size_t d = 0; d < repeated_width; d += piece) {
                    place at = step_to(met, repeated_outer, r, kept);
                    at = step_to(met, 1, d, at);
                    const size_t m = !one ? n : repeated_width - d < piece ? repeated_width - d : piece;
                    const stretch s = stretch_at(node, met, at, m, part);
                    gradient(&s);
                    collect(sum, part, m, one);
                }
            put_sums(to, add, sum, n);
        }
}

/* -------------------------------------------------------------------- ops
 * name, the value of a and b, the gradients that go to a and to b from g (y is the value) */
#define BINARY_OP(name, value, gradient_a, gradient_b)                                                                 \
    LG_INLINE lg_real name##_value(lg_real a, lg_real b)                                                               \
    {                                                                                                                  \
        return value;                                                                                                  \
    }                                                                                                                  \
    LG_INLINE lg_real name##_gradient_a(lg_real g, lg_real a, lg_real b, lg_real y)                                    \
    {                                                                                                                  \
        (void)a, (void)b, (void)y;                                                                                     \
        return gradient_a;                                                                                             \
    }                                                                                                                  \
    LG_INLINE lg_real name##_gradient_b(lg_real g, lg_real a, lg_real b, lg_real y)                                    \
    {                                                                                                                  \
        (void)a, (void)b, (void)y;                                                                                     \
        return gradient_b;                                                                                             \
    }                                                                                                                  \
    LG_CLONES static void name##_values(const stretch *s)                                                              \
    {                                                                                                                  \
        value_along(s, name##_value);                                                                                  \
    }                                                                                                                  \
    LG_CLONES static void name##_gradients_a(const stretch *s)                                                         \
    {                                                                                                                  \
        gradient_along(s, name##_gradient_a);                                                                          \
    }                                                                                                                  \
    LG_CLONES static void name##_gradients_b(const stretch *s)                                                         \
    {                                                                                                                  \
        gradient_along(s, name##_gradient_b);                                                                          \
    }                                                                                                                  \
    static void name##_forward(const lg_node *node)                                                                    \
    {                                                                                                                  \
        forward(node, name##_values);                                                                                  \
    }                                                                                                                  \
    static void name##_backward(const lg_node *node)                                                                   \
    {                                                                                                                  \
        backward(node, 0, name##_gradients_a);                                                                         \
        backward(node, 1, name##_gradients_b);                                                                         \
    }                                                                                                                  \
    const lg_op lg_##name##_op = { #name, name##_forward, name##_backward };

BINARY_OP(add, a + b, g, g)
BINARY_OP(sub, a - b, g, -g)
BINARY_OP(mul, a * b, g * b, g * a)
BINARY_OP(div, a / b, g / b, -g * y / b)

/* Whether the first operand is the one that is taken: ties and a NaN in it are its own. */
LG_INLINE bool larger(lg_real a, lg_real b)
{
    return (a >= b) | (a != a);
}

LG_INLINE bool smaller(lg_real a, lg_real b)
{
    return (a <= b) | (a != a);
}

BINARY_OP(maximum, larger(a, b) ? a : b, larger(a, b) ? g : 0, larger(a, b) ? 0 : g)
BINARY_OP(minimum, smaller(a, b) ? a : b, smaller(a, b) ? g : 0, smaller(a, b) ? 0 : g)

/* -------------------------------------------------------------- the calls */

static lg_tensor *record(lg_tape *tape, const lg_op *op, lg_tensor *a, lg_tensor *b)
{
    lg_tensor *inputs[] = { a, b };
    size_t rank, broadcast[LG_MAX_RANK] = { 0 };
    const size_t *dims = broadcast;
    meeting met;
    if (!lg_real_operands(tape, op->name, 2, inputs))
        return NULL;
    if (lg_same_shape(a, b)) { /* as most do */
        rank = a->rank;
        dims = a->dims;
        met.rank = 1;
        met.dims[0] = a->size;
        met.stride[0][0] = met.stride[1][0] = 1;
    } else {
        if (!broadcast_shape(op->name, a, b, &rank, broadcast))
            return NULL;
        met = meet(a, b, rank, dims);
    }
    return lg_record_recipe(
        tape, op, 2, inputs,
        &(lg_recipe){ .rank = rank, .dims = dims, .attributes = &met, .attribute_bytes = sizeof met });
}

lg_tensor *lg_add(lg_tape *tape, lg_tensor *a, lg_tensor *b)
{
    return record(tape, &lg_add_op, a, b);
}

lg_tensor *lg_sub(lg_tape *tape, lg_tensor *a, lg_tensor *b)
{
    return record(tape, &lg_sub_op, a, b);
}

lg_tensor *lg_mul(lg_tape *tape, lg_tensor *a, lg_tensor *b)
{
    return record(tape, &lg_mul_op, a, b);
}

lg_tensor *lg_div(lg_tape *tape, lg_tensor *a, lg_tensor *b)
{
    return record(tape, &lg_div_op, a, b);
}

lg_tensor *lg_maximum(lg_tape *tape, lg_tensor *a, lg_tensor *b)
{
    return record(tape, &lg_maximum_op, a, b);
}

lg_tensor *lg_minimum(lg_tape *tape, lg_tensor *a, lg_tensor *b)
{
    return record(tape, &lg_minimum_op, a, b);
}
