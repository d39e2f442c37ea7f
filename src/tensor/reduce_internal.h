/* Sums and maxima over arrays of reals, inlined where they are used and vectorised: the pragma allows these loops, and
 * no others, to change the order of their terms. */
#ifndef LG_REDUCE_INTERNAL_H
#define LG_REDUCE_INTERNAL_H

#include "tensor/math_internal.h"

/* Sums of eight or more lanes as one: a tree at the end, since what the compiler makes of a reduction ends in adding up
 * one by one, which takes longer than the rest for a few dozen values. */
LG_INLINE double lg_sum_of_lanes(double lane[32])
{
    for (size_t j = 0; j < 16; j++)
        lane[j] += lane[j + 16];
    for (size_t j = 0; j < 8; j++)
        lane[j] += lane[j + 8];
    for (size_t j = 0; j < 4; j++)
        lane[j] += lane[j + 4];
    return (lane[0] + lane[2]) + (lane[1] + lane[3]);
}

/* The sum of n values, in double: as many sums side by side as keep a processor's adders busy, then eight. */
LG_INLINE double lg_sum_of(const lg_real *values, size_t n)
{
    double lane[32] = { 0 };
    size_t i = 0;
    for (; i + 32 <= n; i += 32)
        for (size_t j = 0; j < 32; j++)
            lane[j] += (double)values[i + j];
    for (; i + 8 <= n; i += 8)
        for (size_t j = 0; j < 8; j++)
            lane[j] += (double)values[i + j];
    for (; i < n; i++)
        lane[0] += (double)values[i];
    return lg_sum_of_lanes(lane);
}

/* The sum of term(v) of n values v, in double over sums of four reals, which takes half as long: a float is turned into
 * a double more slowly than added. For terms that do not cancel each other, as losses and probabilities. */
LG_INLINE double lg_sum_of_fours(const lg_real *v, size_t n, lg_real (*term)(lg_real value))
{
    double lane[32] = { 0 };
    size_t i = 0;
    for (; i + 128 <= n; i += 128)
        for (size_t j = 0; j < 32; j++)
            lane[j] += (double)((term(v[i + j]) + term(v[i + 32 + j])) + (term(v[i + 64 + j]) + term(v[i + 96 + j])));
    for (; i + 32 <= n; i += 32)
        for (size_t j = 0; j < 32; j++)
            lane[j] += (double)term(v[i + j]);
    for (; i + 8 <= n; i += 8)
        for (size_t j = 0; j < 8; j++)
            lane[j] += (double)term(v[i + j]);
    for (; i < n; i++)
        lane[0] += (double)term(v[i]);
    return lg_sum_of_lanes(lane);
}

LG_INLINE lg_real lg_itself(lg_real value)
{
    return value;
}

/* The largest of n values, -inf for none. NaN is passed over. Four vectors side by side, since each maximum waits for
 * the one before. (clang vectorises no reduction to a maximum that NaN might enter, and warns when told to.) */
LG_INLINE lg_real lg_largest_of(const lg_real *values, size_t n)
{
    lg_real largest = -(lg_real)INFINITY;
    size_t i = 0;
    if (n >= 64) {
        lg_real lane[64];
        for (size_t j = 0; j < 64; j++)
            lane[j] = -(lg_real)INFINITY;
        for (; i + 64 <= n; i += 64)
            for (size_t j = 0; j < 64; j++)
                lane[j] = values[i + j] > lane[j] ? values[i + j] : lane[j];
        for (size_t width = 32; width > 0; width /= 2)
            for (size_t j = 0; j < width; j++)
                lane[j] = lane[j + width] > lane[j] ? lane[j + width] : lane[j];
        largest = lane[0];
    }
#ifndef __clang__
#pragma omp simd reduction(max : largest)
#endif
    for (size_t k = i; k < n; k++)
        largest = values[k] > largest ? values[k] : largest;
    return largest;
}

#endif
