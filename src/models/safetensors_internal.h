/* What the reader and the writer of safetensors share. */
#ifndef LG_SAFETENSORS_INTERNAL_H
#define LG_SAFETENSORS_INTERNAL_H

#include "models/safetensors.h"

#include <jansson.h>

#define LG_SAFETENSORS_LENGTH_BYTES 8
#define LG_SAFETENSORS_MOST_HEADER 100000000
#define LG_SAFETENSORS_METADATA "__metadata__"

typedef struct lg_file_dtype_info {
    const char *name;
    size_t bits;
} lg_file_dtype_info;

struct lg_safetensors {
    char *path;
    int descriptor;
    uint64_t file_bytes, data_begin;
    json_t *header; /* names and texts live in it */
    json_t *metadata;
    lg_file_tensor *tensors; /* by offset */
    size_t count;
    size_t *dims; /* of all of them */
};

/* A name of the file's, fit for a message: cut, and without control characters. */
typedef struct lg_file_excerpt {
    char text[84];
} lg_file_excerpt;
lg_file_excerpt lg_file_excerpt_of(const char *name);

/* `count` bytes of the file; LG_E_IO, or LG_E_FORMAT where it ends. */
lg_status lg_safetensors_read_at(const lg_safetensors *file, uint64_t offset, void *bytes, size_t count);

/* NULL for a number that is no type. */
const lg_file_dtype_info *lg_file_dtype_info_of(lg_file_dtype dtype);

/* The number of elements, and of bytes; false if either overflows or the bits are no whole number of bytes. */
bool lg_file_extent(lg_file_dtype dtype, size_t rank, const size_t *dims, size_t *size, size_t *bytes);

/* Turns `count` values of so many bytes from the machine's byte order to little-endian, or back, in place. */
void lg_little_endian(void *values, size_t value_bytes, size_t count);

#endif
