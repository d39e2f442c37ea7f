/* --predict: what a model in a file says of rows, as predictions.csv. */
#ifndef EXAMPLES_PREDICTION_H
#define EXAMPLES_PREDICTION_H

#include "loaded_model.h"

/* What to write of each row: columns [rows, columns] that `outputs` computes; and with `classes` the name of the
 * model's class, the second where the first column is `threshold` or more. */
typedef struct prediction {
    lg_tensor *(*outputs)(lg_tape *tape, const lg_batch *batch, void *model);
    void *model;
    size_t columns;
    const char *const *names;
    bool classes;
    double threshold;
    size_t batch_size;   /* 0: 4096 */
    uint64_t seed;       /* of what `outputs` draws */
    const char *array;   /* name of the columns as NPY in the run's folder; NULL: predictions.npy */
    /* Prints and notes more about them, in place of how many are of which class; or NULL. */
    lg_status (*tell)(run *r, const loaded_model *m, size_t rows, const lg_real *values);
} prediction;

/* All of --predict: reads the rows, and writes row,NAMES,class to predictions.csv in runs/NAME-predictions or --out
 * (the standard output for -), NAMES alone to an NPY file beside it, and a run.json. */
lg_status loaded_predict(loaded_model *m, int argc, const char *const *argv, const prediction *p);

/* The folder of a prediction, with what is known of the model in its run.json, and the line that names it printed. */
run *loaded_open_run(const loaded_model *m, int argc, const char *const *argv);

/* Whether --out is the standard output. */
bool loaded_to_stdout(const loaded_model *m);

#endif
