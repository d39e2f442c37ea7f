/* Reading files of any kind (read.h). */
#include "data/read.h"

#include "data/array_internal.h"
#include "data/csv_internal.h"
#include "data/libsvm_internal.h"
#include "data/npz_internal.h"
#include "data/zip_internal.h"

static const lg_read_options defaults;

lg_status lg_array_header_read(lg_stream *stream, lg_array_header *header)
{
    const unsigned char *head;
    size_t count;
    lg_status status = lg_stream_peek(stream, &head, &count);
    if (status < 0)
        return status;
    if (lg_npy_is(head, count))
        return lg_npy_header(stream, header);
    if (lg_idx_is(head, count))
        return lg_idx_header(stream, header);
    return lg_fail(LG_E_FORMAT, count ? "%s: is neither an IDX nor an NPY file" : "%s: is empty", stream->path);
}

lg_dataset *lg_array_open(const char *path, lg_status (*read_header)(lg_stream *, lg_array_header *),
                          const lg_read_options *options)
{
    if (!path) {
        lg_fail_null("dataset_read: no path");
        return NULL;
    }
    lg_stream stream;
    lg_array_header header;
    lg_dataset *dataset = NULL;
    if (lg_stream_open(&stream, path) < 0)
        return NULL;
    if (read_header(&stream, &header) == LG_OK)
        dataset = lg_array_dataset(&stream, &header, options ? options : &defaults);
    lg_stream_close(&stream);
    return dataset;
}

static lg_dataset *read_any(lg_stream *stream, const lg_read_options *options)
{
    const unsigned char *head;
    size_t count;
    lg_array_header header;
    if (lg_stream_peek(stream, &head, &count) < 0)
        return NULL;
    if (lg_npy_is(head, count) || lg_idx_is(head, count))
        return lg_array_header_read(stream, &header) == LG_OK ? lg_array_dataset(stream, &header, options) : NULL;
    if (lg_zip_is(head, count))
        return lg_npz_dataset(stream->path, options);
    if (options->labels)
        lg_fail(LG_E_PARAM, "%s: is not IDX or NPY; in a table of text the target is a column, not a labels file",
                stream->path);
    else if (!options->csv.delimiter && lg_libsvm_is(head, count))
        return lg_libsvm_read(stream, &options->csv);
    else
        return lg_csv_read(stream, &options->csv);
    return NULL;
}

lg_dataset *lg_dataset_read(const char *path, const lg_read_options *options)
{
    if (!path) {
        lg_fail_null("dataset_read: no path");
        return NULL;
    }
    lg_stream stream;
    if (lg_stream_open(&stream, path) < 0)
        return NULL;
    lg_dataset *dataset = read_any(&stream, options ? options : &defaults);
    lg_stream_close(&stream);
    return dataset;
}
