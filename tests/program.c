#include "program.h"
#include "support.h"

#include <check.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];
static char *contents[4];
static size_t next_content;

void program_setup(void)
{
    snprintf(folder, sizeof folder, "/tmp/luge-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

void program_teardown(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    ck_assert_int_eq(system(command), 0);
    for (size_t i = 0; i < 4; i++) {
        free(contents[i]);
        contents[i] = NULL;
    }
}

const char *program_path(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

int program_run(const char *format, ...)
{
    char wanted[4096], command[12288];
    va_list arguments;
    va_start(arguments, format);
    ck_assert_int_lt(vsnprintf(wanted, sizeof wanted, format, arguments), (int)sizeof wanted);
    va_end(arguments);
    snprintf(command, sizeof command, "cd '%s' && bin='%s' source='%s' && { %s\n} >out 2>err", folder, test_build_dir(),
             test_source_dir(), wanted);
    int status = system(command);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void program_ok(const char *command)
{
    ck_assert_msg(program_run("%s", command) == 0, "%s: %s", command, program_file("err"));
}

void program_refused(int status, const char *text, const char *command)
{
    const int got = program_run("%s", command);
    const char *message = program_file("err");
    ck_assert_msg(got == status, "%s: exit %d, %s", command, got, message);
    ck_assert_msg(strstr(message, text) != NULL, "%s: \"%s\" is not in: %s", command, text, message);
    ck_assert_uint_eq(count_lines(message), status == 2 ? 2 : 1);
    ck_assert(!program_has("refused"));
}

bool program_has(const char *name)
{
    return access(program_path(name), F_OK) == 0;
}

const char *program_file(const char *name)
{
    FILE *file = fopen(program_path(name), "rb");
    ck_assert_msg(file != NULL, "there is no %s", name);
    struct stat found;
    ck_assert_int_eq(fstat(fileno(file), &found), 0);
    char **content = &contents[next_content++ % 4];
    free(*content);
    *content = calloc((size_t)found.st_size + 1, 1);
    ck_assert_ptr_nonnull(*content);
    ck_assert_uint_eq(fread(*content, 1, (size_t)found.st_size, file), (size_t)found.st_size);
    fclose(file);
    return *content;
}

void program_write(const char *name, const char *content)
{
    FILE *file = fopen(program_path(name), "wb");
    ck_assert_ptr_nonnull(file);
    fputs(content, file);
    ck_assert_int_eq(fclose(file), 0);
}

size_t count_lines(const char *text)
{
    size_t lines = 0;
    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

size_t count_cells(const char *text, size_t line)
{
    for (; line > 0; line--) {
        text = strchr(text, '\n');
        ck_assert_ptr_nonnull(text);
        text++;
    }
    size_t cells = 1;
    for (; *text && *text != '\n'; text++)
        cells += *text == ',';
    return cells;
}

double program_fact(const char *file, const char *key)
{
    json_error_t error;
    json_t *root = json_loads(program_file(file), JSON_REJECT_DUPLICATES, &error), *value = root;
    ck_assert_msg(root != NULL, "%s: %s", file, error.text);
    char names[128];
    snprintf(names, sizeof names, "%s", key);
    for (char *name = strtok(names, "."); name; name = strtok(NULL, "."))
        value = json_object_get(value, name);
    ck_assert_msg(json_is_number(value), "%s has no number %s", file, key);
    double number = json_number_value(value);
    json_decref(root);
    return number;
}
