/* What a trainer says of a classifier of two classes: quality at a threshold, a row each in predictions.csv, and the
 * rows that it finds hardest. */
#ifndef EXAMPLES_REPORT_H
#define EXAMPLES_REPORT_H

#include "run.h"

/* Parts of the data, and their names: "train", "validation", "test". */
typedef enum data_part { PART_TRAIN, PART_VALIDATION, PART_TEST } data_part;
const char *part_name(data_part part);

/* Predictions for all rows of a data set, in their order; all arrays [rows]. */
typedef struct predictions {
    size_t rows;
    int32_t *target;        /* 0 or 1 */
    lg_real *probability;   /* of class 1 */
    lg_real *loss;          /* of the row; larger where the model is more wrong */
    data_part *part;
} predictions;

/* Room for the predictions of a split's rows, their parts filled in. */
lg_status predictions_new(predictions *p, const lg_split *split);
void predictions_free(predictions *p);

/* The numbers of one part at one threshold. roc_auc and average_precision do not depend on it, and are NaN where a
 * class is missing. matrix: true class, predicted class. */
typedef struct binary_scores {
    size_t matrix[4];
    double threshold, accuracy, precision, recall, f1, roc_auc, average_precision;
} binary_scores;
lg_status binary_score(const predictions *p, data_part part, double threshold, binary_scores *scores);

/* The threshold with the best F1 on a part. Where the part has fewer than BINARY_LEAST_ROWS rows of a class that says
 * little (the one row may lie anywhere): then it is 0.5, and *chosen is false. */
#define BINARY_LEAST_ROWS 5
lg_status binary_best_threshold(const predictions *p, data_part part, double *threshold, bool *chosen);

/* Prints the classification report and the confusion matrix, as scikit-learn lays them out. */
lg_status binary_print(const binary_scores *scores, const char *const names[2]);

/* Notes the numbers in run.json under `key` ("test"). */
void binary_note(run *r, const char *key, const binary_scores *scores);

/* predictions.csv: row,part,target,probability,loss, a line for each row; `row` counts the data's rows from 0, as
 * pandas does. Numbers have the digits that tell them apart. */
lg_status predictions_write(run *r, const predictions *p);

/* Prints the `count` rows of highest loss, worst first: rows that are unusual, or that carry a wrong label. */
lg_status predictions_print_hardest(const predictions *p, size_t count, const char *const names[2]);

#endif
