/* What is measured for a profile (profile.h): a span from begin to end, of one row.
 *
 *     lg_profile_span span;
 *     lg_profile_begin(&span);
 *     ...
 *     lg_profile_end(&span, name, LG_PHASE_FORWARD, bytes);
 *
 * A span that is begun within another one counts for its own row alone. */
#ifndef LG_PROFILE_INTERNAL_H
#define LG_PROFILE_INTERNAL_H

#include "tensor/profile.h"

#include <stdatomic.h>

extern atomic_bool lg_profile_is_on;

/* All that is done while no profile runs. */
static inline bool lg_profiling(void)
{
    return atomic_load_explicit(&lg_profile_is_on, memory_order_relaxed);
}

typedef struct lg_profile_span {
    bool measured;
    double start;
    double within, flops; /* of the span around this one, until now */
} lg_profile_span;

void lg_profile_begin_span(lg_profile_span *span);
void lg_profile_end_span(const lg_profile_span *span, const char *name, lg_profile_phase phase, double bytes);
void lg_profile_add_flops(double flops);

static inline void lg_profile_begin(lg_profile_span *span)
{
    span->measured = lg_profiling();
    if (span->measured)
        lg_profile_begin_span(span);
}

static inline void lg_profile_end(const lg_profile_span *span, const char *name, lg_profile_phase phase, double bytes)
{
    if (span->measured)
        lg_profile_end_span(span, name, phase, bytes);
}

/* 2 m n k, of the span that is being measured. */
static inline void lg_profile_flops(double flops)
{
    if (lg_profiling())
        lg_profile_add_flops(flops);
}

#endif
