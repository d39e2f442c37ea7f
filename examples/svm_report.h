/* What the SVM says of itself: objective, margin violations and accuracy, the features that weigh most, pictures. */
#ifndef EXAMPLES_SVM_REPORT_H
#define EXAMPLES_SVM_REPORT_H

#include "svm_options.h"
#include "table.h"

/* Through lg_report, of a batch's scores and labels (0 or 1), both [rows]: accuracy, and violations, the share of rows
 * that are not beyond the margin on their side. */
void svm_report_batch(lg_tape *tape, lg_tensor *scores, lg_tensor *labels);

/* Of the plane, for standardised features; rows: score and hinge term of all rows, [rows, 2]; held_out: the same by
 * machines that did not see the row, or NULL. Prints the report, notes its numbers in run.json, and writes
 *
 *     predictions.csv   row,part,target,score,loss and, with held_out, held_out_score,held_out_loss ("nan" outside the
 *                       training part)
 *     weights.csv       feature,weight,mean,deviation, the bias last
 *     weights.svg, scores.svg */
lg_status svm_report(run *r, const table_model *t, const svm_options *options, const lg_dense *plane, lg_tensor *rows,
                     lg_tensor *held_out);

#endif
