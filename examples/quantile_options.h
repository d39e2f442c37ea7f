/* The command line of quantile regression. */
#ifndef EXAMPLES_QUANTILE_OPTIONS_H
#define EXAMPLES_QUANTILE_OPTIONS_H

#include "hidden.h"
#include "run.h"

#define MOST_QUANTILES 19

typedef struct quantile_options {
    trainer_options shared;     /* first: the shared parser knows no other */
    double tau[MOST_QUANTILES]; /* with --load those of the model, as hidden and raw, once quantile_load has read it */
    size_t quantiles;
    hidden_layers hidden;
    size_t folds;
    double crossing_penalty;
    bool textbook, raw, constant_rate;
} quantile_options;

extern const trainer quantile_about;

/* Reads the command line, as trainer_parse. */
quantile_options quantile_options_parse(int argc, char **argv);

/* Without --epochs, what lets lines settle: 1000 where all `rows` fit into a batch, and as many as make 5000 steps, but
 * 20 at least, where they do not. */
void quantile_options_settle(quantile_options *options, size_t rows);

/* Into run.json; `fold_count` is that of the folds that there are. */
void quantile_options_note(const quantile_options *options, size_t fold_count, run *r);

#endif
