/* The tape: a define-by-run record of operations, and reverse-mode differentiation over it.
 *
 * Every operation (ops.h, losses.h, the layers) takes the tape first, computes at once, and records how. lg_backward
 * walks the record from a scalar back and leaves d scalar / d tensor in every tensor that requires a gradient.
 * lg_tape_reset forgets the record and all its tensors in constant time and keeps the memory, so that from the second
 * step of the same size on nothing is allocated.
 *
 *     lg_tape *tape = lg_tape_new();
 *     for each batch:
 *         lg_tape_reset(tape);
 *         lg_tensor *loss = ...operations on tape...;
 *         if (lg_backward(tape, loss) != LG_OK) ...lg_error()...
 *         ...use the gradients...
 *     lg_tape_free(tape);
 *
 * An operation that is given NULL returns NULL and keeps the message that came first: check a whole expression once,
 * at its end. A tape is used by one thread at a time.
 * Reference: Griewank & Walther, "Evaluating Derivatives", 2008, on the reverse mode. */
#ifndef LG_TAPE_H
#define LG_TAPE_H

#include "tensor/tensor.h"

LG_BEGIN_DECLS

typedef struct lg_tape lg_tape;

/* A new, empty tape in training mode, seed 0; NULL with LG_E_MEMORY. */
LG_API lg_tape *lg_tape_new(void);
LG_API void lg_tape_free(lg_tape *tape);

/* Forgets everything recorded. Tensors of the tape must not be used any more; using one is reported as LG_E_STATE. */
LG_API void lg_tape_reset(lg_tape *tape);

/* Training (true, the default) or evaluation: dropout acts in training only. */
LG_API void lg_tape_set_training(lg_tape *tape, bool training);
LG_API bool lg_tape_is_training(const lg_tape *tape);

/* Whether what is recorded from here on can be differentiated (true, the default). Off: operations compute values only
 * and keep nothing for backward. */
LG_API void lg_tape_set_gradients(lg_tape *tape, bool wanted);

/* Names the random stream of what is recorded next: a hash of (seed, epoch, step); each use of it on the tape (each
 * dropout) then takes a stream of its own, in order. Equal names give equal numbers. */
LG_API void lg_tape_set_random(lg_tape *tape, uint64_t seed, uint64_t epoch, uint64_t step);

/* The generator for the next random use on this tape. */
LG_API lg_rng lg_tape_next_rng(lg_tape *tape);

/* ------------------------------------------------------------------ leaves
 * Heap tensors and parameters are operands as they are. These put plain arrays on the tape; NULL on error.
 *   constant  copies; no gradient        variable  copies; its gradient is wanted
 *   view      borrows `values` until the reset; no gradient */
LG_API lg_tensor *lg_constant(lg_tape *tape, size_t rank, const size_t *dims, const lg_real *values);
LG_API lg_tensor *lg_constant_indices(lg_tape *tape, size_t rank, const size_t *dims, const int32_t *indices);
LG_API lg_tensor *lg_variable(lg_tape *tape, size_t rank, const size_t *dims, const lg_real *values);
LG_API lg_tensor *lg_view(lg_tape *tape, size_t rank, const size_t *dims, const lg_real *values);
LG_API lg_tensor *lg_view_indices(lg_tape *tape, size_t rank, const size_t *dims, const int32_t *indices);

/* ---------------------------------------------------------------- backward */

/* Adds d root / d t to the gradient of every tensor t that requires one and that `root` depends on. `root` has one
 * element. Once per recording. Numbers so small that they are subnormal count as 0 meanwhile on x86-64, where they
 * would take many times as long. Errors: LG_E_STATE when backward already ran since the reset, or nothing that `root`
 * depends on requires a gradient; LG_E_SHAPE when `root` is not a scalar (use lg_backward_from); LG_E_MEMORY, before
 * any gradient is touched. */
LG_API lg_status lg_backward(lg_tape *tape, lg_tensor *root);

/* The same from a root of any shape with the upstream gradient d objective / d root, a real tensor of root's shape. */
LG_API lg_status lg_backward_from(lg_tape *tape, lg_tensor *root, const lg_tensor *upstream);

/* -------------------------------------------------------------- inspection */

/* The recorded graph, a line per operation, with what needs gradients and what the tape holds in memory:
 *   #0  linear   (x [32, 64], hidden.weight [32, 64] grad, hidden.bias [32] grad) -> [32, 32] grad   */
LG_API void lg_tape_print(const lg_tape *tape, FILE *stream);

/* The first recorded operation whose result holds a NaN or infinity; writes a sentence about it ("log #3 [32, 10] is
 * the first operation with a NaN, at [0, 7], from finite inputs") into text and returns true; false if there is none. */
LG_API bool lg_tape_find_nonfinite(const lg_tape *tape, char *text, size_t bytes);

/* Operations recorded since the reset; bytes that the tape holds. */
LG_API size_t lg_tape_length(const lg_tape *tape);
LG_API size_t lg_tape_bytes(const lg_tape *tape);

/* ---------------------------------------------------------- ops of your own
 * An op is a pair of functions on a node. `forward` fills the output from the inputs. `backward` adds to the gradients
 * of the inputs, given that of the output; it is called only when some input wants one.
 *
 *     static void cube_forward(const lg_node *node)
 *     {
 *         const lg_real *x = lg_node_input(node, 0)...;  y[i] = x[i] * x[i] * x[i];
 *     }
 *     static void cube_backward(const lg_node *node)
 *     {
 *         lg_real *gx = lg_node_input_grad(node, 0);                       (NULL: not wanted)
 *         if (gx) for (...) gx[i] += 3 * x[i] * x[i] * gy[i];
 *     }
 *     static const lg_op cube = { "cube", cube_forward, cube_backward };
 *     lg_tensor *y = lg_record(tape, &cube, 1, (lg_tensor *[]){ x }, rank, dims, NULL, 0, 0);            */
typedef struct lg_node lg_node;

typedef struct lg_op {
    const char *name;
    void (*forward)(const lg_node *node);
    void (*backward)(const lg_node *node); /* NULL: the result never requires a gradient */
} lg_op;

/* Records `op` on `count` inputs with a real result of shape (rank, dims). `attributes` (NULL or `attribute_bytes`
 * bytes) are copied onto the tape; `saved_bytes` are reserved for what forward leaves to backward. The op, and the
 * name in it, must outlive the tape's record. NULL on error. */
LG_API lg_tensor *lg_record(lg_tape *tape, const lg_op *op, size_t count, lg_tensor *const inputs[], size_t rank,
                            const size_t *dims, const void *attributes, size_t attribute_bytes, size_t saved_bytes);

LG_API size_t lg_node_input_count(const lg_node *node);
LG_API lg_tensor *lg_node_input(const lg_node *node, size_t i);
LG_API lg_tensor *lg_node_output(const lg_node *node);
LG_API const void *lg_node_attributes(const lg_node *node);
LG_API void *lg_node_saved(const lg_node *node);

/* In backward: the gradient of the output (read it), and of input i (add to it; zeros at first); NULL when input i
 * wants none. Finish with one input before asking for the next: two inputs may be the same tensor. */
LG_API const lg_real *lg_node_output_grad(const lg_node *node);
LG_API lg_real *lg_node_input_grad(const lg_node *node, size_t i);

LG_END_DECLS

#endif
