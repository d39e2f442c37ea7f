/* Numbers as text, the same in every locale (number_text_internal.h). */
#include "train/number_text_internal.h"

#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* A locale writes its own decimal point, of any number of bytes: whatever is no digit, sign or exponent is it. */
static void point(char *text)
{
    char *to = text;
    bool in_point = false;
    for (const char *from = text; *from; from++) {
        if (strchr("0123456789+-e", *from)) {
            *to++ = *from;
            in_point = false;
        } else if (!in_point) {
            *to++ = '.';
            in_point = true;
        }
    }
    *to = '\0';
}

const char *lg_number_text(char kind, int digits, double value, char *text)
{
    if (isnan(value))
        return strcpy(text, "nan");
    if (isinf(value))
        return strcpy(text, value > 0 ? "inf" : "-inf");
    int length = kind == 'f'   ? snprintf(text, LG_NUMBER_BYTES, "%.*f", digits, value)
                 : kind == 'e' ? snprintf(text, LG_NUMBER_BYTES, "%.*e", digits, value)
                               : snprintf(text, LG_NUMBER_BYTES, "%.*g", digits, value);
    if (length >= LG_NUMBER_BYTES)
        snprintf(text, LG_NUMBER_BYTES, "%.*e", digits < 17 ? digits : 17, value);
    point(text);
    return text;
}

static locale_t plain_locale;

static void make_plain_locale(void)
{
    plain_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

double lg_number_read(const char *text, char **end)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_plain_locale);
    return plain_locale ? strtod_l(text, end, plain_locale) : strtod(text, end);
}

const char *lg_number_exact(double value, char *text)
{
    for (int digits = 15; digits <= 17; digits++) {
        lg_number_text('g', digits, value, text);
        if (isnan(value) || lg_number_read(text, &(char *){ NULL }) == value)
            break;
    }
    return text;
}
