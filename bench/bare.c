#include "bare.h"

#include "blas_time.h"
#include "tensor/math_internal.h"

#include <stdlib.h>

enum { MOST_ARRAYS = 6, CACHED = 1024 };

#define LEAST_SECONDS 5e-3 /* of a measurement */

LG_CLONES static void add(size_t n, const lg_real *restrict a, const lg_real *restrict b, lg_real *restrict sum)
{
    for (size_t i = 0; i < n; i++)
        sum[i] = a[i] + b[i];
}

/* What SGD and Adam cannot do without. Value, state and gradient one after the other. */
LG_CLONES static void descend(size_t n, lg_real *const array[])
{
    lg_real *restrict p = array[0], *restrict g = array[1];
    for (size_t i = 0; i < n; i++)
        p[i] -= g[i];
}

LG_CLONES static void descend_with_moments(size_t n, lg_real *const array[])
{
    lg_real *restrict p = array[0], *restrict m = array[1], *restrict v = array[2], *restrict g = array[3];
    for (size_t i = 0; i < n; i++) {
        m[i] += g[i];
        v[i] += g[i] * g[i];
        p[i] -= m[i] * real_reciprocal(real_sqrt(v[i]) + 1);
    }
}

LG_CLONES static void take_exponentials(const lg_real *restrict x, lg_real *restrict y)
{
    for (size_t i = 0; i < CACHED; i++)
        y[i] = real_exp(x[i]);
}

/* A loop of each kind; what they read stays 0. Arrays begin at different places in their pages: a processor takes a
 * load for dependent on a store at the same place in another page. */
typedef struct loop {
    const bare_work *work;
    lg_real *arrays[MOST_ARRAYS];
} loop;

#define STAGGER ((size_t)17 * 64) /* bytes */

static void update(const loop *l)
{
    if (l->work->arrays == 2)
        descend(l->work->parameters, l->arrays);
    else
        descend_with_moments(l->work->parameters, l->arrays);
}

/* Each array that is written is the sum of two that are read, a block at a time. */
static void stream(const loop *l)
{
    const bare_work *w = l->work;
    lg_real *const *from = l->arrays, *const *to = l->arrays + w->read;
    for (size_t first = 0; first < w->elements; first += CACHED) {
        const size_t n = w->elements - first < CACHED ? w->elements - first : CACHED;
        for (size_t i = 0; i < w->written; i++)
            add(n, from[i] + first, from[(i + 1) % w->read] + first, to[i] + first);
    }
}

static void functions(const loop *l)
{
    for (size_t i = 0; i < l->work->elements * l->work->exponentials; i += CACHED)
        take_exponentials(l->arrays[0], l->arrays[1]);
}

static bool time_loop(const bare_work *work, void (*run)(const loop *l), size_t arrays, size_t length, double *seconds)
{
    loop l = { .work = work };
    void *block[MOST_ARRAYS];
    bool fine = true;
    *seconds = 0;
    for (size_t i = 0; i < arrays; i++) {
        block[i] = aligned_alloc(64, (length * sizeof(lg_real) / 64 + 1) * 64 + i * STAGGER);
        fine = fine && block[i];
        l.arrays[i] = fine ? (lg_real *)((char *)block[i] + i * STAGGER) : NULL;
        for (size_t k = 0; fine && k < length; k++)
            l.arrays[i][k] = 0;
    }
    if (fine)
        run(&l);
    double elapsed = 0;
    for (size_t times = 1; fine && elapsed < LEAST_SECONDS; times *= 4) {
        const double start = thread_seconds();
        for (size_t i = 0; i < times; i++)
            run(&l);
        elapsed = thread_seconds() - start;
        *seconds = elapsed / (double)times;
    }
    for (size_t i = 0; i < arrays; i++)
        free(block[i]);
    return fine;
}

bool bare_seconds(const bare_work *w, double *seconds)
{
    const bare_work activations = { .elements = w->activations, .read = 2, .written = 1 };
    double updating = 0, streaming = 0, computing = 0, deriving = 0;
    const bool fine = (w->arrays == 0 || time_loop(w, update, w->arrays, w->parameters, &updating)) &&
                      (w->written == 0 || time_loop(w, stream, w->read + w->written, w->elements, &streaming)) &&
                      (w->exponentials == 0 || time_loop(w, functions, 2, CACHED, &computing)) &&
                      (w->activations == 0 || time_loop(&activations, stream, 3, w->activations, &deriving));
    *seconds = updating + deriving + (streaming > computing ? streaming : computing);
    return fine;
}
