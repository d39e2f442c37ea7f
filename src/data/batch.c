/* Batches: rows of a data set, gathered into buffers or viewed where they lie. */
#include "data/batch_internal.h"

#include <stdlib.h>
#include <string.h>

#include "data/dataset_internal.h"
#include "tensor/memory_internal.h"
#include "tensor/profile_internal.h"

/* ---- making -------------------------------------------------------------------------------------------------------- */

static lg_status new_buffers(lg_batch_part *part, size_t max_rows)
{
    const lg_field *field = part->field;
    size_t bytes = lg_field_bytes(field);
    if (!lg_size_mul(bytes, field->ragged ? field->max_length : 1, &bytes) || !lg_size_mul(bytes, max_rows, &bytes))
        return lg_fail(LG_E_SHAPE, "batch: %zu rows of field \"%s\" are too large", max_rows, field->name);
    part->row_size = lg_field_size(field);
    part->buffer = lg_aligned_alloc(bytes, "batch");
    if (field->ragged)
        part->length_buffer = lg_calloc(max_rows, sizeof *part->length_buffer, "batch");
    return part->buffer && (part->length_buffer || !field->ragged) ? LG_OK : LG_E_MEMORY;
}

lg_batch *lg_batch_new(const lg_dataset *dataset, size_t max_rows)
{
    if (!dataset) {
        lg_fail_null("batch: no data set");
        return NULL;
    }
    if (max_rows == 0) {
        lg_fail(LG_E_PARAM, "batch: max_rows is 0");
        return NULL;
    }
    lg_batch *batch = lg_calloc(1, sizeof *batch, "batch");
    if (!batch)
        return NULL;
    batch->dataset = lg_dataset_retain(dataset);
    batch->max_rows = max_rows;
    batch->ids = lg_calloc(max_rows, sizeof *batch->ids, "batch");
    batch->source_ids = lg_calloc(max_rows, sizeof *batch->source_ids, "batch");
    bool good = batch->ids && batch->source_ids;
    for (size_t f = 0; good && f < lg_dataset_field_count(dataset); f++) {
        batch->fields[f].field = lg_dataset_field_at(dataset, f);
        batch->field_count = f + 1;
        good = new_buffers(&batch->fields[f], max_rows) == LG_OK;
    }
    if (good)
        return batch;
    lg_batch_free(batch);
    return NULL;
}

void lg_batch_free(lg_batch *batch)
{
    if (!batch)
        return;
    for (size_t f = 0; f < batch->field_count; f++) {
        free(batch->fields[f].buffer);
        free(batch->fields[f].length_buffer);
    }
    free(batch->ids);
    free(batch->source_ids);
    lg_dataset_free(batch->dataset);
    free(batch);
}

/* ---- filling ------------------------------------------------------------------------------------------------------- */

static void empty(lg_batch *batch)
{
    batch->rows = 0;
    for (size_t f = 0; f < batch->field_count; f++) {
        batch->fields[f].values = batch->fields[f].buffer;
        batch->fields[f].lengths = batch->fields[f].length_buffer;
        batch->fields[f].longest = 0;
    }
}

/* Copies the ids, and translates a subset's to rows of the source. */
static lg_status take_ids(lg_batch *batch, const size_t *ids, size_t count)
{
    const lg_dataset *dataset = batch->dataset;
    for (size_t i = 0; i < count; i++) {
        if (ids[i] >= dataset->rows)
            return lg_fail(LG_E_INDEX, "batch: ids[%zu] is %zu, but the data set has %zu rows", i, ids[i],
                           dataset->rows);
        batch->ids[i] = ids[i];
        batch->source_ids[i] = dataset->original ? dataset->row_map[ids[i]] : ids[i];
    }
    return LG_OK;
}

static bool consecutive(const size_t *ids, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (ids[i] != ids[0] + i)
            return false;
    return true;
}

/* Points what it can into the source's memory; those fields' `values` are set, the others' NULL. */
static bool view_rows(lg_batch *batch, const lg_source *source, size_t count)
{
    bool possible = source->view && consecutive(batch->source_ids, count), all = true;
    for (size_t f = 0; f < batch->field_count; f++) {
        lg_batch_part *part = &batch->fields[f];
        part->values = possible && !part->field->ragged
                           ? source->view(source->context, f, batch->source_ids[0], count)
                           : NULL;
        all = all && part->values;
    }
    return all;
}

/* From rows of max_length, as the source wrote them, to rows of the longest, padded with zeros. Rows only move towards
 * the front, so ascending order is safe in place. */
static lg_status close_up(lg_batch_part *part, const size_t *ids, size_t count)
{
    const lg_field *field = part->field;
    size_t item = lg_field_bytes(field), longest = 0;
    for (size_t i = 0; i < count; i++) {
        int32_t length = part->length_buffer[i];
        if (length < 0 || (size_t)length > field->max_length)
            return lg_fail(LG_E_DOMAIN, "batch: row %zu of field \"%s\" has length %d; 0 .. %zu are possible", ids[i],
                           field->name, length, field->max_length);
        if ((size_t)length > longest)
            longest = (size_t)length;
    }
    char *values = part->buffer;
    for (size_t i = 0; i < count; i++) {
        size_t used = (size_t)part->length_buffer[i] * item;
        memmove(values + i * longest * item, values + i * field->max_length * item, used);
        memset(values + i * longest * item + used, 0, longest * item - used);
    }
    part->longest = longest;
    return LG_OK;
}

static lg_status copy_rows(lg_batch *batch, const lg_source *source, size_t count)
{
    void *values[LG_MAX_FIELDS];
    int32_t *lengths[LG_MAX_FIELDS];
    for (size_t f = 0; f < batch->field_count; f++) {
        lg_batch_part *part = &batch->fields[f];
        values[f] = part->values ? NULL : part->buffer;
        lengths[f] = part->length_buffer;
        if (!part->values)
            part->values = part->buffer;
    }
    lg_status status = source->fill(source->context, batch->source_ids, count, values, lengths);
    if (status != LG_OK && lg_error_code() != status)
        status = lg_fail(status < 0 ? status : LG_E_STATE, "batch: the source could not fill %zu rows", count);
    for (size_t f = 0; status == LG_OK && f < batch->field_count; f++)
        if (batch->fields[f].field->ragged)
            status = close_up(&batch->fields[f], batch->ids, count);
    return status;
}

/* What was read and written: nothing of fields that are views. */
static double bytes_copied(const lg_batch *batch, size_t count)
{
    double bytes = 0;
    for (size_t f = 0; f < batch->field_count; f++) {
        const lg_batch_part *part = &batch->fields[f];
        if (part->values == part->buffer)
            bytes += 2 * (double)(count * lg_field_bytes(part->field) * (part->field->ragged ? part->longest : 1));
    }
    return bytes;
}

lg_status lg_batch_fill(lg_batch *batch, const size_t *ids, size_t count)
{
    if (!batch || (!ids && count))
        return lg_fail_null("batch_fill: no batch or row ids");
    empty(batch);
    if (count > batch->max_rows)
        return lg_fail(LG_E_PARAM, "batch_fill: %zu rows; the batch was made for at most %zu", count,
                       batch->max_rows);
    if (count == 0)
        return LG_OK;
    const lg_source *source = &lg_dataset_original(batch->dataset)->source;
    lg_profile_span span;
    lg_profile_begin(&span);
    lg_status status = take_ids(batch, ids, count);
    if (status == LG_OK && !view_rows(batch, source, count))
        status = copy_rows(batch, source, count);
    if (span.measured)
        lg_profile_end(&span, "batch", LG_PHASE_DATA, bytes_copied(batch, count));
    if (status < 0) {
        empty(batch);
        return status;
    }
    batch->rows = count;
    return LG_OK;
}

/* ---- reading ------------------------------------------------------------------------------------------------------- */

const lg_batch_part *lg_batch_find(const lg_batch *batch, const char *name)
{
    if (!batch || !name)
        return NULL;
    for (size_t f = 0; f < batch->field_count; f++)
        if (strcmp(batch->fields[f].field->name, name) == 0)
            return &batch->fields[f];
    return NULL;
}

const lg_dataset *lg_batch_dataset(const lg_batch *batch)
{
    return batch ? batch->dataset : NULL;
}

size_t lg_batch_rows(const lg_batch *batch)
{
    return batch ? batch->rows : 0;
}

size_t lg_batch_max_rows(const lg_batch *batch)
{
    return batch ? batch->max_rows : 0;
}

const size_t *lg_batch_ids(const lg_batch *batch)
{
    return batch ? batch->ids : NULL;
}

const lg_real *lg_batch_values(const lg_batch *batch, const char *field)
{
    const lg_batch_part *part = lg_batch_find(batch, field);
    return part && part->field->dtype == LG_REAL ? part->values : NULL;
}

const int32_t *lg_batch_indices(const lg_batch *batch, const char *field)
{
    const lg_batch_part *part = lg_batch_find(batch, field);
    return part && part->field->dtype == LG_INT32 ? part->values : NULL;
}

const int32_t *lg_batch_lengths(const lg_batch *batch, const char *field)
{
    const lg_batch_part *part = lg_batch_find(batch, field);
    return part ? part->lengths : NULL;
}

size_t lg_batch_longest(const lg_batch *batch, const char *field)
{
    const lg_batch_part *part = lg_batch_find(batch, field);
    return part ? part->longest : 0;
}

/* ---- whole tables, labels ------------------------------------------------------------------------------------------ */

static const void *whole_table(const lg_dataset *dataset, const char *name, lg_dtype dtype)
{
    const lg_field *field = lg_dataset_field(dataset, name);
    if (!field || field->ragged || field->dtype != dtype)
        return NULL;
    const lg_dataset *original = lg_dataset_original(dataset);
    const lg_source *source = &original->source;
    if (!source->view || (dataset->original && !consecutive(dataset->row_map, dataset->rows)))
        return NULL;
    return source->view(source->context, (size_t)(field - original->fields),
                        dataset->original ? dataset->row_map[0] : 0, dataset->rows);
}

lg_real *lg_dataset_values(const lg_dataset *dataset, const char *field)
{
    return (lg_real *)whole_table(dataset, field, LG_REAL);
}

int32_t *lg_dataset_indices(const lg_dataset *dataset, const char *field)
{
    return (int32_t *)whole_table(dataset, field, LG_INT32);
}

/* Labels of the batch's rows, from either kind of "y". */
static lg_status labels_of(const lg_batch *batch, int32_t *labels)
{
    const int32_t *classes = lg_batch_indices(batch, "y");
    const lg_real *values = lg_batch_values(batch, "y");
    for (size_t i = 0; i < batch->rows; i++) {
        if (values && values[i] != 0 && values[i] != 1)
            return lg_fail(LG_E_DOMAIN, "dataset_labels: y of row %zu is %g, neither 0 nor 1", batch->ids[i],
                           (double)values[i]);
        labels[i] = values ? (int32_t)values[i] : classes[i];
    }
    return LG_OK;
}

lg_status lg_dataset_labels(const lg_dataset *dataset, const size_t *ids, size_t count, int32_t *labels)
{
    enum { BLOCK = 256 };
    if (!dataset || !labels)
        return lg_fail_null("dataset_labels: no data set or no room for labels");
    const lg_field *y = lg_dataset_field(dataset, "y");
    if (!y || y->ragged)
        return lg_fail(LG_E_DTYPE, "dataset_labels: the data set has no dense field \"y\"");
    if (lg_field_size(y) != 1)
        return lg_fail(LG_E_SHAPE, "dataset_labels: \"y\" has %zu values a row", lg_field_size(y));
    size_t rows = ids ? count : dataset->rows, block[BLOCK];
    lg_batch *batch = lg_batch_new(dataset, BLOCK);
    lg_status status = batch ? LG_OK : lg_error_code();
    for (size_t first = 0; status == LG_OK && first < rows; first += BLOCK) {
        size_t now = rows - first < BLOCK ? rows - first : BLOCK;
        for (size_t i = 0; i < now; i++)
            block[i] = ids ? ids[first + i] : first + i;
        status = lg_batch_fill(batch, block, now);
        if (status == LG_OK)
            status = labels_of(batch, labels + first);
    }
    lg_batch_free(batch);
    return status;
}
