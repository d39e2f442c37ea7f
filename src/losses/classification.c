/* Binary and categorical cross-entropies (classification.h). */
#include "losses/classification.h"

#include "losses/binary_internal.h"
#include "losses/loss_internal.h"
#include "tensor/reduce_internal.h"

/* ---------------------------------------------------- binary_crossentropy */

enum { BCE_FROM_LOGITS, BCE_SMOOTHING, BCE_EPS, BCE_CLIP };

/* Logits.   loss = q y sp(-z) + (1 - y) sp(z),   sp(x) = log(1 + e^x)
 *   dz = (1 - y) sigmoid(z) - q y sigmoid(-z)
 *   dy = (1 - a)(q sp(-z) - sp(z)),   a = label_smoothing
 * A term whose coefficient is 0 is dropped: an infinite logit on the right side costs nothing. */
LG_LOSS_KERNEL_2(bce_logits, c, gradient, by_target)
{
    const lg_real *z = c->x[0], *target = c->x[1], *pos_weight = c->pos_weight;
    const lg_real smoothing = (lg_real)c->param[BCE_SMOOTHING];
    lg_real *restrict loss = c->loss, *restrict dz = c->d[0], *restrict dy = c->d[1];
    for (size_t i = 0; i < c->units; i++) {
        const lg_real q = pos_weight[i];
        const lg_real y = smooth_label(target[i], smoothing);
        const logit_terms t = terms_of_logit(z[i]);
        loss[i] = product_or_zero(q * y, t.minus_log_p) + product_or_zero(1 - y, t.minus_log_q);
        if (gradient)
            dz[i] = c->scale * ((1 - y) * t.p - q * y * t.q);
        if (by_target)
            dy[i] = c->scale * (1 - smoothing) * (q * t.minus_log_p - t.minus_log_q);
    }
}

/* Probabilities, clipped to [eps, 1 - eps].   loss = -q y log p - (1 - y) log(1 - p)
 *   dp = (1 - y) / (1 - p) - q y / p, 0 where clipped
 *   dy = (1 - a)(log(1 - p) - q log p) */
LG_LOSS_KERNEL_2(bce_clipped, c, gradient, by_target)
{
    const lg_real *pred = c->x[0], *target = c->x[1], *pos_weight = c->pos_weight;
    const lg_real smoothing = (lg_real)c->param[BCE_SMOOTHING], eps = (lg_real)c->param[BCE_EPS];
    lg_real *restrict loss = c->loss, *restrict dp = c->d[0], *restrict dy = c->d[1];
    for (size_t i = 0; i < c->units; i++) {
        const lg_real q = pos_weight[i];
        const lg_real y = smooth_label(target[i], smoothing);
        const probability_terms t = terms_of_probability(pred[i], eps);
        loss[i] = product_or_zero(q * y, t.minus_log_p) + product_or_zero(1 - y, t.minus_log_q);
        const lg_real slope = product_or_zero(1 - y, 1 / t.q) - product_or_zero(q * y, 1 / t.p);
        if (gradient)
            dp[i] = c->scale * (t.clipped ? 0 : slope);
        if (by_target)
            dy[i] = c->scale * (1 - smoothing) * (q * t.minus_log_p - t.minus_log_q);
    }
}

/* Probabilities with the logarithms floored at -100, as torch.nn.BCELoss does; its derivative goes straight through:
 *   dp = ((1 - y) p - q y (1 - p)) / max(p (1 - p), 1e-12) */
LG_LOSS_KERNEL_2(bce_log100, c, gradient, by_target)
{
    const lg_real *pred = c->x[0], *target = c->x[1], *pos_weight = c->pos_weight;
    const lg_real smoothing = (lg_real)c->param[BCE_SMOOTHING];
    lg_real *restrict loss = c->loss, *restrict dp = c->d[0], *restrict dy = c->d[1];
    for (size_t i = 0; i < c->units; i++) {
        const lg_real q = pos_weight[i], p = pred[i];
        const lg_real y = smooth_label(target[i], smoothing);
        const probability_terms t = terms_of_probability(p, 0);
        const lg_real minus_log_p = t.minus_log_p > 100 ? 100 : t.minus_log_p;
        const lg_real minus_log_q = t.minus_log_q > 100 ? 100 : t.minus_log_q;
        loss[i] = q * y * minus_log_p + (1 - y) * minus_log_q;
        if (gradient) {
            const lg_real variance = p * (1 - p), floor = (lg_real)1e-12;
            dp[i] = c->scale * ((1 - y) * p - q * y * (1 - p)) / (variance < floor ? floor : variance);
        }
        if (by_target)
            dy[i] = c->scale * (1 - smoothing) * (q * minus_log_p - minus_log_q);
    }
}

static void bce_kernel(const lg_loss_chunk *c)
{
    if (c->param[BCE_FROM_LOGITS] != 0)
        bce_logits(c);
    else if (c->param[BCE_CLIP] != 0)
        bce_log100(c);
    else
        bce_clipped(c);
}

static lg_status check_bce(const lg_loss_info *info, lg_tensor *const inputs[], const double *params)
{
    (void)inputs;
    if (params[BCE_FROM_LOGITS] != 0 && params[BCE_CLIP] != 0)
        return lg_fail(LG_E_PARAM, "%s: clip=log100 is for probabilities, not with from_logits", info->name);
    return LG_OK;
}

const lg_loss_info lg_binary_crossentropy_row = {
    .name = "binary_crossentropy",
    .family = "classification",
    .summary = "two classes, or several labels that do not exclude each other",
    .formula = "-pos_weight y log p - (1 - y) log(1 - p)",
    .output = "one logit per label (or a probability)",
    .reference = "keras.losses.BinaryCrossentropy; torch.nn.BCEWithLogitsLoss, torch.nn.BCELoss",
    .tasks = LG_TASK_BINARY | LG_TASK_MULTILABEL | LG_TASK_ANOMALY,
    .takes = LG_TAKES_POS_WEIGHT,
    .units = LG_UNIT_ELEMENT,
    .inputs = { { "pred", .domain = LG_LOGIT_OR_PROBABILITY, .differentiable = true },
                { "target", .domain = LG_UNIT_INTERVAL, .differentiable = true } },
    .params = { LG_PARAM_FROM_LOGITS, LG_PARAM_LABEL_SMOOTHING, LG_PARAM_EPS, LG_PARAM_CLIP },
    .aliases = { { "bce", NULL }, { "BCE", NULL }, { "log_loss", NULL }, { "bce_with_logits", "from_logits=true" } },
    .kernel = bce_kernel,
    .check_call = check_bce,
};

lg_tensor *lg_binary_crossentropy(lg_tape *tape, lg_tensor *pred, lg_tensor *target, const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_binary_crossentropy_row, (lg_tensor *[]){ pred, target }, NULL, 0, options);
}

/* ---------------------------------------- sparse_categorical_crossentropy */

enum { SCCE_FROM_LOGITS, SCCE_SMOOTHING, SCCE_EPS, SCCE_NORMALIZE };

/* The weights of the classes in one unit: v_k = w_k ((1 - a) [k = y] + a / C), and their sum. */
typedef struct class_mix {
    const lg_real *weight; /* w, NULL for ones */
    lg_real label_part, uniform_part, sum;
} class_mix;

static lg_real weight_of(const class_mix *mix, size_t k)
{
    return mix->weight ? mix->weight[k] : 1;
}

static class_mix mix_of(const lg_loss_chunk *c, int32_t label)
{
    const lg_real smoothing = (lg_real)c->param[SCCE_SMOOTHING];
    const size_t classes = c->width[0];
    class_mix mix = { .weight = c->class_weight, .uniform_part = smoothing / (lg_real)classes };
    mix.label_part = (1 - smoothing) * weight_of(&mix, (size_t)label);
    mix.sum = mix.label_part;
    if (smoothing != 0) {
        lg_real total = 0;
        for (size_t k = 0; k < classes; k++)
            total += weight_of(&mix, k);
        mix.sum += mix.uniform_part * total;
    }
    return mix;
}

/* The exponentials of a chunk's logits less their row's maximum, in one flat loop that vectorises over short rows. */
LG_CLONES static void shifted_exponentials(const lg_loss_chunk *c, lg_real *restrict e)
{
    const size_t classes = c->width[0];
    for (size_t u = 0; u < c->units; u++) {
        const lg_real *z = c->x[0] + u * classes;
        const lg_real largest = lg_largest_of(z, classes);
        for (size_t k = 0; k < classes; k++)
            e[u * classes + k] = z[k] - largest;
    }
    for (size_t i = 0; i < c->units * classes; i++)
        e[i] = real_exp(e[i]);
}

/* The sum of a row's shifted exponentials but for one of the largest (each of which is 1). */
LG_INLINE double sum_of_others(const lg_real *z, const lg_real *e, lg_real largest, size_t classes)
{
    double others = 0;
    int ties = 0;
#pragma omp simd reduction(+ : others, ties)
    for (size_t k = 0; k < classes; k++) {
        others += z[k] == largest ? 0 : (double)e[k];
        ties += z[k] == largest;
    }
    return others + (ties - 1);
}

/* Logits.   loss = sum_k v_k (lse - z_k),   lse - z_k = (m - z_k) + log1p(rest)
 *   dz = p sum(v) - v
 * m is the largest logit and rest the sum of all exponentials but one of the largest, so that a loss near 0 keeps its
 * digits, and so does 1 - p at a label that is right. A class with v_k = 0 costs nothing even at a logit of -inf. */
LG_LOSS_KERNEL(scce_logits, c, gradient)
{
    const size_t classes = c->width[0];
    lg_real *e = c->scratch;
    shifted_exponentials(c, e);
    for (size_t u = 0; u < c->units; u++, e += classes) {
        const lg_real *z = c->x[0] + u * classes;
        const size_t label = (size_t)c->label[u];
        const class_mix mix = mix_of(c, c->label[u]);
        const lg_real largest = lg_largest_of(z, classes);
        const double rest = sum_of_others(z, e, largest, classes);
        const lg_real log_rest = (lg_real)log1p(rest);
        lg_real loss = product_or_zero(mix.label_part, largest - z[label] + log_rest);
        for (size_t k = 0; mix.uniform_part != 0 && k < classes; k++)
            loss += product_or_zero(mix.uniform_part * weight_of(&mix, k), largest - z[k] + log_rest);
        c->loss[u] = loss;
        if (!gradient)
            continue;
        lg_real *restrict d = c->d[0] + u * classes;
        const double inverse = 1 / (1 + rest);
        const lg_real factor = c->scale * mix.sum * (lg_real)inverse;
        for (size_t k = 0; k < classes; k++)
            d[k] = factor * e[k];
        if (mix.uniform_part == 0) { /* p - 1 at the label, without cancellation where it is the largest */
            const double others = z[label] == largest ? rest * inverse : 1 - (double)e[label] * inverse;
            d[label] = -c->scale * mix.label_part * (lg_real)others;
            continue;
        }
        d[label] -= c->scale * mix.label_part;
        for (size_t k = 0; k < classes; k++)
            d[k] -= c->scale * mix.uniform_part * weight_of(&mix, k);
    }
}

/* Probabilities.   o = p / S, S = sum p (o = p, S = 1 with no_normalize), clipped to [eps, 1 - eps];
 *   loss = -sum_k v_k log o_k
 *   h_k  = -v_k / o_k, 0 where clipped
 *   dp   = (h - sum_k o_k h_k) / S,   or h with no_normalize */
LG_LOSS_KERNEL(scce_probabilities, c, gradient)
{
    const size_t classes = c->width[0];
    const bool normalize = c->param[SCCE_NORMALIZE] != 0;
    const lg_real eps = (lg_real)c->param[SCCE_EPS];
    for (size_t u = 0; u < c->units; u++) {
        const lg_real *p = c->x[0] + u * classes;
        lg_real *h = gradient ? c->d[0] + u * classes : NULL;
        const size_t label = (size_t)c->label[u];
        const class_mix mix = mix_of(c, c->label[u]);
        const double total = lg_sum_of(p, classes);
        const lg_real sum = normalize ? (lg_real)total : 1;
        lg_real loss = 0;
        double inner = 0; /* sum_k o_k h_k */
        for (size_t k = 0; k < classes; k++) {
            const lg_real v = mix.uniform_part * weight_of(&mix, k) + (k == label ? mix.label_part : 0);
            const lg_real o = p[k] / sum;
            const bool low = o < eps, high = 1 - o < eps;
            if (v != 0)
                loss -= v * (low ? real_log(eps) : high ? real_log1p(-eps) : real_log(o));
            if (gradient) {
                h[k] = low || high || v == 0 ? 0 : -v / o;
                inner += (double)o * (double)h[k];
            }
        }
        c->loss[u] = isnan(total) ? (lg_real)total : loss;
        for (size_t k = 0; gradient && k < classes; k++)
            h[k] = c->scale * (normalize ? (h[k] - (lg_real)inner) / sum : h[k]);
    }
}

static void scce_kernel(const lg_loss_chunk *c)
{
    if (c->param[SCCE_FROM_LOGITS] != 0)
        scce_logits(c);
    else
        scce_probabilities(c);
}

/* Probabilities that are to be divided by their sum must have one. */
static lg_status check_row_sums(const lg_loss_info *info, const lg_loss_chunk *c, size_t first)
{
    if (c->param[SCCE_FROM_LOGITS] != 0 || c->param[SCCE_NORMALIZE] == 0)
        return LG_OK;
    for (size_t u = 0; u < c->units; u++)
        if (lg_sum_of(c->x[0] + u * c->width[0], c->width[0]) <= 0 && !(c->weight && c->weight[u] == 0))
            return lg_fail(LG_E_DOMAIN, "%s: the probabilities of row %zu are all 0 (or set from_logits)", info->name,
                           first + u);
    return LG_OK;
}

const lg_loss_info lg_sparse_categorical_crossentropy_row = {
    .name = "sparse_categorical_crossentropy",
    .family = "classification",
    .summary = "one of several classes, given as its index",
    .formula = "-log p[target] (with label smoothing a: -(1 - a) log p[target] - a mean_k log p[k])",
    .output = "one logit per class (or a probability per class)",
    .reference = "keras.losses.SparseCategoricalCrossentropy; torch.nn.CrossEntropyLoss",
    .tasks = LG_TASK_MULTICLASS,
    .takes = LG_TAKES_CLASS_WEIGHT | LG_TAKES_IGNORE_INDEX | LG_WEIGHTS_IN_DIVISOR,
    .units = LG_UNIT_ROW,
    .least_width = 2,
    .inputs = { { "pred", .domain = LG_LOGIT_OR_CLASS_PROBABILITIES, .differentiable = true },
                { "target", .layout = LG_PER_UNIT, .domain = LG_CLASS_INDEX } },
    .params = { LG_PARAM_FROM_LOGITS, LG_PARAM_LABEL_SMOOTHING, LG_PARAM_EPS, LG_PARAM_NORMALIZE },
    .aliases = { { "scce", NULL }, { "cross_entropy", "from_logits=true" } },
    .kernel = scce_kernel,
    .check_chunk = check_row_sums,
};

lg_tensor *lg_sparse_categorical_crossentropy(lg_tape *tape, lg_tensor *pred, lg_tensor *target,
                                              const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_sparse_categorical_crossentropy_row, (lg_tensor *[]){ pred, target }, NULL, 0,
                        options);
}
