/* The cosine of the angle between two rows, and its derivatives: for losses that compare directions. */
#ifndef LG_COSINE_INTERNAL_H
#define LG_COSINE_INTERNAL_H

#include "losses/loss_internal.h"

LG_INLINE double lg_sum_of_squares(const lg_real *x, size_t width, double shrink)
{
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t k = 0; k < width; k++)
        sum += (shrink * (double)x[k]) * (shrink * (double)x[k]);
    return sum;
}

/* A vector and its length, both times `shrink`: 2^-600 where the squares of the elements would overflow, else 1. */
typedef struct lg_direction {
    const lg_real *x;
    double shrink, length;
    bool none; /* too short to have a direction */
} lg_direction;

LG_INLINE lg_direction lg_direction_of(const lg_real *x, size_t width, double eps)
{
    double shrink = 1, squares = lg_sum_of_squares(x, width, shrink);
    if (isinf(squares)) {
        shrink = 0x1p-600;
        squares = lg_sum_of_squares(x, width, shrink);
    }
    const double length = sqrt(squares);
    return (lg_direction){ .x = x, .shrink = shrink, .length = length, .none = length <= eps * shrink };
}

/* c = a . b / (|a| |b|). Without a direction of both (a length of eps or less): c = 0, and so are its derivatives. */
typedef struct lg_angle {
    lg_direction a, b;
    double cosine;
    bool none;
} lg_angle;

LG_INLINE lg_angle lg_angle_between(const lg_real *a, const lg_real *b, size_t width, double eps)
{
    lg_angle angle = { .a = lg_direction_of(a, width, eps), .b = lg_direction_of(b, width, eps) };
    const double shrink_a = angle.a.shrink, shrink_b = angle.b.shrink;
    double product = 0;
#pragma omp simd reduction(+ : product)
    for (size_t k = 0; k < width; k++)
        product += (shrink_a * (double)a[k]) * (shrink_b * (double)b[k]);
    angle.none = (angle.a.none & !isnan(angle.b.length)) | (angle.b.none & !isnan(angle.a.length));
    angle.cosine = angle.none ? 0 : product / angle.a.length / angle.b.length;
    return angle;
}

/* d = factor dc/du = factor (v / |v| - c u / |u|) / |u|; with `add`, d += that. */
LG_INLINE void lg_turn(const lg_angle *angle, const lg_direction *u, const lg_direction *v, double factor,
                       lg_real *restrict d, size_t width, const bool add)
{
    const double of_v = v->shrink / v->length, of_u = angle->cosine * u->shrink / u->length;
    if (angle->none) {
        for (size_t k = 0; !add && k < width; k++)
            d[k] = 0;
        return;
    }
    factor *= u->shrink / u->length;
    for (size_t k = 0; k < width; k++) {
        const double turn = factor * (of_v * (double)v->x[k] - of_u * (double)u->x[k]);
        d[k] = (lg_real)(add ? (double)d[k] + turn : turn);
    }
}

LG_INLINE void lg_turn_a(const lg_angle *angle, double factor, lg_real *d, size_t width)
{
    lg_turn(angle, &angle->a, &angle->b, factor, d, width, false);
}

LG_INLINE void lg_turn_b(const lg_angle *angle, double factor, lg_real *d, size_t width)
{
    lg_turn(angle, &angle->b, &angle->a, factor, d, width, false);
}

#endif
