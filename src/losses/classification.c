/* Cross-entropies of single logits or probabilities: two classes, or labels that do not exclude each other
 * (classification.h). */
#include "losses/classification.h"

#include "losses/binary_internal.h"
#include "losses/loss_internal.h"
#include "tensor/reduce_internal.h"

/* ---------------------------------------------------- binary_crossentropy */

enum { BCE_FROM_LOGITS, BCE_SMOOTHING, BCE_EPS, BCE_CLIP };

/* Logits.   loss = q y sp(-z) + (1 - y) sp(z),   sp(x) = log(1 + e^x)
 *   dz = (1 - y) sigmoid(z) - q y sigmoid(-z)
 *   dy = (1 - a)(q sp(-z) - sp(z)),   a = label_smoothing
 * A term whose coefficient is 0 is dropped: an infinite logit on the right side costs nothing. Exponentials first: two
 * short loops keep a processor busier than a long one, whose next elements it cannot begin early enough. */
LG_LOSS_KERNEL_2(bce_logits, c, gradient, by_target)
{
    const lg_real *z = c->x[0], *target = c->x[1], *pos_weight = c->pos_weight;
    const lg_real smoothing = (lg_real)c->param[BCE_SMOOTHING], scale = c->scale;
    lg_real *restrict loss = c->loss, *restrict dz = c->d[0], *restrict dy = c->d[1], *restrict e = c->scratch;
    exponentials_of_logits(c->units, z, target, e);
    for (size_t i = 0; i < c->units; i++) {
        const lg_real q = pos_weight[i];
        const lg_real y = smooth_label(target[i], smoothing);
        const logit_side s = side_of_logit(z[i], 1 - y, q * y);
        loss[i] = cross_entropy_of_side(&s, e[i]);
        if (gradient)
            dz[i] = slope_by_logit(&s, scale * (s.against - s.total * e[i] / (1 + e[i])));
        if (by_target) {
            const lg_real log_part = real_log1p_0_to_1(e[i]);
            const lg_real minus_log_p = log_part + (z[i] < 0 ? -z[i] : 0);
            const lg_real minus_log_q = log_part + (z[i] < 0 ? 0 : z[i]);
            dy[i] = scale * (1 - smoothing) * (q * minus_log_p - minus_log_q);
        }
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

static lg_status check_bce(const lg_loss_info *info, lg_tensor *const inputs[], const double *params,
                           const lg_loss_options *options)
{
    (void)inputs, (void)options;
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

/* ------------------------------------------------ multilabel_soft_margin */

/* loss = mean_k w_k BCE(z_k, y_k),   dz_k = w_k (sigmoid(z_k) - y_k) / C */
LG_LOSS_KERNEL(multilabel_soft_margin, c, gradient)
{
    const size_t classes = c->width[0];
    const lg_real share = 1 / (lg_real)classes;
    for (size_t u = 0; u < c->units; u++) {
        const lg_real *z = c->x[0] + u * classes, *target = c->x[1] + u * classes;
        lg_real *restrict terms = c->scratch, *restrict d = gradient ? c->d[0] + u * classes : NULL;
        for (size_t k = 0; k < classes; k++) {
            const lg_real y = target[k], w = c->class_weight ? c->class_weight[k] : 1;
            const logit_terms t = terms_of_logit(z[k]);
            terms[k] = w * (product_or_zero(y, t.minus_log_p) + product_or_zero(1 - y, t.minus_log_q));
            if (gradient)
                d[k] = c->scale * share * w * ((1 - y) * t.p - y * t.q);
        }
        c->loss[u] = (lg_real)(lg_sum_of(terms, classes) / (double)classes);
    }
}

const lg_loss_info lg_multilabel_soft_margin_row = {
    .name = "multilabel_soft_margin",
    .family = "classification",
    .summary = "several labels that do not exclude each other, one value per sample",
    .formula = "mean over labels of -y log p - (1 - y) log(1 - p), p = sigmoid(z)",
    .output = "one logit per label",
    .reference = "torch.nn.MultiLabelSoftMarginLoss",
    .tasks = LG_TASK_MULTILABEL,
    .takes = LG_TAKES_CLASS_WEIGHT,
    .units = LG_UNIT_ROW,
    .least_width = 1,
    .inputs = { { "pred", .differentiable = true }, { "target", .domain = LG_UNIT_INTERVAL } },
    .kernel = multilabel_soft_margin,
};

lg_tensor *lg_multilabel_soft_margin(lg_tape *tape, lg_tensor *pred, lg_tensor *target, const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_multilabel_soft_margin_row, (lg_tensor *[]){ pred, target }, NULL, 0, options);
}

/* ------------------------------------------------------------ soft_margin */

/* loss = log(1 + exp(-y z)),   dz = -y sigmoid(-y z) */
LG_LOSS_KERNEL(soft_margin, c, gradient)
{
    const lg_real *z = c->x[0], *y = c->x[1];
    lg_real *restrict loss = c->loss, *restrict dz = c->d[0];
    for (size_t i = 0; i < c->units; i++) {
        const logit_terms t = terms_of_logit(y[i] * z[i]);
        loss[i] = t.minus_log_p;
        if (gradient)
            dz[i] = c->scale * -y[i] * t.q;
    }
}

const lg_loss_info lg_soft_margin_row = {
    .name = "soft_margin",
    .family = "classification",
    .summary = "two classes written -1 and 1: logistic regression",
    .formula = "log(1 + exp(-y z))",
    .output = "one logit",
    .reference = "torch.nn.SoftMarginLoss",
    .tasks = LG_TASK_BINARY,
    .units = LG_UNIT_ELEMENT,
    .inputs = { { "pred", .differentiable = true }, { "target", .domain = LG_PLUS_MINUS_ONE } },
    .aliases = { { "logistic", NULL } },
    .kernel = soft_margin,
};

lg_tensor *lg_soft_margin(lg_tape *tape, lg_tensor *pred, lg_tensor *target, const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_soft_margin_row, (lg_tensor *[]){ pred, target }, NULL, 0, options);
}
