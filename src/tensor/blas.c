/* Matrix products through CBLAS. OpenBLAS is held to one thread: work is divided above it, where the shapes are known
 * (its own threads gain nothing on the small products of small nets). */
#include "tensor/blas.h"
#include "tensor/tensor_internal.h"

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
extern char *openblas_get_corename(void) __attribute__((weak));

const char *lg_blas_kernels(void)
{
    return openblas_get_corename ? openblas_get_corename() : "";
}

static void use_one_thread(void)
{
    if (openblas_set_num_threads)
        openblas_set_num_threads(1);
}

lg_status lg_gemm_check(const char *what, size_t m, size_t n, size_t k)
{
    if (m > INT_MAX || n > INT_MAX || k > INT_MAX)
        return lg_fail(LG_E_SHAPE, "%s: [%zu, %zu] x [%zu, %zu] is more than BLAS can index (%d per axis)", what, m, k,
                       k, n, INT_MAX);
    return LG_OK;
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
    const int rows = (int)m, columns = (int)n, depth = (int)k;
    if (n == 1) { /* c = op(A) b */
        blas_gemv(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans, transpose_a ? depth : rows,
                  transpose_a ? rows : depth, 1, a, transpose_a ? rows : depth, b, 1, beta, c, 1);
    } else if (m == 1) { /* c' = op(B)' a' */
        blas_gemv(CblasRowMajor, transpose_b ? CblasNoTrans : CblasTrans, transpose_b ? columns : depth,
                  transpose_b ? depth : columns, 1, b, transpose_b ? depth : columns, a, 1, beta, c, 1);
    } else {
        blas_gemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans, rows,
                  columns, depth, 1, a, transpose_a ? rows : depth, b, transpose_b ? depth : columns, beta, c, columns);
    }
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
