/* What must hold of a file that is streamed: it is what the reader in memory makes of it, to the bit, or it is refused,
 * with a reason, where that refuses it or where it cannot be streamed. */
#ifndef FUZZ_STREAMED_H
#define FUZZ_STREAMED_H

#include <stdlib.h>
#include <string.h>

#include "data/streaming.h"

static void check_rows(const lg_dataset *whole, const lg_dataset *streamed)
{
    const size_t rows = lg_dataset_rows(whole);
    lg_batch *a = lg_batch_new(whole, 1), *b = lg_batch_new(streamed, 1);
    if (!a || !b || lg_dataset_rows(streamed) != rows || lg_dataset_field_count(whole) != lg_dataset_field_count(streamed)
        || lg_dataset_features(whole) != lg_dataset_features(streamed)
        || lg_dataset_classes(whole) != lg_dataset_classes(streamed))
        abort();
    for (size_t i = rows; i-- > 0;) {
        if (lg_batch_fill(a, &i, 1) != LG_OK || lg_batch_fill(b, &i, 1) != LG_OK)
            abort();
        const lg_real *x = lg_batch_values(a, "x"), *y = lg_batch_values(a, "y");
        const int32_t *class = lg_batch_indices(a, "y");
        if (memcmp(x, lg_batch_values(b, "x"), lg_dataset_features(whole) * sizeof *x) != 0
            || (y && memcmp(y, lg_batch_values(b, "y"), sizeof *y) != 0)
            || (class && *class != *lg_batch_indices(b, "y")))
            abort();
    }
    lg_batch_free(a);
    lg_batch_free(b);
}

/* `whole` is what lg_dataset_read gave. With means to fill gaps by, it refuses columns that streaming need not look at,
 * and the other way round. */
static void check_streamed(const char *path, const lg_read_options *options, const lg_dataset *whole)
{
    const bool means = options->csv.missing == LG_MISSING_MEAN;
    lg_error_clear();
    lg_dataset *streamed = lg_dataset_stream(path, options, 256);
    if (!streamed && (lg_error()[0] == '\0' || lg_error_code() >= 0 || (whole && lg_error_code() != LG_E_PARAM && !means)))
        abort();
    if (streamed && whole)
        check_rows(whole, streamed);
    else if (streamed && !means)
        abort();
    lg_dataset_free(streamed);
}

#endif
