/* Elementary functions of lg_real, to be called in plain loops that the compiler then vectorises:
 *
 *   real_exp    real_expm1   real_sigmoid   1 / (1 + exp(-x))                      real_sqrt
 *   real_log    real_log1p   real_softplus  log(1 + exp(x)), which cannot overflow
 *   real_tanh   real_erf     real_sin_turn, real_cos_turn   sin and cos of 2 pi x, for x in [0, 1]
 *   real_exp_minus_abs       exp(-|x|): of what is at most 0 in fewer steps than real_exp
 *   real_log1p_0_to_1        log1p(x) for x in [0, 1], in fewer steps
 *   real_log1p_half_to_0     log1p(x) for x in [-1/2, 0], likewise
 *   real_pow                 x^c, for one c in a loop
 *   real_normal              the standard normal distribution below x, and its density; below x = -1 its last digits
 *                            are those of x^2
 *   real_reciprocal          1 / x for x in [1e-37, 8e37], 0 for infinity: beside a square root faster than a division
 *
 * The float build has polynomials of its own: over all floats at most 1.1 units in the last place off (exp, log; pow
 * half a unit), 2 (expm1, log1p, softplus, erf and the turns) or 3 (tanh, sigmoid), which `make accuracy` proves; the
 * relative error stays small near 0 (tanh x = x for tiny x); subnormal numbers in and out, infinities, NaN and the sign
 * of zero are as in C's Annex F. The double build calls libm. Within one clone (below) a value does not depend on its
 * place in the loop.
 *
 * Every form here is plain arithmetic and selection, since that is what vectorises on every x86-64 and elsewhere: no
 * fmaf, rint, fmax, no table. Needs -fno-math-errno -fno-trapping-math; must not meet -ffast-math, which would undo the
 * rounding by adding and subtracting a large number. */
#ifndef LG_MATH_INTERNAL_H
#define LG_MATH_INTERNAL_H

#include "tensor/base.h"

#include <math.h>
#include <string.h>

/* LG_CLONES before a function makes the compiler emit it for three generations of x86-64, one of which is chosen when
 * the program starts: for functions whose time goes into loops over reals. Empty where the platform lacks indirect
 * functions, and under sanitizers, whose runtime is not there yet when they are resolved (define LG_NO_CLONES where
 * the compiler does not tell). */
#if !defined(LG_NO_CLONES) && defined(__x86_64__) && defined(__ELF__) && defined(__GLIBC__) && defined(__GNUC__) && \
    !defined(__clang__) && __GNUC__ >= 12 && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define LG_CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define LG_CLONES
#endif

/* Inlined even where the compiler thinks a function long: a loop that calls is a loop that is not vectorised. */
#if defined(__GNUC__)
#define LG_INLINE static inline __attribute__((always_inline))
#else
#define LG_INLINE static inline
#endif

#define LG_BLOCK 64 /* reals that are worked on at a time: some lines of the cache */

/* Asks for the lines of the cache that hold LG_BLOCK reals from `offset` reals after z on, which may lie beyond the
 * end. */
LG_INLINE void lg_ask_for_block(const lg_real *z, size_t offset)
{
#if defined(__GNUC__)
    const uintptr_t address = (uintptr_t)z + offset * sizeof *z;
    for (size_t byte = 0; byte < LG_BLOCK * sizeof *z; byte += 64)
        __builtin_prefetch((const void *)(address + byte));
#else
    (void)z, (void)offset;
#endif
}

/* libm's function of that name for lg_real: LG_LIBM(pow)(x, y). A call: for what is not above, or not in a loop. */
#ifdef LG_DOUBLE
#define LG_LIBM(name) name
#else
#define LG_LIBM(name) name##f
#endif

#ifdef LG_DOUBLE

LG_INLINE double real_sqrt(double x)
{
    return sqrt(x);
}

LG_INLINE double real_exp(double x)
{
    return exp(x);
}

LG_INLINE double real_expm1(double x)
{
    return expm1(x);
}

LG_INLINE double real_log(double x)
{
    return log(x);
}

LG_INLINE double real_log1p(double x)
{
    return log1p(x);
}

LG_INLINE double real_exp_minus_abs(double x)
{
    return exp(-fabs(x));
}

LG_INLINE double real_log1p_0_to_1(double x)
{
    return log1p(x);
}

LG_INLINE double real_log1p_half_to_0(double x)
{
    return log1p(x);
}

LG_INLINE double real_reciprocal(double x)
{
    return 1 / x;
}

LG_INLINE double real_tanh(double x)
{
    return tanh(x);
}

LG_INLINE double real_erf(double x)
{
    return erf(x);
}

LG_INLINE double real_pow(double x, double exponent)
{
    return pow(x, exponent);
}

LG_INLINE double real_normal(double x, double *density)
{
    *density = 0.39894228040143267794 * exp(x * x / -2);
    return erfc(x * -0.70710678118654752440) / 2;
}

LG_INLINE double real_sigmoid(double x)
{
    const double z = exp(-fabs(x));
    return (x < 0 ? z : 1) / (1 + z);
}

LG_INLINE double real_softplus(double x)
{
    return (x > 0 ? x : 0) + log1p(exp(-fabs(x)));
}

/* 4x = k + 4d with integer k and |d| <= 1/8, so that nothing is lost near the zeros; sin and cos of 2 pi d. */
LG_INLINE int32_t quarter_turn(double x, double *sine, double *cosine)
{
    const double k = rint(4 * x);
    const double angle = 6.283185307179586476925286766559 * (x - k / 4);
    *sine = sin(angle);
    *cosine = cos(angle);
    return (int32_t)k;
}

#else

/* Polynomial coefficients are minimax fits, made by tools/fit_math.py; the error noted with each is relative to the
 * function, before float arithmetic. */

LG_INLINE uint32_t float_bits(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

LG_INLINE float bits_float(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* 2^n for n in -126 .. 127. */
LG_INLINE float power_of_2(int32_t n)
{
    return bits_float((uint32_t)(n + 127) << 23);
}

/* x + FLOAT_ROUNDER, for |x| < 2^22, has no room for a fraction: its low bits are x rounded to an integer. With 127
 * more they are the exponent bits of 2 to that integer. */
#define FLOAT_ROUNDER 12582912.0f /* 1.5 * 2^23 */
#define POWER_ROUNDER (FLOAT_ROUNDER + 127.0f)

LG_INLINE int32_t rounded_integer(float sum)
{
    return (int32_t)(float_bits(sum) - 0x4B400000u);
}

/* ln 2 in two parts, the first of 9 bits, so that its product with a small integer is exact without FMA too. */
#define LOG2_E 1.44269504f
#define LN_2_HIGH 0.693359375f
#define LN_2_LOW (-2.12194440e-4f)

/* x = n ln 2 + r with |r| <= ln 2 / 2, for |x| <= 1e5. Returns 2^(n + shift), where that is a normal number. */
LG_INLINE float reduce_by_ln_2(float x, float shift, float *r)
{
    const float rounder = POWER_ROUNDER + shift, sum = x * LOG2_E + rounder, n = sum - rounder;
    *r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
    return bits_float(float_bits(sum) << 23);
}

LG_INLINE float real_sqrt(float x)
{
    return sqrtf(x);
}

/* exp(x) = 2^n (1 + r + r^2 q(r)), q within 2^-28.2. The power of 2 comes in two factors, 2^(n + shift) and `unshift`,
 * which is 2^-shift, since 2^n alone may be too large or, towards subnormal results, too small; only the last product
 * rounds. */
LG_INLINE float exp_shifted(float x, float shift, float unshift)
{
    float r;
    const float power = reduce_by_ln_2(x, shift, &r);
    float q = 0x1.6a4f6cp-10f;
    q = q * r + 0x1.123986p-7f;
    q = q * r + 0x1.5558aep-5f;
    q = q * r + 0x1.555492p-3f;
    q = q * r + 0x1.fffffcp-2f;
    return ((r * q + 1.0f) * r + 1.0f) * power * unshift;
}

/* exp(-a) for a in [0, 104] or NaN. */
LG_INLINE float exp_of_minus(float a)
{
    return exp_shifted(-a, 24.0f, 0x1p-24f);
}

LG_INLINE float real_exp(float x)
{
    const float above = x < -104.0f ? -104.0f : x, bounded = above > 89.0f ? 89.0f : above; /* exp(-104): 0, rounded */
    const bool negative = x < 0.0f;
    return exp_shifted(bounded, negative ? 24.0f : -2.0f, negative ? 0x1p-24f : 4.0f);
}

/* exp(r) - 1 = r + r^2 q(r) for |r| <= ln 2 / 2, q within 2^-31.1. */
LG_INLINE float expm1_of_reduced(float r)
{
    float q = 0x1.9e6e94p-13f;
    q = q * r + 0x1.6d3a42p-10f;
    q = q * r + 0x1.1112dap-7f;
    q = q * r + 0x1.5554f8p-5f;
    q = q * r + 0x1.555554p-3f;
    q = q * r + 0.5f;
    return r * r * q + r;
}

/* exp(x) - 1 = 2^n p + (2^n - 1) with p = exp(r) - 1. All but p is halved until the end, so that 2^128 is not needed
 * before the result is beyond FLT_MAX. */
LG_INLINE float real_expm1(float x)
{
    const float above = x < -20.0f ? -20.0f : x; /* -1, rounded */
    float r;
    const float half_power = reduce_by_ln_2(above > 89.0f ? 89.0f : above, -1.0f, &r), p = expm1_of_reduced(r);
    const float y = (half_power * p + (half_power - 0.5f)) * 2.0f;
    return fabsf(x) < 0x1p-25f ? x : y; /* halving would cost a subnormal its last bit, and -0 its sign */
}

/* log(1 + f) + n ln 2 = f - f^2 / 2 + f^3 g(f) + n ln 2 for 1 + f in [sqrt(1/2), sqrt(2)], g within 2^-30.3. Smallest
 * terms first. */
LG_INLINE float log_of_reduced(float f, float n)
{
    float g = 0x1.1475ecp-4f;
    g = g * f - 0x1.de0ac6p-4f;
    g = g * f + 0x1.e6c352p-4f;
    g = g * f - 0x1.fc27bap-4f;
    g = g * f + 0x1.233b66p-3f;
    g = g * f - 0x1.555c48p-3f;
    g = g * f + 0x1.99a478p-3f;
    g = g * f - 0x1.000006p-2f;
    g = g * f + 0x1.555548p-2f;
    const float square = f * f;
    const float small = square * f * g + n * LN_2_LOW - 0.5f * square;
    return n * LN_2_HIGH + (f + small);
}

/* Splits a normal positive x = 2^n m with m in [sqrt(1/2), sqrt(2)): subtracting the bits of sqrt(1/2) leaves n in the
 * exponent's place and m's distance from it in the mantissa's. */
#define SQRT_HALF_BITS 0x3F3504F3u

LG_INLINE int32_t reduce_by_2(float x, float *m)
{
    const uint32_t bits = float_bits(x) - SQRT_HALF_BITS;
    *m = bits_float((bits & 0x007FFFFFu) + SQRT_HALF_BITS);
    return (int32_t)bits >> 23;
}

LG_INLINE float real_log(float x)
{
    const bool subnormal = x < 0x1p-126f;
    float m;
    const int32_t n = reduce_by_2(x * (subnormal ? 0x1p23f : 1.0f), &m);
    float y = log_of_reduced(m - 1.0f, (float)(n - (subnormal ? 23 : 0)));
    y = x < INFINITY ? y : x; /* infinity and NaN are their own logarithm */
    y = x > 0.0f ? y : x + NAN;
    return x == 0.0f ? -INFINITY : y;
}

/* With 1 + x = 2^n m, f = m - 1 = 2^-n x + (2^-n - 1) has but one rounding, where 1 + x has lost x's last bits. Large x
 * does not notice the 1 (and 2^-n might be subnormal). */
LG_INLINE float real_log1p(float x)
{
    float m;
    const int32_t n = reduce_by_2(1.0f + x, &m);
    const float scale = power_of_2(-n);
    const float f = x > 0x1p30f ? m - 1.0f : scale * x + (scale - 1.0f);
    float y = log_of_reduced(f, (float)n);
    y = x < INFINITY ? y : x;
    y = x > -1.0f ? y : x + NAN;
    y = x == -1.0f ? -INFINITY : y;
    return x == 0.0f ? x : y;
}

/* Taking its bits from a constant turns the sign of x's exponent, and gives 1 / x but for a twentieth; each of Newton's
 * steps squares what is missing. */
LG_INLINE float real_reciprocal(float x)
{
    float y = bits_float(0x7EF311C7u - float_bits(x));
    y = y * (2.0f - x * y);
    y = y * (2.0f - x * y);
    y = y * (1.0f - x * y) + y;
    return x >= 1e38f ? 0.0f : y;
}

/* With t = exp(-2|x|) - 1 in (-1, 0]: tanh |x| = -t / (2 + t). The steps of expm1 that this range needs. */
LG_INLINE float real_tanh(float x)
{
    const float absolute = fabsf(x);
    float r;
    const float bounded = absolute > 10.0f ? 10.0f : absolute; /* tanh(10) is 1, rounded */
    const float power = reduce_by_ln_2(-2.0f * bounded, 0.0f, &r);
    const float t = power * expm1_of_reduced(r) + (power - 1.0f);
    return copysignf(t / (2.0f + t), x);
}

/* exp(-|x|) */
LG_INLINE float real_exp_minus_abs(float x)
{
    const float a = fabsf(x);
    return exp_of_minus(a > 104.0f ? 104.0f : a); /* exp(-104) is below half the least float: 0 */
}

/* log(1 + x) = x - x^2 / 2 + x^3 g(x) for x in [0, 1], g within 2^-27.0. Keeps NaN and the sign of zero. */
LG_INLINE float real_log1p_0_to_1(float x)
{
    float g = -0x1.e1da4cp-9f;
    g = g * x + 0x1.66525ap-6f;
    g = g * x - 0x1.f2fe80p-5f;
    g = g * x + 0x1.c38e0ap-4f;
    g = g * x - 0x1.3edae8p-3f;
    g = g * x + 0x1.94f9bcp-3f;
    g = g * x - 0x1.ff7d58p-3f;
    g = g * x + 0x1.55527ep-2f;
    return x * x * (x * g - 0.5f) + x;
}

/* The same for x in [-1/2, 0], g within 2^-27.7. */
LG_INLINE float real_log1p_half_to_0(float x)
{
    float g = -0x1.9e021ep+0f;
    g = g * x - 0x1.1775c6p+1f;
    g = g * x - 0x1.af91dcp+0f;
    g = g * x - 0x1.c47202p-2f;
    g = g * x - 0x1.2c82ecp-2f;
    g = g * x + 0x1.79b692p-3f;
    g = g * x - 0x1.010054p-2f;
    g = g * x + 0x1.554f30p-2f;
    return x * x * (x * g - 0.5f) + x;
}

/* With z = exp(-|x|): 1 / (1 + z), or for negative x z / (1 + z), which does not cancel. */
LG_INLINE float real_sigmoid(float x)
{
    const float z = real_exp_minus_abs(x);
    return (x < 0.0f ? z : 1.0f) / (1.0f + z);
}

/* max(x, 0) + log(1 + exp(-|x|)). Not by real_log1p_0_to_1: rounded once more near 1, the sum would fall here and
 * there. */
LG_INLINE float real_softplus(float x)
{
    return (x > 0.0f ? x : 0.0f) + real_log1p(real_exp_minus_abs(x));
}

/* |x| < 1: x + x p(x^2), p within 2^-29.4; beyond: 1 - exp(-q(|x|)), q = -log erfc within 2^-29.8 of erf, on [1, 4]. */
LG_INLINE float real_erf(float x)
{
    const float square = x * x;
    float p = 0x1.4771fcp-14f;
    p = p * square - 0x1.a3515ep-11f;
    p = p * square + 0x1.53f224p-8f;
    p = p * square - 0x1.b7f71ap-6f;
    p = p * square + 0x1.ce2ce6p-4f;
    p = p * square - 0x1.81273ep-2f;
    p = p * square + 0x1.06eba8p-3f;
    const float near = x * p + x;

    const float absolute = fabsf(x);
    const float a = absolute > 4.0f ? 4.0f : absolute; /* erf(4) is 1, rounded */
    float q = -0x1.86df46p-13f;
    q = q * a + 0x1.825be2p-9f;
    q = q * a - 0x1.65cbdep-6f;
    q = q * a + 0x1.a65372p-4f;
    q = q * a + 0x1.46bae6p-1f;
    q = q * a + 0x1.2088ecp+0f;
    q = q * a + 0x1.661a16p-12f;
    const float far = copysignf(1.0f - exp_of_minus(q), x);
    return absolute < 1.0f ? near : far;
}

/* With a = |x|, e = exp(-a^2 / 2), t = 1 / (1 + 0.3 a) and u = 1 - t, beyond a lies e t p(u), p within 2^-27.7. */
LG_INLINE float real_normal(float x, float *density)
{
    const float a = fabsf(x), e = real_exp_minus_abs(a * a * 0.5f);
    const float t = 1.0f / (1.0f + 0.3f * a), u = 1.0f - t;
    float p = 0x1.4eab08p-6f;
    p = p * u - 0x1.289c4ap-4f;
    p = p * u + 0x1.1e7400p-4f;
    p = p * u + 0x1.6f9cb4p-7f;
    p = p * u + 0x1.753b0ap-6f;
    p = p * u - 0x1.1dca32p-3f;
    p = p * u - 0x1.4bfff4p-4f;
    p = p * u + 0x1.3c7df8p-1f;
    p = p * u - 0x1.a8dc80p-1f;
    p = p * u + 0.5f;
    const float beyond = p * t * e;
    *density = 0.398942280f * e;
    return x > 0.0f ? 1.0f - beyond : beyond;
}

LG_INLINE uint64_t double_bits(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

LG_INLINE double bits_double(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* log2 of a positive double, infinity and 0 included. a = 2^n m with m in [sqrt(1/2), sqrt(2)) as in reduce_by_2, and
 * with s = (m - 1) / (m + 1), |s| < 0.172, ln m = 2 (s + s^3 / 3 + s^5 / 5 + ...), of which the terms left out are
 * below 2^-44. 2^52 + n + 1023 has the integer for its low bits: not all processors convert 64 bits. */
LG_INLINE double log2_in_double(double a)
{
    const uint64_t sqrt_half = 0x3FE6A09E667F3BCDu, one = 0x3FF0000000000000u;
    const uint64_t biased = (double_bits(a) + (one - sqrt_half)) >> 52;
    const double n = bits_double(0x4330000000000000u | biased) - (0x1p52 + 1023);
    const double m = bits_double(double_bits(a) - (biased << 52) + one), s = (m - 1) / (m + 1), z = s * s;
    double g = 1.0 / 15;
    g = g * z + 1.0 / 13;
    g = g * z + 1.0 / 11;
    g = g * z + 1.0 / 9;
    g = g * z + 1.0 / 7;
    g = g * z + 1.0 / 5;
    g = g * z + 1.0 / 3;
    const double y = n + 2.8853900817779268 * (s + s * z * g); /* 2 / ln 2 */
    return a == 0 ? -(double)INFINITY : a == (double)INFINITY ? a : y;
}

/* 2^t, 0 or beyond every float where |t| > 200: t = k + r with |r| <= 1/2, e^(r ln 2) by its series, whose terms left
 * out are below 2^-37. */
LG_INLINE double exp2_in_double(double t)
{
    const double above = t < -200 ? -200 : t, bounded = above > 200 ? 200 : above;
    const double rounder = 0x1.8p52 + 1023, sum = bounded + rounder;
    const double x = 0.69314718055994531 * (bounded - (sum - rounder));
    double p = 1.0 / 362880;
    p = p * x + 1.0 / 40320;
    p = p * x + 1.0 / 5040;
    p = p * x + 1.0 / 720;
    p = p * x + 1.0 / 120;
    p = p * x + 1.0 / 24;
    p = p * x + 1.0 / 6;
    p = p * x + 1.0 / 2;
    p = p * x + 1;
    p = p * x + 1;
    return p * bits_double(double_bits(sum) << 52);
}

/* x^exponent = +-2^(exponent log2 |x|), in double until the end. In a loop the exponent should be the same for all. */
LG_INLINE float real_pow(float x, float exponent)
{
    const double c = exponent;
    const bool whole = floor(c) == c, odd = whole && floor(c / 2) != c / 2;
    float y = (float)exp2_in_double(c * log2_in_double(fabs((double)x)));
    y = odd ? copysignf(y, x) : y;
    y = x < 0.0f && x > -INFINITY && !whole ? NAN : y;
    y = x == x ? y : x;
    return exponent == 0.0f || (exponent != exponent && x == 1.0f) ? 1.0f : y;
}

/* 4x = k + d with integer k and |d| <= 1/2; sin(pi/2 d) and cos(pi/2 d), within 2^-25 and 2^-31. */
LG_INLINE int32_t quarter_turn(float x, float *sine, float *cosine)
{
    const float sum = 4.0f * x + FLOAT_ROUNDER;
    const float d = 4.0f * x - (sum - FLOAT_ROUNDER);
    const float square = d * d;
    float s = -0x1.32e77cp-8f;
    s = s * square + 0x1.467faap-4f;
    s = s * square - 0x1.4abc22p-1f;
    s = s * square + 0x1.921fb6p+0f;
    float c = 0x1.d4f632p-11f;
    c = c * square - 0x1.55b2b4p-6f;
    c = c * square + 0x1.03c1b0p-2f;
    c = c * square - 0x1.3bd3ccp+0f;
    *sine = s * d;
    *cosine = c * square + 1.0f;
    return rounded_integer(sum);
}

#endif

/* The sine of k quarter turns and a bit, from the sine and the cosine of the bit. */
LG_INLINE lg_real sine_in_quadrant(int32_t k, lg_real sine, lg_real cosine)
{
    const lg_real y = k & 1 ? cosine : sine;
    return k & 2 ? -y : y;
}

LG_INLINE lg_real real_sin_turn(lg_real x)
{
    lg_real sine, cosine;
    const int32_t k = quarter_turn(x, &sine, &cosine);
    return sine_in_quadrant(k, sine, cosine);
}

LG_INLINE lg_real real_cos_turn(lg_real x)
{
    lg_real sine, cosine;
    const int32_t k = quarter_turn(x, &sine, &cosine);
    return sine_in_quadrant(k + 1, sine, cosine);
}

#endif
