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

/* Cross-entropy of class scores against one-hot rows or distributions.
 *
 *   loss = -sum_k v_k log p_k,   v_k = w_k (y_k (1 - a) + a / C),   a = label_smoothing, w = class_weight
 *   p as in sparse_categorical_crossentropy
 *   d loss / d logit_j = p_j sum(v) - v_j,   d loss / d y_k = -(1 - a) w_k log p_k
 *
 * pred     as in sparse_categorical_crossentropy
 * target   the same shape, real, >= 0 (rows need not sum to 1); differentiable
 * options  from_logits, label_smoothing, eps, no_normalize, class_weight, class_axis
 * units    rows along the class axis. The mean divides by their number, class weights or not (as PyTorch does here).
 * A class with y_k = 0 costs nothing even at a logit of -inf; one with y_k > 0 costs +inf there.
 * same as  keras.losses.CategoricalCrossentropy, torch.nn.CrossEntropyLoss with probabilities, optax.softmax_cross_entropy */
LG_API lg_tensor *lg_categorical_crossentropy(lg_tape *tape, lg_tensor *pred, lg_tensor *target,
                                              const lg_loss_options *options);

/* Negative log-likelihood of log-probabilities (of log_softmax) against class indices.
 *
 *   loss = -w[target] pred[target],   d loss / d pred_k = -w[target] [k = target]
 *
 * pred     [..., C], real; target  as in sparse_categorical_crossentropy
 * options  class_weight, ignore_index, class_axis
 * units    rows along the class axis; the mean divides by the sum of class_weight[target] over units not ignored
 * same as  torch.nn.NLLLoss */
LG_API lg_tensor *lg_nll(lg_tape *tape, lg_tensor *pred, lg_tensor *target, const lg_loss_options *options);

/* Generalised cross-entropy, for labels some of which are wrong: cross-entropy as q -> 0, absolute error at 1.
 *
 *   loss = (1 - p[target]^q) / q
 *   d loss / d logit_j = -p[target]^q ([j = target] - p_j);   d loss / d p[target] = -p[target]^(q-1), 0 below eps
 *
 * pred     [..., C], real, C >= 2: probabilities in [0, 1], taken as they are (not divided by their sum) and not below
 *          eps; or logits
 * target   int32 in [0, C), as in sparse_categorical_crossentropy, none ignored
 * q        in (0, 1); 0.7 is the paper's, 0.5 Keras's
 * options  from_logits, eps, class_axis
 * same as  keras.losses.CategoricalGeneralizedCrossEntropy (probabilities); Zhang & Sabuncu 2018 */
LG_API lg_tensor *lg_categorical_generalized_cross_entropy(lg_tape *tape, lg_tensor *pred, lg_tensor *target, double q,
                                                           const lg_loss_options *options);

/* Binary cross-entropy averaged over the labels of a sample.
 *
 *   loss = mean_k w_k (-y_k log p_k - (1 - y_k) log(1 - p_k)),   p = sigmoid(pred)
 *   d loss / d logit_k = w_k (p_k - y_k) / C
 *
 * pred     [..., C], logits; target  the same shape, real, in [0, 1]
 * options  class_weight, class_axis
 * units    rows along the class axis; LG_REDUCE_SUM sums their means
 * same as  torch.nn.MultiLabelSoftMarginLoss */
LG_API lg_tensor *lg_multilabel_soft_margin(lg_tape *tape, lg_tensor *pred, lg_tensor *target,
                                            const lg_loss_options *options);

/* Logistic loss of labels -1 and 1: binary cross-entropy of logits on (y + 1) / 2.
 *
 *   loss = log(1 + exp(-y z)),   d loss / dz = -y sigmoid(-y z)
 *
 * pred     any shape, logits; target  the same shape, -1 or 1 (else LG_E_DOMAIN)
 * units    elements
 * same as  torch.nn.SoftMarginLoss */
LG_API lg_tensor *lg_soft_margin(lg_tape *tape, lg_tensor *pred, lg_tensor *target, const lg_loss_options *options);

LG_END_DECLS

#endif
