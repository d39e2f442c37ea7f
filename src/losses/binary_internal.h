/* What the losses of one logit or probability have in common: the logarithms of p and 1 - p without cancellation. */
#ifndef LG_BINARY_INTERNAL_H
#define LG_BINARY_INTERNAL_H

#include "tensor/math_internal.h"

/* y (1 - a) + a / 2 */
LG_INLINE lg_real smooth_label(lg_real y, lg_real smoothing)
{
    return y * (1 - smoothing) + smoothing / 2;
}

/* a b, where a coefficient of 0 drops even an infinite term; NaN stays. */
LG_INLINE lg_real product_or_zero(lg_real a, lg_real b)
{
    return ((a == 0) & (b == b)) ? 0 : a * b;
}

/* p = sigmoid(z), q = 1 - p, each with all its digits:   e = exp(-|z|)
 *   -log p = log1p(e) + max(-z, 0),  -log q = log1p(e) + max(z, 0) */
typedef struct logit_terms {
    lg_real p, q, minus_log_p, minus_log_q;
} logit_terms;

LG_INLINE logit_terms terms_of_logit(lg_real z)
{
    const lg_real magnitude = z < 0 ? -z : z, e = real_exp_minus_abs(z), log_part = real_log1p_0_to_1(e);
    const lg_real larger = 1 / (1 + e), smaller = e * larger;
    return (logit_terms){ .p = z < 0 ? smaller : larger,
                          .q = z < 0 ? larger : smaller,
                          .minus_log_p = log_part + (z < 0 ? magnitude : 0),
                          .minus_log_q = log_part + (z > 0 ? magnitude : 0) };
}

/* The cross-entropy w1 (-log p) + w0 (-log q) of a logit, told from the side that z is on: with e = exp(-|z|) the
 * probability of that side is 1 / (1 + e), of the other e / (1 + e), and
 *
 *   loss  = total log1p(e) + against |z|,   against = w1 for z < 0, else w0,   total = w0 + w1
 *   slope = w0 p - w1 q = -+ (against - total e / (1 + e))
 *
 * Less to compute than all four terms above, for the losses that need no more. Where `against` is 0 an infinite logit
 * costs nothing. */
typedef struct logit_side {
    lg_real z, against, total;
} logit_side;

LG_INLINE logit_side side_of_logit(lg_real z, lg_real w0, lg_real w1)
{
    return (logit_side){ .z = z, .against = signbit(z) ? w1 : w0, .total = w0 + w1 };
}

LG_INLINE lg_real cross_entropy_of_side(const logit_side *s, lg_real e)
{
    return s->total * real_log1p_0_to_1(e) + (s->against == 0 ? 0 : s->against * LG_LIBM(fabs)(s->z));
}

/* The slope by z from that towards z's side. */
LG_INLINE lg_real slope_by_logit(const logit_side *s, lg_real outwards)
{
    return LG_LIBM(copysign)(1, s->z) * outwards;
}

/* e[i] = exp(-|z[i]|). Meanwhile the targets of the next chunk come out of memory. */
LG_INLINE void exponentials_of_logits(size_t n, const lg_real *z, const lg_real *target, lg_real *restrict e)
{
    for (size_t first = 0; first < n; first += LG_BLOCK) {
        const size_t end = n - first < LG_BLOCK ? n : first + LG_BLOCK;
        lg_ask_for_block(target, n + first);
        for (size_t i = first; i < end; i++)
            e[i] = real_exp_minus_abs(z[i]);
    }
}

/* p clipped to [eps, 1 - eps] as if in double: 1 - p is exact where it is small, so an eps below the float's own
 * resolution of 1 still works. */
typedef struct probability_terms {
    lg_real p, q, minus_log_p, minus_log_q;
    bool clipped;
} probability_terms;

LG_INLINE probability_terms terms_of_probability(lg_real pred, lg_real eps)
{
    const lg_real rest = 1 - pred;
    const bool low = pred < eps, high = rest < eps, upper = pred > (lg_real)0.5;
    const lg_real p = low ? eps : pred, q = high ? eps : rest, smaller = upper ? q : p;
    const lg_real minus_log_smaller = -real_log(smaller), minus_log_larger = -real_log1p_half_to_0(-smaller);
    return (probability_terms){ .p = upper ? 1 - q : p,
                                .q = upper ? q : 1 - p,
                                .minus_log_p = upper ? minus_log_larger : minus_log_smaller,
                                .minus_log_q = upper ? minus_log_smaller : minus_log_larger,
                                .clipped = low | high };
}

#endif
