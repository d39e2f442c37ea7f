/* Parameter sets (params.h). */
#include "autograd/params_internal.h"

#include "tensor/math_internal.h"
#include "tensor/memory_internal.h"
#include "tensor/suggest_internal.h"
#include "tensor/tensor_internal.h"

#include <stdlib.h>
#include <string.h>

#define ALIGN_REALS (64 / sizeof(lg_real))
#define NAME_BYTES 128

typedef struct entry {
    lg_tensor tensor;
    size_t offset;
    char name[NAME_BYTES];
} entry;

typedef struct owned {
    void *object;
    void (*free_object)(void *);
} owned;

struct lg_params {
    entry **entries;
    size_t count, capacity;
    owned *objects;
    size_t object_count, object_capacity;
    lg_real *values, *gradients;
    size_t length; /* of each block */
    size_t size;   /* without padding */
    size_t holders;
    bool abandoned; /* freed by the user while an optimizer held it: the last release frees it */
};

struct lg_snapshot {
    size_t length;
    lg_real *values;
};

lg_params *lg_params_new(void)
{
    return lg_calloc(1, sizeof(lg_params), "lg_params_new");
}

void lg_params_free(lg_params *params)
{
    if (!params)
        return;
    if (params->holders > 0) {
        params->abandoned = true;
        return;
    }
    for (size_t i = params->object_count; i-- > 0;)
        params->objects[i].free_object(params->objects[i].object);
    for (size_t i = 0; i < params->count; i++)
        free(params->entries[i]);
    free(params->entries);
    free(params->objects);
    free(params->values);
    free(params->gradients);
    free(params);
}

lg_status lg_params_own(lg_params *params, void *object, void (*free_object)(void *))
{
    if (!params || !object || !free_object)
        return lg_fail_null("lg_params_own: an argument is NULL");
    if (lg_reserve(&params->objects, &params->object_capacity, params->object_count + 1, sizeof *params->objects,
                   "lg_params_own") != LG_OK) {
        free_object(object);
        return LG_E_MEMORY;
    }
    params->objects[params->object_count++] = (owned){ object, free_object };
    return LG_OK;
}

/* ------------------------------------------------------------ the tensors */

static entry *find(const lg_params *params, const char *name)
{
    for (size_t i = 0; i < params->count; i++)
        if (strcmp(params->entries[i]->name, name) == 0)
            return params->entries[i];
    return NULL;
}

static bool name_is_free(const lg_params *params, const char *name)
{
    if (!name || !*name || strlen(name) >= NAME_BYTES)
        lg_fail(LG_E_PARAM, "lg_params_add: a parameter's name has 1 to %d bytes", NAME_BYTES - 1);
    else if (find(params, name))
        lg_fail(LG_E_PARAM, "lg_params_add: there is a parameter \"%s\" already", name);
    else
        return true;
    return false;
}

/* A block of `length` reals that begins as a copy of `old_length` reals and goes on with zeros. */
static lg_real *grown_block(const lg_real *old, size_t old_length, size_t length)
{
    size_t bytes;
    if (!lg_size_mul(length, sizeof(lg_real), &bytes)) {
        lg_fail(LG_E_MEMORY, "lg_params_add: the parameters exceed what memory can address");
        return NULL;
    }
    lg_real *block = lg_aligned_alloc(bytes, "lg_params_add");
    if (!block)
        return NULL;
    memset(block, 0, bytes);
    if (old)
        memcpy(block, old, old_length * sizeof *old);
    return block;
}

/* Puts new blocks in place and points every tensor at its piece. */
static void install_blocks(lg_params *params, lg_real *values, lg_real *gradients, size_t length)
{
    free(params->values);
    free(params->gradients);
    params->values = values;
    params->gradients = gradients;
    params->length = length;
    for (size_t i = 0; i < params->count; i++) {
        entry *e = params->entries[i];
        e->tensor.real = values + e->offset;
        e->tensor.grad = gradients + e->offset;
    }
}

lg_tensor *lg_params_add(lg_params *params, const char *name, size_t rank, const size_t *dims)
{
    size_t size, padded, length;
    if (!params) {
        lg_fail_null("lg_params_add: params is NULL");
        return NULL;
    }
    if (params->holders > 0) {
        lg_fail(LG_E_STATE, "lg_params_add: \"%s\" comes after an optimizer of this set was made; add layers first",
                name ? name : "");
        return NULL;
    }
    if (!name_is_free(params, name) || lg_shape_size("lg_params_add", rank, dims, &size) != LG_OK)
        return NULL;
    if (!lg_size_add(size, ALIGN_REALS - 1, &padded) ||
        !lg_size_add(params->length, padded / ALIGN_REALS * ALIGN_REALS, &length)) {
        lg_fail(LG_E_SHAPE, "lg_params_add: the parameters exceed what memory can address");
        return NULL;
    }
    if (lg_reserve(&params->entries, &params->capacity, params->count + 1, sizeof *params->entries, "lg_params_add") !=
        LG_OK)
        return NULL;
    entry *e = lg_calloc(1, sizeof *e, "lg_params_add");
    lg_real *values = e ? grown_block(params->values, params->length, length) : NULL;
    lg_real *gradients = values ? grown_block(params->gradients, params->length, length) : NULL;
    if (!gradients) {
        free(values);
        free(e);
        return NULL;
    }
    snprintf(e->name, sizeof e->name, "%s", name);
    e->offset = params->length;
    e->tensor = (lg_tensor){ .owner = LG_OWNER_PARAMS, .requires_grad = true, .name = e->name };
    lg_tensor_set_shape(&e->tensor, rank, dims, size);
    params->entries[params->count++] = e;
    params->size += size;
    install_blocks(params, values, gradients, length);
    return &e->tensor;
}

/* The blocks keep their size until something is added again; `length` is what counts. */
void lg_params_shrink(lg_params *params, size_t count)
{
    while (params->count > count) {
        entry *e = params->entries[--params->count];
        params->length = e->offset;
        params->size -= e->tensor.size;
        free(e);
    }
}

size_t lg_params_count(const lg_params *params)
{
    return params ? params->count : 0;
}

lg_tensor *lg_params_at(const lg_params *params, size_t i)
{
    return params && i < params->count ? &params->entries[i]->tensor : NULL;
}

const char *lg_params_name(const lg_params *params, size_t i)
{
    return params && i < params->count ? params->entries[i]->name : NULL;
}

lg_tensor *lg_params_find(const lg_params *params, const char *name)
{
    if (!params || !name) {
        lg_fail_null("lg_params_find: an argument is NULL");
        return NULL;
    }
    entry *e = find(params, name);
    if (e)
        return &e->tensor;
    lg_nearest nearest = lg_nearest_to(name);
    for (size_t i = 0; i < params->count; i++)
        lg_nearest_try(&nearest, params->entries[i]->name);
    lg_fail(LG_E_PARAM, "lg_params_find: there is no parameter \"%s\"%s", name, lg_nearest_text(&nearest));
    return NULL;
}

size_t lg_params_size(const lg_params *params)
{
    return params ? params->size : 0;
}

/* -------------------------------------------------------------- gradients */

void lg_params_zero_grad(lg_params *params)
{
    for (size_t i = 0; params && i < params->count; i++)
        params->entries[i]->tensor.grad_written = false;
}

lg_block lg_params_block(lg_params *params)
{
    for (size_t i = 0; i < params->count; i++) {
        lg_tensor *tensor = &params->entries[i]->tensor;
        if (!tensor->grad_written) {
            memset(tensor->grad, 0, tensor->size * sizeof *tensor->grad);
            tensor->grad_written = true;
        }
    }
    return (lg_block){ params->length, params->values, params->gradients };
}

#define LANES 16

/* In double, in LANES sums side by side: one alone would wait for each of its additions. */
LG_CLONES static double sum_of_squares(size_t n, const lg_real *x)
{
    double lane[LANES] = { 0 }, sum = 0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t k = 0; k < LANES; k++)
            lane[k] += (double)x[i + k] * (double)x[i + k];
    for (; i < n; i++)
        lane[0] += (double)x[i] * (double)x[i];
    for (size_t k = 0; k < LANES; k++)
        sum += lane[k];
    return sum;
}

double lg_params_grad_norm(const lg_params *params)
{
    double sum = 0;
    for (size_t i = 0; params && i < params->count; i++) {
        const lg_tensor *tensor = &params->entries[i]->tensor;
        if (tensor->requires_grad && tensor->grad_written)
            sum += sum_of_squares(tensor->size, tensor->grad);
    }
    return sqrt(sum);
}

double lg_params_clip_norm(lg_params *params, double max_norm)
{
    if (!params)
        lg_fail_null("lg_params_clip_norm: params is NULL");
    else if (!(max_norm > 0))
        lg_fail(LG_E_PARAM, "lg_params_clip_norm: the bound is %g, but must be positive", max_norm);
    if (!params || !(max_norm > 0))
        return NAN;
    const double norm = lg_params_grad_norm(params);
    if (!(norm > max_norm) || !isfinite(norm))
        return norm;
    lg_block block = lg_params_block(params);
    const lg_real factor = (lg_real)(max_norm / norm);
    for (size_t i = 0; i < block.length; i++)
        block.gradients[i] *= factor;
    return norm;
}

lg_status lg_params_clip_value(lg_params *params, double limit)
{
    if (!params)
        return lg_fail_null("lg_params_clip_value: params is NULL");
    if (!(limit > 0))
        return lg_fail(LG_E_PARAM, "lg_params_clip_value: the limit is %g, but must be positive", limit);
    lg_block block = lg_params_block(params);
    const lg_real high = (lg_real)limit, low = -high;
    for (size_t i = 0; i < block.length; i++) {
        const lg_real g = block.gradients[i], capped = g > high ? high : g;
        block.gradients[i] = capped < low ? low : capped;
    }
    return LG_OK;
}

/* -------------------------------------------------------------- snapshots */

lg_snapshot *lg_params_snapshot(const lg_params *params)
{
    if (!params) {
        lg_fail_null("lg_params_snapshot: params is NULL");
        return NULL;
    }
    lg_snapshot *snapshot = lg_calloc(1, sizeof *snapshot, "lg_params_snapshot");
    if (!snapshot)
        return NULL;
    snapshot->length = params->length;
    snapshot->values = lg_aligned_alloc(params->length * sizeof(lg_real), "lg_params_snapshot");
    if (!snapshot->values) {
        free(snapshot);
        return NULL;
    }
    lg_params_save_to(params, snapshot);
    return snapshot;
}

static lg_status same_length(const lg_params *params, const lg_snapshot *snapshot, const char *what)
{
    if (!params || !snapshot)
        return lg_fail_null("%s: an argument is NULL", what);
    if (params->length != snapshot->length)
        return lg_fail(LG_E_SHAPE, "%s: the snapshot was made before parameters were added", what);
    return LG_OK;
}

lg_status lg_params_save_to(const lg_params *params, lg_snapshot *snapshot)
{
    lg_status status = same_length(params, snapshot, "lg_params_save_to");
    if (status == LG_OK && params->length)
        memcpy(snapshot->values, params->values, params->length * sizeof(lg_real));
    return status;
}

lg_status lg_params_restore(lg_params *params, const lg_snapshot *snapshot)
{
    lg_status status = same_length(params, snapshot, "lg_params_restore");
    if (status == LG_OK && params->length)
        memcpy(params->values, snapshot->values, params->length * sizeof(lg_real));
    return status;
}

lg_real *lg_snapshot_values(lg_snapshot *snapshot)
{
    return snapshot->values;
}

void lg_snapshot_free(lg_snapshot *snapshot)
{
    if (!snapshot)
        return;
    free(snapshot->values);
    free(snapshot);
}

/* ------------------------------------------------------------- optimizers */

size_t lg_params_length(const lg_params *params)
{
    return params->length;
}

lg_real *lg_params_values(lg_params *params)
{
    return params->values;
}

size_t lg_params_offset(const lg_params *params, size_t i)
{
    return params->entries[i]->offset;
}

void lg_params_hold(lg_params *params)
{
    params->holders++;
}

void lg_params_release(lg_params *params)
{
    if (--params->holders == 0 && params->abandoned)
        lg_params_free(params);
}
