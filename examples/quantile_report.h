/* What quantile regression says of itself: pinball loss and coverage by quantile, the lines, crossings, a picture. */
#ifndef EXAMPLES_QUANTILE_REPORT_H
#define EXAMPLES_QUANTILE_REPORT_H

#include "trainer.h"

#define MOST_QUANTILES 19

/* "q50" for 0.5, "q2_5" for 0.025: for columns and keys. Valid until the next call but seven. */
const char *quantile_name(double tau);

/* Through lg_report, of a batch [rows, quantiles] and its target [rows]: pinball_q10, coverage_q10, ... and crossings, the
 * share of rows for which a higher quantile lies below a lower one. Losses are multiplied by `unit`. */
void quantile_report_batch(lg_tape *tape, size_t quantiles, const double *tau, lg_tensor *predicted, lg_tensor *target,
                           double unit);

/* All in the units of the data. */
typedef struct quantile_model {
    size_t quantiles;
    const double *tau;
    const lg_real *rows;                 /* [all rows, quantiles]: predictions */
    const lg_real *held_out;             /* the same by models that did not see the row; NULL: none */
    size_t folds;                        /* of held_out */
    const double *intercept, *slope;     /* [quantiles], [quantiles, features] of a linear model; NULL of another */
    size_t points;                       /* with one feature: predictions at grid [points], for the picture */
    const double *grid;
    const lg_real *curves;               /* [points, quantiles] */
} quantile_model;

/* Prints the report, notes its numbers in run.json, and writes predictions.csv: row,part,target,q10,...,loss and, with
 * held_out, held_out_q10,... ("nan" outside the training part), the loss of a row being its mean pinball loss over the
 * quantiles; lines.csv of a linear model: quantile,(intercept) and the features; quantiles.svg. */
lg_status quantile_report(run *r, const trainer_data *data, const quantile_model *model);

#endif
