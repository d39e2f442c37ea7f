/* Focal losses: cross-entropy in which what is already right counts less (imbalance.h). */
#include "losses/binary_internal.h"
#include "losses/imbalance.h"
#include "losses/loss_internal.h"
#include "losses/softmax_internal.h"

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
 *   a  = alpha y + (1 - alpha)(1 - y), alpha, or 1 */
typedef struct focal_weights_of_label {
    lg_real gamma, smoothing, positive, negative; /* a for y = 1 and for y = 0 */
} focal_weights_of_label;

LG_INLINE focal_weights_of_label focal_params(const lg_loss_chunk *c)
{
    const lg_real alpha = (lg_real)c->param[FOCAL_ALPHA];
    const lg_focal_alpha mode = (lg_focal_alpha)c->param[FOCAL_ALPHA_MODE];
    return (focal_weights_of_label){
        .gamma = (lg_real)c->param[FOCAL_GAMMA],
        .smoothing = (lg_real)c->param[FOCAL_SMOOTHING],
        .positive = mode == LG_ALPHA_NONE ? 1 : alpha,
        .negative = mode == LG_ALPHA_NONE ? 1 : mode == LG_ALPHA_BALANCED ? 1 - alpha : alpha };
}

/* Logits, told from the side that z is on (binary_internal.h): with e = exp(-|z|) and t = against + (1 - against) e
 *   r = t / (1 + e),   p q / r = e / (t (1 + e)),   p - y = -+ (against - e / (1 + e))
 * for which one division will do. As t goes to 0 with against = 0, p q / r goes to 1 / (1 + e). */
LG_INLINE void focal_of_logits(const lg_loss_chunk *c, bool gradient, int whole)
{
    const lg_real *z = c->x[0], *target = c->x[1], scale = c->scale, tiny = (lg_real)1e-30;
    const focal_weights_of_label w = focal_params(c);
    lg_real *restrict loss = c->loss, *restrict dz = c->d[0], *restrict e = c->scratch;
    exponentials_of_logits(c->units, z, target, e);
    for (size_t i = 0; i < c->units; i++) {
        const lg_real y = smooth_label(target[i], w.smoothing);
        const logit_side s = side_of_logit(z[i], 1 - y, y);
        const lg_real t = s.against + (1 - s.against) * e[i], divisor = t < tiny ? 1 : t;
        const lg_real inverse = 1 / (divisor * (1 + e[i])), larger = divisor * inverse; /* 1 / (1 + e) */
        const lg_real ce = cross_entropy_of_side(&s, e[i]);
        const lg_real focus = (w.positive * y + w.negative * (1 - y)) * power(larger * t, w.gamma, whole);
        loss[i] = product_or_zero(focus, ce);
        if (gradient) {
            const lg_real ratio = t < tiny ? larger : e[i] * inverse;
            const lg_real error = slope_by_logit(&s, s.against - larger * e[i]); /* p - y */
            dz[i] = scale * focus * (product_or_zero(w.gamma * (1 - 2 * y) * ratio, ce) + error);
        }
    }
}

/* Probabilities. p q / r is p for y = 1 and q for y = 0, also where r has underflown; r^gamma / r is never formed
 * alone. */
LG_INLINE void focal_of_probabilities(const lg_loss_chunk *c, bool gradient, int whole)
{
    const lg_real *pred = c->x[0], *target = c->x[1], eps = (lg_real)c->param[FOCAL_EPS];
    const focal_weights_of_label w = focal_params(c);
    lg_real *restrict loss = c->loss, *restrict dp = c->d[0];
    for (size_t i = 0; i < c->units; i++) {
        const lg_real y = smooth_label(target[i], w.smoothing);
        const probability_terms t = terms_of_probability(pred[i], eps);
        const lg_real ce = product_or_zero(y, t.minus_log_p) + product_or_zero(1 - y, t.minus_log_q);
        const lg_real r = y * t.q + (1 - y) * t.p;
        const lg_real focus = (w.positive * y + w.negative * (1 - y)) * power(r, w.gamma, whole);
        loss[i] = product_or_zero(focus, ce);
        if (gradient) {
            const lg_real ratio = r > 0 ? t.p * t.q / r : y > (lg_real)0.5 ? t.p : t.q;
            const lg_real error = (1 - y) * t.p - y * t.q; /* p - y */
            const lg_real dz = focus * (product_or_zero(w.gamma * (1 - 2 * y) * ratio, ce) + error);
            dp[i] = c->scale * (t.clipped ? 0 : dz / (t.p * t.q));
        }
    }
}

/* One kernel per kind of prediction and of exponent, so that the loop holds only what it needs. */
#define FOCAL_KERNEL(name, body, whole)                \
    LG_CLONES static void name(const lg_loss_chunk *c) \
    {                                                  \
        if (c->d[0])                                   \
            body(c, true, whole);                      \
        else                                           \
            body(c, false, whole);                     \
    }
FOCAL_KERNEL(focal_logits_0, focal_of_logits, 0)
FOCAL_KERNEL(focal_logits_1, focal_of_logits, 1)
FOCAL_KERNEL(focal_logits_2, focal_of_logits, 2)
FOCAL_KERNEL(focal_logits_any, focal_of_logits, -1)
FOCAL_KERNEL(focal_probabilities_0, focal_of_probabilities, 0)
FOCAL_KERNEL(focal_probabilities_1, focal_of_probabilities, 1)
FOCAL_KERNEL(focal_probabilities_2, focal_of_probabilities, 2)
FOCAL_KERNEL(focal_probabilities_any, focal_of_probabilities, -1)
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

/* ----------------------------------------- categorical_focal_crossentropy */

enum { SOFTMAX_FOCAL_GAMMA, SOFTMAX_FOCAL_ALPHA, SOFTMAX_FOCAL_FROM_LOGITS, SOFTMAX_FOCAL_SMOOTHING, SOFTMAX_FOCAL_EPS,
       SOFTMAX_FOCAL_NORMALIZE };

/* One class of one row.   term = v q^gamma (-log p),   q = 1 - p
 *   slope = p d term / dp = v q^gamma (gamma p log p / q - 1);   log p / q -> -1 as q -> 0 */
typedef struct focal_term {
    lg_real term, slope;
} focal_term;

LG_INLINE focal_term focal_term_of(lg_real v, lg_real p, lg_real q, lg_real minus_log_p, lg_real gamma, int whole)
{
    const lg_real focus = v * power(q, gamma, whole);
    const lg_real quotient = p * minus_log_p / q, ratio = q > 0 ? quotient : 1; /* p (-log p) / q */
    return (focal_term){ product_or_zero(focus, minus_log_p), -focus * (gamma * (ratio != ratio ? 0 : ratio) + 1) };
}

/* The weights of the classes: v_k = alpha w_k (y_k (1 - a) + a / C), y one-hot at a label or a row of the target. */
LG_INLINE void focal_weights(const lg_loss_chunk *c, size_t u, lg_real *restrict v)
{
    const size_t classes = c->width[0];
    const lg_real smoothing = (lg_real)c->param[SOFTMAX_FOCAL_SMOOTHING], alpha = (lg_real)c->param[SOFTMAX_FOCAL_ALPHA];
    const lg_real *y = c->label ? NULL : c->x[1] + u * classes;
    for (size_t k = 0; k < classes; k++)
        v[k] = (y ? y[k] : 0) * (1 - smoothing) + smoothing / (lg_real)classes;
    if (c->label)
        v[c->label[u]] += 1 - smoothing;
    for (size_t k = 0; k < classes; k++)
        v[k] *= alpha * (c->class_weight ? c->class_weight[k] : 1);
}

/* Whether v is 0 but at the label, and what it is there. */
LG_INLINE bool is_one_class(const lg_loss_chunk *c)
{
    return c->label && c->param[SOFTMAX_FOCAL_SMOOTHING] == 0;
}

LG_INLINE lg_real label_weight(const lg_loss_chunk *c, size_t label)
{
    return (lg_real)c->param[SOFTMAX_FOCAL_ALPHA] * (c->class_weight ? c->class_weight[label] : 1);
}

/* Logits.   loss = sum_k term_k,   dz_j = slope_j - p_j sum_k slope_k = slope_j (1 - p_j) - p_j sum_{k != j} slope_k */
LG_INLINE void softmax_focal_logits(const lg_loss_chunk *c, bool gradient, int whole)
{
    const size_t classes = c->width[0];
    const lg_real gamma = (lg_real)c->param[SOFTMAX_FOCAL_GAMMA], scale = c->scale;
    lg_real *e = c->scratch;
    softmax_rows rows;
    for (size_t u = 0; u < c->units; u++, e += classes) {
        const lg_real *z = c->x[0] + u * classes;
        const softmax_row row = next_row(&rows, u, c->units, classes, z, 1, e);
        const lg_real inverse = (lg_real)row.inverse;
        lg_real *restrict d = gradient ? c->d[0] + u * classes : NULL, *v = c->scratch_2;
        if (is_one_class(c)) {
            const size_t label = (size_t)c->label[u];
            const lg_real own = label_weight(c, label);
            const lg_real q = complement_of(&row, z[label], e[label]);
            const focal_term f = focal_term_of(own, e[label] * inverse, q, minus_log_of(&row, z[label]), gamma, whole);
            c->loss[u] = isnan(row.rest) ? (lg_real)row.rest : f.term;
            for (size_t k = 0; gradient && k < classes; k++)
                d[k] = -scale * inverse * (own == 0 ? 0 : f.slope) * e[k];
            if (gradient)
                d[label] = scale * (own == 0 ? 0 : f.slope) * q;
            continue;
        }
        double loss = isnan(row.rest) ? row.rest : 0, sum = 0;
        focal_weights(c, u, v);
#pragma omp simd reduction(+ : loss, sum)
        for (size_t k = 0; k < classes; k++) {
            const lg_real q = complement_of(&row, z[k], e[k]);
            const focal_term f = focal_term_of(v[k], e[k] * inverse, q, minus_log_of(&row, z[k]), gamma, whole);
            const lg_real slope = v[k] == 0 ? 0 : f.slope;
            loss += (double)f.term;
            sum += (double)slope;
            if (gradient)
                d[k] = slope;
        }
        c->loss[u] = (lg_real)loss;
        for (size_t k = 0; gradient && k < classes; k++)
            d[k] = scale * (d[k] * complement_of(&row, z[k], e[k]) - e[k] * inverse * (lg_real)(sum - (double)d[k]));
    }
}

/* Probabilities.   o = p / S clipped to [eps, 1 - eps], S = sum p (1 without normalize)
 *   dp_j = (slope_j / o_j - sum_k slope_k) / S   (slope_j / p_j without normalize), slope 0 where clipped */
LG_INLINE void softmax_focal_probabilities(const lg_loss_chunk *c, bool gradient, int whole)
{
    const size_t classes = c->width[0];
    const bool normalize = c->param[SOFTMAX_FOCAL_NORMALIZE] != 0;
    const lg_real gamma = (lg_real)c->param[SOFTMAX_FOCAL_GAMMA], eps = (lg_real)c->param[SOFTMAX_FOCAL_EPS];
    const lg_real scale = c->scale;
    for (size_t u = 0; u < c->units; u++) {
        const lg_real *p = c->x[0] + u * classes;
        const lg_real total = normalize ? (lg_real)lg_sum_of(p, classes) : 1;
        lg_real *restrict d = gradient ? c->d[0] + u * classes : NULL, *v = c->scratch_2;
        const bool nan = any_nan(p, classes);
        if (is_one_class(c)) {
            const size_t label = (size_t)c->label[u];
            const lg_real own = label_weight(c, label);
            const probability_terms t = terms_of_probability(p[label] / total, eps);
            const focal_term f = focal_term_of(own, t.p, t.q, t.minus_log_p, gamma, whole);
            const lg_real slope = own == 0 || t.clipped ? 0 : f.slope, by_label = slope == 0 ? 0 : slope * total / p[label];
            c->loss[u] = nan ? (lg_real)NAN : f.term;
            for (size_t k = 0; gradient && k < classes; k++)
                d[k] = normalize ? -scale * slope / total : 0;
            if (gradient)
                d[label] = scale * (normalize ? (by_label - slope) / total : by_label);
            continue;
        }
        double loss = nan ? (double)NAN : 0, sum = 0;
        focal_weights(c, u, v);
#pragma omp simd reduction(+ : loss, sum)
        for (size_t k = 0; k < classes; k++) {
            const probability_terms t = terms_of_probability(p[k] / total, eps);
            const focal_term f = focal_term_of(v[k], t.p, t.q, t.minus_log_p, gamma, whole);
            const lg_real slope = ((v[k] == 0) | t.clipped) ? 0 : f.slope;
            loss += (double)f.term;
            sum += (double)slope;
            if (gradient)
                d[k] = slope;
        }
        c->loss[u] = (lg_real)loss;
        for (size_t k = 0; gradient && k < classes; k++) {
            const lg_real quotient = d[k] * total / p[k], by_class = d[k] == 0 ? 0 : quotient;
            d[k] = scale * (normalize ? (by_class - (lg_real)sum) / total : by_class);
        }
    }
}

#define SOFTMAX_FOCAL_KERNEL(name, body, whole)        \
    LG_CLONES static void name(const lg_loss_chunk *c) \
    {                                                  \
        if (c->d[0])                                   \
            body(c, true, whole);                      \
        else                                           \
            body(c, false, whole);                     \
    }
SOFTMAX_FOCAL_KERNEL(softmax_focal_logits_0, softmax_focal_logits, 0)
SOFTMAX_FOCAL_KERNEL(softmax_focal_logits_2, softmax_focal_logits, 2)
SOFTMAX_FOCAL_KERNEL(softmax_focal_logits_any, softmax_focal_logits, -1)
SOFTMAX_FOCAL_KERNEL(softmax_focal_probabilities_0, softmax_focal_probabilities, 0)
SOFTMAX_FOCAL_KERNEL(softmax_focal_probabilities_2, softmax_focal_probabilities, 2)
SOFTMAX_FOCAL_KERNEL(softmax_focal_probabilities_any, softmax_focal_probabilities, -1)
#undef SOFTMAX_FOCAL_KERNEL

static void softmax_focal_kernel(const lg_loss_chunk *c)
{
    static lg_loss_kernel *const kernels[2][3] = {
        { softmax_focal_probabilities_0, softmax_focal_probabilities_2, softmax_focal_probabilities_any },
        { softmax_focal_logits_0, softmax_focal_logits_2, softmax_focal_logits_any }
    };
    const double gamma = c->param[SOFTMAX_FOCAL_GAMMA];
    kernels[c->param[SOFTMAX_FOCAL_FROM_LOGITS] != 0][gamma == 0 ? 0 : gamma == 2 ? 1 : 2](c);
}

static lg_status check_focal_rows(const lg_loss_info *info, const lg_loss_chunk *c, size_t first)
{
    return lg_check_row_sums(info, c, first, c->param[SOFTMAX_FOCAL_FROM_LOGITS] == 0 &&
                                                 c->param[SOFTMAX_FOCAL_NORMALIZE] != 0);
}

#define SOFTMAX_FOCAL_PARAMS                                                                                \
    { { .name = "gamma", .initial = 2, .high = INFINITY }, { .name = "alpha", .initial = 0.25, .high = INFINITY }, \
      LG_PARAM_FROM_LOGITS, LG_PARAM_LABEL_SMOOTHING, LG_PARAM_EPS, LG_PARAM_NORMALIZE }

const lg_loss_info lg_categorical_focal_crossentropy_row = {
    .name = "categorical_focal_crossentropy",
    .family = "imbalance",
    .summary = "one of several classes, some of them rare, given as one-hot rows: easy samples count less",
    .formula = "-sum_k alpha w_k y_k (1 - p_k)^gamma log p_k",
    .output = "one logit per class (or a probability per class)",
    .reference = "Lin et al. 2017; keras.losses.CategoricalFocalCrossentropy",
    .tasks = LG_TASK_MULTICLASS,
    .takes = LG_TAKES_CLASS_WEIGHT,
    .units = LG_UNIT_ROW,
    .least_width = 2,
    .inputs = { { "pred", .domain = LG_LOGIT_OR_CLASS_PROBABILITIES, .differentiable = true },
                { "target", .domain = LG_NON_NEGATIVE } },
    .params = SOFTMAX_FOCAL_PARAMS,
    .aliases = { { "softmax_focal", "from_logits=true" } },
    .kernel = softmax_focal_kernel,
    .check_chunk = check_focal_rows,
};

lg_tensor *lg_categorical_focal_crossentropy(lg_tape *tape, lg_tensor *pred, lg_tensor *target, double gamma,
                                             double alpha, const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_categorical_focal_crossentropy_row, (lg_tensor *[]){ pred, target },
                        (const double[]){ gamma, alpha }, 2, options);
}

const lg_loss_info lg_sparse_categorical_focal_crossentropy_row = {
    .name = "sparse_categorical_focal_crossentropy",
    .family = "imbalance",
    .summary = "one of several classes, some of them rare, given as its index: easy samples count less",
    .formula = "-alpha w[target] (1 - p[target])^gamma log p[target]",
    .output = "one logit per class (or a probability per class)",
    .reference = "Lin et al. 2017; keras.losses.CategoricalFocalCrossentropy on one-hot labels",
    .tasks = LG_TASK_MULTICLASS,
    .takes = LG_TAKES_CLASS_WEIGHT | LG_TAKES_IGNORE_INDEX,
    .units = LG_UNIT_ROW,
    .least_width = 2,
    .inputs = { { "pred", .domain = LG_LOGIT_OR_CLASS_PROBABILITIES, .differentiable = true },
                { "target", .layout = LG_PER_UNIT, .domain = LG_CLASS_INDEX } },
    .params = SOFTMAX_FOCAL_PARAMS,
    .aliases = { { "sparse_categorical_focal", NULL } },
    .kernel = softmax_focal_kernel,
    .check_chunk = check_focal_rows,
};

lg_tensor *lg_sparse_categorical_focal_crossentropy(lg_tape *tape, lg_tensor *pred, lg_tensor *target, double gamma,
                                                    double alpha, const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_sparse_categorical_focal_crossentropy_row, (lg_tensor *[]){ pred, target },
                        (const double[]){ gamma, alpha }, 2, options);
}
