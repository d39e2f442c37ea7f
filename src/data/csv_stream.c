/* CSV files that are streamed (streaming.h): a first pass as csv.c reads any table, of which only what the columns are and
 * where rows begin is kept; then blocks, by the same reader. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "data/blocks_internal.h"
#include "data/csv_internal.h"
#include "data/dataset_internal.h"
#include "data/streaming_internal.h"
#include "tensor/memory_internal.h"

/* Where a row begins. */
typedef struct place {
    uint64_t offset;
    size_t line;
} place;

typedef struct csv_source {
    char *path;
    lg_stream stream;
    lg_file_mark mark;
    lg_csv_options options; /* what the caller's point to is needed by the first pass alone */
    lg_csv_table table;     /* a single row at a time */
    place *places;          /* of every LG_BLOCK_GRAIN-th row */
    size_t place_capacity, rows;

    /* Of the first pass. */
    uint32_t crc;
    lg_real first;          /* target by value */
    bool varies;
    double *sum;            /* [table.width] of the numbers of a column, and how many; to fill missing ones by the mean */
    size_t *found;

    lg_real *fill;          /* [table.width] what stands for a missing number; NaN: stays */
    bool has_target;
    size_t positive;
} csv_source;

/* ---- the first pass ------------------------------------------------------------------------------------------------ */

static uint32_t add_bytes(uint32_t crc, const void *bytes, size_t count)
{
    return (uint32_t)crc32_z(crc, bytes, count);
}

static lg_status add_to_sums(csv_source *s)
{
    const lg_csv_table *t = &s->table;
    if (!s->sum) {
        s->sum = lg_calloc(t->width, sizeof *s->sum, "dataset_stream");
        s->found = lg_calloc(t->width, sizeof *s->found, "dataset_stream");
        if (!s->sum || !s->found)
            return LG_E_MEMORY;
    }
    for (size_t k = 0; k < t->width; k++)
        if (!isnan(t->x[k])) {
            s->sum[k] += (double)t->x[k];
            s->found[k]++;
        }
    return LG_OK;
}

/* Takes what is to be kept of the row that was read, and gives its place to the next. */
static lg_status note_row(void *context)
{
    csv_source *s = context;
    lg_csv_table *t = &s->table;
    const size_t k = s->rows / LG_BLOCK_GRAIN;
    lg_status status = LG_OK;
    if (s->rows % LG_BLOCK_GRAIN == 0
        && (status = lg_reserve(&s->places, &s->place_capacity, k + 1, sizeof *s->places, "dataset_stream")) == LG_OK)
        s->places[k] = (place){ t->reader.record_offset, t->reader.record_line };
    if (status == LG_OK && s->options.missing == LG_MISSING_MEAN)
        status = add_to_sums(s);
    if (status < 0)
        return status;
    s->crc = add_bytes(s->crc, t->x, t->width * sizeof *t->x);
    if (t->target < t->column_count && t->columns[t->target].kind == LG_CSV_NUMBER) {
        s->first = s->rows ? s->first : t->values[0];
        s->varies = s->varies || t->values[0] != s->first;
        s->crc = add_bytes(s->crc, t->values, sizeof *t->values);
    } else if (t->target < t->column_count)
        s->crc = add_bytes(s->crc, t->codes, sizeof *t->codes);
    s->rows++;
    t->rows = 0;
    return LG_OK;
}

/* The numbers of texts are in the sum already, in the order in which they came. */
static void add_texts(csv_source *s)
{
    for (size_t c = 0; c < s->table.column_count; c++) {
        const lg_texts *texts = &s->table.columns[c].texts;
        for (size_t k = 0; k < texts->count; k++)
            s->crc = add_bytes(s->crc, texts->text[k], strlen(texts->text[k]) + 1);
    }
}

static lg_status plan_fill(csv_source *s)
{
    const lg_csv_table *t = &s->table;
    s->fill = lg_calloc(t->width, sizeof *s->fill, "dataset_stream");
    if (!s->fill)
        return LG_E_MEMORY;
    for (size_t k = 0; k < t->width; k++) {
        const lg_csv_column *column = &t->columns[t->features[k]];
        s->fill[k] = (lg_real)NAN;
        if (column->kind == LG_CSV_TEXT || !column->missing)
            continue;
        if (s->options.missing == LG_MISSING_CONSTANT)
            s->fill[k] = (lg_real)s->options.missing_value;
        else if (s->options.missing == LG_MISSING_MEAN) {
            const double mean = s->sum[k] / (double)s->found[k];
            if (!isfinite(mean))
                return lg_fail(LG_E_FORMAT, "%s: column \"%s\" has no finite mean to fill its gaps with", s->path,
                               lg_csv_excerpt_of(column->name).text);
            s->fill[k] = (lg_real)mean;
        }
    }
    return LG_OK;
}

/* ---- blocks -------------------------------------------------------------------------------------------------------- */

static void put_target(const csv_source *s, void *y, size_t i)
{
    const lg_csv_table *t = &s->table;
    const lg_csv_column *column = &t->columns[t->target];
    if (column->kind == LG_CSV_NUMBER)
        ((lg_real *)y)[i] = t->values[0];
    else if (t->target_kind == LG_BINARY)
        ((lg_real *)y)[i] = column->rank[t->codes[0]] == s->positive;
    else
        ((int32_t *)y)[i] = (int32_t)column->rank[t->codes[0]];
}

/* The next row that is not left out. */
static lg_status next_row(csv_source *s)
{
    lg_csv_table *t = &s->table;
    lg_status status = LG_OK;
    for (t->rows = 0; status == LG_OK && t->rows == 0;) {
        status = lg_csv_reader_next(&t->reader);
        if (status == LG_OK && t->reader.cell_count == 0)
            status = lg_fail(LG_E_STATE, "%s: has become shorter since it was opened", s->path);
        if (status == LG_OK)
            status = lg_csv_read_row(t);
    }
    t->rows = 0;
    return status;
}

static lg_status read_block(void *context, size_t first, size_t count, void *const *values)
{
    csv_source *s = context;
    lg_csv_table *t = &s->table;
    const place *at = &s->places[first / LG_BLOCK_GRAIN];
    lg_real *x = values[0];
    lg_status status = lg_file_mark_check(s->stream.descriptor, s->path, &s->mark);
    if (status == LG_OK)
        status = lg_csv_reader_seek(&t->reader, at->offset, at->line);
    size_t width = 0;
    for (size_t k = 0; k < t->width; k++)
        width += lg_csv_encoded_width(t, &t->columns[t->features[k]]);
    for (size_t i = 0; status == LG_OK && i < count; i++) {
        status = next_row(s);
        for (size_t k = 0; status == LG_OK && k < t->width; k++)
            if (isnan(t->x[k]) && !isnan(s->fill[k]))
                t->x[k] = s->fill[k];
        if (status == LG_OK)
            lg_csv_encode_row(t, t->x, x + i * width);
        if (status == LG_OK && s->has_target)
            put_target(s, values[1], i);
    }
    return status;
}

static void free_source(void *context)
{
    csv_source *s = context;
    lg_csv_close(&s->table);
    lg_stream_close(&s->stream);
    free(s->places);
    free(s->sum);
    free(s->found);
    free(s->fill);
    free(s->path);
    free(s);
}

/* ---- the data set -------------------------------------------------------------------------------------------------- */

static lg_dataset *make_dataset(csv_source *s, size_t buffer_rows)
{
    lg_csv_table *t = &s->table;
    const char **classes = NULL;
    size_t width;
    bool some_text;
    s->has_target = t->target < t->column_count;
    const lg_csv_column *target = s->has_target ? &t->columns[t->target] : NULL;
    const bool by_class = s->has_target && target->kind != LG_CSV_NUMBER;
    lg_status status = lg_csv_plan_features(t, &width, &some_text);
    if (status == LG_OK)
        status = plan_fill(s);
    if (status == LG_OK && by_class)
        status = lg_csv_plan_target(t, &s->positive, &classes);
    else if (status == LG_OK && s->has_target && !s->varies && s->rows > 1 && !s->options.like)
        status = lg_csv_fail_constant(t, s->first);
    const lg_field fields[] = { { .name = "x", .rank = 1, .dims = { width } },
                                { .name = "y", .dtype = by_class && t->target_kind != LG_BINARY ? LG_INT32 : LG_REAL } };
    const lg_block_reader reader = { s, read_block, free_source };
    add_texts(s);
    lg_dataset *dataset = NULL;
    if (status == LG_OK)
        dataset = lg_blocks_dataset(s->rows, s->has_target ? 2 : 1, fields, buffer_rows, s->crc, &reader);
    if (!dataset) {
        free(classes);
        free_source(s);
        return NULL;
    }
    status = lg_csv_name_features(t, dataset, width);
    if (status == LG_OK && s->has_target)
        status = lg_csv_name_target(t, dataset, s->positive, classes);
    free(classes);
    if (status == LG_OK)
        return dataset;
    lg_dataset_free(dataset);
    return NULL;
}

/* From here on no new text may come, and what belongs to the caller is not needed. */
static void seal(csv_source *s)
{
    for (size_t c = 0; c < s->table.column_count; c++)
        s->table.columns[c].sealed = s->table.columns[c].kind == LG_CSV_TEXT;
    s->table.positive = NULL;
    s->options.target = s->options.positive = NULL;
    s->options.drop = s->options.text_columns = NULL;
    s->options.like = NULL;
}

static csv_source *new_source(lg_stream *stream, const lg_csv_options *options)
{
    csv_source *s = lg_calloc(1, sizeof *s, "dataset_stream");
    char *path = lg_strdup(stream->path, "dataset_stream");
    if (!s || !path || lg_file_mark_take(stream->descriptor, path, &s->mark) < 0) {
        free(s);
        free(path);
        return NULL;
    }
    s->path = path;
    s->options = *options;
    s->stream = *stream;
    s->stream.path = path;
    *stream = (lg_stream){ .path = path };
    return s;
}

lg_dataset *lg_csv_stream(lg_stream *stream, const lg_csv_options *options, size_t buffer_rows)
{
    if (options->missing == LG_MISSING_MEDIAN) {
        lg_fail(LG_E_PARAM, "%s: the medians of a file that is streamed are not known, since that takes all of it in memory; "
                            "its means are", stream->path);
        return NULL;
    }
    csv_source *s = new_source(stream, options);
    if (!s)
        return NULL;
    lg_status status = lg_csv_open(&s->table, &s->stream, &s->options);
    if (status == LG_OK)
        status = lg_csv_read_rows(&s->table, note_row, s);
    if (status < 0) {
        free_source(s);
        return NULL;
    }
    lg_dataset *dataset = make_dataset(s, buffer_rows);
    if (dataset)
        seal(s);
    return dataset;
}
