/* Reading safetensors (safetensors.h): the header is parsed by jansson and checked here, rule by rule. */
#include "models/safetensors_internal.h"

#include "tensor/memory_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

lg_file_excerpt lg_file_excerpt_of(const char *name)
{
    lg_file_excerpt e;
    size_t n = strnlen(name, sizeof e.text - 4);
    const bool cut = name[n] != '\0';
    while (cut && n > 0 && ((unsigned char)name[n] & 0xC0) == 0x80) /* not amid a character of UTF-8 */
        n--;
    for (size_t i = 0; i < n; i++)
        e.text[i] = (unsigned char)name[i] < 32 || name[i] == 127 ? '?' : name[i];
    memcpy(e.text + n, cut ? "..." : "", cut ? 4 : 1);
    return e;
}

/* -------------------------------------------------------------------- types */

static const lg_file_dtype_info dtypes[] = {
    [LG_FILE_F32] = { "F32", 32 },         [LG_FILE_F64] = { "F64", 64 },
    [LG_FILE_F16] = { "F16", 16 },         [LG_FILE_BF16] = { "BF16", 16 },
    [LG_FILE_BOOL] = { "BOOL", 8 },        [LG_FILE_U8] = { "U8", 8 },
    [LG_FILE_I8] = { "I8", 8 },            [LG_FILE_U16] = { "U16", 16 },
    [LG_FILE_I16] = { "I16", 16 },         [LG_FILE_U32] = { "U32", 32 },
    [LG_FILE_I32] = { "I32", 32 },         [LG_FILE_U64] = { "U64", 64 },
    [LG_FILE_I64] = { "I64", 64 },         [LG_FILE_C64] = { "C64", 64 },
    [LG_FILE_F8_E4M3] = { "F8_E4M3", 8 },  [LG_FILE_F8_E5M2] = { "F8_E5M2", 8 },
    [LG_FILE_F8_E8M0] = { "F8_E8M0", 8 },  [LG_FILE_F6_E2M3] = { "F6_E2M3", 6 },
    [LG_FILE_F6_E3M2] = { "F6_E3M2", 6 },  [LG_FILE_F4] = { "F4", 4 },
};

const lg_file_dtype_info *lg_file_dtype_info_of(lg_file_dtype dtype)
{
    return (size_t)dtype < sizeof dtypes / sizeof *dtypes ? dtypes + dtype : NULL;
}

const char *lg_file_dtype_name(lg_file_dtype dtype)
{
    const lg_file_dtype_info *info = lg_file_dtype_info_of(dtype);
    return info ? info->name : NULL;
}

bool lg_file_extent(lg_file_dtype dtype, size_t rank, const size_t *dims, size_t *size, size_t *bytes)
{
    size_t bits;
    *size = 1;
    for (size_t i = 0; i < rank; i++)
        if (!lg_size_mul(*size, dims[i], size))
            return false;
    if (!lg_size_mul(*size, dtypes[dtype].bits, &bits) || bits % 8 != 0)
        return false;
    *bytes = bits / 8;
    return true;
}

void lg_little_endian(void *values, size_t value_bytes, size_t count)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    unsigned char *bytes = values;
    for (size_t i = 0; i < count; i++, bytes += value_bytes)
        for (size_t k = 0; k < value_bytes / 2; k++) {
            const unsigned char low = bytes[k];
            bytes[k] = bytes[value_bytes - 1 - k];
            bytes[value_bytes - 1 - k] = low;
        }
#else
    (void)values, (void)value_bytes, (void)count;
#endif
}

/* --------------------------------------------------------- the header's rules */

static lg_status broken(const lg_safetensors *file, const char *name, const char *what)
{
    const lg_file_excerpt e = lg_file_excerpt_of(name);
    return lg_fail(LG_E_FORMAT, "%s: tensor \"%s\": %s", file->path, e.text, what);
}

/* A whole number >= 0 that memory can count; jansson has refused what exceeds 63 bits. */
static bool count_of(const json_t *value, size_t *count)
{
    const json_int_t n = json_is_integer(value) ? json_integer_value(value) : -1;
    *count = n >= 0 ? (size_t)n : 0;
    return n >= 0 && (uintmax_t)n <= SIZE_MAX;
}

static bool dtype_of(const json_t *value, lg_file_dtype *dtype)
{
    for (size_t i = 0; json_is_string(value) && i < sizeof dtypes / sizeof *dtypes; i++)
        if (strcmp(json_string_value(value), dtypes[i].name) == 0) {
            *dtype = (lg_file_dtype)i;
            return true;
        }
    return false;
}

/* One entry of the header; its dims go to `dims`, which has room. */
static lg_status read_entry(const lg_safetensors *file, const char *name, const json_t *entry, lg_file_tensor *tensor,
                            size_t *dims)
{
    const json_t *shape = json_object_get(entry, "shape"), *offsets = json_object_get(entry, "data_offsets");
    size_t begin, end;
    *tensor = (lg_file_tensor){ .name = name, .rank = json_array_size(shape), .dims = dims };
    if (!json_is_object(entry))
        return broken(file, name, "is described by something that is no object");
    if (!dtype_of(json_object_get(entry, "dtype"), &tensor->dtype))
        return broken(file, name, "has no dtype, or one that is unknown");
    if (!json_is_array(shape))
        return broken(file, name, "has no shape");
    for (size_t i = 0; i < tensor->rank; i++)
        if (!count_of(json_array_get(shape, i), dims + i))
            return broken(file, name, "has a shape with something that is no whole number from 0");
    if (json_array_size(offsets) != 2 || !count_of(json_array_get(offsets, 0), &begin) ||
        !count_of(json_array_get(offsets, 1), &end) || begin > end)
        return broken(file, name, "has no data_offsets [begin, end]");
    if (end > file->file_bytes - file->data_begin)
        return broken(file, name, "ends beyond the end of the file");
    if (!lg_file_extent(tensor->dtype, tensor->rank, dims, &tensor->size, &tensor->bytes))
        return broken(file, name, "has a shape whose size overflows, or is no whole number of bytes");
    if (end - begin != tensor->bytes)
        return lg_fail(LG_E_FORMAT, "%s: tensor \"%s\": its shape makes %zu bytes of %s, but its data_offsets %zu",
                       file->path, lg_file_excerpt_of(name).text, tensor->bytes, dtypes[tensor->dtype].name, end - begin);
    tensor->offset = (size_t)file->data_begin + begin;
    return LG_OK;
}

static int by_offset(const void *left, const void *right)
{
    const lg_file_tensor *a = left, *b = right;
    if (a->offset != b->offset)
        return a->offset < b->offset ? -1 : 1;
    return (a->bytes > b->bytes) - (a->bytes < b->bytes); /* the empty ones before what begins there */
}

/* Every byte after the header belongs to just one tensor. */
static lg_status check_cover(const lg_safetensors *file)
{
    uint64_t covered = file->data_begin;
    for (size_t i = 0; i < file->count; i++) {
        const lg_file_tensor *tensor = file->tensors + i;
        if (tensor->offset < covered)
            return broken(file, tensor->name, "overlaps the one before it");
        if (tensor->offset > covered)
            return broken(file, tensor->name, "begins after a hole that belongs to no tensor");
        covered += tensor->bytes;
    }
    if (covered != file->file_bytes)
        return lg_fail(LG_E_FORMAT, "%s: its last %ju bytes belong to no tensor", file->path,
                       (uintmax_t)(file->file_bytes - covered));
    return LG_OK;
}

static lg_status check_metadata(lg_safetensors *file)
{
    const char *key;
    json_t *value;
    file->metadata = json_object_get(file->header, LG_SAFETENSORS_METADATA);
    if (file->metadata && !json_is_object(file->metadata))
        return lg_fail(LG_E_FORMAT, "%s: %s is no object", file->path, LG_SAFETENSORS_METADATA);
    json_object_foreach(file->metadata, key, value)
        if (!json_is_string(value))
            return lg_fail(LG_E_FORMAT, "%s: %s: the value of \"%s\" is no text", file->path, LG_SAFETENSORS_METADATA,
                           lg_file_excerpt_of(key).text);
    return LG_OK;
}

static lg_status check_header(lg_safetensors *file)
{
    const char *name;
    json_t *entry;
    size_t dims = 0;
    lg_status status = check_metadata(file);
    if (status != LG_OK)
        return status;
    json_object_foreach(file->header, name, entry)
        dims += json_array_size(json_object_get(entry, "shape"));
    file->tensors = lg_calloc(json_object_size(file->header), sizeof *file->tensors, "lg_safetensors_open");
    file->dims = file->tensors ? lg_calloc(dims, sizeof *file->dims, "lg_safetensors_open") : NULL;
    if (!file->dims)
        return LG_E_MEMORY;
    dims = 0;
    json_object_foreach(file->header, name, entry) {
        if (entry == file->metadata)
            continue;
        lg_file_tensor *tensor = file->tensors + file->count++;
        status = read_entry(file, name, entry, tensor, file->dims + dims);
        if (status != LG_OK)
            return status;
        dims += tensor->rank;
    }
    if (file->count > 1)
        qsort(file->tensors, file->count, sizeof *file->tensors, by_offset);
    return check_cover(file);
}

/* ------------------------------------------------------------------ opening */

lg_status lg_safetensors_read_at(const lg_safetensors *file, uint64_t offset, void *bytes, size_t count)
{
    char *next = bytes;
    while (count > 0) {
        const ssize_t got = pread(file->descriptor, next, count, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return lg_fail(LG_E_IO, "%s: cannot be read: %s", file->path, strerror(errno));
        if (got == 0)
            return lg_fail(LG_E_FORMAT, "%s: has become shorter while it was read", file->path);
        next += got;
        offset += (uint64_t)got;
        count -= (size_t)got;
    }
    return LG_OK;
}

static lg_status open_file(lg_safetensors *file, const char *path)
{
    struct stat about;
    file->path = lg_strdup(path, "lg_safetensors_open");
    if (!file->path)
        return LG_E_MEMORY;
    file->descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* not waiting for the writer of a pipe */
    if (file->descriptor < 0 || fstat(file->descriptor, &about) != 0)
        return lg_fail(LG_E_IO, "%s: cannot be opened: %s", path, strerror(errno));
    if (!S_ISREG(about.st_mode))
        return lg_fail(LG_E_IO, "%s: is %s, not a file of tensors", path,
                       S_ISDIR(about.st_mode) ? "a directory" : "a device or a pipe");
    file->file_bytes = (uint64_t)about.st_size;
    return LG_OK;
}

/* The length, and that the header lies within the file. */
static lg_status read_length(lg_safetensors *file, size_t *length)
{
    unsigned char bytes[LG_SAFETENSORS_LENGTH_BYTES];
    uint64_t n = 0;
    if (file->file_bytes < sizeof bytes)
        return lg_fail(LG_E_FORMAT, "%s: is no safetensors file: it has %ju bytes, and the length of the header alone "
                                    "takes 8", file->path, (uintmax_t)file->file_bytes);
    lg_status status = lg_safetensors_read_at(file, 0, bytes, sizeof bytes);
    for (size_t i = sizeof bytes; i-- > 0;)
        n = n << 8 | bytes[i];
    if (status == LG_OK && n > LG_SAFETENSORS_MOST_HEADER)
        return lg_fail(LG_E_FORMAT, "%s: is no safetensors file: a header of %ju bytes exceeds the format's limit, "
                                    "%d", file->path, (uintmax_t)n, LG_SAFETENSORS_MOST_HEADER);
    if (status == LG_OK && n > file->file_bytes - sizeof bytes)
        return lg_fail(LG_E_FORMAT, "%s: is cut: the header has %ju bytes, but %ju are left of the file", file->path,
                       (uintmax_t)n, (uintmax_t)(file->file_bytes - sizeof bytes));
    *length = (size_t)n;
    file->data_begin = sizeof bytes + n;
    return status;
}

static lg_status parse(lg_safetensors *file, const char *text, size_t length)
{
    json_error_t error = { .text = "" }; /* which jansson leaves as it is when it has no memory to begin with */
    if (length == 0 || text[0] != '{')
        return lg_fail(LG_E_FORMAT, "%s: is no safetensors file: the header does not begin with '{'", file->path);
    file->header = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
    if (file->header)
        return LG_OK;
    if (error.text[0] == '\0' || json_error_code(&error) == json_error_out_of_memory)
        return lg_fail(LG_E_MEMORY, "lg_safetensors_open: out of memory for the header of %s", file->path);
    return lg_fail(LG_E_FORMAT, "%s: byte %zu: the header is not the JSON it should be: %s", file->path,
                   LG_SAFETENSORS_LENGTH_BYTES + (size_t)error.position, lg_file_excerpt_of(error.text).text);
}

static lg_status read_header(lg_safetensors *file)
{
    size_t length = 0;
    lg_status status = read_length(file, &length);
    if (status != LG_OK)
        return status;
    char *text = lg_calloc(length, 1, "lg_safetensors_open");
    if (!text)
        return LG_E_MEMORY;
    status = lg_safetensors_read_at(file, LG_SAFETENSORS_LENGTH_BYTES, text, length);
    if (status == LG_OK)
        status = parse(file, text, length);
    free(text);
    return status == LG_OK ? check_header(file) : status;
}

lg_safetensors *lg_safetensors_open(const char *path)
{
    if (!path) {
        lg_fail_null("lg_safetensors_open: the path is NULL");
        return NULL;
    }
    lg_safetensors *file = lg_calloc(1, sizeof *file, "lg_safetensors_open");
    if (!file)
        return NULL;
    file->descriptor = -1;
    lg_status status = open_file(file, path);
    if (status == LG_OK)
        status = read_header(file);
    if (status == LG_OK)
        return file;
    lg_safetensors_close(file);
    return NULL;
}

void lg_safetensors_close(lg_safetensors *file)
{
    if (!file)
        return;
    if (file->descriptor >= 0)
        close(file->descriptor);
    json_decref(file->header);
    free(file->tensors);
    free(file->dims);
    free(file->path);
    free(file);
}
