/* Numbers as text, the same in every locale. */
#ifndef LG_NUMBER_TEXT_INTERNAL_H
#define LG_NUMBER_TEXT_INTERNAL_H

#include "tensor/base.h"

#define LG_NUMBER_BYTES 40

/* printf's %.*f, %.*e or %.*g (`kind` is 'f', 'e' or 'g') with a point; `nan`, `inf`, `-inf` otherwise. Returns text,
 * which has LG_NUMBER_BYTES bytes; a longer number ('f' of 1e300) falls back to 'e'. */
const char *lg_number_text(char kind, int digits, double value, char *text);

/* The fewest significant digits that read back as the same double. */
const char *lg_number_exact(double value, char *text);

/* Reads a number written with a point at `text`; *end is behind it (at `text` where there is none). */
double lg_number_read(const char *text, char **end);

#endif
