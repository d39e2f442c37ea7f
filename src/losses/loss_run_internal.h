/* One call of a loss while it is checked and run (loss_check.c, loss_run.c, loss_batch.c). */
#ifndef LG_LOSS_RUN_INTERNAL_H
#define LG_LOSS_RUN_INTERNAL_H

#include "autograd/tape_internal.h"
#include "losses/loss_internal.h"

/* What a domain allows: [low, high], or only those two ends. `text` is empty when everything is allowed. */
typedef struct lg_value_rule {
    lg_real low, high;
    bool ends_only;
    const char *text;
} lg_value_rule;

typedef struct lg_loss_run {
    lg_tape *tape;
    const lg_loss_info *info;
    lg_tensor *const *inputs;
    const double *params;
    const lg_loss_options *options;
    size_t count, param_count;             /* inputs and parameters of the row */
    size_t units, rank, dims[LG_MAX_RANK]; /* shape of the units */
    size_t width[LG_LOSS_MAX_INPUTS];
    size_t classes, inner;                 /* length of the class axis, and of all axes after it together */
    const int32_t *labels;                 /* the class indices, NULL without them */
    lg_value_rule rules[LG_LOSS_MAX_INPUTS];
    bool checks, may_ignore, wants_grad;
    bool has_ignored;                      /* some unit is to be left out */
    int32_t ignore;
    const lg_real *weight;                 /* one per unit, or NULL */
    double divisor;
    lg_real scale;                         /* of the reduction: 1 / divisor for means */
    lg_real *unit_loss;                    /* the result with LG_REDUCE_NONE, NULL otherwise */
    lg_real *derivative[LG_LOSS_MAX_INPUTS];
} lg_loss_run;

/* What the node of every loss keeps first. */
typedef struct lg_loss_sums {
    double sum, divisor;
    lg_reduction reduction;
} lg_loss_sums;

extern const lg_op lg_chunked_loss_op, lg_batch_loss_op;

/* Types, parameters and domains of the inputs; lg_check_units reads the units out of the shapes. */
lg_status lg_check_operands(lg_loss_run *run);
lg_status lg_check_units(lg_loss_run *run);

/* The weights, expanded to one per unit; every label; and what the reduction divides by. */
lg_status lg_check_weights(lg_loss_run *run);
lg_status lg_find_divisor(lg_loss_run *run);

/* Sets `scale` from `divisor` and the reduction. */
void lg_set_scale(lg_loss_run *run);

/* The first of n values that breaks the rule, or n. */
size_t lg_first_broken(const lg_value_rule *rule, const lg_real *values, size_t n);

/* Where element k of unit u lies when the class axis is not the last, and whether that is so for input i. */
size_t lg_gathered_at(size_t classes, size_t inner, size_t u, size_t k);
bool lg_is_gathered(const lg_loss_run *run, size_t i);

static inline bool lg_is_index(const lg_loss_input *input)
{
    return input->domain == LG_CLASS_INDEX || input->domain == LG_ANY_INDEX;
}

/* `count` reals on the tape where needed, else NULL; sets *failed when there is no memory. */
lg_real *lg_loss_reals(lg_tape *tape, bool needed, size_t count, bool *failed);

/* The sum of n losses, in double over short sums of reals. */
double lg_loss_sum(const lg_real *values, size_t n);

/* Runs the loss of a row that sees the whole batch (loss_batch.c). */
lg_tensor *lg_run_batch(lg_loss_run *run);

#endif
