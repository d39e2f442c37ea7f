/* The target of rows that were read as numbers (target_internal.h). */
#include "data/target_internal.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/dataset_internal.h"
#include "data/number_internal.h"
#include "tensor/memory_internal.h"

int lg_target_ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static lg_status find_distinct(lg_target *t)
{
    t->sorted = lg_calloc(t->rows, sizeof *t->sorted, "lg_dataset_read");
    if (!t->sorted)
        return LG_E_MEMORY;
    memcpy(t->sorted, t->value, t->rows * sizeof *t->sorted);
    qsort(t->sorted, t->rows, sizeof *t->sorted, lg_target_ascending);
    t->distinct = 1;
    for (size_t i = 1; i < t->rows; i++)
        if (t->sorted[i] != t->sorted[t->distinct - 1])
            t->sorted[t->distinct++] = t->sorted[i];
    return LG_OK;
}

/* Classes are whole numbers that a value of the file is sure to be, rounded as it may have been. */
static lg_status check_whole(const lg_target *t, bool as_lg_real)
{
    const double most = ldexp(1, as_lg_real && LG_REAL_BITS == 32 ? 24 : 53);
    for (size_t i = 0; i < t->distinct; i++)
        if (t->sorted[i] != rint(t->sorted[i]) || fabs(t->sorted[i]) > most)
            return lg_fail(LG_E_FORMAT, "%s: %.9g is no class; classes are whole numbers up to %.0f", t->path,
                           t->sorted[i], most);
    return LG_OK;
}

enum { NAME_BYTES = 32 };

/* The class of a value: its place among those of the file, or the one of that name in options->like. */
static lg_status class_of(const lg_target *t, size_t place, int32_t *code)
{
    const lg_dataset *like = lg_dataset_classes(t->options->like) ? t->options->like : NULL;
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

static lg_status name_classes(const lg_target *t, lg_dataset *dataset)
{
    const lg_dataset *like = lg_dataset_classes(t->options->like) ? t->options->like : NULL;
    const size_t count = like ? lg_dataset_classes(like) : t->distinct;
    if (count < 2) /* read like a data set that has no classes: a single one is no error then, and needs no name */
        return LG_OK;
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

/* The value of the class that is 1: options->positive, or that of options->like, or the second of two. */
static lg_status find_positive(lg_target *t)
{
    double *value = &t->positive;
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
        known = bsearch(value, t->sorted, t->distinct, sizeof *t->sorted, lg_target_ascending) != NULL;
    return known ? LG_OK : lg_fail(LG_E_PARAM, "%s: the target has no class \"%s\"", t->path, text);
}

static lg_status name_binary(const lg_target *t, lg_dataset *dataset)
{
    char names[2][NAME_BYTES + 4];
    snprintf(names[1], sizeof names[1], "%.9g", t->positive);
    if (t->distinct == 2)
        snprintf(names[0], sizeof names[0], "%.9g", t->sorted[t->sorted[0] == t->positive]);
    else
        snprintf(names[0], sizeof names[0], "not %.9g", t->positive);
    const char *like = lg_dataset_class_name(t->options->like, 0);
    return lg_dataset_set_class_names(dataset, 2, (const char *[]){ like ? like : names[0], names[1] });
}

/* ---- in steps ------------------------------------------------------------------------------------------------------ */

lg_status lg_target_plan(lg_target *t, bool as_lg_real)
{
    if (t->distinct == 1 && !t->options->like)
        return lg_fail(LG_E_FORMAT, "%s: the target is %.9g in every row; there is nothing to learn", t->path,
                       t->sorted[0]);
    if (t->kind == LG_BINARY)
        return find_positive(t);
    lg_status status = t->kind == LG_CLASSES ? check_whole(t, as_lg_real) : LG_OK;
    if (status < 0 || t->kind != LG_CLASSES)
        return status;
    t->code_of = lg_calloc(t->distinct, sizeof *t->code_of, "lg_dataset_read");
    status = t->code_of ? LG_OK : LG_E_MEMORY;
    for (size_t k = 0; status == LG_OK && k < t->distinct; k++)
        status = class_of(t, k, &t->code_of[k]);
    return status;
}

lg_field lg_target_field(const lg_target *t)
{
    return (lg_field){ .name = "y", .dtype = t->kind == LG_CLASSES ? LG_INT32 : LG_REAL };
}

static lg_status encode_classes(const lg_target *t, const double *values, size_t count, int32_t *out)
{
    for (size_t i = 0; i < count; i++) {
        const double *found = bsearch(&values[i], t->sorted, t->distinct, sizeof *t->sorted, lg_target_ascending);
        if (!found) /* of a file that was read before */
            return lg_fail(LG_E_FORMAT, "%s: class %.9g was not there before; the file has changed", t->path, values[i]);
        out[i] = t->code_of[found - t->sorted];
    }
    return LG_OK;
}

lg_status lg_target_encode(const lg_target *t, const double *values, size_t count, size_t row, void *out)
{
    lg_real *real = out;
    if (t->kind == LG_CLASSES)
        return encode_classes(t, values, count, out);
    for (size_t i = 0; i < count; i++) {
        if (t->kind != LG_BINARY && lg_number_too_large(values[i]))
            return lg_fail(LG_E_FORMAT, "%s: row %zu: the target is %.9g, which is too large", t->path, row + i, values[i]);
        real[i] = t->kind == LG_BINARY ? values[i] == t->positive : (lg_real)values[i];
    }
    return LG_OK;
}

lg_status lg_target_name(const lg_target *t, lg_dataset *dataset)
{
    return t->kind == LG_CLASSES  ? name_classes(t, dataset)
           : t->kind == LG_BINARY ? name_binary(t, dataset)
                                  : LG_OK;
}

lg_status lg_target_add(lg_target *t, lg_dataset *dataset, bool as_lg_real)
{
    const lg_field field = lg_target_field(t);
    lg_status status = find_distinct(t);
    if (status == LG_OK)
        status = lg_target_plan(t, as_lg_real);
    if (status < 0)
        return status;
    void *out = lg_calloc(t->rows, lg_field_bytes(&field), "lg_dataset_read");
    status = out ? lg_target_encode(t, t->value, t->rows, 0, out) : LG_E_MEMORY;
    if (status == LG_OK)
        status = lg_dataset_adopt_field(dataset, &field, out);
    if (status < 0) {
        free(out);
        return status;
    }
    return lg_target_name(t, dataset);
}

lg_target_kind lg_target_kind_of(const lg_csv_options *options, bool whole)
{
    if (options->target_kind != LG_TARGET_AUTO)
        return options->target_kind;
    return options->positive ? LG_BINARY : whole ? LG_CLASSES : LG_VALUES;
}

void lg_target_free(lg_target *t)
{
    free(t->value);
    free(t->sorted);
    free(t->code_of);
}
