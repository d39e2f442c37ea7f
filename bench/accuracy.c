/* How far the float build's elementary functions (tensor/math_internal.h) are from the truth, over every float.
 *
 *   accuracy [STEP [FUNCTION ...]]    every STEP-th float only, from a different start in each slice; default 1: all
 *                                     2^32; of these functions only
 *
 * The truth is libm's double function; the error is in units in the last place of a float at that value, where infinity
 * counts as 2^128 and the unit of subnormals is 2^-149. A NaN where there should be none, or none where there should
 * be, is counted apart. Exit code 1 when a function is beyond its limit. */
#include "tensor/math_internal.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#ifdef LG_DOUBLE

int main(void)
{
    puts("accuracy: the double build calls libm; there is nothing to measure");
    return EXIT_SUCCESS;
}

#else

enum { CHUNK = 4096, SLICE_BITS = 20, SLICES = 1 << (32 - SLICE_BITS), MAX_THREADS = 64 };

#define OVER_ARRAY(name)                                                       \
    LG_CLONES static void array_##name(const float *x, float *restrict y)      \
    {                                                                          \
        for (size_t i = 0; i < CHUNK; i++)                                     \
            y[i] = real_##name(x[i]);                                          \
    }

/* Of the powers, some of each kind. */
#define POWER(name, exponent)                   \
    LG_INLINE float real_##name(float x)        \
    {                                           \
        return real_pow(x, exponent);           \
    }                                           \
    OVER_ARRAY(name)                            \
    static double true_##name(double x)         \
    {                                           \
        return pow(x, (double)(float)exponent); \
    }

POWER(pow_1_7, 1.7f)
POWER(pow_minus_half, -0.5f)
POWER(pow_3, 3.0f)
OVER_ARRAY(sqrt)
OVER_ARRAY(exp)
OVER_ARRAY(expm1)
OVER_ARRAY(log)
OVER_ARRAY(log1p)
OVER_ARRAY(tanh)
OVER_ARRAY(sigmoid)
OVER_ARRAY(softplus)
OVER_ARRAY(erf)
OVER_ARRAY(sin_turn)
OVER_ARRAY(cos_turn)
OVER_ARRAY(exp_minus_abs)
OVER_ARRAY(log1p_0_to_1)
OVER_ARRAY(log1p_half_to_0)
OVER_ARRAY(reciprocal)

static double true_sigmoid(double x)
{
    return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x));
}

static double true_exp_minus_abs(double x)
{
    return exp(-fabs(x));
}

static double true_reciprocal(double x)
{
    return 1 / x;
}

static double true_softplus(double x)
{
    return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

#define TWO_PI 6.283185307179586476925286766559

/* The angle beyond the last quarter turn, where 2 pi x itself would be off near the zeros. */
static double true_sin_turn(double x)
{
    if (x == 0)
        return x; /* with its sign */
    const double k = rint(4 * x), angle = TWO_PI * (x - k / 4);
    switch ((int)k & 3) {
    case 0: return sin(angle);
    case 1: return cos(angle);
    case 2: return -sin(angle);
    default: return -cos(angle);
    }
}

static double true_cos_turn(double x)
{
    return true_sin_turn(x + 0.25);
}

typedef struct {
    const char *name;
    void (*array)(const float *, float *);
    double (*truth)(double);
    float low, high; /* the inputs that count; beyond is not promised */
    double limit;    /* ULP */
} function;

static const function functions[] = {
    { "sqrt", array_sqrt, sqrt, -INFINITY, INFINITY, 0.501 },
    { "exp", array_exp, exp, -INFINITY, INFINITY, 1.1 },
    { "expm1", array_expm1, expm1, -INFINITY, INFINITY, 2 },
    { "log", array_log, log, -INFINITY, INFINITY, 1.1 },
    { "log1p", array_log1p, log1p, -INFINITY, INFINITY, 2 },
    { "tanh", array_tanh, tanh, -INFINITY, INFINITY, 3 },
    { "sigmoid", array_sigmoid, true_sigmoid, -INFINITY, INFINITY, 3 },
    { "softplus", array_softplus, true_softplus, -INFINITY, INFINITY, 2 },
    { "erf", array_erf, erf, -INFINITY, INFINITY, 2 },
    { "sin_turn", array_sin_turn, true_sin_turn, 0, 1, 2 },
    { "cos_turn", array_cos_turn, true_cos_turn, 0, 1, 2 },
    { "exp_minus_abs", array_exp_minus_abs, true_exp_minus_abs, -INFINITY, INFINITY, 1.1 },
    { "log1p_0_to_1", array_log1p_0_to_1, log1p, 0, 1, 1.5 },
    { "log1p_half_to_0", array_log1p_half_to_0, log1p, -0.5f, 0, 1.1 },
    { "reciprocal", array_reciprocal, true_reciprocal, 1e-37f, 8e37f, 1.5 },
    { "pow_1_7", array_pow_1_7, true_pow_1_7, -INFINITY, INFINITY, 0.51 },
    { "pow_minus_half", array_pow_minus_half, true_pow_minus_half, -INFINITY, INFINITY, 0.51 },
    { "pow_3", array_pow_3, true_pow_3, -INFINITY, INFINITY, 0.51 },
};

typedef struct {
    double worst;      /* ULP */
    float worst_x, worst_y;
    uint64_t tested, misrounded, wrong_nan, wrong_zero_sign;
} result;

typedef struct {
    const function *function;
    uint32_t step;
    atomic_uint next_slice;
    pthread_mutex_t lock;
    result total;
} sweep;

/* The unit in the last place of a float near `value`; that of FLT_MAX beyond. By the bits of the double: it is called
 * 2^32 times. */
static double unit_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    const int exponent = (int)(bits >> 52 & 0x7FF) - 1023;
    const int unit = exponent < -126 ? -149 : exponent > 127 ? 104 : exponent - 23;
    bits = (uint64_t)(unit + 1023) << 52;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static double finite_or_2_to_128(double value)
{
    return value > 0x1p128 ? 0x1p128 : value < -0x1p128 ? -0x1p128 : value;
}

static void judge(result *r, float x, float y, double truth)
{
    r->tested++;
    if (isnan(truth) || isnan(y)) {
        r->wrong_nan += !isnan(truth) || !isnan(y);
        return;
    }
    r->wrong_zero_sign += x == 0 && truth == 0 && !signbit(truth) != !signbit(y);
    const double bounded = finite_or_2_to_128(truth);
    const double error = fabs(finite_or_2_to_128((double)y) - bounded) / unit_of(bounded);
    r->misrounded += y != (float)truth;
    if (error > r->worst) {
        r->worst = error;
        r->worst_x = x;
        r->worst_y = y;
    }
}

static void sweep_slice(const sweep *s, uint32_t slice, result *r)
{
    const function *f = s->function;
    float x[CHUNK], y[CHUNK];
    uint64_t offset = slice % s->step; /* so that a sample does not meet the same mantissas in every slice */
    while (offset < UINT64_C(1) << SLICE_BITS) {
        size_t count = 0;
        for (; count < CHUNK && offset < UINT64_C(1) << SLICE_BITS; offset += s->step) {
            const uint32_t bits = slice << SLICE_BITS | (uint32_t)offset;
            memcpy(&x[count], &bits, sizeof bits);
            count += (x[count] >= f->low && x[count] <= f->high) || isnan(x[count]);
        }
        for (size_t i = count; i < CHUNK; i++)
            x[i] = 0;
        f->array(x, y);
        for (size_t i = 0; i < count; i++)
            judge(r, x[i], y[i], f->truth((double)x[i]));
    }
}

static void *work(void *argument)
{
    sweep *s = argument;
    result mine = { 0 };
    for (unsigned slice; (slice = atomic_fetch_add(&s->next_slice, 1)) < SLICES;)
        sweep_slice(s, slice, &mine);
    pthread_mutex_lock(&s->lock);
    if (mine.worst > s->total.worst) {
        s->total.worst = mine.worst;
        s->total.worst_x = mine.worst_x;
        s->total.worst_y = mine.worst_y;
    }
    s->total.tested += mine.tested;
    s->total.misrounded += mine.misrounded;
    s->total.wrong_nan += mine.wrong_nan;
    s->total.wrong_zero_sign += mine.wrong_zero_sign;
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

static result sweep_function(const function *f, uint32_t step, long threads)
{
    sweep s = { .function = f, .step = step, .lock = PTHREAD_MUTEX_INITIALIZER };
    pthread_t started[MAX_THREADS];
    long count = 0;
    while (count < threads - 1 && pthread_create(&started[count], NULL, work, &s) == 0)
        count++;
    work(&s);
    for (long i = 0; i < count; i++)
        pthread_join(started[i], NULL);
    return s.total;
}

static bool is_among(const char *name, char **names, int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return count == 0;
}

int main(int argc, char **argv)
{
    char *end = "";
    const long step = argc > 1 ? strtol(argv[1], &end, 10) : 1;
    if (*end || step < 1 || step > 1 << SLICE_BITS) {
        fprintf(stderr, "usage: accuracy [STEP [FUNCTION ...]]   STEP in 1 .. %d\n", 1 << SLICE_BITS);
        return 2;
    }
    long threads = sysconf(_SC_NPROCESSORS_ONLN);
    threads = threads < 1 ? 1 : threads > MAX_THREADS ? MAX_THREADS : threads;

    int failed = 0;
    printf("%-15s %11s %9s  %-15s %-15s %-15s %11s %5s %6s\n", "function", "inputs", "max ULP", "at x", "gives",
           "truth", "misrounded", "NaN", "sign 0");
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        const function *f = &functions[i];
        if (!is_among(f->name, argv + 2, argc > 2 ? argc - 2 : 0))
            continue;
        const result r = sweep_function(f, (uint32_t)step, threads);
        printf("%-15s %11llu %9.3f  %-15.8g %-15.8g %-15.8g %10.4f%% %5llu %6llu%s\n", f->name,
               (unsigned long long)r.tested, r.worst, (double)r.worst_x, (double)r.worst_y, f->truth((double)r.worst_x),
               100 * (double)r.misrounded / (double)r.tested, (unsigned long long)r.wrong_nan,
               (unsigned long long)r.wrong_zero_sign, r.worst > f->limit ? "  beyond its limit" : "");
        fflush(stdout);
        failed |= r.worst > f->limit || r.wrong_nan || r.wrong_zero_sign;
    }
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
