/* Random numbers (tensor/random.h). Known answers are those of Random123's kat_vectors for philox4x32-10; statistics
 * are taken at fixed seeds, so a bound that holds once holds always: bounds are stated as the chance that a true
 * generator would exceed them. */
#include "tensor/random.h"
#include "tensor/random_internal.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void expect_block(uint64_t key, uint64_t low, uint64_t high, const uint32_t expected[4])
{
    uint32_t words[4];
    lg_philox(key, low, high, words);
    for (int i = 0; i < 4; i++)
        ck_assert_uint_eq(words[i], expected[i]);
}

static const uint32_t zero_answer[4] = { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 };

START_TEST(philox_gives_the_known_answers_of_random123)
{
    const uint32_t ones_answer[4] = { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd };
    const uint32_t pi_answer[4] = { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 };
    expect_block(0, 0, 0, zero_answer);
    expect_block(UINT64_MAX, UINT64_MAX, UINT64_MAX, ones_answer);
    /* Counter 243f6a88 85a308d3 13198a2e 03707344 and key a4093822 299f31d0, least significant word first. */
    expect_block(0x299f31d0a4093822, 0x85a308d3243f6a88, 0x0370734413198a2e, pi_answer);
}
END_TEST

START_TEST(seed_0_begins_with_the_known_answer_of_counter_0)
{
    lg_rng rng = lg_rng_seed(0);
    for (int i = 0; i < 4; i++)
        ck_assert_uint_eq(lg_rng_bits(&rng), zero_answer[i]);
    ck_assert_uint_eq(rng.position, 4);
}
END_TEST

START_TEST(words_are_philox_of_seed_stream_and_block)
{
    const uint64_t seed = 0x0123456789abcdef, stream = 0xfedcba9876543210;
    const uint64_t blocks[] = { 0, 1, 2, UINT32_MAX, (uint64_t)UINT32_MAX + 1, UINT64_MAX / 4 - 1 };
    for (size_t b = 0; b < sizeof blocks / sizeof *blocks; b++) {
        uint32_t words[4];
        lg_philox(seed, blocks[b], stream, words);
        lg_rng rng = lg_rng_at(seed, stream, 4 * blocks[b]);
        for (int i = 0; i < 4; i++)
            ck_assert_uint_eq(lg_rng_bits(&rng), words[i]);
    }
}
END_TEST

START_TEST(bits64_is_two_words_low_word_first)
{
    lg_rng a = lg_rng_at(7, 3, 3), b = a; /* across the end of a block */
    const uint64_t low = lg_rng_bits(&a), high = lg_rng_bits(&a);
    ck_assert_uint_eq(lg_rng_bits64(&b), low | high << 32);
}
END_TEST

START_TEST(a_saved_state_continues_as_the_original_at_every_position)
{
    for (uint64_t position = 0; position < 9; position++) {
        const lg_rng parent = lg_rng_seed(11);
        lg_rng original = lg_rng_split(&parent, 5);
        for (uint64_t i = 0; i < position; i++)
            lg_rng_bits(&original);
        lg_rng copied = original;
        lg_rng restored = lg_rng_at(original.seed, original.stream, original.position);
        for (int i = 0; i < 10; i++) {
            const uint32_t expected = lg_rng_bits(&original);
            ck_assert_uint_eq(lg_rng_bits(&copied), expected);
            ck_assert_uint_eq(lg_rng_bits(&restored), expected);
        }
    }
}
END_TEST

START_TEST(a_position_that_is_set_back_gives_the_same_words_again)
{
    lg_rng rng = lg_rng_seed(3);
    uint32_t first[12];
    for (int i = 0; i < 12; i++)
        first[i] = lg_rng_bits(&rng);
    for (uint64_t position = 12; position-- > 0;) {
        rng.position = position;
        ck_assert_uint_eq(lg_rng_bits(&rng), first[position]);
    }
}
END_TEST

/* Correlation of n pairs of uniforms; of independent ones, standard deviation 1 / sqrt(n). */
static double correlation(lg_rng a, lg_rng b, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += (lg_rng_uniform(&a) - 0.5) * (lg_rng_uniform(&b) - 0.5);
    return 12 * sum / n;
}

START_TEST(splits_are_reproducible_distinct_and_leave_the_parent_alone)
{
    lg_rng parent = lg_rng_at(42, 9, 2);
    lg_rng_bits(&parent);
    const lg_rng before = parent;
    uint64_t streams[1000];
    int collisions = 0;
    for (uint64_t use = 0; use < 1000; use++) {
        const lg_rng child = lg_rng_split(&parent, use), again = lg_rng_split(&parent, use);
        ck_assert_uint_eq(child.stream, again.stream);
        ck_assert_uint_eq(child.seed, 42);
        ck_assert_uint_eq(child.position, 0);
        streams[use] = child.stream;
        for (uint64_t other = 0; other < use; other++)
            collisions += streams[other] == child.stream;
    }
    ck_assert_int_eq(collisions, 0);
    ck_assert_mem_eq(&parent, &before, sizeof parent);
    const lg_rng elsewhere = lg_rng_at(42, 10, 2);
    ck_assert_uint_ne(lg_rng_split(&elsewhere, 0).stream, streams[0]);
}
END_TEST

START_TEST(splits_are_uncorrelated_with_parent_and_each_other)
{
    enum { N = 100000 };
    const double bound = 5 / sqrt(N); /* 5 sigma: 6e-7 */
    const lg_rng parent = lg_rng_seed(1);
    for (uint64_t use = 0; use < 8; use++) {
        const lg_rng child = lg_rng_split(&parent, use), next = lg_rng_split(&parent, use + 1);
        const lg_rng grandchild = lg_rng_split(&child, use);
        ck_assert_double_lt(fabs(correlation(parent, child, N)), bound);
        ck_assert_double_lt(fabs(correlation(child, next, N)), bound);
        ck_assert_double_lt(fabs(correlation(child, grandchild, N)), bound);
    }
    ck_assert_double_gt(correlation(parent, lg_rng_seed(1), N), 0.9); /* the measure can tell */
}
END_TEST

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double uniform_cdf(double x)
{
    return x;
}

static double normal_cdf(double x)
{
    return 0.5 * erfc(-x / sqrt(2));
}

/* sqrt(n) times the largest distance between the sample's distribution and cdf; above 2.5 with a chance of 7e-6. */
static double kolmogorov_smirnov(double *sample, size_t n, double (*cdf)(double))
{
    double distance = 0;
    qsort(sample, n, sizeof *sample, compare_doubles);
    for (size_t i = 0; i < n; i++) {
        const double p = cdf(sample[i]);
        distance = fmax(distance, fmax(p - (double)i / (double)n, (double)(i + 1) / (double)n - p));
    }
    return sqrt((double)n) * distance;
}

/* Mean and variance within 5 standard errors; kurtosis is that of the distribution (1.8 uniform, 3 normal). */
static void expect_moments(const double *sample, size_t n, double mean, double variance, double kurtosis)
{
    double sum = 0, squares = 0, fourths = 0;
    for (size_t i = 0; i < n; i++) {
        const double d = sample[i] - mean;
        sum += d;
        squares += d * d;
        fourths += d * d * d * d;
    }
    const double count = (double)n;
    ck_assert_double_eq_tol(sum / count, 0, 5 * sqrt(variance / count));
    ck_assert_double_eq_tol(squares / count, variance, 5 * variance * sqrt((kurtosis - 1) / count));
    ck_assert_double_eq_tol(fourths / count / (variance * variance), kurtosis, 0.15);
}

enum { SAMPLES = 200000 };

START_TEST(uniforms_have_the_uniform_distribution)
{
    double *sample = malloc(SAMPLES * sizeof *sample);
    lg_rng rng = lg_rng_seed(2024);
    size_t outside = 0;
    for (size_t i = 0; i < SAMPLES; i++) {
        sample[i] = lg_rng_uniform(&rng);
        outside += !(sample[i] >= 0 && sample[i] < 1);
    }
    ck_assert_uint_eq(outside, 0);
    expect_moments(sample, SAMPLES, 0.5, 1.0 / 12, 1.8);
    ck_assert_double_lt(kolmogorov_smirnov(sample, SAMPLES, uniform_cdf), 2.5);
    free(sample);
}
END_TEST

START_TEST(normals_have_the_normal_distribution)
{
    double *sample = malloc(SAMPLES * sizeof *sample);
    lg_rng rng = lg_rng_seed(2025);
    for (size_t i = 0; i < SAMPLES; i++)
        sample[i] = lg_rng_normal(&rng);
    expect_moments(sample, SAMPLES, 0, 1, 3);
    ck_assert_double_lt(kolmogorov_smirnov(sample, SAMPLES, normal_cdf), 2.5);
    free(sample);
}
END_TEST

/* Chi-square of observed counts against equal ones: mean cells - 1, variance 2 (cells - 1). */
static double chi_square(const size_t *counts, size_t cells, size_t n)
{
    const double expected = (double)n / (double)cells;
    double sum = 0;
    for (size_t i = 0; i < cells; i++)
        sum += ((double)counts[i] - expected) * ((double)counts[i] - expected) / expected;
    return sum;
}

START_TEST(every_byte_of_a_word_is_uniform)
{
    size_t counts[4][256] = { { 0 } };
    lg_rng rng = lg_rng_at(5, 77, 1);
    for (int i = 0; i < 100000; i++) {
        const uint32_t word = lg_rng_bits(&rng);
        for (int byte = 0; byte < 4; byte++)
            counts[byte][word >> 8 * byte & 255]++;
    }
    for (int byte = 0; byte < 4; byte++) { /* 255 degrees of freedom: outside 150 .. 377 with a chance of 1e-6 */
        ck_assert_double_lt(chi_square(counts[byte], 256, 100000), 377);
        ck_assert_double_gt(chi_square(counts[byte], 256, 100000), 150);
    }
}
END_TEST

START_TEST(permutations_of_4_are_all_equally_likely)
{
    size_t counts[24] = { 0 };
    lg_rng rng = lg_rng_seed(8);
    for (int i = 0; i < 48000; i++) {
        size_t p[4], rank = 0;
        lg_rng_permutation(&rng, 4, p);
        for (size_t a = 0; a < 4; a++) { /* Lehmer code: mixed radix 4, 3, 2, 1 */
            size_t smaller = 0;
            for (size_t b = a + 1; b < 4; b++)
                smaller += p[b] < p[a];
            rank = rank * (4 - a) + smaller;
        }
        counts[rank]++;
    }
    ck_assert_double_lt(chi_square(counts, 24, 48000), 70); /* 23 degrees of freedom: above with a chance of 1e-6 */
}
END_TEST

START_TEST(a_permutation_holds_every_index_once)
{
    const size_t sizes[] = { 0, 1, 2, 3, 17, 10000 };
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        const size_t n = sizes[s];
        size_t *p = malloc((n + 1) * sizeof *p);
        bool *seen = calloc(n + 1, sizeof *seen);
        p[n] = 12345;
        lg_rng rng = lg_rng_at(6, s, 0);
        lg_rng_permutation(&rng, n, p);
        size_t found = 0;
        for (size_t i = 0; i < n; i++) {
            found += p[i] < n && !seen[p[i]];
            seen[p[i] < n ? p[i] : n] = true;
        }
        ck_assert_uint_eq(found, n);
        ck_assert_uint_eq(p[n], 12345);
        free(p);
        free(seen);
    }
}
END_TEST

START_TEST(below_stays_below_and_is_unbiased)
{
    lg_rng rng = lg_rng_seed(10);
    ck_assert_uint_eq(lg_rng_below(&rng, 0), 0);
    ck_assert_uint_eq(lg_rng_below(&rng, 1), 0);
    const size_t n = 60000;
    for (uint64_t sides = 2; sides <= 10; sides++) {
        size_t counts[11] = { 0 };
        for (size_t i = 0; i < n; i++) {
            const uint64_t value = lg_rng_below(&rng, sides);
            counts[value < sides ? value : sides]++;
        }
        ck_assert_uint_eq(counts[sides], 0);
        const double freedom = (double)sides - 1; /* 6 sigma of a chi-square, and a margin for its skew */
        ck_assert_double_lt(chi_square(counts, sides, n), freedom + 6 * sqrt(2 * freedom) + 16);
    }
}
END_TEST

/* With n = 3/4 of the range of a word (or two), taking the high half of word * n without refusals would give every
 * third value twice as often: thirds of the results by value mod 3 would be 1/2, 1/4, 1/4. */
static void expect_thirds(uint64_t n, uint64_t seed)
{
    size_t counts[3] = { 0 }, outside = 0;
    lg_rng rng = lg_rng_seed(seed);
    for (int i = 0; i < 30000; i++) {
        const uint64_t value = lg_rng_below(&rng, n);
        outside += value >= n;
        counts[value % 3]++;
    }
    ck_assert_uint_eq(outside, 0);
    ck_assert_double_lt(chi_square(counts, 3, 30000), 28); /* 2 degrees of freedom: exp(-14) = 1e-6 */
}

START_TEST(below_refuses_what_would_bias_large_ranges)
{
    expect_thirds(UINT64_C(3) << 30, 12);
    expect_thirds(UINT64_C(3) << 62, 13);
    expect_thirds((UINT64_C(1) << 32) + 2, 14); /* 3 divides it; just past one word */
}
END_TEST

/* lg_rng_below with two words is the high half of the product; GCC's 128-bit integers are the reference. */
#ifdef __SIZEOF_INT128__
START_TEST(below_of_large_n_is_the_high_half_of_the_product)
{
    __extension__ typedef unsigned __int128 wide;
    lg_rng rng = lg_rng_seed(15);
    for (int i = 0; i < 1000; i++) {
        const uint64_t n = lg_rng_bits64(&rng) | UINT64_C(1) << 32;
        lg_rng words = rng;
        wide product;
        do
            product = (wide)lg_rng_bits64(&words) * n;
        while ((uint64_t)product < (uint64_t)(((wide)1 << 64) % n));
        ck_assert_uint_eq(lg_rng_below(&rng, n), (uint64_t)(product >> 64));
        ck_assert_uint_eq(rng.position, words.position);
    }
}
END_TEST
#endif

enum { FILLED = 5000 };

START_TEST(a_filled_uniform_is_its_words_over_2_to_the_24_or_53)
{
    static lg_real out[FILLED];
    for (uint64_t position = 0; position < 5; position++) {
        lg_rng rng = lg_rng_at(21, 4, position), words = rng;
        size_t different = 0;
        lg_rng_fill_uniform(&rng, FILLED, out, 0, 1);
        for (size_t i = 0; i < FILLED; i++) {
#ifdef LG_DOUBLE
            const double expected = lg_rng_uniform(&words);
#else
            const double expected = (double)(lg_rng_bits(&words) >> 8) / (1 << 24);
#endif
            different += (double)out[i] != expected;
        }
        ck_assert_uint_eq(different, 0);
        ck_assert_uint_eq(rng.position, words.position);
        ck_assert_uint_eq(lg_rng_bits(&rng), lg_rng_bits(&words));
    }
}
END_TEST

START_TEST(fills_in_parts_equal_a_fill_at_once)
{
    static lg_real whole[FILLED], parts[FILLED];
    for (int normal = 0; normal < 2; normal++) {
        void (*const fill)(lg_rng *, size_t, lg_real *, double, double) =
            normal ? lg_rng_fill_normal : lg_rng_fill_uniform;
        lg_rng rng = lg_rng_at(22, 1, 3), again = rng;
        fill(&rng, FILLED, whole, -1.5, 2.5);
        size_t done = 0;
        for (size_t part = 0; done < FILLED; part += 2) {
            const size_t n = part < FILLED - done ? part : FILLED - done;
            fill(&again, n, parts + done, -1.5, 2.5);
            done += n;
        }
        ck_assert_uint_eq(rng.position, again.position);
        ck_assert_mem_eq(whole, parts, sizeof whole);
    }
}
END_TEST

START_TEST(a_fill_writes_all_and_nothing_beyond_its_end)
{
    for (size_t n = 0; n < 40; n++) {
        lg_real out[41];
        lg_rng rng = lg_rng_seed(n);
        for (size_t i = 0; i < 41; i++)
            out[i] = 7;
        lg_rng_fill_normal(&rng, n, out, 0, 1);
        for (size_t i = 0; i < 41; i++)
            ck_assert_int_eq(out[i] == 7, i >= n);
        for (size_t i = 0; i < 41; i++)
            out[i] = 7;
        lg_rng_fill_uniform(&rng, n, out, 0, 1);
        for (size_t i = 0; i < 41; i++)
            ck_assert_int_eq(out[i] == 7, i >= n);
    }
}
END_TEST

START_TEST(a_filled_uniform_is_never_high_after_rounding)
{
    /* Ranges in which low + range u rounds up to high for many u: an ulp or two wide, or far from 0. */
    static lg_real out[20000];
    const struct {
        double low, high;
    } ranges[] = { { 0, 1 }, { 1, 1 + 4e-7 }, { 1, 1 + 1e-6 }, { 1e6, 1e6 + 0.25 }, { -1, -1 + 2e-7 }, { 1 - 2e-7, 1 },
                   { 0.1, 0.7 }, { -3e38, 3e37 }, { 9007199254740990.0, 9007199254740994.0 } };
    for (size_t r = 0; r < sizeof ranges / sizeof *ranges; r++) {
        const lg_real low = (lg_real)ranges[r].low, high = (lg_real)ranges[r].high;
        lg_rng rng = lg_rng_seed(r);
        lg_rng_fill_uniform(&rng, 20000, out, ranges[r].low, ranges[r].high);
        size_t outside = 0;
        for (size_t i = 0; i < 20000; i++)
            outside += !(out[i] >= low && (out[i] < high || low == high));
        ck_assert_msg(outside == 0, "%zu of [%.9g, %.9g) lie outside", outside, ranges[r].low, ranges[r].high);
    }
}
END_TEST

START_TEST(an_empty_uniform_range_gives_its_one_value)
{
    lg_real out[100];
    lg_rng rng = lg_rng_seed(1);
    lg_rng_fill_uniform(&rng, 100, out, 2.5, 2.5);
    for (size_t i = 0; i < 100; i++)
        ck_assert(out[i] == (lg_real)2.5);
}
END_TEST

START_TEST(filled_uniforms_and_normals_have_their_distributions)
{
    double *sample = malloc(SAMPLES * sizeof *sample);
    lg_real *out = malloc(SAMPLES * sizeof *out);
    lg_rng rng = lg_rng_seed(30);
    lg_rng_fill_uniform(&rng, SAMPLES, out, -2, 4);
    for (size_t i = 0; i < SAMPLES; i++)
        sample[i] = ((double)out[i] + 2) / 6;
    expect_moments(sample, SAMPLES, 0.5, 1.0 / 12, 1.8);
    ck_assert_double_lt(kolmogorov_smirnov(sample, SAMPLES, uniform_cdf), 2.5);

    lg_rng_fill_normal(&rng, SAMPLES, out, 3, 0.5);
    double product = 0;
    for (size_t i = 0; i < SAMPLES; i++) {
        sample[i] = ((double)out[i] - 3) / 0.5;
        product += i % 2 ? sample[i] * sample[i - 1] : 0;
    }
    ck_assert_double_lt(fabs(product), 5 * sqrt(SAMPLES / 2)); /* the two of a pair are uncorrelated */
    expect_moments(sample, SAMPLES, 0, 1, 3);
    ck_assert_double_lt(kolmogorov_smirnov(sample, SAMPLES, normal_cdf), 2.5);
    free(sample);
    free(out);
}
END_TEST

START_TEST(filled_normals_are_box_muller_of_their_words)
{
    enum { N = 64 };
    lg_real out[N];
    lg_rng rng = lg_rng_at(31, 2, 1), words = rng;
    lg_rng_fill_normal(&rng, N, out, -1, 3);
    for (size_t i = 0; i < N; i += 2) {
#ifdef LG_DOUBLE
        const double u = 1 - lg_rng_uniform(&words), v = lg_rng_uniform(&words);
        const double tolerance = 1e-14;
#else
        const double u = (double)(((float)(lg_rng_bits(&words) >> 1) + 1) / 2147483648.0f);
        const double v = (double)(lg_rng_bits(&words) >> 8) / (1 << 24);
        const double tolerance = 4e-6; /* a dozen roundings of numbers up to 20 */
#endif
        const double radius = sqrt(-2 * log(u)), angle = 2 * acos(-1.0) * v;
        ck_assert_double_eq_tol((double)out[i], -1 + 3 * radius * cos(angle), tolerance);
        ck_assert_double_eq_tol((double)out[i + 1], -1 + 3 * radius * sin(angle), tolerance);
    }
}
END_TEST

Suite *random_suite(void)
{
    Suite *suite = suite_create("random");
    TCase *words = tcase_create("words");
    tcase_add_test(words, philox_gives_the_known_answers_of_random123);
    tcase_add_test(words, seed_0_begins_with_the_known_answer_of_counter_0);
    tcase_add_test(words, words_are_philox_of_seed_stream_and_block);
    tcase_add_test(words, bits64_is_two_words_low_word_first);
    tcase_add_test(words, a_saved_state_continues_as_the_original_at_every_position);
    tcase_add_test(words, a_position_that_is_set_back_gives_the_same_words_again);
    tcase_add_test(words, splits_are_reproducible_distinct_and_leave_the_parent_alone);
    tcase_add_test(words, splits_are_uncorrelated_with_parent_and_each_other);
    suite_add_tcase(suite, words);
    TCase *draws = tcase_create("draws");
    tcase_add_test(draws, uniforms_have_the_uniform_distribution);
    tcase_add_test(draws, normals_have_the_normal_distribution);
    tcase_add_test(draws, every_byte_of_a_word_is_uniform);
    tcase_add_test(draws, permutations_of_4_are_all_equally_likely);
    tcase_add_test(draws, a_permutation_holds_every_index_once);
    tcase_add_test(draws, below_stays_below_and_is_unbiased);
    tcase_add_test(draws, below_refuses_what_would_bias_large_ranges);
#ifdef __SIZEOF_INT128__
    tcase_add_test(draws, below_of_large_n_is_the_high_half_of_the_product);
#endif
    suite_add_tcase(suite, draws);
    TCase *fills = tcase_create("fills");
    tcase_add_test(fills, a_filled_uniform_is_its_words_over_2_to_the_24_or_53);
    tcase_add_test(fills, fills_in_parts_equal_a_fill_at_once);
    tcase_add_test(fills, a_fill_writes_all_and_nothing_beyond_its_end);
    tcase_add_test(fills, a_filled_uniform_is_never_high_after_rounding);
    tcase_add_test(fills, an_empty_uniform_range_gives_its_one_value);
    tcase_add_test(fills, filled_uniforms_and_normals_have_their_distributions);
    tcase_add_test(fills, filled_normals_are_box_muller_of_their_words);
    suite_add_tcase(suite, fills);
    return suite;
}
