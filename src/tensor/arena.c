/* The arena (arena_internal.h). */
#include "tensor/arena_internal.h"

#include "tensor/memory_internal.h"

#include <stdlib.h>

#define FIRST_CHUNK_BYTES ((size_t)64 << 10)

static lg_arena_chunk *new_chunk(size_t capacity)
{
    lg_arena_chunk *chunk = lg_calloc(1, sizeof *chunk, "tape");
    if (!chunk)
        return NULL;
    chunk->memory = lg_aligned_alloc(capacity, "tape");
    if (!chunk->memory) {
        free(chunk);
        return NULL;
    }
    chunk->capacity = capacity;
    lg_arena_poison(chunk->memory, capacity);
    return chunk;
}

static void free_chunk(lg_arena_chunk *chunk)
{
    lg_arena_unpoison(chunk->memory, chunk->capacity);
    free(chunk->memory);
    free(chunk);
}

static size_t room(const lg_arena_chunk *chunk)
{
    return chunk ? chunk->capacity - chunk->used : 0;
}

lg_status lg_arena_reserve(lg_arena *arena, size_t bytes)
{
    if (room(arena->current) >= bytes)
        return LG_OK;
    for (lg_arena_chunk *next = arena->current ? arena->current->next : arena->first; next; next = next->next) {
        arena->current = next;
        if (room(next) >= bytes)
            return LG_OK;
    }
    size_t capacity = arena->current ? 2 * arena->current->capacity : FIRST_CHUNK_BYTES;
    if (capacity < bytes || capacity > SIZE_MAX / 4)
        capacity = bytes;
    lg_arena_chunk *chunk = new_chunk(capacity);
    if (!chunk)
        return LG_E_MEMORY;
    if (arena->current)
        arena->current->next = chunk;
    else
        arena->first = chunk;
    arena->current = chunk;
    return LG_OK;
}

void lg_arena_reset(lg_arena *arena)
{
    if (arena->first && arena->first->next && !arena->keeps_addresses) {
        lg_arena_chunk *whole = new_chunk(lg_arena_capacity(arena));
        if (whole) { /* otherwise the chunks serve on as they are */
            lg_arena_free(arena);
            arena->first = whole;
        } else {
            lg_error_clear();
        }
    }
    for (lg_arena_chunk *chunk = arena->first; chunk; chunk = chunk->next) {
        if (!arena->keeps_addresses)
            lg_arena_poison(chunk->memory, chunk->used);
        chunk->used = 0;
    }
    arena->current = arena->first;
}

size_t lg_arena_capacity(const lg_arena *arena)
{
    size_t bytes = 0;
    for (const lg_arena_chunk *chunk = arena->first; chunk; chunk = chunk->next)
        bytes += chunk->capacity;
    return bytes;
}

void lg_arena_free(lg_arena *arena)
{
    for (lg_arena_chunk *chunk = arena->first, *next; chunk; chunk = next) {
        next = chunk->next;
        free_chunk(chunk);
    }
    arena->first = arena->current = NULL;
}
