/* "did you mean": the nearest known name to one that is unknown, by Levenshtein distance. */
#ifndef LG_SUGGEST_INTERNAL_H
#define LG_SUGGEST_INTERNAL_H

#include "tensor/base.h"

typedef struct lg_nearest {
    const char *wanted, *best;
    size_t distance;
    char text[160];
} lg_nearest;

lg_nearest lg_nearest_to(const char *wanted);

/* Considers one known name; it must live until lg_nearest_text. */
void lg_nearest_try(lg_nearest *nearest, const char *name);

/* ", did you mean \"focal\"?" when a name is near (at most a third of its length away), "" otherwise. */
const char *lg_nearest_text(lg_nearest *nearest);

/* Unit-cost insertions, deletions and substitutions that turn a into b, case ignored; names over 63 bytes are
 * compared by their first 63. */
size_t lg_name_distance(const char *a, const char *b);

#endif
