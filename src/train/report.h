/* Numbers that a step function knows beside its loss: metrics, which lg_fit averages or pools over the epoch, shows on
 * the progress line and records in the history (with "val_" before the name in validation).
 *
 *     lg_report_accuracy(tape, logits, y);
 *     lg_report(tape, "reconstruction", lg_tensor_item(part), (double)lg_batch_rows(batch));
 *
 * On a tape that nobody listens to they do nothing and return LG_OK. A report that fails inside lg_fit ends training
 * with its message, whether or not the step function looks at the status.
 *
 * In all of them a label is positive when it is int32 1 or a real above 0.5, and negative when it is int32 0 or a real
 * up to 0.5 (so that -1/1 and soft labels work); LG_E_DOMAIN for another int32 or NaN. LG_E_SHAPE when prediction and
 * labels differ in size; a trailing axis of 1 is no difference. */
#ifndef LG_REPORT_H
#define LG_REPORT_H

#include "autograd/tape.h"

LG_BEGIN_DECLS

/* The epoch's value is the weighted mean  sum value weight / sum weight  over the epoch's reports under this name; NaN
 * when the weights add up to 0. The weight is usually the number of rows. LG_E_PARAM for a weight that is negative or
 * not finite, for a name that is no column name (see lg_history_add), and for names that the history has a meaning for:
 * epoch, loss, learning_rate, seconds, and all that begin with val_. */
LG_API lg_status lg_report(lg_tape *tape, const char *name, double value, double weight);

/* "accuracy": the share of rows that are predicted right.
 *   logits [..., C], C >= 2, labels int32 [...]         argmax over C (the first of equals) = label. A negative label
 *                                                       (ignore_index) is left out; LG_E_INDEX for one of C or more
 *   logits [..., C], C >= 2, labels real [..., C]       argmax of both: one-hot or soft targets
 *   logits [n] or [n, 1], labels [n] or [n, 1]          [logit > 0] = label
 * A NaN is predicted by no argmax, and is not above 0. Any monotone output does for the first two: probabilities too. */
LG_API lg_status lg_report_accuracy(lg_tape *tape, const lg_tensor *logits, const lg_tensor *labels);

/* "accuracy" of binary predictions of any shape, element by element, above a threshold of one's own:
 * [score > threshold] = label. 0.5 for probabilities; also for several labels per row. */
LG_API lg_status lg_report_accuracy_above(lg_tape *tape, double threshold, const lg_tensor *scores,
                                          const lg_tensor *labels);

/* "precision", "recall" and "f1" of the positive class, from the counts of the whole epoch (lg_binary_score), where
 * logits above 0, or scores above a threshold, are predicted positive. Shapes are equal, element by element. */
LG_API lg_status lg_report_binary(lg_tape *tape, const lg_tensor *logits, const lg_tensor *labels);
LG_API lg_status lg_report_binary_above(lg_tape *tape, double threshold, const lg_tensor *scores,
                                        const lg_tensor *labels);

/* "roc_auc" and "average_precision" over the scores of the whole epoch, which are kept until it ends (memory: one number
 * per score; allocated in the first epoch, and used again). Logits or probabilities. LG_E_DOMAIN for a score that is
 * NaN, LG_E_MEMORY. NaN in the history when a class is missing. */
LG_API lg_status lg_report_scores(lg_tape *tape, const lg_tensor *scores, const lg_tensor *labels);

/* ------------------------------------------------------ listening, for loops of one's own
 * What reports are collected in; `prefix` ("val_"; NULL: none) goes before every name. NULL with LG_E_MEMORY. Attach to
 * the tape that step functions record on; a tape has one listener, and NULL takes it off. */
typedef struct lg_reports lg_reports;
LG_API lg_reports *lg_reports_new(const char *prefix);
LG_API void lg_reports_free(lg_reports *reports);
LG_API void lg_reports_attach(lg_reports *reports, lg_tape *tape);

/* What lg_batch_class_weight gives on the tape: classes weights, copied, each finite and >= 0 (LG_E_DOMAIN). */
LG_API lg_status lg_reports_set_class_weight(lg_reports *reports, size_t classes, const lg_real *weights);

/* Begins an epoch: forgets values, keeps names, their order, and memory. */
LG_API void lg_reports_clear(lg_reports *reports);

/* The first failure of a report since lg_reports_clear, LG_OK if there was none. */
LG_API lg_status lg_reports_status(const lg_reports *reports);

/* The values so far, in order of first report: *count names and values, valid until the next call. `pooled`: with
 * roc_auc and average_precision, which takes a sort of all scores. LG_E_MEMORY. */
LG_API lg_status lg_reports_read(lg_reports *reports, bool pooled, size_t *count, const char *const **names,
                                 const double **values);

LG_END_DECLS

#endif
