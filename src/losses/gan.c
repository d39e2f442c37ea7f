/* Losses of generative adversarial networks (generative.h). */
#include "losses/binary_internal.h"
#include "losses/generative.h"
#include "losses/loss_internal.h"
#include "tensor/reduce_internal.h"
#include "tensor/tensor_internal.h"

/* NaN stays NaN. */
LG_INLINE lg_real positive_part(lg_real x)
{
    return x <= 0 ? 0 : x;
}

/* ------------------------------------------------------- gan_discriminator */

enum { CRITIC_MODE, CRITIC_REAL_LABEL, CRITIC_FROM_LOGITS, CRITIC_EPS };
enum { REAL, FAKE };

/* Cross-entropy with the label y:   -y log p - (1 - y) log(1 - p),   d logit = p - y,   d p = (p - y) / (p q), 0 where clipped */
LG_INLINE void entropy_terms(size_t n, const lg_real *x, lg_real label, bool from_logits, lg_real eps, lg_real scale,
                             lg_real *restrict loss, lg_real *restrict d)
{
    for (size_t i = 0; i < n; i++) {
        lg_real p, q, minus_log_p, minus_log_q;
        bool clipped = false;
        if (from_logits) {
            const logit_terms t = terms_of_logit(x[i]);
            p = t.p, q = t.q, minus_log_p = t.minus_log_p, minus_log_q = t.minus_log_q;
        } else {
            const probability_terms t = terms_of_probability(x[i], eps);
            p = t.p, q = t.q, minus_log_p = t.minus_log_p, minus_log_q = t.minus_log_q, clipped = t.clipped;
        }
        const lg_real dz = (1 - label) * p - label * q;
        if (d)
            d[i] = scale * (from_logits ? dz : clipped ? 0 : dz / (p * q));
        else
            loss[i] = product_or_zero(label, minus_log_p) + product_or_zero(1 - label, minus_log_q);
    }
}

LG_CLONES static void entropy_of_logits(size_t n, const lg_real *x, lg_real label, lg_real scale, lg_real *loss, lg_real *d)
{
    if (d)
        entropy_terms(n, x, label, true, 0, scale, NULL, d);
    else
        entropy_terms(n, x, label, true, 0, scale, loss, NULL);
}

LG_CLONES static void entropy_of_probabilities(size_t n, const lg_real *x, lg_real label, lg_real eps, lg_real scale,
                                               lg_real *loss, lg_real *d)
{
    if (d)
        entropy_terms(n, x, label, false, eps, scale, NULL, d);
    else
        entropy_terms(n, x, label, false, eps, scale, loss, NULL);
}

/* lsgan, wgan and hinge for one of the two parts: real samples are to score 1 (or high), fake ones 0 (or low). */
static void score_terms(size_t n, const lg_real *x, lg_gan_critic mode, bool is_real, lg_real scale, lg_real *loss, lg_real *d)
{
    const lg_real sign = is_real ? -1 : 1, wanted = is_real ? 1 : 0;
    for (size_t i = 0; i < n; i++) {
        const lg_real e = x[i] - wanted, margin = positive_part(1 + sign * x[i]);
        if (d)
            d[i] = scale * (mode == LG_GAN_LSGAN ? e : mode == LG_GAN_WGAN ? sign : margin > 0 ? sign : 0);
        else
            loss[i] = mode == LG_GAN_LSGAN ? e * e / 2 : mode == LG_GAN_WGAN ? sign * x[i] : margin;
    }
}

/* Values (or, with d, derivatives times scale) of part REAL or FAKE. */
static void part_terms(const lg_loss_batch *b, int part, lg_real scale, lg_real *loss, lg_real *d)
{
    const lg_gan_critic mode = (lg_gan_critic)b->param[CRITIC_MODE];
    const lg_tensor *x = b->inputs[part];
    const lg_real label = part == REAL ? (lg_real)b->param[CRITIC_REAL_LABEL] : 0;
    if (mode != LG_GAN_MINIMAX)
        score_terms(x->size, x->real, mode, part == REAL, scale, loss, d);
    else if (b->param[CRITIC_FROM_LOGITS] != 0)
        entropy_of_logits(x->size, x->real, label, scale, loss, d);
    else
        entropy_of_probabilities(x->size, x->real, label, (lg_real)b->param[CRITIC_EPS], scale, loss, d);
}

static lg_status critic_plan(lg_loss_batch *b)
{
    const bool minimax = b->param[CRITIC_MODE] == LG_GAN_MINIMAX;
    if (!minimax && b->param[CRITIC_REAL_LABEL] != 1)
        return lg_fail(LG_E_PARAM, "%s: real_label is for mode=minimax, but is %g", b->info->name, b->param[CRITIC_REAL_LABEL]);
    if (!minimax && b->param[CRITIC_FROM_LOGITS] == 0)
        return lg_fail(LG_E_PARAM, "%s: from_logits=false is for mode=minimax; the other modes take scores", b->info->name);
    const size_t larger = b->inputs[REAL]->size > b->inputs[FAKE]->size ? b->inputs[REAL]->size : b->inputs[FAKE]->size;
    b->scratch_bytes = larger * sizeof(lg_real);
    return LG_OK;
}

static void critic_value(lg_loss_batch *b)
{
    double loss = 0;
    for (int part = REAL; part <= FAKE; part++) {
        const size_t n = b->inputs[part]->size;
        part_terms(b, part, 1, b->scratch, NULL);
        loss += n ? lg_sum_of(b->scratch, n) / (double)n : 0;
    }
    b->loss[0] = (lg_real)loss;
}

static void critic_derivative(lg_loss_batch *b)
{
    for (int part = REAL; part <= FAKE; part++) {
        const size_t n = b->inputs[part]->size;
        if (b->d[part])
            part_terms(b, part, n ? b->factor[0] / (lg_real)n : 0, NULL, b->d[part]);
        for (size_t i = 0; b->d[part] && b->factor[0] == 0 && i < n; i++)
            b->d[part][i] = 0; /* whatever the outputs are */
    }
}

#define PARAM_LOGITS_UNLESS_SAID { .name = "from_logits", .initial = 1, .high = 1, .choices = "false|true" }

const lg_loss_info lg_gan_discriminator_row = {
    .name = "gan_discriminator",
    .family = "generative",
    .summary = "the discriminator (critic) of a generative adversarial network",
    .formula = "mean -log p(real) + mean -log(1 - p(fake)); lsgan, wgan and hinge by mode",
    .output = "one logit or score per sample",
    .reference = "Goodfellow et al. 2014; Mao et al. 2017 (lsgan); Arjovsky et al. 2017 (wgan); Lim & Ye 2017 (hinge)",
    .tasks = LG_TASK_GENERATIVE,
    .units = LG_UNIT_BATCH,
    .inputs = { { "real", .domain = LG_LOGIT_OR_PROBABILITY, .differentiable = true },
                { "fake", .layout = LG_WHOLE, .domain = LG_LOGIT_OR_PROBABILITY, .differentiable = true } },
    .params = { { .name = "mode", .high = 3, .choices = "minimax|lsgan|wgan|hinge" },
                { .name = "real_label", .initial = 1, .high = 1, .low_open = true },
                PARAM_LOGITS_UNLESS_SAID,
                LG_PARAM_EPS },
    .plan = critic_plan,
    .value = critic_value,
    .derivative = critic_derivative,
};

lg_tensor *lg_gan_discriminator(lg_tape *tape, lg_tensor *real, lg_tensor *fake, lg_gan_critic mode, double real_label,
                                bool from_logits, const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_gan_discriminator_row, (lg_tensor *[]){ real, fake },
                        (double[]){ (double)mode, real_label, from_logits }, 3, options);
}

/* ----------------------------------------------------------- gan_generator */

enum { GENERATOR_MODE, GENERATOR_FROM_LOGITS, GENERATOR_EPS };

/* non_saturating   loss = -log p,       d logit = -q,   d p = -1 / p, 0 where clipped
 * minimax          loss = log(1 - p),   d logit = -p,   d p = -1 / q                        q = 1 - p */
LG_INLINE void generator_body(const lg_loss_chunk *c, const bool gradient, const bool saturating, const bool from_logits)
{
    const lg_real *f = c->x[0], eps = (lg_real)c->param[GENERATOR_EPS];
    lg_real *restrict loss = c->loss, *restrict d = c->d[0];
    for (size_t i = 0; i < c->units; i++) {
        if (from_logits) {
            const logit_terms t = terms_of_logit(f[i]);
            loss[i] = saturating ? -t.minus_log_q : t.minus_log_p;
            if (gradient)
                d[i] = -c->scale * (saturating ? t.p : t.q);
        } else {
            const probability_terms t = terms_of_probability(f[i], eps);
            loss[i] = saturating ? -t.minus_log_q : t.minus_log_p;
            if (gradient)
                d[i] = t.clipped ? 0 : -c->scale / (saturating ? t.q : t.p);
        }
    }
}

LG_LOSS_KERNEL(non_saturating_logits, c, gradient)
{
    generator_body(c, gradient, false, true);
}

LG_LOSS_KERNEL(non_saturating_probabilities, c, gradient)
{
    generator_body(c, gradient, false, false);
}

LG_LOSS_KERNEL(saturating_logits, c, gradient)
{
    generator_body(c, gradient, true, true);
}

LG_LOSS_KERNEL(saturating_probabilities, c, gradient)
{
    generator_body(c, gradient, true, false);
}

/* lsgan   loss = (f - 1)^2 / 2,   d = f - 1 */
LG_LOSS_KERNEL(least_squares, c, gradient)
{
    const lg_real *f = c->x[0];
    lg_real *restrict loss = c->loss, *restrict d = c->d[0];
    for (size_t i = 0; i < c->units; i++) {
        const lg_real e = f[i] - 1;
        loss[i] = e * e / 2;
        if (gradient)
            d[i] = c->scale * e;
    }
}

/* wgan, hinge   loss = -f,   d = -1 */
LG_LOSS_KERNEL(negated_score, c, gradient)
{
    const lg_real *f = c->x[0];
    lg_real *restrict loss = c->loss, *restrict d = c->d[0];
    for (size_t i = 0; i < c->units; i++) {
        loss[i] = -f[i];
        if (gradient)
            d[i] = -c->scale;
    }
}

static void generator_kernel(const lg_loss_chunk *c)
{
    static lg_loss_kernel *const kernels[][2] = { { non_saturating_probabilities, non_saturating_logits },
                                                  { saturating_probabilities, saturating_logits },
                                                  { least_squares, least_squares },
                                                  { negated_score, negated_score },
                                                  { negated_score, negated_score } };
    kernels[(size_t)c->param[GENERATOR_MODE]][c->param[GENERATOR_FROM_LOGITS] != 0](c);
}

static lg_status check_generator(const lg_loss_info *info, lg_tensor *const inputs[], const double *params,
                                 const lg_loss_options *options)
{
    (void)inputs, (void)options;
    if (params[GENERATOR_MODE] > LG_GENERATOR_MINIMAX && params[GENERATOR_FROM_LOGITS] == 0)
        return lg_fail(LG_E_PARAM, "%s: from_logits=false is for mode=non_saturating or minimax; the other modes take scores",
                       info->name);
    return LG_OK;
}

const lg_loss_info lg_gan_generator_row = {
    .name = "gan_generator",
    .family = "generative",
    .summary = "the generator of a generative adversarial network, through its discriminator",
    .formula = "-log p(fake) (non_saturating); log(1 - p(fake)) (minimax); (f - 1)^2 / 2 (lsgan); -f (wgan, hinge)",
    .output = "the discriminator's logit or score per generated sample",
    .reference = "Goodfellow et al. 2014; Mao et al. 2017 (lsgan); Arjovsky et al. 2017 (wgan); Lim & Ye 2017 (hinge)",
    .tasks = LG_TASK_GENERATIVE,
    .units = LG_UNIT_ELEMENT,
    .inputs = { { "fake", .domain = LG_LOGIT_OR_PROBABILITY, .differentiable = true } },
    .params = { { .name = "mode", .high = 4, .choices = "non_saturating|minimax|lsgan|wgan|hinge" },
                PARAM_LOGITS_UNLESS_SAID,
                LG_PARAM_EPS },
    .kernel = generator_kernel,
    .check_call = check_generator,
};

lg_tensor *lg_gan_generator(lg_tape *tape, lg_tensor *fake, lg_gan_generator_mode mode, bool from_logits,
                            const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_gan_generator_row, (lg_tensor *[]){ fake }, (double[]){ (double)mode, from_logits }, 2,
                        options);
}
