/* What the ctc trainer says of what it has learned: how many characters, words and lines it reads wrong, a row for each
 * line in predictions.csv, and some lines to look at. */
#ifndef EXAMPLES_CTC_REPORT_H
#define EXAMPLES_CTC_REPORT_H

#include "line_reading.h"
#include "trainer.h"

/* Errors over lines: of characters, of words, and lines that are not read exactly. */
typedef struct line_errors {
    lg_error_rate characters, words, lines;
} line_errors;
lg_status line_errors_add(line_errors *errors, const char *target, const char *read);

/* Adds "cer", "wer" and "exact" of a batch that is read by the best path to the reports of the epoch. */
lg_status line_report_batch(lg_tape *tape, const line_reader *reader, const lg_batch *batch, const lg_tensor *logits);

/* Reads the rows ids[0..count) of `data` by best path and by beam search. Prints errors by part, and some of the
 * held-out lines with what was read; notes them in run.json ("metrics.test.greedy.cer", ...); writes lines.png, the
 * last lines, and predictions.csv: row,part,target,greedy,beam,loss. */
lg_status line_report(run *r, const line_reader *reader, const trainer_data *data, const line_source *source,
                      const size_t *ids, size_t count);

#endif
