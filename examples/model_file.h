/* model.safetensors of a run: what was trained, for PyTorch and others to read, and for lg_safetensors_open. */
#ifndef EXAMPLES_MODEL_FILE_H
#define EXAMPLES_MODEL_FILE_H

#include "trainer.h"

/* Writes the tensors of the set by their names; where features were standardised, "input.means" and
 * "input.deviations", as the siamese trainer does; and `more`, what else belongs to the model. `scaler` may be NULL. The
 * metadata say luge's version and the kind of model. */
lg_status model_save(run *r, const char *kind, const lg_params *params, const lg_scaler *scaler,
                     const lg_file_entry *more, size_t more_count);

/* The same with more metadata, such as what is needed to predict. */
lg_status model_save_with(run *r, const char *kind, const lg_params *params, const lg_scaler *scaler,
                          const lg_file_entry *more, size_t more_count, const lg_metadata *texts, size_t text_count);

/* The same as any file, written whole in place of what was there. */
lg_status model_write(const char *path, const char *kind, const lg_params *params, const lg_scaler *scaler,
                      const lg_file_entry *more, size_t more_count, const lg_metadata *texts, size_t text_count);

/* The same for a model of a table's columns, with all that it takes to find them again (loaded_model.h): the texts
 * "features", the names that inputs have (a column of texts has an input for each); "categories", those columns of texts;
 * "classes" where the target has two; and the tensor "input.fill", what stands in for missing numbers, if --missing said. */
lg_status model_save_table(run *r, const char *kind, const lg_params *params, const trainer_data *data,
                           const lg_file_entry *more, size_t more_count, const lg_metadata *texts, size_t text_count);

#endif
