/* --predict of the line reader: what it reads in pictures that nobody has labelled. */
#ifndef EXAMPLES_CTC_PREDICT_H
#define EXAMPLES_CTC_PREDICT_H

#include "line_reading.h"
#include "prediction.h"

/* Reads all lines of `data`; writes row,greedy,beam,score to predictions.csv in runs/ctc-predictions or --out (the
 * standard output for -), with a run.json; shows the first lines with what was read. */
lg_status ctc_predict(const loaded_model *m, int argc, const char *const *argv, const line_reader *reader,
                      const lg_dataset *data, const line_source *source);

#endif
