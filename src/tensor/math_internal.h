/* Elementary functions of lg_real, to be called in plain loops that the compiler vectorises:
 *
 *   real_sqrt      real_exp    real_expm1    real_sigmoid   1 / (1 + exp(-x))
 *   real_sin_turn  real_log    real_log1p    real_softplus  log(1 + exp(x)), without overflow
 *   real_cos_turn  real_tanh   real_erf
 *
 * In the double build they are libm's. */
#ifndef LG_MATH_INTERNAL_H
#define LG_MATH_INTERNAL_H

#include "tensor/base.h"

#include <math.h>

/* LG_CLONES before a function makes the compiler emit it for three generations of x86-64, chosen when the program
 * starts: use it on functions whose time goes into loops over reals. Empty where the platform lacks indirect functions
 * and under sanitizers, which cannot run before main. */
#if !defined(LG_NO_CLONES) && defined(__x86_64__) && defined(__ELF__) && defined(__GLIBC__) && !defined(__clang__) && \
    defined(__GNUC__) && __GNUC__ >= 12 && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define LG_CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define LG_CLONES
#endif

/* Inlined even where the compiler thinks a function long: a call in a loop is a loop that is not vectorised. */
#if defined(__GNUC__)
#define LG_INLINE static inline __attribute__((always_inline))
#else
#define LG_INLINE static inline
#endif

#ifdef LG_DOUBLE
#define LG_LIBM(name) name
#else
#define LG_LIBM(name) name##f
#endif

LG_INLINE lg_real real_sqrt(lg_real x)
{
    return LG_LIBM(sqrt)(x);
}

LG_INLINE lg_real real_exp(lg_real x)
{
    return LG_LIBM(exp)(x);
}

LG_INLINE lg_real real_expm1(lg_real x)
{
    return LG_LIBM(expm1)(x);
}

LG_INLINE lg_real real_log(lg_real x)
{
    return LG_LIBM(log)(x);
}

LG_INLINE lg_real real_log1p(lg_real x)
{
    return LG_LIBM(log1p)(x);
}

LG_INLINE lg_real real_tanh(lg_real x)
{
    return LG_LIBM(tanh)(x);
}

LG_INLINE lg_real real_erf(lg_real x)
{
    return LG_LIBM(erf)(x);
}

LG_INLINE lg_real real_sigmoid(lg_real x)
{
    const lg_real z = real_exp(x > 0 ? -x : x);
    return (x > 0 ? 1 : z) / (1 + z);
}

LG_INLINE lg_real real_softplus(lg_real x)
{
    return (x > 0 ? x : 0) + real_log1p(real_exp(x > 0 ? -x : x));
}

/* sin and cos of 2 pi x, for x in [0, 1]. */
LG_INLINE lg_real real_sin_turn(lg_real x)
{
    return LG_LIBM(sin)((lg_real)6.283185307179586476925286766559 * x);
}

LG_INLINE lg_real real_cos_turn(lg_real x)
{
    return LG_LIBM(cos)((lg_real)6.283185307179586476925286766559 * x);
}

#endif
