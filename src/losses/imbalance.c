/* Focal losses: cross-entropy in which what is already right counts less (classification.h). */
#include "losses/binary_internal.h"
#include "losses/classification.h"
#include "losses/loss_internal.h"

/* ---------------------------------------------- binary_focal_crossentropy */

enum { FOCAL_GAMMA, FOCAL_ALPHA, FOCAL_ALPHA_MODE, FOCAL_FROM_LOGITS, FOCAL_SMOOTHING, FOCAL_EPS };

/* r^gamma for r >= 0; the exponents in use need no logarithm. */
LG_INLINE lg_real power(lg_real r, lg_real gamma, int whole)
{
    return whole == 0 ? 1 : whole == 1 ? r : whole == 2 ? r * r : real_exp(gamma * real_log(r));
}

/* loss = a r^gamma CE,   r = y q + (1 - y) p,   CE = -y log p - (1 - y) log q,   q = 1 - p
 *   dz = a r^gamma (gamma (1 - 2y) CE p q / r + p - y)
 *   dp = dz / (p q), 0 where clipped
 *   a  = alpha y + (1 - alpha)(1 - y), alpha, or 1
 * p q / r is p for y = 1 and q for y = 0, also where r has underflown; r^gamma / r is never formed alone. */
LG_INLINE void focal_body(const lg_loss_chunk *c, bool gradient, bool from_logits, int whole)
{
    const lg_real *pred = c->x[0], *target = c->x[1];
    const lg_real gamma = (lg_real)c->param[FOCAL_GAMMA], smoothing = (lg_real)c->param[FOCAL_SMOOTHING];
    const lg_real alpha = (lg_real)c->param[FOCAL_ALPHA], eps = (lg_real)c->param[FOCAL_EPS];
    const lg_focal_alpha mode = (lg_focal_alpha)c->param[FOCAL_ALPHA_MODE];
    const lg_real positive = mode == LG_ALPHA_NONE ? 1 : alpha;
    const lg_real negative = mode == LG_ALPHA_NONE ? 1 : mode == LG_ALPHA_BALANCED ? 1 - alpha : alpha;
    lg_real *restrict loss = c->loss, *restrict d = c->d[0];
    for (size_t i = 0; i < c->units; i++) {
        const lg_real y = smooth_label(target[i], smoothing);
        lg_real p, q, minus_log_p, minus_log_q;
        bool clipped = false;
        if (from_logits) {
            const logit_terms t = terms_of_logit(pred[i]);
            p = t.p, q = t.q, minus_log_p = t.minus_log_p, minus_log_q = t.minus_log_q;
        } else {
            const probability_terms t = terms_of_probability(pred[i], eps);
            p = t.p, q = t.q, minus_log_p = t.minus_log_p, minus_log_q = t.minus_log_q, clipped = t.clipped;
        }
        const lg_real ce = product_or_zero(y, minus_log_p) + product_or_zero(1 - y, minus_log_q);
        const lg_real r = y * q + (1 - y) * p;
        const lg_real a = positive * y + negative * (1 - y), focus = a * power(r, gamma, whole);
        loss[i] = product_or_zero(focus, ce);
        if (gradient) {
            const lg_real ratio = r > 0 ? p * q / r : y > (lg_real)0.5 ? p : q;
            const lg_real error = (1 - y) * p - y * q; /* p - y */
            const lg_real dz = focus * (product_or_zero(gamma * (1 - 2 * y) * ratio, ce) + error);
            d[i] = c->scale * (from_logits ? dz : clipped ? 0 : dz / (p * q));
        }
    }
}

/* One kernel per kind of prediction and of exponent, so that the loop holds only what it needs. */
#define FOCAL_KERNEL(name, from_logits, whole)              \
    LG_CLONES static void name(const lg_loss_chunk *c)      \
    {                                                       \
        if (c->d[0])                                        \
            focal_body(c, true, from_logits, whole);        \
        else                                                \
            focal_body(c, false, from_logits, whole);       \
    }
FOCAL_KERNEL(focal_logits_0, true, 0)
FOCAL_KERNEL(focal_logits_1, true, 1)
FOCAL_KERNEL(focal_logits_2, true, 2)
FOCAL_KERNEL(focal_logits_any, true, -1)
FOCAL_KERNEL(focal_probabilities_0, false, 0)
FOCAL_KERNEL(focal_probabilities_1, false, 1)
FOCAL_KERNEL(focal_probabilities_2, false, 2)
FOCAL_KERNEL(focal_probabilities_any, false, -1)
#undef FOCAL_KERNEL

static void focal_kernel(const lg_loss_chunk *c)
{
    static lg_loss_kernel *const kernels[2][4] = {
        { focal_probabilities_0, focal_probabilities_1, focal_probabilities_2, focal_probabilities_any },
        { focal_logits_0, focal_logits_1, focal_logits_2, focal_logits_any }
    };
    const double gamma = c->param[FOCAL_GAMMA];
    const int kind = gamma == 0 ? 0 : gamma == 1 ? 1 : gamma == 2 ? 2 : 3;
    kernels[c->param[FOCAL_FROM_LOGITS] != 0][kind](c);
}

const lg_loss_info lg_binary_focal_crossentropy_row = {
    .name = "binary_focal_crossentropy",
    .family = "imbalance",
    .summary = "two classes, one of them rare: easy samples count less",
    .formula = "alpha_t (1 - p_t)^gamma (-log p_t), p_t = p for y = 1, 1 - p for y = 0",
    .output = "one logit per label (or a probability)",
    .reference = "Lin et al. 2017; keras.losses.BinaryFocalCrossentropy; torchvision.ops.sigmoid_focal_loss",
    .tasks = LG_TASK_BINARY | LG_TASK_MULTILABEL | LG_TASK_ANOMALY | LG_TASK_DETECTION,
    .units = LG_UNIT_ELEMENT,
    .inputs = { { "pred", .domain = LG_LOGIT_OR_PROBABILITY, .differentiable = true },
                { "target", .domain = LG_UNIT_INTERVAL } },
    .params = { { .name = "gamma", .initial = 2, .high = INFINITY },
                { .name = "alpha", .initial = 0.25, .high = 1 },
                { .name = "alpha_mode", .high = 2, .choices = "none|balanced|uniform" },
                LG_PARAM_FROM_LOGITS, LG_PARAM_LABEL_SMOOTHING, LG_PARAM_EPS },
    .aliases = { { "focal", "from_logits=true,alpha_mode=balanced" }, { "focal_uniform", "alpha_mode=uniform" } },
    .kernel = focal_kernel,
};

lg_tensor *lg_binary_focal_crossentropy(lg_tape *tape, lg_tensor *pred, lg_tensor *target, double gamma, double alpha,
                                        lg_focal_alpha alpha_mode, const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_binary_focal_crossentropy_row, (lg_tensor *[]){ pred, target },
                        (const double[]){ gamma, alpha, alpha_mode }, 3, options);
}
