/* A file that is either whole or as it was: written under a temporary name ("x.npy.partial"), synced, renamed. A link
 * stays a link, and a file that was there before gives its mode to the new one. A path that is no regular file (a
 * device, a pipe) is written in place. */
#ifndef LG_WHOLE_FILE_INTERNAL_H
#define LG_WHOLE_FILE_INTERNAL_H

#include "tensor/base.h"

typedef struct lg_whole_file {
    FILE *stream;
    const char *path; /* the caller's, until the end */
    char *target;     /* the path, links resolved */
    char *temporary;  /* NULL: in place */
    int reason;       /* errno of the first lg_whole_file_write that failed */
} lg_whole_file;

/* LG_E_IO, LG_E_MEMORY; on error there is nothing to release. */
lg_status lg_whole_file_begin(lg_whole_file *file, const char *path);

/* Writes to the stream; a failure shows at the end, with its reason. (So does one of writing to `stream` itself, whose
 * reason may be lost.) */
void lg_whole_file_write(lg_whole_file *file, const void *bytes, size_t count);

/* Checks that all was written, and gives the file its name; LG_E_IO. Either way all is released, and after an error
 * nothing of it is left. */
lg_status lg_whole_file_end(lg_whole_file *file);

/* Removes what was written. */
void lg_whole_file_discard(lg_whole_file *file);

#endif
