/* Elementary functions (tensor/math_internal.h) against libm in the next wider type, over a sample that has every
 * exponent, for every generation of x86-64 that this processor runs. bench/accuracy.c takes all floats. */
#include "tensor/math_internal.h"

#include "support.h"

#include <check.h>
#include <float.h>
#include <stdlib.h>

#ifdef LG_DOUBLE
typedef long double wide;
#define WIDE(name) name##l
#define REAL_MAX DBL_MAX
#define REAL_MIN DBL_MIN
#define REAL_DIGITS DBL_MANT_DIG
#define REAL_LEAST 0x1p-1074
typedef uint64_t real_bits;
#define EXPONENTS 2048
#else
typedef double wide;
#define WIDE(name) name
#define REAL_MAX FLT_MAX
#define REAL_MIN FLT_MIN
#define REAL_DIGITS FLT_MANT_DIG
#define REAL_LEAST 0x1p-149f
typedef uint32_t real_bits;
#define EXPONENTS 256
#endif
#define REAL_NAN ((lg_real)NAN)
#define REAL_INFINITY ((lg_real)INFINITY)

typedef void array_function(const lg_real *restrict x, lg_real *restrict y, size_t n);

/* One loop per function and generation: what target_clones makes, but callable by name. */
#define LOOP(name, generation, attribute)                                                                \
    attribute static void name##_##generation(const lg_real *restrict x, lg_real *restrict y, size_t n)  \
    {                                                                                                    \
        for (size_t i = 0; i < n; i++)                                                                   \
            y[i] = real_##name(x[i]);                                                                    \
    }

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12
#define GENERATIONS 3
#define LOOPS(name)                                                    \
    LOOP(name, v1, )                                                   \
    LOOP(name, v3, __attribute__((target("arch=x86-64-v3"))))          \
    LOOP(name, v4, __attribute__((target("arch=x86-64-v4"))))
#define LOOP_NAMES(name) { name##_v1, name##_v3, name##_v4 }

static bool runs_here(int generation)
{
    const bool runs[GENERATIONS] = { true, __builtin_cpu_supports("x86-64-v3"), __builtin_cpu_supports("x86-64-v4") };
    return runs[generation];
}
#else
#define GENERATIONS 1
#define LOOPS(name) LOOP(name, v1, )
#define LOOP_NAMES(name) { name##_v1 }

static bool runs_here(int generation)
{
    return generation == 0;
}
#endif

LOOPS(sqrt)
LOOPS(exp)
LOOPS(expm1)
LOOPS(log)
LOOPS(log1p)
LOOPS(tanh)
LOOPS(sigmoid)
LOOPS(softplus)
LOOPS(erf)
LOOPS(sin_turn)
LOOPS(cos_turn)
LOOPS(exp_minus_abs)
LOOPS(log1p_0_to_1)
LOOPS(log1p_half_to_0)
LOOPS(reciprocal)

LG_INLINE lg_real real_normal_below(lg_real x)
{
    lg_real density;
    return real_normal(x, &density);
}

LG_INLINE lg_real real_normal_density(lg_real x)
{
    lg_real density;
    real_normal(x, &density);
    return density;
}

LOOPS(normal_below)
LOOPS(normal_density)

static wide true_normal_below(wide x)
{
    return WIDE(erfc)(x * (wide)-0.707106781186547524400844362104849039L) / 2;
}

static wide true_normal_density(wide x)
{
    return (wide)0.398942280401432677939946059934381868L * WIDE(exp)(x * x / -2);
}

/* x^c for some c of each kind. */
#define POWER(name, exponent)                             \
    LG_INLINE lg_real real_##name(lg_real x)              \
    {                                                     \
        return real_pow(x, (lg_real)(exponent));          \
    }                                                     \
    static wide true_##name(wide x)                       \
    {                                                     \
        return WIDE(pow)(x, (wide)(lg_real)(exponent));   \
    }                                                     \
    LOOPS(name)

POWER(pow_half, 0.5)
POWER(pow_minus_half, -0.5)
POWER(pow_1_7, 1.7)
POWER(pow_3, 3)
POWER(pow_minus_1, -1)
POWER(pow_minus_2, -2)
POWER(pow_thousandth, 1e-3)
POWER(pow_100, 100)
POWER(pow_1e9, 1e9)

static wide true_sigmoid(wide x)
{
    return x < 0 ? WIDE(exp)(x) / (1 + WIDE(exp)(x)) : 1 / (1 + WIDE(exp)(-x));
}

static wide true_exp_minus_abs(wide x)
{
    return WIDE(exp)(x < 0 ? x : -x);
}

static wide true_reciprocal(wide x)
{
    return 1 / x;
}

static wide true_softplus(wide x)
{
    return x > 0 ? x + WIDE(log1p)(WIDE(exp)(-x)) : WIDE(log1p)(WIDE(exp)(x));
}

/* By the angle beyond the last quarter turn, since 2 pi x itself would be off near the zeros. */
static wide true_sin_turn(wide x)
{
    const wide k = WIDE(rint)(4 * x), angle = (wide)6.283185307179586476925286766559L * (x - k / 4);
    const wide y = (int)k & 1 ? WIDE(cos)(angle) : WIDE(sin)(angle);
    return (int)k & 2 ? -y : y;
}

static wide true_cos_turn(wide x)
{
    return true_sin_turn(x + 0.25);
}

enum shape { NEITHER, RISING, ODD, ODD_AND_RISING, TAIL }; /* TAIL: neither, and of a function a small part */

typedef struct {
    const char *name;
    array_function *loops[GENERATIONS];
    wide (*truth)(wide);
    lg_real low, high; /* inputs that count */
    double limit;      /* ULP */
    enum shape shape;
    lg_real least, most; /* the range of its values */
} function;

static const function functions[] = {
    { "sqrt", LOOP_NAMES(sqrt), WIDE(sqrt), -REAL_INFINITY, REAL_INFINITY, 0.51, RISING, 0, REAL_INFINITY },
    { "exp", LOOP_NAMES(exp), WIDE(exp), -REAL_INFINITY, REAL_INFINITY, 1.1, RISING, 0, REAL_INFINITY },
    { "expm1", LOOP_NAMES(expm1), WIDE(expm1), -REAL_INFINITY, REAL_INFINITY, 2, RISING, -1, REAL_INFINITY },
    { "log", LOOP_NAMES(log), WIDE(log), -REAL_INFINITY, REAL_INFINITY, 1.1, RISING, -REAL_INFINITY, REAL_INFINITY },
    { "log1p", LOOP_NAMES(log1p), WIDE(log1p), -REAL_INFINITY, REAL_INFINITY, 2, RISING, -REAL_INFINITY,
      REAL_INFINITY },
    { "tanh", LOOP_NAMES(tanh), WIDE(tanh), -REAL_INFINITY, REAL_INFINITY, 3, ODD_AND_RISING, -1, 1 },
    { "sigmoid", LOOP_NAMES(sigmoid), true_sigmoid, -REAL_INFINITY, REAL_INFINITY, 3, RISING, 0, 1 },
    { "softplus", LOOP_NAMES(softplus), true_softplus, -REAL_INFINITY, REAL_INFINITY, 2, RISING, 0, REAL_INFINITY },
    { "erf", LOOP_NAMES(erf), WIDE(erf), -REAL_INFINITY, REAL_INFINITY, 2, ODD_AND_RISING, -1, 1 },
    { "sin_turn", LOOP_NAMES(sin_turn), true_sin_turn, 0, 1, 2, NEITHER, -1, 1 },
    { "cos_turn", LOOP_NAMES(cos_turn), true_cos_turn, 0, 1, 2, NEITHER, -1, 1 },
    { "exp_minus_abs", LOOP_NAMES(exp_minus_abs), true_exp_minus_abs, -REAL_INFINITY, REAL_INFINITY, 1.1, NEITHER, 0, 1 },
    { "log1p_0_to_1", LOOP_NAMES(log1p_0_to_1), WIDE(log1p), 0, 1, 1.5, RISING, 0, (lg_real)0.69314719 },
    { "log1p_half_to_0", LOOP_NAMES(log1p_half_to_0), WIDE(log1p), (lg_real)-0.5, 0, 1.1, RISING, (lg_real)-0.69314719, 0 },
    { "reciprocal", LOOP_NAMES(reciprocal), true_reciprocal, (lg_real)1e-37, (lg_real)8e37, 1.5, NEITHER, 0, (lg_real)1.01e37 },
    /* Of a large x^2 the last digits are lost, and with them digits of its exponential. */
    { "normal_below", LOOP_NAMES(normal_below), true_normal_below, -1, REAL_INFINITY, 6, NEITHER, 0, 1 },
    { "normal_below", LOOP_NAMES(normal_below), true_normal_below, -10, -1, 128, TAIL, 0, (lg_real)0.16 },
    { "normal_density", LOOP_NAMES(normal_density), true_normal_density, -2, 2, 4, NEITHER, 0, (lg_real)0.4 },
    { "normal_density", LOOP_NAMES(normal_density), true_normal_density, 2, 10, 128, TAIL, 0, (lg_real)0.06 },
#define POWER_ROW(name, shape, least) \
    { #name, LOOP_NAMES(name), true_##name, -REAL_INFINITY, REAL_INFINITY, 1, shape, least, REAL_INFINITY }
    POWER_ROW(pow_half, NEITHER, 0),
    POWER_ROW(pow_minus_half, NEITHER, 0),
    POWER_ROW(pow_1_7, NEITHER, 0),
    POWER_ROW(pow_3, ODD_AND_RISING, -REAL_INFINITY),
    POWER_ROW(pow_minus_1, NEITHER, -REAL_INFINITY),
    POWER_ROW(pow_minus_2, NEITHER, 0),
    POWER_ROW(pow_thousandth, NEITHER, 0),
    POWER_ROW(pow_100, NEITHER, 0),
    POWER_ROW(pow_1e9, NEITHER, 0),
};
#define FUNCTIONS (sizeof functions / sizeof *functions)

/* The sample: per sign and exponent, the first and the last mantissa, and one at random in each of so many equal slices
 * between; many where functions bend, from 2^-16 to 2^8. In rising order. */
enum {
    BEND = EXPONENTS / 2 - 17,
    BENDS = 24,
    BEND_SLICES = 8192,
    SLICES = 131072 / EXPONENTS,
    SAMPLES = 2 * (BENDS * (BEND_SLICES + 2) + (EXPONENTS - BENDS) * (SLICES + 2))
};

static size_t slices_of(size_t exponent)
{
    return exponent >= BEND && exponent < BEND + BENDS ? BEND_SLICES : SLICES;
}

static lg_real sample_x[SAMPLES], sample_y[SAMPLES];

static lg_real real_of_bits(real_bits bits)
{
    lg_real x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static void make_sample(void)
{
    uint64_t random = 1;
    lg_real *positive = sample_x + SAMPLES / 2, *x = positive;
    for (size_t exponent = 0; exponent < EXPONENTS; exponent++) {
        const size_t slices = slices_of(exponent);
        const real_bits mantissas = (real_bits)1 << (REAL_DIGITS - 1), width = mantissas / (real_bits)slices;
        const real_bits base = (real_bits)exponent * mantissas;
        *x++ = real_of_bits(base);
        for (size_t slice = 0; slice < slices; slice++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            *x++ = real_of_bits(base + (real_bits)slice * width + (real_bits)(random >> 20) % width);
        }
        *x++ = real_of_bits(base + mantissas - 1);
    }
    for (size_t i = 0; i < SAMPLES / 2; i++) /* rising through the negative NaN, -infinity, ..., -0 */
        sample_x[i] = -positive[SAMPLES / 2 - 1 - i];
}

/* The error of y in units in the last place at the truth; infinity counts as the power of 2 after REAL_MAX. */
static double units_off(lg_real y, wide truth)
{
    const wide beyond = (wide)REAL_MAX * (1 + WIDE(ldexp)(1, -REAL_DIGITS));
    if (isinf(y) && (truth < 0) == (y < 0) && WIDE(fabs)(truth) >= beyond)
        return 0;
    const wide bounded = WIDE(fabs)(truth) < (wide)REAL_MAX ? truth : truth < 0 ? -(wide)REAL_MAX : (wide)REAL_MAX;
    int exponent;
    WIDE(frexp)(WIDE(fabs)(bounded) < (wide)REAL_MIN ? (wide)REAL_MIN : bounded, &exponent);
    return (double)(WIDE(fabs)((wide)y - bounded) / WIDE(ldexp)(1, exponent - REAL_DIGITS));
}

/* Runs f at one generation over the whole sample into sample_y; false when the processor cannot. */
static bool run_sample(const function *f, int generation)
{
    if (!runs_here(generation))
        return false;
    f->loops[generation](sample_x, sample_y, SAMPLES);
    return true;
}

static bool counts(const function *f, lg_real x)
{
    return (x >= f->low && x <= f->high) || (isnan(x) && isinf(f->low));
}

START_TEST(values_are_within_their_limit_of_the_truth)
{
    if ((size_t)_i % test_stride(5) != 0)
        return;
    const function *f = &functions[_i];
    static wide truth[SAMPLES];
    make_sample();
    for (size_t i = 0; i < SAMPLES; i++)
        truth[i] = counts(f, sample_x[i]) ? f->truth((wide)sample_x[i]) : 0;
    for (int generation = 0; generation < GENERATIONS && run_sample(f, generation); generation++) {
        double worst = 0;
        size_t worst_at = 0, wrong_nan = 0, tested = 0;
        for (size_t i = 0; i < SAMPLES; i++) {
            if (!counts(f, sample_x[i]))
                continue;
            tested++;
            wrong_nan += !isnan(sample_y[i]) != !isnan(truth[i]);
            const double error = isnan(truth[i]) ? 0 : units_off(sample_y[i], truth[i]);
            if (error > worst) {
                worst = error;
                worst_at = i;
            }
        }
        ck_assert_uint_gt(tested, f->shape == TAIL ? SAMPLES / 50 : SAMPLES / 5);
        ck_assert_msg(wrong_nan == 0, "%s: %zu NaN where none should be, or the reverse", f->name, wrong_nan);
        ck_assert_msg(worst <= f->limit, "%s(%.17g) = %.17g is %g ULP off (generation %d)", f->name,
                      (double)sample_x[worst_at], (double)sample_y[worst_at], worst, generation);
    }
}
END_TEST

START_TEST(values_stay_in_range_and_rise_or_are_odd_as_they_should)
{
    if ((size_t)_i % test_stride(5) != 0)
        return;
    const function *f = &functions[_i];
    make_sample();
    for (int generation = 0; generation < GENERATIONS && run_sample(f, generation); generation++) {
        size_t outside = 0, falls = 0, uneven = 0;
        lg_real previous = -REAL_INFINITY;
        for (size_t i = 0; i < SAMPLES; i++) {
            const lg_real y = sample_y[i];
            if (!counts(f, sample_x[i]) || isnan(y))
                continue;
            outside += !(y >= f->least && y <= f->most);
            falls += y < LG_LIBM(nextafter)(previous, -REAL_INFINITY); /* the last place may waver on a plateau */
            uneven += sample_y[SAMPLES - 1 - i] != -y;
            previous = y;
        }
        ck_assert_msg(outside == 0, "%s: %zu values out of range", f->name, outside);
        if (f->shape == RISING || f->shape == ODD_AND_RISING)
            ck_assert_msg(falls == 0, "%s falls %zu times by more than its last place", f->name, falls);
        if (f->shape == ODD || f->shape == ODD_AND_RISING)
            ck_assert_msg(uneven == 0, "%s is not odd %zu times", f->name, uneven);
    }
}
END_TEST

static bool same_bits_or_nan(lg_real a, lg_real b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

START_TEST(a_value_does_not_depend_on_its_place_in_the_loop)
{
    if ((size_t)_i % test_stride(5) != 0)
        return;
    const function *f = &functions[_i];
    enum { N = 20000, MOST = 67 };
    static lg_real y[N + MOST];
    make_sample();
    const lg_real *x = sample_x; /* from 0.1 on, where nothing is degenerate */
    while (!(*x >= (lg_real)0.1))
        x++;
    for (int generation = 0; generation < GENERATIONS && run_sample(f, generation); generation++) {
        const lg_real *whole = sample_y + (x - sample_x);
        size_t length = 1;
        for (size_t i = 0; i < N; i += length, length = length % MOST + 1)
            f->loops[generation](x + i, y + i, length);
        size_t different = 0;
        for (size_t i = 0; i < N; i++)
            different += !same_bits_or_nan(y[i], whole[i]);
        ck_assert_msg(different == 0, "%s: %zu of %d differ (generation %d)", f->name, different, N, generation);
    }
}
END_TEST

static const function *function_named(const char *name)
{
    for (size_t i = 0; i < FUNCTIONS; i++)
        if (strcmp(functions[i].name, name) == 0)
            return &functions[i];
    ck_abort_msg("no function %s", name);
}

/* f(x) is y to the bit (any NaN for NaN), in the vector body of the loop as in its tail. */
static void expect(const char *name, lg_real x, lg_real y)
{
    const function *f = function_named(name);
    enum { N = 37 };
    lg_real in[N], out[N];
    for (size_t i = 0; i < N; i++)
        in[i] = x;
    for (int generation = 0; generation < GENERATIONS && runs_here(generation); generation++) {
        f->loops[generation](in, out, N);
        size_t wrong = 0;
        for (size_t i = 0; i < N; i++)
            wrong += !same_bits_or_nan(out[i], y);
        ck_assert_msg(wrong == 0, "%s(%.9g) is %.9g or %.9g, not %.9g (generation %d)", name, (double)x, (double)out[0],
                      (double)out[N - 1], (double)y, generation);
    }
}

START_TEST(special_values_are_those_of_annex_f)
{
    const lg_real inf = REAL_INFINITY, zero = 0, one = 1;
    for (size_t i = 0; i < FUNCTIONS; i++)
        if (isinf(functions[i].low)) {
            expect(functions[i].name, REAL_NAN, REAL_NAN);
            expect(functions[i].name, -REAL_NAN, REAL_NAN);
        }
    const struct {
        const char *name;
        lg_real at_minus_infinity, at_minus_0, at_0, at_infinity;
    } rows[] = {
        { "sqrt", REAL_NAN, -zero, 0, inf },   { "exp", 0, 1, 1, inf },
        { "expm1", -1, -zero, 0, inf },        { "log", REAL_NAN, -inf, -inf, inf },
        { "log1p", REAL_NAN, -zero, 0, inf },  { "tanh", -1, -zero, 0, 1 },
        { "sigmoid", 0, one / 2, one / 2, 1 }, { "erf", -1, -zero, 0, 1 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        expect(rows[i].name, -inf, rows[i].at_minus_infinity);
        expect(rows[i].name, -zero, rows[i].at_minus_0);
        expect(rows[i].name, 0, rows[i].at_0);
        expect(rows[i].name, inf, rows[i].at_infinity);
    }
    const struct {
        const char *name;
        lg_real at_minus_infinity, at_minus_0, at_0, at_infinity, at_minus_2;
    } powers[] = {
        { "pow_half", inf, 0, 0, inf, REAL_NAN },          { "pow_minus_half", 0, inf, inf, 0, REAL_NAN },
        { "pow_3", -inf, -zero, 0, inf, -8 },              { "pow_minus_1", -zero, -inf, inf, 0, -one / 2 },
        { "pow_minus_2", 0, inf, inf, 0, one / 4 },        { "pow_thousandth", inf, 0, 0, inf, REAL_NAN },
        { "pow_100", inf, 0, 0, inf, (lg_real)0x1p100L },  { "pow_1e9", inf, 0, 0, inf, inf },
    };
    for (size_t i = 0; i < sizeof powers / sizeof *powers; i++) {
        expect(powers[i].name, -inf, powers[i].at_minus_infinity);
        expect(powers[i].name, -zero, powers[i].at_minus_0);
        expect(powers[i].name, 0, powers[i].at_0);
        expect(powers[i].name, inf, powers[i].at_infinity);
        expect(powers[i].name, -2, powers[i].at_minus_2);
        expect(powers[i].name, 1, 1);
    }
    for (size_t i = 0; i < 4; i++) /* even of NaN */
        ck_assert(real_pow((const lg_real[]){ REAL_NAN, -inf, 0, -2 }[i], 0) == 1);
    expect("softplus", -inf, 0);
    expect("softplus", 0, (lg_real)0.693147180559945309417232121458L);
    expect("softplus", inf, inf);
    expect("log", 1, 0);
    expect("log", -REAL_LEAST, REAL_NAN);
    expect("log", -1, REAL_NAN);
    expect("log1p", -1, -inf);
    expect("log1p", (lg_real)-1.5, REAL_NAN);
    expect("sin_turn", 0, 0);
    expect("cos_turn", 0, 1);
    expect("cos_turn", 1, 1);
    expect("sin_turn", (lg_real)0.25, 1);
    expect("cos_turn", (lg_real)0.5, -1);
    expect("sin_turn", (lg_real)0.75, -1);
}
END_TEST

START_TEST(tiny_arguments_are_kept_to_the_last_bit)
{
    /* f(x) = x + O(x^2) */
    const char *const names[] = { "expm1", "log1p", "tanh" };
    const lg_real tiny[] = { REAL_LEAST, 3 * REAL_LEAST, REAL_MIN / 2, REAL_MIN, (lg_real)1e-30, (lg_real)1e-20 };
    for (size_t f = 0; f < sizeof names / sizeof *names; f++)
        for (size_t i = 0; i < sizeof tiny / sizeof *tiny; i++) {
            expect(names[f], tiny[i], tiny[i]);
            expect(names[f], -tiny[i], -tiny[i]);
        }
    expect("exp", REAL_LEAST, 1);
}
END_TEST

START_TEST(results_overflow_and_underflow_where_they_should)
{
#ifdef LG_DOUBLE
    expect("log", REAL_MAX, 709.782712893383996732);
    expect("exp", 710, INFINITY);
    expect("exp", -746, 0);
    expect("sigmoid", -745, REAL_LEAST); /* 5.0e-324 */
    expect("sigmoid", -1e300, 0);
    expect("softplus", -745, REAL_LEAST);
    expect("softplus", REAL_MAX, REAL_MAX);
#else
    expect("log", REAL_MAX, 88.7228391116729996f);
    /* 128 ln 2 = 88.72283911..., which lies between two floats. */
    ck_assert(real_exp(88.72283f) < INFINITY);
    expect("exp", 88.7228394f, INFINITY);
    expect("expm1", 88.7228394f, INFINITY);
    expect("exp", 1e30f, INFINITY);
    /* exp(-103.9720771) is half the least float: rounds up above, to 0 below. */
    expect("exp", -103.972f, REAL_LEAST);
    expect("exp", -103.973f, 0);
    expect("exp", -1e30f, 0);
    expect("exp", -100.0f, 27 * REAL_LEAST); /* 3.7200760e-44 = 26.55 of them */
    expect("sigmoid", -100.0f, 27 * REAL_LEAST);
    expect("softplus", -100.0f, 27 * REAL_LEAST);
    expect("sigmoid", -1e30f, 0);
    expect("softplus", 1e30f, 1e30f);
    expect("softplus", REAL_MAX, REAL_MAX);
    expect("log", REAL_LEAST, -103.278929903431851103f); /* -149 ln 2 */
    expect("log", REAL_MIN, -87.3365447505531004f);      /* -126 ln 2 */
    expect("log1p", -1 + 0x1p-24f, -16.6355323334386874f);
    expect("tanh", 9.5f, 1);
    expect("erf", 4.0f, 1);
    expect("erf", REAL_LEAST, REAL_LEAST); /* 2 / sqrt(pi) = 1.13 of the least number */
    expect("erf", 4 * REAL_LEAST, 5 * REAL_LEAST);
#endif
}
END_TEST

START_TEST(the_sample_has_all_it_should)
{
    size_t exponents[2][EXPONENTS] = { { 0 } }, nans = 0, infinities = 0, zeros = 0, disorder = 0;
    make_sample();
    for (size_t i = 0; i < SAMPLES; i++) {
        real_bits bits;
        memcpy(&bits, &sample_x[i], sizeof bits);
        exponents[bits >> (sizeof bits * 8 - 1)][bits >> (REAL_DIGITS - 1) & (EXPONENTS - 1)]++;
        nans += isnan(sample_x[i]) != 0;
        infinities += isinf(sample_x[i]) != 0;
        zeros += sample_x[i] == 0;
        disorder += i > 0 && sample_x[i] < sample_x[i - 1];
    }
    for (size_t e = 0; e < EXPONENTS; e++)
        ck_assert(exponents[0][e] == slices_of(e) + 2 && exponents[1][e] == slices_of(e) + 2);
    ck_assert_uint_gt(nans, 2 * SLICES - 2);
    ck_assert(slices_of(EXPONENTS / 2 - 1) == BEND_SLICES); /* that of 1 */
    ck_assert_uint_ge(infinities, 2);
    ck_assert_uint_ge(zeros, 2);
    ck_assert_uint_eq(disorder, 0);
}
END_TEST

Suite *math_suite(void)
{
    Suite *suite = suite_create("math");
    TCase *tcase = tcase_create("functions");
    tcase_add_test(tcase, the_sample_has_all_it_should);
    tcase_add_loop_test(tcase, values_are_within_their_limit_of_the_truth, 0, (int)FUNCTIONS);
    tcase_add_loop_test(tcase, values_stay_in_range_and_rise_or_are_odd_as_they_should, 0, (int)FUNCTIONS);
    tcase_add_loop_test(tcase, a_value_does_not_depend_on_its_place_in_the_loop, 0, (int)FUNCTIONS);
    tcase_add_test(tcase, special_values_are_those_of_annex_f);
    tcase_add_test(tcase, tiny_arguments_are_kept_to_the_last_bit);
    tcase_add_test(tcase, results_overflow_and_underflow_where_they_should);
    suite_add_tcase(suite, tcase);
    return suite;
}
