/* Predictions of a run: which part each row is in, and predictions.csv. */
#ifndef EXAMPLES_PREDICTIONS_H
#define EXAMPLES_PREDICTIONS_H

#include "run.h"

typedef enum data_part { PART_TRAIN, PART_VALIDATION, PART_TEST } data_part;

/* "train", "validation", "test" */
const char *part_name(data_part part);

/* The part of each row of a split [rows], in their order; free() it. NULL with LG_E_MEMORY. */
data_part *part_of_rows(const lg_split *split);

/* A cell of a CSV file: in quotes, those inside it doubled. */
void csv_cell(FILE *stream, const char *text);

/* predictions.csv: row,part, and the columns of these names; a line for each row. `row` counts the data's rows from 0,
 * as pandas does, and the values, [rows, columns], have the digits that tell them apart. */
lg_status predictions_write(run *r, size_t rows, const data_part *part, size_t columns, const char *const *names,
                            const lg_real *values);

/* Any file of the run's folder: row, and the columns of these names, likewise. */
lg_status columns_write(run *r, const char *file, size_t rows, size_t columns, const char *const *names,
                        const lg_real *values);

#endif
