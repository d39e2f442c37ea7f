/* A running lg_fit: what fit_open.c makes and fit.c trains with. */
#ifndef LG_FIT_RUN_INTERNAL_H
#define LG_FIT_RUN_INTERNAL_H

#include "train/checkpoint_internal.h"

/* Names and numbers that were put one behind the other. */
typedef struct lg_fit_row {
    const char **names;
    double *values;
    size_t count, name_capacity, value_capacity;
} lg_fit_row;

typedef struct lg_fit_run {
    const lg_fit_options *options;
    lg_optimizer *optimizer;
    lg_params *params;
    double base_rate;
    lg_schedule schedule;
    bool scheduled; /* else the rate is the caller's, to change in a callback if he likes */
    lg_dataset *train_part, *validation_part; /* of validation_split */
    lg_tape *tape;
    lg_pass train, again, validation; /* again: the training rows in evaluation mode */
    bool validates;
    size_t block_rows;              /* of the training data, if they are streamed */
    lg_fit_sum sum, validation_sum; /* of the data, if there are checkpoints */
    lg_average *average;
    size_t epochs, epoch;
    size_t updates; /* since the beginning */

    /* Of the group of batches that makes one update (options.accumulate). */
    double weight; /* of their gradients together */

    lg_monitor monitor;
    lg_progress *progress;
    lg_history *history;
    lg_history_file *file;
    bool catches_signals;
    bool resumed; /* and no row was recorded since */
    lg_stop stop;
    lg_fit_row shown, recorded;
} lg_fit_run;

/* Checks the options and makes all that training needs; with options.resume_path, as the checkpoint left it. On failure
 * lg_fit_close releases what was made. */
lg_status lg_fit_open(lg_fit_run *f, lg_step_function *step, void *model, const lg_dataset *dataset);

/* Releases all but the history and its file. */
void lg_fit_close(lg_fit_run *f);

/* What of the run is saved. */
lg_checkpoint lg_fit_checkpoint(lg_fit_run *f);

#endif
