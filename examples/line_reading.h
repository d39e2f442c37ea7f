/* Reading lines by a CTC network: what the frames spell, by the best path and by a beam of prefixes. */
#ifndef EXAMPLES_LINE_READING_H
#define EXAMPLES_LINE_READING_H

#include "lines.h"
#include "predictions.h"

enum { LINE_MOST_TEXT = 4 * LINE_MOST_LABELS + 1 };

/* The logits of a batch's lines, [lines, frames, classes]. */
typedef lg_tensor *line_logits(lg_tape *tape, const lg_batch *batch, const void *model);

typedef struct line_reader {
    const alphabet *alphabet;
    line_logits *logits;
    const void *model;
    size_t beam;   /* width of the beam */
    size_t shown;  /* lines to show */
} line_reader;

/* The text that a decoder has found for line n of a batch, shortened to what a line can hold; and that of its labels. */
void line_text_found(const alphabet *a, const lg_ctc_labels *found, size_t n, char text[LINE_MOST_TEXT]);
void line_text_target(const alphabet *a, const lg_batch *batch, size_t n, char text[LINE_MOST_TEXT]);

typedef struct read_line {
    size_t row;
    data_part part;
    char *target, *greedy, *beam;
    double score; /* the logarithm of the probability of the beam's reading */
    double loss;  /* minus that of the target's */
} read_line;

/* Reads the lines whose rows are filled in; those without labels get no target and no loss. Free with read_lines_free,
 * also on error; it takes NULL. */
lg_status lines_read(const line_reader *reader, const lg_dataset *data, read_line *lines, size_t count);
void read_lines_free(read_line *lines, size_t count);

/* Prints a line's picture in characters, and whether it fits on a terminal as it is. */
void line_show(const line_source *source, size_t row);
bool line_fits(const line_source *source, size_t row);

#endif
