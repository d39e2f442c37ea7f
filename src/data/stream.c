/* Reading plain and packed files (stream_internal.h). */
#include "data/stream_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/zip_internal.h"

enum { BUFFER = 1 << 18 };

lg_status lg_stream_open(lg_stream *stream, const char *path)
{
    *stream = (lg_stream){ .path = path, .size = LG_STREAM_UNKNOWN };
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (descriptor < 0 || fstat(descriptor, &status) < 0) {
        lg_fail(LG_E_IO, "%s: cannot be opened: %s", path, strerror(errno));
    } else if (S_ISDIR(status.st_mode)) {
        lg_fail(LG_E_IO, "%s: is a directory, not a file", path);
    } else if (!(stream->file = gzdopen(descriptor, "rb"))) {
        lg_fail(LG_E_MEMORY, "%s: out of memory for opening", path);
    } else {
        stream->descriptor = descriptor;
        gzbuffer(stream->file, BUFFER);
        if (S_ISREG(status.st_mode) && gzdirect(stream->file))
            stream->size = (uint64_t)status.st_size;
        return LG_OK;
    }
    if (descriptor >= 0)
        close(descriptor);
    return lg_error_code();
}

static lg_status read_error(const lg_stream *stream)
{
    int code;
    const char *text = gzerror(stream->file, &code);
    if (code == Z_ERRNO)
        return lg_fail(LG_E_IO, "%s: cannot be read: %s", stream->path, strerror(errno));
    if (code == Z_MEM_ERROR)
        return lg_fail(LG_E_MEMORY, "%s: out of memory for unpacking", stream->path);
    if (code == Z_BUF_ERROR)
        return lg_fail(LG_E_FORMAT, "%s: the gzip file ends too early; it was cut off", stream->path);
    /* zlib puts its own idea of the path in front. */
    const char *colon = strrchr(text, ':');
    return lg_fail(LG_E_FORMAT, "%s: the gzip file is damaged:%s", stream->path, colon ? colon + 1 : text);
}

/* Past what lg_stream_peek has. */
static lg_status read_file(lg_stream *stream, unsigned char *out, size_t bytes, size_t *got)
{
    if (stream->member)
        return lg_zip_member_read(stream->member, out, bytes, got);
    *got = 0;
    while (*got < bytes) {
        size_t wanted = bytes - *got < INT_MAX ? bytes - *got : INT_MAX;
        errno = 0;
        int count = gzread(stream->file, out + *got, (unsigned)wanted);
        if (count < 0)
            return read_error(stream);
        if (count == 0) {
            int code;
            gzerror(stream->file, &code);
            return code == Z_OK || code == Z_STREAM_END ? LG_OK : read_error(stream);
        }
        *got += (size_t)count;
    }
    return LG_OK;
}

lg_status lg_stream_peek(lg_stream *stream, const unsigned char **head, size_t *count)
{
    lg_status status =
        stream->head_count ? LG_OK : read_file(stream, stream->head, LG_STREAM_HEAD, &stream->head_count);
    *head = stream->head;
    *count = stream->head_count;
    return status;
}

lg_status lg_stream_read(lg_stream *stream, void *out, size_t bytes, size_t *got)
{
    size_t kept = stream->head_count - stream->head_used, more;
    kept = kept < bytes ? kept : bytes;
    memcpy(out, stream->head + stream->head_used, kept);
    stream->head_used += kept;
    lg_status status = read_file(stream, (unsigned char *)out + kept, bytes - kept, &more);
    *got = kept + more;
    stream->offset += *got;
    return status;
}

lg_status lg_stream_seek(lg_stream *stream, uint64_t offset)
{
    if (gzseek(stream->file, (z_off_t)offset, SEEK_SET) < 0)
        return lg_fail(LG_E_IO, "%s: cannot be read from byte %llu on", stream->path, (unsigned long long)offset);
    stream->head_used = stream->head_count;
    stream->offset = offset;
    return LG_OK;
}

void lg_stream_close(lg_stream *stream)
{
    if (stream->file)
        gzclose(stream->file);
    lg_zip_member_free(stream->member);
    *stream = (lg_stream){ 0 };
}
