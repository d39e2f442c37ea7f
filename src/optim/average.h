/* Averages of parameters along the way of an optimizer. Where steps stay noisy the mean of the last thousand points is
 * nearer to the minimum than any of them: Polyak and Juditsky 1992; stochastic weight averaging, Izmailov et al. 2018.
 *
 *     lg_average *average = lg_average_new(params, &(lg_average_options){ .kind = LG_AVERAGE_POLYNOMIAL, .power = 1 });
 *     ...after each lg_optimizer_step:  lg_average_update(average);
 *     lg_average_apply(average);        the set now holds the averages: evaluate, save
 *     lg_average_revert(average);       and now again what the optimizer works on
 *
 * lg_fit does this by itself when it is given options.average. Averages are kept in double: late steps change them by
 * less than a float shows. */
#ifndef LG_AVERAGE_H
#define LG_AVERAGE_H

#include "autograd/params.h"

LG_BEGIN_DECLS

/* With p the parameter after update t, counted from 1:
 *
 *   mean          a <- a + (p - a) / t                                torch.optim.swa_utils.AveragedModel
 *   polynomial    a <- a + (power + 1) / (t + power) (p - a)          late points count more, as about t^power.
 *                 power 0 is the mean; power 1 is the mean weighted by t, with which sub-gradient descent on strongly
 *                 convex functions loses its logarithm.   Shamir and Zhang 2013; Lacoste-Julien, Schmidt, Bach 2012
 *   exponential   a <- decay a + (1 - decay) p,  a = p at t = 1       swa_utils.get_ema_avg_fn */
typedef enum lg_average_kind {
    LG_AVERAGE_NONE = 0,
    LG_AVERAGE_MEAN,
    LG_AVERAGE_POLYNOMIAL,
    LG_AVERAGE_EXPONENTIAL
} lg_average_kind;

typedef struct lg_average_options {
    lg_average_kind kind;
    double power;      /* polynomial: >= 0 */
    double decay;      /* exponential: in [0, 1); 0: 0.999 */
    uint64_t start;    /* updates that are left out at first */
} lg_average_options;

typedef struct lg_average lg_average;

/* Averages of all parameters of a set, which then takes no more tensors. NULL on error: LG_E_PARAM for a NULL or an
 * option outside its range (LG_AVERAGE_NONE is none of the kinds), LG_E_MEMORY. NULL may be freed. */
LG_API lg_average *lg_average_new(lg_params *params, const lg_average_options *options);
LG_API void lg_average_free(lg_average *average);

/* Takes the parameters as they are into the averages, without allocating. LG_E_STATE between apply and revert. */
LG_API lg_status lg_average_update(lg_average *average);

/* Number of updates that are in the averages. NULL: 0. */
LG_API uint64_t lg_average_updates(const lg_average *average);

/* Puts the averages in the place of the parameters; revert puts back what was there before. Before the first update
 * that counts, averages are the parameters themselves. Applying twice or reverting what was not applied is harmless. */
LG_API lg_status lg_average_apply(lg_average *average);
LG_API lg_status lg_average_revert(lg_average *average);

LG_END_DECLS

#endif
