/* IDX files (idx.h). */
#include "data/idx.h"

#include "data/array_internal.h"

static const struct {
    unsigned char code;
    lg_element element;
    const char *name;
} types[] = {
    { 0x08, LG_U1, "ubyte" }, { 0x09, LG_I1, "int8" },  { 0x0B, LG_I2, "int16" },
    { 0x0C, LG_I4, "int32" }, { 0x0D, LG_F4, "float" }, { 0x0E, LG_F8, "double" },
};

enum { TYPES = sizeof types / sizeof *types };

/* Two zero bytes begin no text. */
bool lg_idx_is(const unsigned char *head, size_t count)
{
    return count >= 2 && head[0] == 0 && head[1] == 0;
}

static lg_status cut_off(const lg_stream *stream)
{
    return lg_fail(LG_E_FORMAT, "%s: byte %llu: the file ends within its header", stream->path,
                   (unsigned long long)stream->offset);
}

lg_status lg_idx_header(lg_stream *stream, lg_array_header *header)
{
    *header = (lg_array_header){ .big_endian = true };
    unsigned char bytes[4];
    size_t got, type = 0;
    lg_status status = lg_stream_read(stream, bytes, sizeof bytes, &got);
    if (status < 0)
        return status;
    if (got == 0)
        return lg_fail(LG_E_FORMAT, "%s: is empty", stream->path);
    if (!lg_idx_is(bytes, got))
        return lg_fail(LG_E_FORMAT, "%s: byte 0: an IDX file begins with two zero bytes", stream->path);
    if (got < sizeof bytes)
        return cut_off(stream);
    while (type < TYPES && types[type].code != bytes[2])
        type++;
    if (type == TYPES)
        return lg_fail(LG_E_FORMAT, "%s: byte 2: 0x%02X is no type of element; IDX has 0x08 ubyte, 0x09 int8, 0x0B int16, "
                       "0x0C int32, 0x0D float, 0x0E double", stream->path, bytes[2]);
    header->element = types[type].element;
    header->element_name = types[type].name;
    header->rank = bytes[3];
    if (header->rank > LG_ARRAY_MOST_AXES)
        return lg_fail(LG_E_FORMAT, "%s: byte 3: an array of %zu axes; at most %d are possible", stream->path,
                       header->rank, LG_ARRAY_MOST_AXES);
    for (size_t k = 0; k < header->rank; k++) {
        if ((status = lg_stream_read(stream, bytes, sizeof bytes, &got)) < 0)
            return status;
        if (got < sizeof bytes)
            return cut_off(stream);
        header->dims[k] = (size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3];
    }
    return LG_OK;
}

lg_dataset *lg_dataset_read_idx(const char *path, const lg_read_options *options)
{
    return lg_array_open(path, lg_idx_header, options);
}
