/* Fuzz target of the safetensors reader: the bytes are the file.
 *
 *   make CC=clang SANITIZE=address,undefined
 *   clang -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -Isrc tests/fuzz/safetensors.c
 *         build-address-undefined-clang/libluge.a -lopenblas -lz -ljansson -lm -lpthread -o fuzz-safetensors
 *   cp -r tests/reference/safetensors corpus && ./fuzz-safetensors -dict=tests/fuzz/safetensors.dict corpus
 *
 * The ordinary tests replay tests/reference/safetensors/ and variations of it (test_safetensors_fuzz.c). */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "models/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

/* Of every tensor: it lies in the file, and its bytes are read; as numbers too, or refused with a reason. */
static void read_all(const lg_safetensors *file, size_t file_bytes)
{
    for (size_t i = 0; i < lg_safetensors_count(file); i++) {
        const lg_file_tensor *tensor = lg_safetensors_at(file, i);
        unsigned char *raw = malloc(tensor->bytes + 1);
        lg_real *values = calloc(tensor->size < file_bytes ? tensor->size + 1 : 1, sizeof *values);
        if (!raw || !values || tensor->offset + tensor->bytes > file_bytes || !lg_safetensors_has(file, tensor->name))
            abort();
        if (lg_safetensors_read_bytes(file, tensor, raw) != LG_OK)
            abort();
        if (tensor->size < file_bytes && lg_safetensors_read(file, tensor, values) != LG_OK
            && (lg_error_code() != LG_E_DTYPE || tensor->dtype <= LG_FILE_BF16))
            abort();
        lg_error_clear();
        lg_tensor_free(lg_safetensors_tensor(file, tensor->name));
        free(raw);
        free(values);
    }
    for (size_t i = 0; i < lg_safetensors_metadata_count(file); i++) {
        const lg_metadata text = lg_safetensors_metadata_at(file, i);
        if (!text.key || !text.value || lg_safetensors_metadata(file, text.key) != text.value)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    const int descriptor = memfd_create("safetensors", 0);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    if (descriptor < 0 || write(descriptor, bytes, count) != (ssize_t)count)
        abort();
    lg_error_clear();
    lg_safetensors *file = lg_safetensors_open(path);
    if (file)
        read_all(file, count);
    else if (lg_error()[0] == '\0' || lg_error_code() != LG_E_FORMAT)
        abort();
    lg_safetensors_close(file);
    close(descriptor);
    return 0;
}
