/* What the trainers of tables (fraud, svm, quantile) share: rows in parts, the model of --load, and what models say of
 * rows that they have seen and of rows that they have not. Functions that can fail return a negative lg_status and
 * leave their sentence in lg_error(). */
#ifndef EXAMPLES_TABLE_H
#define EXAMPLES_TABLE_H

#include "folds.h"
#include "interrupt.h"
#include "loaded_model.h"

/* First in the struct of a trainer's model. */
typedef struct table_model {
    lg_params *params;
    lg_optimizer *optimizer;
    trainer_data data;
    folds *folds;         /* NULL: no cross-validation */
    loaded_model *loaded; /* --load's, to begin with or to predict by; NULL without */
    loaded_model file;    /* what `loaded` points to */
} table_model;

/* Opens what --load names, if it is there. */
lg_status table_load(table_model *t, const trainer *about, const trainer_options *options);

/* Reads --data, or what `embedded` gives without; divides the rows into parts; standardises features by the training
 * part if `scale`; and prints what there is. With --load the columns, the classes and the scale are those of the model.
 * `fold_count` is how many folds there are to be for table_outputs: none with a test part, nor with --load, whose model
 * may have seen every row. */
lg_status table_read(table_model *t, const trainer_options *options, lg_csv_options csv, lg_dataset *(*embedded)(void),
                     size_t fold_count, bool scale);

/* What the model that `t` begins says of all rows, *rows; and what models that have not seen a row say of it,
 * *held_out, both [rows, width] and the caller's to free, also after a failure. *held_out is NULL without folds, and
 * where a signal came while it was made (interrupt.h), which is no error. */
lg_status table_outputs(table_model *t, const trainer_options *options, const fold_trainer *how, lg_tensor **rows,
                        lg_tensor **held_out);

/* Frees what is in it: the last of a trainer's steps, and that of a model for a fold. */
void table_release(void *model);

#endif
