/* `history show`: tables. */
#ifndef EXAMPLES_HISTORY_SHOW_H
#define EXAMPLES_HISTORY_SHOW_H

#include "history_runs.h"

typedef struct history_show_options {
    size_t count;               /* of columns; 0: as many as are readable in `width` */
    const char *const *columns;
    bool all_columns, all_epochs;
    size_t width;
    const char *const *lower, *const *higher; /* as history_better_of has them */
} history_show_options;

/* Of each run: the epochs, of a long run the first and the last and the best, and the best value of each column. */
lg_status history_show(const history_runs *all, const history_show_options *options);

/* A number as it stands in tables: 5 digits, of which those that say nothing are left out. */
#define HISTORY_NUMBER_BYTES 32
const char *history_number(double value, char *text);

#endif
