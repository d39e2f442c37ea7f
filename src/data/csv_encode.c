/* From what was read of a CSV file to the fields of a data set. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/csv_internal.h"
#include "data/dataset_internal.h"
#include "data/scaler.h"
#include "tensor/memory_internal.h"
#include "tensor/suggest_internal.h"

/* ---- order of texts ------------------------------------------------------------------------------------------------ */

typedef struct {
    const char *text;
    double value;
    size_t number; /* as it came */
} sortable;

static int by_text(const void *a, const void *b)
{
    return strcmp(((const sortable *)a)->text, ((const sortable *)b)->text);
}

/* Equal numbers in the order in which they came, so that the first spelling names the class. */
static int by_value(const void *a, const void *b)
{
    const sortable *x = a, *y = b;
    if (x->value != y->value)
        return x->value < y->value ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

/* Sets rank and categories of a column. Classes that are all numbers are ordered by value, and equal ones are one class;
 * else by bytes. Texts that came from options->like keep their order. */
static lg_status rank_texts(const lg_csv_table *table, lg_csv_column *column)
{
    size_t count = column->texts.count;
    column->rank = lg_calloc(count, sizeof *column->rank, "read_csv");
    sortable *sorted = lg_calloc(count, sizeof *sorted, "read_csv");
    if (!column->rank || !sorted) {
        free(sorted);
        return LG_E_MEMORY;
    }
    bool numbers = column->role == LG_CSV_TARGET;
    for (size_t k = 0; k < count; k++) {
        sorted[k] = (sortable){ .text = column->texts.text[k], .number = k };
        numbers = numbers && lg_csv_number_of(table, sorted[k].text, &sorted[k].value);
    }
    if (!column->sealed)
        qsort(sorted, count, sizeof *sorted, numbers ? by_value : by_text);
    size_t rank = 0;
    for (size_t k = 0; k < count; k++) {
        bool same = k > 0 && numbers && !column->sealed && sorted[k].value == sorted[k - 1].value;
        rank += k > 0 && !same;
        column->rank[sorted[k].number] = rank;
    }
    free(sorted);
    column->categories = (count ? rank + 1 : 0) + (column->role == LG_CSV_FEATURE && column->missing);
    return LG_OK;
}

/* The text of each rank, and "NA" last: [categories], to be released by free(). */
static const char **ranked_texts(const lg_csv_column *column)
{
    const char **texts = lg_calloc(column->categories, sizeof *texts, "read_csv");
    if (!texts)
        return NULL;
    for (size_t k = column->texts.count; k-- > 0;) /* backwards: the first spelling is written last */
        texts[column->rank[k]] = column->texts.text[k];
    if (column->role == LG_CSV_FEATURE && column->missing)
        texts[column->categories - 1] = "NA";
    return texts;
}

/* ---- features ------------------------------------------------------------------------------------------------------ */

size_t lg_csv_encoded_width(const lg_csv_table *table, const lg_csv_column *column)
{
    return column->kind == LG_CSV_TEXT && table->text == LG_TEXT_ONE_HOT ? column->categories : 1;
}

void lg_csv_encode_row(const lg_csv_table *table, const lg_real *row, lg_real *out)
{
    for (size_t s = 0; s < table->width; s++) {
        const lg_csv_column *column = &table->columns[table->features[s]];
        if (column->kind != LG_CSV_TEXT) {
            *out++ = row[s];
            continue;
        }
        size_t rank = isnan(row[s]) ? column->categories - 1 : column->rank[(size_t)row[s]];
        if (table->text == LG_TEXT_CODES) {
            *out++ = (lg_real)rank;
            continue;
        }
        for (size_t k = 0; k < column->categories; k++)
            *out++ = k == rank;
    }
}

/* Widens the table in place, last row first: a row's new place ends behind its old one, and behind all before it. */
static lg_status encode_features(lg_csv_table *table, size_t width, bool some_text)
{
    size_t total;
    if (!lg_size_mul(table->rows, width, &total))
        return lg_fail(LG_E_SHAPE, "%s: the table with its categories is too large", table->reader.path);
    lg_real *row = lg_calloc(table->width, sizeof *row, "read_csv");
    lg_real *x = row ? lg_realloc(table->x, total, sizeof *x, "read_csv") : NULL;
    if (!x) {
        free(row);
        return LG_E_MEMORY;
    }
    table->x = x;
    for (size_t i = some_text ? table->rows : 0; i-- > 0;) {
        memcpy(row, x + i * table->width, table->width * sizeof *row);
        lg_csv_encode_row(table, row, x + i * width);
    }
    free(row);
    return LG_OK;
}

/* "sex=male"; NULL when out of memory. */
static char *indicator_name(const char *column, const char *category)
{
    size_t bytes = strlen(column) + strlen(category) + 2;
    char *name = lg_calloc(bytes, 1, "read_csv");
    if (name)
        snprintf(name, bytes, "%s=%s", column, category);
    return name;
}

static lg_status name_text_column(const lg_csv_table *table, const lg_csv_column *column, lg_dataset *dataset,
                                  char **names, size_t first)
{
    const char **texts = ranked_texts(column);
    if (!texts)
        return LG_E_MEMORY;
    size_t width = lg_csv_encoded_width(table, column);
    lg_status status = lg_dataset_add_category_column(
        dataset, &(lg_category_column){ .name = column->name, .first_feature = first, .features = width,
                                        .categories = column->categories, .category = texts });
    bool one_hot = table->text == LG_TEXT_ONE_HOT;
    for (size_t k = 0; status == LG_OK && k < width; k++) {
        names[first + k] = one_hot ? indicator_name(column->name, texts[k]) : lg_strdup(column->name, "read_csv");
        status = names[first + k] ? LG_OK : LG_E_MEMORY;
    }
    free(texts);
    return status;
}

lg_status lg_csv_name_features(const lg_csv_table *table, lg_dataset *dataset, size_t width)
{
    char **names = lg_calloc(width, sizeof *names, "read_csv");
    lg_status status = names ? LG_OK : LG_E_MEMORY;
    size_t first = 0;
    for (size_t s = 0; status == LG_OK && s < table->width; s++) {
        const lg_csv_column *column = &table->columns[table->features[s]];
        if (column->kind == LG_CSV_TEXT)
            status = name_text_column(table, column, dataset, names, first);
        else
            status = (names[first] = lg_strdup(column->name, "read_csv")) ? LG_OK : LG_E_MEMORY;
        first += lg_csv_encoded_width(table, column);
    }
    if (status == LG_OK)
        status = lg_dataset_set_feature_names(dataset, width, (const char *const *)names);
    for (size_t f = 0; names && f < width; f++)
        free(names[f]);
    free(names);
    return status;
}

lg_status lg_csv_plan_features(lg_csv_table *table, size_t *width, bool *some_text)
{
    *width = 0;
    *some_text = false;
    for (size_t s = 0; s < table->width; s++) {
        lg_csv_column *column = &table->columns[table->features[s]];
        lg_status status = column->kind == LG_CSV_TEXT ? rank_texts(table, column) : LG_OK;
        if (status < 0)
            return status;
        if (column->kind == LG_CSV_UNKNOWN && table->options->missing != LG_MISSING_KEEP
            && table->options->missing != LG_MISSING_CONSTANT)
            return lg_fail(LG_E_FORMAT, "%s: column \"%s\" has no values at all; leave it out (drop)",
                           table->reader.path, lg_csv_excerpt_of(column->name).text);
        if (column->kind == LG_CSV_TEXT && column->categories == 0) /* forced to text, and nothing but missing */
            return lg_fail(LG_E_FORMAT, "%s: column \"%s\" has no texts", table->reader.path,
                           lg_csv_excerpt_of(column->name).text);
        *width += lg_csv_encoded_width(table, column);
        *some_text = *some_text || column->kind == LG_CSV_TEXT;
    }
    return LG_OK;
}

static lg_status add_features(lg_csv_table *table, lg_dataset *dataset)
{
    size_t width;
    bool some_text;
    lg_status status = lg_csv_plan_features(table, &width, &some_text);
    if (status == LG_OK)
        status = encode_features(table, width, some_text);
    if (status == LG_OK)
        status = lg_dataset_adopt_field(dataset, &(lg_field){ .name = "x", .rank = 1, .dims = { width } }, table->x);
    if (status < 0)
        return status;
    table->x = NULL;
    return lg_csv_name_features(table, dataset, width);
}

/* ---- target -------------------------------------------------------------------------------------------------------- */

lg_status lg_csv_fail_constant(const lg_csv_table *table, lg_real value)
{
    return lg_fail(LG_E_FORMAT, "%s: column \"%s\": the target is %g in every row; there is nothing to learn",
                   table->reader.path, lg_csv_excerpt_of(table->columns[table->target].name).text, (double)value);
}

static lg_status add_values(lg_csv_table *table, lg_dataset *dataset)
{
    bool constant = table->rows > 1 && !table->options->like;
    for (size_t i = 1; constant && i < table->rows; i++)
        constant = table->values[i] == table->values[0];
    if (constant)
        return lg_csv_fail_constant(table, table->values[0]);
    lg_real *shrunk = lg_realloc(table->values, table->rows, sizeof *shrunk, "read_csv");
    if (!shrunk)
        return LG_E_MEMORY;
    table->values = shrunk;
    lg_status status = lg_dataset_adopt_field(dataset, &(lg_field){ .name = "y" }, shrunk);
    if (status == LG_OK)
        table->values = NULL;
    return status;
}

/* The numbers of the texts become ranks, where they lie. */
static lg_status add_classes(lg_csv_table *table, lg_dataset *dataset)
{
    const lg_csv_column *column = &table->columns[table->target];
    int32_t *shrunk = lg_realloc(table->codes, table->rows, sizeof *shrunk, "read_csv");
    if (!shrunk)
        return LG_E_MEMORY;
    table->codes = shrunk;
    for (size_t i = 0; i < table->rows; i++)
        shrunk[i] = (int32_t)column->rank[shrunk[i]];
    lg_status status = lg_dataset_adopt_field(dataset, &(lg_field){ .name = "y", .dtype = LG_INT32 }, shrunk);
    if (status == LG_OK)
        table->codes = NULL;
    return status;
}

/* Rank of the positive class; categories if no row has it (an error, unless the file is read like another). */
static lg_status find_positive(const lg_csv_table *table, const char *const *classes, size_t *positive)
{
    const lg_csv_column *column = &table->columns[table->target];
    const lg_csv_excerpt name = lg_csv_excerpt_of(column->name);
    if (!table->positive && column->categories != 2)
        return lg_fail(LG_E_FORMAT, "%s: column \"%s\" has %zu classes; say which one is positive",
                       table->reader.path, name.text, column->categories);
    if (!table->positive) {
        *positive = 1;
        return LG_OK;
    }
    lg_nearest nearest = lg_nearest_to(table->positive);
    for (*positive = 0; *positive < column->categories; ++*positive) {
        if (lg_csv_same_class(table, classes[*positive], table->positive))
            return LG_OK;
        lg_nearest_try(&nearest, classes[*positive]);
    }
    return table->options->like ? LG_OK
                                : lg_fail(LG_E_PARAM, "%s: column \"%s\" has no class \"%s\"%s", table->reader.path,
                                          name.text, lg_csv_excerpt_of(table->positive).text, lg_nearest_text(&nearest));
}

static lg_status name_binary(const lg_csv_table *table, lg_dataset *dataset, const char *const *classes,
                             size_t positive)
{
    const lg_dataset *like = table->options->like;
    if (like)
        return lg_dataset_set_class_names(
            dataset, 2, (const char *[]){ lg_dataset_class_name(like, 0), lg_dataset_class_name(like, 1) });
    const char *one = classes[positive];
    if (table->columns[table->target].categories == 2)
        return lg_dataset_set_class_names(dataset, 2, (const char *[]){ classes[1 - positive], one });
    size_t bytes = strlen(one) + 5;
    char *rest = lg_calloc(bytes, 1, "read_csv");
    if (!rest)
        return LG_E_MEMORY;
    snprintf(rest, bytes, "not %s", one);
    lg_status status = lg_dataset_set_class_names(dataset, 2, (const char *[]){ rest, one });
    free(rest);
    return status;
}

static lg_status add_binary(const lg_csv_table *table, lg_dataset *dataset, size_t positive)
{
    const lg_csv_column *column = &table->columns[table->target];
    lg_real *y = lg_calloc(table->rows, sizeof *y, "read_csv");
    if (!y)
        return LG_E_MEMORY;
    for (size_t i = 0; i < table->rows; i++)
        y[i] = column->rank[table->codes[i]] == positive;
    lg_status status = lg_dataset_adopt_field(dataset, &(lg_field){ .name = "y" }, y);
    if (status < 0)
        free(y);
    return status;
}

lg_status lg_csv_plan_target(lg_csv_table *table, size_t *positive, const char ***classes)
{
    lg_csv_column *column = &table->columns[table->target];
    *positive = 0;
    lg_status status = rank_texts(table, column);
    *classes = status == LG_OK ? ranked_texts(column) : NULL;
    if (!*classes)
        return lg_error_code();
    if (column->categories < 2 && !table->options->like)
        return lg_fail(LG_E_FORMAT, "%s: column \"%s\": the target is \"%s\" in every row; a classifier needs at "
                       "least two classes", table->reader.path, lg_csv_excerpt_of(column->name).text,
                       lg_csv_excerpt_of((*classes)[0]).text);
    return table->target_kind == LG_BINARY ? find_positive(table, *classes, positive) : LG_OK;
}

lg_status lg_csv_name_target(const lg_csv_table *table, lg_dataset *dataset, size_t positive, const char *const *classes)
{
    const lg_csv_column *column = &table->columns[table->target];
    lg_status status = lg_dataset_set_target_name(dataset, column->name);
    if (status < 0 || column->kind == LG_CSV_NUMBER)
        return status;
    if (table->target_kind == LG_BINARY)
        return name_binary(table, dataset, classes, positive);
    /* read like another data set, which has no classes, there may be a single one */
    return column->categories < 2 ? LG_OK : lg_dataset_set_class_names(dataset, column->categories, classes);
}

static lg_status add_target(lg_csv_table *table, lg_dataset *dataset)
{
    if (table->target == table->column_count)
        return LG_OK;
    const char **classes = NULL;
    size_t positive = 0;
    lg_status status;
    if (table->columns[table->target].kind == LG_CSV_NUMBER)
        status = add_values(table, dataset);
    else if ((status = lg_csv_plan_target(table, &positive, &classes)) == LG_OK)
        status = table->target_kind == LG_BINARY ? add_binary(table, dataset, positive) : add_classes(table, dataset);
    if (status == LG_OK)
        status = lg_csv_name_target(table, dataset, positive, classes);
    free(classes);
    return status;
}

/* ---- all together -------------------------------------------------------------------------------------------------- */

static lg_status fill_missing(const lg_csv_table *table, lg_dataset *dataset)
{
    const lg_csv_options *options = table->options;
    bool missing = false;
    for (size_t s = 0; s < table->width; s++) {
        const lg_csv_column *column = &table->columns[table->features[s]];
        missing = missing || (column->missing && column->kind != LG_CSV_TEXT);
    }
    if (!missing || options->missing < LG_MISSING_MEAN || options->missing > LG_MISSING_CONSTANT)
        return LG_OK;
    lg_impute kind = options->missing == LG_MISSING_MEAN     ? LG_IMPUTE_MEAN
                     : options->missing == LG_MISSING_MEDIAN ? LG_IMPUTE_MEDIAN
                                                             : LG_IMPUTE_CONSTANT;
    lg_imputer *imputer = lg_imputer_fit(dataset, kind, options->missing_value, NULL, 0);
    lg_status status = imputer ? lg_imputer_apply(imputer, dataset) : lg_error_code();
    lg_imputer_free(imputer);
    return status;
}

lg_dataset *lg_csv_encode(lg_csv_table *table)
{
    lg_dataset *dataset = lg_dataset_new(table->rows);
    if (!dataset)
        return NULL;
    if (add_features(table, dataset) == LG_OK && fill_missing(table, dataset) == LG_OK
        && add_target(table, dataset) == LG_OK)
        return dataset;
    lg_dataset_free(dataset);
    return NULL;
}
