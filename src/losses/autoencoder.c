/* Losses of autoencoders: reconstruction, the divergence of their codes, and both together (generative.h). */
#include "losses/binary_internal.h"
#include "losses/generative.h"
#include "losses/loss_internal.h"
#include "tensor/reduce_internal.h"
#include "tensor/tensor_internal.h"

#include <string.h>

/* ------------------------------------------------------------- gaussian_kl */

/* expm1(L) - L, a sum of two of opposite sign that cancel near 0: there L^2/2 (1 + L/3 (1 + L/4 (1 + ...))). */
LG_INLINE lg_real expm1_beyond(lg_real L, lg_real expm1_L)
{
    enum { TERMS = LG_REAL_BITS == 64 ? 16 : 9 };
    lg_real series = 1;
    for (int n = TERMS; n > 2; n--)
        series = 1 + series * L * (1 / (lg_real)n);
    const lg_real far = L < (lg_real)INFINITY ? expm1_L - L : L;
    return ((L < (lg_real)0.5) & (L > (lg_real)-0.5)) ? L * L / 2 * series : far;
}

/* loss = sum_k (mu^2 + expm1(L) - L) / 2,   d mu = mu,   d L = expm1(L) / 2; each times scale, and the loss returned */
LG_INLINE double divergence(size_t width, const lg_real *mu, const lg_real *log_var, lg_real scale, lg_real *restrict d_mu,
                            lg_real *restrict d_log_var)
{
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t k = 0; k < width; k++) {
        const lg_real change = real_expm1(log_var[k]);
        sum += (double)(mu[k] * mu[k] + expm1_beyond(log_var[k], change));
        if (d_mu)
            d_mu[k] = scale * mu[k];
        if (d_log_var)
            d_log_var[k] = scale * change / 2;
    }
    return sum / 2;
}

LG_LOSS_KERNEL_2(gaussian_kl_kernel, c, gradient, second)
{
    const size_t width = c->width[0];
    for (size_t u = 0; u < c->units; u++)
        c->loss[u] = (lg_real)divergence(width, c->x[0] + u * width, c->x[1] + u * width, c->scale,
                                         gradient ? c->d[0] + u * width : NULL, second ? c->d[1] + u * width : NULL);
}

const lg_loss_info lg_gaussian_kl_row = {
    .name = "gaussian_kl",
    .family = "generative",
    .summary = "keeping codes near a standard normal distribution, in variational autoencoders",
    .formula = "sum_k (mu_k^2 + exp(log_var_k) - 1 - log_var_k) / 2",
    .output = "mean and logarithm of the variance of each code",
    .reference = "Kingma & Welling 2014; torch.distributions.kl_divergence",
    .tasks = LG_TASK_GENERATIVE | LG_TASK_DISTRIBUTION,
    .units = LG_UNIT_ROW,
    .inputs = { { "mu", .differentiable = true }, { "log_var", .differentiable = true } },
    .aliases = { { "vae_kl", NULL } },
    .kernel = gaussian_kl_kernel,
};

lg_tensor *lg_gaussian_kl(lg_tape *tape, lg_tensor *mu, lg_tensor *log_var, const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_gaussian_kl_row, (lg_tensor *[]){ mu, log_var }, NULL, 0, options);
}

/* ---------------------------------------------------------- reconstruction */

enum { RECONSTRUCTION_KIND, RECONSTRUCTION_REDUCE, RECONSTRUCTION_EPS };

/* Each feature's loss into `loss` and, if `gradient`, its derivative times `scale` into `d`. */
LG_INLINE void squared_features(size_t n, const lg_real *pred, const lg_real *target, lg_real scale, const bool gradient,
                                lg_real *restrict loss, lg_real *restrict d)
{
    for (size_t i = 0; i < n; i++) {
        const lg_real e = pred[i] - target[i];
        loss[i] = e * e;
        if (gradient)
            d[i] = scale * 2 * e;
    }
}

LG_INLINE void absolute_features(size_t n, const lg_real *pred, const lg_real *target, lg_real scale, const bool gradient,
                                 lg_real *restrict loss, lg_real *restrict d)
{
    for (size_t i = 0; i < n; i++) {
        const lg_real e = pred[i] - target[i];
        loss[i] = e < 0 ? -e : e;
        if (gradient)
            d[i] = scale * (e > 0 ? 1 : e < 0 ? -1 : e);
    }
}

/* Features are probabilities.   d p = (1 - x) / (1 - p) - x / p, 0 where clipped */
LG_INLINE void probability_features(size_t n, const lg_real *pred, const lg_real *target, lg_real eps, lg_real scale,
                                    const bool gradient, lg_real *restrict loss, lg_real *restrict d)
{
    for (size_t i = 0; i < n; i++) {
        const lg_real x = target[i];
        const probability_terms t = terms_of_probability(pred[i], eps);
        loss[i] = product_or_zero(x, t.minus_log_p) + product_or_zero(1 - x, t.minus_log_q);
        if (gradient)
            d[i] = t.clipped ? 0 : scale * (product_or_zero(1 - x, 1 / t.q) - product_or_zero(x, 1 / t.p));
    }
}

/* d z = (1 - x) sigmoid(z) - x sigmoid(-z), told from the side that z is on. Exponentials first, as in
 * binary_crossentropy; `loss` keeps them until they are used. */
LG_INLINE void logit_features(size_t n, const lg_real *pred, const lg_real *target, lg_real scale, const bool gradient,
                              lg_real *restrict loss, lg_real *restrict d)
{
    exponentials_of_logits(n, pred, target, loss);
    for (size_t i = 0; i < n; i++) {
        const lg_real e = loss[i];
        const logit_side s = side_of_logit(pred[i], 1 - target[i], target[i]);
        loss[i] = cross_entropy_of_side(&s, e);
        if (gradient)
            d[i] = slope_by_logit(&s, scale * (s.against - s.total * e / (1 + e)));
    }
}

LG_INLINE void features(lg_reconstruction_kind kind, size_t n, const lg_real *pred, const lg_real *target, lg_real eps,
                        lg_real scale, const bool gradient, lg_real *loss, lg_real *d)
{
    switch (kind) {
    case LG_RECONSTRUCT_MSE:
        squared_features(n, pred, target, scale, gradient, loss, d);
        break;
    case LG_RECONSTRUCT_MAE:
        absolute_features(n, pred, target, scale, gradient, loss, d);
        break;
    case LG_RECONSTRUCT_BCE:
        probability_features(n, pred, target, eps, scale, gradient, loss, d);
        break;
    case LG_RECONSTRUCT_BCE_LOGITS:
        logit_features(n, pred, target, scale, gradient, loss, d);
        break;
    }
}

LG_LOSS_KERNEL(reconstruction_kernel, c, gradient)
{
    const size_t width = c->width[0], n = c->units * width;
    const lg_real share = c->param[RECONSTRUCTION_REDUCE] == LG_FEATURES_MEAN && width > 0 ? 1 / (lg_real)width : 1;
    features((lg_reconstruction_kind)c->param[RECONSTRUCTION_KIND], n, c->x[0], c->x[1],
             (lg_real)c->param[RECONSTRUCTION_EPS], c->scale * share, gradient, c->scratch, c->d[0]);
    for (size_t u = 0; u < c->units; u++)
        c->loss[u] = (lg_real)lg_sum_of_fours(c->scratch + u * width, width, lg_itself) * share;
}

/* What cross-entropies need of the features, and of predictions that are no logits. */
static lg_loss_domain domain_of_features(size_t input, lg_reconstruction_kind kind)
{
    if (input == 1 && (kind == LG_RECONSTRUCT_BCE || kind == LG_RECONSTRUCT_BCE_LOGITS))
        return LG_UNIT_INTERVAL;
    return input == 0 && kind == LG_RECONSTRUCT_BCE ? LG_PROBABILITY : LG_ANY_REAL;
}

static lg_loss_domain reconstruction_domain(size_t input, const double *params)
{
    return domain_of_features(input, (lg_reconstruction_kind)params[RECONSTRUCTION_KIND]);
}

#define RECONSTRUCTION_KINDS "mse|mae|bce|bce_logits"

const lg_loss_info lg_reconstruction_row = {
    .name = "reconstruction",
    .family = "generative",
    .summary = "autoencoders; per sample, a score of how unusual it is",
    .formula = "sum over features of (x^ - x)^2 (mse), |x^ - x| (mae) or -x log p - (1 - x) log(1 - p) (bce)",
    .output = "each feature again: as it is, or as a probability or logit for features in [0, 1]",
    .reference = "Hinton & Salakhutdinov 2006; torch.nn.MSELoss, L1Loss, BCELoss summed over features",
    .tasks = LG_TASK_GENERATIVE | LG_TASK_ANOMALY,
    .units = LG_UNIT_SAMPLE,
    .inputs = { { "pred", .differentiable = true }, { .name = "target" } },
    .params = { { .name = "kind", .high = 3, .choices = RECONSTRUCTION_KINDS },
                { .name = "feature_reduce", .high = 1, .choices = "sum|mean" },
                LG_PARAM_EPS },
    .kernel = reconstruction_kernel,
    .domain_of = reconstruction_domain,
};

lg_tensor *lg_reconstruction(lg_tape *tape, lg_tensor *pred, lg_tensor *target, lg_reconstruction_kind kind,
                             lg_feature_reduce feature_reduce, const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_reconstruction_row, (lg_tensor *[]){ pred, target },
                        (double[]){ (double)kind, (double)feature_reduce }, 2, options);
}

/* --------------------------------------------------------------------- vae */

enum { VAE_BETA, VAE_RECON, VAE_EPS };

LG_LOSS_KERNEL(vae_kernel, c, gradient)
{
    const size_t width = c->width[0], codes = c->width[2];
    const double beta = c->param[VAE_BETA];
    features((lg_reconstruction_kind)c->param[VAE_RECON], c->units * width, c->x[0], c->x[1], (lg_real)c->param[VAE_EPS],
             c->scale, gradient, c->scratch, c->d[0]);
    for (size_t u = 0; u < c->units; u++) {
        const double kl = divergence(codes, c->x[2] + u * codes, c->x[3] + u * codes, c->scale * (lg_real)beta,
                                     gradient && c->d[2] ? c->d[2] + u * codes : NULL,
                                     gradient && c->d[3] ? c->d[3] + u * codes : NULL);
        c->loss[u] = (lg_real)(lg_sum_of_fours(c->scratch + u * width, width, lg_itself) + (beta == 0 ? 0 : beta * kl));
    }
}

static lg_loss_domain vae_domain(size_t input, const double *params)
{
    return domain_of_features(input, (lg_reconstruction_kind)params[VAE_RECON]);
}

static lg_status check_vae(const lg_loss_info *info, lg_tensor *const inputs[], const double *params,
                           const lg_loss_options *options)
{
    (void)options;
    char mu[LG_SHAPE_TEXT_BYTES], log_var[LG_SHAPE_TEXT_BYTES];
    (void)params, (void)options;
    if (!lg_same_shape(inputs[2], inputs[3]))
        return lg_fail(LG_E_SHAPE, "%s: mu is %s, but log_var is %s", info->name,
                       lg_tensor_shape_text(inputs[2], mu, sizeof mu), lg_tensor_shape_text(inputs[3], log_var, sizeof log_var));
    return LG_OK;
}

const lg_loss_info lg_vae_row = {
    .name = "vae",
    .family = "generative",
    .summary = "variational autoencoders: reconstruction and the divergence of the codes in one",
    .formula = "sum over features of recon(x^, x) + beta sum_k (mu_k^2 + exp(log_var_k) - 1 - log_var_k) / 2",
    .output = "the features as probabilities (or by recon), and mean and logarithm of the variance of each code",
    .reference = "Kingma & Welling 2014; Higgins et al. 2017 (beta)",
    .tasks = LG_TASK_GENERATIVE | LG_TASK_ANOMALY,
    .units = LG_UNIT_SAMPLE,
    .inputs = { { "pred", .differentiable = true },
                { .name = "target" },
                { "mu", .layout = LG_OWN_WIDTH, .differentiable = true },
                { "log_var", .layout = LG_OWN_WIDTH, .differentiable = true } },
    .params = { { .name = "beta", .initial = 1, .high = INFINITY },
                { .name = "recon", .initial = LG_RECONSTRUCT_BCE, .high = 3, .choices = RECONSTRUCTION_KINDS },
                LG_PARAM_EPS },
    .aliases = { { "elbo", NULL } },
    .kernel = vae_kernel,
    .domain_of = vae_domain,
    .check_call = check_vae,
};

lg_tensor *lg_vae(lg_tape *tape, lg_tensor *pred, lg_tensor *target, lg_tensor *mu, lg_tensor *log_var, double beta,
                  lg_reconstruction_kind recon, const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_vae_row, (lg_tensor *[]){ pred, target, mu, log_var },
                        (double[]){ beta, (double)recon }, 2, options);
}
