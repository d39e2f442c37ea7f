/* Sequence losses: labels whose places in the frames are not known (speech, handwriting).
 *
 * What options mean, and how units are reduced and weighted, is in loss.h. Both return the reduced scalar (or a tensor
 * [N] with LG_REDUCE_NONE); NULL on error, see lg_error(). Decoding and error rates are in ctc_decode.h. */
#ifndef LG_SEQUENCE_H
#define LG_SEQUENCE_H

#include "losses/loss.h"

LG_BEGIN_DECLS

/* What a network's frames are: unnormalised scores, logarithms of probabilities (log_softmax), or probabilities. */
typedef enum lg_ctc_input { LG_CTC_LOGITS = 0, LG_CTC_LOG_PROBS, LG_CTC_PROBS } lg_ctc_input;

/* Connectionist temporal classification: the negative log probability of the labels, summed over all their alignments
 * with the frames. A path names one class per frame; it spells what is left when repeated classes are merged and then
 * blanks taken out.
 *
 *   loss = -log P,   P = sum over paths that spell the target of prod_t y_t(path_t),   y = softmax(pred) for logits
 *   d loss / d logit_t(k) = y_t(k) - g_t(k),   g_t(k) = share of P on paths that are at k in frame t
 *   d loss / d log_prob = -g,   d loss / d prob = -g / prob (0 where clipped)
 *
 * A target of U labels, R of them equal to the one before, needs U + R frames. With fewer, or P = 0, the loss is
 * infinite (0 with zero_infinity), and the gradient of that sample is 0 in both cases (PyTorch: NaN without
 * zero_infinity). No frames and no labels: 0. NaN in a frame within the input length makes that sample NaN.
 *
 * pred            [N, T, V], or [T, N, V] with time_major; real. Probabilities in [0, 1], clipped to [eps, 1 - eps]
 * target          int32, [N, U] with padding at each row's end; or the rows one after the other, [sum of target_lengths]
 * input_lengths   int32 [N], frames of each sample, at most T; NULL: T
 * target_lengths  int32 [N], labels of each sample, at most U; NULL: entries before the first blank or -1
 * input           what pred is
 * blank           class of blanks, in [0, V)
 * options         reduction, sample_weight, eps. LG_REDUCE_MEAN_PER_LABEL divides each loss by its number of labels (by
 *                 1 without any) before the mean: PyTorch's `mean`
 * units           samples
 * errors   LG_E_SHAPE, LG_E_DTYPE, LG_E_PARAM (blank), LG_E_INDEX (a label within its length that is no class, or is
 *          the blank), LG_E_DOMAIN (a length out of range, a probability outside [0, 1])
 * same as  keras.losses.CTC, torch.nn.CTCLoss of log_softmax(pred) (whose gradient by log_probs is that of the logits),
 *          optax.ctc_loss; Graves et al. 2006 */
LG_API lg_tensor *lg_ctc(lg_tape *tape, lg_tensor *pred, lg_tensor *target, lg_tensor *input_lengths,
                         lg_tensor *target_lengths, lg_ctc_input input, size_t blank, bool zero_infinity,
                         bool time_major, const lg_loss_options *options);

/* CTC without blanks: a path stays at a label or goes on to the next, from the first label to the last. For reproducing
 * programs that use this recursion; it cannot tell a long label from a repeated one.
 *
 *   alpha_t(s) = p_t(l_s) (alpha_{t-1}(s) + alpha_{t-1}(s-1)),   loss = -log alpha_{T-1}(U-1)
 *   d loss / d p_t(k) = -g_t(k) / p_t(k), 0 where clipped;   g as for ctc
 *
 * pred            [N, T, V] or [T, N, V], probabilities, clipped to [eps, 1 - eps]
 * target          as ctc; any label in [0, V). Without target_lengths, the entries before the first -1
 * input_lengths, target_lengths, units, errors   as ctc; a sample without labels is LG_E_SHAPE
 * options         reduction, sample_weight, eps
 * A sample with fewer frames than labels has an infinite loss and gradient 0. */
LG_API lg_tensor *lg_ctc_simplified(lg_tape *tape, lg_tensor *pred, lg_tensor *target, lg_tensor *input_lengths,
                                    lg_tensor *target_lengths, bool time_major, const lg_loss_options *options);

LG_END_DECLS

#endif
