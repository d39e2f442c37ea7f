/* `history compare`: a table of runs, and a picture of them by gnuplot. */
#ifndef EXAMPLES_HISTORY_COMPARE_H
#define EXAMPLES_HISTORY_COMPARE_H

#include "history_runs.h"

/* Run, epochs, the best value of `column` with its epoch, the last loss. */
void history_compare_table(const history_runs *all, const char *column, history_better better);

typedef struct history_picture_options {
    size_t count;               /* of columns, at least 1 */
    const char *const *columns;
    bool log_scale;
} history_picture_options;

/* Draws the runs into a file, SVG or, where its name ends in ".png", PNG. The file is whole or not there. LG_E_IO for the
 * file, LG_E_STATE without a gnuplot that can draw it, LG_E_PARAM when there is nothing to draw. */
lg_status history_compare_picture(const history_runs *all, const history_picture_options *options, const char *path);
bool history_picture_is_png(const char *path);

#endif
