/* A parameter set as optimizers see it: one block of values, one of gradients, pieces aligned to 64 bytes with zeros
 * between them. */
#ifndef LG_PARAMS_INTERNAL_H
#define LG_PARAMS_INTERNAL_H

#include "autograd/params.h"

typedef struct lg_block {
    size_t length; /* of both, padding included; padding is 0 in both and must stay so */
    lg_real *values, *gradients;
} lg_block;

/* The blocks, with the gradient of every tensor that no backward has reached set to zero first. */
lg_block lg_params_block(lg_params *params);

/* The length of the blocks, and that of the values, leaving the gradients alone. */
size_t lg_params_length(const lg_params *params);
lg_real *lg_params_values(lg_params *params);

/* Where tensor i begins in the blocks. */
size_t lg_params_offset(const lg_params *params, size_t i);

/* The values of a snapshot, laid out as those of its set (lg_params_offset). */
lg_real *lg_snapshot_values(lg_snapshot *snapshot);

/* Takes back what was added last, down to `count` tensors: for a layer whose making failed halfway. */
void lg_params_shrink(lg_params *params, size_t count);

/* An optimizer begins or ends to work on the set: while any does, no tensor can be added. */
void lg_params_hold(lg_params *params);
void lg_params_release(lg_params *params);

#endif
