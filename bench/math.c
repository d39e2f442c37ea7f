/* Throughput of the elementary functions of tensor/math_internal.h beside libm's: elements per nanosecond over arrays
 * of 10000 reals, one thread, best of many rounds. */
#include "tensor/math_internal.h"

#include <stdio.h>
#include <time.h>

enum { N = 10000, ROUNDS = 300 };

#ifdef LG_DOUBLE
#define LIBM(name) name
#else
#define LIBM(name) name##f
#endif

#define OVER_ARRAY(kind, name, value)                                                              \
    LG_CLONES __attribute__((noinline)) static void kind##_##name(const lg_real *restrict in, lg_real *restrict out) \
    {                                                                                              \
        for (size_t i = 0; i < N; i++) {                                                           \
            const lg_real x = in[i];                                                               \
            out[i] = value;                                                                        \
        }                                                                                          \
    }

#define TWO_PI ((lg_real)6.283185307179586476925286766559)

OVER_ARRAY(own, sqrt, real_sqrt(x))
OVER_ARRAY(own, exp, real_exp(x))
OVER_ARRAY(own, expm1, real_expm1(x))
OVER_ARRAY(own, log, real_log(x))
OVER_ARRAY(own, log1p, real_log1p(x))
OVER_ARRAY(own, tanh, real_tanh(x))
OVER_ARRAY(own, sigmoid, real_sigmoid(x))
OVER_ARRAY(own, softplus, real_softplus(x))
OVER_ARRAY(own, erf, real_erf(x))
OVER_ARRAY(own, sin_turn, real_sin_turn(x))
OVER_ARRAY(own, cos_turn, real_cos_turn(x))

OVER_ARRAY(libm, sqrt, LIBM(sqrt)(x))
OVER_ARRAY(libm, exp, LIBM(exp)(x))
OVER_ARRAY(libm, expm1, LIBM(expm1)(x))
OVER_ARRAY(libm, log, LIBM(log)(x))
OVER_ARRAY(libm, log1p, LIBM(log1p)(x))
OVER_ARRAY(libm, tanh, LIBM(tanh)(x))
OVER_ARRAY(libm, sigmoid, 1 / (1 + LIBM(exp)(-x)))
OVER_ARRAY(libm, softplus, (x > 0 ? x : 0) + LIBM(log1p)(LIBM(exp)(-LIBM(fabs)(x))))
OVER_ARRAY(libm, erf, LIBM(erf)(x))
OVER_ARRAY(libm, sin_turn, LIBM(sin)(TWO_PI * x))
OVER_ARRAY(libm, cos_turn, LIBM(cos)(TWO_PI * x))

typedef void array_function(const lg_real *restrict, lg_real *restrict);

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static volatile lg_real kept;

/* Elements per nanosecond. */
static double throughput(array_function *function, double low, double high)
{
    static lg_real in[N], out[N];
    for (size_t i = 0; i < N; i++) /* neighbours differ in sign and size, as data do */
        in[i] = (lg_real)(low + (high - low) * (double)(i * 7919 % N) / N);
    double best = INFINITY;
    for (int round = 0; round < ROUNDS; round++) {
        const double start = seconds();
        function(in, out);
        const double taken = seconds() - start;
        best = taken < best ? taken : best;
        kept = out[(size_t)round % N];
    }
    return N / best * 1e-9;
}

int main(void)
{
    static const struct {
        const char *name;
        array_function *own, *libm;
        double low, high;
    } rows[] = {
        { "sqrt", own_sqrt, libm_sqrt, 0, 100 },
        { "exp", own_exp, libm_exp, -20, 20 },
        { "expm1", own_expm1, libm_expm1, -5, 5 },
        { "log", own_log, libm_log, 1e-6, 100 },
        { "log1p", own_log1p, libm_log1p, -0.9, 10 },
        { "tanh", own_tanh, libm_tanh, -5, 5 },
        { "sigmoid", own_sigmoid, libm_sigmoid, -20, 20 },
        { "softplus", own_softplus, libm_softplus, -20, 20 },
        { "erf", own_erf, libm_erf, -4, 4 },
        { "sin_turn", own_sin_turn, libm_sin_turn, 0, 1 },
        { "cos_turn", own_cos_turn, libm_cos_turn, 0, 1 },
    };
    printf("%-9s %10s %10s %7s   (elements per ns, %d at a time)\n", "function", "own", "libm", "ratio", N);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const double own = throughput(rows[i].own, rows[i].low, rows[i].high);
        const double libm = throughput(rows[i].libm, rows[i].low, rows[i].high);
        printf("%-9s %10.2f %10.2f %7.1f\n", rows[i].name, own, libm, own / libm);
    }
    return 0;
}
