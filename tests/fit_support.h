/* Small models whose training can be followed by hand, for the tests of lg_fit. */
#ifndef FIT_SUPPORT_H
#define FIT_SUPPORT_H

#include "luge.h"

/* A line y = w x + b, least squares, written with ops: not a loss node. */
typedef struct line {
    lg_params *params;
    lg_tensor *w, *b; /* [1, columns], [1] */
    lg_optimizer *optimizer;
} line;

/* Zeros to start with; plain gradient descent. */
line line_new(size_t columns, double learning_rate);
void line_free(line *l);

/* mean (w x + b - y)^2 over the batch */
lg_tensor *line_step(lg_tape *tape, const lg_batch *batch, void *model);

/* Logistic regression with the library's loss: mean binary cross-entropy of w x + b, with the batch's class weights
 * left out. */
lg_tensor *logistic_step(lg_tape *tape, const lg_batch *batch, void *model);

/* rows points of columns features x and y = 1 + sum_j (j + 1) x_j + noise, or with `binary` that against its mean. */
lg_dataset *points_new(size_t rows, size_t columns, bool binary, uint64_t seed);

/* Silent options with these. */
lg_fit_options quiet(size_t epochs, size_t batch_size);

/* A new folder below /tmp, and paths in it; remove_folder removes it. */
void make_folder(void);
void remove_folder(void);
const char *in_folder(const char *name);

/* The text of a file, in a buffer of its own for each of the last four calls. */
const char *text_of(const char *path);

#endif
