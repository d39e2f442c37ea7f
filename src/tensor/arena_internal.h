/* An arena: memory carved from chunks and forgotten all at once. When more than one chunk was needed, the reset
 * replaces them by one that holds it all, so that repeated work of the same size stops allocating. */
#ifndef LG_ARENA_INTERNAL_H
#define LG_ARENA_INTERNAL_H

#include "tensor/base.h"

typedef struct lg_arena_chunk lg_arena_chunk;

typedef struct lg_arena {
    lg_arena_chunk *first, *current; /* filled in order; what follows `current` is empty */
    size_t alignment;                /* of every piece: 16 or 64 */
    bool keeps_addresses;            /* never coalesce: old pointers stay readable after a reset */
} lg_arena;

/* `bytes` rounded up to the arena's alignment. */
size_t lg_arena_round(const lg_arena *arena, size_t bytes);

/* A piece of at least `bytes` (0 gives a valid address), not zeroed; NULL with LG_E_MEMORY. */
void *lg_arena_alloc(lg_arena *arena, size_t bytes);

/* After LG_OK, pieces whose rounded sizes add up to at most `bytes` can be carved without failing. */
lg_status lg_arena_reserve(lg_arena *arena, size_t bytes);

/* Forgets every piece. Under AddressSanitizer the memory is poisoned until it is carved again. */
void lg_arena_reset(lg_arena *arena);

/* Bytes held from the heap. */
size_t lg_arena_capacity(const lg_arena *arena);

void lg_arena_free(lg_arena *arena);

#endif
