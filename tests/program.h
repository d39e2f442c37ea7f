/* Running the built programs as a user does: through a shell, in a scratch folder of the test's own. */
#ifndef TEST_PROGRAM_H
#define TEST_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

/* Makes the scratch folder and removes it: a fixture (tcase_add_checked_fixture) around every test. */
void program_setup(void);
void program_teardown(void);

/* Runs a shell command in the scratch folder, with $bin the build directory and $source the source tree; stdout goes to
 * the file `out` and stderr to `err` there. Returns the exit status, or 128 + the signal. */
int program_run(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A command that must succeed, or fail with that status and one line on stderr (two for a usage error, status 2) that has
 * `text` in it, and leave no folder "refused". */
void program_ok(const char *command);
void program_refused(int status, const char *text, const char *command);

/* The content of a file of the scratch folder, ended by a NUL byte; valid until the next call but three. A file that is
 * not there fails the test. */
const char *program_file(const char *name);
bool program_has(const char *name);

/* A number of a JSON file, by its path of names: "metrics.roc_auc". One that is not there fails the test. */
double program_fact(const char *file, const char *key);

/* Writes a file of the scratch folder. */
void program_write(const char *name, const char *content);

/* Path of a name in the scratch folder; valid until the next call. */
const char *program_path(const char *name);

/* Number of lines (newlines) in a text, and of cells in its line `line` (from 0) when commas divide them. */
size_t count_lines(const char *text);
size_t count_cells(const char *text, size_t line);

#endif
