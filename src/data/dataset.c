/* Data sets: making them, counting references, and what they know about themselves. */
#include "data/dataset_internal.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "tensor/memory_internal.h"

/* ---- fields ------------------------------------------------------------------------------------------------------ */

size_t lg_field_size(const lg_field *field)
{
    size_t size = 1;
    for (size_t k = 0; k < field->rank; k++)
        size *= field->dims[k];
    return size;
}

size_t lg_field_bytes(const lg_field *field)
{
    return lg_field_size(field) * (field->dtype == LG_INT32 ? sizeof(int32_t) : sizeof(lg_real));
}

size_t lg_field_find(const lg_field *fields, size_t count, const char *name)
{
    size_t f = 0;
    while (f < count && strcmp(fields[f].name, name) != 0)
        f++;
    return f;
}

lg_status lg_field_check(const lg_field *fields, size_t field_count, const lg_field *field)
{
    if (!field->name || !field->name[0])
        return lg_fail(LG_E_PARAM, "dataset: field %zu has no name", field_count);
    if (field_count == LG_MAX_FIELDS)
        return lg_fail(LG_E_PARAM, "dataset: field \"%s\" is one too many; at most %d", field->name, LG_MAX_FIELDS);
    if (lg_field_find(fields, field_count, field->name) < field_count)
        return lg_fail(LG_E_PARAM, "dataset: there is a field \"%s\" already", field->name);
    if (field->dtype != LG_REAL && field->dtype != LG_INT32)
        return lg_fail(LG_E_DTYPE, "dataset: field \"%s\" is neither LG_REAL nor LG_INT32", field->name);
    size_t rank = field->rank + (field->ragged ? 1 : 0), bytes = sizeof(double);
    if (field->rank > LG_MAX_ROW_RANK || rank > LG_MAX_ROW_RANK)
        return lg_fail(LG_E_SHAPE, "dataset: a row of field \"%s\" has rank %zu; at most %d", field->name, rank,
                       LG_MAX_ROW_RANK);
    for (size_t k = 0; k < field->rank; k++) {
        if (field->dims[k] == 0)
            return lg_fail(LG_E_SHAPE, "dataset: dimension %zu of field \"%s\" is 0", k, field->name);
        if (!lg_size_mul(bytes, field->dims[k], &bytes))
            return lg_fail(LG_E_SHAPE, "dataset: a row of field \"%s\" is too large", field->name);
    }
    if (field->ragged && !lg_size_mul(bytes, field->max_length, &bytes))
        return lg_fail(LG_E_SHAPE, "dataset: a row of field \"%s\" is too large", field->name);
    return LG_OK;
}

/* ---- references -------------------------------------------------------------------------------------------------- */

lg_dataset *lg_dataset_retain(const lg_dataset *dataset)
{
    lg_dataset *counted = (lg_dataset *)dataset;
    atomic_fetch_add_explicit(&counted->references, 1, memory_order_relaxed);
    return counted;
}

static void free_names(lg_dataset_names *names)
{
    for (size_t c = 0; c < names->category_columns; c++) {
        free((char *)names->category_column[c].name);
        free((char **)names->category_column[c].category);
    }
    free(names->category_column);
    free(names->feature);
    free(names->class_name);
    free(names->target);
}

void lg_dataset_free(lg_dataset *dataset)
{
    if (!dataset || atomic_fetch_sub_explicit(&dataset->references, 1, memory_order_acq_rel) > 1)
        return;
    lg_dataset_free(dataset->original);
    free(dataset->row_map);
    if (dataset->source.free)
        dataset->source.free(dataset->source.context);
    for (size_t f = 0; f < dataset->source.field_count; f++)
        free((char *)dataset->fields[f].name);
    free_names(&dataset->names);
    free(dataset);
}

/* ---- from a source, and subsets ---------------------------------------------------------------------------------- */

lg_dataset *lg_dataset_from_source(const lg_source *source)
{
    if (!source || !source->fill || (source->field_count && !source->fields)) {
        lg_fail_null("dataset_from_source: no source, fill function or fields");
        return NULL;
    }
    if (source->rows == 0) {
        lg_fail(LG_E_PARAM, "dataset: a data set needs at least one row");
        return NULL;
    }
    lg_dataset *dataset = lg_calloc(1, sizeof *dataset, "dataset");
    if (!dataset)
        return NULL;
    atomic_init(&dataset->references, 1);
    dataset->rows = source->rows;
    for (size_t f = 0; f < source->field_count; f++) {
        char *name = NULL;
        if (lg_field_check(dataset->fields, f, &source->fields[f]) < 0
            || !(name = lg_strdup(source->fields[f].name, "dataset"))) {
            lg_dataset_free(dataset); /* without the source: it is still the caller's */
            return NULL;
        }
        dataset->fields[f] = source->fields[f];
        dataset->fields[f].name = name;
        dataset->source.field_count = f + 1;
    }
    dataset->source = *source;
    dataset->source.fields = dataset->fields;
    return dataset;
}

lg_dataset *lg_dataset_subset(const lg_dataset *dataset, const size_t *ids, size_t count)
{
    if (!dataset || (!ids && count)) {
        lg_fail_null("dataset_subset: no data set or row ids");
        return NULL;
    }
    if (count == 0) {
        lg_fail(LG_E_PARAM, "dataset: a data set needs at least one row");
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        if (ids[i] >= dataset->rows) {
            lg_fail(LG_E_INDEX, "dataset_subset: ids[%zu] is %zu, but there are %zu rows", i, ids[i], dataset->rows);
            return NULL;
        }
    lg_dataset *subset = lg_calloc(1, sizeof *subset, "dataset_subset");
    size_t *row_map = lg_calloc(count, sizeof *row_map, "dataset_subset");
    if (!subset || !row_map) {
        free(subset);
        free(row_map);
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        row_map[i] = dataset->original ? dataset->row_map[ids[i]] : ids[i];
    atomic_init(&subset->references, 1);
    subset->rows = count;
    subset->row_map = row_map;
    subset->original = lg_dataset_retain(lg_dataset_original(dataset));
    return subset;
}

bool lg_dataset_checksum(const lg_dataset *dataset, uint64_t *sum)
{
    const lg_source *source = &lg_dataset_original(dataset)->source;
    if (!source->checksum)
        return false;
    *sum = source->checksum(source->context);
    if (dataset->original)
        *sum = lg_checksum_add(*sum, crc32_z(0, (const unsigned char *)dataset->row_map,
                                             dataset->rows * sizeof *dataset->row_map));
    return true;
}

/* ---- what a data set is ------------------------------------------------------------------------------------------ */

size_t lg_dataset_rows(const lg_dataset *dataset)
{
    return dataset ? dataset->rows : 0;
}

size_t lg_dataset_field_count(const lg_dataset *dataset)
{
    return dataset ? lg_dataset_original(dataset)->source.field_count : 0;
}

const lg_field *lg_dataset_field_at(const lg_dataset *dataset, size_t index)
{
    return index < lg_dataset_field_count(dataset) ? &lg_dataset_original(dataset)->fields[index] : NULL;
}

const lg_field *lg_dataset_field(const lg_dataset *dataset, const char *name)
{
    if (!dataset || !name)
        return NULL;
    const lg_dataset *original = lg_dataset_original(dataset);
    return lg_dataset_field_at(dataset, lg_field_find(original->fields, original->source.field_count, name));
}

size_t lg_dataset_features(const lg_dataset *dataset)
{
    const lg_field *x = lg_dataset_field(dataset, "x");
    return x ? lg_field_size(x) : 0;
}

static const lg_dataset_names *names_of(const lg_dataset *dataset)
{
    static const lg_dataset_names none;
    return dataset ? &lg_dataset_original(dataset)->names : &none;
}

const char *lg_dataset_feature_name(const lg_dataset *dataset, size_t index)
{
    const lg_dataset_names *names = names_of(dataset);
    return index < names->features ? names->feature[index] : NULL;
}

size_t lg_dataset_classes(const lg_dataset *dataset)
{
    return names_of(dataset)->classes;
}

const char *lg_dataset_class_name(const lg_dataset *dataset, size_t index)
{
    const lg_dataset_names *names = names_of(dataset);
    return index < names->classes ? names->class_name[index] : NULL;
}

const char *lg_dataset_target_name(const lg_dataset *dataset)
{
    return names_of(dataset)->target;
}

const lg_category_column *lg_dataset_category_column(const lg_dataset *dataset, size_t index)
{
    const lg_dataset_names *names = names_of(dataset);
    return index < names->category_columns ? &names->category_column[index] : NULL;
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

char **lg_names_copy(size_t count, const char *const *names, const char *what)
{
    size_t bytes = 0;
    if (!lg_size_mul(count, sizeof(char *), &bytes)) {
        lg_fail(LG_E_SHAPE, "%s: too many names", what);
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        bytes += strlen(names[i]) + 1;
    char **copy = lg_calloc(bytes, 1, what);
    if (!copy)
        return NULL;
    char *text = (char *)(copy + count);
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(names[i]) + 1;
        copy[i] = memcpy(text, names[i], length);
        text += length;
    }
    return copy;
}

static lg_status replace_names(char ***list, size_t *list_count, size_t count, const char *const *names,
                               const char *what)
{
    for (size_t i = 0; i < count; i++)
        if (!names || !names[i])
            return lg_fail_null("%s: name %zu is NULL", what, i);
    char **copy = lg_names_copy(count, names, what);
    if (!copy)
        return lg_error_code();
    free(*list);
    *list = copy;
    *list_count = count;
    return LG_OK;
}

/* Names are the original's: a subset passes them on. */
static lg_dataset *owner(lg_dataset *dataset)
{
    return dataset->original ? dataset->original : dataset;
}

lg_status lg_dataset_set_feature_names(lg_dataset *dataset, size_t count, const char *const *names)
{
    if (!dataset)
        return lg_fail_null("dataset_set_feature_names: no data set");
    if (count != lg_dataset_features(dataset))
        return lg_fail(LG_E_SHAPE, "dataset_set_feature_names: %zu names for %zu features", count,
                       lg_dataset_features(dataset));
    lg_dataset_names *own = &owner(dataset)->names;
    return replace_names(&own->feature, &own->features, count, names, "dataset_set_feature_names");
}

lg_status lg_dataset_set_class_names(lg_dataset *dataset, size_t count, const char *const *names)
{
    if (!dataset)
        return lg_fail_null("dataset_set_class_names: no data set");
    const lg_field *y = lg_dataset_field(dataset, "y");
    if (!y)
        return lg_fail(LG_E_STATE, "dataset_set_class_names: the data set has no field \"y\"");
    if (count < 2 || (y->dtype == LG_REAL && count != 2))
        return lg_fail(LG_E_PARAM, "dataset_set_class_names: %zu names; %s", count,
                       y->dtype == LG_REAL ? "a real target has two classes" : "at least two classes are needed");
    lg_dataset_names *own = &owner(dataset)->names;
    return replace_names(&own->class_name, &own->classes, count, names, "dataset_set_class_names");
}

lg_status lg_dataset_set_target_name(lg_dataset *dataset, const char *name)
{
    char *copy = lg_strdup(name, "dataset");
    if (!copy)
        return LG_E_MEMORY;
    free(dataset->names.target);
    dataset->names.target = copy;
    return LG_OK;
}

static lg_status check_category_column(const lg_dataset *dataset, const lg_category_column *column)
{
    if (!dataset || !column || !column->name || !column->category)
        return lg_fail_null("dataset: a text column is NULL");
    for (size_t k = 0; k < column->categories; k++)
        if (!column->category[k])
            return lg_fail_null("dataset: text %zu of column \"%s\" is NULL", k, column->name);
    if (dataset->original)
        return lg_fail(LG_E_STATE, "dataset: a subset has the text columns of its original");
    if (column->categories == 0 || (column->features != 1 && column->features != column->categories))
        return lg_fail(LG_E_PARAM, "dataset: column \"%s\" has %zu texts and %zu features", column->name,
                       column->categories, column->features);
    const lg_dataset_names *names = &dataset->names;
    const lg_category_column *last = names->category_columns ? names->category_column + names->category_columns - 1 : NULL;
    const size_t begin = last ? last->first_feature + last->features : 0, features = lg_dataset_features(dataset);
    if (column->first_feature < begin || column->first_feature >= features ||
        column->features > features - column->first_feature)
        return lg_fail(LG_E_INDEX, "dataset: column \"%s\" begins with feature %zu and has %zu; %zu .. %zu are there",
                       column->name, column->first_feature, column->features, begin, features);
    return LG_OK;
}

lg_status lg_dataset_add_category_column(lg_dataset *dataset, const lg_category_column *column)
{
    lg_status status = check_category_column(dataset, column);
    if (status != LG_OK)
        return status;
    lg_dataset_names *names = &dataset->names;
    lg_category_column added = *column;
    char *name = lg_strdup(column->name, "dataset");
    char **category = lg_names_copy(column->categories, column->category, "dataset");
    lg_category_column *grown =
        lg_realloc(names->category_column, names->category_columns + 1, sizeof *grown, "dataset");
    if (grown)
        names->category_column = grown;
    if (!name || !category || !grown) {
        free(name);
        free(category);
        return LG_E_MEMORY;
    }
    added.name = name;
    added.category = (const char *const *)category;
    names->category_column[names->category_columns++] = added;
    return LG_OK;
}

lg_status lg_dataset_require_x(const lg_dataset *dataset, const char *what)
{
    const lg_field *x = lg_dataset_field(dataset, "x");
    if (!x || x->ragged || x->dtype != LG_REAL)
        return lg_fail(LG_E_PARAM, "%s: the data set has no dense real field \"x\"", what);
    return LG_OK;
}
