/* Fuzz target of lg_dataset_read_npy and lg_npy_read (reader.h says what the bytes are and what must hold).
 * Built and run by `make fuzz`. The ordinary tests replay tests/fuzz/npy/ (test_read_fuzz.c). */
#include "reader.h"

#include "data/npy.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void check_tensor(const char *path, uint8_t option)
{
    lg_error_clear();
    lg_tensor *tensor = lg_npy_read(path, option & 4 ? LG_INT32 : LG_REAL);
    if (!tensor && (lg_error()[0] == '\0' || lg_error_code() >= 0))
        abort();
    lg_tensor_free(tensor);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    return fuzz_reader(bytes, count, lg_dataset_read_npy, check_tensor);
}
