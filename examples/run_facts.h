/* The facts of a run that end up in its run.json (run.h). */
#ifndef EXAMPLES_RUN_FACTS_H
#define EXAMPLES_RUN_FACTS_H

#include <luge.h>

typedef struct run run;

/* `key` is a path of names joined by points; a later value replaces an earlier one. A number that is NaN or
 * infinite is written as null, since JSON has neither. Out of memory shows in run_save. */
void run_note_number(run *r, const char *key, double value);
void run_note_count(run *r, const char *key, uint64_t value);
void run_note_text(run *r, const char *key, const char *text);  /* NULL: null; bytes that are not UTF-8 become "?" */
void run_note_flag(run *r, const char *key, bool value);
void run_note_numbers(run *r, const char *key, size_t count, const double *values);
void run_note_counts(run *r, const char *key, size_t count, const size_t *values);
void run_note_texts(run *r, const char *key, size_t count, const char *const *texts);

/* Lists a file in "files"; run_file_end does so by itself. */
void run_note_file(run *r, const char *name);

/* What is noted below "arguments." and "data." so far, as texts that a checkpoint keeps and compares: all by which
 * training differs, so without --epochs, --threads and the patience of --early-stopping. They live until the next call
 * or as long as the run. NULL without memory. */
const lg_metadata *run_facts(run *r, size_t *count);

#endif
