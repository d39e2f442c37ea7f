/* Whole files (whole_file_internal.h). */
#include "data/whole_file_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tensor/memory_internal.h"

static lg_status io_error(const char *path)
{
    return lg_fail(LG_E_IO, "%s: cannot be written: %s", path, strerror(errno));
}

static void release(lg_whole_file *file)
{
    free(file->target);
    free(file->temporary);
    *file = (lg_whole_file){ 0 };
}

static char *with_suffix(const char *path, const char *suffix)
{
    const size_t bytes = strlen(path) + strlen(suffix) + 1;
    char *text = lg_calloc(bytes, 1, "a file's name");
    if (text)
        snprintf(text, bytes, "%s%s", path, suffix);
    return text;
}

lg_status lg_whole_file_begin(lg_whole_file *file, const char *path)
{
    char resolved[PATH_MAX];
    struct stat about;
    const bool exists = realpath(path, resolved) && stat(resolved, &about) == 0;
    const bool in_place = exists && !S_ISREG(about.st_mode);
    *file = (lg_whole_file){ .path = path };
    file->target = with_suffix(exists ? resolved : path, "");
    file->temporary = file->target && !in_place ? with_suffix(file->target, ".partial") : NULL;
    lg_status status = file->target && (in_place || file->temporary) ? LG_OK : LG_E_MEMORY;
    if (status == LG_OK) {
        file->stream = fopen(in_place ? path : file->temporary, "wbe");
        status = file->stream ? LG_OK : io_error(path);
    }
    if (status != LG_OK)
        release(file);
    else if (exists && !in_place) /* where a file system has no modes, the new file has what it gives */
        (void)!fchmod(fileno(file->stream), about.st_mode & 07777);
    return status;
}

void lg_whole_file_write(lg_whole_file *file, const void *bytes, size_t count)
{
    errno = 0;
    if (count && fwrite(bytes, 1, count, file->stream) != count && !file->reason)
        file->reason = errno;
}

/* A rename is on the disk only when the folder is. Where a file system cannot sync folders, the file itself is safe. */
static void sync_folder(char *path)
{
    char *slash = strrchr(path, '/');
    if (slash)
        slash[slash == path] = '\0'; /* "/" stays */
    int descriptor = open(slash ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor >= 0) {
        (void)fsync(descriptor);
        close(descriptor);
    }
}

lg_status lg_whole_file_end(lg_whole_file *file)
{
    errno = 0;
    bool whole = fflush(file->stream) == 0 && !ferror(file->stream) &&
                 (!file->temporary || fsync(fileno(file->stream)) == 0);
    int reason = file->reason ? file->reason : errno;
    whole &= fclose(file->stream) == 0;
    file->stream = NULL;
    if (whole && (!file->temporary || rename(file->temporary, file->target) == 0)) {
        if (file->temporary)
            sync_folder(file->temporary);
        release(file);
        return LG_OK;
    }
    errno = reason ? reason : errno ? errno : EIO;
    lg_status status = io_error(file->path);
    lg_whole_file_discard(file);
    return status;
}

void lg_whole_file_discard(lg_whole_file *file)
{
    if (file->stream)
        fclose(file->stream);
    if (file->temporary)
        unlink(file->temporary);
    release(file);
}
