/* From an array in a file, and the labels in another, to a data set (read.h). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/array_internal.h"
#include "data/dataset_internal.h"
#include "data/target_internal.h"
#include "tensor/memory_internal.h"

/* ---- where the target comes from ----------------------------------------------------------------------------------- */

lg_status lg_array_check_labels(const char *path, const lg_array_header *header, size_t rows, const char *owner)
{
    if (header->rank != 1)
        return lg_fail(LG_E_FORMAT, "%s: labels are an array of one axis, a number for each row; this is %s", path,
                       header->rank ? lg_dims_text_of(header->rank, header->dims).text : "a single number");
    if (header->dims[0] != rows)
        return lg_fail(LG_E_FORMAT, "%s: %zu labels, but %s has %zu rows", path, header->dims[0], owner, rows);
    return LG_OK;
}

static lg_status read_labels(lg_target *t, lg_stream *stream, const char *owner)
{
    lg_array_header header;
    t->path = stream->path;
    lg_status status = lg_array_header_read(stream, &header);
    if (status == LG_OK)
        status = lg_array_check_labels(t->path, &header, t->rows, owner);
    if (status == LG_OK) {
        void *values;
        size_t count;
        status = lg_array_read(stream, &header, &(lg_array_store){ .type = LG_STORE_DOUBLE }, &values, &count);
        t->value = values;
        t->kind = lg_target_kind_of(t->options, lg_element_is_integer(header.element));
    }
    return status;
}

/* Column `index` of the table leaves it for the target. */
static lg_status take_column(lg_target *t, lg_real *values, size_t columns, size_t index)
{
    t->value = lg_calloc(t->rows, sizeof *t->value, "lg_dataset_read");
    if (!t->value)
        return LG_E_MEMORY;
    t->kind = lg_target_kind_of(t->options, false);
    lg_real *to = values;
    for (size_t i = 0; i < t->rows; i++)
        for (size_t c = 0; c < columns; c++) {
            const lg_real value = values[i * columns + c];
            if (c != index)
                *to++ = value;
            else if (isfinite(value))
                t->value[i] = (double)value;
            else
                return lg_fail(LG_E_FORMAT, "%s: row %zu: the target, column %zu, is not a finite number", t->path, i,
                               index);
        }
    return LG_OK;
}

lg_status lg_array_find_column(const char *path, const lg_array_header *header, const char *text, size_t *index)
{
    const lg_dims_text dims = lg_dims_text_of(header->rank, header->dims);
    char *end;
    const long long number = strtoll(text, &end, 10);
    if (header->rank != 2)
        return lg_fail(LG_E_PARAM, "%s: the array is %s, which has no columns for a target; give a labels file", path,
                       dims.text);
    const long long columns = header->dims[1] > INT32_MAX ? INT32_MAX : (long long)header->dims[1];
    if (end == text || *end != '\0' || number >= columns || number < -columns)
        return lg_fail(LG_E_PARAM, "%s: there is no column \"%s\" for the target; there are %zu, 0 .. %zu, without names",
                       path, text, header->dims[1], header->dims[1] - 1);
    if (header->dims[1] == 1)
        return lg_fail(LG_E_FORMAT, "%s: there is no column left for features", path);
    *index = (size_t)(number < 0 ? number + columns : number);
    return LG_OK;
}

/* ---- the data set -------------------------------------------------------------------------------------------------- */

lg_status lg_array_check_options(const char *path, const lg_read_options *options, bool labels)
{
    const lg_csv_options *csv = &options->csv;
    if (csv->drop || csv->text_columns)
        return lg_fail(LG_E_PARAM, "%s: this is an array of numbers, whose columns have no names to leave out", path);
    if (labels && csv->target)
        return lg_fail(LG_E_PARAM, "%s: a target column and a labels file exclude each other", path);
    if ((unsigned)csv->target_kind > LG_BINARY || (unsigned)csv->missing > LG_MISSING_DROP_ROW)
        return lg_fail(LG_E_PARAM, "%s: target_kind or missing is not one of its names", path);
    if (csv->positive && csv->target_kind != LG_TARGET_AUTO && csv->target_kind != LG_BINARY)
        return lg_fail(LG_E_PARAM, "%s: a positive class is for a binary target", path);
    return LG_OK;
}

/* The shape of a row of "x". */
lg_status lg_array_plan_rows(const char *path, const lg_array_header *header, const lg_read_options *options, lg_field *x)
{
    const lg_dims_text dims = lg_dims_text_of(header->rank, header->dims);
    if (header->rank == 0)
        return lg_fail(LG_E_FORMAT, "%s: the array is a single number; rows are needed", path);
    for (size_t k = 0; k < header->rank; k++)
        if (header->dims[k] == 0)
            return lg_fail(LG_E_FORMAT, "%s: the array is %s: there are no %s", path, dims.text, k ? "values" : "rows");
    if (header->rank > LG_MAX_RANK && !options->flatten)
        return lg_fail(LG_E_SHAPE, "%s: the array is %s; a tensor has at most %d axes", path, dims.text, LG_MAX_RANK);
    *x = (lg_field){ .name = "x", .rank = 1, .dims = { 1 } };
    if (options->flatten)
        for (size_t k = 1; k < header->rank; k++)
            x->dims[0] *= header->dims[k]; /* lg_array_read refuses what overflows */
    else if (header->rank > 1) {
        x->rank = header->rank - 1;
        memcpy(x->dims, header->dims + 1, x->rank * sizeof *x->dims);
    }
    return LG_OK;
}

lg_status lg_array_check_like(const char *path, const lg_field *x, const lg_dataset *like)
{
    const lg_field *wanted = lg_dataset_field(like, "x");
    if (!like || (wanted && wanted->rank == x->rank && memcmp(wanted->dims, x->dims, x->rank * sizeof *x->dims) == 0))
        return LG_OK;
    return lg_fail(LG_E_FORMAT, "%s: rows are %s, but in the data set to read the file like they are %s", path,
                   lg_dims_text_of(x->rank, x->dims).text,
                   wanted ? lg_dims_text_of(wanted->rank, wanted->dims).text : "not there");
}

static lg_dataset *make_dataset(const lg_field *x, lg_real **values, lg_target *t, bool column, const char *target_name)
{
    lg_dataset *dataset = lg_dataset_new(t->rows);
    if (!dataset)
        return NULL;
    lg_status status = lg_dataset_adopt_field(dataset, x, *values);
    if (status == LG_OK) {
        *values = NULL;
        if (t->value)
            status = lg_target_add(t, dataset, column);
    }
    if (status == LG_OK && target_name)
        status = lg_dataset_set_target_name(dataset, target_name);
    if (status == LG_OK)
        return dataset;
    lg_dataset_free(dataset);
    return NULL;
}

lg_array_store lg_array_store_of(const lg_array_header *header, const lg_read_options *options)
{
    return (lg_array_store){ .type = LG_STORE_REAL,
                             .allow_nan = options->csv.allow_nonfinite || options->csv.missing == LG_MISSING_KEEP,
                             .allow_infinite = options->csv.allow_nonfinite,
                             .divide_by = options->unit_bytes && header->element == LG_U1 ? 255 : 0 };
}

lg_dataset *lg_array_dataset_with(lg_stream *stream, const lg_array_header *header, lg_stream *labels,
                                  const lg_read_options *options)
{
    const lg_csv_options *csv = &options->csv;
    const lg_array_store store = lg_array_store_of(header, options);
    const char *path = stream->path;
    size_t column = 0, count;
    lg_field x;
    void *read = NULL;
    lg_target t = { .path = path, .options = csv };
    lg_dataset *dataset = NULL;
    lg_status status = lg_array_check_options(path, options, labels || options->labels);
    if (status == LG_OK)
        status = lg_array_plan_rows(path, header, options, &x);
    if (status == LG_OK && csv->target)
        status = lg_array_find_column(path, header, csv->target, &column);
    if (status == LG_OK && csv->target)
        x.dims[0]--;
    if (status == LG_OK)
        status = lg_array_check_like(path, &x, csv->like);
    if (status == LG_OK)
        status = lg_array_read(stream, header, &store, &read, &count);
    lg_real *values = read;
    t.rows = header->rank ? header->dims[0] : 0;
    if (status == LG_OK && csv->target)
        status = take_column(&t, values, header->dims[1], column);
    else if (status == LG_OK && labels)
        status = read_labels(&t, labels, path);
    if (status == LG_OK) {
        char name[32];
        snprintf(name, sizeof name, "%zu", column);
        dataset = make_dataset(&x, &values, &t, csv->target != NULL, csv->target ? name : NULL);
    }
    free(values);
    lg_target_free(&t);
    return dataset;
}

lg_dataset *lg_array_dataset(lg_stream *stream, const lg_array_header *header, const lg_read_options *options)
{
    if (!options->labels || options->csv.target) /* both are refused there */
        return lg_array_dataset_with(stream, header, NULL, options);
    lg_stream labels;
    if (lg_stream_open(&labels, options->labels) < 0)
        return NULL;
    lg_dataset *dataset = lg_array_dataset_with(stream, header, &labels, options);
    lg_stream_close(&labels);
    return dataset;
}
