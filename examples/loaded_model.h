/* A model in a file, to begin with (--load) or to predict by (--load with --predict). What a table's model needs for that
 * model_save_table has written: names of the features, categories, classes, the scale of the features, what stands in for
 * missing numbers; and the trainer's own texts and tensors, which it reads itself.
 *
 *     loaded_model m;
 *     lg_status status = loaded_open(&m, &about, &options.shared);   ...sizes, build, loaded_weights(&m, params)
 *     loaded_predict(&m, argc, argv, &(prediction){ ... });              of prediction.h
 *     loaded_close(&m);
 *
 * Functions that can fail return NULL or a negative lg_status and leave their sentence, with the file, in lg_error(). */
#ifndef EXAMPLES_LOADED_MODEL_H
#define EXAMPLES_LOADED_MODEL_H

#include "trainer.h"

#include <jansson.h>

typedef struct loaded_model {
    const trainer *about;
    const trainer_options *options;
    char *path;
    lg_safetensors *file;
    json_t *features, *categories, *classes; /* lists; classes NULL: the target is a quantity */
    lg_scaler *scaler;                       /* NULL: features are taken as they are */
    lg_imputer *imputer;                     /* NULL: a missing number is an error */
    lg_dataset *like;                        /* the last that loaded_like gave */
} loaded_model;

/* Opens what --load names and checks that it is a model of the trainer's kind, and that --overwrite would not remove it.
 * Close it also on failure. */
lg_status loaded_open(loaded_model *m, const trainer *about, const trainer_options *options);
void loaded_close(loaded_model *m);

/* The same of a model that is not of a table's columns: only file, kind and what the trainer reads of it itself. */
lg_status loaded_open_file(loaded_model *m, const trainer *about, const trainer_options *options);

/* Of one that is open, what its columns and classes are called: "features", "categories", "classes". */
lg_status loaded_read_columns(loaded_model *m);

/* Says that a part of it, "text \"layers\"", is not there or not as it should be: LG_E_FORMAT. */
lg_status loaded_lacks(const loaded_model *m, const char *what);

/* The whole number of a text, in [low, high]. */
lg_status loaded_count(const loaded_model *m, const char *key, size_t low, size_t high, size_t *value);

/* The number of a text, finite. */
lg_status loaded_number(const loaded_model *m, const char *key, double *value);

/* That it names two classes. */
lg_status loaded_check_classes(const loaded_model *m);

size_t loaded_features(const loaded_model *m);

/* The widths of its hidden layers, [most], of the text "layers", which names `outputs` outputs after them. */
lg_status loaded_hidden(const loaded_model *m, size_t most, size_t *hidden, size_t *layers, size_t *outputs);

/* That there is a tensor of this shape, before memory is taken for one: NAME.weight [out, in] and NAME.bias [out]. */
lg_status loaded_check_dense(const loaded_model *m, const char *name, size_t in, size_t out);

/* The tensor of `count` doubles, F64, into values. */
lg_status loaded_doubles(const loaded_model *m, const char *name, size_t count, double *values);

/* The rows of --predict as the model wants them; a --target is read for its place alone. NULL on error. */
lg_dataset *loaded_rows(loaded_model *m);

/* The name of a class. */
const char *loaded_class(const loaded_model *m, size_t i);

/* Sets the weights. */
lg_status loaded_weights(const loaded_model *m, lg_params *params);

/* For lg_csv_options.like: a data set with the columns of the model and, with `target`, its classes. It lives until the
 * next call. */
const lg_dataset *loaded_like(loaded_model *m, bool target);

/* In place of trainer_scale: scales by the model's scale, which `data` takes over, with what stands in for missing numbers
 * unless --missing said. That data which were read in another way are of the model's columns is checked here. */
lg_status loaded_scale(loaded_model *m, trainer_data *data);

#endif
