/* Splitting a CSV file into records and cells (RFC 4180). */
#include "data/csv_reader_internal.h"

#include <stdlib.h>
#include <string.h>

#include "tensor/memory_internal.h"

enum { FIRST_CAPACITY = 1 << 18 };
static const size_t longest_record = (size_t)1 << 26;

/* ---- bytes --------------------------------------------------------------------------------------------------------- */

/* Moves the unread bytes to the front, makes room if they fill more than half, and reads as many as fit. */
static lg_status refill(lg_csv_reader *reader)
{
    size_t unread = reader->end - reader->begin;
    memmove(reader->buffer, reader->buffer + reader->begin, unread);
    reader->begin = 0;
    reader->end = unread;
    if (unread > longest_record)
        return lg_fail(LG_E_FORMAT, "%s:%zu: the row that begins here is longer than %zu MB (a quote that is never "
                       "closed?)", reader->path, reader->line, longest_record >> 20);
    if (unread > reader->capacity / 2) {
        char *larger = lg_realloc(reader->buffer, 2 * reader->capacity + 1, 1, "read_csv");
        if (!larger)
            return LG_E_MEMORY;
        reader->buffer = larger;
        reader->capacity *= 2;
    }
    size_t wanted = reader->capacity - unread, got;
    lg_status status = lg_stream_read(reader->stream, reader->buffer + unread, wanted, &got);
    if (status < 0)
        return status;
    reader->at_end = got < wanted;
    reader->end = unread + got;
    reader->buffer[reader->end] = '\0';
    return LG_OK;
}

/* ---- opening ------------------------------------------------------------------------------------------------------- */

static lg_status skip_mark(lg_csv_reader *reader)
{
    while (!reader->at_end && reader->end < 3) {
        lg_status status = refill(reader);
        if (status < 0)
            return status;
    }
    if (reader->end == 0)
        return lg_fail(LG_E_FORMAT, "%s: is empty", reader->path);
    if (reader->end >= 2 && (memcmp(reader->buffer, "\xFF\xFE", 2) == 0 || memcmp(reader->buffer, "\xFE\xFF", 2) == 0))
        return lg_fail(LG_E_FORMAT, "%s: is UTF-16; save it as UTF-8", reader->path);
    if (reader->end >= 3 && memcmp(reader->buffer, "\xEF\xBB\xBF", 3) == 0)
        reader->begin = 3;
    return LG_OK;
}

static lg_status skip_line(lg_csv_reader *reader)
{
    for (;;) {
        char *first = reader->buffer + reader->begin, *end = reader->buffer + reader->end, *p = first;
        while (p < end && *p != '\n' && *p != '\r')
            p++;
        bool complete = p < end && (*p == '\n' || p + 1 < end || reader->at_end);
        if (complete) {
            reader->begin += (size_t)(p - first) + (*p == '\r' && p + 1 < end && p[1] == '\n' ? 2 : 1);
            reader->line++;
            return LG_OK;
        }
        if (reader->at_end) {
            reader->begin = reader->end;
            return LG_OK;
        }
        reader->begin += (size_t)(p - first); /* nothing of a skipped line is kept, unless it is a CR before its LF */
        lg_status status = refill(reader);
        if (status < 0)
            return status;
    }
}

lg_status lg_csv_reader_open(lg_csv_reader *reader, lg_stream *stream, char delimiter, size_t skip_lines)
{
    *reader = (lg_csv_reader){
        .path = stream->path, .stream = stream, .delimiter = delimiter, .capacity = FIRST_CAPACITY, .line = 1
    };
    reader->stop[0] = reader->stop['\n'] = reader->stop['\r'] = reader->stop[(unsigned char)delimiter] = true;
    reader->buffer = lg_calloc(reader->capacity + 1, 1, "read_csv");
    lg_status status = reader->buffer ? LG_OK : LG_E_MEMORY;
    if (status == LG_OK)
        status = skip_mark(reader);
    for (size_t i = 0; status == LG_OK && i < skip_lines; i++)
        status = skip_line(reader);
    if (status < 0)
        lg_csv_reader_close(reader);
    return status;
}

lg_status lg_csv_reader_seek(lg_csv_reader *reader, uint64_t offset, size_t line)
{
    reader->begin = reader->end = 0;
    reader->buffer[0] = '\0';
    reader->at_end = false;
    reader->line = line;
    return lg_stream_seek(reader->stream, offset);
}

void lg_csv_reader_close(lg_csv_reader *reader)
{
    free(reader->buffer);
    free(reader->cells);
    reader->buffer = NULL;
    reader->cells = NULL;
}

/* ---- cells --------------------------------------------------------------------------------------------------------- */

/* Where a scan stands. It gives up when the buffer ends before the record does, to begin anew with more bytes. */
typedef struct {
    lg_csv_reader *reader;
    char *p, *end;
    size_t line;
    bool incomplete;
} scan;

static lg_status null_byte(const scan *s)
{
    return lg_fail(LG_E_FORMAT, "%s:%zu: there is a zero byte; this is not a text file", s->reader->path, s->line);
}

/* Whether the buffer ends here, which is the end of the record only if it is the end of the file. */
static bool out_of_bytes(scan *s)
{
    if (s->p < s->end)
        return false;
    s->incomplete = !s->reader->at_end;
    return true;
}

static void skip_blanks(scan *s)
{
    while ((*s->p == ' ' || *s->p == '\t') && *s->p != s->reader->delimiter)
        s->p++;
}

static lg_status scan_quoted(scan *s, lg_csv_cell *cell)
{
    cell->quoted = true;
    cell->text = ++s->p;
    for (;; s->p++) {
        if (*s->p == '"') {
            if (s->p[1] != '"') /* at the end of the buffer, the byte behind it is 0 */
                break;
            cell->escaped = true;
            s->p++;
        } else if (*s->p == '\n' || (*s->p == '\r' && s->p[1] != '\n'))
            s->line++;
        else if (*s->p == '\0') {
            if (!out_of_bytes(s))
                return null_byte(s);
            return s->incomplete ? LG_OK
                                 : lg_fail(LG_E_FORMAT, "%s:%zu: a quote opens here and is never closed",
                                           s->reader->path, cell->line);
        }
    }
    cell->length = (size_t)(s->p - cell->text);
    s->p++;
    skip_blanks(s);
    if (!out_of_bytes(s) && *s->p != s->reader->delimiter && *s->p != '\n' && *s->p != '\r')
        return lg_fail(LG_E_FORMAT, "%s:%zu: there is text after a closing quote; a quote inside a cell is written "
                       "twice", s->reader->path, s->line);
    return LG_OK;
}

static lg_status scan_plain(scan *s, lg_csv_cell *cell)
{
    const bool *stop = s->reader->stop;
    cell->text = s->p;
    while (!stop[(unsigned char)*s->p])
        s->p++;
    if (*s->p == '\0' && !out_of_bytes(s))
        return null_byte(s);
    cell->length = (size_t)(s->p - cell->text);
    while (cell->length > 0 && (cell->text[cell->length - 1] == ' ' || cell->text[cell->length - 1] == '\t'))
        cell->length--;
    return LG_OK;
}

/* Steps over the delimiter or the line end; *more says whether another cell of the record follows. */
static void scan_separator(scan *s, bool *more)
{
    *more = false;
    if (out_of_bytes(s))
        return;
    *more = *s->p == s->reader->delimiter;
    if (*s->p == '\r') {
        if (s->p + 1 == s->end && !s->reader->at_end) {
            s->incomplete = true; /* is this CR followed by LF? */
            return;
        }
        s->p += s->p[1] == '\n';
    }
    s->line += !*more;
    s->p++;
}

static lg_status scan_record(scan *s)
{
    lg_csv_reader *reader = s->reader;
    reader->cell_count = 0;
    for (bool more = true; more;) {
        lg_status status = lg_reserve(&reader->cells, &reader->cell_capacity, reader->cell_count + 1,
                                      sizeof *reader->cells, "read_csv");
        if (status < 0)
            return status;
        lg_csv_cell *cell = &reader->cells[reader->cell_count++];
        *cell = (lg_csv_cell){ .line = s->line };
        skip_blanks(s);
        status = *s->p == '"' ? scan_quoted(s, cell) : scan_plain(s, cell);
        if (status < 0)
            return status;
        if (!s->incomplete)
            scan_separator(s, &more);
        if (s->incomplete)
            return LG_OK;
    }
    return LG_OK;
}

static void finish_cells(lg_csv_reader *reader)
{
    for (size_t c = 0; c < reader->cell_count; c++) {
        lg_csv_cell *cell = &reader->cells[c];
        if (cell->escaped) {
            char *to = cell->text;
            for (char *from = cell->text; from < cell->text + cell->length; from++) {
                *to++ = *from;
                from += *from == '"';
            }
            cell->length = (size_t)(to - cell->text);
        }
        cell->text[cell->length] = '\0';
    }
}

lg_status lg_csv_reader_next(lg_csv_reader *reader)
{
    for (;;) {
        reader->cell_count = 0;
        if (reader->begin == reader->end && reader->at_end)
            return LG_OK;
        scan s = { .reader = reader, .p = reader->buffer + reader->begin, .end = reader->buffer + reader->end,
                   .line = reader->line };
        s.incomplete = reader->begin == reader->end;
        lg_status status = s.incomplete ? LG_OK : scan_record(&s);
        if (status == LG_OK && s.incomplete && (status = refill(reader)) == LG_OK)
            continue;
        if (status < 0) {
            reader->cell_count = 0;
            return status;
        }
        reader->record_offset = reader->stream->offset - (reader->end - reader->begin);
        reader->record_line = reader->line;
        reader->begin = (size_t)(s.p - reader->buffer);
        reader->line = s.line;
        bool blank = reader->cell_count == 1 && reader->cells[0].length == 0 && !reader->cells[0].quoted;
        if (blank)
            continue;
        finish_cells(reader);
        return LG_OK;
    }
}
