#include "bare.h"

#include "blas_time.h"
#include "tensor/math_internal.h"

#include <stdlib.h>

enum { MOST_ARRAYS = 6, CACHED = 1024 };

#define LEAST_SECONDS 2e-3 /* of a measurement */

/* to[0] = ... = to[written - 1] = the sum of what is read. */
LG_CLONES static void move(size_t n, size_t read, lg_real *const from[], size_t written, lg_real *const to[])
{
    const lg_real *a = from[0], *b = from[read > 1 ? 1 : 0], *c = from[read > 2 ? 2 : 0], *d = from[read > 3 ? 3 : 0];
    lg_real *x = to[0], *y = to[written > 1 ? 1 : 0], *z = to[written > 2 ? 2 : 0];
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        const lg_real sum = (a[i] + b[i]) + (c[i] + d[i]);
        x[i] = y[i] = z[i] = sum;
    }
}

LG_CLONES static void take_exponentials(const lg_real *restrict x, lg_real *restrict y)
{
    for (size_t i = 0; i < CACHED; i++)
        y[i] = real_exp(x[i]);
}

/* A loop of each kind; what they read stays 0. */
typedef struct loop {
    const bare_work *work;
    lg_real *arrays[MOST_ARRAYS];
} loop;

/* Parameters, gradient and state, all but the gradient written back: the last array is the gradient. */
static void update(const loop *l)
{
    move(l->work->parameters, l->work->arrays, l->arrays, l->work->arrays - 1, l->arrays);
}

static void stream(const loop *l)
{
    move(l->work->elements, l->work->read, l->arrays, l->work->written, l->arrays + l->work->read);
}

static void functions(const loop *l)
{
    for (size_t i = 0; i < l->work->elements * l->work->exponentials; i += CACHED)
        take_exponentials(l->arrays[0], l->arrays[1]);
}

static bool time_loop(const bare_work *work, void (*run)(const loop *l), size_t arrays, size_t length, double *seconds)
{
    loop l = { .work = work };
    bool fine = true;
    *seconds = 0;
    for (size_t i = 0; i < arrays; i++) {
        l.arrays[i] = aligned_alloc(64, (length * sizeof(lg_real) / 64 + 1) * 64);
        fine = fine && l.arrays[i];
        for (size_t k = 0; fine && k < length; k++)
            l.arrays[i][k] = 0;
    }
    for (size_t times = 1; fine && *seconds < LEAST_SECONDS; times *= 4) {
        const double start = thread_seconds();
        for (size_t i = 0; i < times; i++)
            run(&l);
        *seconds = thread_seconds() - start;
        if (*seconds >= LEAST_SECONDS) {
            *seconds /= (double)times;
            break;
        }
    }
    for (size_t i = 0; i < arrays; i++)
        free(l.arrays[i]);
    return fine;
}

bool bare_seconds(const bare_work *w, double *seconds)
{
    double updating = 0, streaming = 0, computing = 0;
    const bool fine = (w->arrays == 0 || time_loop(w, update, w->arrays, w->parameters, &updating)) &&
                      (w->written == 0 || time_loop(w, stream, w->read + w->written, w->elements, &streaming)) &&
                      (w->exponentials == 0 || time_loop(w, functions, 2, CACHED, &computing));
    *seconds = updating + (streaming > computing ? streaming : computing);
    return fine;
}
