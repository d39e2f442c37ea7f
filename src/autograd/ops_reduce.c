/* Sums, means and maxima over all elements or over one axis. A tensor is seen as [outer, length, inner] around the axis
 * that is reduced. */
#include "autograd/ops_internal.h"
#include "tensor/transpose_internal.h"

#include <math.h>
#include <string.h>

#define STRIP 128 /* columns that are reduced side by side */

static size_t strip_at(size_t inner, size_t column)
{
    return inner - column < STRIP ? inner - column : STRIP;
}

/* Short rows are reduced side by side, unless they are few. */
enum { FEW = 8 };

static bool are_short_rows(lg_around s)
{
    return s.inner == 1 && lg_are_short(s.length) && s.outer >= FEW;
}

/* ------------------------------------------------------------ sum and mean */

LG_CLONES static void sum_short_rows(size_t rows, size_t length, double factor, const lg_real *x, lg_real *y)
{
    lg_real columns[LG_SHORT * LG_ROWS_AT_ONCE];
    double sum[LG_ROWS_AT_ONCE];
    for (size_t r = 0, n; r < rows; r += n) {
        n = lg_rows_at_once(rows - r);
        lg_transpose_reals(n, length, x + r * length, length, columns, n);
        lg_sum_columns(length, n, n, columns, sum);
        for (size_t j = 0; j < n; j++)
            y[r + j] = (lg_real)(factor * sum[j]);
    }
}

/* y[o, j] = factor * sum over k of x[o, k, j], in double. */
LG_CLONES static void sum_axis(lg_around s, double factor, const lg_real *x, lg_real *y)
{
    double sum[STRIP];
    if (are_short_rows(s)) {
        sum_short_rows(s.outer, s.length, factor, x, y);
        return;
    }
    for (size_t o = 0; o < s.outer; o++) {
        const lg_real *block = x + o * s.length * s.inner;
        if (s.inner == 1) {
            y[o] = (lg_real)(factor * lg_sum_of(block, s.length));
            continue;
        }
        for (size_t c = 0; c < s.inner; c += STRIP) {
            const size_t n = strip_at(s.inner, c);
            lg_sum_columns(s.length, n, s.inner, block + c, sum);
            for (size_t j = 0; j < n; j++)
                y[o * s.inner + c + j] = (lg_real)(factor * sum[j]);
        }
    }
}

/* gx[o, k, j] = factor * g[o, j] */
LG_CLONES static void spread_axis(lg_around s, lg_real factor, const lg_real *restrict g, bool add,
                                  lg_real *restrict gx)
{
    if (s.inner == 1)
        for (size_t o = 0; o < s.outer; o++)
            for (size_t k = 0; k < s.length; k++)
                lg_put(gx, o * s.length + k, add, factor * g[o]);
    else
        for (size_t o = 0; o < s.outer; o++)
            for (size_t k = 0; k < s.length; k++)
                for (size_t j = 0; j < s.inner; j++)
                    lg_put(gx, (o * s.length + k) * s.inner + j, add, factor * g[o * s.inner + j]);
}

static void spread(const lg_node *node, double factor)
{
    bool add;
    lg_real *gx = lg_grad_target(node, 0, &add);
    if (gx)
        spread_axis(*(const lg_around *)node->attributes, (lg_real)factor, node->output->grad, add, gx);
}

/* y = sum x,   dx = g */
static void sum_forward(const lg_node *node)
{
    sum_axis(*(const lg_around *)node->attributes, 1, node->inputs[0]->real, node->output->real);
}

static void sum_backward(const lg_node *node)
{
    spread(node, 1);
}

const lg_op lg_sum_op = { "sum", sum_forward, sum_backward };

/* y = sum x / n,   dx = g / n.   Of nothing 0 * inf = NaN. */
static double one_over_length(const lg_node *node)
{
    return 1 / (double)((const lg_around *)node->attributes)->length;
}

static void mean_forward(const lg_node *node)
{
    sum_axis(*(const lg_around *)node->attributes, one_over_length(node), node->inputs[0]->real, node->output->real);
}

static void mean_backward(const lg_node *node)
{
    spread(node, one_over_length(node));
}

const lg_op lg_mean_op = { "mean", mean_forward, mean_backward };

/* -------------------------------------------------------------------- max */

/* The position of the first of the largest; a NaN is larger than all. */
LG_CLONES static size_t largest_at(const lg_real *x, size_t n)
{
    lg_real best = x[0];
    unsigned nans = 0;
#pragma omp simd reduction(max : best) reduction(| : nans)
    for (size_t i = 0; i < n; i++) {
        best = x[i] > best ? x[i] : best;
        nans |= x[i] != x[i];
    }
    for (size_t first = 0;; first += LG_BLOCK) {
        const size_t end = n - first < LG_BLOCK ? n : first + LG_BLOCK;
        unsigned found = 0;
        for (size_t i = first; i < end; i++)
            found |= nans ? x[i] != x[i] : x[i] == best;
        for (size_t i = first; found && i < end; i++)
            if (nans ? x[i] != x[i] : x[i] == best)
                return i;
    }
}

/* at[j], the same for each of n columns whose `length` elements are `stride` apart, n <= STRIP. */
LG_CLONES static void columns_largest_at(size_t length, size_t n, size_t stride, const lg_real *x, size_t *at)
{
    lg_real best[STRIP];
    memcpy(best, x, n * sizeof *best);
    memset(at, 0, n * sizeof *at);
    for (size_t k = 1; k < length; k++)
        for (size_t j = 0; j < n; j++) {
            const lg_real value = x[k * stride + j];
            const bool larger = (value > best[j]) | ((value != value) & (best[j] == best[j]));
            best[j] = larger ? value : best[j];
            at[j] = larger ? k : at[j];
        }
}

static void max_of_short_rows(size_t rows, size_t length, const lg_real *x, lg_real *y, size_t *at)
{
    lg_real columns[LG_SHORT * LG_ROWS_AT_ONCE];
    size_t where[LG_ROWS_AT_ONCE];
    for (size_t r = 0, n; r < rows; r += n) {
        n = lg_rows_at_once(rows - r);
        lg_transpose_reals(n, length, x + r * length, length, columns, n);
        columns_largest_at(length, n, n, columns, where);
        for (size_t j = 0; j < n; j++)
            y[r + j] = columns[where[j] * n + j];
        if (at)
            memcpy(at + r, where, n * sizeof *where);
    }
}

/* y[o, j] = x[o, at[o, j], j]; `at` may be NULL. */
static void max_axis(lg_around s, const lg_real *x, lg_real *y, size_t *at)
{
    size_t where[STRIP];
    if (are_short_rows(s)) {
        max_of_short_rows(s.outer, s.length, x, y, at);
        return;
    }
    for (size_t o = 0; o < s.outer; o++)
        for (size_t c = 0; c < s.inner; c += STRIP) {
            const size_t n = strip_at(s.inner, c), first = o * s.inner + c;
            const lg_real *block = x + o * s.length * s.inner + c;
            if (s.inner == 1)
                where[0] = largest_at(block, s.length);
            else
                columns_largest_at(s.length, n, s.inner, block, where);
            for (size_t j = 0; j < n; j++)
                y[first + j] = block[where[j] * s.inner + j];
            if (at)
                memcpy(at + first, where, n * sizeof *where);
        }
}

static void max_forward(const lg_node *node)
{
    max_axis(*(const lg_around *)node->attributes, node->inputs[0]->real, node->output->real, node->saved);
}

/* dx = g at the first of the largest, 0 elsewhere */
static void max_backward(const lg_node *node)
{
    const lg_around s = *(const lg_around *)node->attributes;
    const lg_real *g = node->output->grad;
    const size_t *at = node->saved;
    bool add;
    lg_real *gx = lg_grad_target(node, 0, &add);
    if (!gx)
        return;
    if (!add)
        memset(gx, 0, node->inputs[0]->size * sizeof *gx);
    for (size_t o = 0; o < s.outer; o++)
        for (size_t j = 0; j < s.inner; j++)
            gx[(o * s.length + at[o * s.inner + j]) * s.inner + j] += g[o * s.inner + j];
}

const lg_op lg_max_op = { "max", max_forward, max_backward };

/* -------------------------------------------------------------- the calls */

/* Records a reduction of x, seen as `around`, to a result of shape (rank, dims). */
static lg_tensor *record(lg_tape *tape, const lg_op *op, lg_tensor *x, lg_around around, size_t rank, const size_t *dims)
{
    const size_t results = around.outer * around.inner;
    const bool picks = op == &lg_max_op;
    if (picks && around.length == 0) {
        char text[LG_SHAPE_TEXT_BYTES];
        lg_fail(LG_E_SHAPE, "max: %s has nothing to take the largest of", lg_tensor_shape_text(x, text, sizeof text));
        return NULL;
    }
    const bool keeps = picks && lg_wants_grad(tape, 1, &x);
    return lg_record_recipe(tape, op, 1, &x,
                            &(lg_recipe){ .rank = rank,
                                          .dims = dims,
                                          .attributes = &around,
                                          .attribute_bytes = sizeof around,
                                          .saved_bytes = keeps ? results * sizeof(size_t) : 0 });
}

static lg_tensor *over_all(lg_tape *tape, const lg_op *op, lg_tensor *x)
{
    if (!lg_real_operands(tape, op->name, 1, &x))
        return NULL;
    return record(tape, op, x, (lg_around){ 1, x->size, 1 }, LG_SCALAR_SHAPE);
}

static lg_tensor *over_axis(lg_tape *tape, const lg_op *op, lg_tensor *x, int axis, bool keepdims)
{
    size_t found;
    if (!lg_real_operands(tape, op->name, 1, &x) || !lg_axis_of(op->name, x, axis, &found))
        return NULL;
    size_t dims[LG_MAX_RANK] = { 0 }, rank = 0;
    for (size_t i = 0; i < x->rank; i++)
        if (i != found)
            dims[rank++] = x->dims[i];
        else if (keepdims)
            dims[rank++] = 1;
    return record(tape, op, x, lg_around_axis(x, found), rank, dims);
}

lg_tensor *lg_sum(lg_tape *tape, lg_tensor *x)
{
    return over_all(tape, &lg_sum_op, x);
}

lg_tensor *lg_sum_axis(lg_tape *tape, lg_tensor *x, int axis, bool keepdims)
{
    return over_axis(tape, &lg_sum_op, x, axis, keepdims);
}

lg_tensor *lg_mean(lg_tape *tape, lg_tensor *x)
{
    return over_all(tape, &lg_mean_op, x);
}

lg_tensor *lg_mean_axis(lg_tape *tape, lg_tensor *x, int axis, bool keepdims)
{
    return over_axis(tape, &lg_mean_op, x, axis, keepdims);
}

lg_tensor *lg_max(lg_tape *tape, lg_tensor *x)
{
    return over_all(tape, &lg_max_op, x);
}

lg_tensor *lg_max_axis(lg_tape *tape, lg_tensor *x, int axis, bool keepdims)
{
    return over_axis(tape, &lg_max_op, x, axis, keepdims);
}
