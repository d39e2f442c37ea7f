/* Checked allocation: sizes that cannot overflow, and a message when memory is short. All heap memory of the library
 * comes from here or from libc's strdup family through lg_strdup; free() releases it. */
#ifndef LG_MEMORY_INTERNAL_H
#define LG_MEMORY_INTERNAL_H

#include "tensor/base.h"

/* a * b and a + b in size_t; false when the result does not fit. */
static inline bool lg_size_mul(size_t a, size_t b, size_t *result)
{
    return !__builtin_mul_overflow(a, b, result);
}

static inline bool lg_size_add(size_t a, size_t b, size_t *result)
{
    return !__builtin_add_overflow(a, b, result);
}

/* count * size bytes, zeroed; NULL with LG_E_MEMORY on overflow or shortage. `what` names the caller in the message.
 * count = 0 gives a valid pointer. */
void *lg_calloc(size_t count, size_t size, const char *what);

/* Resizes to count * size bytes; on failure returns NULL and leaves `block` as it was. New bytes are not zeroed. */
void *lg_realloc(void *block, size_t count, size_t size, const char *what);

/* 64-byte aligned, from 32 MB on in huge pages where there are any; not zeroed; release with free(). */
void *lg_aligned_alloc(size_t bytes, const char *what);

char *lg_strdup(const char *text, const char *what);

/* Ensures room for `needed` items of `size` bytes in *block, growing by at least half; LG_OK or LG_E_MEMORY with
 * *block and *capacity as they were. */
lg_status lg_reserve(void *block_pointer, size_t *capacity, size_t needed, size_t size, const char *what);

#endif
