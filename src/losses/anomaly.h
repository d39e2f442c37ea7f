/* Losses that learn what is normal, from normal samples alone.
 *
 * What options mean, and how units are reduced, is in loss.h. NULL on error, see lg_error(). Anomaly scores by other
 * losses: reconstruction per sample (generative.h), binary_crossentropy where anomalies are labelled. */
#ifndef LG_ANOMALY_H
#define LG_ANOMALY_H

#include "losses/loss.h"

LG_BEGIN_DECLS

/* One-class support vector machine: the half-space that holds most samples and is farthest from the origin.
 *
 *   loss = |w|^2 / 2 - rho + sum_i max(0, rho - s_i) / (nu N)
 *   d s_i = -[s_i < rho] / (nu N),   d rho = #{s_i < rho} / (nu N) - 1,   d w = w
 *
 * scores   [N], real: s_i = w . phi(x_i) by whatever network computes it; a sample is normal where s_i >= rho
 * rho      one element, learnable
 * w        the weights behind the scores, any shape; NULL leaves their norm out
 * nu       in (0, 1]: at the optimum at most nu N samples are on the wrong side
 * options  reduction (there is one unit)
 * units    one, the batch; without samples the loss is 0, |w|^2 and rho included
 * errors   LG_E_SHAPE (rho of more than one element), LG_E_DTYPE, LG_E_PARAM (nu)
 * same as  sklearn.svm.OneClassSVM(kernel="linear"), whose coef_ and offset_ are nu N times this optimum's w and rho;
 *          Schoelkopf et al. 2001 */
LG_API lg_tensor *lg_one_class_svm(lg_tape *tape, lg_tensor *scores, lg_tensor *rho, lg_tensor *w, double nu,
                                   const lg_loss_options *options);

typedef enum lg_svdd_mode { LG_SVDD_ONE_CLASS = 0, LG_SVDD_SOFT_BOUNDARY } lg_svdd_mode;

/* Deep support vector data description: outputs of normal samples are drawn into a sphere.
 *
 *   one_class       loss_i = d_i^2,   d_i = |z_i - c|;   d z = 2 (z - c)
 *   soft_boundary   loss = R2 + sum_i max(0, d_i^2 - R2) / (nu N)
 *                   d z_i = [d_i^2 > R2] 2 (z_i - c) / (nu N),   d R2 = 1 - #{d_i^2 > R2} / (nu N)
 *
 * z        [N, D], real: the network's outputs
 * centre   [D], constant: see lg_deep_svdd_centre
 * radius2  R2, the square of the radius: one element >= 0 (else LG_E_DOMAIN), learnable; soft_boundary only, else NULL
 * nu       in (0, 1]: share of samples that may lie outside; soft_boundary only
 * options  reduction; sample_weight with one_class
 * units    samples (one_class), or one, the batch (soft_boundary)
 * Score of a sample: d^2 (less R2). A network with biases can map all samples to the centre: leave biases out.
 * same as  Ruff et al. 2018 */
LG_API lg_tensor *lg_deep_svdd(lg_tape *tape, lg_tensor *z, lg_tensor *centre, lg_tensor *radius2, lg_svdd_mode mode,
                               double nu, const lg_loss_options *options);

/* The centre to use for outputs z [N, D] of the untrained network: their mean, with components nearer to 0 than `least`
 * (0.1 in the paper) moved to +-least, where a trivial network would find them. A new tensor [D] on the heap; NULL with
 * LG_E_SHAPE (not [N, D], or N = 0), LG_E_DTYPE, LG_E_PARAM (least negative or not finite), LG_E_DOMAIN (an output that is
 * not finite), LG_E_MEMORY. */
LG_API lg_tensor *lg_deep_svdd_centre(const lg_tensor *z, double least);

LG_END_DECLS

#endif
