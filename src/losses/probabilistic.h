/* Probabilistic losses: how unlikely the target is under a predicted distribution, or how far two distributions are.
 *
 * What options mean, and how units are reduced and weighted, is in loss.h; options that are not named here do not apply
 * (LG_E_PARAM). All return the reduced scalar (or a tensor of the units' shape with LG_REDUCE_NONE); NULL on error, see
 * lg_error(): LG_E_SHAPE, LG_E_DTYPE, LG_E_PARAM, LG_E_DOMAIN (a value out of its domain, its place named). */
#ifndef LG_PROBABILISTIC_H
#define LG_PROBABILISTIC_H

#include "losses/loss.h"

LG_BEGIN_DECLS

/* Negative log-likelihood of counts under a Poisson distribution of the predicted rate.
 *
 *   loss = pred - y log(pred + eps),   d = 1 - y / (pred + eps)
 *   loss = exp(pred) - y pred,         d = exp(pred) - y          with log_input: pred is the logarithm of the rate
 *   with full, plus Stirling's y log y - y + log(2 pi y) / 2 where y > 1, so that it is close to -log P(y)
 *
 * pred     any shape, real; >= 0 unless log_input
 * target   the same shape, real, >= 0 (whole or not); not differentiable. Where it is 0 only the rate is left
 * options  eps (1e-7)
 * units    elements
 * same as  keras.losses.Poisson; torch.nn.PoissonNLLLoss, whose defaults the name poisson_nll has (log_input, eps 1e-8) */
LG_API lg_tensor *lg_poisson(lg_tape *tape, lg_tensor *pred, lg_tensor *target, bool log_input, bool full,
                             const lg_loss_options *options);

/* Negative log-likelihood under a normal distribution whose mean and variance are both predicted.
 *
 *   v = max(variance, eps), or exp(variance) with log_variance;   e = mean - target
 *   loss = (log v + e^2 / v) / 2, plus log(2 pi) / 2 with full
 *   d / d mean = e / v = -d / d target,   d / d variance = (1 - e^2 / v) / (2 v), or (1 - e^2 / v) / 2 with log_variance
 *
 * A variance below eps gets the derivative at eps, as in PyTorch, so that it can grow again.
 *
 * mean, target   one shape, real
 * variance       real, >= 0 unless log_variance; of that shape, or without its last axis (or with 1 there): shared along
 *                it, or of one element: shared by all. The derivative of a shared one is the sum over what shares it
 * options        eps (1e-6)
 * units          elements
 * same as        torch.nn.GaussianNLLLoss; Nix and Weigend 1994 */
LG_API lg_tensor *lg_gaussian_nll(lg_tape *tape, lg_tensor *mean, lg_tensor *target, lg_tensor *variance, bool full,
                                  bool log_variance, const lg_loss_options *options);

/* What the prediction of kl_divergence is. */
typedef enum lg_kl_pred {
    LG_KL_PROBS = 0, /* Q */
    LG_KL_LOG_PROBS, /* x = log Q */
    LG_KL_LOGITS     /* z, log Q = log softmax(z) */
} lg_kl_pred;

/* Kullback-Leibler divergence of a predicted distribution Q from the true one P, along the last axis.
 *
 *   loss = sum_k P_k log(P_k / Q_k)
 *   probabilities   P and Q clipped to [eps, 1];   dQ = -P / Q and dP = log(P / Q) + 1, 0 where clipped
 *   log Q           dx = -P;               dP = log P - x + 1, 0 where P = 0
 *   logits          dz = s sum(P) - P,     s = softmax(z);     dP as with log Q
 *   log_target      the target is t = log P:                   dt = P (t - log Q + 1)
 *
 * pred     [..., K] (or K on options->class_axis), real; of `kind`. Probabilities must be in [0, 1]
 * target   the same shape, real, differentiable; P >= 0 (in [0, 1] with LG_KL_PROBS), which need not add up to 1, or any
 *          log P with log_target (LG_E_PARAM with LG_KL_PROBS). Except with LG_KL_PROBS, P = 0 costs nothing even if
 *          log Q is -inf, and P > 0 costs infinity there
 * options  eps (1e-7, LG_KL_PROBS only), class_axis; the reduction may be LG_REDUCE_ELEMENT_MEAN
 * units    rows. The mean is that of the rows, PyTorch's `batchmean`; PyTorch's own `mean` is LG_REDUCE_ELEMENT_MEAN
 * same as  keras.losses.KLDivergence; torch.nn.KLDivLoss (the name kl_div: log probabilities); Kullback, Leibler 1951 */
LG_API lg_tensor *lg_kl_divergence(lg_tape *tape, lg_tensor *pred, lg_tensor *target, lg_kl_pred kind, bool log_target,
                                   const lg_loss_options *options);

/* Knowledge distillation: a student learns the softened probabilities of a teacher.
 *
 *   loss = T^2 KL(p || s),   p = softmax(teacher / T), s = softmax(student / T), T = temperature
 *   d / d student = T (s - p)
 *
 * student      [..., C] (or C on options->class_axis), real: logits
 * teacher      the same shape, real: logits; constant. A logit of -inf in both leaves the class out
 * temperature  > 0; 3 is Keras's. The factor T^2 keeps the size of gradients when it changes
 * options      class_axis
 * units        rows
 * same as      keras.distillation.LogitsDistillation; Hinton, Vinyals, Dean 2015 */
LG_API lg_tensor *lg_knowledge_distillation(lg_tape *tape, lg_tensor *student, lg_tensor *teacher, double temperature,
                                            const lg_loss_options *options);

LG_END_DECLS

#endif
