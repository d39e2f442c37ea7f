/* The formats that can be streamed. */
#ifndef LG_STREAMING_INTERNAL_H
#define LG_STREAMING_INTERNAL_H

#include "data/streaming.h"
#include "data/stream_internal.h"

/* lg_dataset_stream of a file that is open and plain. The stream is taken over in the first: on success it belongs to the
 * data set, and the struct is to be forgotten. */
lg_dataset *lg_csv_stream(lg_stream *stream, const lg_csv_options *options, size_t buffer_rows);
lg_dataset *lg_array_stream(lg_stream *stream, const lg_read_options *options, size_t buffer_rows);

#endif
