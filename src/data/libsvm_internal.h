/* LIBSVM files among others (libsvm.h). */
#ifndef LG_LIBSVM_INTERNAL_H
#define LG_LIBSVM_INTERNAL_H

#include "data/libsvm.h"
#include "data/stream_internal.h"

/* Whether text that begins like this is of the format: its first line that is not a comment or a target alone has nothing
 * but a number and INDEX:VALUEs. */
bool lg_libsvm_is(const unsigned char *head, size_t count);

/* lg_dataset_read_libsvm of a file that is open. */
lg_dataset *lg_libsvm_read(lg_stream *stream, const lg_csv_options *options);

#endif
