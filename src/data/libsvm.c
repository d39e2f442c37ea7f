/* LIBSVM files (libsvm.h). */
#include "data/libsvm_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/csv_internal.h"
#include "data/dataset_internal.h"
#include "data/target_internal.h"
#include "tensor/memory_internal.h"

static const size_t largest_index = INT32_MAX;
static const size_t dense_without_question = (size_t)1 << 22; /* values: 16 MB of floats */
enum { MOST_SPARSE = 1000 };                                  /* beyond that: dense values for each that is there */

/* ---- is it? -------------------------------------------------------------------------------------------------------- */

static bool is_number_character(unsigned char c)
{
    return (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.' || c == 'e' || c == 'E';
}

/* Steps over the characters of a set. */
static const unsigned char *skip(const unsigned char *p, const unsigned char *end, const char *set)
{
    while (p < end && *p && strchr(set, *p))
        p++;
    return p;
}

/* One line. *pairs counts its INDEX:VALUEs; a line that the head cuts off is judged by what is there. */
static bool fits(const unsigned char *p, const unsigned char *end, size_t *pairs)
{
    p = skip(p, end, " \t");
    if (p == end || *p == '#')
        return true;
    const unsigned char *label = p;
    while (p < end && is_number_character(*p))
        p++;
    if (p == label || (p < end && *p != ' ' && *p != '\t'))
        return false;
    for (;;) {
        p = skip(p, end, " \t");
        if (p == end || *p == '#')
            return true;
        const unsigned char *index = p;
        p = skip(p, end, "0123456789");
        if (p == end)
            return *pairs > 0;
        if (p == index || *p++ != ':')
            return false;
        while (p < end && *p && !strchr(" \t:,\"", *p)) /* what is not a number here, the reader tells */
            p++;
        if (p < end && *p != ' ' && *p != '\t')
            return false;
        ++*pairs;
    }
}

bool lg_libsvm_is(const unsigned char *head, size_t count)
{
    const unsigned char *end = head + count, *begin = head + (count >= 3 && memcmp(head, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0);
    size_t pairs = 0;
    for (const unsigned char *line = begin, *next; line < end && pairs == 0; line = next + 1) {
        next = line;
        while (next < end && *next != '\n' && *next != '\r')
            next++;
        if (!fits(line, next, &pairs))
            return false;
    }
    return pairs > 0;
}

/* ---- lines --------------------------------------------------------------------------------------------------------- */

typedef struct entry {
    size_t index;
    lg_real value;
} entry;

/* What is read, row by row. */
typedef struct sparse {
    lg_csv_reader reader; /* of lines: each is one cell */
    const lg_csv_options *options;
    locale_t c_locale;
    double *label; /* [rows] */
    size_t *first; /* [rows] where a row's entries begin; they end where those of the next do */
    size_t rows, label_capacity, first_capacity;
    entry *entries;
    size_t count, capacity;
    size_t least, most, most_line; /* index of all entries; where the largest is */
    bool whole;                    /* every label is a whole number */
} sparse;

static lg_status bad_token(const sparse *s, size_t line, const char *token, const char *reason)
{
    return lg_fail(LG_E_FORMAT, "%s:%zu: \"%s\" %s", s->reader.path, line, lg_csv_excerpt_of(token).text, reason);
}

static lg_status read_value(const sparse *s, size_t line, const char *token, const char *text, lg_real *value)
{
    const lg_csv_options *options = s->options;
    switch (lg_number_parse(text, s->c_locale, value)) {
    case LG_NUMBER_FINITE: return LG_OK;
    case LG_NUMBER_NONE: return bad_token(s, line, token, "is not INDEX:VALUE");
    case LG_NUMBER_TOO_LARGE: return bad_token(s, line, token, "is too large");
    case LG_NUMBER_NAN:
        if (options->missing == LG_MISSING_KEEP)
            return LG_OK;
        break;
    case LG_NUMBER_INFINITE: break;
    }
    return options->allow_nonfinite ? LG_OK : bad_token(s, line, token, "is not a finite number");
}

static lg_status read_entry(sparse *s, size_t line, const char *token)
{
    const char *p = token;
    size_t index = 0;
    for (; *p >= '0' && *p <= '9'; p++)
        index = index > largest_index ? index : 10 * index + (size_t)(*p - '0');
    if (strncmp(token, "qid:", 4) == 0)
        return bad_token(s, line, token, "is a group of a ranking, which is not read");
    if (p == token || *p != ':')
        return bad_token(s, line, token, "is not INDEX:VALUE");
    if (index > largest_index)
        return bad_token(s, line, token, "has an index above 2147483647");
    if (index == 0 && s->options->index_base == LG_INDEX_BASE_1)
        return bad_token(s, line, token, "has the index 0, but they count from 1");
    lg_real value;
    lg_status status = read_value(s, line, token, p + 1, &value);
    if (status == LG_OK && s->count > s->first[s->rows - 1] && index <= s->entries[s->count - 1].index)
        status = lg_fail(LG_E_FORMAT, "%s:%zu: feature %zu comes after feature %zu; they must ascend", s->reader.path,
                         line, index, s->entries[s->count - 1].index);
    if (status == LG_OK)
        status = lg_reserve(&s->entries, &s->capacity, s->count + 1, sizeof *s->entries, "read_libsvm");
    if (status < 0)
        return status;
    s->entries[s->count++] = (entry){ index, value };
    s->least = index < s->least ? index : s->least;
    if (index > s->most || s->most_line == 0) {
        s->most = index;
        s->most_line = line;
    }
    return LG_OK;
}

static lg_status read_label(sparse *s, size_t line, const char *token)
{
    lg_real label;
    lg_number kind = lg_number_parse(token, s->c_locale, &label);
    if (kind != LG_NUMBER_FINITE)
        return bad_token(s, line, token, kind == LG_NUMBER_NONE ? "begins the line, but is not a number"
                                                                : "is no target: it is not a finite number");
    lg_status status = lg_reserve(&s->label, &s->label_capacity, s->rows + 1, sizeof *s->label, "read_libsvm");
    if (status == LG_OK)
        status = lg_reserve(&s->first, &s->first_capacity, s->rows + 1, sizeof *s->first, "read_libsvm");
    if (status < 0)
        return status;
    s->whole = s->whole && label == rint((double)label);
    s->label[s->rows] = (double)label;
    s->first[s->rows++] = s->count;
    return LG_OK;
}

static lg_status read_line(sparse *s)
{
    const lg_csv_cell *cell = &s->reader.cells[0];
    if (s->reader.cell_count > 1 || cell->quoted)
        return bad_token(s, cell->line, cell->text, "begins the line, but is not a number");
    cell->text[strcspn(cell->text, "#")] = '\0';
    lg_status status = LG_OK;
    bool first = true;
    for (char *rest = cell->text, *token; status == LG_OK && (token = strsep(&rest, " \t")) != NULL;) {
        if (!*token)
            continue;
        status = first ? read_label(s, cell->line, token) : read_entry(s, cell->line, token);
        first = false;
    }
    return status;
}

static lg_status read_lines(sparse *s, lg_stream *stream)
{
    enum { NO_DELIMITER = 1 }; /* a byte that no text has */
    lg_status status = lg_csv_reader_open(&s->reader, stream, NO_DELIMITER, 0);
    if (status < 0)
        return status;
    while ((status = lg_csv_reader_next(&s->reader)) == LG_OK && s->reader.cell_count > 0)
        if ((status = read_line(s)) < 0)
            break;
    lg_csv_reader_close(&s->reader);
    if (status == LG_OK && s->rows == 0)
        status = lg_fail(LG_E_FORMAT, "%s: there are no rows", stream->path);
    return status;
}

/* ---- the table ----------------------------------------------------------------------------------------------------- */

/* The index by which the first feature is named. */
static size_t first_name(const sparse *s)
{
    const lg_dataset *like = s->options->like;
    const char *name = like ? lg_dataset_feature_name(like, 0) : NULL;
    if (like)
        return name && strcmp(name, "0") == 0 ? 0 : 1;
    return s->options->index_base == LG_INDEX_BASE_AUTO ? !(s->count > 0 && s->least == 0)
                                                        : s->options->index_base == LG_INDEX_BASE_1;
}

/* The index of the first feature, and how many there are. */
static lg_status plan_features(const sparse *s, const char *path, size_t *base, size_t *features)
{
    const lg_dataset *like = s->options->like;
    *base = s->options->index_base == LG_INDEX_BASE_AUTO ? first_name(s) : s->options->index_base == LG_INDEX_BASE_1;
    *features = like ? lg_dataset_features(like) : s->count > 0 ? s->most + 1 - *base : 0;
    if (*features == 0)
        return lg_fail(LG_E_FORMAT, "%s: no row has a feature", path);
    if (s->count > 0 && (s->least < *base || s->most - *base >= *features))
        return lg_fail(LG_E_FORMAT, "%s:%zu: there is a feature %zu, but in the data set to read the file like they are "
                       "%zu .. %zu", path, s->most_line, s->least < *base ? s->least : s->most, *base,
                       *features + *base - 1);
    size_t values;
    if (!lg_size_mul(s->rows, *features, &values) || values > PTRDIFF_MAX / sizeof(double)
        || (values > dense_without_question && values / MOST_SPARSE > s->count))
        return lg_fail(LG_E_FORMAT, "%s: %zu values in a table of %zu x %zu are too sparse to be written out", path,
                       s->count, s->rows, *features);
    return LG_OK;
}

static lg_status add_features(const sparse *s, size_t base, size_t features, lg_dataset *dataset)
{
    lg_real *x = lg_calloc(s->rows * features, sizeof *x, "read_libsvm");
    if (!x)
        return LG_E_MEMORY;
    for (size_t i = 0; i < s->rows; i++)
        for (size_t k = s->first[i]; k < (i + 1 < s->rows ? s->first[i + 1] : s->count); k++)
            x[i * features + s->entries[k].index - base] = s->entries[k].value;
    lg_status status = lg_dataset_adopt_field(dataset, &(lg_field){ .name = "x", .rank = 1, .dims = { features } }, x);
    if (status < 0)
        free(x);
    return status;
}

static lg_status name_features(size_t base, size_t features, lg_dataset *dataset)
{
    enum { DIGITS = 12 };
    char(*text)[DIGITS] = lg_calloc(features, sizeof *text, "read_libsvm");
    const char **names = lg_calloc(features, sizeof *names, "read_libsvm");
    lg_status status = text && names ? LG_OK : LG_E_MEMORY;
    for (size_t k = 0; status == LG_OK && k < features; k++) {
        snprintf(text[k], DIGITS, "%u", (unsigned)(k + base));
        names[k] = text[k];
    }
    if (status == LG_OK)
        status = lg_dataset_set_feature_names(dataset, features, names);
    free(text);
    free(names);
    return status;
}

static lg_dataset *make_dataset(sparse *s, const char *path)
{
    size_t base, features;
    if (plan_features(s, path, &base, &features) < 0)
        return NULL;
    lg_dataset *dataset = lg_dataset_new(s->rows);
    if (!dataset)
        return NULL;
    lg_target target = { .path = path, .value = s->label, .rows = s->rows, .options = s->options,
                         .kind = lg_target_kind_of(s->options, s->whole) };
    s->label = NULL;
    lg_status status = add_features(s, base, features, dataset);
    if (status == LG_OK)
        status = name_features(first_name(s), features, dataset);
    if (status == LG_OK)
        status = lg_target_add(&target, dataset, true);
    lg_target_free(&target);
    if (status == LG_OK)
        return dataset;
    lg_dataset_free(dataset);
    return NULL;
}

static lg_status check_options(const char *path, const lg_csv_options *options)
{
    if (options->drop || options->text_columns)
        return lg_fail(LG_E_PARAM, "%s: the columns of a sparse table have no names to leave out", path);
    if (options->target && strcmp(options->target, "0") != 0 && strcmp(options->target, "label") != 0)
        return lg_fail(LG_E_PARAM, "%s: the target of a sparse table is the first number of each line, \"label\", not "
                       "\"%s\"", path, lg_csv_excerpt_of(options->target).text);
    if ((unsigned)options->target_kind > LG_BINARY || (unsigned)options->missing > LG_MISSING_DROP_ROW)
        return lg_fail(LG_E_PARAM, "%s: target_kind or missing is not one of its names", path);
    if ((unsigned)options->index_base > LG_INDEX_BASE_1)
        return lg_fail(LG_E_PARAM, "%s: index_base is not one of its names", path);
    if (options->positive && options->target_kind != LG_TARGET_AUTO && options->target_kind != LG_BINARY)
        return lg_fail(LG_E_PARAM, "%s: a positive class is for a binary target", path);
    return LG_OK;
}

lg_dataset *lg_libsvm_read(lg_stream *stream, const lg_csv_options *options)
{
    static const lg_csv_options defaults;
    sparse s = { .options = options ? options : &defaults, .least = SIZE_MAX, .whole = true };
    if (check_options(stream->path, s.options) < 0)
        return NULL;
    s.c_locale = newlocale(LC_ALL_MASK, "C", NULL);
    if (!s.c_locale) {
        lg_fail(LG_E_MEMORY, "read_libsvm: out of memory for a locale");
        return NULL;
    }
    lg_dataset *dataset = read_lines(&s, stream) == LG_OK ? make_dataset(&s, stream->path) : NULL;
    freelocale(s.c_locale);
    free(s.label);
    free(s.first);
    free(s.entries);
    return dataset;
}

lg_dataset *lg_dataset_read_libsvm(const char *path, const lg_csv_options *options)
{
    if (!path) {
        lg_fail_null("read_libsvm: no path");
        return NULL;
    }
    lg_stream stream;
    if (lg_stream_open(&stream, path) < 0)
        return NULL;
    lg_dataset *dataset = lg_libsvm_read(&stream, options);
    lg_stream_close(&stream);
    return dataset;
}
