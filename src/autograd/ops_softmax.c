/* Softmax and its logarithm along an axis. A tensor is seen as [outer, length, inner] around the axis: rows when inner is
 * 1, columns otherwise. Both kinds are worked on in blocks small enough to stay in cache, and exp runs over flat memory,
 * where it is vectorised whatever the length of the axis. */
#include "autograd/ops_internal.h"
#include "tensor/exponentials_internal.h"

#include <string.h>

#define BLOCK 1024 /* elements on which exp runs at once, and the most columns side by side */

LG_INLINE void exp_in_place(lg_real *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = real_exp_minus_abs(x[i]);
}

/* ------------------------------------------------- along rows: inner is 1 */

/* How many rows make a block; a row longer than a block is one by itself. */
static size_t rows_at_once(size_t rows, size_t row, size_t length)
{
    const size_t n = length < BLOCK ? BLOCK / length : 1;
    return rows - row < n ? rows - row : n;
}

/* Rows begin .. end - 1 of a node, which threads share. */
typedef struct row_pass {
    size_t length;
    const lg_real *x, *y, *g;
    bool add;
    lg_real *out; /* y or the gradient of x */
} row_pass;

/* y of at most LG_ROWS_AT_ONCE short rows. */
LG_INLINE void softmax_of_short_rows(size_t rows, size_t length, bool logarithm, const lg_real *x, lg_real *y)
{
    lg_short_rows t;
    lg_exponential_sums s;
    lg_real by[LG_ROWS_AT_ONCE]; /* 1 / sum or log sum */
    const size_t lanes = lg_lanes(rows);
    lg_take_short_rows(rows, length, x, length, &t, &s);
    lg_exponentials_of_short_rows(rows, length, 1, !logarithm, &t, &s);
    for (size_t u = 0; u < lanes; u++)
        by[u] = logarithm ? real_log1p((lg_real)(s.below[u] + (double)(s.ones[u] - 1)))
                          : (lg_real)(1 / (s.below[u] + (double)s.ones[u]));
    for (size_t k = 0; k < length; k++)
        for (size_t u = 0; u < lanes; u++) {
            const lg_real v = t.column[k * lanes + u];
            t.column[k * lanes + u] = logarithm ? (v - s.largest[u]) - by[u] : v * by[u];
        }
    lg_give_short_rows(rows, length, &t, y);
}

LG_INLINE void softmax_of_all_short_rows(size_t rows, size_t length, bool logarithm, const lg_real *x, lg_real *y)
{
    for (size_t done = 0, n; done < rows; done += n) {
        n = lg_rows_at_once(rows - done);
        softmax_of_short_rows(n, length, logarithm, x + done * length, y + done * length);
    }
}

LG_CLONES static void softmax_rows(size_t begin, size_t end, void *pass)
{
    const row_pass *p = pass;
    const size_t rows = end - begin, length = p->length;
    const lg_real *x = p->x + begin * length;
    lg_real *y = p->out + begin * length;
    if (lg_are_short(length)) {
        softmax_of_all_short_rows(rows, length, false, x, y);
        return;
    }
    for (size_t row = 0, count; row < rows; row += count, x += count * length, y += count * length) {
        count = rows_at_once(rows, row, length);
        for (size_t r = 0; r < count; r++) {
            const lg_real *restrict from = x + r * length;
            lg_real *restrict to = y + r * length;
            const lg_real top = lg_largest_of(from, length); /* NaN comes back in the sum of the exponentials */
            for (size_t i = 0; i < length; i++)
                to[i] = from[i] - top;
        }
        exp_in_place(y, count * length);
        for (size_t r = 0; r < count; r++) {
            lg_real *restrict to = y + r * length;
            const lg_real factor = (lg_real)(1 / lg_sum_of(to, length));
            for (size_t i = 0; i < length; i++)
                to[i] *= factor;
        }
    }
}

/* sum exp(x[i]), the exponentials made in pieces on the stack. */
LG_INLINE double sum_of_exp(const lg_real *x, size_t n)
{
    lg_real e[BLOCK];
    double sum = 0;
    for (size_t at = 0; at < n; at += BLOCK) {
        const size_t m = n - at < BLOCK ? n - at : BLOCK;
        for (size_t i = 0; i < m; i++)
            e[i] = real_exp_minus_abs(x[at + i]);
        sum += lg_sum_of(e, m);
    }
    return sum;
}

LG_CLONES static void log_softmax_rows(size_t begin, size_t end, void *pass)
{
    const row_pass *p = pass;
    const size_t rows = end - begin, length = p->length;
    const lg_real *x = p->x + begin * length;
    lg_real *y = p->out + begin * length;
    if (lg_are_short(length)) {
        softmax_of_all_short_rows(rows, length, true, x, y);
        return;
    }
    lg_real e[BLOCK];
    for (size_t row = 0, count; row < rows; row += count, x += count * length, y += count * length) {
        count = rows_at_once(rows, row, length);
        for (size_t r = 0; r < count; r++) {
            const lg_real *restrict from = x + r * length;
            lg_real *restrict to = y + r * length;
            const lg_real top = lg_largest_of(from, length); /* NaN comes back in the sum of the exponentials */
            for (size_t i = 0; i < length; i++)
                to[i] = from[i] - top;
        }
        const bool together = count * length <= BLOCK;
        if (together)
            for (size_t i = 0; i < count * length; i++)
                e[i] = real_exp_minus_abs(y[i]);
        for (size_t r = 0; r < count; r++) {
            lg_real *restrict to = y + r * length;
            const double sum = together ? lg_sum_of(e + r * length, length) : sum_of_exp(to, length);
            const lg_real log_sum = (lg_real)log(sum);
            for (size_t i = 0; i < length; i++)
                to[i] -= log_sum;
        }
    }
}

LG_CLONES static void softmax_rows_backward(size_t begin, size_t end, void *pass)
{
    const row_pass *p = pass;
    const size_t length = p->length;
    const bool add = p->add;
    for (size_t r = begin; r < end; r++) {
        const lg_real *restrict g = p->g + r * length, *restrict y = p->y + r * length;
        lg_real *restrict gx = p->out + r * length;
        double dot = 0;
#pragma omp simd reduction(+ : dot)
        for (size_t i = 0; i < length; i++)
            dot += (double)(g[i] * y[i]);
        const lg_real mean = (lg_real)dot;
        for (size_t i = 0; i < length; i++)
            lg_put(gx, i, add, y[i] * (g[i] - mean));
    }
}

LG_CLONES static void log_softmax_rows_backward(size_t begin, size_t end, void *pass)
{
    const row_pass *p = pass;
    const size_t length = p->length;
    const bool add = p->add;
    for (size_t r = begin; r < end; r++) {
        const lg_real *restrict g = p->g + r * length, *restrict y = p->y + r * length;
        lg_real *restrict gx = p->out + r * length;
        const lg_real sum = (lg_real)lg_sum_of(g, length);
        for (size_t i = 0; i < length; i++)
            lg_put(gx, i, add, g[i] - real_exp_minus_abs(y[i]) * sum);
    }
}

/* --------------------------------------------------- along columns: inner > 1
 * A strip of at most BLOCK columns at a time: x, y, ... point to its first element, rows are `stride` apart. */

LG_CLONES static void softmax_strip(size_t length, size_t columns, size_t stride, const lg_real *x, lg_real *y,
                                    bool logarithm)
{
    lg_real top[BLOCK];
    double sum[BLOCK];
    for (size_t j = 0; j < columns; j++)
        top[j] = x[j], sum[j] = 0;
    for (size_t k = 1; k < length; k++)
        for (size_t j = 0; j < columns; j++)
            top[j] = x[k * stride + j] > top[j] ? x[k * stride + j] : top[j];
    for (size_t k = 0; k < length; k++) {
        const lg_real *restrict from = x + k * stride;
        lg_real *restrict to = y + k * stride;
        for (size_t j = 0; j < columns; j++) {
            const lg_real e = real_exp_minus_abs(from[j] - top[j]);
            to[j] = logarithm ? from[j] - top[j] : e;
            sum[j] += (double)e;
        }
    }
    for (size_t j = 0; j < columns; j++)
        top[j] = (lg_real)(logarithm ? log(sum[j]) : 1 / sum[j]);
    for (size_t k = 0; k < length; k++)
        for (size_t j = 0; j < columns; j++)
            y[k * stride + j] = logarithm ? y[k * stride + j] - top[j] : y[k * stride + j] * top[j];
}

LG_CLONES static void softmax_strip_backward(size_t length, size_t columns, size_t stride, const lg_real *g,
                                             const lg_real *y, bool logarithm, bool add, lg_real *gx)
{
    double sum[BLOCK];
    memset(sum, 0, columns * sizeof *sum);
    for (size_t k = 0; k < length; k++)
        for (size_t j = 0; j < columns; j++)
            sum[j] += (double)(logarithm ? g[k * stride + j] : g[k * stride + j] * y[k * stride + j]);
    for (size_t k = 0; k < length; k++)
        for (size_t j = 0; j < columns; j++) {
            const size_t i = k * stride + j;
            const lg_real s = (lg_real)sum[j];
            lg_put(gx, i, add, logarithm ? g[i] - real_exp_minus_abs(y[i]) * s : y[i] * (g[i] - s));
        }
}

/* ---------------------------------------------------------------- the ops */

static void forward(const lg_node *node, bool logarithm)
{
    const lg_around s = *(const lg_around *)node->attributes;
    const lg_real *x = node->inputs[0]->real;
    lg_real *y = node->output->real;
    if (node->output->size == 0)
        return;
    if (s.inner == 1) {
        lg_parallel_ranges(s.outer, lg_least_rows(s.length), logarithm ? log_softmax_rows : softmax_rows,
                           &(row_pass){ .length = s.length, .x = x, .out = y });
        return;
    }
    for (size_t o = 0; o < s.outer; o++)
        for (size_t c = 0; c < s.inner; c += BLOCK) {
            const size_t at = o * s.length * s.inner + c, columns = s.inner - c < BLOCK ? s.inner - c : BLOCK;
            softmax_strip(s.length, columns, s.inner, x + at, y + at, logarithm);
        }
}

static void backward(const lg_node *node, bool logarithm)
{
    const lg_around s = *(const lg_around *)node->attributes;
    const lg_real *g = node->output->grad, *y = node->output->real;
    bool add;
    lg_real *gx = lg_grad_target(node, 0, &add);
    if (!gx || node->output->size == 0)
        return;
    if (s.inner == 1) {
        lg_parallel_ranges(s.outer, lg_least_rows(s.length), logarithm ? log_softmax_rows_backward : softmax_rows_backward,
                           &(row_pass){ .length = s.length, .y = y, .g = g, .add = add, .out = gx });
        return;
    }
    for (size_t o = 0; o < s.outer; o++)
        for (size_t c = 0; c < s.inner; c += BLOCK) {
            const size_t at = o * s.length * s.inner + c, columns = s.inner - c < BLOCK ? s.inner - c : BLOCK;
            softmax_strip_backward(s.length, columns, s.inner, g + at, y + at, logarithm, add, gx + at);
        }
}

/* y = exp(x - max) / sum exp(x - max),   dx = y (g - sum g y) */
static void softmax_forward(const lg_node *node)
{
    forward(node, false);
}

static void softmax_backward(const lg_node *node)
{
    backward(node, false);
}

const lg_op lg_softmax_op = { "softmax", softmax_forward, softmax_backward };

/* y = x - max - log sum exp(x - max),   dx = g - exp(y) sum g */
static void log_softmax_forward(const lg_node *node)
{
    forward(node, true);
}

static void log_softmax_backward(const lg_node *node)
{
    backward(node, true);
}

const lg_op lg_log_softmax_op = { "log_softmax", log_softmax_forward, log_softmax_backward };

static lg_tensor *record(lg_tape *tape, const lg_op *op, lg_tensor *x, int axis)
{
    size_t found;
    if (!lg_real_operands(tape, op->name, 1, &x) || !lg_axis_of(op->name, x, axis, &found))
        return NULL;
    const lg_around around = lg_around_axis(x, found);
    return lg_record_recipe(tape, op, 1, &x,
                            &(lg_recipe){ .rank = x->rank,
                                          .dims = x->dims,
                                          .attributes = &around,
                                          .attribute_bytes = sizeof around });
}

lg_tensor *lg_softmax(lg_tape *tape, lg_tensor *x, int axis)
{
    return record(tape, &lg_softmax_op, x, axis);
}

lg_tensor *lg_log_softmax(lg_tape *tape, lg_tensor *x, int axis)
{
    return record(tape, &lg_log_softmax_op, x, axis);
}
