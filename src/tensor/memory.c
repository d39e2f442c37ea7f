/* Checked allocation (memory_internal.h). */
#include "tensor/memory_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void *short_of(size_t count, size_t size, const char *what)
{
    lg_fail(LG_E_MEMORY, "%s: out of memory (%zu x %zu bytes wanted)", what, count, size);
    return NULL;
}

void *lg_calloc(size_t count, size_t size, const char *what)
{
    if (count == 0 || size == 0)
        count = size = 1;
    void *block = calloc(count, size); /* calloc checks the product */
    return block ? block : short_of(count, size, what);
}

void *lg_realloc(void *block, size_t count, size_t size, const char *what)
{
    size_t bytes;
    if (!lg_size_mul(count, size, &bytes))
        return short_of(count, size, what);
    void *resized = realloc(block, bytes ? bytes : 1);
    return resized ? resized : short_of(count, size, what);
}

/* Where memory is mapped in pages of 4 KB, a processor that reads here and there in a large block looks for the page
 * longer than for the number. Linux has pages of 2 MB for those who ask; a sixteenth of a block at most is left over in
 * them. */
#define HUGE_PAGE ((size_t)2 << 20)
#define LARGE (16 * HUGE_PAGE)

void *lg_aligned_alloc(size_t bytes, const char *what)
{
    const size_t alignment = bytes < LARGE ? 64 : HUGE_PAGE;
    if (bytes > SIZE_MAX - alignment)
        return short_of(bytes, 1, what);
    const size_t rounded = bytes ? (bytes + alignment - 1) / alignment * alignment : alignment;
    void *block = aligned_alloc(alignment, rounded);
#ifdef MADV_HUGEPAGE
    if (block && alignment == HUGE_PAGE)
        madvise(block, rounded, MADV_HUGEPAGE); /* a hint: where it fails, pages are small */
#endif
    return block ? block : short_of(bytes, 1, what);
}

char *lg_strdup(const char *text, const char *what)
{
    size_t bytes = strlen(text) + 1;
    char *copy = lg_calloc(bytes, 1, what);
    return copy ? memcpy(copy, text, bytes) : NULL;
}

lg_status lg_reserve(void *block_pointer, size_t *capacity, size_t needed, size_t size, const char *what)
{
    if (needed <= *capacity)
        return LG_OK;
    size_t grown = *capacity + *capacity / 2;
    if (grown < needed)
        grown = needed < 8 ? 8 : needed;
    void *block;
    memcpy(&block, block_pointer, sizeof block); /* any object pointer type, without aliasing trouble */
    block = lg_realloc(block, grown, size, what);
    if (!block)
        return LG_E_MEMORY;
    memcpy(block_pointer, &block, sizeof block);
    *capacity = grown;
    return LG_OK;
}
