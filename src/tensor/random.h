/* Random numbers: Philox4x32-10, a counter-based generator, so that any stream can be saved, restored and split.
 *
 * Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
 * A generator is plain data: copying it saves it, assigning it restores it. Word number `position` of stream `stream`
 * under key `seed` is word (position mod 4) of philox(key = seed, counter = (position / 4, stream)).
 * A generator is used by one thread at a time. All functions take a valid generator; none can fail.
 * Equal states give equal values on every machine, but for the last bits of normals and of scaled uniforms, which
 * follow the processor's multiply-add and libm. */
#ifndef LG_RANDOM_H
#define LG_RANDOM_H

#include "tensor/base.h"

LG_BEGIN_DECLS

typedef struct lg_rng {
    uint64_t seed, stream, position; /* the whole state: save these three, restore them with lg_rng_at */
    uint32_t block[4];               /* the words of the current block; made again from the state when stale */
    uint64_t block_number;           /* which block `block` holds, plus 1; 0: none */
} lg_rng;

/* Stream 0 of a seed, from its beginning. */
LG_API lg_rng lg_rng_seed(uint64_t seed);

/* Stream `stream` of a seed, at word `position`: restores what was saved. */
LG_API lg_rng lg_rng_at(uint64_t seed, uint64_t stream, uint64_t position);

/* A stream of its own for one use (shuffle, dropout of step 17, ...): same seed, stream number hashed from the parent's
 * stream and `use` by one Philox block. The parent is not changed, so equal calls give equal streams. */
LG_API lg_rng lg_rng_split(const lg_rng *parent, uint64_t use);

/* 32 uniform bits; 64 uniform bits. */
LG_API uint32_t lg_rng_bits(lg_rng *rng);
LG_API uint64_t lg_rng_bits64(lg_rng *rng);

/* Uniform in [0, 1), 53 bits of lg_rng_bits64. */
LG_API double lg_rng_uniform(lg_rng *rng);

/* Standard normal (Box-Muller on two uniforms, double precision; one value per call, the second is not kept). */
LG_API double lg_rng_normal(lg_rng *rng);

/* Uniform in 0 .. n-1 without bias (Lemire, "Fast random integer generation in an interval", 2019); n = 0 gives 0. */
LG_API uint64_t lg_rng_below(lg_rng *rng, uint64_t n);

/* Fills out[n] with a uniform random permutation of 0 .. n-1 (Fisher-Yates). */
LG_API void lg_rng_permutation(lg_rng *rng, size_t n, size_t *out);

/* Fills out[n] with low + (high - low) u, u uniform in [0, 1), or with mean + deviation * normal. Fast: many blocks at
 * a time.
 *
 * uniform  needs low <= high, high - low finite. Never gives `high`, rounding included, unless low and high are the
 *          same lg_real. u has 24 bits and takes one word; in the double build, 53 bits and two words. Filling n and
 *          then m gives what filling n + m gives.
 * normal   by Box-Muller in lg_real, both of each pair used (of an odd n's last pair, the first): so filling n and then
 *          m is filling n + m for even n. Not the values of lg_rng_normal. |normal| <= 6.6, in the double build 8.6. */
LG_API void lg_rng_fill_uniform(lg_rng *rng, size_t n, lg_real *out, double low, double high);
LG_API void lg_rng_fill_normal(lg_rng *rng, size_t n, lg_real *out, double mean, double deviation);

LG_END_DECLS

#endif
