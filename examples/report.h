/* What a trainer says of a classifier of two classes: how good it is on rows that it has not seen, a row each in
 * predictions.csv, and the rows that it finds hardest. */
#ifndef EXAMPLES_REPORT_H
#define EXAMPLES_REPORT_H

#include "predictions.h"
#include "trainer.h"

/* Predictions for all rows of a data set, in their order; all arrays [rows]. */
typedef struct predictions {
    size_t rows;
    int32_t *target;        /* 0 or 1 */
    lg_real *probability;   /* of class 1 */
    lg_real *loss;          /* of the row; larger where the model is more wrong */
    data_part *part;
} predictions;

/* Of [all rows, 2]: probability and loss. Free them. */
lg_status predictions_of(predictions *p, const trainer_data *data, lg_tensor *outputs);
void predictions_free(predictions *p);

/* With fewer rows of a class than this no threshold is chosen: the one row may lie anywhere. */
#define BINARY_LEAST_ROWS 5

/* The report. The threshold above which a probability counts as class 1 is the one with the best F1 on the validation
 * part (0.5 if that has fewer than BINARY_LEAST_ROWS rows of a class); the test part is judged by it, once. Where one
 * of the two is missing the next best part stands in.
 *
 * Prints the classification report and the confusion matrix as scikit-learn lays them out, ROC AUC, average precision
 * and F1 (also at 0.5), and the `hardest` rows of highest loss: rows that are unusual, or that carry a wrong label.
 * Notes the numbers in run.json ("metrics", "metrics_at_one_half"; NaN where a class is missing).
 * *threshold is the one that was chosen. Writes confusion.svg and predictions.csv: row,part,target,probability,loss, a
 * line for each row; `row` counts the data's rows from 0, as pandas does, and numbers have the digits that tell them
 * apart. */
lg_status binary_report(run *r, const predictions *p, const char *const names[2], size_t hardest, double *threshold);

#endif
