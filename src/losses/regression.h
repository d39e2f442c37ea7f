/* Regression losses: how far predicted numbers are from the true ones.
 *
 * In all of them pred and target have one shape (a trailing axis of 1 is no difference) and hold real numbers, units are
 * the elements unless said otherwise, and e = pred - target. What options mean, and how units are reduced and weighted,
 * is in loss.h; options that are not named here do not apply (LG_E_PARAM). All return the reduced scalar (or a tensor of
 * the units' shape with LG_REDUCE_NONE); NULL on error, see lg_error(): LG_E_SHAPE, LG_E_DTYPE, LG_E_PARAM for a
 * parameter out of its range or a gradient that does not exist.
 *
 * At a kink the derivative is 0: sign(0) = 0. */
#ifndef LG_REGRESSION_H
#define LG_REGRESSION_H

#include "losses/loss.h"

LG_BEGIN_DECLS

/* Mean squared error: the natural choice for errors that are normally distributed; outliers weigh heavily.
 *
 *   loss = e^2,   d loss / d pred = 2 e = -d loss / d target
 *
 * same as  keras.losses.MeanSquaredError, torch.nn.MSELoss, optax.squared_error */
LG_API lg_tensor *lg_mean_squared_error(lg_tape *tape, lg_tensor *pred, lg_tensor *target,
                                        const lg_loss_options *options);

/* Half of it, so that the derivative is e: mean_squared_error with half=true.
 *
 *   loss = e^2 / 2,   d loss / d pred = e = -d loss / d target
 *
 * same as  optax.l2_loss */
LG_API lg_tensor *lg_half_squared_error(lg_tape *tape, lg_tensor *pred, lg_tensor *target,
                                        const lg_loss_options *options);

/* Mean absolute error: outliers weigh no more than their size; the best constant prediction is the median.
 *
 *   loss = |e|,   d loss / d pred = sign(e) = -d loss / d target
 *
 * same as  keras.losses.MeanAbsoluteError, torch.nn.L1Loss */
LG_API lg_tensor *lg_mean_absolute_error(lg_tape *tape, lg_tensor *pred, lg_tensor *target,
                                         const lg_loss_options *options);

/* Huber's loss: squared for small errors, absolute for large ones, smooth where they meet.
 *
 *   loss = e^2 / 2                    |e| <= delta
 *          delta (|e| - delta / 2)    otherwise
 *   d loss / d pred = clamp(e, -delta, delta) = -d loss / d target
 *
 * delta    > 0; where an error begins to count as an outlier. 1 is usual
 * same as  keras.losses.Huber, torch.nn.HuberLoss, optax.huber_loss; Huber 1964 */
LG_API lg_tensor *lg_huber(lg_tape *tape, lg_tensor *pred, lg_tensor *target, double delta,
                           const lg_loss_options *options);

/* Smooth L1: Huber's loss divided by its threshold, so that large errors cost |e| whatever beta is.
 *
 *   loss = e^2 / (2 beta)   |e| < beta
 *          |e| - beta / 2   otherwise
 *   d loss / d pred = clamp(e / beta, -1, 1) = -d loss / d target
 *
 * beta     >= 0; 0 is mean_absolute_error, 1 is huber with delta 1. For boxes, sum over the four coordinates.
 * same as  torch.nn.SmoothL1Loss; Girshick 2015 (Fast R-CNN) */
LG_API lg_tensor *lg_smooth_l1(lg_tape *tape, lg_tensor *pred, lg_tensor *target, double beta,
                               const lg_loss_options *options);

/* Quantile (pinball) loss: its best constant prediction is the tau-quantile of the targets.
 *
 *   u = target - pred,   loss = max(tau u, (tau - 1) u)
 *   d loss / d pred = -tau where u > 0, 1 - tau where u < 0,   = -d loss / d target
 *
 * tau      in (0, 1); 0.5 is half the absolute error
 * same as  sklearn.metrics.mean_pinball_loss; Koenker and Bassett 1978 */
LG_API lg_tensor *lg_quantile(lg_tape *tape, lg_tensor *pred, lg_tensor *target, double tau,
                              const lg_loss_options *options);

/* Several quantiles at once, one column of the prediction each.
 *
 *   loss_q = max(tau_q u_q, (tau_q - 1) u_q) + crossing_penalty max(0, pred_q - pred_(q+1)),   u_q = target - pred_q
 *
 * pred     [..., Q]
 * target   [...] or [..., 1]: every column is compared with the same target; its derivative is the sum over them
 * tau      real [Q], each in (0, 1); strictly ascending if crossing_penalty > 0 (LG_E_PARAM); constant
 * crossing_penalty   >= 0: the price of a quantile above the next higher one; the last column has no such term
 * units    the elements of pred: the mean divides by their number */
LG_API lg_tensor *lg_multi_quantile(lg_tape *tape, lg_tensor *pred, lg_tensor *target, lg_tensor *tau,
                                    double crossing_penalty, const lg_loss_options *options);

/* Logarithm of the hyperbolic cosine: close to e^2 / 2 for small errors and to |e| - log 2 for large ones, with
 * derivatives of every order.
 *
 *   loss = log cosh e,   d loss / d pred = tanh e = -d loss / d target
 *
 * An error of 1e-4 keeps its digits, and one of 1e30 does not overflow.
 * same as  keras.losses.LogCosh, optax.log_cosh */
LG_API lg_tensor *lg_log_cosh(lg_tape *tape, lg_tensor *pred, lg_tensor *target, const lg_loss_options *options);

/* Mean absolute percentage error: errors in percent of the true value.
 *
 *   loss = 100 |e| / max(|target|, eps),   d loss / d pred = 100 sign(e) / max(|target|, eps)
 *
 * target   not differentiable; 0 is legal, and costs a great deal
 * options  eps (1e-7)
 * same as  keras.losses.MeanAbsolutePercentageError; sklearn.metrics.mean_absolute_percentage_error, which has a smaller
 *          eps and no factor of 100 */
LG_API lg_tensor *lg_mean_absolute_percentage_error(lg_tape *tape, lg_tensor *pred, lg_tensor *target,
                                                    const lg_loss_options *options);

/* Mean squared logarithmic error: errors as ratios, for targets of many magnitudes.
 *
 *   a = max(pred, eps), b = max(target, eps),   loss = (log(1 + a) - log(1 + b))^2
 *   d loss / d pred = 2 (log(1 + a) - log(1 + b)) / (1 + a), 0 where pred <= eps
 *
 * Negative values are taken for eps: no error, but no derivative either. target is not differentiable.
 * options  eps (1e-7)
 * same as  keras.losses.MeanSquaredLogarithmicError; sklearn.metrics.mean_squared_log_error where nothing is negative */
LG_API lg_tensor *lg_mean_squared_logarithmic_error(lg_tape *tape, lg_tensor *pred, lg_tensor *target,
                                                    const lg_loss_options *options);

/* Cosine similarity, as a loss: whether two vectors point the same way, whatever their lengths.
 *
 *   c = a . b / (|a| |b|),   loss = offset - c,   a = pred, b = target along the last axis (or options->class_axis)
 *   d loss / d a = -(b / |b| - c a / |a|) / |a|, and b's by symmetry
 *
 * offset   0: the loss is -c, in [-1, 1], as Keras has it; 1: the cosine distance, in [0, 2]
 * options  eps (1e-7), class_axis
 * units    rows. A vector no longer than eps has no direction: c and all derivatives of that row are 0.
 * same as  keras.losses.CosineSimilarity, -torch.nn.functional.cosine_similarity, optax.cosine_distance (offset 1) */
LG_API lg_tensor *lg_cosine_similarity(lg_tape *tape, lg_tensor *pred, lg_tensor *target, double offset,
                                       const lg_loss_options *options);

LG_END_DECLS

#endif
