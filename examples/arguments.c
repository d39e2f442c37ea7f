#include "arguments.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* argp_error ends the program, but its prototype does not say so. */
_Noreturn static void usage_error(struct argp_state *state, const char *option, const char *text, const char *wanted)
{
    argp_error(state, "%s: \"%s\" is not %s", option, text, wanted);
    exit(argp_err_exit_status);
}

/* Whole of text[0..length) as digits; false when it is anything else or exceeds 64 bits. */
static bool read_digits(const char *text, size_t length, uint64_t *value)
{
    *value = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9' || __builtin_mul_overflow(*value, UINT64_C(10), value) ||
            __builtin_add_overflow(*value, (uint64_t)(text[i] - '0'), value))
            return false;
    }
    return length > 0;
}

uint64_t argument_count(struct argp_state *state, const char *option, const char *text, uint64_t low, uint64_t high)
{
    uint64_t value;
    if (!read_digits(text, strlen(text), &value) || value < low || value > high) {
        char wanted[96];
        snprintf(wanted, sizeof wanted, "a whole number from %llu to %llu", (unsigned long long)low,
                 (unsigned long long)high);
        usage_error(state, option, text, wanted);
    }
    return value;
}

static void describe(argument_range range, char *text, size_t bytes)
{
    if (isinf(range.high))
        snprintf(text, bytes, "a number %s %g", range.low_open ? "above" : "of at least", range.low);
    else
        snprintf(text, bytes, "a number from %g%s to %g%s", range.low, range.low_open ? " (excluded)" : "", range.high,
                 range.high_open ? " (excluded)" : "");
}

/* strtod also takes blanks, hexadecimal, "inf" and "nan": only these characters make a decimal number. */
static bool read_real(const char *text, size_t length, argument_range range, double *value)
{
    char number[64], *end = NULL;
    if (length == 0 || length >= sizeof number || strspn(text, "0123456789.+-eE") < length)
        return false;
    memcpy(number, text, length);
    number[length] = '\0';
    *value = strtod(number, &end);
    return *end == '\0' && isfinite(*value) && (range.low_open ? *value > range.low : *value >= range.low) &&
           (range.high_open ? *value < range.high : *value <= range.high);
}

double argument_real(struct argp_state *state, const char *option, const char *text, argument_range range)
{
    double value;
    if (!read_real(text, strlen(text), range, &value)) {
        char wanted[96];
        describe(range, wanted, sizeof wanted);
        usage_error(state, option, text, wanted);
    }
    return value;
}

size_t argument_reals(struct argp_state *state, const char *option, const char *text, argument_range range, size_t most,
                      double *out)
{
    size_t count = 0;
    for (const char *piece = text;; count++) {
        const size_t length = strcspn(piece, ",");
        if (count == most || !read_real(piece, length, range, &out[count])) {
            char each[96], wanted[192];
            describe(range, each, sizeof each);
            snprintf(wanted, sizeof wanted, "a list of 1 to %zu, each %s", most, each);
            usage_error(state, option, text, wanted);
        }
        if (piece[length] == '\0')
            return count + 1;
        piece += length + 1;
    }
}

size_t argument_choice(struct argp_state *state, const char *option, const char *text, const char *choices)
{
    const char *choice = choices;
    for (size_t position = 0;; position++) {
        size_t length = strcspn(choice, "|");
        if (strlen(text) == length && strncmp(text, choice, length) == 0)
            return position;
        if (choice[length] == '\0')
            break;
        choice += length + 1;
    }
    char wanted[256] = "one of ";
    size_t used = strlen(wanted);
    for (choice = choices; *choice && used + 3 < sizeof wanted; choice++) {
        if (*choice != '|')
            wanted[used++] = *choice;
        else
            wanted[used++] = ',', wanted[used++] = ' ';
    }
    wanted[used] = '\0';
    usage_error(state, option, text, wanted);
}

size_t argument_counts(struct argp_state *state, const char *option, const char *text, uint64_t low, uint64_t high,
                       size_t most, size_t *out)
{
    size_t count = 0;
    for (const char *piece = text;; count++) {
        size_t length = strcspn(piece, ",");
        uint64_t value;
        if (count == most || !read_digits(piece, length, &value) || value < low || value > high) {
            char wanted[128];
            snprintf(wanted, sizeof wanted, "a list of 1 to %zu whole numbers from %llu to %llu, as in 64,32", most,
                     (unsigned long long)low, (unsigned long long)high);
            usage_error(state, option, text, wanted);
        }
        out[count] = (size_t)value;
        if (piece[length] == '\0')
            return count + 1;
        piece += length + 1;
    }
}

size_t argument_names(struct argp_state *state, const char *option, const char *text, size_t most, const char **out)
{
    size_t count = 0;
    char *rest = strdup(text);
    if (!rest)
        argp_failure(state, EXIT_FAILURE, ENOMEM, "%s", option);
    for (char *name; (name = strsep(&rest, ",")) != NULL;) {
        if (count == most || *name == '\0') {
            char wanted[64];
            snprintf(wanted, sizeof wanted, "a list of 1 to %zu names", most);
            usage_error(state, option, text, wanted);
        }
        out[count++] = name;
    }
    out[count] = NULL;
    return count;
}
