/* Fuzz target of the reader of safetensors: opens the bytes as a file, reads every tensor and text of it, and loads it
 * into a set of parameters that the corpus has. Built and run by `make fuzz`; the ordinary tests replay
 * tests/fuzz/safetensors/ (test_safetensors_fuzz.c), which tests/reference/safetensors_corpus.py has made. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "models/layers.h"
#include "models/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

/* What must hold of a file that was accepted: tensors lie inside it, in order, without holes, and can be read. */
static void check_tensors(const lg_safetensors *file, size_t file_bytes)
{
    size_t end = 0;
    for (size_t i = 0; i < lg_safetensors_count(file); i++) {
        const lg_file_tensor *tensor = lg_safetensors_at(file, i);
        if (tensor->offset > file_bytes || tensor->bytes > file_bytes - tensor->offset || (i > 0 && tensor->offset != end) ||
            lg_safetensors_find(file, tensor->name) != tensor || !lg_file_dtype_name(tensor->dtype))
            abort();
        end = tensor->offset + tensor->bytes;
        void *raw = malloc(tensor->bytes + 1);
        lg_real *values = tensor->dtype <= LG_FILE_BF16 ? malloc((tensor->size + 1) * sizeof *values) : NULL;
        if (!raw || lg_safetensors_read_bytes(file, tensor, raw) != LG_OK ||
            (values && lg_safetensors_read(file, tensor, values) != LG_OK))
            abort();
        free(values);
        free(raw);
        lg_tensor_free(lg_safetensors_tensor(file, tensor->name));
    }
    for (size_t i = 0; i < lg_safetensors_metadata_count(file); i++)
        if (!lg_safetensors_metadata(file, lg_safetensors_metadata_at(file, i).key))
            abort();
}

static void load_params(const char *path)
{
    lg_params *params = lg_params_new();
    lg_rng rng = lg_rng_seed(1);
    if (!params || !lg_dense_new(params, "dense", 2, 3, &rng))
        abort();
    lg_error_clear();
    if (lg_params_load(params, path) != LG_OK && lg_error()[0] == '\0')
        abort();
    lg_params_free(params);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    int descriptor = memfd_create("fuzz", MFD_CLOEXEC);
    if (descriptor < 0 || write(descriptor, bytes, count) != (ssize_t)count)
        abort();
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    lg_error_clear();
    lg_safetensors *file = lg_safetensors_open(path);
    if (file)
        check_tensors(file, count);
    else if (lg_error()[0] == '\0' || lg_error_code() >= 0)
        abort();
    lg_safetensors_close(file);
    load_params(path);
    close(descriptor);
    return 0;
}
