/* Focal losses, for rare classes: samples that are right already count less.
 *
 * What options mean, and how units are reduced and weighted, is in loss.h; weights of classes are the options
 * class_weight and pos_weight of the cross-entropies (classification.h). NULL on error, see lg_error(). */
#ifndef LG_IMBALANCE_H
#define LG_IMBALANCE_H

#include "losses/loss.h"

LG_BEGIN_DECLS

typedef enum lg_focal_alpha {
    LG_ALPHA_NONE = 0, /* alpha is not used (Keras's default) */
    LG_ALPHA_BALANCED, /* alpha for positive labels, 1 - alpha for negative ones: the paper */
    LG_ALPHA_UNIFORM   /* alpha for all */
} lg_focal_alpha;

/* Binary focal cross-entropy: cross-entropy in which easy samples count less, for rare classes.
 *
 *   loss = a r^gamma CE,   r = y (1 - p) + (1 - y) p: how wrong the prediction is,   CE = binary cross-entropy
 *   a = 1, or alpha y + (1 - alpha)(1 - y) balanced, or alpha uniform
 *
 * pred, target, units   as binary_crossentropy (the target is not differentiable)
 * gamma    >= 0; 2 is the paper's. 0 gives cross-entropy
 * alpha    in [0, 1]; 0.25 is the paper's, with LG_ALPHA_BALANCED
 * options  from_logits, label_smoothing (the smoothed label enters a, r and CE alike), eps
 * same as  keras.losses.BinaryFocalCrossentropy, torchvision.ops.sigmoid_focal_loss; Lin et al. 2017 */
LG_API lg_tensor *lg_binary_focal_crossentropy(lg_tape *tape, lg_tensor *pred, lg_tensor *target, double gamma,
                                               double alpha, lg_focal_alpha alpha_mode,
                                               const lg_loss_options *options);

/* Focal cross-entropy over classes that exclude each other.
 *
 *   loss = -sum_k a_k y_k (1 - p_k)^gamma log p_k,   a_k = alpha class_weight_k
 *   p = softmax(pred) with from_logits; pred / sum(pred) otherwise (pred itself with no_normalize), clipped to
 *   [eps, 1 - eps]
 *   h_k = a_k y_k (gamma p_k (1 - p_k)^(gamma-1) log p_k - (1 - p_k)^gamma)
 *   d loss / d logit = h - p sum(h);   d loss / d prob = (h / p - sum(h)) / sum(pred)
 *
 * pred     [..., C] (or C on options->class_axis), real, C >= 2
 * target   categorical_...: the shape of pred, real, >= 0, smoothed by label_smoothing; not differentiable
 *          sparse_...: int32 in [0, C), the shape of pred without the class axis, or options->ignore_index
 * gamma    >= 0; 2 is the paper's
 * alpha    >= 0; 0.25 is Keras's
 * options  from_logits, label_smoothing, eps, no_normalize, class_weight, class_axis, ignore_index (sparse_...)
 * units    rows along the class axis. The mean divides by the number of those not ignored, whatever the weights
 * same as  keras.losses.CategoricalFocalCrossentropy; Lin et al. 2017 */
LG_API lg_tensor *lg_categorical_focal_crossentropy(lg_tape *tape, lg_tensor *pred, lg_tensor *target, double gamma,
                                                    double alpha, const lg_loss_options *options);
LG_API lg_tensor *lg_sparse_categorical_focal_crossentropy(lg_tape *tape, lg_tensor *pred, lg_tensor *target,
                                                           double gamma, double alpha,
                                                           const lg_loss_options *options);

LG_END_DECLS

#endif
