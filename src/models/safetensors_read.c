/* What is in an open safetensors file, and its values (safetensors.h). */
#include "models/safetensors_internal.h"

#include "tensor/memory_internal.h"
#include "tensor/suggest_internal.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------- what is in it */

size_t lg_safetensors_count(const lg_safetensors *file)
{
    return file ? file->count : 0;
}

const lg_file_tensor *lg_safetensors_at(const lg_safetensors *file, size_t i)
{
    return file && i < file->count ? file->tensors + i : NULL;
}

static const lg_file_tensor *find(const lg_safetensors *file, const char *name)
{
    for (size_t i = 0; i < file->count; i++)
        if (strcmp(file->tensors[i].name, name) == 0)
            return file->tensors + i;
    return NULL;
}

bool lg_safetensors_has(const lg_safetensors *file, const char *name)
{
    return file && name && find(file, name);
}

const lg_file_tensor *lg_safetensors_find(const lg_safetensors *file, const char *name)
{
    if (!file || !name) {
        lg_fail_null("lg_safetensors_find: an argument is NULL");
        return NULL;
    }
    const lg_file_tensor *tensor = find(file, name);
    if (tensor)
        return tensor;
    lg_nearest nearest = lg_nearest_to(name);
    for (size_t i = 0; i < file->count; i++)
        lg_nearest_try(&nearest, file->tensors[i].name);
    const lg_file_excerpt hint = lg_file_excerpt_of(lg_nearest_text(&nearest));
    lg_fail(LG_E_PARAM, "%s: has no tensor \"%s\"%s", file->path, lg_file_excerpt_of(name).text, hint.text);
    return NULL;
}

size_t lg_safetensors_metadata_count(const lg_safetensors *file)
{
    return file ? json_object_size(file->metadata) : 0;
}

lg_metadata lg_safetensors_metadata_at(const lg_safetensors *file, size_t i)
{
    void *entry = file ? json_object_iter(file->metadata) : NULL;
    while (entry && i-- > 0)
        entry = json_object_iter_next(file->metadata, entry);
    return entry ? (lg_metadata){ json_object_iter_key(entry), json_string_value(json_object_iter_value(entry)) }
                 : (lg_metadata){ NULL, NULL };
}

const char *lg_safetensors_metadata(const lg_safetensors *file, const char *key)
{
    return file && key ? json_string_value(json_object_get(file->metadata, key)) : NULL;
}

/* ------------------------------------------------------------------- values */

static float float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Every F16 is a float: 1 sign, 5 exponent (bias 15), 10 fraction. */
static float from_f16(uint16_t half)
{
    const uint32_t sign = (uint32_t)(half >> 15) << 31, exponent = half >> 10 & 31, fraction = half & 1023;
    if (exponent == 0) { /* 0 or subnormal: fraction 2^-24 */
        const float magnitude = (float)fraction * 0x1p-24f;
        return sign ? -magnitude : magnitude;
    }
    const uint32_t wide = exponent == 31 ? 255 : exponent + 112;
    return float_of_bits(sign | wide << 23 | fraction << 13);
}

static void convert(lg_file_dtype dtype, const unsigned char *bytes, size_t count, lg_real *values)
{
    for (size_t i = 0; i < count; i++) {
        double wide;
        float single;
        uint16_t half;
        switch (dtype) {
        case LG_FILE_F64:
            memcpy(&wide, bytes + 8 * i, 8);
            values[i] = (lg_real)wide;
            break;
        case LG_FILE_F32:
            memcpy(&single, bytes + 4 * i, 4);
            values[i] = (lg_real)single;
            break;
        default:
            memcpy(&half, bytes + 2 * i, 2);
            values[i] = (lg_real)(dtype == LG_FILE_F16 ? from_f16(half) : float_of_bits((uint32_t)half << 16));
        }
    }
}

lg_status lg_safetensors_read_bytes(const lg_safetensors *file, const lg_file_tensor *tensor, void *bytes)
{
    if (!file || !tensor || (!bytes && tensor->bytes))
        return lg_fail_null("lg_safetensors_read_bytes: an argument is NULL");
    return lg_safetensors_read_at(file, tensor->offset, bytes, tensor->bytes);
}

lg_status lg_safetensors_read_doubles(const lg_safetensors *file, const lg_file_tensor *tensor, double *values)
{
    if (!file || !tensor || (!values && tensor->size))
        return lg_fail_null("lg_safetensors_read_doubles: an argument is NULL");
    if (tensor->dtype != LG_FILE_F64)
        return lg_fail(LG_E_DTYPE, "%s: tensor \"%s\" is %s, but must be F64", file->path,
                       lg_file_excerpt_of(tensor->name).text, lg_file_dtype_name(tensor->dtype));
    lg_status status = lg_safetensors_read_bytes(file, tensor, values);
    if (status == LG_OK)
        lg_little_endian(values, sizeof *values, tensor->size);
    return status;
}

lg_status lg_safetensors_read(const lg_safetensors *file, const lg_file_tensor *tensor, lg_real *values)
{
    unsigned char bytes[8192];
    if (!file || !tensor || (!values && tensor->size))
        return lg_fail_null("lg_safetensors_read: an argument is NULL");
    if (tensor->dtype > LG_FILE_BF16)
        return lg_fail(LG_E_DTYPE, "%s: tensor \"%s\" is %s, but must be F32, F64, F16 or BF16", file->path,
                       lg_file_excerpt_of(tensor->name).text, lg_file_dtype_name(tensor->dtype));
    const size_t width = lg_file_dtype_info_of(tensor->dtype)->bits / 8, most = sizeof bytes / width;
    for (size_t i = 0; i < tensor->size; i += most) {
        const size_t count = tensor->size - i < most ? tensor->size - i : most;
        lg_status status = lg_safetensors_read_at(file, tensor->offset + i * width, bytes, count * width);
        if (status != LG_OK)
            return status;
        lg_little_endian(bytes, width, count);
        convert(tensor->dtype, bytes, count, values + i);
    }
    return LG_OK;
}

static lg_tensor *read_indices(const lg_safetensors *file, const lg_file_tensor *found)
{
    int32_t *values = lg_calloc(found->size, sizeof *values, "lg_safetensors_tensor");
    lg_status status = values ? lg_safetensors_read_bytes(file, found, values) : LG_E_MEMORY;
    if (status == LG_OK)
        lg_little_endian(values, sizeof *values, found->size);
    lg_tensor *tensor = status == LG_OK ? lg_tensor_from_indices(found->rank, found->dims, values) : NULL;
    free(values);
    return tensor;
}

lg_tensor *lg_safetensors_tensor(const lg_safetensors *file, const char *name)
{
    const lg_file_tensor *found = lg_safetensors_find(file, name);
    if (!found)
        return NULL;
    if (found->rank > LG_MAX_RANK) {
        lg_fail(LG_E_SHAPE, "%s: tensor \"%s\" has %zu axes, but at most %d are possible", file->path,
                lg_file_excerpt_of(name).text, found->rank, LG_MAX_RANK);
        return NULL;
    }
    if (found->dtype == LG_FILE_I32)
        return read_indices(file, found);
    lg_tensor *tensor = lg_tensor_zeros(found->rank, found->dims);
    if (!tensor || lg_safetensors_read(file, found, lg_tensor_data(tensor)) == LG_OK)
        return tensor;
    lg_tensor_free(tensor);
    return NULL;
}
