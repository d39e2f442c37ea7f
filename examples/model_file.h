/* model.safetensors of a run: what was trained, for PyTorch and others to read, and for lg_safetensors_open. */
#ifndef EXAMPLES_MODEL_FILE_H
#define EXAMPLES_MODEL_FILE_H

#include "run.h"

/* Writes the tensors of the set by their names; where features were standardised, "input.means" and
 * "input.deviations", as the siamese trainer does; and `more`, what else belongs to the model. `scaler` may be NULL. The
 * metadata say luge's version and the kind of model. */
lg_status model_save(run *r, const char *kind, const lg_params *params, const lg_scaler *scaler,
                     const lg_file_entry *more, size_t more_count);

/* The same with more metadata, such as what is needed to predict. */
lg_status model_save_with(run *r, const char *kind, const lg_params *params, const lg_scaler *scaler,
                          const lg_file_entry *more, size_t more_count, const lg_metadata *texts, size_t text_count);

/* Names of a data set as a JSON list, for metadata: lg_dataset_feature_name, lg_dataset_class_name. Bytes that are not
 * UTF-8 become "?"; a name that is missing, its number. Free with free(); NULL when out of memory. */
char *model_names(const lg_dataset *dataset, size_t count, const char *(*name)(const lg_dataset *, size_t));

#endif
