/* Adam and AdamW (optimizer.h). */
#include "optim/optimizer_internal.h"
#include "tensor/math_internal.h"

typedef struct coefficients {
    lg_real *restrict p, *restrict m, *restrict v;
    const lg_real *restrict gradient;
    lg_real shrink;       /* 1 - learning_rate weight_decay in AdamW, 1 in Adam */
    lg_real decay;        /* weight_decay in Adam, 0 in AdamW */
    lg_real one_minus_b1; /* 1 - beta1 */
    lg_real b2, one_minus_b2;
    lg_real rate;    /* learning_rate / (1 - beta1^t) */
    lg_real scale_v; /* 1 / sqrt(1 - beta2^t) */
    lg_real epsilon;
} coefficients;

/* p <- shrink p;   g <- g + decay p
 * m <- m + (1 - beta1) (g - m)
 * v <- beta2 v + (1 - beta2) g^2
 * p <- p - rate m / (sqrt(v) scale_v + epsilon)   */
LG_CLONES static void sweep(size_t begin, size_t end, void *context)
{
    const coefficients c = *(const coefficients *)context;
    lg_real *restrict p = c.p, *restrict m = c.m, *restrict v = c.v;
    const lg_real *restrict gradient = c.gradient;
    for (size_t i = begin; i < end; i++) {
        const lg_real shrunk = c.shrink * p[i];
        const lg_real g = gradient[i] + c.decay * shrunk;
        m[i] += c.one_minus_b1 * (g - m[i]);
        v[i] = c.b2 * v[i] + c.one_minus_b2 * g * g;
        p[i] = shrunk - c.rate * m[i] * real_reciprocal(real_sqrt(v[i]) * c.scale_v + c.epsilon);
    }
}

/* 1 - beta^t. The power is at most exp(-(1 - beta) t): beyond 38 it no longer changes the 1. */
static double bias_correction(double beta, double t)
{
    return (1 - beta) * t > 38 ? 1 : 1 - pow(beta, t);
}

static void update(const lg_optimizer *optimizer, lg_block piece, size_t offset)
{
    const lg_adam_options *o = &optimizer->options.adam;
    const double rate = optimizer->learning_rate, t = (double)optimizer->steps;
    coefficients c = {
        .p = piece.values,
        .m = optimizer->state[0] + offset,
        .v = optimizer->state[1] + offset,
        .gradient = piece.gradients,
        .shrink = (lg_real)(optimizer->decoupled ? 1 - rate * o->weight_decay : 1),
        .decay = (lg_real)(optimizer->decoupled ? 0 : o->weight_decay),
        .one_minus_b1 = (lg_real)(1 - o->beta1),
        .b2 = (lg_real)o->beta2,
        .one_minus_b2 = (lg_real)(1 - o->beta2),
        .rate = (lg_real)(rate / bias_correction(o->beta1, t)),
        .scale_v = (lg_real)(1 / sqrt(bias_correction(o->beta2, t))),
        .epsilon = (lg_real)o->epsilon,
    };
    lg_parallel_ranges(piece.length, LG_LEAST_ELEMENTS, sweep, &c);
}

static lg_optimizer *make(const char *what, const char *name, lg_params *params, const lg_adam_options *options,
                          bool decoupled)
{
    if (!params) {
        lg_fail_null("%s: params is NULL", what);
        return NULL;
    }
    lg_adam_options o = options ? *options : (lg_adam_options){ 0 };
    o.learning_rate = lg_option(o.learning_rate, 1e-3);
    o.beta1 = lg_option(o.beta1, 0.9);
    o.beta2 = lg_option(o.beta2, 0.999);
    o.epsilon = lg_option(o.epsilon, 1e-8);
    o.weight_decay = lg_option(o.weight_decay, decoupled ? 0.01 : 0);
    if (!lg_option_within(what, "beta1", o.beta1, 0, 1) || !lg_option_within(what, "beta2", o.beta2, 0, 1) ||
        !lg_option_within(what, "weight_decay", o.weight_decay, 0, INFINITY) ||
        !lg_option_within(what, "epsilon", o.epsilon, LG_SMALLEST_EPSILON, INFINITY))
        return NULL;
    return lg_optimizer_make(what, &(lg_optimizer){ .name = name,
                                                    .update = update,
                                                    .params = params,
                                                    .learning_rate = o.learning_rate,
                                                    .options.adam = o,
                                                    .decoupled = decoupled,
                                                    .state_count = 2,
                                                    .state_name = { "m", "v" } });
}

lg_optimizer *lg_adam_new(lg_params *params, const lg_adam_options *options)
{
    return make("lg_adam_new", "adam", params, options, false);
}

lg_optimizer *lg_adamw_new(lg_params *params, const lg_adam_options *options)
{
    return make("lg_adamw_new", "adamw", params, options, true);
}
