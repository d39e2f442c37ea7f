/* Random calls of any loss of the table, for tests that hold for all of them. */
#ifndef LOSS_TRIAL_H
#define LOSS_TRIAL_H

#include "losses/loss.h"

/* One call: inputs on the heap (those that are differentiable require a gradient), parameters, options. */
typedef struct loss_trial {
    lg_loss_spec spec;
    lg_tensor *inputs[LG_LOSS_MAX_INPUTS];
    size_t count;             /* inputs, absent optional ones included */
    size_t units;             /* losses before reduction */
    size_t unit_rank, unit_dims[LG_MAX_RANK];
    bool holds_constant;      /* set by a builder: by definition the derivative is not that of the value, and the loss's own
                                 tests compare it with the formula */
    bool units_are_rows;      /* unit u owns the u-th equal part of every input that is not whole: it can be permuted */
    size_t second_batch;      /* set by a builder: the input, if any, that has samples of its own, another number of them */
    lg_loss_options options;
    lg_tensor *sample_weight, *class_weight, *pos_weight;
    int32_t ignore_index;
} loss_trial;

/* Number of variants of a loss: shapes and parameters differ. Variant 0 has the defaults. */
size_t loss_variants(const lg_loss_info *info);

/* Fills a trial; false when the variant's parameters contradict each other (the loss says so). */
bool loss_trial_make(loss_trial *trial, const lg_loss_info *info, size_t variant, lg_rng *rng);
void loss_trial_free(loss_trial *trial);

lg_tensor *loss_trial_apply(lg_tape *tape, const loss_trial *trial);

/* What a loss is tried on that no generic inputs fit, such as any of whole batches (LG_UNIT_BATCH): sets inputs, count,
 * units and their shape, in as many variants as the builder knows. Each family's tests add theirs to the list in
 * loss_trial.c. */
typedef struct loss_builder {
    const char *loss;
    size_t variants;
    void (*build)(loss_trial *trial, size_t variant, lg_rng *rng);
} loss_builder;

extern const loss_builder box_loss_builders[];
extern const loss_builder generative_loss_builders[];
extern const loss_builder margin_loss_builders[];
extern const loss_builder metric_loss_builders[];
extern const loss_builder probabilistic_loss_builders[];
extern const loss_builder segmentation_loss_builders[];
extern const loss_builder sequence_loss_builders[];
extern const loss_builder regression_loss_builders[];

/* Random reals for builders, the same in both precisions. */
lg_tensor *trial_uniform(size_t rank, const size_t *dims, double low, double high, lg_rng *rng);
lg_tensor *trial_normal(size_t rank, const size_t *dims, double mean, double deviation, lg_rng *rng);

/* Random values for a domain; the returned tensor requires a gradient where asked. */
lg_tensor *random_input(size_t rank, const size_t *dims, const lg_loss_input *input, const loss_trial *trial,
                        size_t classes, lg_rng *rng);

#endif
