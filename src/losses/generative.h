/* Losses of generative models: adversarial pairs, and autoencoders, plain and variational.
 *
 * What options mean, and how units are reduced and weighted, is in loss.h. All return the reduced scalar (or a tensor of
 * the units' shape with LG_REDUCE_NONE); NULL on error, see lg_error(). */
#ifndef LG_GENERATIVE_H
#define LG_GENERATIVE_H

#include "losses/loss.h"

LG_BEGIN_DECLS

/* What the discriminator's output means, and how it is trained. */
typedef enum lg_gan_critic {
    LG_GAN_MINIMAX = 0, /* the logit of being real: cross-entropy, Goodfellow et al. 2014 */
    LG_GAN_LSGAN,       /* 1 for real, 0 for fake: squares, Mao et al. 2017 */
    LG_GAN_WGAN,        /* a score: its difference, Arjovsky et al. 2017 (clip the weights, or penalise the gradient) */
    LG_GAN_HINGE        /* a score: margins of 1 on either side, Lim & Ye 2017 */
} lg_gan_critic;

/* Loss of a GAN's discriminator, from its outputs r for real samples and f for generated ones.
 *
 *   loss = mean a(r) + mean b(f), each over its own number          d a / d r           d b / d f
 *   minimax   a = -l log p - (1 - l) log(1 - p), b = -log(1 - p)    sigmoid(r) - l      sigmoid(f)
 *   lsgan     a = (r - 1)^2 / 2,      b = f^2 / 2                   r - 1               f
 *   wgan      a = -r,                 b = f                         -1                  1
 *   hinge     a = max(0, 1 - r),      b = max(0, 1 + f)             -[r < 1]            [f > -1]
 *   l = real_label, p = sigmoid of the output (the output itself, clipped, without from_logits)
 *
 * real, fake   any shapes, real; in [0, 1] without from_logits
 * real_label   in (0, 1], minimax only (1 otherwise): 0.9 is one-sided label smoothing
 * from_logits  false for probabilities, clipped to [eps, 1 - eps]: minimax only
 * options      reduction (there is one unit), eps
 * units        one, the batch; without real (or fake) samples that part is 0
 * errors       LG_E_DTYPE, LG_E_PARAM, LG_E_DOMAIN (a probability outside [0, 1])
 * same as      torch.nn.BCEWithLogitsLoss on ones and on zeros, added (minimax) */
LG_API lg_tensor *lg_gan_discriminator(lg_tape *tape, lg_tensor *real, lg_tensor *fake, lg_gan_critic mode,
                                       double real_label, bool from_logits, const lg_loss_options *options);

typedef enum lg_gan_generator_mode {
    LG_GENERATOR_NON_SATURATING = 0, /* against a minimax discriminator; has a gradient where it is beaten soundly */
    LG_GENERATOR_MINIMAX,            /* the other side of the minimax game, literally */
    LG_GENERATOR_LSGAN,
    LG_GENERATOR_WGAN,
    LG_GENERATOR_HINGE
} lg_gan_generator_mode;

/* Loss of a GAN's generator, from the discriminator's outputs f for generated samples.
 *
 *   non_saturating  -log p,        d / d f = sigmoid(f) - 1     p = sigmoid(f); f itself, clipped, without from_logits
 *   minimax         log(1 - p),    d / d f = -sigmoid(f)
 *   lsgan           (f - 1)^2 / 2, d / d f = f - 1
 *   wgan, hinge     -f,            d / d f = -1
 *
 * fake         any shape, real; in [0, 1] without from_logits
 * from_logits  false for probabilities, clipped to [eps, 1 - eps]: non_saturating and minimax only
 * options      reduction, sample_weight, eps
 * units        elements
 * same as      torch.nn.BCEWithLogitsLoss on ones (non_saturating) */
LG_API lg_tensor *lg_gan_generator(lg_tape *tape, lg_tensor *fake, lg_gan_generator_mode mode, bool from_logits,
                                   const lg_loss_options *options);

/* Divergence of a diagonal normal distribution from the standard one, the regularizer of variational autoencoders.
 *
 *   loss = sum_k (mu_k^2 + exp(L_k) - 1 - L_k) / 2,   L = log_var;   d mu = mu,   d L = (exp(L) - 1) / 2
 *
 * mu, log_var  [..., K], the same shape; both differentiable
 * units        rows along the last axis
 * same as      torch.distributions.kl_divergence(Normal(mu, exp(L / 2)), Normal(0, 1)) summed over the last axis */
LG_API lg_tensor *lg_gaussian_kl(lg_tape *tape, lg_tensor *mu, lg_tensor *log_var, const lg_loss_options *options);

/* How a feature's reconstruction x^ is compared with the feature x. */
typedef enum lg_reconstruction_kind {
    LG_RECONSTRUCT_MSE = 0,   /* (x^ - x)^2,  derivative 2 (x^ - x) */
    LG_RECONSTRUCT_MAE,       /* |x^ - x|,    sign(x^ - x), 0 at 0 */
    LG_RECONSTRUCT_BCE,       /* cross-entropy of probabilities clipped to [eps, 1 - eps]: (p - x) / (p (1 - p)), 0 where clipped */
    LG_RECONSTRUCT_BCE_LOGITS /* cross-entropy of logits: sigmoid(x^) - x */
} lg_reconstruction_kind;

typedef enum lg_feature_reduce { LG_FEATURES_SUM = 0, LG_FEATURES_MEAN } lg_feature_reduce;

/* How far an autoencoder's output is from its input; per sample (LG_REDUCE_NONE) it is an anomaly score.
 *
 *   loss = sum (or mean) over the features of a sample of kind(pred, target)
 *
 * pred, target  [N, ...], the same shape; features are all axes but the first. For BCE pred in [0, 1]; for both kinds of
 *               cross-entropy the target in [0, 1], else LG_E_DOMAIN. The target is not differentiable
 * options       reduction, sample_weight, eps
 * units         samples */
LG_API lg_tensor *lg_reconstruction(lg_tape *tape, lg_tensor *pred, lg_tensor *target, lg_reconstruction_kind kind,
                                    lg_feature_reduce feature_reduce, const lg_loss_options *options);

/* Negative evidence lower bound of a variational autoencoder.
 *
 *   loss = sum over features of recon(pred, target) + beta gaussian_kl(mu, log_var)
 *
 * pred, target  [N, ...] as reconstruction
 * mu, log_var   [N, K], as gaussian_kl
 * beta          >= 0; 1 is the bound, others are the beta-VAE
 * recon         usually LG_RECONSTRUCT_BCE or, better conditioned, LG_RECONSTRUCT_BCE_LOGITS
 * options       reduction, sample_weight, eps
 * units         samples
 * same as       Kingma & Welling 2014, Higgins et al. 2017 */
LG_API lg_tensor *lg_vae(lg_tape *tape, lg_tensor *pred, lg_tensor *target, lg_tensor *mu, lg_tensor *log_var,
                         double beta, lg_reconstruction_kind recon, const lg_loss_options *options);

LG_END_DECLS

#endif
