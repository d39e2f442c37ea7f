/* Fuzz target of the CSV reader. The first two bytes choose options, the rest is the file.
 * Built and run by `make fuzz`. The ordinary tests replay tests/fuzz/csv/ (test_csv_fuzz.c). */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "streamed.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static lg_csv_options options_of(uint8_t first, uint8_t second)
{
    lg_csv_options options = { .target = first & 1 ? "-1" : NULL,
                               .target_kind = (lg_target_kind)(first >> 1 & 3),
                               .header = (lg_header)((first >> 3 & 3) % 3),
                               .delimiter = first & 32 ? ';' : ',',
                               .text = first & 64 ? LG_TEXT_CODES : LG_TEXT_ONE_HOT,
                               .allow_nonfinite = first >> 7,
                               .missing = (lg_missing)((second & 7) % 6),
                               .skip_lines = second >> 3 & 3,
                               .max_categories = second & 64 ? 3 : 0 };
    if ((second & 32) && (options.target_kind == LG_TARGET_AUTO || options.target_kind == LG_BINARY))
        options.positive = "a";
    return options;
}

static void check_stream(const char *path, const lg_csv_options *options)
{
    const lg_read_options any = { .csv = *options };
    lg_dataset *whole = lg_dataset_read(path, &any);
    check_streamed(path, &any, whole);
    lg_dataset_free(whole);
}

/* What must hold: a refusal says why; a table that was read, read again like itself, is the same to the bit. */
static void check(const char *path, const lg_csv_options *options)
{
    lg_error_clear();
    lg_dataset *table = lg_dataset_read_csv(path, options);
    if (!table) {
        if (lg_error()[0] == '\0' || lg_error_code() >= 0)
            abort();
        return;
    }
    lg_csv_options again = *options;
    again.target = again.positive = NULL;
    again.target_kind = LG_TARGET_AUTO;
    again.like = table;
    lg_dataset *same = lg_dataset_read_csv(path, &again);
    size_t values = lg_dataset_rows(table) * lg_dataset_features(table);
    if (!same || lg_dataset_rows(same) * lg_dataset_features(same) != values
        || memcmp(lg_dataset_values(same, "x"), lg_dataset_values(table, "x"), values * sizeof(lg_real)) != 0)
        abort();
    lg_dataset_free(same);
    lg_dataset_free(table);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    if (count < 2)
        return 0;
    int file = memfd_create("csv", 0);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    if (file < 0 || write(file, bytes + 2, count - 2) != (ssize_t)(count - 2))
        abort();
    lg_csv_options options = options_of(bytes[0], bytes[1]);
    check(path, &options);
    check_stream(path, &options);
    close(file);
    return 0;
}
