/* The bytes of a file, plain or gzip (recognised by content), one after the other. */
#ifndef LG_STREAM_INTERNAL_H
#define LG_STREAM_INTERNAL_H

#include <zlib.h>

#include "tensor/base.h"

#define LG_STREAM_HEAD 4096
#define LG_STREAM_UNKNOWN UINT64_MAX

typedef struct lg_stream {
    const char *path;
    gzFile file;
    int descriptor;  /* of `file`, whose it is */
    struct lg_zip_member *member; /* instead of `file`: a member of an archive (zip_internal.h) */
    uint64_t offset; /* of the next byte, in what was unpacked */
    uint64_t size;   /* bytes of a plain file; LG_STREAM_UNKNOWN for gzip and pipes, where only the end tells */
    unsigned char head[LG_STREAM_HEAD];
    size_t head_count, head_used; /* head[head_used .. head_count) come before what `file` has */
} lg_stream;

/* Opens a file; path must outlive the stream. LG_E_IO, LG_E_MEMORY. On error nothing is left open. */
lg_status lg_stream_open(lg_stream *stream, const char *path);

/* The first bytes, up to LG_STREAM_HEAD of them, without taking them from what is read next; *count is less than that
 * only for a shorter file. To be called before anything is read. */
lg_status lg_stream_peek(lg_stream *stream, const unsigned char **head, size_t *count);

/* The next `bytes` bytes into `out`; *got is less than that only at the end of the file. LG_E_IO for what the system
 * refuses, LG_E_FORMAT for a gzip file that was cut off or damaged, LG_E_MEMORY. */
lg_status lg_stream_read(lg_stream *stream, void *out, size_t bytes, size_t *got);

/* Goes to a byte of a plain file, to read on from there. LG_E_IO. */
lg_status lg_stream_seek(lg_stream *stream, uint64_t offset);

/* May be called on a zeroed struct. */
void lg_stream_close(lg_stream *stream);

#endif
