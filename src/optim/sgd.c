/* Stochastic gradient descent (optimizer.h). */
#include "optim/optimizer_internal.h"
#include "tensor/math_internal.h"

typedef struct coefficients {
    lg_real *restrict p, *restrict b; /* b: momentum */
    const lg_real *restrict gradient;
    lg_real rate, decay, momentum, fresh;
    bool nesterov;
} coefficients;

/* g <- g + decay p;   p <- p - rate g */
LG_CLONES static void descend(size_t begin, size_t end, void *context)
{
    const coefficients c = *(const coefficients *)context;
    lg_real *restrict p = c.p;
    const lg_real *restrict gradient = c.gradient;
    for (size_t i = begin; i < end; i++)
        p[i] -= c.rate * (gradient[i] + c.decay * p[i]);
}

/* g <- g + decay p;   b <- momentum b + fresh g;   p <- p - rate (b, or g + momentum b) */
LG_CLONES static void descend_with_momentum(size_t begin, size_t end, void *context)
{
    const coefficients c = *(const coefficients *)context;
    lg_real *restrict p = c.p, *restrict b = c.b;
    const lg_real *restrict gradient = c.gradient;
    for (size_t i = begin; i < end; i++) {
        const lg_real g = gradient[i] + c.decay * p[i];
        b[i] = c.momentum * b[i] + c.fresh * g;
        p[i] -= c.rate * (c.nesterov ? g + c.momentum * b[i] : b[i]);
    }
}

static void update(const lg_optimizer *optimizer, lg_block piece, size_t offset)
{
    const lg_sgd_options *o = &optimizer->options.sgd;
    const bool plain = optimizer->state_count == 0;
    coefficients c = {
        .p = piece.values,
        .b = plain ? NULL : optimizer->state[0] + offset,
        .gradient = piece.gradients,
        .rate = (lg_real)optimizer->learning_rate,
        .decay = (lg_real)o->weight_decay,
        .momentum = (lg_real)o->momentum,
        .fresh = optimizer->steps == 1 ? 1 : (lg_real)(1 - o->dampening),
        .nesterov = o->nesterov,
    };
    lg_parallel_ranges(piece.length, LG_LEAST_ELEMENTS, plain ? descend : descend_with_momentum, &c);
}

lg_optimizer *lg_sgd_new(lg_params *params, const lg_sgd_options *options)
{
    static const char what[] = "lg_sgd_new";
    lg_sgd_options o = options ? *options : (lg_sgd_options){ 0 };
    if (!params) {
        lg_fail_null("%s: params is NULL", what);
        return NULL;
    }
    if (!lg_option_within(what, "momentum", o.momentum, 0, INFINITY) ||
        !lg_option_within(what, "weight_decay", o.weight_decay, 0, INFINITY))
        return NULL;
    if (!(o.dampening >= 0 && o.dampening <= 1)) {
        lg_fail(LG_E_PARAM, "%s: dampening is %g, but must be from 0 to 1", what, o.dampening);
        return NULL;
    }
    if (o.nesterov && !(o.momentum > 0 && o.dampening == 0)) {
        lg_fail(LG_E_PARAM, "%s: nesterov needs momentum above 0 and dampening 0, but they are %g and %g", what,
                o.momentum, o.dampening);
        return NULL;
    }
    return lg_optimizer_make(what, &(lg_optimizer){ .name = "sgd",
                                                    .update = update,
                                                    .params = params,
                                                    .learning_rate = lg_option(o.learning_rate, 1e-3),
                                                    .options.sgd = o,
                                                    .state_count = o.momentum > 0,
                                                    .state_name = { "momentum" } });
}
