/* The elements of an array in a file (array_internal.h). */
#include "data/array_internal.h"
#include "data/number_internal.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tensor/memory_internal.h"

enum { CHUNK = 4096 }; /* elements */

/* ---- elements ------------------------------------------------------------------------------------------------------ */

static size_t size_of(lg_element element)
{
    static const size_t sizes[] = { [LG_U1] = 1, [LG_U2] = 2, [LG_U4] = 4, [LG_U8] = 8, [LG_I1] = 1, [LG_I2] = 2,
                                    [LG_I4] = 4, [LG_I8] = 8, [LG_F2] = 2, [LG_F4] = 4, [LG_F8] = 8, [LG_BOOL] = 1 };
    return sizes[element];
}

bool lg_element_is_integer(lg_element element)
{
    return element != LG_F2 && element != LG_F4 && element != LG_F8;
}

static uint64_t bits_of(const unsigned char *bytes, size_t size, bool big_endian)
{
    uint64_t bits = 0;
    for (size_t k = 0; k < size; k++)
        bits |= (uint64_t)bytes[big_endian ? size - 1 - k : k] << 8 * k;
    return bits;
}

/* IEEE 754 binary16: 1 sign, 5 exponent, 10 fraction bits. */
static double half(unsigned bits)
{
    const int exponent = (bits >> 10) & 31;
    const double fraction = bits & 1023, sign = bits & 0x8000 ? -1 : 1;
    if (exponent == 31)
        return fraction > 0 ? (double)NAN : sign * (double)INFINITY;
    return sign * (exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24));
}

static double value_of(uint64_t bits, lg_element element)
{
    float single;
    double wide;
    const uint32_t low = (uint32_t)bits;
    switch (element) {
    case LG_I1: return (int8_t)bits;
    case LG_I2: return (int16_t)bits;
    case LG_I4: return (int32_t)bits;
    case LG_I8: return (double)(int64_t)bits;
    case LG_F2: return half((unsigned)bits);
    case LG_F4: memcpy(&single, &low, sizeof single); return (double)single;
    case LG_F8: memcpy(&wide, &bits, sizeof wide); return wide;
    case LG_BOOL: return bits != 0;
    default: return (double)bits;
    }
}

static bool machine_is_big(void)
{
    const uint16_t one = 1;
    return *(const unsigned char *)&one == 0;
}

/* Bytes, the elements of pictures, and floats as the machine has them do not go the long way. */
static void decode(const lg_array_header *header, const unsigned char *bytes, size_t count, double *out)
{
    const size_t size = size_of(header->element);
    const bool as_is = header->big_endian == machine_is_big();
    if (header->element == LG_U1)
        for (size_t i = 0; i < count; i++)
            out[i] = bytes[i];
    else if (header->element == LG_F8 && as_is)
        memcpy(out, bytes, count * sizeof *out);
    else if (header->element == LG_F4 && as_is)
        for (size_t i = 0; i < count; i++) {
            float value;
            memcpy(&value, bytes + i * sizeof value, sizeof value);
            out[i] = (double)value;
        }
    else
        for (size_t i = 0; i < count; i++)
            out[i] = value_of(bits_of(bytes + i * size, size, header->big_endian), header->element);
}

/* ---- messages ------------------------------------------------------------------------------------------------------ */

lg_dims_text lg_dims_text_of(size_t rank, const size_t *dims)
{
    lg_dims_text shape = { "" };
    for (size_t k = 0, used = 0; k < rank && used < sizeof shape.text; k++)
        used += (size_t)snprintf(shape.text + used, sizeof shape.text - used, "%s%zu", k ? " x " : "", dims[k]);
    return shape;
}

/* Names an element by its place in the array and in the file. */
static lg_status bad_element(const char *path, const lg_array_header *header, uint64_t start, size_t flat, double value,
                             const char *reason)
{
    size_t index[LG_ARRAY_MOST_AXES], rest = flat;
    for (size_t i = 0; i < header->rank; i++) {
        size_t axis = header->fortran_order ? i : header->rank - 1 - i;
        index[axis] = rest % header->dims[axis];
        rest /= header->dims[axis];
    }
    char place[256] = "";
    for (size_t k = 0, used = 0; k < header->rank && used < sizeof place; k++)
        used += (size_t)snprintf(place + used, sizeof place - used, "%s%zu", k ? ", " : "", index[k]);
    return lg_fail(LG_E_FORMAT, "%s: byte %llu: element [%s] is %.9g, %s", path,
                   (unsigned long long)(start + flat * size_of(header->element)), place, value, reason);
}

static lg_status wrong_length(const lg_stream *stream, const lg_array_header *header, uint64_t start, const char *has)
{
    const uint64_t count_bytes = size_of(header->element);
    uint64_t bytes = start;
    size_t count = 1;
    for (size_t k = 0; k < header->rank; k++)
        count *= header->dims[k]; /* checked by lg_array_read */
    bytes += count * count_bytes;
    return lg_fail(LG_E_FORMAT, "%s: %s %s after a header of %llu bytes make %llu bytes, but the file has %s", stream->path,
                   lg_dims_text_of(header->rank, header->dims).text, header->element_name, (unsigned long long)start,
                   (unsigned long long)bytes, has);
}

/* ---- reading ------------------------------------------------------------------------------------------------------- */

static const char *why_not(const lg_array_store *store, double value)
{
    if (store->type == LG_STORE_INT32) {
        if (value != rint(value) || isinf(value)) /* NaN too */
            return "which is not a whole number";
        return value < INT32_MIN || value > INT32_MAX ? "which does not fit into 32 bits" : NULL;
    }
    if (isnan(value))
        return store->allow_nan ? NULL : "and only finite numbers are expected";
    if (isinf(value))
        return store->allow_infinite ? NULL : "and only finite numbers are expected";
    return store->type == LG_STORE_REAL && lg_number_too_large(value) ? "which is too large" : NULL;
}

static void store_values(const lg_array_store *store, const double *in, size_t count, void *values, size_t at)
{
    const double divisor = store->divide_by > 0 ? store->divide_by : 1;
    if (store->type == LG_STORE_INT32)
        for (size_t i = 0; i < count; i++)
            ((int32_t *)values)[at + i] = (int32_t)in[i];
    else if (store->type == LG_STORE_DOUBLE)
        for (size_t i = 0; i < count; i++)
            ((double *)values)[at + i] = in[i] / divisor;
    else
        for (size_t i = 0; i < count; i++)
            ((lg_real *)values)[at + i] = (lg_real)(in[i] / divisor);
}

static size_t stored_size(const lg_array_store *store)
{
    return store->type == LG_STORE_INT32 ? sizeof(int32_t)
           : store->type == LG_STORE_DOUBLE ? sizeof(double) : sizeof(lg_real);
}

/* Room for `needed` of `count` values: twice what there was, at most all. */
static lg_status grow(void **values, size_t *capacity, size_t needed, size_t count, size_t size)
{
    if (needed <= *capacity && *values)
        return LG_OK;
    size_t grown = *capacity > count / 2 ? count : 2 * *capacity;
    grown = grown < needed ? needed : grown;
    void *larger = lg_realloc(*values, grown, size, "lg_dataset_read");
    if (!larger)
        return LG_E_MEMORY;
    *values = larger;
    *capacity = grown;
    return LG_OK;
}

static lg_status read_elements(lg_stream *stream, const lg_array_header *header, const lg_array_store *store,
                               size_t count, void **values)
{
    unsigned char bytes[CHUNK * sizeof(double)];
    double decoded[CHUNK];
    const uint64_t start = stream->offset;
    const size_t size = size_of(header->element);
    const bool any_will_do = lg_element_is_integer(header->element) && store->type != LG_STORE_INT32;
    size_t capacity = 0, got;
    lg_status status = grow(values, &capacity, count < CHUNK ? count : CHUNK, count, stored_size(store));
    for (size_t at = 0; status == LG_OK && at < count;) {
        const size_t n = count - at < CHUNK ? count - at : CHUNK;
        if ((status = lg_stream_read(stream, bytes, n * size, &got)) < 0)
            return status;
        if (got < n * size) {
            char has[32];
            snprintf(has, sizeof has, "%llu", (unsigned long long)stream->offset);
            return wrong_length(stream, header, start, has);
        }
        decode(header, bytes, n, decoded);
        for (size_t i = 0; i < n && !any_will_do; i++) {
            const char *reason = why_not(store, decoded[i]);
            if (reason)
                return bad_element(stream->path, header, start, at + i, decoded[i], reason);
        }
        status = grow(values, &capacity, at + n, count, stored_size(store));
        if (status == LG_OK)
            store_values(store, decoded, n, *values, at);
        at += n;
    }
    if (status == LG_OK && (status = lg_stream_read(stream, bytes, 1, &got)) == LG_OK && got > 0)
        status = wrong_length(stream, header, start, "more");
    return status;
}

/* From Fortran to C order: walks through the result, whose last axis runs fastest. */
static lg_status reorder(const lg_array_header *header, size_t count, size_t size, void **values)
{
    size_t stride[LG_ARRAY_MOST_AXES], index[LG_ARRAY_MOST_AXES] = { 0 }, from = 0;
    for (size_t k = 0, product = 1; k < header->rank; product *= header->dims[k++])
        stride[k] = product;
    char *ordered = lg_calloc(count, size, "lg_dataset_read");
    if (!ordered)
        return LG_E_MEMORY;
    for (size_t i = 0; i < count; i++) {
        memcpy(ordered + i * size, (char *)*values + from * size, size);
        for (size_t k = header->rank; k-- > 0;) {
            from += stride[k];
            if (++index[k] < header->dims[k])
                break;
            from -= stride[k] * index[k];
            index[k] = 0;
        }
    }
    free(*values);
    *values = ordered;
    return LG_OK;
}

/* The header's sizes, before anything is allocated: they must fit into an address space and, if it is known, the file. */
lg_status lg_array_check_sizes(const lg_stream *stream, const lg_array_header *header, size_t *count)
{
    size_t bytes = sizeof(double); /* of a value, the most it may be stored in */
    bool fits = true;
    *count = 1;
    for (size_t k = 0; k < header->rank && fits; k++) {
        fits = lg_size_mul(bytes, header->dims[k] ? header->dims[k] : 1, &bytes);
        *count *= header->dims[k]; /* no more than bytes */
    }
    if (!fits || bytes > PTRDIFF_MAX / 2)
        return lg_fail(LG_E_FORMAT, "%s: the header promises %s %s, more than there can be", stream->path,
                       lg_dims_text_of(header->rank, header->dims).text, header->element_name);
    const uint64_t end = stream->offset + *count * size_of(header->element);
    if (stream->size != LG_STREAM_UNKNOWN && stream->size != end) {
        char has[32];
        snprintf(has, sizeof has, "%llu", (unsigned long long)stream->size);
        return wrong_length(stream, header, stream->offset, has);
    }
    return LG_OK;
}

lg_status lg_array_read(lg_stream *stream, const lg_array_header *header, const lg_array_store *store, void **values,
                        size_t *count)
{
    *values = NULL;
    lg_status status = lg_array_check_sizes(stream, header, count);
    if (status == LG_OK)
        status = read_elements(stream, header, store, *count, values);
    if (status == LG_OK && header->fortran_order && header->rank > 1)
        status = reorder(header, *count, stored_size(store), values);
    if (status < 0) {
        free(*values);
        *values = NULL;
    }
    return status;
}

/* ---- some of them, from a file that is not read as a stream -------------------------------------------------------- */

static lg_status read_bytes(int descriptor, const char *path, uint64_t offset, void *out, size_t count)
{
    for (size_t got = 0; got < count;) {
        const ssize_t now = pread(descriptor, (char *)out + got, count - got, (off_t)(offset + got));
        if (now < 0 && errno == EINTR)
            continue;
        if (now < 0)
            return lg_fail(LG_E_IO, "%s: cannot be read: %s", path, strerror(errno));
        if (now == 0)
            return lg_fail(LG_E_IO, "%s: byte %llu: the file ends here, which it did not when it was opened", path,
                           (unsigned long long)(offset + got));
        got += (size_t)now;
    }
    return LG_OK;
}

/* Whether elements are stored bit for bit. */
static bool is_direct(const lg_array_header *header, const lg_array_store *store)
{
    return store->type == LG_STORE_REAL && store->divide_by <= 0 && header->big_endian == machine_is_big()
           && header->element == (LG_REAL_BITS == 64 ? LG_F8 : LG_F4);
}

/* NaN and infinity are what is not 0 when taken from itself. */
static bool all_finite(const lg_real *values, size_t count)
{
    size_t others = 0;
    for (size_t i = 0; i < count; i++)
        others += !(values[i] - values[i] == 0);
    return others == 0;
}

lg_status lg_array_read_at(int descriptor, const char *path, const lg_array_header *header, uint64_t start, size_t first,
                           size_t count, const lg_array_store *store, void *values)
{
    if (is_direct(header, store)) {
        lg_status read = read_bytes(descriptor, path, start + first * sizeof(lg_real), values, count * sizeof(lg_real));
        if (read < 0 || all_finite(values, count))
            return read; /* else one by one, for what is allowed and for the message */
    }
    unsigned char bytes[CHUNK * sizeof(double)];
    double decoded[CHUNK];
    const size_t size = size_of(header->element);
    lg_status status = LG_OK;
    for (size_t at = 0; status == LG_OK && at < count;) {
        const size_t n = count - at < CHUNK ? count - at : CHUNK;
        status = read_bytes(descriptor, path, start + (first + at) * size, bytes, n * size);
        if (status < 0)
            return status;
        decode(header, bytes, n, decoded);
        for (size_t i = 0; i < n && !lg_element_is_integer(header->element); i++) {
            const char *reason = why_not(store, decoded[i]);
            if (reason)
                return bad_element(path, header, start, first + at + i, decoded[i], reason);
        }
        store_values(store, decoded, n, values, at);
        at += n;
    }
    return status;
}
