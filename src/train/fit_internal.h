/* The pieces of lg_fit. */
#ifndef LG_FIT_INTERNAL_H
#define LG_FIT_INTERNAL_H

#include "data/split.h"
#include "train/fit.h"

/* ------------------------------------------------------------------ passes
 * A pass takes the rows of a data set, batch by batch, through a step function. Training, validation, evaluation and
 * prediction are passes. */
typedef struct lg_pass {
    const char *what;        /* for messages: "lg_fit" */
    lg_step_function *step;
    void *model;
    lg_tape *tape;           /* shared by training and validation */
    bool training;
    const char *prefix;      /* of the names of its loss and reports: "val_"; NULL: none */
    char loss_name[16];      /* "val_loss" */
    uint64_t seed;
    lg_batch *batch;
    lg_sampler *sampler;
    lg_reports *reports;
    size_t rows, batch_size, steps;
    size_t *ids;             /* [batch_size] of the running step */

    /* Of the running epoch. */
    size_t epoch;
    double numerator, divisor; /* of the loss so far */
} lg_pass;

/* Makes what a pass over `dataset` needs; batch_size 0 is 32. `order` shuffles by it, NULL: in order. On failure
 * lg_pass_close releases what was made. */
lg_status lg_pass_open(lg_pass *pass, const lg_dataset *dataset, size_t batch_size, const lg_rng *order);
void lg_pass_close(lg_pass *pass);

/* Begins an epoch: mode of the tape, order of rows, nothing reported yet. */
void lg_pass_begin(lg_pass *pass, size_t epoch);

/* Records step `step` (1, 2, ... one after the other) and returns what the step function gave; NULL on error. */
lg_tensor *lg_pass_record(lg_pass *pass, size_t step);

/* lg_pass_record, and the checks and sums of a loss. */
typedef struct lg_step_loss {
    lg_tensor *tensor;       /* NULL on error */
    double value, numerator, divisor;
} lg_step_loss;
lg_step_loss lg_pass_loss(lg_pass *pass, size_t step);

/* The loss of the epoch so far. */
double lg_pass_mean(const lg_pass *pass);

/* ------------------------------------------------------------ the best epoch */
typedef struct lg_monitor {
    const char *name;
    bool maximize, keeps_best;
    size_t patience, waited, best_epoch;
    double min_delta, best;
    lg_snapshot *snapshot;
} lg_monitor;

/* LG_E_PARAM for options that make no sense. */
lg_status lg_monitor_init(lg_monitor *monitor, const lg_early_stopping *options, bool validates);

/* Looks at the last row of the history; *stop is set when patience is at its end. */
lg_status lg_monitor_observe(lg_monitor *monitor, const lg_history *history, size_t epoch, lg_params *params,
                             bool *stop);

/* Puts the best parameters back, where they were kept. */
lg_status lg_monitor_restore(const lg_monitor *monitor, lg_params *params);
void lg_monitor_close(lg_monitor *monitor);

/* ----------------------------------------------------------------- signals */

/* Begins to catch SIGINT and SIGTERM (where they are not ignored); LG_E_STATE when they are caught already. */
lg_status lg_signals_catch(void);

/* The signal that came since, 0 for none. */
int lg_signals_caught(void);

/* Puts the former handlers back. */
void lg_signals_release(void);

#endif
