/* Which format streams (streaming.h). */
#include "data/streaming_internal.h"

#include "data/array_internal.h"
#include "data/libsvm_internal.h"
#include "data/zip_internal.h"

static lg_dataset *stream_any(lg_stream *stream, const lg_read_options *options, size_t buffer_rows)
{
    const unsigned char *head;
    size_t count;
    if (stream->size == LG_STREAM_UNKNOWN)
        lg_fail(LG_E_PARAM, "%s: is packed, or no file; a plain file is needed, to be read from anywhere", stream->path);
    else if (lg_stream_peek(stream, &head, &count) < 0)
        return NULL;
    else if (lg_npy_is(head, count) || lg_idx_is(head, count))
        return lg_array_stream(stream, options, buffer_rows);
    else if (lg_zip_is(head, count))
        lg_fail(LG_E_PARAM, "%s: is an archive; the NPY file in it can be streamed", stream->path);
    else if (options->labels)
        lg_fail(LG_E_PARAM, "%s: is not IDX or NPY; in a table of text the target is a column, not a labels file",
                stream->path);
    else if (!options->csv.delimiter && lg_libsvm_is(head, count))
        lg_fail(LG_E_PARAM, "%s: is a file of LIBSVM, which is not streamed; CSV, NPY and IDX are", stream->path);
    else
        return lg_csv_stream(stream, &options->csv, buffer_rows);
    return NULL;
}

lg_dataset *lg_dataset_stream(const char *path, const lg_read_options *options, size_t buffer_rows)
{
    static const lg_read_options defaults;
    if (!path) {
        lg_fail_null("dataset_stream: no path");
        return NULL;
    }
    lg_stream stream;
    if (lg_stream_open(&stream, path) < 0)
        return NULL;
    lg_dataset *dataset = stream_any(&stream, options ? options : &defaults, buffer_rows);
    lg_stream_close(&stream);
    return dataset;
}
