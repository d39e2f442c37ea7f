/* What an optimizer is made of: for the file of each optimizer, and for checkpoints, which save `steps` and the blocks
 * of `state` by name. */
#ifndef LG_OPTIMIZER_INTERNAL_H
#define LG_OPTIMIZER_INTERNAL_H

#include "autograd/params_internal.h"
#include "optim/optimizer.h"
#include "tensor/threads_internal.h"

#define LG_OPTIMIZER_STATES 3

/* An epsilon below this would be 0 as an lg_real, and 0 / (0 + epsilon) must be 0. */
#define LG_SMALLEST_EPSILON 1e-37

struct lg_optimizer {
    const char *name;
    /* Updates one piece, whose state begins at `offset` of each state block. `steps` counts the running step. Subnormal
     * numbers are flushed around it. */
    void (*update)(const lg_optimizer *optimizer, lg_block piece, size_t offset);
    lg_params *params;
    double learning_rate;
    uint64_t steps;
    union {
        lg_sgd_options sgd;
        lg_adam_options adam;
        lg_rmsprop_options rmsprop;
    } options; /* defaults filled in; learning_rate is kept above */
    bool decoupled; /* adamw */

    /* Blocks of `state_length` reals, laid out as those of the set (lg_params_offset), in one allocation. */
    size_t state_count, state_length;
    const char *state_name[LG_OPTIMIZER_STATES]; /* "m", "v"; "momentum"; "v", "mean", "momentum" */
    lg_real *state[LG_OPTIMIZER_STATES];
};

/* A copy of `recipe` on the heap, with its learning rate checked, the state blocks it names allocated and zeroed, and
 * its hold on the set; NULL on error. `what` names the constructor. */
lg_optimizer *lg_optimizer_make(const char *what, const lg_optimizer *recipe);

/* The block of a name; NULL where the optimizer has none of that name. */
lg_real *lg_optimizer_state(const lg_optimizer *optimizer, const char *name);

/* What an option means: `standard` for 0, 0 for LG_ZERO, otherwise the number given. */
double lg_option(double given, double standard);

/* Whether low <= value < high and value is finite; otherwise LG_E_PARAM names the option and its range. */
bool lg_option_within(const char *what, const char *option, double value, double low, double high);

#endif
