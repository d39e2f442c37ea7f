/* What quantile regression says of itself: pinball loss and coverage by quantile, the lines, crossings, a picture. */
#ifndef EXAMPLES_QUANTILE_REPORT_H
#define EXAMPLES_QUANTILE_REPORT_H

#include "quantile_options.h"
#include "table.h"
#include "target_scale.h"

/* "q50" for 0.5, "q2_5" for 0.025: for columns and keys. Valid until the next call but seven; and those of all
 * quantiles, until the next call. */
const char *quantile_name(double tau);
const char *const *quantile_names(const quantile_options *options);

/* Through lg_report, of a batch [rows, quantiles] and its target [rows]: pinball_q10, coverage_q10, ... and crossings,
 * the share of rows for which a higher quantile lies below a lower one. Losses are multiplied by `unit`. */
void quantile_report_batch(lg_tape *tape, const quantile_options *options, lg_tensor *predicted, lg_tensor *target,
                           double unit);

typedef struct quantile_results {
    target_scale scale;
    const lg_dense *last;      /* the last layer: all of a linear model */
    lg_step_function *outputs; /* what `model` predicts in the data's units, [rows, quantiles] */
    void *model;
    lg_tensor *rows;           /* this for all rows */
    lg_tensor *held_out;       /* the same by models that did not see the row; NULL: none */
} quantile_results;

/* Prints the report, notes its numbers in run.json, and writes
 *
 *     predictions.csv   row,part,target,q10,...,loss and, with held_out, held_out_q10,... ("nan" outside the training
 *                       part), the loss of a row being its mean pinball loss over the quantiles
 *     lines.csv         of a linear model: quantile,(intercept) and the features
 *     quantiles.svg */
lg_status quantile_report(run *r, const table_model *t, const quantile_options *options,
                          const quantile_results *results);

#endif
