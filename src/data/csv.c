/* Reading a CSV file into a data set. */
#include "data/csv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/csv_internal.h"
#include "tensor/memory_internal.h"

enum { DEFAULT_MAX_CATEGORIES = 1000 };

/* ---- messages ------------------------------------------------------------------------------------------------------ */

lg_csv_excerpt lg_csv_excerpt_of(const char *text)
{
    enum { LONGEST = 40 };
    lg_csv_excerpt excerpt;
    size_t i = 0;
    for (; text[i] && i < LONGEST; i++)
        excerpt.text[i] = (unsigned char)text[i] < ' ' || text[i] == 0x7F ? '?' : text[i];
    if (text[i])
        while (i > 0 && ((unsigned char)text[i] & 0xC0) == 0x80) /* not amid a character of UTF-8 */
            i--;
    strcpy(excerpt.text + i, text[i] ? "..." : "");
    return excerpt;
}

lg_status lg_csv_fail_cell(const lg_csv_table *table, size_t column, const lg_csv_cell *cell, const char *reason)
{
    return lg_fail(LG_E_FORMAT, "%s:%zu: column \"%s\": \"%s\" %s", table->reader.path, cell->line,
                   lg_csv_excerpt_of(table->columns[column].name).text, lg_csv_excerpt_of(cell->text).text, reason);
}

/* ---- cells --------------------------------------------------------------------------------------------------------- */

static lg_status read_number(const lg_csv_table *table, size_t c, const lg_csv_cell *cell, lg_real *value)
{
    lg_number kind = lg_number_parse(cell->text, table->c_locale, value);
    if (kind == LG_NUMBER_FINITE || (kind >= LG_NUMBER_INFINITE && table->options->allow_nonfinite))
        return LG_OK;
    return lg_csv_fail_cell(table, c, cell, kind == LG_NUMBER_NONE        ? "is not a number"
                                            : kind == LG_NUMBER_TOO_LARGE ? "is too large"
                                                                          : "is not a finite number");
}

bool lg_csv_number_of(const lg_csv_table *table, const char *text, double *value)
{
    lg_real rounded;
    if (lg_number_parse(text, table->c_locale, &rounded) != LG_NUMBER_FINITE)
        return false;
    *value = strtod_l(text, NULL, table->c_locale);
    return true;
}

bool lg_csv_same_class(const lg_csv_table *table, const char *a, const char *b)
{
    double x, y;
    return strcmp(a, b) == 0
           || (lg_csv_number_of(table, a, &x) && lg_csv_number_of(table, b, &y) && x == y);
}

/* The number of the cell's text. Known classes that are numbers are compared as such: 1, 1.0 and 01 are one. */
static lg_status read_text(lg_csv_table *table, size_t c, const lg_csv_cell *cell, size_t *number)
{
    lg_csv_column *column = &table->columns[c];
    *number = lg_texts_find(&column->texts, cell->text);
    if (*number < column->texts.count)
        return LG_OK;
    if (column->sealed) {
        bool is_target = column->role == LG_CSV_TARGET;
        for (*number = 0; is_target && *number < column->texts.count; ++*number)
            if (lg_csv_same_class(table, cell->text, column->texts.text[*number]))
                return LG_OK;
        return lg_csv_fail_cell(table, c, cell, "is not known; the data set to read the file like does not have it");
    }
    size_t most = table->options->max_categories ? table->options->max_categories : DEFAULT_MAX_CATEGORIES;
    if (column->role == LG_CSV_FEATURE && column->texts.count == most)
        return lg_fail(LG_E_FORMAT, "%s:%zu: column \"%s\" has more than %zu different texts; leave it out (drop), or "
                       "raise max_categories", table->reader.path, cell->line, lg_csv_excerpt_of(column->name).text, most);
    if (column->texts.count == INT32_MAX)
        return lg_csv_fail_cell(table, c, cell, "is one class too many");
    *number = lg_texts_add(&column->texts, cell->text);
    return *number == SIZE_MAX ? LG_E_MEMORY : LG_OK;
}

static void decide_kind(const lg_csv_table *table, lg_csv_column *column, const char *text)
{
    lg_real value;
    if (column->kind == LG_CSV_UNKNOWN)
        column->kind =
            lg_number_parse(text, table->c_locale, &value) == LG_NUMBER_NONE ? LG_CSV_TEXT : LG_CSV_NUMBER;
}

static lg_status read_feature(lg_csv_table *table, size_t c, const lg_csv_cell *cell, lg_real *value)
{
    lg_csv_column *column = &table->columns[c];
    if (lg_csv_is_missing(table, cell->text)) {
        if (table->options->missing == LG_MISSING_ERROR)
            return lg_csv_fail_cell(table, c, cell, "is a missing value; options (missing) can fill or drop it");
        if (column->sealed && !column->missing)
            return lg_csv_fail_cell(table, c, cell, "is missing, which the data set to read the file like never has");
        column->missing = true;
        *value = (lg_real)NAN;
        return LG_OK;
    }
    decide_kind(table, column, cell->text);
    if (column->kind == LG_CSV_NUMBER) {
        lg_status status = read_number(table, c, cell, value);
        column->missing = column->missing || (status == LG_OK && isnan(*value));
        return status;
    }
    size_t number;
    lg_status status = read_text(table, c, cell, &number);
    *value = (lg_real)number;
    return status;
}

static lg_status read_target(lg_csv_table *table, const lg_csv_cell *cell)
{
    size_t c = table->target, number;
    lg_csv_column *column = &table->columns[c];
    if (lg_csv_is_missing(table, cell->text))
        return lg_csv_fail_cell(table, c, cell, "is a missing value, and this is the target; options (missing) can drop "
                                "the row");
    decide_kind(table, column, cell->text);
    if (column->kind == LG_CSV_NUMBER) {
        lg_status status =
            lg_reserve(&table->values, &table->values_capacity, table->rows + 1, sizeof *table->values, "read_csv");
        return status < 0 ? status : read_number(table, c, cell, &table->values[table->rows]);
    }
    lg_status status =
        lg_reserve(&table->codes, &table->codes_capacity, table->rows + 1, sizeof *table->codes, "read_csv");
    if (status == LG_OK)
        status = read_text(table, c, cell, &number);
    if (status == LG_OK)
        table->codes[table->rows] = (int32_t)number;
    return status;
}

/* ---- rows ---------------------------------------------------------------------------------------------------------- */

static bool something_is_missing(const lg_csv_table *table)
{
    for (size_t c = 0; c < table->column_count; c++)
        if (table->columns[c].role != LG_CSV_DROPPED && lg_csv_is_missing(table, table->reader.cells[c].text))
            return true;
    return false;
}

lg_status lg_csv_read_row(lg_csv_table *table)
{
    const lg_csv_reader *reader = &table->reader;
    if (reader->cell_count != table->column_count)
        return lg_fail(LG_E_FORMAT, "%s:%zu: %zu cells, but the first row has %zu", reader->path,
                       reader->cells[0].line, reader->cell_count, table->column_count);
    if (table->options->missing == LG_MISSING_DROP_ROW && something_is_missing(table))
        return LG_OK;
    size_t used = table->rows * table->width; /* fits: that many values are allocated */
    size_t needed;
    if (!lg_size_add(used, table->width, &needed))
        return lg_fail(LG_E_SHAPE, "%s: the table is too large", reader->path);
    lg_status status = lg_reserve(&table->x, &table->x_capacity, needed, sizeof *table->x, "read_csv");
    for (size_t c = 0; status == LG_OK && c < table->column_count; c++)
        if (table->columns[c].role == LG_CSV_FEATURE)
            status = read_feature(table, c, &reader->cells[c], &table->x[used + table->columns[c].slot]);
        else if (table->columns[c].role == LG_CSV_TARGET)
            status = read_target(table, &reader->cells[c]);
    table->rows += status == LG_OK;
    return status;
}

lg_status lg_csv_read_rows(lg_csv_table *table, lg_status (*each)(void *context), void *context)
{
    lg_csv_reader *reader = &table->reader;
    bool is_data, any = false;
    lg_status status = lg_csv_reader_next(reader);
    if (status < 0)
        return status;
    if (reader->cell_count == 0)
        return lg_fail(LG_E_FORMAT, "%s: there are no rows", reader->path);
    status = lg_csv_plan(table, &is_data);
    if (status == LG_OK && !is_data)
        status = lg_csv_reader_next(reader);
    while (status == LG_OK && reader->cell_count > 0) {
        const size_t before = table->rows;
        status = lg_csv_read_row(table);
        const bool kept = status == LG_OK && table->rows > before;
        any = any || kept;
        if (kept && each)
            status = each(context);
        if (status == LG_OK)
            status = lg_csv_reader_next(reader);
    }
    if (status == LG_OK && !any)
        status = lg_fail(LG_E_FORMAT, table->options->missing == LG_MISSING_DROP_ROW
                                          ? "%s: there are no rows without a missing value"
                                          : "%s: there is a header, but no rows", reader->path);
    return status;
}

static lg_status check_options(const char *path, const lg_csv_options *options)
{
    char delimiter = options->delimiter;
    if (delimiter == '"' || delimiter == '\n' || delimiter == '\r')
        return lg_fail(LG_E_PARAM, "%s: a quote or line end cannot be the delimiter", path);
    if ((unsigned)options->target_kind > LG_BINARY || (unsigned)options->header > LG_HEADER_NO
        || (unsigned)options->text > LG_TEXT_CODES || (unsigned)options->missing > LG_MISSING_DROP_ROW)
        return lg_fail(LG_E_PARAM, "%s: target_kind, header, text or missing is not one of its names", path);
    if (options->missing == LG_MISSING_CONSTANT && !isfinite(options->missing_value))
        return lg_fail(LG_E_PARAM, "%s: missing_value is %g", path, options->missing_value);
    if (options->positive && options->target_kind != LG_TARGET_AUTO && options->target_kind != LG_BINARY)
        return lg_fail(LG_E_PARAM, "%s: a positive class is for a binary target", path);
    return LG_OK;
}

lg_status lg_csv_open(lg_csv_table *table, lg_stream *stream, const lg_csv_options *options)
{
    *table = (lg_csv_table){ .options = options };
    lg_status status = check_options(stream->path, options);
    if (status < 0)
        return status;
    table->c_locale = newlocale(LC_ALL_MASK, "C", NULL);
    if (!table->c_locale)
        return lg_fail(LG_E_MEMORY, "read_csv: out of memory for a locale");
    return lg_csv_reader_open(&table->reader, stream, options->delimiter ? options->delimiter : ',', options->skip_lines);
}

void lg_csv_close(lg_csv_table *table)
{
    for (size_t c = 0; c < table->column_count; c++) {
        free(table->columns[c].name);
        free(table->columns[c].rank);
        lg_texts_free(&table->columns[c].texts);
    }
    free(table->columns);
    free(table->features);
    free(table->x);
    free(table->values);
    free(table->codes);
    if (table->c_locale)
        freelocale(table->c_locale);
    lg_csv_reader_close(&table->reader);
}

lg_dataset *lg_csv_read(lg_stream *stream, const lg_csv_options *options)
{
    static const lg_csv_options defaults;
    lg_csv_table table;
    lg_dataset *dataset = NULL;
    if (lg_csv_open(&table, stream, options ? options : &defaults) == LG_OK
        && lg_csv_read_rows(&table, NULL, NULL) == LG_OK) {
        lg_csv_reader_close(&table.reader); /* its buffers are free for what follows */
        dataset = lg_csv_encode(&table);
    }
    lg_csv_close(&table);
    return dataset;
}

lg_dataset *lg_dataset_read_csv(const char *path, const lg_csv_options *options)
{
    if (!path) {
        lg_fail_null("read_csv: no path");
        return NULL;
    }
    lg_stream stream;
    if (lg_stream_open(&stream, path) < 0)
        return NULL;
    lg_dataset *dataset = lg_csv_read(&stream, options);
    lg_stream_close(&stream);
    return dataset;
}
