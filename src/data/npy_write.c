/* Writing NPY files (npy.h). */
#include <string.h>

#include "data/npy.h"
#include "data/whole_file_internal.h"
#include "tensor/memory_internal.h"

/* Version 1.0: magic, version, 2 bytes of length, and a dictionary padded with blanks so that the elements begin at a
 * multiple of 64. */
static void write_header(lg_whole_file *file, lg_dtype dtype, size_t rank, const size_t *dims)
{
    enum { FIXED = 10, ALIGNMENT = 64 };
    const uint16_t one = 1;
    const char order = *(const unsigned char *)&one ? '<' : '>';
    char text[256];
    int used = snprintf(text, sizeof text, "{'descr': '%c%s', 'fortran_order': False, 'shape': (", order,
                        dtype == LG_INT32 ? "i4" : LG_REAL_BITS == 64 ? "f8" : "f4");
    for (size_t k = 0; k < rank; k++)
        used += snprintf(text + used, sizeof text - (size_t)used, "%s%zu%s", k ? " " : "",
                         dims[k], k + 1 < rank || rank == 1 ? "," : "");
    used += snprintf(text + used, sizeof text - (size_t)used, "), }");
    const unsigned padding = (ALIGNMENT - (FIXED + (unsigned)used + 1) % ALIGNMENT) % ALIGNMENT;
    const unsigned length = (unsigned)used + padding + 1;
    const unsigned char fixed[FIXED] = { 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, length & 255, length >> 8 & 255 };
    char padded[sizeof text + ALIGNMENT];
    snprintf(padded, sizeof padded, "%s%*s\n", text, (int)padding, "");
    lg_whole_file_write(file, fixed, FIXED);
    lg_whole_file_write(file, padded, length);
}

lg_status lg_npy_write_array(const char *path, lg_dtype dtype, size_t rank, const size_t *dims, const void *values)
{
    if (!path || !values || (rank && !dims))
        return lg_fail_null("lg_npy_write: no path, dims or values");
    if (dtype != LG_REAL && dtype != LG_INT32)
        return lg_fail(LG_E_PARAM, "lg_npy_write: the values are neither LG_REAL nor LG_INT32");
    if (rank > LG_MAX_RANK)
        return lg_fail(LG_E_SHAPE, "lg_npy_write: %zu axes; at most %d", rank, LG_MAX_RANK);
    const size_t size = dtype == LG_INT32 ? sizeof(int32_t) : sizeof(lg_real);
    size_t count = 1, bytes;
    for (size_t k = 0; k < rank; k++)
        if (!lg_size_mul(count, dims[k], &count))
            return lg_fail(LG_E_SHAPE, "lg_npy_write: the array is too large");
    if (!lg_size_mul(count, size, &bytes))
        return lg_fail(LG_E_SHAPE, "lg_npy_write: the array is too large");
    lg_whole_file file;
    lg_status status = lg_whole_file_begin(&file, path);
    if (status < 0)
        return status;
    write_header(&file, dtype, rank, dims);
    lg_whole_file_write(&file, values, bytes); /* what fails shows at the end */
    return lg_whole_file_end(&file);
}

lg_status lg_npy_write(const char *path, const lg_tensor *tensor)
{
    const bool real = lg_tensor_dtype(tensor) == LG_REAL;
    lg_tensor *readable = (lg_tensor *)(uintptr_t)tensor;
    const void *values = real ? (const void *)lg_tensor_data(readable) : (const void *)lg_tensor_indices(readable);
    return lg_npy_write_array(path, lg_tensor_dtype(tensor), lg_tensor_rank(tensor), lg_tensor_dims(tensor), values);
}
