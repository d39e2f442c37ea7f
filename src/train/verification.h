/* How well scores tell pairs of one class from pairs of two ("is it the same person?"), as biometric systems are judged.
 *
 * scores[n], higher where a pair is more alike (of a distance: its negative); labels[n] are 1 for pairs of one class and
 * 0 for others. A pair is accepted when its score is at or above a threshold.
 *
 *   false accept rate   FAR(t) = share of the 0s with score >= t      (false positive rate)
 *   false reject rate   FRR(t) = share of the 1s with score < t       (1 - true positive rate)
 *
 * The area under the ROC curve is lg_roc_auc (metrics.h). Errors of all: LG_E_DOMAIN naming the first score that is NaN
 * or label that is neither 0 nor 1; LG_E_PARAM for NULL; LG_E_MEMORY. */
#ifndef LG_VERIFICATION_H
#define LG_VERIFICATION_H

#include "tensor/base.h"

LG_BEGIN_DECLS

/* Equal error rate: where FAR = FRR. Between two neighbouring points of the ROC curve the rates are taken to be linear,
 * and *threshold is the score of the later one, with the higher FAR. Each pointer may be NULL. Both NaN, with LG_OK, when
 * a class is missing.   brentq of 1 - x - interp1d(fpr, tpr)(x), as it is usually computed with scikit-learn */
LG_API lg_status lg_equal_error_rate(size_t n, const lg_real *scores, const int32_t *labels, double *rate,
                                     double *threshold);

/* The lowest threshold, among the scores, whose FAR is at most `most` in [0, 1] (else LG_E_PARAM); infinity when none is,
 * so that nothing is accepted. *accept_rate: the share of the 1s that it accepts (NaN without any). Choose it on
 * validation pairs, not on test pairs. NaN, with LG_OK, when there is no 0 to choose by. Each pointer may be NULL. */
LG_API lg_status lg_threshold_at_false_accepts(size_t n, const lg_real *scores, const int32_t *labels, double most,
                                               double *threshold, double *accept_rate);

/* FAR, FRR, and the share of all pairs that are judged rightly, at a threshold (not NaN). NaN for a rate without pairs.
 * Each pointer may be NULL. */
LG_API lg_status lg_rates_at(size_t n, const lg_real *scores, const int32_t *labels, double threshold,
                             double *false_accepts, double *false_rejects, double *accuracy);

LG_END_DECLS

#endif
