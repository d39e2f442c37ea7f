/* Tensors on the heap: shapes checked, values owned, gradients on request (tensor.h). */
#include "tensor/tensor_internal.h"

#include "tensor/memory_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ shapes */

const char *lg_shape_text(size_t rank, const size_t *dims, char *text, size_t bytes)
{
    size_t used = (size_t)snprintf(text, bytes, "[");
    for (size_t i = 0; i < rank && used < bytes; i++)
        used += (size_t)snprintf(text + used, bytes - used, i ? ", %zu" : "%zu", dims[i]);
    if (used < bytes)
        snprintf(text + used, bytes - used, "]");
    return text;
}

const char *lg_tensor_shape_text(const lg_tensor *tensor, char *text, size_t bytes)
{
    if (tensor)
        return lg_shape_text(tensor->rank, tensor->dims, text, bytes);
    snprintf(text, bytes, "NULL");
    return text;
}

lg_status lg_shape_size(const char *what, size_t rank, const size_t *dims, size_t *size)
{
    if (rank > LG_MAX_RANK)
        return lg_fail(LG_E_SHAPE, "%s: rank %zu, but at most %d axes are possible", what, rank, LG_MAX_RANK);
    if (rank > 0 && !dims)
        return lg_fail_null("%s: dims is NULL", what);
    /* The product over the non-zero dims must fit, so that no order of axes hides an overflow behind a zero. */
    size_t product = 1;
    bool empty = false;
    for (size_t i = 0; i < rank; i++) {
        if (dims[i] == 0)
            empty = true;
        else if (__builtin_mul_overflow(product, dims[i], &product))
            product = SIZE_MAX;
        if (product > PTRDIFF_MAX / sizeof(double)) {
            char text[LG_SHAPE_TEXT_BYTES];
            return lg_fail(LG_E_SHAPE, "%s: the shape %s has more elements than memory can address", what,
                           lg_shape_text(rank, dims, text, sizeof text));
        }
    }
    *size = empty ? 0 : product;
    return LG_OK;
}

void lg_tensor_set_shape(lg_tensor *tensor, size_t rank, const size_t *dims, size_t size)
{
    tensor->rank = rank;
    tensor->size = size;
    for (size_t i = 0; i < LG_MAX_RANK; i++)
        tensor->dims[i] = i < rank ? dims[i] : 1;
}

bool lg_same_shape(const lg_tensor *a, const lg_tensor *b)
{
    return a->rank == b->rank && memcmp(a->dims, b->dims, sizeof a->dims) == 0;
}

/* ---------------------------------------------------------------- creation */

static lg_tensor *new_tensor(const char *what, lg_dtype dtype, size_t rank, const size_t *dims)
{
    size_t size;
    if (lg_shape_size(what, rank, dims, &size) != LG_OK)
        return NULL;
    lg_tensor *tensor = lg_calloc(1, sizeof *tensor, what);
    if (!tensor)
        return NULL;
    tensor->dtype = dtype;
    tensor->owner = LG_OWNER_HEAP;
    lg_tensor_set_shape(tensor, rank, dims, size);
    tensor->real = lg_aligned_alloc(size * (dtype == LG_REAL ? sizeof(lg_real) : sizeof(int32_t)), what);
    if (!tensor->real) {
        free(tensor);
        return NULL;
    }
    return tensor;
}

lg_tensor *lg_tensor_zeros(size_t rank, const size_t *dims)
{
    return lg_tensor_full(rank, dims, 0);
}

lg_tensor *lg_tensor_full(size_t rank, const size_t *dims, double value)
{
    lg_tensor *tensor = new_tensor("lg_tensor_full", LG_REAL, rank, dims);
    for (size_t i = 0; tensor && i < tensor->size; i++)
        tensor->real[i] = (lg_real)value;
    return tensor;
}

lg_tensor *lg_tensor_from(size_t rank, const size_t *dims, const lg_real *values)
{
    lg_tensor *tensor = new_tensor("lg_tensor_from", LG_REAL, rank, dims);
    if (tensor && tensor->size) {
        if (!values) {
            lg_fail_null("lg_tensor_from: values is NULL");
            lg_tensor_free(tensor);
            return NULL;
        }
        memcpy(tensor->real, values, tensor->size * sizeof *values);
    }
    return tensor;
}

lg_tensor *lg_tensor_from_indices(size_t rank, const size_t *dims, const int32_t *indices)
{
    lg_tensor *tensor = new_tensor("lg_tensor_from_indices", LG_INT32, rank, dims);
    if (tensor && tensor->size) {
        if (!indices) {
            lg_fail_null("lg_tensor_from_indices: indices is NULL");
            lg_tensor_free(tensor);
            return NULL;
        }
        memcpy(tensor->index, indices, tensor->size * sizeof *indices);
    }
    return tensor;
}

static lg_tensor *random_tensor(const char *what, size_t rank, const size_t *dims, lg_rng *rng)
{
    if (!rng) {
        lg_fail_null("%s: rng is NULL", what);
        return NULL;
    }
    return new_tensor(what, LG_REAL, rank, dims);
}

lg_tensor *lg_tensor_uniform(size_t rank, const size_t *dims, double low, double high, lg_rng *rng)
{
    if (!(low <= high) || !isfinite(high - low)) {
        lg_fail(LG_E_PARAM, "lg_tensor_uniform: the range [%g, %g) is not one", low, high);
        return NULL;
    }
    lg_tensor *tensor = random_tensor("lg_tensor_uniform", rank, dims, rng);
    if (tensor)
        lg_rng_fill_uniform(rng, tensor->size, tensor->real, low, high);
    return tensor;
}

lg_tensor *lg_tensor_normal(size_t rank, const size_t *dims, double mean, double deviation, lg_rng *rng)
{
    if (!isfinite(mean) || !(deviation >= 0) || !isfinite(deviation)) {
        lg_fail(LG_E_PARAM, "lg_tensor_normal: mean %g and deviation %g must be finite, the deviation not negative",
                mean, deviation);
        return NULL;
    }
    lg_tensor *tensor = random_tensor("lg_tensor_normal", rank, dims, rng);
    if (tensor)
        lg_rng_fill_normal(rng, tensor->size, tensor->real, mean, deviation);
    return tensor;
}

/* fan_in and fan_out of weights [out, in, ...]; false when the rank has none. */
static bool fans(const char *what, size_t rank, const size_t *dims, double *fan_in, double *fan_out)
{
    if (rank < 2 || rank > LG_MAX_RANK || !dims) {
        lg_fail(LG_E_SHAPE, "%s: rank %zu, but weights are [out, in] or [out, in, ...]", what, rank);
        return false;
    }
    double field = 1;
    for (size_t i = 2; i < rank; i++)
        field *= (double)dims[i];
    *fan_in = (double)dims[1] * field;
    *fan_out = (double)dims[0] * field;
    return true;
}

/* sqrt(numerator / fan), 0 for an empty tensor. */
static double spread(double numerator, double fan)
{
    return fan > 0 ? sqrt(numerator / fan) : 0;
}

lg_tensor *lg_tensor_glorot_uniform(size_t rank, const size_t *dims, lg_rng *rng)
{
    double in, out;
    if (!fans("lg_tensor_glorot_uniform", rank, dims, &in, &out))
        return NULL;
    const double bound = spread(6, in + out);
    return lg_tensor_uniform(rank, dims, -bound, bound, rng);
}

lg_tensor *lg_tensor_glorot_normal(size_t rank, const size_t *dims, lg_rng *rng)
{
    double in, out;
    if (!fans("lg_tensor_glorot_normal", rank, dims, &in, &out))
        return NULL;
    return lg_tensor_normal(rank, dims, 0, spread(2, in + out), rng);
}

lg_tensor *lg_tensor_he_uniform(size_t rank, const size_t *dims, lg_rng *rng)
{
    double in, out;
    if (!fans("lg_tensor_he_uniform", rank, dims, &in, &out))
        return NULL;
    const double bound = spread(6, in);
    return lg_tensor_uniform(rank, dims, -bound, bound, rng);
}

lg_tensor *lg_tensor_he_normal(size_t rank, const size_t *dims, lg_rng *rng)
{
    double in, out;
    if (!fans("lg_tensor_he_normal", rank, dims, &in, &out))
        return NULL;
    return lg_tensor_normal(rank, dims, 0, spread(2, in), rng);
}

void lg_tensor_free(lg_tensor *tensor)
{
    if (!tensor || tensor->owner != LG_OWNER_HEAP)
        return;
    free(tensor->real);
    free(tensor->grad);
    free(tensor);
}

/* --------------------------------------------------------------- accessors */

size_t lg_tensor_rank(const lg_tensor *tensor)
{
    return tensor ? tensor->rank : 0;
}

size_t lg_tensor_dim(const lg_tensor *tensor, size_t axis)
{
    if (!tensor)
        return 0;
    return axis < tensor->rank ? tensor->dims[axis] : 1;
}

const size_t *lg_tensor_dims(const lg_tensor *tensor)
{
    return tensor ? tensor->dims : NULL;
}

size_t lg_tensor_size(const lg_tensor *tensor)
{
    return tensor ? tensor->size : 0;
}

lg_dtype lg_tensor_dtype(const lg_tensor *tensor)
{
    return tensor ? tensor->dtype : LG_REAL;
}

static bool readable(const lg_tensor *tensor, const char *what, lg_dtype dtype)
{
    if (!tensor)
        lg_fail_null("%s: the tensor is NULL", what);
    else if (!lg_tensor_alive(tensor))
        lg_fail(LG_E_STATE, "%s: the tensor belongs to a tape that was reset since", what);
    else if (tensor->dtype != dtype)
        lg_fail(LG_E_DTYPE, "%s: the tensor holds %s", what, tensor->dtype == LG_REAL ? "real numbers" : "int32");
    else
        return true;
    return false;
}

lg_real *lg_tensor_data(lg_tensor *tensor)
{
    return readable(tensor, "lg_tensor_data", LG_REAL) ? tensor->real : NULL;
}

int32_t *lg_tensor_indices(lg_tensor *tensor)
{
    return readable(tensor, "lg_tensor_indices", LG_INT32) ? tensor->index : NULL;
}

double lg_tensor_item(const lg_tensor *tensor)
{
    if (!tensor || !readable(tensor, "lg_tensor_item", tensor->dtype)) {
        lg_fail_null("lg_tensor_item: the tensor is NULL");
        return NAN;
    }
    if (tensor->size != 1) {
        char text[LG_SHAPE_TEXT_BYTES];
        lg_fail(LG_E_SHAPE, "lg_tensor_item: %s has %zu elements; one is wanted",
                lg_tensor_shape_text(tensor, text, sizeof text), tensor->size);
        return NAN;
    }
    return tensor->dtype == LG_REAL ? (double)tensor->real[0] : tensor->index[0];
}

/* --------------------------------------------------------------- gradients */

lg_status lg_tensor_require_grad(lg_tensor *tensor, bool required)
{
    if (!tensor)
        return lg_fail_null("lg_tensor_require_grad: the tensor is NULL");
    if (tensor->dtype != LG_REAL)
        return lg_fail(LG_E_DTYPE, "lg_tensor_require_grad: indices have no gradient");
    if (tensor->owner == LG_OWNER_TAPE)
        return lg_fail(LG_E_STATE, "lg_tensor_require_grad: the tensor is a tape's; use lg_variable");
    if (required && !tensor->grad) {
        tensor->grad = lg_aligned_alloc(tensor->size * sizeof *tensor->grad, "lg_tensor_require_grad");
        if (!tensor->grad)
            return LG_E_MEMORY;
        tensor->grad_written = false;
    }
    tensor->requires_grad = required;
    return LG_OK;
}

bool lg_tensor_requires_grad(const lg_tensor *tensor)
{
    return tensor && tensor->requires_grad;
}

lg_real *lg_tensor_grad(lg_tensor *tensor)
{
    return tensor && lg_tensor_alive(tensor) && tensor->grad_written ? tensor->grad : NULL;
}

void lg_tensor_zero_grad(lg_tensor *tensor)
{
    if (tensor)
        tensor->grad_written = false;
}

lg_status lg_tensor_reshape(lg_tensor *tensor, size_t rank, const size_t *dims)
{
    size_t size;
    if (!tensor)
        return lg_fail_null("lg_tensor_reshape: the tensor is NULL");
    if (tensor->owner != LG_OWNER_HEAP)
        return lg_fail(LG_E_STATE, "lg_tensor_reshape: the tensor is a tape's or a parameter; use lg_reshape");
    lg_status status = lg_shape_size("lg_tensor_reshape", rank, dims, &size);
    if (status != LG_OK)
        return status;
    if (size != tensor->size) {
        char from[LG_SHAPE_TEXT_BYTES], to[LG_SHAPE_TEXT_BYTES];
        return lg_fail(LG_E_SHAPE, "lg_tensor_reshape: %s has %zu elements, %s has %zu",
                       lg_tensor_shape_text(tensor, from, sizeof from), tensor->size,
                       lg_shape_text(rank, dims, to, sizeof to), size);
    }
    lg_tensor_set_shape(tensor, rank, dims, size);
    return LG_OK;
}

/* ---------------------------------------------------------------- printing */

#define EDGE_ITEMS 3 /* shown at each end of an axis longer than 2 * EDGE_ITEMS + 2 */

static void print_axis(const lg_tensor *tensor, size_t axis, size_t offset, size_t stride, FILE *stream)
{
    if (axis == tensor->rank) {
        if (tensor->dtype == LG_REAL)
            fprintf(stream, "%.6g", (double)tensor->real[offset]);
        else
            fprintf(stream, "%d", (int)tensor->index[offset]);
        return;
    }
    const size_t n = tensor->dims[axis], inner = n ? stride / n : 0;
    const bool elide = n > 2 * EDGE_ITEMS + 2;
    fputc('[', stream);
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            fputs(axis + 1 == tensor->rank ? ", " : ",\n", stream);
        if (i > 0 && axis + 1 < tensor->rank)
            fprintf(stream, "%*s", (int)axis + 1, "");
        if (elide && i == EDGE_ITEMS) {
            fputs("...", stream);
            i = n - EDGE_ITEMS - 1;
            continue;
        }
        print_axis(tensor, axis + 1, offset + i * inner, inner, stream);
    }
    fputc(']', stream);
}

void lg_tensor_print(const lg_tensor *tensor, FILE *stream)
{
    char text[LG_SHAPE_TEXT_BYTES];
    if (!tensor || !stream)
        return;
    if (!lg_tensor_alive(tensor)) {
        fprintf(stream, "tensor of a tape that was reset since\n");
        return;
    }
    fprintf(stream, "tensor %s %s\n", lg_tensor_shape_text(tensor, text, sizeof text),
            tensor->dtype == LG_INT32 ? "int32" : LG_REAL_BITS == 64 ? "float64" : "float32");
    print_axis(tensor, 0, 0, tensor->size, stream);
    fputc('\n', stream);
}
