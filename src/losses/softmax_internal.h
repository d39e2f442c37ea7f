/* Rows of logits and of class probabilities, as the losses over classes need them: logarithms and complements that keep
 * their digits where a probability is near 0 or 1. */
#ifndef LG_SOFTMAX_INTERNAL_H
#define LG_SOFTMAX_INTERNAL_H

#include "losses/loss.h"
#include "tensor/reduce_internal.h"

/* e[u][k] = exp((z[u][k] - largest[u]) / T) over a chunk of rows, T a temperature, largest[u] = max_k z[u][k], which is
 * kept unless `largest` is NULL. Short rows are shifted first, and then meet in one flat loop of exp, so that few
 * vectors are cut short. While the exponentials of a long one are computed, the next comes out of memory. */
LG_INLINE void shifted_exponentials(size_t rows, size_t classes, const lg_real *logits, lg_real inverse_temperature,
                                    lg_real *restrict e, lg_real *restrict largest)
{
    const bool are_short = classes < LG_BLOCK;
    for (size_t u = 0; u < rows; u++) {
        const lg_real *z = logits + u * classes;
        const lg_real top = lg_largest_of(z, classes);
        if (largest)
            largest[u] = top;
        for (size_t k = 0; are_short && k < classes; k++)
            e[u * classes + k] = (z[k] - top) * inverse_temperature;
        for (size_t first = 0; !are_short && first < classes; first += LG_BLOCK) {
            const size_t n = classes - first < LG_BLOCK ? classes - first : LG_BLOCK;
            lg_ask_for_block(z, classes + first);
            for (size_t k = first; k < first + n; k++)
                e[u * classes + k] = real_exp_minus_abs((z[k] - top) * inverse_temperature);
        }
    }
    for (size_t i = 0; are_short && i < rows * classes; i++)
        e[i] = real_exp_minus_abs(e[i]);
}

/* What a row's shifted exponentials e add up to: 1 for (one of) the largest, and the rest. */
typedef struct softmax_row {
    lg_real largest, log_rest; /* log_rest = log1p(rest), so lse - z_k = (largest - z_k) + log_rest */
    double rest, inverse;      /* inverse = 1 / (1 + rest), so p_k = e_k inverse */
} softmax_row;

LG_INLINE lg_real below_1(lg_real e)
{
    return e * (lg_real)(e != 1);
}

/* Ones, of the largest logits and those that equal them but for a rounding, are counted by themselves, so that the rest
 * keeps its digits however small it is. */
LG_INLINE softmax_row row_of_exponentials(lg_real largest, const lg_real *e, size_t classes)
{
    int ones = 0;
#pragma omp simd reduction(+ : ones)
    for (size_t k = 0; k < classes; k++)
        ones += e[k] == 1;
    const double rest = lg_sum_of_fours(e, classes, below_1) + (ones - 1);
    return (softmax_row){ largest, real_log1p((lg_real)rest), rest, 1 / (1 + rest) };
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
