/* What the SVM says of itself: objective, margin violations and accuracy, the features that weigh most, pictures. */
#ifndef EXAMPLES_SVM_REPORT_H
#define EXAMPLES_SVM_REPORT_H

#include "trainer.h"

typedef struct svm_model {
    const char *names[2];                /* of the classes: below and above a score of 0 */
    double lambda;
    bool squared;                        /* the hinge terms are */
    const lg_real *weights, *bias;       /* [features], [1]: of standardised features */
    const lg_real *rows;                 /* [all rows, 2]: score, hinge term */
    const lg_real *held_out;             /* the same by models that did not see the row; NULL: none */
    size_t folds;                        /* of held_out */
} svm_model;

/* Prints the report, notes its numbers in run.json, and writes predictions.csv: row,part,target,score,loss and, with
 * held_out, held_out_score,held_out_loss (empty of numbers, "nan", outside the training part); weights.csv:
 * feature,weight,mean,deviation, the bias last; weights.svg and scores.svg. */
lg_status svm_report(run *r, const trainer_data *data, const svm_model *model);

#endif
