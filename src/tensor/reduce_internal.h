/* Sums and maxima over arrays of reals, inlined where they are used and vectorised: the pragma allows these loops, and
 * no others, to change the order of their terms. */
#ifndef LG_REDUCE_INTERNAL_H
#define LG_REDUCE_INTERNAL_H

#include "tensor/math_internal.h"

/* The sum of n values, in double. */
LG_INLINE double lg_sum_of(const lg_real *values, size_t n)
{
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++)
        sum += (double)values[i];
    return sum;
}

/* The largest of n values, -inf for none. NaN is passed over. (clang vectorises no maximum that NaN might enter, and
 * warns when told to.) */
LG_INLINE lg_real lg_largest_of(const lg_real *values, size_t n)
{
    lg_real largest = -(lg_real)INFINITY;
#ifndef __clang__
#pragma omp simd reduction(max : largest)
#endif
    for (size_t i = 0; i < n; i++)
        largest = values[i] > largest ? values[i] : largest;
    return largest;
}

#endif
