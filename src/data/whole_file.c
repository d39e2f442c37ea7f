/* Whole files (whole_file_internal.h). */
#include "data/whole_file_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tensor/memory_internal.h"

static lg_status io_error(const char *path)
{
    return lg_fail(LG_E_IO, "%s: cannot be written: %s", path, strerror(errno));
}

lg_status lg_whole_file_begin(lg_whole_file *file, const char *path)
{
    static const char suffix[] = ".partial";
    *file = (lg_whole_file){ .path = path };
    const size_t length = strlen(path);
    file->temporary = lg_calloc(length + sizeof suffix, 1, "a file's name");
    if (!file->temporary)
        return LG_E_MEMORY;
    memcpy(file->temporary, path, length);
    memcpy(file->temporary + length, suffix, sizeof suffix);
    file->stream = fopen(file->temporary, "wbe");
    if (file->stream)
        return LG_OK;
    lg_status status = io_error(path);
    free(file->temporary);
    *file = (lg_whole_file){ 0 };
    return status;
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
    bool whole = fflush(file->stream) == 0 && !ferror(file->stream) && fsync(fileno(file->stream)) == 0;
    int reason = errno;
    whole &= fclose(file->stream) == 0;
    file->stream = NULL;
    if (whole && rename(file->temporary, file->path) == 0) {
        sync_folder(file->temporary);
        free(file->temporary);
        *file = (lg_whole_file){ 0 };
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
    free(file->temporary);
    *file = (lg_whole_file){ 0 };
}
