/* The Euclidean distance of two rows, for losses that compare embeddings. */
#ifndef LG_DISTANCE_INTERNAL_H
#define LG_DISTANCE_INTERNAL_H

#include "losses/loss_internal.h"

#include <float.h>

/* sum (shrink (u - v + eps))^2 */
LG_INLINE double lg_squared_distance(const lg_real *u, const lg_real *v, size_t width, double eps, double shrink)
{
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t k = 0; k < width; k++) {
        const double difference = shrink * ((double)u[k] - (double)v[k] + eps);
        sum += difference * difference;
    }
    return sum;
}

/* |u - v + eps|, also where the squares overflow or vanish. */
LG_INLINE double lg_euclidean_distance(const lg_real *u, const lg_real *v, size_t width, double eps)
{
    const double squares = lg_squared_distance(u, v, width, eps, 1);
    if (!isinf(squares) && !(squares < 0x1p-900))
        return sqrt(squares);
    const double shrink = squares > 1 ? 0x1p-600 : 0x1p600;
    return sqrt(lg_squared_distance(u, v, width, eps, shrink)) / shrink;
}

/* What makes a difference the derivative of the distance: dd/du = (u - v + eps) / d, and 0 at d = 0. */
LG_INLINE double lg_inverse_distance(double distance)
{
    return distance < DBL_MIN ? 0 : 1 / distance;
}

#endif
