/* Decimal numbers of a text file, rounded once and correctly to lg_real, whatever the locale. */
#ifndef LG_NUMBER_INTERNAL_H
#define LG_NUMBER_INTERNAL_H

#include <locale.h>
#include <math.h>

#include "tensor/base.h"

typedef enum lg_number {
    LG_NUMBER_NONE = 0,  /* not a number */
    LG_NUMBER_FINITE,
    LG_NUMBER_TOO_LARGE, /* a number that rounds to infinity */
    LG_NUMBER_INFINITE,  /* inf, infinity, signed or not, in any case */
    LG_NUMBER_NAN        /* nan, likewise */
} lg_number;

/* Reads the whole of `text`: [+-] digits [. digits] [e [+-] digits] with at least one digit before the e, or one of the
 * words above. *value is set but for LG_NUMBER_NONE. c_locale is newlocale(LC_ALL_MASK, "C", NULL). */
lg_number lg_number_parse(const char *text, locale_t c_locale, lg_real *value);

/* Whether a finite double rounds to an infinite lg_real: from the middle between the largest float and 2^128 on. */
static inline bool lg_number_too_large(double value)
{
    return LG_REAL_BITS == 32 && fabs(value) >= 0x1.ffffffp127;
}

#endif
