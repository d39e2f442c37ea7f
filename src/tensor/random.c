/* Philox4x32-10 and what is drawn from it (random.h). */
#include "tensor/random.h"

#include "tensor/math_internal.h"
#include "tensor/random_internal.h"

#include <math.h>

/* Multipliers and key increments of Philox4x32 (Salmon et al. 2011, section 3.3 and table 2). */
#define MULTIPLIER_0 0xD2511F53u
#define MULTIPLIER_1 0xCD9E8D57u
#define KEY_STEP_0 0x9E3779B9u
#define KEY_STEP_1 0xBB67AE85u

/* Split hashes under a key of its own, so that a child's stream number is no output of the parent. */
#define SPLIT_KEY 0x6C75676573706C74u

#define TWO_PI 6.283185307179586476925286766559

static inline uint32_t low_word(uint64_t value)
{
    return (uint32_t)value;
}

static inline uint32_t high_word(uint64_t value)
{
    return (uint32_t)(value >> 32);
}

LG_INLINE void philox_round(uint32_t c[4], uint32_t k0, uint32_t k1)
{
    const uint64_t product_0 = (uint64_t)MULTIPLIER_0 * c[0];
    const uint64_t product_1 = (uint64_t)MULTIPLIER_1 * c[2];
    c[0] = high_word(product_1) ^ c[1] ^ k0;
    c[1] = low_word(product_1);
    c[2] = high_word(product_0) ^ c[3] ^ k1;
    c[3] = low_word(product_0);
}

/* Ten rounds, written out: a loop here would keep the loop over blocks around it out of vector registers. */
LG_INLINE void philox_rounds(uint64_t key, uint64_t counter_low, uint64_t counter_high, uint32_t words[4])
{
    const uint32_t k0 = low_word(key), k1 = high_word(key);
    uint32_t c[4] = { low_word(counter_low), high_word(counter_low), low_word(counter_high), high_word(counter_high) };
    philox_round(c, k0, k1);
    philox_round(c, k0 + 1 * KEY_STEP_0, k1 + 1 * KEY_STEP_1);
    philox_round(c, k0 + 2 * KEY_STEP_0, k1 + 2 * KEY_STEP_1);
    philox_round(c, k0 + 3 * KEY_STEP_0, k1 + 3 * KEY_STEP_1);
    philox_round(c, k0 + 4 * KEY_STEP_0, k1 + 4 * KEY_STEP_1);
    philox_round(c, k0 + 5 * KEY_STEP_0, k1 + 5 * KEY_STEP_1);
    philox_round(c, k0 + 6 * KEY_STEP_0, k1 + 6 * KEY_STEP_1);
    philox_round(c, k0 + 7 * KEY_STEP_0, k1 + 7 * KEY_STEP_1);
    philox_round(c, k0 + 8 * KEY_STEP_0, k1 + 8 * KEY_STEP_1);
    philox_round(c, k0 + 9 * KEY_STEP_0, k1 + 9 * KEY_STEP_1);
    words[0] = c[0];
    words[1] = c[1];
    words[2] = c[2];
    words[3] = c[3];
}

void lg_philox(uint64_t key, uint64_t counter_low, uint64_t counter_high, uint32_t words[4])
{
    philox_rounds(key, counter_low, counter_high, words);
}

/* The words of blocks first_block ... first_block + count - 1 of a stream, one after the other. */
LG_CLONES
static void make_blocks(uint64_t seed, uint64_t stream, uint64_t first_block, size_t count, uint32_t *restrict words)
{
    for (size_t i = 0; i < count; i++)
        philox_rounds(seed, first_block + i, stream, words + 4 * i);
}

lg_rng lg_rng_at(uint64_t seed, uint64_t stream, uint64_t position)
{
    return (lg_rng){ .seed = seed, .stream = stream, .position = position };
}

lg_rng lg_rng_seed(uint64_t seed)
{
    return lg_rng_at(seed, 0, 0);
}

lg_rng lg_rng_split(const lg_rng *parent, uint64_t use)
{
    uint32_t words[4];
    lg_philox(parent->seed ^ SPLIT_KEY, use, parent->stream, words);
    return lg_rng_at(parent->seed, words[0] | (uint64_t)words[1] << 32, 0);
}

uint32_t lg_rng_bits(lg_rng *rng)
{
    const uint64_t block = rng->position / 4;
    if (rng->block_number != block + 1) {
        lg_philox(rng->seed, block, rng->stream, rng->block);
        rng->block_number = block + 1;
    }
    return rng->block[rng->position++ % 4];
}

uint64_t lg_rng_bits64(lg_rng *rng)
{
    const uint64_t low = lg_rng_bits(rng);
    return low | (uint64_t)lg_rng_bits(rng) << 32;
}

double lg_rng_uniform(lg_rng *rng)
{
    return (double)(lg_rng_bits64(rng) >> 11) * 0x1p-53;
}

double lg_rng_normal(lg_rng *rng)
{
    const double radius = sqrt(-2.0 * log(1.0 - lg_rng_uniform(rng))); /* 1 - u is in (0, 1]: no log of 0 */
    return radius * cos(TWO_PI * lg_rng_uniform(rng));
}

/* The high and, in *low, the low half of the 128-bit product a * b. */
static uint64_t multiply_wide(uint64_t a, uint64_t b, uint64_t *low)
{
    const uint64_t low_low = (uint64_t)low_word(a) * low_word(b);
    const uint64_t high_low = (uint64_t)high_word(a) * low_word(b) + high_word(low_low);
    const uint64_t low_high = (uint64_t)low_word(a) * high_word(b) + low_word(high_low);
    *low = low_high << 32 | low_word(low_low);
    return (uint64_t)high_word(a) * high_word(b) + high_word(high_low) + high_word(low_high);
}

/* Lemire: floor(word * n / 2^bits) is uniform once the words whose fraction is below 2^bits mod n are refused. */
uint64_t lg_rng_below(lg_rng *rng, uint64_t n)
{
    if (n == 0)
        return 0;
    if (n <= UINT32_MAX) {
        uint64_t product = lg_rng_bits(rng) * n;
        if (low_word(product) < n) {
            const uint32_t refused = -(uint32_t)n % (uint32_t)n;
            while (low_word(product) < refused)
                product = lg_rng_bits(rng) * n;
        }
        return product >> 32;
    }
    uint64_t fraction;
    uint64_t result = multiply_wide(lg_rng_bits64(rng), n, &fraction);
    if (fraction < n) {
        const uint64_t refused = -n % n;
        while (fraction < refused)
            result = multiply_wide(lg_rng_bits64(rng), n, &fraction);
    }
    return result;
}

/* Places to swap with that are drawn before they are swapped: a long permutation is in no cache, and one after the
 * other they would be waited for. */
#define DRAWS_AHEAD 32

void lg_rng_permutation(lg_rng *rng, size_t n, size_t *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = i;
    for (size_t i = n, draws; i > 1; i -= draws) {
        size_t with[DRAWS_AHEAD];
        draws = i - 1 < DRAWS_AHEAD ? i - 1 : DRAWS_AHEAD;
        for (size_t k = 0; k < draws; k++) {
            with[k] = (size_t)lg_rng_below(rng, i - k);
#if defined(__GNUC__)
            __builtin_prefetch(&out[with[k]], 1);
#endif
        }
        for (size_t k = 0; k < draws; k++) {
            const size_t swapped = out[i - k - 1];
            out[i - k - 1] = out[with[k]];
            out[with[k]] = swapped;
        }
    }
}

/* Words that are drawn before they are made into reals. */
#define BUFFER_WORDS 1024

/* The next `count` words, as so many calls of lg_rng_bits. */
static void next_words(lg_rng *rng, size_t count, uint32_t *words)
{
    size_t made = 0;
    while (made < count && rng->position % 4 != 0)
        words[made++] = lg_rng_bits(rng);
    const size_t blocks = (count - made) / 4;
    make_blocks(rng->seed, rng->stream, rng->position / 4, blocks, words + made);
    rng->position += 4 * blocks;
    made += 4 * blocks;
    while (made < count)
        words[made++] = lg_rng_bits(rng);
}

/* A real in [0, 1) takes as many words as fill its mantissa: 24 or 53 bits, so that the conversion is exact. */
#define WORDS_PER_REAL (LG_REAL_BITS / 32)

static inline lg_real unit_real(const uint32_t *words)
{
#ifdef LG_DOUBLE
    return (double)((words[0] | (uint64_t)words[1] << 32) >> 11) * 0x1p-53;
#else
    return (float)(int32_t)(words[0] >> 8) * 0x1p-24f;
#endif
}

/* A real in (0, 1] that can be as small as a 31st (float) or 53rd power of 1/2, so that the normal's tails are long. */
static inline lg_real unit_real_above_0(const uint32_t *words)
{
#ifdef LG_DOUBLE
    return 1.0 - unit_real(words);
#else
    return ((float)(int32_t)(words[0] >> 1) + 1.0f) * 0x1p-31f;
#endif
}

LG_CLONES
static void scale_uniform(const uint32_t *words, size_t n, lg_real *out, lg_real low, lg_real range, lg_real top)
{
    for (size_t i = 0; i < n; i++) {
        const lg_real value = low + range * unit_real(words + WORDS_PER_REAL * i);
        out[i] = value > top ? top : value;
    }
}

void lg_rng_fill_uniform(lg_rng *rng, size_t n, lg_real *out, double low, double high)
{
    uint32_t words[BUFFER_WORDS];
    const lg_real range = (lg_real)(high - low);
#ifdef LG_DOUBLE
    const lg_real top = nextafter(high, low);
#else
    const lg_real top = nextafterf((float)high, (float)low);
#endif
    while (n > 0) {
        const size_t count = n < BUFFER_WORDS / WORDS_PER_REAL ? n : BUFFER_WORDS / WORDS_PER_REAL;
        next_words(rng, WORDS_PER_REAL * count, words);
        scale_uniform(words, count, out, (lg_real)low, range, top);
        out += count;
        n -= count;
    }
}

/* Box-Muller: r = sqrt(-2 log u), angle 2 pi v; r cos and r sin are two independent normals. */
LG_CLONES
static void scale_normal(const uint32_t *words, size_t pairs, lg_real *out, lg_real mean, lg_real deviation)
{
    for (size_t i = 0; i < pairs; i++) {
        const lg_real u = unit_real_above_0(words + 2 * WORDS_PER_REAL * i);
        const lg_real v = unit_real(words + 2 * WORDS_PER_REAL * i + WORDS_PER_REAL);
        const lg_real radius = deviation * real_sqrt((lg_real)-2 * real_log(u));
        out[2 * i] = mean + radius * real_cos_turn(v);
        out[2 * i + 1] = mean + radius * real_sin_turn(v);
    }
}

void lg_rng_fill_normal(lg_rng *rng, size_t n, lg_real *out, double mean, double deviation)
{
    uint32_t words[BUFFER_WORDS];
    while (n > 0) {
        const size_t room = BUFFER_WORDS / (2 * WORDS_PER_REAL);
        const size_t pairs = n / 2 < room ? n / 2 : room;
        if (pairs > 0) {
            next_words(rng, 2 * WORDS_PER_REAL * pairs, words);
            scale_normal(words, pairs, out, (lg_real)mean, (lg_real)deviation);
            out += 2 * pairs;
            n -= 2 * pairs;
        } else { /* an odd one at the end: the second of its pair is dropped */
            lg_real last[2];
            next_words(rng, 2 * WORDS_PER_REAL, words);
            scale_normal(words, 1, last, (lg_real)mean, (lg_real)deviation);
            *out = last[0];
            n = 0;
        }
    }
}
