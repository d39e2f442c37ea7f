#include "blas_time.h"

#include <cblas.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

static atomic_bool counting;
static _Atomic uint64_t nanoseconds;

static double seconds_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double wall_seconds(void)
{
    return seconds_of(CLOCK_MONOTONIC);
}

double processor_seconds(void)
{
    return seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

double thread_seconds(void)
{
    return seconds_of(CLOCK_THREAD_CPUTIME_ID);
}

void blas_time_begin(void)
{
    atomic_store(&nanoseconds, 0);
    atomic_store(&counting, true);
}

double blas_time_end(void)
{
    atomic_store(&counting, false);
    return 1e-9 * (double)atomic_load(&nanoseconds);
}

static uint64_t begin(void)
{
    struct timespec now = { 0 };
    if (atomic_load_explicit(&counting, memory_order_relaxed))
        clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void end(uint64_t start)
{
    if (start > 0)
        atomic_fetch_add_explicit(&nanoseconds, begin() - start, memory_order_relaxed);
}

typedef enum CBLAS_ORDER order;
typedef enum CBLAS_TRANSPOSE transpose;

#define WRAP_GEMM(name, real)                                                                                         \
    void __real_##name(order, transpose, transpose, int, int, int, real, const real *, int, const real *, int, real,  \
                       real *, int);                                                                                  \
    void __wrap_##name(order o, transpose ta, transpose tb, int m, int n, int k, real alpha, const real *a, int lda,  \
                       const real *b, int ldb, real beta, real *c, int ldc);                                          \
    void __wrap_##name(order o, transpose ta, transpose tb, int m, int n, int k, real alpha, const real *a, int lda,  \
                       const real *b, int ldb, real beta, real *c, int ldc)                                           \
    {                                                                                                                 \
        const uint64_t start = begin();                                                                               \
        __real_##name(o, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);                                       \
        end(start);                                                                                                   \
    }
#define WRAP_GEMV(name, real)                                                                                         \
    void __real_##name(order, transpose, int, int, real, const real *, int, const real *, int, real, real *, int);    \
    void __wrap_##name(order o, transpose ta, int m, int n, real alpha, const real *a, int lda, const real *x, int dx, \
                       real beta, real *y, int dy);                                                                   \
    void __wrap_##name(order o, transpose ta, int m, int n, real alpha, const real *a, int lda, const real *x, int dx, \
                       real beta, real *y, int dy)                                                                    \
    {                                                                                                                 \
        const uint64_t start = begin();                                                                               \
        __real_##name(o, ta, m, n, alpha, a, lda, x, dx, beta, y, dy);                                                \
        end(start);                                                                                                   \
    }

WRAP_GEMM(cblas_sgemm, float)
WRAP_GEMM(cblas_dgemm, double)
WRAP_GEMV(cblas_sgemv, float)
WRAP_GEMV(cblas_dgemv, double)
