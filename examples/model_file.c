#include "model_file.h"

#include <stdlib.h>

#define NAME "model.safetensors"

lg_status model_save(run *r, const char *kind, const lg_params *params, const lg_scaler *scaler,
                     const lg_file_entry *more, size_t more_count)
{
    const size_t tensors = lg_params_count(params), features = lg_scaler_features(scaler);
    const lg_metadata metadata[] = { { "kind", kind }, { "luge", lg_version() } };
    const char *path = run_path(r, NAME);
    lg_file_entry *entries = calloc(tensors + 2 + more_count, sizeof *entries);
    size_t count = 0;
    if (!path || !entries) {
        free(entries);
        return lg_fail(LG_E_MEMORY, "out of memory for the file of %zu tensors", tensors);
    }
    for (size_t i = 0; i < tensors; i++) {
        lg_tensor *tensor = lg_params_at(params, i);
        entries[count++] = (lg_file_entry){ lg_params_name(params, i), LG_FILE_REAL, lg_tensor_rank(tensor),
                                            lg_tensor_dims(tensor), lg_tensor_data(tensor) };
    }
    if (scaler) {
        entries[count++] = (lg_file_entry){ "input.means", LG_FILE_F64, 1, &features, lg_scaler_means(scaler) };
        entries[count++] = (lg_file_entry){ "input.deviations", LG_FILE_F64, 1, &features, lg_scaler_deviations(scaler) };
    }
    for (size_t i = 0; i < more_count; i++)
        entries[count++] = more[i];
    lg_status status = lg_safetensors_write(path, entries, count, metadata, sizeof metadata / sizeof *metadata);
    if (status == LG_OK)
        run_note_file(r, NAME);
    free(entries);
    return status;
}
