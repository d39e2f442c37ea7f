/* Segmentation losses: how much of a predicted mask overlaps the true one, whatever the share of the background.
 *
 * pred and target have one shape (a trailing axis of 1 is no difference): samples along the first axis, classes along
 * the class axis (options->class_axis, the last unless given; 1 for [N, C, H, W]). p are the predicted probabilities, t
 * the target, and the sums of a unit run over
 *
 *   LG_SCOPE_BATCH     everything: one unit, a scalar. sample_weight does not apply (LG_E_SHAPE)
 *   LG_SCOPE_SAMPLE    one sample: units [N]
 *   LG_SCOPE_CHANNEL   one class of one sample: units [N, C]; pred needs at least two axes
 *
 * pred       probabilities in [0, 1], not clipped; with options->from_logits logits, whose activation makes them
 *            probabilities: sigmoid of each, or softmax over the class axis (LG_E_PARAM without from_logits)
 * target     real, in [0, 1]; no gradient by it
 * smooth     >= 0, finite: added to both sides of the fraction. Without it, two empty masks cost 1 with gradient 0; with
 *            it, nearly 0
 * options    reduction, sample_weight, class_axis, from_logits, and eps in (0, 0.5), 1e-7 unless given, which guards the
 *            denominator
 * returns    the reduced scalar, or a tensor of the units' shape with LG_REDUCE_NONE; NULL on error, see lg_error()
 * errors     LG_E_SHAPE, LG_E_DTYPE, LG_E_PARAM, LG_E_DOMAIN (a probability or target out of range)
 *
 * A unit without elements costs 0 and is left out of means. What is printed below as 1 minus a fraction is computed from
 * p and 1 - p without that subtraction, so that a nearly perfect mask keeps its digits, and sums are in double. */
#ifndef LG_SEGMENTATION_H
#define LG_SEGMENTATION_H

#include "losses/loss.h"

LG_BEGIN_DECLS

typedef enum lg_mask_scope { LG_SCOPE_BATCH = 0, LG_SCOPE_SAMPLE, LG_SCOPE_CHANNEL } lg_mask_scope;

typedef enum lg_mask_activation { LG_MASK_SIGMOID = 0, LG_MASK_SOFTMAX } lg_mask_activation;

/* Dice (F1) as a loss: for masks whose object is small against the background.
 *
 *   loss = 1 - (2 I + smooth) / D,   I = sum p t,   D = sum p + sum t + smooth + eps
 *   dp   = ((2 I + smooth) / D - 2 t) / D
 *   with square: D = sum p^2 + sum t^2 + smooth + eps,   dp = 2 (p (2 I + smooth) / D - t) / D
 *
 * The gradient by logits goes through the sigmoid, p (1 - p) dp, or the softmax, p (dp - sum p dp).
 * same as  keras.losses.Dice (scope batch is axis=None), optax dice_loss (scope channel); square as Milletari et al. 2016,
 *          V-Net */
LG_API lg_tensor *lg_dice(lg_tape *tape, lg_tensor *pred, lg_tensor *target, lg_mask_scope scope, double smooth,
                          bool square, lg_mask_activation activation, const lg_loss_options *options);

/* Tversky: Dice with separate prices of false alarms and of misses. alpha = beta = 1/2 is Dice but for eps; a larger
 * beta finds more of a rare object.
 *
 *   loss = 1 - (TP + smooth) / D,   D = TP + alpha FP + beta FN + smooth + eps
 *   TP = sum p t,   FP = sum p (1 - t),   FN = sum (1 - p) t
 *   dp   = ((TP + smooth) / D (t + alpha (1 - t) - beta t) - t) / D
 *
 * alpha    >= 0, finite: price of false positives
 * beta     >= 0, finite: price of false negatives
 * same as  keras.losses.Tversky with alpha and beta exchanged (its code weighs the misses with alpha); Salehi et al.
 *          2017 */
LG_API lg_tensor *lg_tversky(lg_tape *tape, lg_tensor *pred, lg_tensor *target, lg_mask_scope scope, double alpha,
                             double beta, double smooth, lg_mask_activation activation,
                             const lg_loss_options *options);

LG_END_DECLS

#endif
