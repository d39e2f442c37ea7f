/* The generator below the streams, for the library itself and for its known-answer tests. */
#ifndef LG_RANDOM_INTERNAL_H
#define LG_RANDOM_INTERNAL_H

#include "tensor/base.h"

/* words[4] = philox4x32-10 of the 64-bit key at the 128-bit counter (counter_high : counter_low). */
void lg_philox(uint64_t key, uint64_t counter_low, uint64_t counter_high, uint32_t words[4]);

#endif
