/* From an array in a file, and the labels in another, to a data set (read.h). */
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/array_internal.h"
#include "data/dataset_internal.h"
#include "tensor/memory_internal.h"

/* What the target is made of: a number of each row. */
typedef struct target {
    const char *path; /* where it is from, for messages */
    double *value;    /* [rows] finite */
    size_t rows;
    lg_target_kind kind; /* not AUTO */
    const lg_csv_options *options;
    double *sorted; /* [distinct] ascending */
    size_t distinct;
} target;

/* ---- the target as a field ----------------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static lg_status find_distinct(target *t)
{
    t->sorted = lg_calloc(t->rows, sizeof *t->sorted, "lg_dataset_read");
    if (!t->sorted)
        return LG_E_MEMORY;
    memcpy(t->sorted, t->value, t->rows * sizeof *t->sorted);
    qsort(t->sorted, t->rows, sizeof *t->sorted, ascending);
    t->distinct = 1;
    for (size_t i = 1; i < t->rows; i++)
        if (t->sorted[i] != t->sorted[t->distinct - 1])
            t->sorted[t->distinct++] = t->sorted[i];
    if (t->distinct == 1 && !t->options->like)
        return lg_fail(LG_E_FORMAT, "%s: the target is %.9g in every row; there is nothing to learn", t->path,
                       t->sorted[0]);
    return LG_OK;
}

/* Classes are whole numbers that a value of the file is sure to be, rounded as it may have been. */
static lg_status check_whole(const target *t, bool as_lg_real)
{
    const double most = ldexp(1, as_lg_real && LG_REAL_BITS == 32 ? 24 : 53);
    for (size_t i = 0; i < t->distinct; i++)
        if (t->sorted[i] != rint(t->sorted[i]) || fabs(t->sorted[i]) > most)
            return lg_fail(LG_E_FORMAT, "%s: %.9g is no class; classes are whole numbers up to %.0f", t->path,
                           t->sorted[i], most);
    return LG_OK;
}

enum { NAME_BYTES = 32 };

static lg_status adopt(lg_dataset *dataset, const lg_field *field, void *values)
{
    lg_status status = lg_dataset_adopt_field(dataset, field, values);
    if (status < 0)
        free(values);
    return status;
}

/* The class of a value: its place among those of the file, or the one of that name in options->like. */
static lg_status class_of(const target *t, size_t place, int32_t *code)
{
    const lg_dataset *like = t->options->like;
    char text[NAME_BYTES];
    snprintf(text, sizeof text, "%.0f", t->sorted[place]);
    size_t c = like ? 0 : place;
    while (like && c < lg_dataset_classes(like) && strcmp(lg_dataset_class_name(like, c), text) != 0)
        c++;
    if (like && c == lg_dataset_classes(like))
        return lg_fail(LG_E_FORMAT, "%s: class %s is not known; the data set to read the file like does not have it",
                       t->path, text);
    if (c > INT32_MAX)
        return lg_fail(LG_E_FORMAT, "%s: %zu classes are too many", t->path, t->distinct);
    *code = (int32_t)c;
    return LG_OK;
}

static lg_status name_classes(const target *t, lg_dataset *dataset)
{
    const lg_dataset *like = t->options->like;
    const size_t count = like ? lg_dataset_classes(like) : t->distinct;
    char(*text)[NAME_BYTES] = lg_calloc(count, sizeof *text, "lg_dataset_read");
    const char **names = lg_calloc(count, sizeof *names, "lg_dataset_read");
    lg_status status = text && names ? LG_OK : LG_E_MEMORY;
    for (size_t c = 0; status == LG_OK && c < count; c++) {
        if (!like)
            snprintf(text[c], NAME_BYTES, "%.0f", t->sorted[c]);
        names[c] = like ? lg_dataset_class_name(like, c) : text[c];
    }
    if (status == LG_OK)
        status = lg_dataset_set_class_names(dataset, count, names);
    free(text);
    free(names);
    return status;
}

static lg_status add_classes(const target *t, lg_dataset *dataset)
{
    int32_t *codes = lg_calloc(t->rows, sizeof *codes, "lg_dataset_read");
    int32_t *code_of = lg_calloc(t->distinct, sizeof *code_of, "lg_dataset_read");
    lg_status status = codes && code_of ? LG_OK : LG_E_MEMORY;
    for (size_t k = 0; status == LG_OK && k < t->distinct; k++)
        status = class_of(t, k, &code_of[k]);
    for (size_t i = 0; status == LG_OK && i < t->rows; i++) {
        const double *found = bsearch(&t->value[i], t->sorted, t->distinct, sizeof *t->sorted, ascending);
        codes[i] = code_of[found - t->sorted];
    }
    free(code_of);
    if (status == LG_OK)
        status = lg_dataset_adopt_field(dataset, &(lg_field){ .name = "y", .dtype = LG_INT32 }, codes);
    if (status < 0) {
        free(codes);
        return status;
    }
    return name_classes(t, dataset);
}

static lg_status add_values(const target *t, lg_dataset *dataset)
{
    const double most = LG_REAL_BITS == 64 ? DBL_MAX : (double)FLT_MAX;
    lg_real *values = lg_calloc(t->rows, sizeof *values, "lg_dataset_read");
    for (size_t i = 0; values && i < t->rows; i++) {
        if (fabs(t->value[i]) > most) {
            free(values);
            return lg_fail(LG_E_FORMAT, "%s: row %zu: the target is %.9g, which is too large", t->path, i, t->value[i]);
        }
        values[i] = (lg_real)t->value[i];
    }
    return values ? adopt(dataset, &(lg_field){ .name = "y" }, values) : LG_E_MEMORY;
}

/* The value of the class that is 1: options->positive, or that of options->like, or the second of two. */
static lg_status find_positive(const target *t, double *value)
{
    const char *text = t->options->positive ? t->options->positive : lg_dataset_class_name(t->options->like, 1);
    *value = t->sorted[t->distinct - 1];
    if (!text && t->distinct != 2)
        return lg_fail(LG_E_FORMAT, "%s: the target has %zu classes; say which one is positive", t->path, t->distinct);
    if (!text)
        return LG_OK;
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", NULL);
    if (!c_locale)
        return lg_fail(LG_E_MEMORY, "lg_dataset_read: out of memory for a locale");
    char *end;
    *value = strtod_l(text, &end, c_locale);
    freelocale(c_locale);
    bool known = end != text && *end == '\0';
    if (known && !t->options->like)
        known = bsearch(value, t->sorted, t->distinct, sizeof *t->sorted, ascending) != NULL;
    return known ? LG_OK : lg_fail(LG_E_PARAM, "%s: the target has no class \"%s\"", t->path, text);
}

static lg_status add_binary(const target *t, lg_dataset *dataset)
{
    double positive;
    lg_status status = find_positive(t, &positive);
    if (status < 0)
        return status;
    lg_real *values = lg_calloc(t->rows, sizeof *values, "lg_dataset_read");
    for (size_t i = 0; values && i < t->rows; i++)
        values[i] = t->value[i] == positive;
    status = values ? adopt(dataset, &(lg_field){ .name = "y" }, values) : LG_E_MEMORY;
    if (status < 0)
        return status;
    char names[2][NAME_BYTES + 4];
    snprintf(names[1], sizeof names[1], "%.9g", positive);
    if (t->distinct == 2)
        snprintf(names[0], sizeof names[0], "%.9g", t->sorted[t->sorted[0] == positive]);
    else
        snprintf(names[0], sizeof names[0], "not %.9g", positive);
    const char *like = lg_dataset_class_name(t->options->like, 0);
    return lg_dataset_set_class_names(dataset, 2, (const char *[]){ like ? like : names[0], names[1] });
}

static lg_status add_target(target *t, lg_dataset *dataset, bool as_lg_real)
{
    lg_status status = find_distinct(t);
    if (status == LG_OK && t->kind == LG_CLASSES && (status = check_whole(t, as_lg_real)) == LG_OK)
        status = add_classes(t, dataset);
    else if (status == LG_OK && t->kind == LG_BINARY)
        status = add_binary(t, dataset);
    else if (status == LG_OK)
        status = add_values(t, dataset);
    return status;
}

/* ---- where the target comes from ----------------------------------------------------------------------------------- */

static lg_target_kind kind_of(const lg_csv_options *options, bool integers)
{
    if (options->target_kind != LG_TARGET_AUTO)
        return options->target_kind;
    return options->positive ? LG_BINARY : integers ? LG_CLASSES : LG_VALUES;
}

static lg_status read_labels(target *t, const char *path, const char *owner)
{
    lg_stream stream;
    lg_array_header header;
    lg_status status = lg_stream_open(&stream, path);
    if (status < 0)
        return status;
    t->path = path;
    status = lg_array_header_read(&stream, &header);
    if (status == LG_OK && header.rank != 1)
        status = lg_fail(LG_E_FORMAT, "%s: labels are an array of one axis, a number for each row; this is %s", path,
                         header.rank ? lg_dims_text_of(header.rank, header.dims).text : "a single number");
    if (status == LG_OK && header.dims[0] != t->rows)
        status = lg_fail(LG_E_FORMAT, "%s: %zu labels, but %s has %zu rows", path, header.dims[0], owner, t->rows);
    if (status == LG_OK) {
        void *values;
        size_t count;
        status = lg_array_read(&stream, &header, &(lg_array_store){ .type = LG_STORE_DOUBLE }, &values, &count);
        t->value = values;
        t->kind = kind_of(t->options, lg_element_is_integer(header.element));
    }
    lg_stream_close(&stream);
    return status;
}

/* Column `index` of the table leaves it for the target. */
static lg_status take_column(target *t, lg_real *values, size_t columns, size_t index)
{
    t->value = lg_calloc(t->rows, sizeof *t->value, "lg_dataset_read");
    if (!t->value)
        return LG_E_MEMORY;
    t->kind = kind_of(t->options, false);
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

static lg_status find_column(const char *path, const lg_array_header *header, const char *text, size_t *index)
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

static lg_status check_options(const char *path, const lg_read_options *options)
{
    const lg_csv_options *csv = &options->csv;
    if (csv->drop || csv->text_columns)
        return lg_fail(LG_E_PARAM, "%s: this is an array of numbers, whose columns have no names to leave out", path);
    if (options->labels && csv->target)
        return lg_fail(LG_E_PARAM, "%s: a target column and a labels file exclude each other", path);
    if ((unsigned)csv->target_kind > LG_BINARY || (unsigned)csv->missing > LG_MISSING_DROP_ROW)
        return lg_fail(LG_E_PARAM, "%s: target_kind or missing is not one of its names", path);
    if (csv->positive && csv->target_kind != LG_TARGET_AUTO && csv->target_kind != LG_BINARY)
        return lg_fail(LG_E_PARAM, "%s: a positive class is for a binary target", path);
    return LG_OK;
}

/* The shape of a row of "x". */
static lg_status plan_rows(const char *path, const lg_array_header *header, const lg_read_options *options, lg_field *x)
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

static lg_status check_like(const char *path, const lg_field *x, const lg_dataset *like)
{
    const lg_field *wanted = lg_dataset_field(like, "x");
    if (!like || (wanted && wanted->rank == x->rank && memcmp(wanted->dims, x->dims, x->rank * sizeof *x->dims) == 0))
        return LG_OK;
    return lg_fail(LG_E_FORMAT, "%s: rows are %s, but in the data set to read the file like they are %s", path,
                   lg_dims_text_of(x->rank, x->dims).text,
                   wanted ? lg_dims_text_of(wanted->rank, wanted->dims).text : "not there");
}

static lg_dataset *make_dataset(const lg_field *x, lg_real **values, target *t, bool column, const char *target_name)
{
    lg_dataset *dataset = lg_dataset_new(t->rows);
    if (!dataset)
        return NULL;
    lg_status status = lg_dataset_adopt_field(dataset, x, *values);
    if (status == LG_OK) {
        *values = NULL;
        if (t->value)
            status = add_target(t, dataset, column);
    }
    if (status == LG_OK && target_name)
        status = lg_dataset_set_target_name(dataset, target_name);
    if (status == LG_OK)
        return dataset;
    lg_dataset_free(dataset);
    return NULL;
}

lg_dataset *lg_array_dataset(lg_stream *stream, const lg_array_header *header, const lg_read_options *options)
{
    const lg_csv_options *csv = &options->csv;
    const lg_array_store store = { .type = LG_STORE_REAL,
                                   .allow_nan = csv->allow_nonfinite || csv->missing == LG_MISSING_KEEP,
                                   .allow_infinite = csv->allow_nonfinite,
                                   .divide_by = options->unit_bytes && header->element == LG_U1 ? 255 : 0 };
    const char *path = stream->path;
    size_t column = 0, count;
    lg_field x;
    void *read = NULL;
    target t = { .path = path, .options = csv };
    lg_dataset *dataset = NULL;
    lg_status status = check_options(path, options);
    if (status == LG_OK)
        status = plan_rows(path, header, options, &x);
    if (status == LG_OK && csv->target)
        status = find_column(path, header, csv->target, &column);
    if (status == LG_OK && csv->target)
        x.dims[0]--;
    if (status == LG_OK)
        status = check_like(path, &x, csv->like);
    if (status == LG_OK)
        status = lg_array_read(stream, header, &store, &read, &count);
    lg_real *values = read;
    t.rows = header->rank ? header->dims[0] : 0;
    if (status == LG_OK && csv->target)
        status = take_column(&t, values, header->dims[1], column);
    else if (status == LG_OK && options->labels)
        status = read_labels(&t, options->labels, path);
    if (status == LG_OK) {
        char name[32];
        snprintf(name, sizeof name, "%zu", column);
        dataset = make_dataset(&x, &values, &t, csv->target != NULL, csv->target ? name : NULL);
    }
    free(values);
    free(t.value);
    free(t.sorted);
    return dataset;
}
