/* What softmax, its logarithm and the losses of logits begin with: the exponentials of rows, shifted by the row's
 * largest so that none overflows, and what they add up to. */
#ifndef LG_EXPONENTIALS_INTERNAL_H
#define LG_EXPONENTIALS_INTERNAL_H

#include "tensor/reduce_internal.h"
#include "tensor/transpose_internal.h"

enum { LG_LANES = 16 };

/* Of each row: its largest number; how many exponentials are 1, of the largest and of those that equal it but for a
 * rounding; the sum of the others, which keeps its digits however small it is. */
typedef struct lg_exponential_sums {
    lg_real largest[LG_ROWS_AT_ONCE], ones[LG_ROWS_AT_ONCE];
    double below[LG_ROWS_AT_ONCE];
} lg_exponential_sums;

LG_INLINE lg_real lg_below_1(lg_real e)
{
    return e * (lg_real)(e != 1);
}

LG_INLINE void lg_sum_apart(size_t n, const lg_real *e, lg_real *ones, double *below)
{
    int count = 0;
#pragma omp simd reduction(+ : count)
    for (size_t k = 0; k < n; k++)
        count += e[k] == 1;
    *ones = (lg_real)count;
    *below = lg_sum_of_fours(e, n, lg_below_1);
}

/* Rows one after the other. While exponentials are computed, the next row comes out of memory. */
LG_INLINE void lg_exponentials_by_row(size_t rows, size_t width, const lg_real *x, size_t stride, lg_real factor,
                                      lg_real *restrict e, lg_real *restrict largest, lg_real *restrict ones,
                                      double *restrict below)
{
    for (size_t u = 0; u < rows; u++)
        largest[u] = lg_largest_of(x + u * stride, width);
    for (size_t u = 0; u < rows; u++)
        for (size_t first = 0; first < width; first += LG_BLOCK) {
            const size_t n = width - first < LG_BLOCK ? width - first : LG_BLOCK;
            const lg_real *from = x + u * stride + first;
            lg_real *restrict to = e + u * width + first;
            lg_ask_for_block(from, width);
            for (size_t k = 0; k < n; k++)
                to[k] = real_exp_minus_abs((from[k] - largest[u]) * factor);
        }
    for (size_t u = 0; u < rows; u++) {
        ones[u] = 1;
        below[u] = lg_sum_of(e + u * width, width) - 1;
        if (!(below[u] > 1e-6)) /* whose last digits the 1 has taken */
            lg_sum_apart(width, e + u * width, &ones[u], &below[u]);
    }
}

/* Some rows at a time: all their maxima, then all exponentials, then all sums, since a processor begins the next row's
 * before it has ended this one's. */
LG_INLINE void lg_exponentials_of_long_rows(size_t rows, size_t width, const lg_real *x, size_t stride, lg_real factor,
                                            lg_real *restrict e, lg_exponential_sums *s)
{
    const size_t most = 8 * LG_BLOCK / width + 1;
    for (size_t u = 0, n; u < rows; u += n) {
        n = rows - u < most ? rows - u : most;
        lg_exponentials_by_row(n, width, x + u * stride, stride, factor, e + u * width, s->largest + u, s->ones + u,
                               s->below + u);
    }
}

/* How many columns the matrix of short rows has: after the last of the rows, zeros fill a vector. */
LG_INLINE size_t lg_lanes(size_t rows)
{
    return (rows + LG_LANES - 1) / LG_LANES * LG_LANES;
}

typedef struct lg_short_rows {
    lg_real column[LG_SHORT * LG_ROWS_AT_ONCE]; /* [width, lanes] */
} lg_short_rows;

/* Takes x [rows, width], its rows `stride` reals apart; finds the largest of each row, and has no sums yet. */
LG_INLINE void lg_take_short_rows(size_t rows, size_t width, const lg_real *x, size_t stride, lg_short_rows *t,
                                  lg_exponential_sums *s)
{
    const size_t lanes = lg_lanes(rows);
    lg_transpose_reals(rows, width, x, stride, t->column, lanes);
    for (size_t k = 0; k < width; k++)
        for (size_t u = rows; u < lanes; u++)
            t->column[k * lanes + u] = 0;
    for (size_t u = 0; u < lanes; u++) {
        s->largest[u] = -(lg_real)INFINITY;
        s->ones[u] = 0;
        s->below[u] = 0;
    }
    for (size_t k = 0; k < width; k++)
        for (size_t u = 0; u < lanes; u++) {
            const lg_real x_k = t->column[k * lanes + u];
            s->largest[u] = x_k > s->largest[u] ? x_k : s->largest[u];
        }
}

/* Adds the exponentials of `count` numbers of each row to their sums, and puts them in the numbers' place if `keep`. */
LG_INLINE void lg_add_exponentials(size_t count, size_t lanes, lg_real factor, bool keep, lg_real *restrict column,
                                   lg_exponential_sums *restrict s)
{
    for (size_t u = 0; u < lanes; u++) {
        lg_real ones = 0, below = 0;
        for (size_t k = 0; k < count; k++) {
            const lg_real e = real_exp_minus_abs((column[k * lanes + u] - s->largest[u]) * factor);
            if (keep)
                column[k * lanes + u] = e;
            ones += (lg_real)(e == 1);
            below += lg_below_1(e);
        }
        s->ones[u] += ones;
        s->below[u] += (double)below;
    }
}

/* Those of whole rows. Sums are in double over sums of four reals. */
LG_INLINE void lg_exponentials_of_short_rows(size_t rows, size_t width, lg_real factor, bool keep, lg_short_rows *t,
                                             lg_exponential_sums *s)
{
    const size_t lanes = lg_lanes(rows);
    size_t k = 0;
    for (; k + 4 <= width; k += 4)
        lg_add_exponentials(4, lanes, factor, keep, t->column + k * lanes, s);
    for (; k < width; k++)
        lg_add_exponentials(1, lanes, factor, keep, t->column + k * lanes, s);
}

/* y [rows, width] = what the matrix holds. */
LG_INLINE void lg_give_short_rows(size_t rows, size_t width, const lg_short_rows *t, lg_real *restrict y)
{
    lg_transpose_reals(width, rows, t->column, lg_lanes(rows), y, width);
}

/* e[u][k] = exp(factor (x[u][k] - largest[u])) of at most LG_ROWS_AT_ONCE rows of x [rows, width], `stride` reals
 * apart, for factor > 0; e [rows, width] and x do not overlap. NaN in a row is passed over by its largest and comes
 * back in its sums. */
LG_INLINE void lg_shifted_exponentials(size_t rows, size_t width, const lg_real *x, size_t stride, lg_real factor,
                                       lg_real *restrict e, lg_exponential_sums *s)
{
    lg_short_rows t;
    if (!lg_are_short(width)) {
        lg_exponentials_of_long_rows(rows, width, x, stride, factor, e, s);
        return;
    }
    lg_take_short_rows(rows, width, x, stride, &t, s);
    lg_exponentials_of_short_rows(rows, width, factor, true, &t, s);
    lg_give_short_rows(rows, width, &t, e);
}

#endif
