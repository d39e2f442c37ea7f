/* A set of texts, numbered in the order in which they came. */
#ifndef LG_TEXTS_INTERNAL_H
#define LG_TEXTS_INTERNAL_H

#include "tensor/base.h"

typedef struct lg_texts {
    size_t count, capacity;
    char **text;      /* owned, each ended by NUL */
    size_t slots;     /* a power of two, or 0 */
    uint32_t *slot;   /* number of the text + 1, or 0: open addressing */
} lg_texts;

/* Number of a text; count if it is not there. */
size_t lg_texts_find(const lg_texts *texts, const char *text);

/* Number of a text, added if it is new; SIZE_MAX with LG_E_MEMORY. */
size_t lg_texts_add(lg_texts *texts, const char *text);

void lg_texts_free(lg_texts *texts);

#endif
