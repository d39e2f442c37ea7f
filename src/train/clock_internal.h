/* Seconds of a clock that only goes forward. */
#ifndef LG_CLOCK_INTERNAL_H
#define LG_CLOCK_INTERNAL_H

#include <time.h>

static inline double lg_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

#endif
