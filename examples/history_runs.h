/* The histories that the program `history` is given, and what it knows of their columns. */
#ifndef EXAMPLES_HISTORY_RUNS_H
#define EXAMPLES_HISTORY_RUNS_H

#include <luge.h>

/* One file. */
typedef struct history_run {
    char *path;  /* of the file itself: a folder's is its history.csv or, without one, its history.jsonl */
    char *label; /* a short name that no other run has: of the file, or of its folder where that is all that tells */
    lg_history *history;
    size_t rows;
} history_run;

typedef struct history_runs {
    history_run *runs;
    size_t count;
} history_runs;

/* Reads the files ("-": standard input). A last line that is not whole yet is left out, and so is, of several, a file
 * without epochs: both with a note on stderr. LG_E_FORMAT when none has epochs. On failure there is nothing to free. */
lg_status history_runs_read(history_runs *all, size_t count, const char *const *files);
void history_runs_free(history_runs *all);

/* Refuses a column that none of the runs has, and notes on stderr which runs lack it. */
lg_status history_runs_check(const history_runs *all, size_t count, const char *const *columns);

/* The column to compare runs by: val_loss, where all have it, else loss, else what comes first behind the epoch. NULL for
 * runs that have nothing but epochs. */
const char *history_runs_column(const history_runs *all);

/* A column's values, [rows]; NULL without one. */
const double *history_values(const history_run *run, const char *column);

/* Which direction is better, by the words of the name (between "_", "." and the like). For lower is whatever ends in
 * "loss" or is one of a list of words (error, mae, kl, ...), else for higher what is one of another (accuracy, auc, f1,
 * ...); of the rest (learning_rate, seconds, ...) nobody knows. `lower` and `higher` (ended by NULL) are the user's word. */
typedef enum history_better { HISTORY_UNKNOWN, HISTORY_LOWER, HISTORY_HIGHER } history_better;
history_better history_better_of(const char *column, const char *const *lower, const char *const *higher);

/* The row of the best value, the first of equals; false when no value is a number or no direction is known. */
bool history_best(const history_run *run, const char *column, history_better better, size_t *row);

/* The rule as one sentence for --help. */
extern const char history_better_rule[];

/* Columns that a text takes in the terminal, and the text padded with blanks to `width`: to the left of it, or, where
 * width is negative, to the right. */
size_t history_width(const char *text);
void history_pad(const char *text, int width);

/* What the terminal shows: stdout's own width and height, else `columns` and `rows`. UTF-8: by the locale. */
void history_terminal(size_t *columns, size_t *rows);
bool history_utf8(void);

#endif
