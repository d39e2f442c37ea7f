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

/* The value of --folds: 0, or 2 to 1000. */
size_t folds_argument(struct argp_state *state, const char *text);

/* Trains a model from its beginning on fold->train and returns what it predicts for the rows of fold->test,
 * [rows, width] (lg_tensor_free is called on it); NULL on error. */
typedef lg_tensor *fold_function(const trainer_data *fold, void *context);

/* Divides the rows of data->train into folds at random, by --seed, each with its share of every class; predicts each fold
 * by a model that is trained on the others, with their mean and deviation; and writes what is predicted into
 * out [all rows, width], NaN for the rows of other parts. LG_E_PARAM for fewer rows than folds. */
lg_status folds_predict(const folds *f, const trainer_data *data, const trainer_options *options, fold_function *predict,
                        void *context, size_t width, lg_real *out);

#endif
