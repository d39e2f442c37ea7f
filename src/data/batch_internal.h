/* What a batch is made of, for the floors above: they wrap a field's values as a tensor without copying. */
#ifndef LG_BATCH_INTERNAL_H
#define LG_BATCH_INTERNAL_H

#include "data/dataset.h"

typedef struct lg_batch_part {
    const lg_field *field;   /* name, dtype, shape of a row */
    size_t row_size;         /* product of dims */
    const void *values;      /* [rows, dims...], or [rows, longest, dims...] if ragged: the buffer or a view */
    const int32_t *lengths;  /* ragged: [rows]; else NULL */
    size_t longest;          /* ragged: the longest row of this batch */
    void *buffer;            /* owned: max_rows rows, max_length long if ragged */
    int32_t *length_buffer;  /* owned, ragged only */
} lg_batch_part;

struct lg_batch {
    lg_dataset *dataset;     /* counted */
    size_t rows, max_rows;
    size_t *ids;             /* [max_rows] as the caller gave them */
    size_t *source_ids;      /* [max_rows] rows of the source: differ from ids for a subset */
    size_t field_count;
    lg_batch_part fields[LG_MAX_FIELDS];
};

/* The field of that name; NULL if there is none. */
const lg_batch_part *lg_batch_find(const lg_batch *batch, const char *name);

#endif
