/* What the fuzz targets of the readers of data share: the first two bytes choose options, the rest is the file, which is
 * its own file of labels where those are asked for. */
#ifndef FUZZ_READER_H
#define FUZZ_READER_H

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "streamed.h"

typedef lg_dataset *reader(const char *path, const lg_read_options *options);

/* What must hold: a refusal says why; what was read is finite unless more was allowed, its classes have names, and, read
 * again like itself, it is the same to the bit. */
static void check_reader(reader *read, const char *path, const lg_read_options *options)
{
    lg_error_clear();
    lg_dataset *dataset = read(path, options);
    if (!dataset && (lg_error()[0] == '\0' || lg_error_code() >= 0))
        abort();
    if (read == lg_dataset_read)
        check_streamed(path, options, dataset);
    if (!dataset)
        return;
    const size_t values = lg_dataset_rows(dataset) * lg_dataset_features(dataset);
    const lg_real *x = lg_dataset_values(dataset, "x");
    const int32_t *y = lg_dataset_indices(dataset, "y");
    for (size_t i = 0; i < values; i++)
        if (!isfinite(x[i]) && !options->csv.allow_nonfinite && options->csv.missing != LG_MISSING_KEEP)
            abort();
    for (size_t i = 0; y && i < lg_dataset_rows(dataset); i++)
        if (y[i] < 0 || !lg_dataset_class_name(dataset, (size_t)y[i]))
            abort();
    lg_read_options again = *options;
    again.csv.like = dataset;
    lg_dataset *same = read(path, &again);
    if (same && (lg_dataset_rows(same) * lg_dataset_features(same) != values
                 || memcmp(lg_dataset_values(same, "x"), x, values * sizeof *x) != 0))
        abort();
    lg_dataset_free(same);
    lg_dataset_free(dataset);
}

/* `more`, unless NULL, is called with the path and the second byte of options. */
static int fuzz_reader(const uint8_t *bytes, size_t count, reader *read, void (*more)(const char *path, uint8_t option))
{
    if (count < 2)
        return 0;
    int file = memfd_create("fuzz", MFD_CLOEXEC);
    if (file < 0 || write(file, bytes + 2, count - 2) != (ssize_t)(count - 2))
        abort();
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    lg_read_options options = { .labels = bytes[0] & 1 ? path : NULL,
                                .unit_bytes = bytes[0] >> 1 & 1,
                                .flatten = bytes[0] >> 2 & 1,
                                .csv.target = bytes[0] & 8 ? "-1" : bytes[0] & 16 ? "0" : NULL,
                                .csv.target_kind = (lg_target_kind)(bytes[0] >> 5 & 3),
                                .csv.allow_nonfinite = bytes[0] >> 7,
                                .csv.missing = bytes[1] & 1 ? LG_MISSING_KEEP : LG_MISSING_ERROR,
                                .csv.positive = bytes[1] & 2 ? "1" : NULL };
    check_reader(read, path, &options);
    if (more)
        more(path, bytes[1]);
    close(file);
    return 0;
}

#endif
