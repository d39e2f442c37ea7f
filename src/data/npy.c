/* Reading NPY files (npy.h). */
#include "data/npy.h"

#include <stdlib.h>
#include <string.h>

#include "data/array_internal.h"
#include "tensor/memory_internal.h"

enum { MAGIC = 6, LONGEST_HEADER = 1 << 16 };
static const unsigned char magic[MAGIC + 1] = "\x93NUMPY";

bool lg_npy_is(const unsigned char *head, size_t count)
{
    return count >= 2 && memcmp(head, magic, count < MAGIC ? count : MAGIC) == 0;
}

/* ---- the header, a dictionary as Python writes it ------------------------------------------------------------------- */

typedef struct header_text {
    const char *path;
    const char *text, *p; /* ended by NUL */
    size_t start;         /* byte of the file at which the text begins */
} header_text;

static lg_status syntax(const header_text *parser, const char *expected)
{
    return lg_fail(LG_E_FORMAT, "%s: byte %zu: %s expected in the header, but there is \"%.16s\"", parser->path,
                   parser->start + (size_t)(parser->p - parser->text), expected, parser->p);
}

static void skip_blanks(header_text *parser)
{
    parser->p += strspn(parser->p, " \t\n");
}

/* Steps over a character if it comes next. */
static bool accept(header_text *parser, char c)
{
    skip_blanks(parser);
    if (*parser->p != c)
        return false;
    parser->p++;
    return true;
}

/* 'text' or "text", of at most bytes - 1 characters. */
static lg_status parse_string(header_text *parser, char *out, size_t bytes)
{
    skip_blanks(parser);
    const char quote = *parser->p, *end = quote == '\'' || quote == '"' ? strchr(parser->p + 1, quote) : NULL;
    if (!end || (size_t)(end - parser->p - 1) >= bytes)
        return syntax(parser, "a short string in quotes");
    memcpy(out, parser->p + 1, (size_t)(end - parser->p - 1));
    out[end - parser->p - 1] = '\0';
    parser->p = end + 1;
    return LG_OK;
}

static lg_status parse_bool(header_text *parser, bool *value)
{
    skip_blanks(parser);
    *value = strncmp(parser->p, "True", 4) == 0;
    if (!*value && strncmp(parser->p, "False", 5) != 0)
        return syntax(parser, "True or False");
    parser->p += *value ? 4 : 5;
    return LG_OK;
}

/* (), (3,), (3, 4) or, by Python 2, (3L, 4L). */
static lg_status parse_shape(header_text *parser, lg_array_header *header)
{
    header->rank = 0;
    if (!accept(parser, '('))
        return syntax(parser, "a shape in parentheses");
    while (!accept(parser, ')')) {
        skip_blanks(parser);
        size_t *dim = &header->dims[header->rank];
        if (*parser->p < '0' || *parser->p > '9')
            return syntax(parser, "a length");
        if (header->rank == LG_ARRAY_MOST_AXES)
            return syntax(parser, "an array of at most 32 axes");
        for (*dim = 0; *parser->p >= '0' && *parser->p <= '9'; parser->p++)
            if (!lg_size_mul(*dim, 10, dim) || !lg_size_add(*dim, (size_t)(*parser->p - '0'), dim))
                return syntax(parser, "a length below 2^64");
        header->rank++;
        (void)accept(parser, 'L');
        if (accept(parser, ','))
            continue;
        if (!accept(parser, ')'))
            return syntax(parser, "\",\" or \")\"");
        return LG_OK;
    }
    return LG_OK;
}

/* '<f4': byte order (< little, > big, = of the machine, | none), kind, bytes. */
static lg_status parse_type(header_text *parser, lg_array_header *header)
{
    static const struct {
        const char *name;
        lg_element element;
    } types[] = { { "u1", LG_U1 }, { "u2", LG_U2 }, { "u4", LG_U4 }, { "u8", LG_U8 }, { "i1", LG_I1 }, { "i2", LG_I2 },
                  { "i4", LG_I4 }, { "i8", LG_I8 }, { "f2", LG_F2 }, { "f4", LG_F4 }, { "f8", LG_F8 }, { "b1", LG_BOOL } };
    skip_blanks(parser);
    if (*parser->p == '[' || *parser->p == '(')
        return lg_fail(LG_E_FORMAT, "%s: byte %zu: an array of records; save its columns as one array of numbers",
                       parser->path, parser->start + (size_t)(parser->p - parser->text));
    char text[32];
    lg_status status = parse_string(parser, text, sizeof text);
    if (status < 0)
        return status;
    const bool has_order = text[0] && strchr("<>=|", text[0]) != NULL;
    const uint16_t one = 1;
    const bool machine_is_big = *(const unsigned char *)&one == 0;
    header->big_endian = text[0] == '>' || (text[0] != '<' && machine_is_big);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(text + has_order, types[i].name) == 0) {
            header->element = types[i].element;
            header->element_name = types[i].name;
            return LG_OK;
        }
    return lg_fail(LG_E_FORMAT, "%s: elements are of type '%s'; read are f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1%s",
                   parser->path, text, strchr(text, 'O') ? ", not Python objects" : "");
}

static lg_status parse_dictionary(header_text *parser, lg_array_header *header)
{
    static const char *const keys[] = { "descr", "fortran_order", "shape" };
    unsigned seen = 0;
    if (!accept(parser, '{'))
        return syntax(parser, "a dictionary, {...},");
    while (!accept(parser, '}')) {
        char key[32];
        size_t k = 0;
        lg_status status = parse_string(parser, key, sizeof key);
        if (status == LG_OK && !accept(parser, ':'))
            status = syntax(parser, "\":\"");
        while (status == LG_OK && k < 3 && strcmp(key, keys[k]) != 0)
            k++;
        if (status == LG_OK && (k == 3 || (seen & 1U << k)))
            status = lg_fail(LG_E_FORMAT, "%s: the header has %s key '%s'", parser->path,
                             k == 3 ? "an unknown" : "a second", key);
        if (status == LG_OK)
            status = k == 0   ? parse_type(parser, header)
                     : k == 1 ? parse_bool(parser, &header->fortran_order)
                              : parse_shape(parser, header);
        if (status == LG_OK && !accept(parser, ',') && (skip_blanks(parser), *parser->p != '}'))
            status = syntax(parser, "\",\" or \"}\"");
        if (status < 0)
            return status;
        seen |= 1U << k;
    }
    for (size_t k = 0; k < 3; k++)
        if (!(seen & 1U << k))
            return lg_fail(LG_E_FORMAT, "%s: the header has no '%s'", parser->path, keys[k]);
    skip_blanks(parser);
    return *parser->p ? syntax(parser, "nothing after the dictionary") : LG_OK;
}

/* ---- the file ------------------------------------------------------------------------------------------------------ */

/* `count` bytes that must be there. */
static lg_status read_all(lg_stream *stream, void *out, size_t count)
{
    size_t got;
    lg_status status = lg_stream_read(stream, out, count, &got);
    if (status == LG_OK && got < count)
        status = lg_fail(LG_E_FORMAT, "%s: byte %llu: the file ends within its header", stream->path,
                         (unsigned long long)stream->offset);
    return status;
}

/* The text of the header, ended by NUL and to be released by free(); *start is where it begins. */
static lg_status read_header_text(lg_stream *stream, char **text, size_t *start)
{
    unsigned char bytes[MAGIC + 2], size[4] = { 0 };
    size_t length, got;
    lg_status status = lg_stream_read(stream, bytes, sizeof bytes, &got);
    if (status < 0)
        return status;
    if (got == 0)
        return lg_fail(LG_E_FORMAT, "%s: is empty", stream->path);
    if (memcmp(bytes, magic, got < MAGIC ? got : MAGIC) != 0)
        return lg_fail(LG_E_FORMAT, "%s: byte 0: an NPY file begins with \"\\x93NUMPY\"", stream->path);
    if (got < sizeof bytes)
        return read_all(stream, bytes, 1); /* says that the file ends here */
    const unsigned version = bytes[MAGIC];
    if (version < 1 || version > 3)
        return lg_fail(LG_E_FORMAT, "%s: byte 6: NPY version %u.%u; known are 1.0, 2.0 and 3.0", stream->path, version,
                       bytes[MAGIC + 1]);
    if ((status = read_all(stream, size, version == 1 ? 2 : 4)) < 0)
        return status;
    length = size[0] | (size_t)size[1] << 8 | (size_t)size[2] << 16 | (size_t)size[3] << 24;
    if (length > LONGEST_HEADER)
        return lg_fail(LG_E_FORMAT, "%s: byte 8: a header of %zu bytes; that of an array of numbers has at most %d",
                       stream->path, length, LONGEST_HEADER);
    *start = (size_t)stream->offset;
    *text = lg_calloc(length + 1, 1, "lg_npy_read");
    status = *text ? read_all(stream, *text, length) : LG_E_MEMORY;
    if (status == LG_OK && strlen(*text) < length)
        status = lg_fail(LG_E_FORMAT, "%s: byte %zu: there is a zero byte in the header", stream->path,
                         *start + strlen(*text));
    return status;
}

lg_status lg_npy_header(lg_stream *stream, lg_array_header *header)
{
    *header = (lg_array_header){ 0 };
    char *text = NULL;
    header_text parser = { .path = stream->path };
    lg_status status = read_header_text(stream, &text, &parser.start);
    if (status == LG_OK) {
        parser.text = parser.p = text;
        status = parse_dictionary(&parser, header);
    }
    free(text);
    return status;
}

lg_dataset *lg_dataset_read_npy(const char *path, const lg_read_options *options)
{
    return lg_array_open(path, lg_npy_header, options);
}

lg_tensor *lg_npy_read(const char *path, lg_dtype dtype)
{
    if (!path || (dtype != LG_REAL && dtype != LG_INT32)) {
        lg_fail_null("lg_npy_read: no path, or neither LG_REAL nor LG_INT32");
        return NULL;
    }
    const lg_array_store store = { .type = dtype == LG_REAL ? LG_STORE_REAL : LG_STORE_INT32,
                                   .allow_nan = true, .allow_infinite = true };
    lg_stream stream;
    lg_array_header header;
    void *values = NULL;
    size_t count;
    lg_tensor *tensor = NULL;
    if (lg_stream_open(&stream, path) < 0)
        return NULL;
    lg_status status = lg_npy_header(&stream, &header);
    if (status == LG_OK && header.rank > LG_MAX_RANK)
        status = lg_fail(LG_E_SHAPE, "%s: the array is %s; a tensor has at most %d axes", path,
                         lg_dims_text_of(header.rank, header.dims).text, LG_MAX_RANK);
    if (status == LG_OK)
        status = lg_array_read(&stream, &header, &store, &values, &count);
    if (status == LG_OK && dtype == LG_REAL)
        tensor = lg_tensor_from(header.rank, header.dims, values);
    else if (status == LG_OK)
        tensor = lg_tensor_from_indices(header.rank, header.dims, values);
    free(values);
    lg_stream_close(&stream);
    return tensor;
}
