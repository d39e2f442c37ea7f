/* Rows of logits and of class probabilities, as the losses over classes need them: logarithms and complements that keep
 * their digits where a probability is near 0 or 1. */
#ifndef LG_SOFTMAX_INTERNAL_H
#define LG_SOFTMAX_INTERNAL_H

#include "losses/loss.h"
#include "tensor/exponentials_internal.h"

/* What the shifted exponentials e of a row add up to: 1 for (one of) the largest, and the rest. */
typedef struct softmax_row {
    lg_real largest, log_rest; /* log_rest = log1p(rest), so lse - z_k = (largest - z_k) / T + log_rest */
    double rest, inverse;      /* inverse = 1 / (1 + rest), so p_k = e_k inverse */
} softmax_row;

/* Of as many rows as are worked on at once. */
typedef struct softmax_rows {
    lg_exponential_sums sums;
    lg_real log_rest[LG_ROWS_AT_ONCE];
    double rest[LG_ROWS_AT_ONCE], inverse[LG_ROWS_AT_ONCE];
} softmax_rows;

LG_INLINE void exponentials_of_rows(size_t rows, size_t classes, const lg_real *z, lg_real inverse_temperature,
                                    lg_real *restrict e, softmax_rows *s)
{
    lg_shifted_exponentials(rows, classes, z, classes, inverse_temperature, e, &s->sums);
    for (size_t u = 0; u < rows; u++) {
        s->rest[u] = s->sums.below[u] + (double)(s->sums.ones[u] - 1);
        s->inverse[u] = 1 / (1 + s->rest[u]);
        s->log_rest[u] = real_log1p((lg_real)s->rest[u]);
    }
}

/* Row u of a chunk's `rows`, gone through in their order; z and e are where it begins. e_k = exp((z_k - max z) / T) is
 * there for this row and those worked on with it. */
LG_INLINE softmax_row next_row(softmax_rows *s, size_t u, size_t rows, size_t classes, const lg_real *z,
                               lg_real inverse_temperature, lg_real *e)
{
    const size_t at = u % LG_ROWS_AT_ONCE;
    if (at == 0)
        exponentials_of_rows(lg_rows_at_once(rows - u), classes, z, inverse_temperature, e, s);
    return (softmax_row){ s->sums.largest[at], s->log_rest[at], s->rest[at], s->inverse[at] };
}

/* -log p_k */
LG_INLINE lg_real minus_log_of(const softmax_row *row, lg_real logit)
{
    return row->largest - logit + row->log_rest;
}

/* 1 - p_k, without cancellation where k is the largest. */
LG_INLINE lg_real complement_of(const softmax_row *row, lg_real logit, lg_real e)
{
    return (lg_real)(logit == row->largest ? row->rest * row->inverse : 1 - (double)e * row->inverse);
}

/* -log of a probability o clipped to [eps, 1 - eps], as if in double: near 1 the complement is what is exact. */
LG_INLINE lg_real minus_log_of_clipped(lg_real o, lg_real eps)
{
    const lg_real at_low = -real_log(eps), at_high = -real_log1p(-eps), between = -real_log(o);
    return o < eps ? at_low : 1 - o < eps ? at_high : between;
}

LG_INLINE bool is_clipped(lg_real o, lg_real eps)
{
    return (o < eps) | (1 - o < eps);
}

/* True when some value is NaN. */
LG_INLINE bool any_nan(const lg_real *values, size_t n)
{
    int found = 0;
    for (size_t k = 0; k < n; k++)
        found |= values[k] != values[k];
    return found;
}

/* sum_k -v_k log o_k,  o = p / S clipped to [eps, 1 - eps],  S = sum p with normalize, else 1. With `gradient`:
 *   h_k  = -v_k / o_k, 0 where clipped
 *   d    = scale (h - sum_k o_k h_k) / S   (scale h without normalize)                                             */
LG_INLINE lg_real cross_entropy_of_probabilities(const lg_real *p, const lg_real *v, size_t classes, bool normalize,
                                                 lg_real eps, lg_real scale, bool gradient, lg_real *restrict d)
{
    const lg_real sum = normalize ? (lg_real)lg_sum_of(p, classes) : 1;
    double loss = any_nan(p, classes) ? (double)NAN : 0, inner = 0;
#pragma omp simd reduction(+ : loss, inner)
    for (size_t k = 0; k < classes; k++) {
        const lg_real o = p[k] / sum, term = v[k] * minus_log_of_clipped(o, eps), slope = -v[k] / o;
        loss += (double)(v[k] == 0 ? 0 : term);
        if (gradient) {
            d[k] = ((v[k] == 0) | is_clipped(o, eps)) ? 0 : slope;
            inner += (double)(o * d[k]);
        }
    }
    for (size_t k = 0; gradient && k < classes; k++)
        d[k] = scale * (normalize ? (d[k] - (lg_real)inner) / sum : d[k]);
    return (lg_real)loss;
}

/* The same where v is 0 but at the label: one logarithm.   d_label = scale h (1 - o) / S, the others -scale h o / S */
LG_INLINE lg_real cross_entropy_of_label(const lg_real *p, size_t label, lg_real v, size_t classes, bool normalize,
                                         lg_real eps, lg_real scale, bool gradient, lg_real *restrict d)
{
    const double total = normalize ? lg_sum_of(p, classes) : 1;
    const lg_real sum = (lg_real)total, o = p[label] / sum, rest = (lg_real)((total - (double)p[label]) / total);
    const lg_real h = ((v == 0) | is_clipped(o, eps)) ? 0 : -v / o;
    const lg_real elsewhere = normalize ? -scale * h * o / sum : 0;
    for (size_t k = 0; gradient && k < classes; k++)
        d[k] = elsewhere;
    if (gradient)
        d[label] = normalize ? scale * h * rest / sum : scale * h;
    return any_nan(p, classes) ? (lg_real)NAN : v == 0 ? 0 : v * minus_log_of_clipped(o, eps);
}

/* LG_E_DOMAIN for a row, not of weight 0, whose probabilities cannot be divided by their sum. */
lg_status lg_check_row_sums(const lg_loss_info *info, const lg_loss_chunk *chunk, size_t first, bool normalized);

#endif
