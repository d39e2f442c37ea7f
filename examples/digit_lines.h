/* Lines of handwritten digits, composed of those of the embedded digits. */
#ifndef EXAMPLES_DIGIT_LINES_H
#define EXAMPLES_DIGIT_LINES_H

#include "lines.h"

/* How many lines there are of each part; rows are those for training, then for validation, then for the test. */
typedef struct digit_lines_options {
    size_t train, validation, test;
    double validation_split, test_split; /* of the digits: a digit is in the lines of one part only */
    lg_rng split, draw;
} digit_lines_options;

/* Three to ten digits, each drawn from all of its part, 0 to 4 empty columns before, between and behind. Lines for
 * training are drawn anew each epoch, and their digits turned, slanted, scaled and moved a little, each time another
 * way; the others stay, and show the digits as they are. */
typedef struct digit_lines digit_lines;
digit_lines *digit_lines_new(const digit_lines_options *options);
void digit_lines_free(digit_lines *lines);

line_source digit_lines_source(digit_lines *lines);
lg_status digit_lines_alphabet(alphabet *a);

/* Which rows are of which part; free with lg_split_free. */
lg_split *digit_lines_parts(const digit_lines *lines);

/* Lines for training are those of this epoch from now on. Not while somebody reads them. */
void digit_lines_epoch(digit_lines *lines, uint64_t epoch);

#endif
