/* Transposing a matrix that stays in cache; and rows that are so short that they go faster side by side, transposed. */
#ifndef LG_TRANSPOSE_INTERNAL_H
#define LG_TRANSPOSE_INTERNAL_H

#include "tensor/math_internal.h"

/* Rows shorter than LG_SHORT are taken LG_ROWS_AT_ONCE at a time, as the columns of a transposed matrix: no vector is cut
 * short, and no sum is a tree. */
enum { LG_SHORT = 64, LG_ROWS_AT_ONCE = 64 };

LG_INLINE bool lg_are_short(size_t width)
{
    return width < LG_SHORT;
}

/* The next rows to take, of as many as are left. */
LG_INLINE size_t lg_rows_at_once(size_t left)
{
    return left < LG_ROWS_AT_ONCE ? left : LG_ROWS_AT_ONCE;
}

/* to [k, n] = from' [n, k], in squares of four rows and columns where the compiler has vectors to shuffle. Rows are
 * `from_stride` and `to_stride` reals apart. */
LG_INLINE void lg_transpose_reals(size_t n, size_t k, const lg_real *restrict from, size_t from_stride,
                                  lg_real *restrict to, size_t to_stride)
{
    size_t square_rows = 0, square_columns = 0;
#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
    typedef lg_real four __attribute__((vector_size(4 * sizeof(lg_real))));
    square_rows = n / 4 * 4;
    square_columns = k / 4 * 4;
    for (size_t j = 0; j < square_rows; j += 4)
        for (size_t i = 0; i < square_columns; i += 4) {
            four a, b, c, d;
            memcpy(&a, from + j * from_stride + i, sizeof a);
            memcpy(&b, from + (j + 1) * from_stride + i, sizeof b);
            memcpy(&c, from + (j + 2) * from_stride + i, sizeof c);
            memcpy(&d, from + (j + 3) * from_stride + i, sizeof d);
            /* a0 b0 a1 b1, a2 b2 a3 b3, and of c and d likewise */
            const four ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab2 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
            const four cd = __builtin_shufflevector(c, d, 0, 4, 1, 5), cd2 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
            a = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
            b = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
            c = __builtin_shufflevector(ab2, cd2, 0, 1, 4, 5);
            d = __builtin_shufflevector(ab2, cd2, 2, 3, 6, 7);
            memcpy(to + i * to_stride + j, &a, sizeof a);
            memcpy(to + (i + 1) * to_stride + j, &b, sizeof b);
            memcpy(to + (i + 2) * to_stride + j, &c, sizeof c);
            memcpy(to + (i + 3) * to_stride + j, &d, sizeof d);
        }
#endif
#endif
    for (size_t i = square_columns; i < k; i++)
        for (size_t j = 0; j < square_rows; j++)
            to[i * to_stride + j] = from[j * from_stride + i];
    for (size_t j = square_rows; j < n; j++)
        for (size_t i = 0; i < k; i++)
            to[i * to_stride + j] = from[j * from_stride + i];
}

#endif
