/* Learning-rate schedules: which rate to train with, as training goes on.
 *
 *     lg_schedule schedule = lg_schedule_cosine(5, 50, 0);           five epochs of warm-up, then down to 0 at 50
 *     ...before epoch t = 0, 1, 2, ...
 *     lg_optimizer_set_learning_rate(adam, lg_schedule_rate(&schedule, 1e-3, t));
 *
 * A schedule is plain data: copying it saves it. All kinds but plateau are pure functions of the base rate and of a
 * count t, from 0, of what `unit` says: epochs, or optimizer steps (batches) since the beginning of training; `every`,
 * `warm_up` and `total` are in the same unit. lg_fit reads `unit`; a loop of one's own passes the count that fits.
 * A plateau schedule, always by epochs, depends on what it was shown; its memory is in `state`, which is all that a
 * checkpoint needs to keep.
 *
 * Results are those of torch.optim.lr_scheduler (2.13), named at each. A struct of zeros is the constant schedule. */
#ifndef LG_SCHEDULE_H
#define LG_SCHEDULE_H

#include "tensor/base.h"

LG_BEGIN_DECLS

typedef enum lg_schedule_kind {
    LG_SCHEDULE_CONSTANT = 0,
    LG_SCHEDULE_STEP,
    LG_SCHEDULE_EXPONENTIAL,
    LG_SCHEDULE_COSINE,
    LG_SCHEDULE_PLATEAU,
    LG_SCHEDULE_INVERSE
} lg_schedule_kind;

typedef enum lg_schedule_unit { LG_PER_EPOCH = 0, LG_PER_STEP } lg_schedule_unit;

/* What a plateau schedule remembers; zeros before the first observation. */
typedef struct lg_schedule_state {
    bool has_best;
    double best;        /* the best metric so far, where there is one */
    size_t bad_epochs;  /* in a row, without enough of an improvement */
    size_t cooling;     /* epochs of cooldown that are left */
    size_t reductions;  /* how often the rate was reduced */
} lg_schedule_state;

typedef struct lg_schedule {
    lg_schedule_kind kind;
    lg_schedule_unit unit;
    double factor;                /* step, exponential (gamma), plateau: what the rate is multiplied by */
    double decay;                 /* inverse: >= 0 */
    size_t every;                 /* step: counts between two reductions, >= 1 */
    size_t warm_up, total;        /* cosine: 0 <= warm_up <= total, 1 <= total */
    double final_rate;            /* cosine, plateau: the lowest rate, >= 0 */
    size_t patience, cooldown;    /* plateau, in epochs */
    double threshold;             /* plateau: the least improvement that counts, >= 0 */
    bool absolute, maximize;      /* plateau: what threshold is in; whether a larger metric is better */
    lg_schedule_state state;      /* plateau */
} lg_schedule;

/* Each returns a schedule per epoch; set further fields as needed (schedule.unit = LG_PER_STEP). Values outside their
 * range are reported by lg_schedule_check and lg_schedule_rate.
 *
 *   constant      base
 *   step          base factor^floor(t / every)                                   factor > 0       StepLR
 *   exponential   base factor^t                                                  factor > 0       ExponentialLR
 *   cosine        base (t + 1) / warm_up                                         t < warm_up      LinearLR, then
 *                 final + (base - final) (1 + cos(pi (t - warm_up) / (total - warm_up))) / 2      CosineAnnealingLR
 *                 final                                                          t >= total
 *                 Loshchilov & Hutter, "SGDR", ICLR 2017
 *   inverse       base / (1 + decay t)         Keras's InverseTimeDecay; a base of 1 / lambda with decay 1, per step,
 *                 is the 1 / (lambda t) of sub-gradient descent on strongly convex functions, its t counted from 1
 *   plateau       base, multiplied by factor after more than `patience` epochs in a row whose metric was no better than
 *                 the best, never below `final_rate`; 0 < factor < 1            ReduceLROnPlateau
 *                 better: metric < best (1 - threshold), or best - threshold with `absolute`;
 *                         metric > best (1 + threshold), best + threshold with `maximize`
 *                 `cooldown` epochs after a reduction are not counted as bad. A metric that is NaN is no better. A
 *                 reduction by less than 1e-8 is not made. Starts with threshold 1e-4, cooldown 0, final_rate 0. */
LG_API lg_schedule lg_schedule_constant(void);
LG_API lg_schedule lg_schedule_step(size_t every, double factor);
LG_API lg_schedule lg_schedule_exponential(double factor);
LG_API lg_schedule lg_schedule_cosine(size_t warm_up, size_t total, double final_rate);
LG_API lg_schedule lg_schedule_inverse(double decay);
LG_API lg_schedule lg_schedule_plateau(double factor, size_t patience);

/* LG_OK, or LG_E_PARAM with the field that is out of range. NULL is the constant schedule. */
LG_API lg_status lg_schedule_check(const lg_schedule *schedule);

/* The rate to train with at count t (of a plateau schedule: now, whatever t). NULL gives base_rate. A schedule that
 * lg_schedule_check refuses, or a base rate that is negative or not finite, gives NaN with lg_error set. */
LG_API double lg_schedule_rate(const lg_schedule *schedule, double base_rate, size_t t);

/* Shows an epoch's metric (usually val_loss) to a plateau schedule, after the epoch; does nothing to other kinds.
 * LG_E_PARAM as lg_schedule_check, and for NULL. */
LG_API lg_status lg_schedule_observe(lg_schedule *schedule, double metric);

LG_END_DECLS

#endif
