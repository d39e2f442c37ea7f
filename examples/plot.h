/* Pictures of a run, drawn by gnuplot through a pipe into SVG files of the run's folder.
 *
 * A picture is a bonus: without gnuplot, or when it fails, one line on stderr says so (once), and the run goes on. Only
 * a disk that has no room for it is an error (LG_E_IO). */
#ifndef EXAMPLES_PLOT_H
#define EXAMPLES_PLOT_H

#include "gnuplot.h"
#include "run.h"

/* Runs gnuplot on what `script` writes, its output going to `file` of the run. The terminal (SVG, 720 x 480, a white
 * background, text taken literally) is set before. */
lg_status plot_draw(run *r, const char *file, plot_script *script, const void *context);

/* loss.svg: "train_loss" or, without one, "loss", and "val_loss" if there is one, by epoch. */
lg_status plot_loss(run *r, const lg_history *history, const char *title);

/* confusion.svg: counts[classes * classes], row by row: true class, predicted class. Shades are shares of the row. */
lg_status plot_confusion(run *r, size_t classes, const size_t *counts, const char *const *names, const char *title);

#endif
