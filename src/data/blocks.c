/* Rows in blocks from a file (blocks_internal.h). */
#include "data/blocks_internal.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "data/dataset_internal.h"
#include "data/scaler.h"
#include "tensor/memory_internal.h"

enum { BLOCKS_HELD = 16 };
static const size_t usual_bytes = (size_t)1 << 26;
#define NO_BLOCK SIZE_MAX

/* A place for one block. */
typedef struct slot {
    size_t block;  /* NO_BLOCK: empty */
    uint64_t used; /* when last */
    char *values[LG_MAX_FIELDS];
} slot;

struct lg_blocks {
    pthread_mutex_t lock;
    lg_block_reader reader;
    size_t rows, field_count, block_rows, block_count, held;
    size_t row_bytes[LG_MAX_FIELDS], x, features; /* x: the field "x", or field_count */
    slot *slots;       /* [held] */
    size_t *slot_of;   /* [block_count] the block's place; held: none */
    uint64_t now, checksum;
    lg_imputer *imputer;
    lg_scaler *scaler;
};

/* ---- which blocks are held ----------------------------------------------------------------------------------------- */

static lg_status load(lg_blocks *b, size_t block, slot *s)
{
    const size_t first = block * b->block_rows;
    const size_t count = b->rows - first < b->block_rows ? b->rows - first : b->block_rows;
    if (s->block != NO_BLOCK)
        b->slot_of[s->block] = b->held;
    s->block = NO_BLOCK;
    lg_status status = b->reader.read(b->reader.context, first, count, (void *const *)s->values);
    lg_real *x = b->x < b->field_count ? (lg_real *)(void *)s->values[b->x] : NULL;
    if (status == LG_OK && b->imputer)
        status = lg_imputer_apply_values(b->imputer, count, x);
    if (status == LG_OK && b->scaler)
        status = lg_scaler_apply_values(b->scaler, count, x);
    if (status < 0)
        return status;
    s->block = block;
    b->slot_of[block] = (size_t)(s - b->slots);
    return LG_OK;
}

/* The place of a block, which is read in place of the one that was used longest ago if it is not there. */
static slot *find(lg_blocks *b, size_t block)
{
    slot *s = b->slots;
    if (b->slot_of[block] < b->held)
        s = &b->slots[b->slot_of[block]];
    else {
        for (size_t i = 1; i < b->held; i++)
            if (b->slots[i].used < s->used)
                s = &b->slots[i];
        if (load(b, block, s) < 0)
            return NULL;
    }
    s->used = ++b->now;
    return s;
}

/* Row by row, not field by field: a batch at the end of a window wants blocks that its later rows put out. */
static lg_status fill_rows(lg_blocks *b, const size_t *ids, size_t count, void *const *values)
{
    for (size_t i = 0; i < count; i++) {
        const slot *s = find(b, ids[i] / b->block_rows);
        if (!s)
            return lg_error_code();
        const size_t row = ids[i] % b->block_rows;
        for (size_t f = 0; f < b->field_count; f++)
            memcpy((char *)values[f] + i * b->row_bytes[f], s->values[f] + row * b->row_bytes[f], b->row_bytes[f]);
    }
    return LG_OK;
}

/* ---- the source ---------------------------------------------------------------------------------------------------- */

static lg_status blocks_fill(void *context, const size_t *ids, size_t count, void *const *values,
                             int32_t *const *lengths)
{
    lg_blocks *b = context;
    (void)lengths;
    pthread_mutex_lock(&b->lock);
    const lg_status status = fill_rows(b, ids, count, values);
    pthread_mutex_unlock(&b->lock);
    return status;
}

static uint64_t blocks_checksum(void *context)
{
    return ((const lg_blocks *)context)->checksum;
}

static void free_parts(lg_blocks *b)
{
    for (size_t i = 0; b->slots && i < b->held; i++)
        for (size_t f = 0; f < b->field_count; f++)
            free(b->slots[i].values[f]);
    free(b->slots);
    free(b->slot_of);
    lg_imputer_free(b->imputer);
    lg_scaler_free(b->scaler);
    pthread_mutex_destroy(&b->lock);
    free(b);
}

static void blocks_free(void *context)
{
    lg_blocks *b = context;
    b->reader.free(b->reader.context);
    free_parts(b);
}

/* Sixteen blocks make the buffer, so that what is in it is from sixteen places of the file. */
static void choose_blocks(lg_blocks *b, size_t buffer_rows)
{
    size_t bytes = 0;
    for (size_t f = 0; f < b->field_count; f++)
        bytes += b->row_bytes[f];
    if (buffer_rows == 0)
        buffer_rows = usual_bytes / bytes;
    if (buffer_rows > b->rows)
        buffer_rows = b->rows;
    const size_t of_block = (buffer_rows + BLOCKS_HELD - 1) / BLOCKS_HELD;
    b->block_rows = (of_block + LG_BLOCK_GRAIN - 1) / LG_BLOCK_GRAIN * LG_BLOCK_GRAIN;
    if (b->block_rows == 0)
        b->block_rows = LG_BLOCK_GRAIN;
    b->block_count = (b->rows - 1) / b->block_rows + 1;
    b->held = (buffer_rows + b->block_rows - 1) / b->block_rows;
    b->held = b->held ? b->held : 1;
}

static lg_status allocate(lg_blocks *b)
{
    const size_t rows = b->block_rows < b->rows ? b->block_rows : b->rows;
    b->slots = lg_calloc(b->held, sizeof *b->slots, "dataset_stream");
    b->slot_of = lg_calloc(b->block_count, sizeof *b->slot_of, "dataset_stream");
    if (!b->slots || !b->slot_of)
        return LG_E_MEMORY;
    for (size_t i = 0; i < b->block_count; i++)
        b->slot_of[i] = b->held;
    for (size_t i = 0; i < b->held; i++) {
        b->slots[i].block = NO_BLOCK;
        for (size_t f = 0; f < b->field_count; f++)
            if (!(b->slots[i].values[f] = lg_calloc(rows, b->row_bytes[f], "dataset_stream")))
                return LG_E_MEMORY;
    }
    return LG_OK;
}

lg_dataset *lg_blocks_dataset(size_t rows, size_t field_count, const lg_field *fields, size_t buffer_rows,
                              uint64_t checksum, const lg_block_reader *reader)
{
    lg_blocks *b = lg_calloc(1, sizeof *b, "dataset_stream");
    if (!b)
        return NULL;
    *b = (lg_blocks){ .reader = *reader, .rows = rows, .field_count = field_count, .checksum = checksum };
    pthread_mutex_init(&b->lock, NULL);
    for (size_t f = 0; f < field_count; f++)
        b->row_bytes[f] = lg_field_bytes(&fields[f]);
    b->x = lg_field_find(fields, field_count, "x");
    b->features = b->x < field_count ? lg_field_size(&fields[b->x]) : 0;
    choose_blocks(b, buffer_rows);
    lg_dataset *dataset = NULL;
    if (allocate(b) == LG_OK)
        dataset = lg_dataset_from_source(&(lg_source){ .rows = rows, .block_rows = b->block_rows, .held_blocks = b->held,
                                                       .field_count = field_count, .fields = fields, .context = b,
                                                       .fill = blocks_fill, .checksum = blocks_checksum,
                                                       .free = blocks_free });
    if (dataset)
        dataset->blocks = b;
    else
        free_parts(b);
    return dataset;
}

/* ---- features on their way ------------------------------------------------------------------------------------------ */

/* What is held was read without it. */
static void forget(lg_blocks *b)
{
    for (size_t i = 0; i < b->held; i++) {
        if (b->slots[i].block != NO_BLOCK)
            b->slot_of[b->slots[i].block] = b->held;
        b->slots[i].block = NO_BLOCK;
    }
}

lg_status lg_blocks_fill_missing(lg_blocks *b, size_t features, const double *values)
{
    if (features != b->features)
        return lg_fail(LG_E_SHAPE, "imputer_apply: fitted on %zu features, but the data set has %zu", features,
                       b->features);
    if (b->imputer || b->scaler)
        return lg_fail(LG_E_STATE, "imputer_apply: what is streamed is filled once, and before it is scaled");
    b->imputer = lg_imputer_from(features, values);
    forget(b);
    return b->imputer ? LG_OK : lg_error_code();
}

lg_status lg_blocks_scale(lg_blocks *b, size_t features, const double *means, const double *deviations)
{
    if (features != b->features)
        return lg_fail(LG_E_SHAPE, "scaler_apply: fitted on %zu features, but the data set has %zu", features,
                       b->features);
    if (b->scaler)
        return lg_fail(LG_E_STATE, "scaler_apply: what is streamed is scaled once");
    b->scaler = lg_scaler_from(features, means, deviations);
    forget(b);
    return b->scaler ? LG_OK : lg_error_code();
}

/* ---- the file ------------------------------------------------------------------------------------------------------ */

lg_status lg_file_mark_take(int descriptor, const char *path, lg_file_mark *mark)
{
    struct stat about;
    if (fstat(descriptor, &about) < 0)
        return lg_fail(LG_E_IO, "%s: cannot be read: %s", path, strerror(errno));
    *mark = (lg_file_mark){ .device = (uint64_t)about.st_dev, .inode = (uint64_t)about.st_ino,
                            .size = (uint64_t)about.st_size, .seconds = (uint64_t)about.st_mtim.tv_sec,
                            .nanoseconds = (uint64_t)about.st_mtim.tv_nsec };
    return LG_OK;
}

lg_status lg_file_mark_check(int descriptor, const char *path, const lg_file_mark *mark)
{
    lg_file_mark now = { 0 };
    lg_status status = lg_file_mark_take(descriptor, path, &now);
    if (status == LG_OK && memcmp(&now, mark, sizeof now) != 0)
        status = lg_fail(LG_E_STATE, "%s: has changed since it was opened; what is streamed must stay as it is", path);
    return status;
}
