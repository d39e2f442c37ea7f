#include "data/texts_internal.h"

#include <stdlib.h>
#include <string.h>

#include "tensor/memory_internal.h"

/* FNV-1a, its halves folded since the table uses the low bits. */
static size_t hash_of(const char *text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return (size_t)(hash ^ hash >> 32);
}

/* The slot where the text is, or the empty one where it would be. */
static size_t slot_of(const lg_texts *texts, const char *text)
{
    size_t s = hash_of(text) & (texts->slots - 1);
    while (texts->slot[s] && strcmp(texts->text[texts->slot[s] - 1], text) != 0)
        s = (s + 1) & (texts->slots - 1);
    return s;
}

size_t lg_texts_find(const lg_texts *texts, const char *text)
{
    if (texts->slots == 0)
        return texts->count;
    size_t number = texts->slot[slot_of(texts, text)];
    return number ? number - 1 : texts->count;
}

static lg_status grow(lg_texts *texts)
{
    size_t slots = texts->slots ? 2 * texts->slots : 16;
    uint32_t *slot = lg_calloc(slots, sizeof *slot, "read_csv");
    if (!slot)
        return LG_E_MEMORY;
    free(texts->slot);
    texts->slot = slot;
    texts->slots = slots;
    for (size_t i = 0; i < texts->count; i++)
        slot[slot_of(texts, texts->text[i])] = (uint32_t)(i + 1);
    return LG_OK;
}

size_t lg_texts_add(lg_texts *texts, const char *text)
{
    size_t found = lg_texts_find(texts, text);
    if (found < texts->count)
        return found;
    if (texts->count == UINT32_MAX - 1) {
        lg_fail(LG_E_MEMORY, "read_csv: too many different texts");
        return SIZE_MAX;
    }
    if (2 * (texts->count + 1) > texts->slots && grow(texts) < 0)
        return SIZE_MAX;
    if (lg_reserve(&texts->text, &texts->capacity, texts->count + 1, sizeof *texts->text, "read_csv") < 0)
        return SIZE_MAX;
    char *copy = lg_strdup(text, "read_csv");
    if (!copy)
        return SIZE_MAX;
    texts->slot[slot_of(texts, text)] = (uint32_t)(texts->count + 1);
    texts->text[texts->count] = copy;
    return texts->count++;
}

void lg_texts_free(lg_texts *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        free(texts->text[i]);
    free(texts->text);
    free(texts->slot);
    *texts = (lg_texts){ 0 };
}
