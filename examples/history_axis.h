/* Round values along an axis. */
#ifndef EXAMPLES_HISTORY_AXIS_H
#define EXAMPLES_HISTORY_AXIS_H

#include <stdbool.h>
#include <stddef.h>

enum { HISTORY_MOST_TICKS = 64 };

/* About `most` round values between low and high into ticks, with room for HISTORY_MOST_TICKS; returns how many. Linear: 1,
 * 2 or 5 times a power of ten apart. Logarithmic (low, high and the ticks are then logarithms to base 10): powers of ten,
 * where these are few with 2 and 5 times them, and within a fraction of a power as on a linear axis. */
size_t history_ticks(double low, double high, bool log_scale, double most, double *ticks);

#endif
