/* Cross-validation: how good a model is on rows that it has not seen, where all rows are wanted for training it. */
#ifndef EXAMPLES_FOLDS_H
#define EXAMPLES_FOLDS_H

#include "trainer.h"

/* A copy of a data set's features as they were read, before missing values are filled and all is standardised, which is
 * to be done anew for each fold. */
typedef struct folds folds;

/* For data in memory whose "y" is real, and `count` folds, at least 2, each standardised if `scale`. NULL on error. */
folds *folds_new(const lg_dataset *all, size_t count, bool scale);
void folds_free(folds *f);

/* --folds of a trainer: its help; its value, 0, or 2 to 1000; and, once all is read, how many there are to be, where
 * the option's value is FOLDS_DEFAULT until it is given. A model that is loaded may have seen every row, so --folds
 * with --load is a usage error. */
#define FOLDS_DEFAULT SIZE_MAX
#define FOLDS_HELP \
    "Folds of the cross-validation that is done without a test part; 0: none (default: 5; with --load none)"
size_t folds_argument(struct argp_state *state, const char *text);
size_t folds_settle(struct argp_state *state, size_t given, const trainer_options *options);

/* How many; 0 of NULL. */
size_t folds_count(const folds *f);

/* LG_E_PARAM for fewer rows to train on than folds; of NULL there are enough. */
lg_status folds_check(const folds *f, const trainer_data *data);

/* How a trainer makes a model of its own for a fold. */
typedef struct fold_trainer {
    void *model;                                                 /* of the trainer: with its options and no more */
    lg_history *(*train)(void *model, const trainer_data *fold); /* builds and trains it on fold->train */
    lg_step_function *outputs;                                   /* what it then says of rows, [rows, width] */
    void (*release)(void *model);                                /* what `train` has made, also where it failed */
    size_t width;
} fold_trainer;

/* Divides the rows of data->train into folds at random, by --seed, each with its share of every class, and predicts
 * each fold by a model that is trained on the others, with their mean and deviation. Returns [all rows, width], NaN for
 * the rows of other parts; lg_tensor_free is called on it. NULL with what folds_check says, and with
 * LG_E_INTERRUPTED where a signal came (interrupt.h). */
lg_tensor *folds_predict(const folds *f, const trainer_data *data, const trainer_options *options,
                         const fold_trainer *how);

#endif
