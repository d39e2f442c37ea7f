/* Records of a CSV file, one after the other, from a buffer that a record has to fit into and the file does not. */
#ifndef LG_CSV_READER_INTERNAL_H
#define LG_CSV_READER_INTERNAL_H

#include "data/stream_internal.h"

typedef struct lg_csv_cell {
    char *text;    /* ended by NUL, quotes taken off; valid until the next record */
    size_t length;
    size_t line;   /* where the cell begins, from 1 */
    bool quoted, escaped; /* escaped: doubled quotes inside, until they are made single */
} lg_csv_cell;

typedef struct lg_csv_reader {
    const char *path;
    lg_stream *stream;       /* the caller's */
    char delimiter;
    bool stop[256];          /* bytes that may end an unquoted cell */
    char *buffer;            /* bytes begin .. end-1 are unread; one byte more is allocated */
    size_t capacity, begin, end;
    bool at_end;             /* of the file: no byte will follow buffer[end - 1] */
    size_t line;             /* of buffer[begin] */
    uint64_t record_offset;  /* where the record begins that is in `cells`: byte of the file, ... */
    size_t record_line;      /* ... and line */
    lg_csv_cell *cells;
    size_t cell_count, cell_capacity;
} lg_csv_reader;

/* Begins to read an open file: skips a byte order mark and skip_lines lines. On error everything but the stream is
 * released. */
lg_status lg_csv_reader_open(lg_csv_reader *reader, lg_stream *stream, char delimiter, size_t skip_lines);

/* Reads the next record that is not an empty line into cells[0..cell_count); cell_count is 0 at the end of the file. */
lg_status lg_csv_reader_next(lg_csv_reader *reader);

/* Goes to where a record begins, in a plain file. */
lg_status lg_csv_reader_seek(lg_csv_reader *reader, uint64_t offset, size_t line);

/* NULL-safe in its parts: may be called on a zeroed struct. */
void lg_csv_reader_close(lg_csv_reader *reader);

#endif
