/* The lines of the ctc trainer: composed of digits, or from files, and in windows as the network sees them. */
#ifndef EXAMPLES_CTC_LINES_H
#define EXAMPLES_CTC_LINES_H

#include "ctc_options.h"
#include "digit_lines.h"
#include "line_files.h"

/* With alphabet, height and frames of a model (ctc_file.h), else all zeros, lines are read as that model wants them. */
typedef struct ctc_lines {
    alphabet alphabet;
    size_t height;        /* in pixels */
    line_frames frames;
    line_source source;   /* its context belongs to data.all */
    digit_lines *digits;  /* that context, where lines are composed; else NULL */
    trainer_data data;
} ctc_lines;

/* --data and --labels, or lines that are composed, in their parts. Free it also on error. */
lg_status ctc_lines_read(ctc_lines *lines, const ctc_options *options);

/* The pictures of --predict, which need no texts, as one part. */
lg_status ctc_lines_read_unlabelled(ctc_lines *lines, const ctc_options *options);
void ctc_lines_free(ctc_lines *lines);

void ctc_lines_print(const ctc_lines *lines, const ctc_options *options);
void ctc_lines_note(run *r, const ctc_lines *lines);

/* For lg_fit's callback, with the lines as context: composed lines for training are others in the next epoch. */
lg_status ctc_lines_next_epoch(size_t epoch, const lg_history *history, void *lines);

#endif
