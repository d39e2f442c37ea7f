/* What softmax, its logarithm and the losses of logits begin with: the exponentials of rows, shifted by the row's largest
 * so that none overflows, and what they add up to. */
#ifndef LG_EXPONENTIALS_INTERNAL_H
#define LG_EXPONENTIALS_INTERNAL_H

#include "tensor/reduce_internal.h"
#include "tensor/transpose_internal.h"

enum { LG_ROWS_AT_ONCE = 64, LG_LANES = 16, LG_FEW_ROWS = 6 };

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

/* One row at a time. While a long one's exponentials are computed, the next comes out of memory. */
LG_INLINE void lg_exponentials_by_row(size_t rows, size_t width, const lg_real *x, lg_real factor, lg_real *restrict e,
                                      lg_exponential_sums *s)
{
    for (size_t u = 0; u < rows; u++, x += width, e += width) {
        const lg_real largest = s->largest[u] = lg_largest_of(x, width);
        for (size_t first = 0; first < width; first += LG_BLOCK) {
            const size_t n = width - first < LG_BLOCK ? width - first : LG_BLOCK;
            lg_ask_for_block(x, width + first);
            for (size_t k = first; k < first + n; k++)
                e[k] = real_exp_minus_abs((x[k] - largest) * factor);
        }
        int ones = 0;
#pragma omp simd reduction(+ : ones)
        for (size_t k = 0; k < width; k++)
            ones += e[k] == 1;
        s->ones[u] = (lg_real)ones;
        s->below[u] = lg_sum_of_fours(e, width, lg_below_1);
    }
}

/* The exponentials of `count` columns of rows that lie side by side, in the columns' place; their sums are added to s. */
LG_INLINE void lg_exponentials_of_columns(size_t count, size_t lanes, lg_real factor, lg_real *restrict column,
                                          lg_exponential_sums *restrict s)
{
    for (size_t u = 0; u < lanes; u++) {
        lg_real ones = 0, below = 0;
        for (size_t k = 0; k < count; k++) {
            const lg_real e = real_exp_minus_abs((column[k * lanes + u] - s->largest[u]) * factor);
            column[k * lanes + u] = e;
            ones += (lg_real)(e == 1);
            below += lg_below_1(e);
        }
        s->ones[u] += ones;
        s->below[u] += (double)below;
    }
}

/* Short rows side by side, so that no vector is cut short and no sum is a tree: after the last, rows of zeros fill it. Sums
 * are in double over sums of four reals. */
LG_INLINE void lg_exponentials_side_by_side(size_t rows, size_t width, const lg_real *x, lg_real factor,
                                            lg_real *restrict e, lg_exponential_sums *s)
{
    const size_t lanes = (rows + LG_LANES - 1) / LG_LANES * LG_LANES;
    lg_real column[LG_BLOCK * LG_ROWS_AT_ONCE];
    lg_transpose(rows, width, x, width, column, lanes);
    for (size_t k = 0; k < width; k++)
        for (size_t u = rows; u < lanes; u++)
            column[k * lanes + u] = 0;
    for (size_t u = 0; u < lanes; u++) {
        s->largest[u] = -(lg_real)INFINITY;
        s->ones[u] = 0;
        s->below[u] = 0;
    }
    for (size_t k = 0; k < width; k++)
        for (size_t u = 0; u < lanes; u++) {
            const lg_real z = column[k * lanes + u];
            s->largest[u] = z > s->largest[u] ? z : s->largest[u];
        }
    size_t k = 0;
    for (; k + 4 <= width; k += 4)
        lg_exponentials_of_columns(4, lanes, factor, column + k * lanes, s);
    for (; k < width; k++)
        lg_exponentials_of_columns(1, lanes, factor, column + k * lanes, s);
    lg_transpose(width, rows, column, lanes, e, width);
}

/* e[u][k] = exp(factor (x[u][k] - largest[u])) of at most LG_ROWS_AT_ONCE rows of x [rows, width], for factor > 0; e and
 * x do not overlap. NaN in a row is passed over by its largest and comes back in its sums. */
LG_INLINE void lg_shifted_exponentials(size_t rows, size_t width, const lg_real *x, lg_real factor, lg_real *restrict e,
                                       lg_exponential_sums *s)
{
    if (width < LG_BLOCK && rows >= LG_FEW_ROWS)
        lg_exponentials_side_by_side(rows, width, x, factor, e, s);
    else
        lg_exponentials_by_row(rows, width, x, factor, e, s);
}

#endif
