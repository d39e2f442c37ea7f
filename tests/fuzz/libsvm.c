/* Fuzz target of lg_dataset_read_libsvm (reader.h says what the bytes are and what must hold).
 * Built and run by `make fuzz`. The ordinary tests replay tests/fuzz/libsvm/ (test_read_fuzz.c). */
#include "reader.h"

#include "data/libsvm.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static lg_dataset *read_libsvm(const char *path, const lg_read_options *options)
{
    return lg_dataset_read_libsvm(path, &options->csv);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    return fuzz_reader(bytes, count, read_libsvm, NULL);
}
