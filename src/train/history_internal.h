/* What a history is made of: for the files that read and write it, and for lg_fit. */
#ifndef LG_HISTORY_INTERNAL_H
#define LG_HISTORY_INTERNAL_H

#include "train/history.h"

#define LG_COLUMN_BYTES 64

typedef struct lg_column {
    char name[LG_COLUMN_BYTES];
    double *values; /* room for `row_capacity` */
    bool fresh;     /* made by the lg_history_add that is running */
} lg_column;

struct lg_history {
    lg_column *columns;
    size_t column_count, column_capacity;
    size_t rows, row_capacity;
    uint64_t layout; /* counts changes of the columns, so that a file notices */
    lg_stop stop;
    int signal;
    size_t best_epoch;
};

/* True for 1 to 63 bytes that need no quoting in CSV or JSON; otherwise LG_E_PARAM in the name of `what`. */
bool lg_column_name_check(const char *what, const char *name);

/* Column index of a name; column_count if there is none. */
size_t lg_history_find(const lg_history *history, const char *name);

/* True for names of JSON lines. */
bool lg_history_path_is_json(const char *path);

/* Bytes of a file that holds this history as it is now; 0 for what is no regular file. */
uint64_t lg_history_file_bytes(const lg_history_file *file);

#endif
