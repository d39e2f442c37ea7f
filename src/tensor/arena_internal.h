/* An arena: memory carved from chunks and forgotten all at once. When more than one chunk was needed, the reset
 * replaces them by one that holds it all, so that repeated work of the same size stops allocating. */
#ifndef LG_ARENA_INTERNAL_H
#define LG_ARENA_INTERNAL_H

#include "tensor/base.h"

#if defined(__SANITIZE_ADDRESS__)
#define LG_ARENA_POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LG_ARENA_POISONS 1
#endif
#endif

#ifdef LG_ARENA_POISONS
#include <sanitizer/asan_interface.h>
#define lg_arena_poison(address, bytes) ASAN_POISON_MEMORY_REGION(address, bytes)
#define lg_arena_unpoison(address, bytes) ASAN_UNPOISON_MEMORY_REGION(address, bytes)
#else
#define lg_arena_poison(address, bytes) ((void)(address), (void)(bytes))
#define lg_arena_unpoison(address, bytes) ((void)(address), (void)(bytes))
#endif

typedef struct lg_arena_chunk {
    struct lg_arena_chunk *next;
    char *memory;
    size_t capacity, used;
} lg_arena_chunk;

typedef struct lg_arena {
    lg_arena_chunk *first, *current; /* filled in order; what follows `current` is empty */
    size_t alignment;                /* of every piece: 16 or 64 */
    bool keeps_addresses;            /* never coalesce: old pointers stay readable after a reset */
} lg_arena;

/* `bytes` rounded up to the arena's alignment. */
static inline size_t lg_arena_round(const lg_arena *arena, size_t bytes)
{
    const size_t mask = arena->alignment - 1;
    return bytes == 0 ? arena->alignment : bytes > SIZE_MAX - mask ? SIZE_MAX : (bytes + mask) & ~mask;
}

/* After LG_OK, pieces whose rounded sizes add up to at most `bytes` can be carved without failing. */
lg_status lg_arena_reserve(lg_arena *arena, size_t bytes);

/* A piece of at least `bytes` (0 gives a valid address), not zeroed; NULL with LG_E_MEMORY. Here, since recording an
 * operation is little else than carving three of them. */
static inline void *lg_arena_alloc(lg_arena *arena, size_t bytes)
{
    const size_t rounded = lg_arena_round(arena, bytes);
    if ((!arena->current || arena->current->capacity - arena->current->used < rounded) &&
        lg_arena_reserve(arena, rounded) != LG_OK)
        return NULL;
    char *piece = arena->current->memory + arena->current->used;
    arena->current->used += rounded;
    lg_arena_unpoison(piece, bytes);
    return piece;
}

/* Forgets every piece. Under AddressSanitizer the memory is poisoned until it is carved again. */
void lg_arena_reset(lg_arena *arena);

/* Bytes held from the heap. */
size_t lg_arena_capacity(const lg_arena *arena);

void lg_arena_free(lg_arena *arena);

#endif
