/* Histories read back from files (history.h). */
#include "train/history_internal.h"

#include "tensor/memory_internal.h"
#include "train/number_text_internal.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A file as it is read, line by line, and the row of the present line. */
typedef struct reader {
    const char *path;
    FILE *stream;
    char *line; /* without its end */
    size_t capacity, number;
    bool ended;   /* the line has its end: all of it is written */
    bool growing; /* a last line that is not whole is left out */
    size_t half;  /* the number of that line, 0 without */
    const char **names; /* [count]: of the CSV header or of the JSON object */
    double *values;
    size_t count, name_capacity, value_capacity;
    lg_history *history;
} reader;

static lg_status next_line(reader *r, bool *found)
{
    errno = 0;
    ssize_t used = getline(&r->line, &r->capacity, r->stream);
    *found = used >= 0;
    if (used < 0)
        return feof(r->stream)    ? LG_OK
               : errno == ENOMEM ? lg_fail(LG_E_MEMORY, "%s: out of memory", r->path)
                                 : lg_fail(LG_E_IO, "%s: cannot be read: %s", r->path, strerror(errno));
    r->number++;
    if (strlen(r->line) != (size_t)used)
        return lg_fail(LG_E_FORMAT, "%s:%zu: a zero byte; this is no text file", r->path, r->number);
    r->ended = used > 0 && r->line[used - 1] == '\n';
    while (used > 0 && (r->line[used - 1] == '\n' || r->line[used - 1] == '\r'))
        r->line[--used] = '\0';
    return LG_OK;
}

/* The first line that is not empty; a mark of the byte order before it is taken off. */
static lg_status first_line(reader *r, bool *found)
{
    static const char byte_order_mark[] = "\xEF\xBB\xBF";
    lg_status status;
    while ((status = next_line(r, found)) == LG_OK && *found) {
        if (r->number == 1 && strncmp(r->line, byte_order_mark, 3) == 0)
            memmove(r->line, r->line + 3, strlen(r->line + 3) + 1);
        if (r->line[0])
            break;
    }
    return status;
}

/* A line of CSV that lacks its end can lack digits as well, and nobody can tell. */
static bool is_half(reader *r)
{
    const bool half = r->growing && !r->ended;
    if (half)
        r->half = r->number;
    return half;
}

static lg_status reserve_cells(reader *r, size_t count)
{
    lg_status status = lg_reserve(&r->names, &r->name_capacity, count, sizeof *r->names, "lg_history_read");
    return status == LG_OK ? lg_reserve(&r->values, &r->value_capacity, count, sizeof *r->values, "lg_history_read")
                           : status;
}

static lg_status wrong_name(const reader *r)
{
    char reason[512];
    snprintf(reason, sizeof reason, "%s", lg_error());
    return lg_fail(LG_E_FORMAT, "%s:%zu: %s", r->path, r->number, reason);
}

static lg_status add_row(reader *r)
{
    const size_t row = lg_history_rows(r->history);
    if (r->count == 0 || strcmp(r->names[0], "epoch") != 0)
        return lg_fail(LG_E_FORMAT, "%s:%zu: the first column is \"%s\"; a history begins with \"epoch\"", r->path,
                       r->number, r->count ? r->names[0] : "");
    const double epoch = r->values[0];
    const double before = row ? lg_history_column(r->history, "epoch", NULL)[row - 1] : 0;
    if (!(epoch >= 1 && epoch == floor(epoch)) || epoch > 9e15)
        return lg_fail(LG_E_FORMAT, "%s:%zu: epoch %g is not a whole number from 1 on", r->path, r->number, epoch);
    if (epoch <= before)
        return lg_fail(LG_E_FORMAT, "%s:%zu: epoch %.0f comes after epoch %.0f", r->path, r->number, epoch, before);
    lg_status status = lg_history_add(r->history, r->count, r->names, r->values);
    return status == LG_E_PARAM ? wrong_name(r) : status;
}

/* -------------------------------------------------------------------- CSV */

/* Cuts the line at its commas; returns the cells, the first of them at the line's beginning. */
static size_t cut_cells(char *line)
{
    size_t count = 1;
    for (; *line; line++)
        if (*line == ',') {
            *line = '\0';
            count++;
        }
    return count;
}

/* The names point into `header`, which outlives the reading. */
static lg_status read_header(reader *r, char *header)
{
    r->count = cut_cells(header);
    if (reserve_cells(r, r->count) != LG_OK)
        return LG_E_MEMORY;
    for (size_t i = 0; i < r->count; i++, header += strlen(header) + 1) {
        r->names[i] = header;
        if (!lg_column_name_check("a history's header", header))
            return wrong_name(r);
        for (size_t k = 0; k < i; k++)
            if (strcmp(r->names[k], header) == 0)
                return lg_fail(LG_E_FORMAT, "%s:%zu: column \"%s\" comes twice", r->path, r->number, header);
    }
    if (strcmp(r->names[0], "epoch") != 0)
        return lg_fail(LG_E_FORMAT, "%s:%zu: the first column is \"%s\"; a history begins with \"epoch\"", r->path,
                       r->number, r->names[0]);
    return LG_OK;
}

static lg_status read_cells(reader *r)
{
    const size_t count = cut_cells(r->line);
    if (count != r->count)
        return lg_fail(LG_E_FORMAT, "%s:%zu: %zu cell%s, the header has %zu", r->path, r->number, count,
                       count == 1 ? "" : "s", r->count);
    char *cell = r->line;
    for (size_t i = 0; i < count; i++) {
        char *end, *next = cell + strlen(cell) + 1;
        r->values[i] = *cell ? lg_number_read(cell, &end) : NAN; /* an empty cell is a missing value */
        if (*cell && (end == cell || *end))
            return lg_fail(LG_E_FORMAT, "%s:%zu: column \"%s\": \"%s\" is not a number", r->path, r->number,
                           r->names[i], cell);
        cell = next;
    }
    return add_row(r);
}

/* The present line is the header. A history without a row has no columns, so a header alone is read as nothing. */
static lg_status read_csv(reader *r)
{
    bool found = true;
    if (is_half(r))
        return LG_OK;
    char *header = lg_strdup(r->line, "lg_history_read");
    if (!header)
        return LG_E_MEMORY;
    lg_status status = read_header(r, header);
    while (status == LG_OK && (status = next_line(r, &found)) == LG_OK && found)
        if (r->line[0] && !is_half(r))
            status = read_cells(r);
    free(header);
    return status;
}

/* ------------------------------------------------------------- JSON lines */

static lg_status read_object(reader *r)
{
    json_error_t error;
    json_t *object = json_loads(r->line, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &error);
    if (!object && json_error_code(&error) == json_error_out_of_memory)
        return lg_fail(LG_E_MEMORY, "lg_history_read: out of memory");
    if (!object)
        return is_half(r) ? LG_OK : lg_fail(LG_E_FORMAT, "%s:%zu: %s", r->path, r->number, error.text);
    lg_status status = json_is_object(object) ? reserve_cells(r, json_object_size(object) + 1)
                                              : lg_fail(LG_E_FORMAT, "%s:%zu: not a JSON object", r->path, r->number);
    const char *name;
    json_t *value;
    r->count = 0;
    if (status == LG_OK)
        json_object_foreach(object, name, value)
        {
            if (!json_is_number(value) && !json_is_null(value)) {
                status = lg_fail(LG_E_FORMAT, "%s:%zu: \"%s\" is neither a number nor null", r->path, r->number, name);
                break;
            }
            r->names[r->count] = name;
            r->values[r->count++] = json_is_null(value) ? NAN : json_number_value(value);
        }
    if (status == LG_OK)
        status = add_row(r);
    json_decref(object);
    return status;
}

static lg_status read_json_lines(reader *r)
{
    bool found = true;
    lg_status status = LG_OK;
    for (; status == LG_OK && found; status = status == LG_OK ? next_line(r, &found) : status)
        if (r->line[0])
            status = read_object(r);
    return status;
}

/* By content: a row of JSON begins with a brace, which no header does. */
static lg_status read_lines(reader *r)
{
    bool found;
    lg_status status = first_line(r, &found);
    if (status != LG_OK || !found)
        return status;
    const char first = r->line[strspn(r->line, " \t")];
    return first == '{' || first == '[' ? read_json_lines(r) : read_csv(r);
}

static lg_history *read_file(const char *path, bool growing, size_t *half)
{
    if (!path) {
        lg_fail_null("lg_history_read: the path is NULL");
        return NULL;
    }
    reader r = { .path = path, .stream = fopen(path, "re"), .growing = growing };
    if (!r.stream) {
        if (errno == ENOMEM)
            lg_fail(LG_E_MEMORY, "%s: cannot be opened: out of memory", path);
        else
            lg_fail(LG_E_IO, "%s: cannot be opened: %s", path, strerror(errno));
        return NULL;
    }
    lg_status status = (r.history = lg_history_new()) ? read_lines(&r) : LG_E_MEMORY;
    fclose(r.stream);
    free(r.line);
    free(r.names);
    free(r.values);
    if (half)
        *half = r.half;
    if (status == LG_OK)
        return r.history;
    lg_history_free(r.history);
    return NULL;
}

lg_history *lg_history_read(const char *path)
{
    return read_file(path, false, NULL);
}

lg_history *lg_history_read_growing(const char *path, size_t *half_line)
{
    return read_file(path, true, half_line);
}
