/* Reading the values of command-line options strictly: what is not exactly a value of the kind and range that the
 * option wants ends the program with a usage error (exit 2) that names the option, the text and what is allowed:
 *
 *     fraud: --epochs: "5x" is not a whole number from 1 to 1000000
 *
 * All are called from an argp parser, with its state. `option` is the option as the user writes it ("--epochs"). */
#ifndef EXAMPLES_ARGUMENTS_H
#define EXAMPLES_ARGUMENTS_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A whole number in [low, high], decimal digits only. */
uint64_t argument_count(struct argp_state *state, const char *option, const char *text, uint64_t low, uint64_t high);

/* The range of a real number: [low, high], an end excluded where said; high may be INFINITY, which is never a value. */
typedef struct argument_range {
    double low, high;
    bool low_open, high_open;
} argument_range;

/* A finite decimal number in the range. */
double argument_real(struct argp_state *state, const char *option, const char *text, argument_range range);

/* One of `choices` ("none|balanced"); returns its position. */
size_t argument_choice(struct argp_state *state, const char *option, const char *text, const char *choices);

/* "64,32": between 1 and `most` whole numbers in [low, high] into out; returns how many. */
size_t argument_counts(struct argp_state *state, const char *option, const char *text, uint64_t low, uint64_t high,
                       size_t most, size_t *out);

/* "0.1,0.5": between 1 and `most` decimal numbers in the range into out; returns how many. */
size_t argument_reals(struct argp_state *state, const char *option, const char *text, argument_range range, size_t most,
                      double *out);

/* "Time,Amount": splits a copy of the text at its commas into out, ended by NULL (room for most + 1); returns how many.
 * The pieces live as long as the program. */
size_t argument_names(struct argp_state *state, const char *option, const char *text, size_t most, const char **out);

#endif
