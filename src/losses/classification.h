/* Classification losses: how far predicted classes are from the true ones.
 *
 * Networks should emit logits, with options->from_logits: no precision is lost in a sigmoid or softmax that the loss
 * would have to undo. What options mean, and how units are reduced and weighted, is in loss.h. All return the reduced
 * scalar (or a tensor of the units' shape with LG_REDUCE_NONE); NULL on error, see lg_error(). */
#ifndef LG_CLASSIFICATION_H
#define LG_CLASSIFICATION_H

#include "losses/loss.h"

LG_BEGIN_DECLS

/* Binary cross-entropy of probabilities or logits against labels; binary and multi-label.
 *
 *   loss = -q y log p - (1 - y) log(1 - p),   p = sigmoid(pred) with from_logits, q = pos_weight (1 without)
 *   d loss / d logit = (1 - y) sigmoid(z) - q y sigmoid(-z)
 *
 * pred     any shape, real; in [0, 1] unless options->from_logits. A logit of +-inf is right or infinitely wrong.
 * target   the same shape, real, in [0, 1] (soft labels allowed); differentiable
 * options  from_logits, label_smoothing, eps, pos_weight, clip_log100 (probabilities only)
 * units    elements
 * errors   LG_E_SHAPE, LG_E_DTYPE, LG_E_PARAM, LG_E_DOMAIN (a probability or label out of range, its place named)
 * same as  keras.losses.BinaryCrossentropy, torch.nn.BCELoss (with clip_log100), torch.nn.BCEWithLogitsLoss */
LG_API lg_tensor *lg_binary_crossentropy(lg_tape *tape, lg_tensor *pred, lg_tensor *target,
                                         const lg_loss_options *options);

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

/* Cross-entropy of class scores against class indices.
 *
 *   loss = -sum_k v_k log p_k,   v_k = w_k ((1 - a) [k = target] + a / C),   a = label_smoothing, w = class_weight
 *   p = softmax(pred) with from_logits; pred / sum(pred) otherwise (pred itself with no_normalize)
 *   d loss / d logit_j = p_j sum(v) - v_j
 *
 * pred     [..., C] (or C on options->class_axis), real, C >= 2; probabilities >= 0 unless from_logits
 * target   the shape of pred without the class axis, int32 in [0, C), or options->ignore_index
 * options  from_logits, label_smoothing, eps, no_normalize, class_weight, ignore_index, class_axis
 * units    rows along the class axis. The mean divides by the sum of class_weight[target] over units not ignored.
 * errors   LG_E_INDEX names the target: "target[17] is 10, but there are 10 classes (0..9)"
 * same as  keras.losses.SparseCategoricalCrossentropy, torch.nn.CrossEntropyLoss (from_logits) */
LG_API lg_tensor *lg_sparse_categorical_crossentropy(lg_tape *tape, lg_tensor *pred, lg_tensor *target,
                                                     const lg_loss_options *options);

LG_END_DECLS

#endif
