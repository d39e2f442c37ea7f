/* What training shows while it runs: Keras's line.
 *
 * On a terminal, an epoch's line fills as its steps pass, and stays when the epoch is over:
 *     Epoch 1/5
 *      713/1425 [==============>...............] - ETA: 3s - loss: 0.1210 - accuracy: 0.9965
 *     1425/1425 [==============================] - 1s 512us/step - loss: 0.0834 - accuracy: 0.9972 - val_loss: 0.0712
 * It is redrawn at most every 60 ms, by a carriage return and nothing else, and cut to the width of the terminal while
 * it changes. Anywhere else (a file, a pipe, TERM=dumb, LG_LINES) an epoch is one plain line when it is over:
 *     Epoch 1/5 - 1s 512us/step - loss: 0.0834 - accuracy: 0.9972 - val_loss: 0.0712
 *
 * Of more than 100 epochs those that are over within 0.1 s of the line before are not shown, but for the first and the
 * last: a thousand short epochs are a handful of lines. LG_LINES shows all.
 *
 * Numbers have four decimals, in scientific notation up to 0.001 (9.8765e-04). Nothing is coloured, so NO_COLOR has
 * nothing to ask for. A stream that refuses what is written does not stop training.
 *
 * lg_fit draws this by itself; the functions are for loops of one's own. Between lg_progress_new and lg_progress_free
 * nothing is allocated. */
#ifndef LG_PROGRESS_H
#define LG_PROGRESS_H

#include "tensor/base.h"

LG_BEGIN_DECLS

typedef enum lg_verbose {
    LG_VERBOSE_AUTO = 0, /* as LG_PROGRESS */
    LG_SILENT = 1,
    LG_PROGRESS = 2, /* a bar on a terminal, lines elsewhere */
    LG_LINES = 3     /* one line per epoch everywhere */
} lg_verbose;

typedef struct lg_progress lg_progress;

/* For `epochs` epochs on `stream` (NULL: stdout), which must stay open. NULL with LG_E_MEMORY, or LG_E_PARAM for a
 * `verbose` that is none of the above. All functions below take NULL and then do nothing. */
LG_API lg_progress *lg_progress_new(FILE *stream, lg_verbose verbose, size_t epochs);
LG_API void lg_progress_free(lg_progress *progress);

/* Epoch `epoch` (from 1) of `steps` steps begins. */
LG_API void lg_progress_epoch(lg_progress *progress, size_t epoch, size_t steps);

/* After step `step` (from 1): true when the line should be drawn now. Costs a look at the clock, and not even that
 * where no bar is drawn. */
LG_API bool lg_progress_due(lg_progress *progress, size_t step);

/* Draws the line at `step` with these numbers, NaN included. */
LG_API void lg_progress_draw(lg_progress *progress, size_t step, size_t count, const char *const *names,
                             const double *values);

/* The epoch is over: leaves the finished line. `seconds` is how long all of it took, `step_seconds` one step of it. */
LG_API void lg_progress_done(lg_progress *progress, double seconds, double step_seconds, size_t count,
                             const char *const *names, const double *values);

/* Ends a line that is not finished, so that what is printed next (an error, say) stands on a line of its own. */
LG_API void lg_progress_break(lg_progress *progress);

LG_END_DECLS

#endif
