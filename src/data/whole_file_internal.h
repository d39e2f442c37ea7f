/* A file that is either whole or not there: written under a temporary name, synced, renamed. */
#ifndef LG_WHOLE_FILE_INTERNAL_H
#define LG_WHOLE_FILE_INTERNAL_H

#include "tensor/base.h"

typedef struct lg_whole_file {
    FILE *stream;
    const char *path; /* the caller's, until the end */
    char *temporary;
} lg_whole_file;

/* LG_E_IO, LG_E_MEMORY; on error there is nothing to release. */
lg_status lg_whole_file_begin(lg_whole_file *file, const char *path);

/* Checks that all was written, and gives the file its name; LG_E_IO. Either way all is released, and after an error
 * nothing of it is left. */
lg_status lg_whole_file_end(lg_whole_file *file);

/* Removes what was written. */
void lg_whole_file_discard(lg_whole_file *file);

#endif
