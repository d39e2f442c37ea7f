/* What a tensor is made of; shape arithmetic; the BLAS calls. For the library's own files. */
#ifndef LG_TENSOR_INTERNAL_H
#define LG_TENSOR_INTERNAL_H

#include "tensor/tensor.h"

/* Who releases a tensor. */
typedef enum lg_owner { LG_OWNER_HEAP, LG_OWNER_TAPE, LG_OWNER_PARAMS } lg_owner;

struct lg_tensor {
    lg_dtype dtype;
    lg_owner owner;
    bool requires_grad;
    bool grad_written; /* false: `grad` holds nothing yet, and the first write stores instead of adding */
    size_t rank, size;
    size_t dims[LG_MAX_RANK];
    union {
        lg_real *real;
        int32_t *index;
    };
    lg_real *grad;
    const char *name; /* of a parameter; NULL otherwise */

    /* Of a tape's tensor: the tape's generation when it was made, and where the tape counts its generations. A tensor
     * kept past the reset is recognised by the difference. */
    uint64_t generation;
    const uint64_t *tape_generation;
    struct lg_node *node; /* that computed it; NULL for leaves */
};

/* False once the tape of the tensor was reset. */
static inline bool lg_tensor_alive(const lg_tensor *tensor)
{
    return !tensor->tape_generation || tensor->generation == *tensor->tape_generation;
}

#define LG_SHAPE_TEXT_BYTES 96

/* Writes "[3, 4]" for a shape that is no tensor's yet. */
const char *lg_shape_text(size_t rank, const size_t *dims, char *text, size_t bytes);

/* The number of elements, and that they can be addressed in bytes; LG_E_SHAPE names `what` otherwise. */
lg_status lg_shape_size(const char *what, size_t rank, const size_t *dims, size_t *size);

/* Sets rank, dims and size of a header. The shape was checked. */
void lg_tensor_set_shape(lg_tensor *tensor, size_t rank, const size_t *dims, size_t size);

bool lg_same_shape(const lg_tensor *a, const lg_tensor *b);

/* LG_E_SHAPE when m, n or k exceed BLAS's int. */
lg_status lg_gemm_check(const char *what, size_t m, size_t n, size_t k);

/* C [m, n] = op(A) op(B) + beta C, op(A) [m, k], op(B) [k, n], row-major and contiguous; beta 0 overwrites C whatever
 * it held. A vector on either side goes to gemv; k = 1 is no call at all. Sizes were checked by lg_gemm_check. */
void lg_gemm(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, const lg_real *a, const lg_real *b,
             lg_real beta, lg_real *c);

#endif
