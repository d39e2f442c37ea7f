/* Reading decimal numbers. Source of the fast path: Clinger, "How to read floating point numbers accurately", 1990. */
#include "data/number_internal.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct {
    uint64_t mantissa;  /* the significant digits as an integer, if there are at most 19 */
    size_t significant; /* how many there are, leading zeros not counted */
    int64_t exponent;   /* value = mantissa 10^exponent */
    bool negative;
} decimal;

static bool is_digit(char c)
{
    return (unsigned char)(c - '0') <= 9;
}

/* Takes a run of digits; each moves the exponent by `step`. Beyond 19 the mantissa wraps, and is not used then. */
static const char *take_digits(const char *p, decimal *number, int step)
{
    const char *first = p;
    if (number->significant == 0)
        while (*p == '0')
            p++;
    const char *nonzero = p;
    uint64_t mantissa = number->mantissa;
    for (; is_digit(*p); p++)
        mantissa = mantissa * 10 + (uint64_t)(*p - '0');
    number->mantissa = mantissa;
    number->significant += (size_t)(p - nonzero);
    number->exponent += step * (p - first);
    return p;
}

static const char *take_exponent(const char *p, decimal *number)
{
    bool negative = *p == '-';
    int64_t exponent = 0;
    p += *p == '-' || *p == '+';
    if (!is_digit(*p))
        return NULL;
    for (; is_digit(*p); p++)
        exponent = exponent < 100000 ? exponent * 10 + (*p - '0') : exponent; /* more is out of any range alike */
    number->exponent += negative ? -exponent : exponent;
    return p;
}

/* Checks the grammar and collects; false if `text` is not a decimal number. */
static bool scan(const char *text, decimal *number)
{
    const char *p = text;
    number->negative = *p == '-';
    p += *p == '-' || *p == '+';
    const char *first = p;
    p = take_digits(p, number, 0);
    size_t digits = (size_t)(p - first);
    if (*p == '.') {
        first = ++p;
        p = take_digits(p, number, -1);
        digits += (size_t)(p - first);
    }
    if (digits == 0)
        return false;
    if (*p == 'e' || *p == 'E')
        p = take_exponent(p + 1, number);
    return p && *p == '\0';
}

/* A mantissa below 2^53 and 10^0 .. 10^22 are exact doubles, so one multiplication or division rounds once. */
static bool fast_double(const decimal *number, double *value)
{
    static const double power[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
    if (FLT_EVAL_METHOD != 0 || number->significant > 19 || number->mantissa > (UINT64_C(1) << 53)
        || number->exponent < -22 || number->exponent > 22)
        return false;
    double mantissa = (double)number->mantissa;
    *value = number->exponent < 0 ? mantissa / power[-number->exponent] : mantissa * power[number->exponent];
    if (number->negative)
        *value = -*value;
    return true;
}

/* Rounding a double that was rounded already goes wrong only where it stands midway between two floats: there the first
 * rounding may have hidden on which side the decimal lies. Subnormal floats, whose midpoints are elsewhere, are too small
 * for fast_double. */
static bool narrow(double value, lg_real *real)
{
    *real = (lg_real)value;
#ifndef LG_DOUBLE
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (bits & 0x1FFFFFFF) != 0x10000000;
#else
    return true;
#endif
}

static lg_number parse_word(const char *text, lg_real *value)
{
    bool negative = *text == '-';
    const char *word = text + (*text == '-' || *text == '+');
    if (strcasecmp(word, "inf") == 0 || strcasecmp(word, "infinity") == 0) {
        *value = negative ? (lg_real)-INFINITY : (lg_real)INFINITY;
        return LG_NUMBER_INFINITE;
    }
    if (strcasecmp(word, "nan") == 0) {
        *value = (lg_real)NAN;
        return LG_NUMBER_NAN;
    }
    return LG_NUMBER_NONE;
}

lg_number lg_number_parse(const char *text, locale_t c_locale, lg_real *value)
{
    decimal number = { 0 };
    double wide;
    if (!scan(text, &number))
        return parse_word(text, value);
    if (!fast_double(&number, &wide) || !narrow(wide, value))
#ifdef LG_DOUBLE
        *value = strtod_l(text, NULL, c_locale);
#else
        *value = strtof_l(text, NULL, c_locale);
#endif
    return isinf(*value) ? LG_NUMBER_TOO_LARGE : LG_NUMBER_FINITE;
}
