/* Metrics of classifiers: from classes (confusion matrix, precision, recall, F1, the classification report) and from
 * scores (ROC AUC, average precision, their curves, the best threshold). Plain functions over arrays; no tape.
 *
 *     size_t matrix[2 * 2];
 *     lg_threshold_classes(n, probability, 0.5, predicted);
 *     if (lg_confusion_matrix(n, target, predicted, 2, matrix) == LG_OK) {
 *         char *text = lg_classification_report(2, matrix, names, 2);
 *         puts(text);
 *         free(text);
 *     }
 *
 * Values are those of sklearn.metrics (scikit-learn 1.9); where they differ, on data of one class, it is said below. */
#ifndef LG_METRICS_H
#define LG_METRICS_H

#include "tensor/base.h"

LG_BEGIN_DECLS

/* ------------------------------------------------------------------ classes */

/* matrix[classes * classes], zeroed here: matrix[t * classes + p] counts the rows of class t that were taken for class
 * p. LG_E_INDEX names the first target or prediction outside 0 .. classes-1; LG_E_PARAM for NULL or no classes. */
LG_API lg_status lg_confusion_matrix(size_t n, const int32_t *target, const int32_t *predicted, size_t classes,
                                     size_t *matrix);

/* Of one class (or an average), with true and false positives tp, fp and false negatives fn:
 *   precision = tp / (tp + fp)    recall = tp / (tp + fn)    f1 = 2 tp / (2 tp + fp + fn)     support = tp + fn
 * A fraction 0 / 0 is 0 (zero_division=0). */
typedef struct lg_class_score {
    double precision, recall, f1;
    size_t support;
} lg_class_score;
LG_API lg_class_score lg_binary_score(size_t true_positives, size_t false_positives, size_t false_negatives);

/* Of a whole matrix. `macro` is the mean over classes, `weighted` the mean weighted by support; their support is the
 * number of rows. */
typedef struct lg_class_summary {
    double accuracy; /* NaN without rows */
    lg_class_score macro, weighted;
} lg_class_summary;

/* Scores of every class (scores[classes] or NULL) and of the whole (summary or NULL).
 * same as  precision_recall_fscore_support, accuracy_score. LG_E_PARAM for NULL or no classes. */
LG_API lg_status lg_class_scores(size_t classes, const size_t *matrix, lg_class_score *scores,
                                 lg_class_summary *summary);

/* The table that sklearn.metrics.classification_report prints, with `digits` decimals (there 2), to be freed with
 * free(). names[classes], or NULL for "0", "1", ...:
 *
 *                   precision    recall  f1-score   support
 *
 *              ham       0.95      0.97      0.96       558
 *             spam       0.95      0.93      0.94       363
 *
 *         accuracy                           0.95       921
 *        macro avg       0.95      0.95      0.95       921
 *     weighted avg       0.95      0.95      0.95       921
 *
 * NULL with LG_E_PARAM (no matrix, no classes, more than 15 digits) or LG_E_MEMORY. */
LG_API char *lg_classification_report(size_t classes, const size_t *matrix, const char *const *names, size_t digits);

/* predicted[i] = 1 where scores[i] >= threshold, else 0: as the curves and lg_best_threshold count. LG_E_PARAM for
 * NULL or a threshold that is NaN; LG_E_DOMAIN for a score that is. */
LG_API lg_status lg_threshold_classes(size_t n, const lg_real *scores, double threshold, int32_t *predicted);

/* ------------------------------------------------------------------- scores
 * scores[n] say how likely row i is of class 1 (probabilities, logits, any monotone function of them); labels[n] are 0
 * or 1. Equal scores are tied and fall on one point of a curve. Errors of all: LG_E_DOMAIN naming the first score that
 * is NaN or label that is neither 0 nor 1; LG_E_PARAM for NULL; LG_E_MEMORY. */

/* Area under the ROC curve: the chance that a positive scores higher than a negative, ties counting half.
 *   auc = (sum over pairs [s+ > s-] + [s+ = s-] / 2) / (positives negatives)          Mann & Whitney 1947
 * NaN, with LG_OK, when a class is missing.   roc_auc_score */
LG_API lg_status lg_roc_auc(size_t n, const lg_real *scores, const int32_t *labels, double *auc);

/* sum over thresholds, falling, of (recall_k - recall_{k-1}) precision_k: the area under the precision-recall curve in
 * steps, without interpolation. NaN, with LG_OK, without positives (sklearn warns and says 0). average_precision_score */
LG_API lg_status lg_average_precision(size_t n, const lg_real *scores, const int32_t *labels, double *precision);

/* A curve: `count` points (x, y), each with the threshold at and above which a score counts as positive. */
typedef struct lg_curve {
    size_t count;
    double *x, *y, *threshold;
} lg_curve;

/* x false positive rate, y true positive rate, from (0, 0) at threshold infinity to (1, 1), every distinct score a
 * point. A rate without a denominator is NaN.   roc_curve(drop_intermediate=False) */
LG_API lg_curve *lg_roc_curve(size_t n, const lg_real *scores, const int32_t *labels);

/* x recall, y precision, thresholds rising; the last point is (0, 1) at threshold infinity. Recall is NaN without
 * positives (sklearn: 1).   precision_recall_curve */
LG_API lg_curve *lg_precision_recall_curve(size_t n, const lg_real *scores, const int32_t *labels);
LG_API void lg_curve_free(lg_curve *curve);

/* The threshold, among the scores, at which f1 is largest (the lowest of those that tie), and that f1; each pointer may
 * be NULL. Use it as lg_threshold_classes does. LG_E_PARAM for n = 0. Choose it on validation rows, not on test rows. */
LG_API lg_status lg_best_threshold(size_t n, const lg_real *scores, const int32_t *labels, double *threshold,
                                   double *f1);

LG_END_DECLS

#endif
