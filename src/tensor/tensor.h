/* Tensors: row-major, contiguous arrays of lg_real or int32 indices, of rank 0 (a scalar) to LG_MAX_RANK.
 *
 * A tensor made here lives on the heap until lg_tensor_free. A tensor made by an operation on a tape belongs to that
 * tape and dies at lg_tape_reset; a parameter belongs to its lg_params. Freeing either of those is refused silently:
 * lg_tensor_free on them does nothing.
 *
 * Shapes are passed as (rank, dims); LG_SHAPE(3, 4) writes both: lg_tensor_zeros(LG_SHAPE(3, 4)). */
#ifndef LG_TENSOR_H
#define LG_TENSOR_H

#include "tensor/base.h"
#include "tensor/random.h"

LG_BEGIN_DECLS

#define LG_MAX_RANK 4
#define LG_SHAPE(...) (sizeof((size_t[]){ __VA_ARGS__ }) / sizeof(size_t)), (const size_t[]){ __VA_ARGS__ }
#define LG_SCALAR_SHAPE 0, NULL

typedef struct lg_tensor lg_tensor;

typedef enum lg_dtype { LG_REAL = 0, LG_INT32 = 1 } lg_dtype;

/* New tensors on the heap; NULL on error: LG_E_SHAPE when rank > LG_MAX_RANK or the product of the dims overflows or
 * exceeds the address space, LG_E_MEMORY. A dim may be 0 (an empty tensor). */
LG_API lg_tensor *lg_tensor_zeros(size_t rank, const size_t *dims);
LG_API lg_tensor *lg_tensor_full(size_t rank, const size_t *dims, double value);

/* Copies the product of dims values from `values`. */
LG_API lg_tensor *lg_tensor_from(size_t rank, const size_t *dims, const lg_real *values);
LG_API lg_tensor *lg_tensor_from_indices(size_t rank, const size_t *dims, const int32_t *indices);

/* Random: uniform in [low, high); normal with the given mean and standard deviation (>= 0, else LG_E_PARAM). */
LG_API lg_tensor *lg_tensor_uniform(size_t rank, const size_t *dims, double low, double high, lg_rng *rng);
LG_API lg_tensor *lg_tensor_normal(size_t rank, const size_t *dims, double mean, double deviation, lg_rng *rng);

/* Weight initialisations. fan_in and fan_out of a shape [out, in, ...]: in and out, each times the product of the
 * remaining dims (as PyTorch counts them); rank < 2 is LG_E_SHAPE.
 *   glorot  uniform in +-sqrt(6 / (fan_in + fan_out)), or normal with deviation sqrt(2 / (fan_in + fan_out))
 *           Glorot & Bengio 2010
 *   he      uniform in +-sqrt(6 / fan_in), or normal with deviation sqrt(2 / fan_in)     He et al. 2015 (for relu) */
LG_API lg_tensor *lg_tensor_glorot_uniform(size_t rank, const size_t *dims, lg_rng *rng);
LG_API lg_tensor *lg_tensor_glorot_normal(size_t rank, const size_t *dims, lg_rng *rng);
LG_API lg_tensor *lg_tensor_he_uniform(size_t rank, const size_t *dims, lg_rng *rng);
LG_API lg_tensor *lg_tensor_he_normal(size_t rank, const size_t *dims, lg_rng *rng);

/* Releases a tensor made by one of the functions above; NULL is harmless. */
LG_API void lg_tensor_free(lg_tensor *tensor);

/* What a tensor is. On NULL: rank, dim and size are 0, dtype is LG_REAL. lg_tensor_dim of an axis >= rank is 1. */
LG_API size_t lg_tensor_rank(const lg_tensor *tensor);
LG_API size_t lg_tensor_dim(const lg_tensor *tensor, size_t axis);
LG_API const size_t *lg_tensor_dims(const lg_tensor *tensor);
LG_API size_t lg_tensor_size(const lg_tensor *tensor);
LG_API lg_dtype lg_tensor_dtype(const lg_tensor *tensor);

/* The values, row-major; NULL for NULL, for the other dtype, or for a tensor of a tape that was reset since. Writing
 * through them is allowed for tensors that no recorded operation has read yet. */
LG_API lg_real *lg_tensor_data(lg_tensor *tensor);
LG_API int32_t *lg_tensor_indices(lg_tensor *tensor);

/* The single value of a tensor of one element; NaN (with lg_error set) for anything else. */
LG_API double lg_tensor_item(const lg_tensor *tensor);

/* Marks a heap tensor as one that wants a gradient (a leaf); room for it is made here. LG_E_DTYPE for int32, LG_E_STATE
 * for a tensor of a tape, LG_E_MEMORY. Parameters of lg_params are marked already. */
LG_API lg_status lg_tensor_require_grad(lg_tensor *tensor, bool required);
LG_API bool lg_tensor_requires_grad(const lg_tensor *tensor);

/* The gradient after lg_backward, of the tensor's shape; NULL if none was computed. Gradients of heap tensors and
 * parameters accumulate over backward passes until zeroed (lg_tensor_zero_grad, lg_params_zero_grad). */
LG_API lg_real *lg_tensor_grad(lg_tensor *tensor);
LG_API void lg_tensor_zero_grad(lg_tensor *tensor);

/* Gives a heap tensor another shape of the same size, in place; LG_E_SHAPE if the sizes differ, LG_E_STATE for tensors
 * of a tape (use lg_reshape) or parameters. */
LG_API lg_status lg_tensor_reshape(lg_tensor *tensor, size_t rank, const size_t *dims);

/* c = op(a) op(b) for rank-2 real tensors, op the transpose where asked, computed by BLAS without copying; `c` is
 * [rows of op(a), columns of op(b)] and must not overlap the inputs. LG_E_SHAPE, LG_E_DTYPE. Not recorded: see
 * lg_matmul for the differentiable one. */
LG_API lg_status lg_tensor_matmul(lg_tensor *c, const lg_tensor *a, bool transpose_a, const lg_tensor *b,
                                  bool transpose_b);

/* Prints shape and values, at most `3 ... 3` per axis longer than 8, as NumPy does:
 *   tensor [2, 3] float32
 *   [[1, 2, 3],
 *    [4, 5, 6]]                                   */
LG_API void lg_tensor_print(const lg_tensor *tensor, FILE *stream);

/* Writes "[128, 784]" into text (cut at `bytes`), and returns text. "[]" for a scalar, "NULL" for NULL. */
LG_API const char *lg_tensor_shape_text(const lg_tensor *tensor, char *text, size_t bytes);

LG_END_DECLS

#endif
