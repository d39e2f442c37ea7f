/* Parameter sets in safetensors files (safetensors.h). */
#include "models/safetensors_internal.h"

#include "tensor/memory_internal.h"
#include "tensor/tensor_internal.h"

#include <stdlib.h>
#include <string.h>

lg_status lg_params_save(const lg_params *params, const char *path, const lg_metadata *metadata, size_t count)
{
    if (!params || !path)
        return lg_fail_null("lg_params_save: %s is NULL", params ? "the path" : "params");
    const size_t tensors = lg_params_count(params);
    lg_file_entry *entries = lg_calloc(tensors, sizeof *entries, "lg_params_save");
    if (!entries)
        return LG_E_MEMORY;
    for (size_t i = 0; i < tensors; i++) {
        lg_tensor *tensor = lg_params_at(params, i);
        entries[i] = (lg_file_entry){ .name = lg_params_name(params, i),
                                      .dtype = LG_FILE_REAL,
                                      .rank = tensor->rank,
                                      .dims = tensor->dims,
                                      .values = tensor->real };
    }
    lg_status status = lg_safetensors_write(path, entries, tensors, metadata, count);
    free(entries);
    return status;
}

/* -------------------------------------------------------------------- loading */

#define MOST_NAME_BYTES 1024

static const lg_file_tensor *tensor_for(const lg_safetensors *file, const char *prefix, const char *name)
{
    char full[MOST_NAME_BYTES];
    if (snprintf(full, sizeof full, "%s%s", prefix, name) >= (int)sizeof full) {
        lg_fail(LG_E_PARAM, "lg_safetensors_read_params: the prefix has more than %d bytes", MOST_NAME_BYTES / 2);
        return NULL;
    }
    return lg_safetensors_find(file, full);
}

static lg_status check_tensor(const lg_safetensors *file, const lg_file_tensor *from, const lg_tensor *to)
{
    char wanted[LG_SHAPE_TEXT_BYTES], found[LG_SHAPE_TEXT_BYTES] = "of more axes than are possible";
    if (from->rank == to->rank && (to->rank == 0 || memcmp(from->dims, to->dims, to->rank * sizeof *to->dims) == 0))
        return LG_OK;
    if (from->rank <= LG_MAX_RANK)
        lg_shape_text(from->rank, from->dims, found, sizeof found);
    return lg_fail(LG_E_SHAPE, "%s: tensor \"%s\" is %s in the file, but %s in the model", file->path,
                   lg_file_excerpt_of(from->name).text, found, lg_shape_text(to->rank, to->dims, wanted, sizeof wanted));
}

static lg_status read_all(const lg_safetensors *file, const char *prefix, lg_params *params)
{
    for (size_t i = 0; i < lg_params_count(params); i++) { /* all names and shapes before the first value */
        const lg_file_tensor *from = tensor_for(file, prefix, lg_params_name(params, i));
        lg_status status = from ? check_tensor(file, from, lg_params_at(params, i)) : lg_error_code();
        if (status != LG_OK)
            return status;
    }
    for (size_t i = 0; i < lg_params_count(params); i++) {
        lg_status status = lg_safetensors_read(file, tensor_for(file, prefix, lg_params_name(params, i)),
                                               lg_params_at(params, i)->real);
        if (status != LG_OK)
            return status;
    }
    return LG_OK;
}

lg_status lg_safetensors_read_params(const lg_safetensors *file, const char *prefix, lg_params *params)
{
    if (!file || !prefix || !params)
        return lg_fail_null("lg_safetensors_read_params: an argument is NULL");
    lg_snapshot *before = lg_params_snapshot(params);
    if (!before)
        return lg_error_code();
    lg_status status = read_all(file, prefix, params);
    if (status != LG_OK)
        lg_params_restore(params, before);
    lg_snapshot_free(before);
    return status;
}

static lg_status check_no_stranger(const lg_safetensors *file, const lg_params *params)
{
    for (size_t i = 0; i < file->count; i++) {
        const char *name = file->tensors[i].name;
        if (lg_params_find(params, name))
            continue;
        lg_error_clear();
        return lg_fail(LG_E_PARAM, "%s: has a tensor \"%s\" that the model has not", file->path,
                       lg_file_excerpt_of(name).text);
    }
    return LG_OK;
}

lg_status lg_params_load(lg_params *params, const char *path)
{
    if (!params || !path)
        return lg_fail_null("lg_params_load: %s is NULL", params ? "the path" : "params");
    lg_safetensors *file = lg_safetensors_open(path);
    if (!file)
        return lg_error_code();
    lg_status status = check_no_stranger(file, params);
    if (status == LG_OK)
        status = lg_safetensors_read_params(file, "", params);
    lg_safetensors_close(file);
    return status;
}
