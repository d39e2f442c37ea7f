/* Data sets whose rows are read from a file in blocks, some of which are held in memory. A format's reader says how a block
 * is read; here is which are held, and what is done to features on their way. */
#ifndef LG_BLOCKS_INTERNAL_H
#define LG_BLOCKS_INTERNAL_H

#include "data/dataset.h"

/* The rows of a block are a multiple of this. */
#define LG_BLOCK_GRAIN ((size_t)256)

typedef struct lg_blocks lg_blocks;

typedef struct lg_block_reader {
    void *context;

    /* Writes rows first .. first + count - 1, which are of one block, to values[f] [count, dims...] of each field. `first`
     * is a multiple of LG_BLOCK_GRAIN. */
    lg_status (*read)(void *context, size_t first, size_t count, void *const *values);
    void (*free)(void *context);
} lg_block_reader;

/* A data set of `rows` rows of dense fields, which owns the reader on success. At least buffer_rows rows are held (0: as
 * many as 64 MB have room for), or all of them if they are fewer. */
lg_dataset *lg_blocks_dataset(size_t rows, size_t field_count, const lg_field *fields, size_t buffer_rows,
                              uint64_t checksum, const lg_block_reader *reader);

/* From now on the features of "x" are filled where they are NaN, and then standardised, as lg_imputer_apply_values and
 * lg_scaler_apply_values do. Each once, in this order, and not while somebody reads. LG_E_STATE, LG_E_MEMORY. */
lg_status lg_blocks_fill_missing(lg_blocks *blocks, size_t features, const double *values);
lg_status lg_blocks_scale(lg_blocks *blocks, size_t features, const double *means, const double *deviations);

/* The file that rows come from, to see whether it is still the one that was opened. */
typedef struct lg_file_mark {
    uint64_t device, inode, size, seconds, nanoseconds;
} lg_file_mark;
lg_status lg_file_mark_take(int descriptor, const char *path, lg_file_mark *mark);
lg_status lg_file_mark_check(int descriptor, const char *path, const lg_file_mark *mark);

#endif
