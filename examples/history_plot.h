/* `history plot`: curves in the terminal. */
#ifndef EXAMPLES_HISTORY_PLOT_H
#define EXAMPLES_HISTORY_PLOT_H

#include "history_runs.h"

typedef struct history_plot_options {
    size_t count;               /* of columns, at least 1 */
    const char *const *columns;
    size_t width, height;       /* of the whole, in characters; the legend comes below */
    bool log_scale, utf8, colors;
} history_plot_options;

/* A curve for each run and column that is there, over the epochs. A curve has a gap where its value is not finite (on a
 * logarithmic axis: not above 0). LG_E_PARAM when nothing is left to draw. */
lg_status history_plot(const history_runs *all, const history_plot_options *options);

#endif
