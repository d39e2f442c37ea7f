/* Fuzz target of lg_dataset_read_npz (reader.h says what the bytes are and what must hold).
 * Built and run by `make fuzz`. The ordinary tests replay tests/fuzz/npz/ (test_read_fuzz.c). */
#include "reader.h"

#include "data/npz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    return fuzz_reader(bytes, count, lg_dataset_read_npz, NULL);
}
