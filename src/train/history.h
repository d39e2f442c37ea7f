/* The history of a training: one row per epoch, one named column per number that was recorded.
 *
 *     lg_history *history = lg_fit(...);
 *     size_t epochs;
 *     const double *loss = lg_history_column(history, "loss", &epochs);
 *     printf("final loss %.4f\n", lg_history_last(history, "loss"));
 *
 * As a file it is CSV with a header, or, when the name ends in ".jsonl" (or ".ndjson"), JSON lines:
 *
 *     epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds
 *     1,1.8297,0.4315,1.1102,0.7361,0.001,0.0121
 *
 *     {"epoch": 1, "loss": 1.8297, "accuracy": 0.4315, ...}
 *
 * Numbers are written with the fewest digits that read back as the same double, with a point whatever the locale. NaN
 * is `nan` in CSV and null in JSON; infinity is `inf` in CSV and, since JSON has none, null there. */
#ifndef LG_HISTORY_H
#define LG_HISTORY_H

#include "tensor/base.h"

LG_BEGIN_DECLS

typedef struct lg_history lg_history;

/* An empty history; NULL with LG_E_MEMORY. */
LG_API lg_history *lg_history_new(void);
LG_API void lg_history_free(lg_history *history);

/* Rows, and columns with their names in order (NULL beyond the last). On NULL: 0 and NULL. */
LG_API size_t lg_history_rows(const lg_history *history);
LG_API size_t lg_history_column_count(const lg_history *history);
LG_API const char *lg_history_column_name(const lg_history *history, size_t index);

/* A whole column, [rows], valid until the next change of the history; *rows is set where not NULL. A name that is not
 * there is NULL with LG_E_PARAM, and the message names the nearest. */
LG_API const double *lg_history_column(const lg_history *history, const char *name, size_t *rows);

/* The value of the last row; NaN, with lg_error set, when there is no such column or no row. */
LG_API double lg_history_last(const lg_history *history, const char *name);

/* True when there is such a column; touches no error. */
LG_API bool lg_history_has(const lg_history *history, const char *name);

/* Adds a row of `count` names and values. The first row makes the columns. Later, a column that the row does not name
 * is NaN in it; a name that is new becomes a column behind the one that the row names before it, NaN in earlier rows.
 * LG_E_PARAM: a name that is no column name (1 to 63 bytes without control characters, commas, double quotes or
 * backslashes) or comes twice; LG_E_MEMORY. On failure the history is as it was. */
LG_API lg_status lg_history_add(lg_history *history, size_t count, const char *const *names, const double *values);

/* Keeps the first `rows` rows (to resume from an earlier epoch); columns stay. More than there are: no change. */
LG_API void lg_history_cut(lg_history *history, size_t rows);

/* Reads a file that was written by this module, CSV or JSON lines by its content, whatever its name, and checks it: the
 * first column is `epoch`, whole numbers that grow; every row has the header's columns. An empty file is an empty history.
 * NULL on error: LG_E_IO, LG_E_FORMAT ("history.csv:7: 5 cells, the header has 6"), LG_E_MEMORY. */
LG_API lg_history *lg_history_read(const char *path);

/* The same for a file that somebody still writes: a last line that is not whole is left out, and *half_line (not NULL: set)
 * is its number, 0 where there is none. Whole is a line of CSV that has its end, and a row of JSON that can be read. */
LG_API lg_history *lg_history_read_growing(const char *path, size_t *half_line);

/* Writes the whole history under a temporary name, syncs it and renames it, so that `path` is whole at any time.
 * LG_E_IO, LG_E_MEMORY. */
LG_API lg_status lg_history_write(const lg_history *history, const char *path);

/* A file that grows with the history, row by row. Opening begins it anew, with the rows that `history` has already
 * (NULL or empty: none). Append writes the rows that the file lacks, each whole or not at all: when the disk is full the
 * file ends after the last row that had room. A column that is new since the last append makes the file be written anew
 * (as lg_history_write does).
 * NULL or a negative status on error: LG_E_IO with the file and the reason, LG_E_MEMORY. */
typedef struct lg_history_file lg_history_file;
LG_API lg_history_file *lg_history_file_open(const char *path, const lg_history *history);
LG_API lg_status lg_history_file_append(lg_history_file *file, const lg_history *history);

/* Goes on with a file that was written from this history, and perhaps further: rows behind those of `history` are cut
 * off. A file that is missing, or shorter, is written anew. LG_E_STATE, and the file as it was, when its header or one of
 * these rows is another. */
LG_API lg_history_file *lg_history_file_resume(const char *path, const lg_history *history);

/* Closes and releases; LG_E_IO when the system reports a write that failed late. NULL is harmless. */
LG_API lg_status lg_history_file_close(lg_history_file *file);

/* Why the training that made this history ended, and what else lg_fit says of it. */
typedef enum lg_stop {
    LG_STOP_NONE = 0,     /* not made by lg_fit, or it ran all its epochs */
    LG_STOP_EARLY = 1,    /* early stopping */
    LG_STOP_CALLBACK = 2, /* the epoch callback asked for it */
    LG_STOP_SIGNAL = 3    /* SIGINT or SIGTERM: see lg_history_signal */
} lg_stop;
LG_API lg_stop lg_history_stop(const lg_history *history);

/* The signal that ended training, 0 if none did. A program that is to die of it raises it again:
 *     if (lg_history_signal(history)) raise(lg_history_signal(history)); */
LG_API int lg_history_signal(const lg_history *history);

/* With early stopping: the epoch whose monitored value was best (1 is the first); 0 without, or when none was a
 * number. */
LG_API size_t lg_history_best_epoch(const lg_history *history);

LG_END_DECLS

#endif
