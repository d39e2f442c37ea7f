/* The nearest name (suggest_internal.h). */
#include "tensor/suggest_internal.h"

#include <string.h>

#define LONGEST 63

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

size_t lg_name_distance(const char *a, const char *b)
{
    const size_t n = strnlen(a, LONGEST), m = strnlen(b, LONGEST);
    size_t row[LONGEST + 1]; /* row[j]: distance of the first i bytes of a from the first j of b */
    for (size_t j = 0; j <= m; j++)
        row[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            const size_t substituted = diagonal + (lower(a[i - 1]) != lower(b[j - 1]));
            const size_t shorter = row[j - 1] < row[j] ? row[j - 1] : row[j];
            diagonal = row[j];
            row[j] = substituted < shorter + 1 ? substituted : shorter + 1;
        }
    }
    return row[m];
}

lg_nearest lg_nearest_to(const char *wanted)
{
    return (lg_nearest){ .wanted = wanted, .distance = SIZE_MAX };
}

void lg_nearest_try(lg_nearest *nearest, const char *name)
{
    const size_t distance = lg_name_distance(nearest->wanted, name);
    if (distance < nearest->distance) {
        nearest->distance = distance;
        nearest->best = name;
    }
}

const char *lg_nearest_text(lg_nearest *nearest)
{
    if (nearest->best && nearest->distance <= (strlen(nearest->best) + 2) / 3)
        snprintf(nearest->text, sizeof nearest->text, ", did you mean \"%.100s\"?", nearest->best);
    return nearest->text;
}
