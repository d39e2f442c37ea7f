/* NPY and IDX files that are streamed (streaming.h): rows are read by pread where they lie, and converted. */
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "data/array_internal.h"
#include "data/blocks_internal.h"
#include "data/dataset_internal.h"
#include "data/streaming_internal.h"
#include "data/target_internal.h"
#include "tensor/memory_internal.h"

enum { MOST_CLASSES = 65536 };

/* An array in a file that stays open. */
typedef struct array_file {
    char *path;
    int descriptor; /* -1: none */
    lg_file_mark mark;
    lg_array_header header;
    uint64_t start; /* of its elements */
    size_t width;   /* elements of a row */
} array_file;

typedef struct array_source {
    array_file x, labels;
    lg_array_store store;
    lg_csv_options options;
    bool by_column;    /* the target is column `column` of x */
    size_t rows, column;
    lg_target target;
    size_t target_capacity;
    lg_real *table;    /* [LG_BLOCK_GRAIN, x.width] as they lie in the file */
    double *wanted;    /* [LG_BLOCK_GRAIN] targets */
    uint32_t crc;
} array_source;

/* ---- opening ------------------------------------------------------------------------------------------------------- */

static lg_status open_array(array_file *file, lg_stream *stream)
{
    size_t count;
    lg_status status = lg_array_header_read(stream, &file->header);
    if (status == LG_OK && stream->size == LG_STREAM_UNKNOWN)
        status = lg_fail(LG_E_PARAM, "%s: is packed, or no file; a plain file is needed, to be read from anywhere",
                         stream->path);
    if (status == LG_OK)
        status = lg_array_check_sizes(stream, &file->header, &count);
    if (status == LG_OK)
        status = (file->path = lg_strdup(stream->path, "dataset_stream")) ? LG_OK : LG_E_MEMORY;
    if (status < 0)
        return status;
    if ((file->descriptor = fcntl(stream->descriptor, F_DUPFD_CLOEXEC, 3)) < 0)
        return lg_fail(LG_E_IO, "%s: cannot be kept open", file->path);
    file->start = stream->offset;
    file->width = 1;
    for (size_t k = 1; k < file->header.rank; k++)
        file->width *= file->header.dims[k]; /* no more than there is in the file */
    return lg_file_mark_take(file->descriptor, file->path, &file->mark);
}

static lg_status open_labels(array_source *s, const char *path)
{
    lg_stream stream;
    lg_status status = lg_stream_open(&stream, path);
    if (status < 0)
        return status;
    status = open_array(&s->labels, &stream);
    lg_stream_close(&stream);
    return status == LG_OK ? lg_array_check_labels(path, &s->labels.header, s->rows, s->x.path) : status;
}

static lg_status check_order(const array_file *file)
{
    return file->header.fortran_order && file->header.rank > 1
               ? lg_fail(LG_E_PARAM, "%s: the array is in Fortran order, in which the numbers of a row do not lie together; "
                                     "save it in C order to stream it (numpy.ascontiguousarray)", file->path)
               : LG_OK;
}

/* ---- rows ---------------------------------------------------------------------------------------------------------- */

static lg_status check_target(const array_source *s, size_t first, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!isfinite(s->wanted[i]))
            return lg_fail(LG_E_FORMAT, "%s: row %zu: the target, column %zu, is not a finite number", s->x.path, first + i,
                           s->column);
    return LG_OK;
}

/* At most LG_BLOCK_GRAIN rows: features to x, or to `table` if that is NULL; targets to `wanted`. */
static lg_status read_piece(array_source *s, size_t first, size_t count, lg_real *x)
{
    const size_t width = s->x.width;
    lg_real *to = s->by_column || !x ? s->table : x;
    lg_status status = lg_array_read_at(s->x.descriptor, s->x.path, &s->x.header, s->x.start, first * width, count * width,
                                        &s->store, to);
    if (status == LG_OK && s->labels.path)
        status = lg_array_read_at(s->labels.descriptor, s->labels.path, &s->labels.header, s->labels.start, first, count,
                                  &(lg_array_store){ .type = LG_STORE_DOUBLE }, s->wanted);
    if (status < 0 || !s->by_column)
        return status;
    for (size_t i = 0; i < count; i++) {
        s->wanted[i] = (double)to[i * width + s->column];
        for (size_t c = 0; x && c < width; c++)
            if (c != s->column)
                *x++ = to[i * width + c];
    }
    return check_target(s, first, count);
}

static lg_status read_block(void *context, size_t first, size_t count, void *const *values)
{
    array_source *s = context;
    const size_t features = s->x.width - s->by_column;
    const bool has_target = s->by_column || s->labels.path;
    const lg_field y = lg_target_field(&s->target);
    lg_status status = lg_file_mark_check(s->x.descriptor, s->x.path, &s->x.mark);
    if (status == LG_OK && s->labels.path)
        status = lg_file_mark_check(s->labels.descriptor, s->labels.path, &s->labels.mark);
    for (size_t at = 0; status == LG_OK && at < count; at += LG_BLOCK_GRAIN) {
        const size_t now = count - at < LG_BLOCK_GRAIN ? count - at : LG_BLOCK_GRAIN;
        status = read_piece(s, first + at, now, (lg_real *)values[0] + at * features);
        if (status == LG_OK && has_target)
            status = lg_target_encode(&s->target, s->wanted, now, first + at,
                                      (char *)values[1] + at * lg_field_bytes(&y));
    }
    return status;
}

/* ---- the first pass ------------------------------------------------------------------------------------------------ */

/* Adds a value to the target's sorted ones; of a target of values, two will do. */
static lg_status add_value(array_source *s, double value)
{
    lg_target *t = &s->target;
    size_t low = 0, high = t->distinct;
    if (t->kind == LG_VALUES && t->distinct == 2)
        return LG_OK;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (t->sorted[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < t->distinct && t->sorted[low] == value)
        return LG_OK;
    if (t->distinct == MOST_CLASSES)
        return lg_fail(LG_E_PARAM, "%s: the target has more than %d different values; as classes that is too many to stream",
                       t->path, MOST_CLASSES);
    lg_status status = lg_reserve(&t->sorted, &s->target_capacity, t->distinct + 1, sizeof *t->sorted, "dataset_stream");
    if (status < 0)
        return status;
    memmove(t->sorted + low + 1, t->sorted + low, (t->distinct - low) * sizeof *t->sorted);
    t->sorted[low] = value;
    t->distinct++;
    return LG_OK;
}

static lg_status first_pass(array_source *s)
{
    const bool has_target = s->by_column || s->labels.path;
    lg_status status = LG_OK;
    for (size_t first = 0; status == LG_OK && first < s->rows; first += LG_BLOCK_GRAIN) {
        const size_t count = s->rows - first < LG_BLOCK_GRAIN ? s->rows - first : LG_BLOCK_GRAIN;
        status = read_piece(s, first, count, NULL);
        for (size_t i = 0; status == LG_OK && has_target && i < count; i++)
            status = add_value(s, s->wanted[i]);
        s->crc = (uint32_t)crc32_z(s->crc, (const unsigned char *)s->table, count * s->x.width * sizeof *s->table);
        if (has_target)
            s->crc = (uint32_t)crc32_z(s->crc, (const unsigned char *)s->wanted, count * sizeof *s->wanted);
    }
    return status;
}

/* ---- the data set -------------------------------------------------------------------------------------------------- */

static void free_source(void *context)
{
    array_source *s = context;
    array_file *files[] = { &s->x, &s->labels };
    for (size_t i = 0; i < 2; i++) {
        if (files[i]->descriptor >= 0)
            close(files[i]->descriptor);
        free(files[i]->path);
    }
    lg_target_free(&s->target);
    free(s->table);
    free(s->wanted);
    free(s);
}

static lg_status plan(array_source *s, lg_stream *stream, const lg_read_options *options, lg_field *x)
{
    const lg_csv_options *csv = &options->csv;
    lg_status status = lg_array_check_options(stream->path, options, options->labels != NULL);
    if (status == LG_OK)
        status = open_array(&s->x, stream);
    if (status == LG_OK)
        status = lg_array_plan_rows(s->x.path, &s->x.header, options, x);
    if (status == LG_OK)
        status = check_order(&s->x);
    if (status == LG_OK && csv->target)
        status = lg_array_find_column(s->x.path, &s->x.header, csv->target, &s->column);
    if (status < 0)
        return status;
    s->rows = s->x.header.dims[0];
    s->by_column = csv->target != NULL;
    x->dims[0] -= s->by_column;
    s->store = lg_array_store_of(&s->x.header, options);
    status = lg_array_check_like(s->x.path, x, csv->like);
    if (status == LG_OK && options->labels)
        status = open_labels(s, options->labels);
    if (status < 0)
        return status;
    s->table = lg_calloc(LG_BLOCK_GRAIN * s->x.width, sizeof *s->table, "dataset_stream");
    s->wanted = lg_calloc(LG_BLOCK_GRAIN, sizeof *s->wanted, "dataset_stream");
    s->target.path = options->labels ? s->labels.path : s->x.path;
    s->target.options = &s->options;
    s->target.kind = lg_target_kind_of(csv, options->labels && lg_element_is_integer(s->labels.header.element));
    return s->table && s->wanted ? LG_OK : LG_E_MEMORY;
}

static lg_status name(const array_source *s, lg_dataset *dataset)
{
    char column[32];
    snprintf(column, sizeof column, "%zu", s->column);
    lg_status status = s->by_column ? lg_dataset_set_target_name(dataset, column) : LG_OK;
    return status == LG_OK ? lg_target_name(&s->target, dataset) : status;
}

lg_dataset *lg_array_stream(lg_stream *stream, const lg_read_options *options, size_t buffer_rows)
{
    array_source *s = lg_calloc(1, sizeof *s, "dataset_stream");
    if (!s)
        return NULL;
    s->x.descriptor = s->labels.descriptor = -1;
    s->options = options->csv;
    lg_field fields[2];
    const lg_block_reader reader = { s, read_block, free_source };
    lg_status status = plan(s, stream, options, &fields[0]);
    const bool has_target = s->by_column || s->labels.path;
    if (status == LG_OK)
        status = first_pass(s);
    if (status == LG_OK && has_target)
        status = lg_target_plan(&s->target, s->by_column);
    fields[1] = lg_target_field(&s->target);
    lg_dataset *dataset = NULL;
    if (status == LG_OK)
        dataset = lg_blocks_dataset(s->rows, has_target ? 2 : 1, fields, buffer_rows, s->crc, &reader);
    if (!dataset) {
        free_source(s);
        return NULL;
    }
    status = has_target ? name(s, dataset) : LG_OK;
    s->options = (lg_csv_options){ 0 }; /* what it points to is the caller's */
    if (status == LG_OK)
        return dataset;
    lg_dataset_free(dataset);
    return NULL;
}
