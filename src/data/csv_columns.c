/* Columns of a CSV file: header, names, target, roles. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "data/csv_internal.h"
#include "data/dataset_internal.h"
#include "tensor/memory_internal.h"
#include "tensor/suggest_internal.h"

bool lg_csv_is_missing(const lg_csv_table *table, const char *text)
{
    static const char *const words[] = { "NA", "N/A", "NaN", "nan", "NULL", "null", "?" };
    if (text[0] == '\0')
        return true;
    if (text[0] != 'N' && text[0] != 'n' && text[0] != '?')
        return false;
    if (table->options->allow_nonfinite && strcasecmp(text, "nan") == 0)
        return false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(text, words[i]) == 0)
            return true;
    return false;
}

/* ---- header and names ---------------------------------------------------------------------------------------------- */

/* A header has no numbers, and at least one cell that says something. */
static bool looks_like_header(const lg_csv_table *table)
{
    bool text = false;
    for (size_t c = 0; c < table->reader.cell_count; c++) {
        lg_real value;
        lg_number kind = lg_number_parse(table->reader.cells[c].text, table->c_locale, &value);
        if (kind == LG_NUMBER_FINITE || kind == LG_NUMBER_TOO_LARGE)
            return false;
        text = text || (kind == LG_NUMBER_NONE && !lg_csv_is_missing(table, table->reader.cells[c].text));
    }
    return text;
}

static lg_status name_columns(lg_csv_table *table)
{
    for (size_t c = 0; c < table->column_count; c++) {
        const lg_csv_cell *cell = &table->reader.cells[c];
        char index[24];
        snprintf(index, sizeof index, "%zu", c);
        table->columns[c].name = lg_strdup(table->header && cell->length ? cell->text : index, "read_csv");
        if (!table->columns[c].name)
            return LG_E_MEMORY;
    }
    return LG_OK;
}

/* Through a set of texts, since a file may have thousands of columns. */
static lg_status check_duplicates(const lg_csv_table *table)
{
    lg_texts names = { 0 };
    lg_status status = LG_OK;
    for (size_t c = 0; status == LG_OK && c < table->column_count; c++) {
        size_t first = lg_texts_add(&names, table->columns[c].name);
        if (first == SIZE_MAX)
            status = LG_E_MEMORY;
        else if (first < c)
            status = lg_fail(LG_E_FORMAT, "%s:%zu: the header names two columns \"%s\": %zu and %zu, counted from 0",
                             table->reader.path, table->reader.cells[c].line,
                             lg_csv_excerpt_of(table->columns[c].name).text, first, c);
    }
    lg_texts_free(&names);
    return status;
}

/* ---- finding columns ----------------------------------------------------------------------------------------------- */

static size_t find_by_name(const lg_csv_table *table, const char *name)
{
    size_t c = 0;
    while (c < table->column_count && strcmp(table->columns[c].name, name) != 0)
        c++;
    return c;
}

/* The column of that name or index; `role` is for the message. */
static lg_status find_column(const lg_csv_table *table, const char *name, const char *role, size_t *column)
{
    *column = find_by_name(table, name);
    if (*column < table->column_count)
        return LG_OK;
    char *rest;
    errno = 0;
    long index = strtol(name, &rest, 10);
    if (rest != name && *rest == '\0') {
        long count = (long)table->column_count;
        if (errno || index >= count || index < -count)
            return lg_fail(LG_E_PARAM, "%s: there is no column %s for %s; there are %ld, 0 .. %ld or %ld .. -1",
                           table->reader.path, name, role, count, count - 1, -count);
        *column = (size_t)(index < 0 ? index + count : index);
        return LG_OK;
    }
    lg_nearest nearest = lg_nearest_to(name);
    for (size_t c = 0; c < table->column_count; c++)
        lg_nearest_try(&nearest, table->columns[c].name);
    return lg_fail(LG_E_PARAM, "%s: there is no column \"%s\" for %s%s", table->reader.path, lg_csv_excerpt_of(name).text,
                   role, lg_nearest_text(&nearest));
}

/* ---- roles --------------------------------------------------------------------------------------------------------- */

static lg_status mark_dropped_and_text(lg_csv_table *table)
{
    const lg_csv_options *options = table->options;
    size_t column;
    lg_status status = LG_OK;
    for (size_t i = 0; status == LG_OK && options->drop && options->drop[i]; i++) {
        status = find_column(table, options->drop[i], "leaving out", &column);
        if (status == LG_OK)
            table->columns[column].role = LG_CSV_DROPPED;
    }
    for (size_t i = 0; status == LG_OK && options->text_columns && options->text_columns[i]; i++) {
        status = find_column(table, options->text_columns[i], "text", &column);
        if (status == LG_OK)
            table->columns[column].kind = LG_CSV_TEXT;
    }
    return status;
}

/* The classes of options->like are the only ones, but where its class 0 is whatever is "not spam". */
static lg_status take_classes(lg_csv_table *table, lg_csv_column *column)
{
    const lg_dataset *like = table->options->like;
    if (table->target_kind == LG_BINARY) {
        const char *other = lg_dataset_class_name(like, 0);
        table->positive = lg_dataset_class_name(like, 1);
        if (strncmp(other, "not ", 4) == 0 && strcmp(other + 4, table->positive) == 0)
            return LG_OK;
    }
    for (size_t k = 0; k < lg_dataset_classes(like); k++)
        if (lg_texts_add(&column->texts, lg_dataset_class_name(like, k)) == SIZE_MAX)
            return LG_E_MEMORY;
    column->sealed = true;
    return LG_OK;
}

static lg_status choose_target(lg_csv_table *table)
{
    const lg_csv_options *options = table->options;
    const char *name = options->target;
    table->target = table->column_count;
    table->target_kind = options->target_kind;
    table->positive = options->positive;
    if (options->target_kind == LG_TARGET_AUTO && options->positive)
        table->target_kind = LG_BINARY;
    /* A file to predict on need not have the target that its model was trained for. */
    if (!name && (!(name = lg_dataset_target_name(options->like)) || find_by_name(table, name) == table->column_count))
        return LG_OK;
    lg_status status = find_column(table, name, "the target", &table->target);
    if (status < 0)
        return status;
    lg_csv_column *column = &table->columns[table->target];
    column->role = LG_CSV_TARGET;
    const lg_field *y = lg_dataset_field(options->like, "y");
    if (y) {
        bool classes = lg_dataset_classes(options->like) > 0;
        table->target_kind = !classes ? LG_VALUES : y->dtype == LG_INT32 ? LG_CLASSES : LG_BINARY;
        if (classes)
            status = take_classes(table, column);
    }
    column->kind = table->target_kind == LG_VALUES        ? LG_CSV_NUMBER
                   : table->target_kind == LG_TARGET_AUTO ? column->kind
                                                          : LG_CSV_TEXT;
    return status;
}

static void add_feature(lg_csv_table *table, size_t column)
{
    table->columns[column].slot = table->width;
    table->features[table->width++] = column;
}

/* The column that feature `f` of options->like is made of; *text is the text column to come, and *next the feature after. */
static const char *column_like(const lg_dataset *like, size_t f, const lg_category_column *text, size_t *next)
{
    const bool is_text = text && text->first_feature == f;
    *next = f + (is_text ? text->features : 1);
    return !lg_dataset_feature_name(like, f) ? NULL : is_text ? text->name : lg_dataset_feature_name(like, f);
}

/* How many columns the features of options->like are made of, and whether the file has one of each name. */
static size_t count_columns_like(const lg_csv_table *table, bool *all_there)
{
    const lg_dataset *like = table->options->like;
    size_t count = 0, texts = 0;
    *all_there = true;
    for (size_t f = 0, next; f < lg_dataset_features(like); f = next, count++) {
        const lg_category_column *text = lg_dataset_category_column(like, texts);
        const char *name = column_like(like, f, text, &next);
        const size_t c = name ? find_by_name(table, name) : table->column_count;
        *all_there = *all_there && c < table->column_count && table->columns[c].role == LG_CSV_FEATURE;
        texts += text && text->first_feature == f;
    }
    return count;
}

/* In a file without a header columns have numbers for names. Where those are not the names of options->like, the columns
 * that are neither target nor left out are its columns in their order: `features` then has them, [*count]. */
static lg_status go_by_position(const lg_csv_table *table, bool *by_position, size_t *features)
{
    bool all_there;
    size_t wanted = count_columns_like(table, &all_there), count = 0;
    *by_position = !table->header && !all_there;
    for (size_t c = 0; *by_position && c < table->column_count; c++)
        if (table->columns[c].role == LG_CSV_FEATURE)
            features[count++] = c;
    if (*by_position && count != wanted)
        return lg_fail(LG_E_FORMAT, "%s: has no header, and columns for %zu features where there should be %zu",
                       table->reader.path, count, wanted);
    return LG_OK;
}

static lg_status take_texts(lg_csv_table *table, lg_csv_column *column, const lg_category_column *text)
{
    column->kind = LG_CSV_TEXT;
    column->sealed = true;
    /* an indicator is named after its text, a code after the column */
    const char *first = lg_dataset_feature_name(table->options->like, text->first_feature);
    table->text = strcmp(first, text->name) ? LG_TEXT_ONE_HOT : LG_TEXT_CODES;
    for (size_t k = 0; k < text->categories; k++)
        if (strcmp(text->category[k], "NA") == 0)
            column->missing = true;
        else if (lg_texts_add(&column->texts, text->category[k]) == SIZE_MAX)
            return LG_E_MEMORY;
    return LG_OK;
}

/* Features in the order of options->like, each column as it was there; columns that it does not have are left out. */
static lg_status order_like(lg_csv_table *table)
{
    const lg_dataset *like = table->options->like;
    const char *path = table->reader.path;
    size_t texts = 0;
    bool by_position;
    lg_status status = go_by_position(table, &by_position, table->features);
    for (size_t c = 0; c < table->column_count; c++)
        if (table->columns[c].role == LG_CSV_FEATURE)
            table->columns[c].role = LG_CSV_DROPPED;
    for (size_t f = 0, next; status == LG_OK && f < lg_dataset_features(like); f = next) {
        const lg_category_column *text = lg_dataset_category_column(like, texts);
        const char *name = column_like(like, f, text, &next);
        if (!name)
            return lg_fail(LG_E_PARAM, "%s: the data set to read it like has no feature names", path);
        size_t c = by_position ? table->features[table->width] : find_by_name(table, name);
        if (c == table->column_count || table->columns[c].role == LG_CSV_TARGET)
            return lg_fail(LG_E_FORMAT, "%s: the feature \"%s\" is missing", path, lg_csv_excerpt_of(name).text);
        lg_csv_column *column = &table->columns[c];
        if (column->role == LG_CSV_FEATURE)
            return lg_fail(LG_E_PARAM, "%s: the data set to read it like has two features \"%s\"", path,
                           lg_csv_excerpt_of(name).text);
        column->role = LG_CSV_FEATURE;
        column->kind = LG_CSV_NUMBER;
        add_feature(table, c);
        if (text && text->first_feature == f) {
            status = take_texts(table, column, text);
            texts++;
        }
    }
    return status;
}

static lg_status order_features(lg_csv_table *table)
{
    table->text = table->options->text;
    if (table->options->like)
        return order_like(table);
    for (size_t c = 0; c < table->column_count; c++)
        if (table->columns[c].role == LG_CSV_FEATURE)
            add_feature(table, c);
    return LG_OK;
}

/* A table of one column is most often one that was split by the wrong delimiter. */
static lg_status check_features(const lg_csv_table *table)
{
    static const char others[] = { ',', ';', '\t', '|', ' ' };
    if (table->width > 0)
        return LG_OK;
    for (size_t i = 0; table->column_count == 1 && i < sizeof others; i++)
        if (others[i] != table->reader.delimiter && strchr(table->reader.cells[0].text, others[i]))
            return lg_fail(LG_E_FORMAT, "%s: there is only one column; is the delimiter '%s'?", table->reader.path,
                           others[i] == '\t' ? "\\t" : (char[]){ others[i], '\0' });
    return lg_fail(LG_E_FORMAT, "%s: there is no column left for features", table->reader.path);
}

lg_status lg_csv_plan(lg_csv_table *table, bool *is_data)
{
    const lg_csv_options *options = table->options;
    size_t count = table->reader.cell_count;
    table->header = options->header == LG_HEADER_YES || (options->header == LG_HEADER_AUTO && looks_like_header(table));
    *is_data = !table->header;
    table->columns = lg_calloc(count, sizeof *table->columns, "read_csv");
    table->features = lg_calloc(count, sizeof *table->features, "read_csv");
    if (!table->columns || !table->features)
        return LG_E_MEMORY;
    table->column_count = count;
    lg_status status = name_columns(table);
    if (status == LG_OK)
        status = check_duplicates(table);
    if (status == LG_OK)
        status = mark_dropped_and_text(table);
    if (status == LG_OK)
        status = choose_target(table);
    if (status == LG_OK)
        status = order_features(table);
    return status == LG_OK ? check_features(table) : status;
}
