/* How far two distributions over classes are from each other (probabilistic.h). */
#include "losses/loss_internal.h"
#include "losses/softmax_internal.h"
#include "losses/probabilistic.h"
#include "tensor/reduce_internal.h"


/* ----------------------------------------------------------- kl_divergence */

enum { KL_PRED, KL_LOG_TARGET, KL_EPS };

/* The terms of each row, added up. */
LG_INLINE void add_terms(const lg_loss_chunk *c, const lg_real *terms)
{
    for (size_t u = 0; u < c->units; u++)
        c->loss[u] = (lg_real)lg_sum_of(terms + u * c->width[0], c->width[0]);
}

typedef struct clipped_value {
    lg_real value;
    bool clipped;
} clipped_value;

LG_INLINE clipped_value clip_to_one(lg_real p, lg_real eps)
{
    const bool low = p < eps, high = p > 1;
    return (clipped_value){ low ? eps : high ? 1 : p, low | high };
}

/* Probabilities, clipped to [eps, 1].   loss = sum P log(P / Q)
 *   dQ = -P / Q,   dP = log(P / Q) + 1,   0 where clipped
 * |log(P / Q)| = log1p(|P - Q| / min(P, Q)): P and Q that are close keep the digits of their difference. */
LG_LOSS_KERNEL_2(kl_probabilities, c, gradient, by_target)
{
    const lg_real *pred = c->x[0], *target = c->x[1], eps = (lg_real)c->param[KL_EPS], scale = c->scale;
    lg_real *restrict terms = c->scratch, *restrict dq = c->d[0], *restrict dp = c->d[1];
    for (size_t i = 0; i < c->units * c->width[0]; i++) {
        const clipped_value p = clip_to_one(target[i], eps), q = clip_to_one(pred[i], eps);
        const lg_real difference = p.value - q.value, least = p.value < q.value ? p.value : q.value;
        const lg_real size = real_log1p((difference < 0 ? -difference : difference) / least);
        const lg_real log_ratio = difference == 0 ? 0 : difference < 0 ? -size : size;
        terms[i] = p.value == 0 ? 0 * q.value : p.value * log_ratio;
        if (gradient)
            dq[i] = q.clipped ? 0 : -scale * p.value / q.value;
        if (by_target)
            dp[i] = p.clipped ? 0 : scale * (log_ratio + 1);
    }
    add_terms(c, terms);
}

/* P, of a target that is P or log P. */
LG_INLINE lg_real share_of(lg_real target, bool log_target)
{
    return log_target ? real_exp(target) : target;
}

/* Of one class: P, the term P (log P - log Q), and its derivative by the target. P = 0 has neither of the two, even
 * where log Q is -inf; but NaN stays. */
typedef struct kl_terms {
    lg_real p, term, slope;
} kl_terms;

LG_INLINE kl_terms kl_of_class(lg_real target, lg_real log_q, bool log_target)
{
    const lg_real p = share_of(target, log_target);
    const lg_real difference = (log_target ? target : real_log(target)) - log_q, finite = log_q < -1 ? -1 : log_q;
    return (kl_terms){ .p = p,
                       .term = p * (p == 0 ? finite : difference),
                       .slope = (log_target ? p : 1) * (p == 0 ? 0 : difference + 1) };
}

/* In: log Q. Out: the terms and, if wanted, their derivatives by the target. */
LG_INLINE void replace_by_terms(const lg_loss_chunk *c, lg_real *restrict terms, bool by_target, bool log_target)
{
    const lg_real *target = c->x[1], scale = c->scale;
    lg_real *restrict dt = c->d[1];
    for (size_t i = 0; i < c->units * c->width[0]; i++) {
        const kl_terms k = kl_of_class(target[i], terms[i], log_target);
        terms[i] = k.term;
        if (by_target)
            dt[i] = scale * k.slope;
    }
}

/* dx = -P */
LG_INLINE void kl_of_log_probabilities(const lg_loss_chunk *c, bool gradient, bool by_target, bool log_target)
{
    const lg_real *log_q = c->x[0], *target = c->x[1], scale = c->scale;
    lg_real *restrict terms = c->scratch, *restrict dx = c->d[0], *restrict dt = c->d[1];
    for (size_t i = 0; i < c->units * c->width[0]; i++) {
        const kl_terms k = kl_of_class(target[i], log_q[i], log_target);
        terms[i] = k.term;
        if (gradient)
            dx[i] = -scale * k.p;
        if (by_target)
            dt[i] = scale * k.slope;
    }
    add_terms(c, c->scratch);
}

/* log Q = (z - m) - log S,   s = e^(z - m) / S,   dz = s sum(P) - P */
LG_INLINE void kl_of_logits(const lg_loss_chunk *c, bool gradient, bool by_target, bool log_target)
{
    const size_t classes = c->width[0];
    const lg_real scale = c->scale;
    lg_real *e = c->scratch;
    softmax_rows rows;
    for (size_t u = 0; u < c->units; u++, e += classes) {
        const lg_real *z = c->x[0] + u * classes, *target = c->x[1] + u * classes;
        const softmax_row row = next_row(&rows, u, c->units, classes, z, 1, e);
        if (gradient) {
            lg_real *restrict dz = c->d[0] + u * classes;
            double mass = 0;
            for (size_t k = 0; k < classes; k++) {
                const lg_real p = share_of(target[k], log_target);
                dz[k] = -scale * p;
                mass += (double)p;
            }
            const lg_real factor = scale * (lg_real)(mass * row.inverse);
            for (size_t k = 0; k < classes; k++)
                dz[k] += factor * e[k];
        }
        for (size_t k = 0; k < classes; k++)
            e[k] = (z[k] - row.largest) - row.log_rest;
    }
    replace_by_terms(c, c->scratch, by_target, log_target);
    add_terms(c, c->scratch);
}

LG_LOSS_KERNEL_2(kl_log_probabilities, c, gradient, by_target)
{
    kl_of_log_probabilities(c, gradient, by_target, false);
}

LG_LOSS_KERNEL_2(kl_log_probabilities_log_target, c, gradient, by_target)
{
    kl_of_log_probabilities(c, gradient, by_target, true);
}

LG_LOSS_KERNEL_2(kl_logits, c, gradient, by_target)
{
    kl_of_logits(c, gradient, by_target, false);
}

LG_LOSS_KERNEL_2(kl_logits_log_target, c, gradient, by_target)
{
    kl_of_logits(c, gradient, by_target, true);
}

static void kl_kernel(const lg_loss_chunk *c)
{
    static lg_loss_kernel *const kernels[3][2] = { { kl_probabilities, kl_probabilities },
                                                   { kl_log_probabilities, kl_log_probabilities_log_target },
                                                   { kl_logits, kl_logits_log_target } };
    kernels[(size_t)c->param[KL_PRED]][c->param[KL_LOG_TARGET] != 0](c);
}

static lg_loss_domain kl_domain(size_t input, const double *params)
{
    if (params[KL_PRED] == LG_KL_PROBS)
        return LG_PROBABILITY;
    return input == 0 || params[KL_LOG_TARGET] != 0 ? LG_ANY_REAL : LG_NON_NEGATIVE;
}

static lg_status check_kl(const lg_loss_info *info, lg_tensor *const inputs[], const double *params,
                          const lg_loss_options *options)
{
    (void)inputs, (void)options;
    if (params[KL_PRED] == LG_KL_PROBS && params[KL_LOG_TARGET] != 0)
        return lg_fail(LG_E_PARAM, "%s: log_target is for pred=log_probs or logits, not for probs", info->name);
    return LG_OK;
}

const lg_loss_info lg_kl_divergence_row = {
    .name = "kl_divergence",
    .family = "probabilistic",
    .summary = "a whole distribution as the target: soft labels, drift, another model's probabilities",
    .formula = "sum_k P_k log(P_k / Q_k), P = target, Q = pred",
    .output = "a probability per class (softmax), its logarithm, or a logit per class, as pred says",
    .reference = "Kullback and Leibler 1951; keras.losses.KLDivergence; torch.nn.KLDivLoss (batchmean); "
                 "scipy.special.rel_entr",
    .tasks = LG_TASK_DISTRIBUTION | LG_TASK_MULTICLASS | LG_TASK_GENERATIVE | LG_TASK_ANOMALY,
    .takes = LG_TAKES_ELEMENT_MEAN,
    .units = LG_UNIT_ROW,
    .least_width = 1,
    .inputs = { { "pred", .domain = LG_PROBABILITY, .differentiable = true },
                { "target", .domain = LG_PROBABILITY, .differentiable = true } },
    .params = { { .name = "pred", .high = 2, .choices = "probs|log_probs|logits" },
                { .name = "log_target", .high = 1, .choices = "false|true" },
                LG_PARAM_EPS },
    .aliases = { { "kld", NULL },
                 { "KLD", NULL },
                 { "kullback_leibler_divergence", NULL },
                 { "kl_div", "pred=log_probs" } },
    .kernel = kl_kernel,
    .domain_of = kl_domain,
    .check_call = check_kl,
};

lg_tensor *lg_kl_divergence(lg_tape *tape, lg_tensor *pred, lg_tensor *target, lg_kl_pred kind, bool log_target,
                            const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_kl_divergence_row, (lg_tensor *[]){ pred, target },
                        (const double[]){ kind, log_target }, 2, options);
}

/* -------------------------------------------------- knowledge_distillation */

/* loss = T^2 sum_k p_k (log p_k - log s_k),   log p_k - log s_k = ((t_k - m_t) - (z_k - m_z)) / T + log S_z - log S_t
 *   dz = T (s - p)
 * First the student: loss holds log S_z, and dz T s, until the teacher's exponentials take the place of its own. */
LG_LOSS_KERNEL(distillation, c, gradient)
{
    const size_t classes = c->width[0];
    const lg_real temperature = (lg_real)c->param[0], inverse = (lg_real)(1 / c->param[0]);
    const lg_real factor = c->scale * temperature;
    softmax_rows rows;
    for (size_t u = 0; u < c->units; u++) {
        lg_real *e = c->scratch + u * classes;
        const softmax_row student = next_row(&rows, u, c->units, classes, c->x[0] + u * classes, inverse, e);
        const lg_real share = (lg_real)student.inverse;
        c->loss[u] = student.log_rest;
        for (size_t k = 0; gradient && k < classes; k++)
            c->d[0][u * classes + k] = factor * share * e[k];
    }
    for (size_t u = 0; u < c->units; u++) {
        const lg_real *z = c->x[0] + u * classes, *t = c->x[1] + u * classes;
        lg_real *e = c->scratch + u * classes;
        const softmax_row teacher = next_row(&rows, u, c->units, classes, t, inverse, e);
        const lg_real largest_z = lg_largest_of(z, classes), largest_t = teacher.largest;
        const lg_real share = (lg_real)teacher.inverse;
        double terms = 0;
#pragma omp simd reduction(+ : terms)
        for (size_t k = 0; k < classes; k++) {
            const lg_real p = share * e[k], ratio = ((t[k] - largest_t) - (z[k] - largest_z)) * inverse;
            terms += (double)(p == 0 ? 0 : p * ratio);
        }
        for (size_t k = 0; gradient && k < classes; k++)
            c->d[0][u * classes + k] -= factor * share * e[k];
        c->loss[u] = temperature * temperature * (lg_real)(terms + (double)c->loss[u] - (double)teacher.log_rest);
    }
}

const lg_loss_info lg_knowledge_distillation_row = {
    .name = "knowledge_distillation",
    .family = "probabilistic",
    .summary = "a small model that is to imitate a large one: matches the teacher's softened probabilities",
    .formula = "T^2 KL(softmax(teacher / T) || softmax(student / T))",
    .output = "one logit per class",
    .reference = "Hinton, Vinyals and Dean 2015; keras.distillation.LogitsDistillation",
    .tasks = LG_TASK_DISTRIBUTION | LG_TASK_MULTICLASS,
    .units = LG_UNIT_ROW,
    .least_width = 2,
    .inputs = { { "student", .differentiable = true }, { .name = "teacher" } },
    .params = { { .name = "temperature", .initial = 3, .high = INFINITY, .low_open = true } },
    .kernel = distillation,
};

lg_tensor *lg_knowledge_distillation(lg_tape *tape, lg_tensor *student, lg_tensor *teacher, double temperature,
                                     const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_knowledge_distillation_row, (lg_tensor *[]){ student, teacher }, &temperature, 1,
                        options);
}
