#include "run_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder with one of these holds a run. */
static const char *const run_marks[] = { "run.json", "history.csv" };

/* ------------------------------------------------------------------ folder */

static lg_status io_error(const char *path)
{
    return lg_fail(LG_E_IO, "%s: %s", path, strerror(errno));
}

static char *join(const char *folder, const char *file)
{
    char *path = NULL;
    if (asprintf(&path, "%s/%s", folder, file) < 0) {
        lg_fail(LG_E_MEMORY, "out of memory for the name of a file");
        return NULL;
    }
    return path;
}

static bool holds_run(const char *folder)
{
    bool found = false;
    for (size_t i = 0; i < sizeof run_marks / sizeof *run_marks && !found; i++) {
        char *path = join(folder, run_marks[i]);
        found = path && access(path, F_OK) == 0;
        free(path);
    }
    return found;
}

lg_status run_check(const char *out, bool overwrite)
{
    if (out && !overwrite && holds_run(out))
        return lg_fail(LG_E_STATE, "%s: holds a run already; --overwrite replaces it", out);
    return LG_OK;
}

static lg_status remove_file(const char *folder, const char *name)
{
    char *path = join(folder, name);
    if (!path)
        return lg_error_code();
    lg_status status = unlink(path) == 0 || errno == ENOENT ? LG_OK : io_error(path);
    free(path);
    return status;
}

/* Removes the files of an earlier run, so that none of them is taken for one of the new run. Which these are, its
 * run.json says; whatever else is in the folder stays. */
static lg_status clear_folder(const char *folder)
{
    char *path = join(folder, "run.json");
    if (!path)
        return lg_error_code();
    json_t *facts = json_load_file(path, 0, NULL), *files = json_object_get(facts, "files"), *file;
    free(path);
    lg_status status = LG_OK;
    size_t i;
    json_array_foreach(files, i, file) {
        const char *name = json_string_value(file);
        if (status == LG_OK && name && !strchr(name, '/'))
            status = remove_file(folder, name);
    }
    json_decref(facts);
    for (i = 0; i < sizeof run_marks / sizeof *run_marks && status == LG_OK; i++)
        status = remove_file(folder, run_marks[i]);
    return status;
}

/* Makes a folder and those above it; that it exists already is no error here. */
static lg_status make_folders(const char *folder)
{
    char *path = strdup(folder);
    if (!path)
        return lg_fail(LG_E_MEMORY, "out of memory for the name of a folder");
    lg_status status = LG_OK;
    for (char *slash = path + 1; status == LG_OK && slash[-1]; slash++) {
        if (*slash != '/' && *slash != '\0')
            continue;
        char kept = *slash;
        *slash = '\0';
        if (mkdir(path, 0777) < 0 && errno != EEXIST)
            status = io_error(path);
        *slash = kept;
    }
    free(path);
    struct stat found;
    if (status == LG_OK && stat(folder, &found) == 0 && !S_ISDIR(found.st_mode))
        status = lg_fail(LG_E_IO, "%s: is not a folder", folder);
    return status;
}

/* runs/NAME, runs/NAME-2, ...: the first that mkdir can make. */
static char *make_numbered(const char *name)
{
    if (make_folders("runs") != LG_OK)
        return NULL;
    for (unsigned number = 1;; number++) {
        char *folder = NULL;
        int length = number == 1 ? asprintf(&folder, "runs/%s", name) : asprintf(&folder, "runs/%s-%u", name, number);
        if (length < 0) {
            lg_fail(LG_E_MEMORY, "out of memory for the name of a folder");
            return NULL;
        }
        if (mkdir(folder, 0777) == 0)
            return folder;
        if (errno != EEXIST || number == 1000000) {
            io_error(folder);
            free(folder);
            return NULL;
        }
        free(folder);
    }
}

static run *run_new(void)
{
    run *r = calloc(1, sizeof *r);
    if (r && (r->facts = json_object()) != NULL)
        return r;
    free(r);
    lg_fail(LG_E_MEMORY, "out of memory for the facts of a run");
    return NULL;
}

run *run_open(const char *name, const char *out, bool overwrite)
{
    run *r = run_new();
    if (!r)
        return NULL;
    if (!out && !overwrite) {
        if (!(r->folder = make_numbered(name)))
            goto fail;
        return r;
    }
    r->folder = out ? strdup(out) : join("runs", name);
    if (!r->folder) {
        lg_fail(LG_E_MEMORY, "out of memory for the name of a folder");
        goto fail;
    }
    if (run_check(r->folder, overwrite) == LG_OK && make_folders(r->folder) == LG_OK &&
        (!overwrite || clear_folder(r->folder) == LG_OK))
        return r;
fail:
    run_free(r);
    return NULL;
}

run *run_resume(const char *from)
{
    struct stat found;
    if (stat(from, &found) < 0) {
        io_error(from);
        return NULL;
    }
    run *r = run_new();
    if (!r)
        return NULL;
    const char *slash = strrchr(from, '/');
    if (S_ISDIR(found.st_mode)) {
        r->folder = strdup(from);
    } else {
        r->checkpoint = strdup(from);
        r->folder = slash == from ? strdup("/") : slash ? strndup(from, (size_t)(slash - from)) : strdup(".");
    }
    r->held = true;
    const char *checkpoint = r->folder ? run_checkpoint(r) : NULL;
    if (checkpoint && access(checkpoint, R_OK) == 0)
        return r;
    if (checkpoint)
        io_error(checkpoint);
    else
        lg_fail(LG_E_MEMORY, "out of memory for the name of a file");
    run_free(r);
    return NULL;
}

void run_accept(run *r)
{
    r->held = false;
}

void run_free(run *r)
{
    if (!r)
        return;
    json_decref(r->fact_texts);
    free(r->given);
    free(r->checkpoint);
    json_decref(r->facts);
    free(r->folder);
    free(r->path);
    free(r);
}

const char *run_folder(const run *r)
{
    return r->folder;
}

const char *run_path(run *r, const char *file)
{
    free(r->path);
    return r->path = join(r->folder, file);
}

const char *run_checkpoint(run *r)
{
    if (!r->checkpoint)
        r->checkpoint = join(r->folder, "checkpoint.safetensors");
    return r->checkpoint;
}

/* ------------------------------------------------------------------- files */

lg_status run_file_begin(run_file *file, run *r, const char *name)
{
    *file = (run_file){ .owner = r, .name = name, .path = join(r->folder, name) };
    if (!file->path || asprintf(&file->temporary, "%s.partial", file->path) < 0) {
        file->temporary = NULL;
        run_file_discard(file);
        return lg_fail(LG_E_MEMORY, "out of memory for the name of a file");
    }
    file->stream = fopen(file->temporary, "w+e");
    if (!file->stream) {
        lg_status status = io_error(file->path);
        run_file_discard(file);
        return status;
    }
    return LG_OK;
}

/* A rename is on the disk only when the folder is. Where a file system cannot sync folders, the file itself is safe. */
static void sync_folder(const char *path)
{
    char *folder = strdup(path), *slash = folder ? strrchr(folder, '/') : NULL;
    if (slash) {
        *slash = '\0';
        int descriptor = open(*folder ? folder : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (descriptor >= 0) {
            (void)fsync(descriptor);
            close(descriptor);
        }
    }
    free(folder);
}

lg_status run_file_end(run_file *file)
{
    errno = 0;
    bool whole = fflush(file->stream) == 0 && !ferror(file->stream) && fsync(fileno(file->stream)) == 0;
    int reason = errno;
    whole &= fclose(file->stream) == 0;
    file->stream = NULL;
    if (whole && rename(file->temporary, file->path) == 0) {
        sync_folder(file->path);
        run_note_file(file->owner, file->name);
        free(file->temporary);
        free(file->path);
        return LG_OK;
    }
    errno = reason ? reason : errno ? errno : EIO;
    lg_status status = io_error(file->path);
    run_file_discard(file);
    return status;
}

void run_file_discard(run_file *file)
{
    if (file->stream)
        fclose(file->stream);
    if (file->temporary)
        unlink(file->temporary);
    free(file->temporary);
    free(file->path);
    *file = (run_file){ 0 };
}

/* ---------------------------------------------------------------- run.json */

void run_print_files(const run *r)
{
    json_t *file;
    size_t i;
    printf("%s:", r->folder);
    json_array_foreach(json_object_get(r->facts, "files"), i, file)
        printf(" %s", json_string_value(file));
    printf("\n");
}

lg_status run_save(run *r, const char *status)
{
    if (r->held)
        return LG_OK;
    run_note_text(r, "status", status);
    /* 15 digits: what a decimal number keeps in a double, without the noise of the 17th. */
    char *text = r->lost ? NULL : json_dumps(r->facts, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
    if (!text)
        return lg_fail(LG_E_MEMORY, "out of memory for run.json");
    run_file file;
    lg_status result = run_file_begin(&file, r, "run.json");
    if (result == LG_OK) {
        fprintf(file.stream, "%s\n", text);
        result = run_file_end(&file);
    }
    free(text);
    return result;
}
