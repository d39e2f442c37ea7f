/* Margin losses: support vector machines and their kin, which ask for a score on the right side by a margin and no more.
 *
 * What options mean, and how units are reduced and weighted, is in loss.h. All return the reduced scalar (or a tensor of
 * the units' shape with LG_REDUCE_NONE); NULL on error, see lg_error(). At the margin itself the derivative is 0. */
#ifndef LG_MARGIN_H
#define LG_MARGIN_H

#include "losses/loss.h"

LG_BEGIN_DECLS

/* Hinge loss of scores against two classes, y = -1 or 1 (labels 0 and 1 are read as such, see options->labels).
 *
 *   hinge           loss = max(0, 1 - y z),      d loss / dz = -y [1 - y z > 0]
 *   squared_hinge   loss = max(0, 1 - y z)^2,    d loss / dz = -2 y max(0, 1 - y z)
 *
 * pred     any shape, scores; target  the same shape, real, all in {-1, 1} or all in {0, 1} (else LG_E_DOMAIN)
 * options  labels
 * units    elements
 * same as  keras.losses.Hinge, keras.losses.SquaredHinge; sklearn.metrics.hinge_loss */
LG_API lg_tensor *lg_hinge(lg_tape *tape, lg_tensor *pred, lg_tensor *target, const lg_loss_options *options);
LG_API lg_tensor *lg_squared_hinge(lg_tape *tape, lg_tensor *pred, lg_tensor *target, const lg_loss_options *options);

/* The whole objective of a linear support vector machine as one scalar.
 *
 *   loss = lambda |w|^2 + mean_i max(0, 1 - y_i z_i)^power
 *   dz_i = -power y_i max(0, 1 - y_i z_i)^(power-1) [1 - y_i z_i > 0] / N
 *   lg_svm          z given:   dw = 2 lambda w
 *   lg_svm_linear   z = X w + b (X w - b with minus_bias):   dw = 2 lambda w + X' dz,   db = +-sum dz,   dX = dz w'
 *
 * scores   [N] or [N, 1];  x  [N, D];  w  [D] (or [1, D], a dense layer's weight);  bias  one element, or NULL
 * target   [N], as for hinge
 * lambda   >= 0; power 1 or 2
 * options  labels, reduction (LG_REDUCE_SUM sums the hinge terms instead; lambda |w|^2 stays), sample_weight [N]: mean of
 *          weight x hinge term, LG_REDUCE_WEIGHTED_MEAN divides by the sum of the weights
 * units    one: the objective, which in a mean over batches counts by its rows (weighted mean: by its weights)
 * same as  sklearn.svm.SVC(kernel="linear", C = 1 / (2 lambda N)), up to the factor 2 lambda (power 1); LinearSVC's
 *          squared_hinge but for its penalised intercept (power 2); Shalev-Shwartz et al. 2007 (Pegasos) */
LG_API lg_tensor *lg_svm(lg_tape *tape, lg_tensor *scores, lg_tensor *w, lg_tensor *target, double lambda, int power,
                         const lg_loss_options *options);
LG_API lg_tensor *lg_svm_linear(lg_tape *tape, lg_tensor *x, lg_tensor *w, lg_tensor *bias, lg_tensor *target,
                                double lambda, int power, bool minus_bias, const lg_loss_options *options);

/* Hinge loss over classes, against one-hot rows.
 *
 *   loss = max(0, 1 + max_k (1 - y_k) z_k - sum_k y_k z_k)
 *   active: d loss / dz_k = -y_k + (1 - y_k) [k = first k that has the maximum]
 *
 * The true class counts as 0 in the maximum, so a row whose other scores are negative still has loss 1 - z_true.
 * pred     [..., C], scores; target  the same shape, real, in [0, 1]
 * options  class_axis
 * units    rows along the class axis
 * same as  keras.losses.CategoricalHinge */
LG_API lg_tensor *lg_categorical_hinge(lg_tape *tape, lg_tensor *pred, lg_tensor *target,
                                       const lg_loss_options *options);

/* Hinge loss over classes, against class indices: every other class is to stay below the true one by a margin.
 *
 *   u_k = margin - z_y + z_k,   loss = (w_y / C) sum_{k != y} max(0, u_k)^power
 *   dz_k = (w_y / C) power max(0, u_k)^(power-1) [u_k > 0],   dz_y = -sum of those
 *
 * pred     [..., C], scores; target  int32 in [0, C), the shape of pred without the class axis
 * power    1 or 2; margin finite, 1 usually
 * options  class_weight, class_axis
 * units    rows along the class axis; the mean divides by their number, class weights or not
 * same as  torch.nn.MultiMarginLoss */
LG_API lg_tensor *lg_multi_margin(lg_tape *tape, lg_tensor *pred, lg_tensor *target, int power, double margin,
                                  const lg_loss_options *options);

/* Hinge loss over labels that do not exclude each other: every label of a sample is to beat every other class by 1.
 *
 *   loss = (1 / C) sum over j in labels, i not in labels of max(0, 1 - z_j + z_i)
 *   each active pair adds -1 / C to dz_j and 1 / C to dz_i
 *
 * pred     [..., C], scores
 * target   int32, the same shape: the labels of a row, up to the first -1; what follows is not read. A label outside
 *          [0, C) is LG_E_INDEX. A label given twice counts twice. No labels: 0
 * units    rows along the last axis
 * same as  torch.nn.MultiLabelMarginLoss */
LG_API lg_tensor *lg_multilabel_margin(lg_tape *tape, lg_tensor *pred, lg_tensor *target,
                                       const lg_loss_options *options);

LG_END_DECLS

#endif
