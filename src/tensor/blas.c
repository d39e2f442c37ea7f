/* Matrix products through CBLAS. OpenBLAS is held to one thread: work is divided above it, where the shapes are known
 * (its own threads gain nothing on the small products of small nets). */
#include "tensor/blas.h"
#include "tensor/math_internal.h"
#include "tensor/profile_internal.h"
#include "tensor/tensor_internal.h"
#include "tensor/threads_internal.h"
#include "tensor/transpose_internal.h"

#include <cblas.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>

#ifdef LG_DOUBLE
#define blas_gemm cblas_dgemm
#define blas_gemv cblas_dgemv
#else
#define blas_gemm cblas_sgemm
#define blas_gemv cblas_sgemv
#endif

/* Present in OpenBLAS only; another CBLAS leaves them NULL. */
extern void openblas_set_num_threads(int threads) __attribute__((weak));
extern int openblas_get_num_threads(void) __attribute__((weak));
extern char *openblas_get_corename(void) __attribute__((weak));

const char *lg_blas_kernels(void)
{
    return openblas_get_corename ? openblas_get_corename() : "";
}

static void use_one_thread(void)
{
    if (openblas_set_num_threads && openblas_get_num_threads && openblas_get_num_threads() != 1)
        openblas_set_num_threads(1);
}

lg_status lg_gemm_check(const char *what, size_t m, size_t n, size_t k)
{
    if (m > INT_MAX || n > INT_MAX || k > INT_MAX)
        return lg_fail(LG_E_SHAPE, "%s: [%zu, %zu] x [%zu, %zu] is more than BLAS can index (%d per axis)", what, m, k,
                       k, n, INT_MAX);
    return LG_OK;
}

/* A product as lg_gemm takes it. */
typedef struct product {
    bool transpose_a, transpose_b;
    size_t m, n, k;
    const lg_real *a, *b;
    lg_real beta, *c;
} product;

static enum CBLAS_TRANSPOSE transposed(bool yes)
{
    return yes ? CblasTrans : CblasNoTrans;
}

/* Rows and columns of C from the given ones on, whose operands begin at a and b. */
static void multiply(const product *p, size_t rows, size_t columns, const lg_real *a, const lg_real *b, lg_real *c)
{
    blas_gemm(CblasRowMajor, transposed(p->transpose_a), transposed(p->transpose_b), (int)rows, (int)columns, (int)p->k, 1,
              a, (int)(p->transpose_a ? p->m : p->k), b, (int)(p->transpose_b ? p->k : p->n), p->beta, c, (int)p->n);
}

static void multiply_rows(size_t begin, size_t end, void *context)
{
    const product *p = context;
    multiply(p, end - begin, p->n, p->a + begin * (p->transpose_a ? 1 : p->k), p->b, p->c + begin * p->n);
}

static void multiply_columns(size_t begin, size_t end, void *context)
{
    const product *p = context;
    multiply(p, p->m, end - begin, p->a, p->b + begin * (p->transpose_b ? p->k : 1), p->c + begin);
}

/* y = op(A) x + beta y, A [rows, columns]. */
static void multiply_vector(bool transpose, size_t rows, size_t columns, const lg_real *a, const lg_real *x, lg_real beta,
                            lg_real *y)
{
    blas_gemv(CblasRowMajor, transposed(transpose), (int)rows, (int)columns, 1, a, (int)columns, x, 1, beta, y, 1);
}

/* Row r of C = a[r] b + beta C's, for k = 1, in rows begin .. end - 1; a column is worked on as one row. Not worth a
 * call. */
LG_CLONES static void multiply_column_by_row(size_t begin, size_t end, void *context)
{
    const product p = *(const product *)context;
    const bool column = p.n == 1;
    const size_t width = column ? end - begin : p.n, rows = column ? 1 : end - begin;
    for (size_t r = 0; r < rows; r++) {
        const lg_real factor = column ? p.b[0] : p.a[begin + r];
        const lg_real *restrict row = column ? p.a + begin : p.b;
        lg_real *restrict c = p.c + (begin + r) * p.n;
        if (p.beta == 0)
            for (size_t j = 0; j < width; j++)
                c[j] = factor * row[j];
        else
            for (size_t j = 0; j < width; j++)
                c[j] = factor * row[j] + p.beta * c[j];
    }
}

/* The product of a row and a column. gemv takes a lock for its scratch. */
LG_CLONES static lg_real dot(size_t k, const lg_real *a, const lg_real *b)
{
    lg_real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < k; i++)
        sum += a[i] * b[i];
    return sum;
}

/* Small products A B' go faster as A (B')', or as (A')' B', whichever transposition is the smaller: where OpenBLAS has
 * kernels for small matrices, which are the layers of small nets, it has none for this case; where it has none, the
 * detour costs as much as it saves. */
enum { TRANSPOSED_REALS = 8192, LEAST_ROWS = 16, SMALL_PRODUCT = 1000000 };

static bool worth_transposing(size_t m, size_t n, size_t k)
{
    return m >= LEAST_ROWS && n > 1 && (m < n ? m : n) * k <= TRANSPOSED_REALS && m * n * k <= SMALL_PRODUCT;
}

#define LEAST_FLOPS ((size_t)500000) /* of a thread's share */

/* How many rows (columns) are a thread's share, of which each takes that many operations. */
static size_t least_share(size_t flops)
{
    return LEAST_FLOPS / flops > LG_RANGE_MULTIPLE ? LEAST_FLOPS / flops : LG_RANGE_MULTIPLE;
}

/* Threads divide C by rows or by columns. Of the products of a linear layer (weights [out, in], z = x w', dw = dz' x,
 * dx = dz w) each thread then has its outputs' rows of w and dw for itself, or in dx its columns of w: what another has in
 * its cache is slow to read and slower to write. */
static void divide_product(product *p)
{
    if (p->n < 2 * LG_RANGE_MULTIPLE || (p->transpose_a && p->m >= 2 * LG_RANGE_MULTIPLE))
        lg_parallel_ranges(p->m, least_share(2 * p->n * p->k), multiply_rows, p);
    else
        lg_parallel_ranges(p->n, least_share(2 * p->m * p->k), multiply_columns, p);
}

static void multiply_transposed(product *p)
{
    _Alignas(64) lg_real transposed[TRANSPOSED_REALS];
    if (p->m < p->n) {
        lg_transpose_reals(p->m, p->k, p->a, p->k, transposed, p->m);
        p->a = transposed;
        p->transpose_a = true;
    } else {
        lg_transpose_reals(p->n, p->k, p->b, p->k, transposed, p->n);
        p->b = transposed;
        p->transpose_b = false;
    }
    divide_product(p);
}

void lg_gemm(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, const lg_real *a, const lg_real *b,
             lg_real beta, lg_real *c)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, use_one_thread);
    if (m == 0 || n == 0)
        return;
    if (k == 0) {
        if (beta == 0)
            memset(c, 0, m * n * sizeof *c);
        return;
    }
    lg_profile_flops(2 * (double)m * (double)n * (double)k);
    product p = { transpose_a, transpose_b, m, n, k, a, b, beta, c };
    if (k == 1)
        lg_parallel_ranges(m, least_share(2 * n), multiply_column_by_row, &p);
    else if (m == 1 && n == 1)
        c[0] = dot(k, a, b) + (beta == 0 ? 0 : beta * c[0]);
    else if (n == 1)
        multiply_vector(transpose_a, transpose_a ? k : m, transpose_a ? m : k, a, b, beta, c);
    else if (m == 1)
        multiply_vector(!transpose_b, transpose_b ? n : k, transpose_b ? k : n, b, a, beta, c);
    else if (transpose_b && !transpose_a && worth_transposing(m, n, k))
        multiply_transposed(&p);
    else
        divide_product(&p);
}

lg_status lg_tensor_matmul(lg_tensor *c, const lg_tensor *a, bool transpose_a, const lg_tensor *b, bool transpose_b)
{
    char at[LG_SHAPE_TEXT_BYTES], bt[LG_SHAPE_TEXT_BYTES], ct[LG_SHAPE_TEXT_BYTES];
    if (!a || !b || !c)
        return lg_fail_null("lg_tensor_matmul: a tensor is NULL");
    if (a->dtype != LG_REAL || b->dtype != LG_REAL || c->dtype != LG_REAL)
        return lg_fail(LG_E_DTYPE, "lg_tensor_matmul: all three tensors must be real");
    if (a->rank != 2 || b->rank != 2 || c->rank != 2 || a->dims[!transpose_a] != b->dims[transpose_b] ||
        c->dims[0] != a->dims[transpose_a] || c->dims[1] != b->dims[!transpose_b])
        return lg_fail(LG_E_SHAPE, "lg_tensor_matmul: %s%s x %s%s into %s do not fit",
                       lg_tensor_shape_text(a, at, sizeof at), transpose_a ? " transposed" : "",
                       lg_tensor_shape_text(b, bt, sizeof bt), transpose_b ? " transposed" : "",
                       lg_tensor_shape_text(c, ct, sizeof ct));
    const size_t m = c->dims[0], n = c->dims[1], k = a->dims[!transpose_a];
    lg_status status = lg_gemm_check("lg_tensor_matmul", m, n, k);
    if (status == LG_OK)
        lg_gemm(transpose_a, transpose_b, m, n, k, a->real, b->real, 0, c->real);
    return status;
}
