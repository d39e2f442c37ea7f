/* Histories as files: CSV and JSON lines (history.h). */
#include "train/history_internal.h"

#include "data/whole_file_internal.h"
#include "tensor/memory_internal.h"
#include "train/number_text_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct text {
    char *bytes;
    size_t used, capacity;
} text;

struct lg_history_file {
    char *path;
    int descriptor;
    bool json, regular;
    size_t rows;     /* that the file holds */
    uint64_t layout; /* of the columns in its header */
    text line;
};

bool lg_history_path_is_json(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot && (strcmp(dot, ".jsonl") == 0 || strcmp(dot, ".ndjson") == 0);
}

/* ----------------------------------------------------------- rows as text */

static lg_status append(text *t, const char *bytes)
{
    size_t length = strlen(bytes);
    if (lg_reserve(&t->bytes, &t->capacity, t->used + length + 1, 1, "lg_history_file") != LG_OK)
        return LG_E_MEMORY;
    memcpy(t->bytes + t->used, bytes, length + 1);
    t->used += length;
    return LG_OK;
}

static lg_status append_header(text *t, const lg_history *history)
{
    lg_status status = LG_OK;
    for (size_t i = 0; i < history->column_count && status == LG_OK; i++) {
        status = i ? append(t, ",") : LG_OK;
        if (status == LG_OK)
            status = append(t, history->columns[i].name);
    }
    return status == LG_OK ? append(t, "\n") : status;
}

/* {"epoch": 1, "loss": 0.5}: names need no escapes (lg_column_name_check), and what JSON has no number for is null. */
static lg_status append_json_row(text *t, const lg_history *history, size_t row)
{
    char number[LG_NUMBER_BYTES];
    lg_status status = LG_OK;
    for (size_t i = 0; i < history->column_count && status == LG_OK; i++) {
        const lg_column *column = history->columns + i;
        const double value = column->values[row];
        status = append(t, i ? ", \"" : "{\"");
        if (status == LG_OK)
            status = append(t, column->name);
        if (status == LG_OK)
            status = append(t, "\": ");
        if (status == LG_OK)
            status = append(t, isfinite(value) ? lg_number_exact(value, number) : "null");
    }
    return status == LG_OK ? append(t, "}\n") : status;
}

static lg_status append_row(text *t, const lg_history *history, size_t row, bool json)
{
    if (json)
        return append_json_row(t, history, row);
    char number[LG_NUMBER_BYTES];
    lg_status status = LG_OK;
    for (size_t i = 0; i < history->column_count && status == LG_OK; i++) {
        status = i ? append(t, ",") : LG_OK;
        if (status == LG_OK)
            status = append(t, lg_number_exact(history->columns[i].values[row], number));
    }
    return status == LG_OK ? append(t, "\n") : status;
}

static lg_status append_all(text *t, const lg_history *history, bool json)
{
    lg_status status = json || history->column_count == 0 ? LG_OK : append_header(t, history);
    for (size_t row = 0; row < history->rows && status == LG_OK; row++)
        status = append_row(t, history, row, json);
    return status;
}

/* ------------------------------------------------------------ bytes to disk */

static lg_status refused(const char *path, const char *what)
{
    return lg_fail(LG_E_IO, "%s: %s: %s", path, what, strerror(errno));
}

static bool write_all(int descriptor, const char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t written = write(descriptor, bytes, count);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) {
            errno = written == 0 ? EIO : errno;
            return false;
        }
        bytes += written;
        count -= (size_t)written;
    }
    return true;
}

/* Writes what `t` holds at the end of the file, or, on failure, leaves the file as it was. */
static lg_status write_text(lg_history_file *file, const text *t)
{
    const off_t end = file->regular ? lseek(file->descriptor, 0, SEEK_END) : 0;
    if (end < 0)
        return refused(file->path, "the history cannot be written");
    if (write_all(file->descriptor, t->bytes, t->used))
        return LG_OK;
    const int reason = errno;
    const bool restored = !file->regular || ftruncate(file->descriptor, end) == 0;
    errno = reason;
    return refused(file->path, restored ? "the history cannot be written"
                                        : "the history cannot be written, and its last line may be cut");
}

/* Puts `t` in place of `path`. */
static lg_status replace_file(const char *path, const text *t)
{
    lg_whole_file file;
    lg_status status = lg_whole_file_begin(&file, path);
    if (status != LG_OK)
        return status;
    lg_whole_file_write(&file, t->bytes, t->used);
    return lg_whole_file_end(&file);
}

lg_status lg_history_write(const lg_history *history, const char *path)
{
    if (!history || !path)
        return lg_fail_null("lg_history_write: %s is NULL", history ? "the path" : "the history");
    text whole = { 0 };
    lg_status status = append_all(&whole, history, lg_history_path_is_json(path));
    if (status == LG_OK)
        status = replace_file(path, &whole);
    free(whole.bytes);
    return status;
}

/* --------------------------------------------------------- a growing file */

static lg_status open_descriptor(lg_history_file *file, bool truncate)
{
    struct stat about;
    file->descriptor = open(file->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (truncate ? O_TRUNC : 0), 0666);
    if (file->descriptor < 0)
        return refused(file->path, "the history cannot be opened for writing");
    file->regular = fstat(file->descriptor, &about) == 0 && S_ISREG(about.st_mode);
    return LG_OK;
}

/* `write`: what the history has already is not in the file yet. */
static lg_history_file *open_file(const char *path, const lg_history *history, bool write)
{
    lg_history_file *file = lg_calloc(1, sizeof *file, "lg_history_file_open");
    if (!file)
        return NULL;
    file->descriptor = -1;
    file->path = lg_strdup(path, "lg_history_file_open");
    file->json = lg_history_path_is_json(path);
    const bool resumes = lg_history_rows(history) > 0;
    lg_status status = file->path ? LG_OK : LG_E_MEMORY;
    if (status == LG_OK && resumes) { /* the old file stays until the new one is whole */
        status = write ? lg_history_write(history, path) : LG_OK;
        file->rows = history->rows;
        file->layout = history->layout;
    }
    if (status == LG_OK)
        status = open_descriptor(file, !resumes);
    if (status == LG_OK)
        return file;
    lg_history_file_close(file);
    return NULL;
}

lg_history_file *lg_history_file_open(const char *path, const lg_history *history)
{
    if (path)
        return open_file(path, history, true);
    lg_fail_null("lg_history_file_open: the path is NULL");
    return NULL;
}

/* ------------------------------------------------------- going on with one */

/* Reads up to `most` bytes of the file into `bytes`. */
static lg_status read_beginning(const char *path, int descriptor, char *bytes, size_t most, size_t *count)
{
    for (*count = 0; *count < most;) {
        const ssize_t got = pread(descriptor, bytes + *count, most - *count, (off_t)*count);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return refused(path, "the history cannot be read");
        if (got == 0)
            break;
        *count += (size_t)got;
    }
    return LG_OK;
}

/* Names the line in which the file and the history part. */
static lg_status other_rows(const char *path, const char *found, const char *wanted, size_t count)
{
    size_t line = 1;
    for (size_t i = 0; i < count && found[i] == wanted[i]; i++)
        line += found[i] == '\n';
    const bool header = line == 1 && !lg_history_path_is_json(path);
    return lg_fail(LG_E_STATE, "%s:%zu: the file is not of this training: its %s is another than the checkpoint's", path,
                   line, header ? "header" : "row");
}

/* Cuts what is behind `whole` in the file, if it begins with that. *longer: it did, and now ends there. */
static lg_status cut_behind(const char *path, const text *whole, bool *longer)
{
    const int descriptor = open(path, O_RDWR | O_CLOEXEC);
    *longer = false;
    if (descriptor < 0)
        return errno == ENOENT ? LG_OK : refused(path, "the history cannot be gone on with");
    struct stat about;
    size_t count = 0;
    const bool regular = fstat(descriptor, &about) == 0 && S_ISREG(about.st_mode);
    char *found = regular ? lg_calloc(whole->used + 1, 1, "lg_history_file_resume") : NULL;
    lg_status status = regular && !found ? LG_E_MEMORY : LG_OK;
    if (found)
        status = read_beginning(path, descriptor, found, whole->used, &count);
    if (status == LG_OK && count > 0 && memcmp(found, whole->bytes, count) != 0)
        status = other_rows(path, found, whole->bytes, count);
    if (status == LG_OK && regular && count == whole->used) {
        *longer = true;
        if (ftruncate(descriptor, (off_t)whole->used) != 0)
            status = refused(path, "the history cannot be cut");
    }
    free(found);
    close(descriptor);
    return status;
}

lg_history_file *lg_history_file_resume(const char *path, const lg_history *history)
{
    if (!path || lg_history_rows(history) == 0)
        return lg_history_file_open(path, history);
    text whole = { 0 };
    bool longer = false;
    lg_status status = append_all(&whole, history, lg_history_path_is_json(path));
    if (status == LG_OK)
        status = cut_behind(path, &whole, &longer);
    lg_history_file *file = status == LG_OK ? open_file(path, history, !longer) : NULL;
    free(whole.bytes);
    return file;
}

uint64_t lg_history_file_bytes(const lg_history_file *file)
{
    struct stat about;
    return file && file->regular && fstat(file->descriptor, &about) == 0 ? (uint64_t)about.st_size : 0;
}

static lg_status start_anew(lg_history_file *file, const lg_history *history)
{
    if (!file->regular)
        return lg_fail(LG_E_STATE, "%s: the history has a column since row %zu that the file has not, and no regular "
                                   "file can be written anew", file->path, history->rows);
    lg_status status = lg_history_write(history, file->path);
    if (status != LG_OK)
        return status;
    close(file->descriptor);
    return open_descriptor(file, false);
}

lg_status lg_history_file_append(lg_history_file *file, const lg_history *history)
{
    if (!file || !history)
        return lg_fail_null("lg_history_file_append: %s is NULL", file ? "the history" : "the file");
    lg_status status = LG_OK;
    file->line.used = 0;
    if (file->rows == 0)
        status = append_all(&file->line, history, file->json);
    else if (file->layout != history->layout && (!file->json || file->regular)) {
        status = start_anew(file, history);
    } else {
        for (size_t row = file->rows; row < history->rows && status == LG_OK; row++)
            status = append_row(&file->line, history, row, file->json);
    }
    if (status == LG_OK && file->line.used > 0)
        status = write_text(file, &file->line);
    if (status == LG_OK) {
        file->rows = history->rows;
        file->layout = history->layout;
    }
    return status;
}

lg_status lg_history_file_close(lg_history_file *file)
{
    if (!file)
        return LG_OK;
    lg_status status = LG_OK;
    if (file->descriptor >= 0 && close(file->descriptor) != 0 && errno != EINTR)
        status = refused(file->path, "the history cannot be written");
    free(file->path);
    free(file->line.bytes);
    free(file);
    return status;
}
