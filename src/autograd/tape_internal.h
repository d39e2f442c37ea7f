/* The tape from inside: nodes, recording, and where a backward function writes its gradients. */
#ifndef LG_TAPE_INTERNAL_H
#define LG_TAPE_INTERNAL_H

#include "autograd/tape.h"
#include "tensor/arena_internal.h"
#include "tensor/tensor_internal.h"

struct lg_node {
    const lg_op *op;
    const char *name; /* op->name, or what the recipe calls it */
    lg_tape *tape;
    lg_tensor *output;
    lg_tensor **inputs;
    size_t count;
    void *attributes, *saved;
    lg_node *previous, *next;
    size_t number;
    bool wants_grad; /* some input requires a gradient, and gradients were on */
};

struct lg_tape {
    lg_arena values;     /* nodes, values, gradients, what backward needs: forgotten and poisoned at reset */
    lg_arena headers[2]; /* tensor headers, the two in turn: a stale tensor still shows its old generation */
    uint64_t generation;
    lg_node *first, *last;
    size_t length;
    size_t grad_bytes;    /* what backward will carve from `values` */
    size_t scratch_bytes; /* the most that one node's backward needs for itself */
    void *scratch;        /* while backward runs: so much, which every node may use; 64-byte aligned */
    bool training, gradients, backward_done;
    lg_rng random; /* the stream of (seed, epoch, step) */
    uint64_t random_uses;
    void *context; /* of whoever drives the tape (the fit loop keeps its reports here); NULL otherwise */
};

/* True when every input is there, alive, and of this tape or the heap, and the tape itself is there; otherwise sets
 * the error. Every op's front starts with it. */
bool lg_operands(const lg_tape *tape, const char *name, size_t count, lg_tensor *const inputs[]);

/* lg_operands, and that all inputs are real. */
bool lg_real_operands(const lg_tape *tape, const char *name, size_t count, lg_tensor *const inputs[]);

/* Whether recording on these inputs now would need a backward. */
bool lg_wants_grad(const lg_tape *tape, size_t count, lg_tensor *const inputs[]);

/* What is recorded: lg_record without its checks of the operands. `view`, where not NULL, is used as the output's
 * values instead of fresh memory (the op's forward may be NULL then). `name` is shown instead of the op's. */
typedef struct lg_recipe {
    size_t rank;
    const size_t *dims;
    const void *attributes;
    size_t attribute_bytes, saved_bytes;
    size_t scratch_bytes; /* of tape->scratch, for this node's backward */
    lg_real *view;
    const char *name;
} lg_recipe;
lg_tensor *lg_record_recipe(lg_tape *tape, const lg_op *op, size_t count, lg_tensor *const inputs[],
                            const lg_recipe *recipe);

/* A tensor header of the tape's present generation, without values. */
lg_tensor *lg_tape_header(lg_tape *tape, lg_dtype dtype, size_t rank, const size_t *dims, size_t size);

/* In backward: where to put the gradient of input i, or NULL when it wants none. The first writer of a gradient
 * stores, later ones add: write every element as   g[i] = value + (add ? g[i] : 0)   (lg_put). Finish one input
 * before asking for the next. */
lg_real *lg_grad_target(const lg_node *node, size_t i, bool *add);

static inline void lg_put(lg_real *gradient, size_t i, bool add, lg_real value)
{
    gradient[i] = add ? gradient[i] + value : value;
}

/* In backward: hands `values` over as the gradient of input i, where nobody wrote one before and the input is a tape
 * tensor: no copy is made. Otherwise they are added (or stored) as usual. `values` must live on the tape and not be
 * used by the op any more. */
void lg_grad_give(const lg_node *node, size_t i, lg_real *values);

#endif
