/* A directory of its own for each test, which is the current one while the test runs, so that messages name files by
 * short, known names. */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <stddef.h>

/* Checked fixtures of Check: tcase_add_checked_fixture(tcase, scratch_enter, scratch_leave). */
void scratch_enter(void);
void scratch_leave(void);

/* Writes a file in it, as it is or as gzip. */
void scratch_write(const char *name, const void *bytes, size_t count);
void scratch_write_text(const char *name, const char *text);
void scratch_write_gzip(const char *name, const void *bytes, size_t count);

/* The path of a file of the project's data/; valid until the next call. */
const char *data_file(const char *name);

#endif
