/* RMSprop (optimizer.h). */
#include "optim/optimizer_internal.h"
#include "tensor/math_internal.h"

typedef struct coefficients {
    lg_block piece;
    lg_real *state[LG_OPTIMIZER_STATES];
    lg_real rate, decay, alpha, one_minus_alpha, epsilon, momentum;
} coefficients;

/* g <- g + decay p
 * v <- alpha v + (1 - alpha) g^2
 * a <- a + (1 - alpha) (g - a)                 where there is a
 * d <- g / (sqrt(v - a^2) + epsilon)
 * b <- momentum b + d                          where there is b
 * p <- p - rate b                              (d, where there is no b)
 *
 * Inlined into one function per case below, in each of which a loop without branches is left. */
LG_INLINE void sweep(size_t begin, size_t end, lg_block piece, lg_real *restrict v, lg_real *restrict a, lg_real *restrict b,
                     coefficients c, bool centered, bool momentum)
{
    lg_real *restrict p = piece.values;
    const lg_real *restrict gradient = piece.gradients;
    for (size_t i = begin; i < end; i++) {
        const lg_real g = gradient[i] + c.decay * p[i];
        v[i] = c.alpha * v[i] + c.one_minus_alpha * g * g;
        lg_real variance = v[i];
        if (centered) {
            a[i] += c.one_minus_alpha * (g - a[i]);
            variance -= a[i] * a[i];
            variance = variance < 0 ? 0 : variance; /* NaN stays */
        }
        lg_real d = g / (real_sqrt(variance) + c.epsilon);
        if (momentum)
            d = b[i] = c.momentum * b[i] + d;
        p[i] -= c.rate * d;
    }
}

LG_CLONES static void plain(size_t begin, size_t end, void *context)
{
    const coefficients *c = context;
    sweep(begin, end, c->piece, c->state[0], NULL, NULL, *c, false, false);
}

LG_CLONES static void with_mean(size_t begin, size_t end, void *context)
{
    const coefficients *c = context;
    sweep(begin, end, c->piece, c->state[0], c->state[1], NULL, *c, true, false);
}

LG_CLONES static void with_momentum(size_t begin, size_t end, void *context)
{
    const coefficients *c = context;
    sweep(begin, end, c->piece, c->state[0], NULL, c->state[1], *c, false, true);
}

LG_CLONES static void with_both(size_t begin, size_t end, void *context)
{
    const coefficients *c = context;
    sweep(begin, end, c->piece, c->state[0], c->state[1], c->state[2], *c, true, true);
}

static void update(const lg_optimizer *optimizer, lg_block piece, size_t offset)
{
    const lg_rmsprop_options *o = &optimizer->options.rmsprop;
    coefficients c = {
        .piece = piece,
        .rate = (lg_real)optimizer->learning_rate,
        .decay = (lg_real)o->weight_decay,
        .alpha = (lg_real)o->alpha,
        .one_minus_alpha = (lg_real)(1 - o->alpha),
        .epsilon = (lg_real)o->epsilon,
        .momentum = (lg_real)o->momentum,
    };
    for (size_t i = 0; i < optimizer->state_count; i++)
        c.state[i] = optimizer->state[i] + offset;
    lg_range_task *const task = o->centered ? (o->momentum > 0 ? with_both : with_mean) : o->momentum > 0 ? with_momentum : plain;
    lg_parallel_ranges(piece.length, LG_LEAST_ELEMENTS, task, &c);
}

lg_optimizer *lg_rmsprop_new(lg_params *params, const lg_rmsprop_options *options)
{
    static const char what[] = "lg_rmsprop_new";
    if (!params) {
        lg_fail_null("%s: params is NULL", what);
        return NULL;
    }
    lg_rmsprop_options o = options ? *options : (lg_rmsprop_options){ 0 };
    o.alpha = lg_option(o.alpha, 0.99);
    o.epsilon = lg_option(o.epsilon, 1e-8);
    if (!lg_option_within(what, "alpha", o.alpha, 0, 1) ||
        !lg_option_within(what, "epsilon", o.epsilon, LG_SMALLEST_EPSILON, INFINITY) ||
        !lg_option_within(what, "momentum", o.momentum, 0, INFINITY) ||
        !lg_option_within(what, "weight_decay", o.weight_decay, 0, INFINITY))
        return NULL;
    lg_optimizer recipe = { .name = "rmsprop",
                            .update = update,
                            .params = params,
                            .learning_rate = lg_option(o.learning_rate, 1e-2),
                            .options.rmsprop = o };
    recipe.state_name[recipe.state_count++] = "v";
    if (o.centered)
        recipe.state_name[recipe.state_count++] = "mean";
    if (o.momentum > 0)
        recipe.state_name[recipe.state_count++] = "momentum";
    return lg_optimizer_make(what, &recipe);
}
