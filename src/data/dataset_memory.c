/* Data sets whose rows lie in memory. */
#include "data/dataset_internal.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "tensor/memory_internal.h"

/* One field: items (rows, or steps of ragged rows) of item_bytes each, one after the other. */
typedef struct {
    char *values;
    size_t item_bytes, max_length;
    int32_t *lengths;  /* ragged: [rows], else NULL */
    size_t *offsets;   /* ragged: [rows], index of a row's first item */
} table_field;

typedef struct lg_table {
    size_t rows;
    size_t field_count;
    table_field fields[LG_MAX_FIELDS];
} lg_table;

/* ---- the source -------------------------------------------------------------------------------------------------- */

#define ROWS_AHEAD ((size_t)16)
#define BYTES_AHEAD ((size_t)256) /* of a row: what follows, the processor foresees */

/* Asks for a row's lines of the cache: shuffled rows of a large data set are in none, and one after the other they
 * would be waited for. */
static inline void ask_for_row(const char *values, size_t bytes, size_t row)
{
#if defined(__GNUC__)
    const char *begin = values + bytes * row;
    for (size_t at = 0; at < bytes && at < BYTES_AHEAD; at += 64)
        __builtin_prefetch(begin + at);
    __builtin_prefetch(begin + (bytes < BYTES_AHEAD ? bytes : BYTES_AHEAD) - 1);
#else
    (void)values, (void)bytes, (void)row;
#endif
}

/* Inlined for the sizes below: a constant one lets the compiler turn each copy into one load and one store. */
static inline void gather(const char *values, size_t bytes, const size_t *ids, size_t count, char *out)
{
    for (size_t i = 0; i < ROWS_AHEAD && i < count; i++)
        ask_for_row(values, bytes, ids[i]);
    for (size_t i = 0; i < count; i++) {
        if (i + ROWS_AHEAD < count)
            ask_for_row(values, bytes, ids[i + ROWS_AHEAD]);
        memcpy(out + bytes * i, values + bytes * ids[i], bytes);
    }
}

static void gather_dense(const table_field *field, const size_t *ids, size_t count, char *out)
{
    switch (field->item_bytes) {
    case 0: break;
    case 4: gather(field->values, 4, ids, count, out); break;
    case 8: gather(field->values, 8, ids, count, out); break;
    default: gather(field->values, field->item_bytes, ids, count, out);
    }
}

static void gather_ragged(const table_field *field, const size_t *ids, size_t count, char *out, int32_t *lengths)
{
    for (size_t i = 0; i < count; i++) {
        lengths[i] = field->lengths[ids[i]];
        if (lengths[i] > 0)
            memcpy(out + i * field->max_length * field->item_bytes,
                   field->values + field->offsets[ids[i]] * field->item_bytes,
                   (size_t)lengths[i] * field->item_bytes);
    }
}

static lg_status table_fill(void *context, const size_t *ids, size_t count, void *const *values,
                            int32_t *const *lengths)
{
    const lg_table *table = context;
    for (size_t f = 0; f < table->field_count; f++)
        if (!values[f])
            continue;
        else if (table->fields[f].lengths)
            gather_ragged(&table->fields[f], ids, count, values[f], lengths[f]);
        else
            gather_dense(&table->fields[f], ids, count, values[f]);
    return LG_OK;
}

static const void *table_view(void *context, size_t f, size_t first, size_t count)
{
    const table_field *field = &((const lg_table *)context)->fields[f];
    (void)count;
    return field->lengths ? NULL : field->values + first * field->item_bytes;
}

static uint64_t table_checksum(void *context)
{
    const lg_table *table = context;
    uint64_t sum = 0;
    for (size_t f = 0; f < table->field_count; f++) {
        const table_field *field = &table->fields[f];
        size_t items = table->rows;
        if (field->lengths) {
            items = table->rows ? field->offsets[table->rows - 1] + (size_t)field->lengths[table->rows - 1] : 0;
            sum = lg_checksum_add(sum, crc32_z(0, (const unsigned char *)field->lengths,
                                               table->rows * sizeof *field->lengths));
        }
        sum = lg_checksum_add(sum, crc32_z(0, (const unsigned char *)field->values, items * field->item_bytes));
    }
    return sum;
}

static void table_free(void *context)
{
    lg_table *table = context;
    for (size_t f = 0; f < table->field_count; f++) {
        free(table->fields[f].values);
        free(table->fields[f].lengths);
        free(table->fields[f].offsets);
    }
    free(table);
}

/* ---- making them ------------------------------------------------------------------------------------------------- */

lg_dataset *lg_dataset_new(size_t rows)
{
    lg_table *table = lg_calloc(1, sizeof *table, "dataset_new");
    if (!table)
        return NULL;
    table->rows = rows;
    lg_dataset *dataset = lg_dataset_from_source(&(lg_source){ .rows = rows, .context = table, .fill = table_fill,
                                                               .view = table_view, .checksum = table_checksum,
                                                               .free = table_free });
    if (!dataset) {
        free(table);
        return NULL;
    }
    dataset->in_memory = true;
    return dataset;
}

/* Appends a field whose parts are owned from here on; on failure they are the caller's still. */
static lg_status append_field(lg_dataset *dataset, const lg_field *field, const table_field *stored)
{
    char *name = lg_strdup(field->name, "dataset_add_field");
    if (!name)
        return LG_E_MEMORY;
    lg_table *table = dataset->source.context;
    lg_field *added = &dataset->fields[dataset->source.field_count++];
    *added = *field;
    added->name = name;
    added->max_length = stored->max_length;
    table->fields[table->field_count++] = *stored;
    return LG_OK;
}

lg_status lg_dataset_adopt_field(lg_dataset *dataset, const lg_field *field, void *values)
{
    lg_status status = lg_field_check(dataset->fields, dataset->source.field_count, field);
    return status < 0 ? status
                      : append_field(dataset, field,
                                     &(table_field){ .values = values, .item_bytes = lg_field_bytes(field) });
}

/* Lengths and offsets of a ragged field's rows; *items is their sum. */
static lg_status copy_lengths(table_field *stored, const char *name, size_t rows, const int32_t *lengths,
                              size_t *items)
{
    stored->lengths = lg_calloc(rows, sizeof *stored->lengths, "dataset_add_field");
    stored->offsets = lg_calloc(rows, sizeof *stored->offsets, "dataset_add_field");
    if (!stored->lengths || !stored->offsets)
        return LG_E_MEMORY;
    *items = 0;
    for (size_t i = 0; i < rows; i++) {
        if (lengths[i] < 0)
            return lg_fail(LG_E_PARAM, "dataset_add_field: field \"%s\": lengths[%zu] is %d", name, i, lengths[i]);
        stored->lengths[i] = lengths[i];
        stored->offsets[i] = *items;
        *items += (size_t)lengths[i];
        if ((size_t)lengths[i] > stored->max_length)
            stored->max_length = (size_t)lengths[i];
    }
    return LG_OK;
}

lg_status lg_dataset_add_field(lg_dataset *dataset, const lg_field *field, const void *values,
                               const int32_t *lengths)
{
    if (!dataset || !field || !values || (field->ragged && !lengths))
        return lg_fail_null("dataset_add_field: no data set, field, values or lengths");
    if (!dataset->in_memory)
        return lg_fail(LG_E_STATE, "dataset_add_field: the data set was not made by lg_dataset_new");
    lg_field copied = *field;
    copied.max_length = 0;
    lg_status status = lg_field_check(dataset->fields, dataset->source.field_count, &copied);
    if (status < 0)
        return status;

    table_field stored = { .item_bytes = lg_field_bytes(field) };
    size_t items = dataset->rows, bytes;
    if (field->ragged)
        status = copy_lengths(&stored, field->name, dataset->rows, lengths, &items);
    if (status == LG_OK && (!lg_size_mul(items, stored.item_bytes, &bytes)
                            || !lg_size_mul(stored.max_length, stored.item_bytes, &(size_t){ 0 })))
        status = lg_fail(LG_E_SHAPE, "dataset_add_field: field \"%s\" is too large", field->name);
    if (status == LG_OK && !(stored.values = lg_aligned_alloc(bytes, "dataset_add_field")))
        status = LG_E_MEMORY;
    if (status == LG_OK) {
        memcpy(stored.values, values, bytes);
        status = append_field(dataset, field, &stored);
    }
    if (status < 0) {
        free(stored.values);
        free(stored.lengths);
        free(stored.offsets);
    }
    return status;
}

lg_dataset *lg_dataset_from_arrays(size_t rows, size_t columns, const lg_real *x, const lg_real *y)
{
    if (!x) {
        lg_fail_null("dataset_from_arrays: no x");
        return NULL;
    }
    lg_dataset *dataset = lg_dataset_new(rows);
    if (!dataset)
        return NULL;
    if (lg_dataset_add_field(dataset, &(lg_field){ .name = "x", .rank = 1, .dims = { columns } }, x, NULL) == LG_OK
        && (!y || lg_dataset_add_field(dataset, &(lg_field){ .name = "y" }, y, NULL) == LG_OK))
        return dataset;
    lg_dataset_free(dataset);
    return NULL;
}

/* Names "0", "1", ... for classes that have none. */
static lg_status number_classes(lg_dataset *dataset, size_t classes)
{
    enum { DIGITS = 12 };
    char(*text)[DIGITS] = lg_calloc(classes, sizeof *text, "dataset_from_classes");
    const char **names = lg_calloc(classes, sizeof *names, "dataset_from_classes");
    lg_status status = LG_E_MEMORY;
    if (text && names) {
        for (size_t c = 0; c < classes; c++) {
            snprintf(text[c], DIGITS, "%u", (unsigned)c);
            names[c] = text[c];
        }
        status = lg_dataset_set_class_names(dataset, classes, names);
    }
    free(text);
    free(names);
    return status;
}

lg_dataset *lg_dataset_from_classes(size_t rows, size_t columns, const lg_real *x, const int32_t *y, size_t classes)
{
    if (!x || !y) {
        lg_fail_null("dataset_from_classes: no x or y");
        return NULL;
    }
    if (classes < 2 || classes > INT32_MAX) {
        lg_fail(LG_E_PARAM, "dataset_from_classes: %zu classes; 2 .. %d are possible", classes, INT32_MAX);
        return NULL;
    }
    for (size_t i = 0; i < rows; i++)
        if (y[i] < 0 || (size_t)y[i] >= classes) {
            lg_fail(LG_E_INDEX, "dataset_from_classes: y[%zu] is %d, but there are %zu classes (0..%zu)", i, y[i],
                    classes, classes - 1);
            return NULL;
        }
    lg_dataset *dataset = lg_dataset_from_arrays(rows, columns, x, NULL);
    if (!dataset)
        return NULL;
    if (lg_dataset_add_field(dataset, &(lg_field){ .name = "y", .dtype = LG_INT32 }, y, NULL) == LG_OK
        && number_classes(dataset, classes) == LG_OK)
        return dataset;
    lg_dataset_free(dataset);
    return NULL;
}
