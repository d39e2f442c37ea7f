/* Negative log-likelihoods of counts and of numbers (probabilistic.h). */
#include "losses/binary_internal.h"
#include "losses/loss_internal.h"
#include "losses/probabilistic.h"
#include "tensor/tensor_internal.h"

#include <string.h>

#define LG_TWO_PI 6.283185307179586476925286766559

/* ----------------------------------------------------------------- poisson */

enum { POISSON_LOG_INPUT, POISSON_FULL, POISSON_EPS };

/* loss = r - y log(r + eps),   d = 1 - y / (r + eps);   y = 0 leaves r and 1.
 * With full and y > 1:   loss = (r - y) - y log((r + eps) / y) + log(2 pi y) / 2
 * where the terms of y cancel most of the others; log1p keeps the digits of a quotient close to 1. */
LG_INLINE void poisson_of_rate(const lg_loss_chunk *c, bool gradient, bool full)
{
    const lg_real *rate = c->x[0], *target = c->x[1], eps = (lg_real)c->param[POISSON_EPS], scale = c->scale;
    lg_real *restrict loss = c->loss, *restrict d = c->d[0];
    for (size_t i = 0; i < c->units; i++) {
        const lg_real r = rate[i], y = target[i], shifted = r + eps;
        const lg_real log_part = y * real_log(shifted);
        loss[i] = r - (y == 0 ? 0 : log_part);
        if (full) {
            const bool close = (2 * r > y) & (r < 2 * y);
            const lg_real log_quotient = close ? real_log1p((r - y + eps) / y) : real_log(shifted / y);
            const lg_real all = (r - y) - y * log_quotient + real_log((lg_real)LG_TWO_PI * y) / 2;
            loss[i] = y > 1 ? all : loss[i];
        }
        if (gradient)
            d[i] = scale * (y == 0 ? 1 + (r - r) : 1 - y / shifted);
    }
}

/* loss = e^x - y x,   d = e^x - y;   infinite as soon as e^x is.
 * With full and y > 1:   loss = y (e^u - 1 - u) + log(2 pi y) / 2,   u = x - log y, in double since y multiplies its error */
LG_INLINE void poisson_of_log_rate(const lg_loss_chunk *c, bool gradient, bool full)
{
    const lg_real *log_rate = c->x[0], *target = c->x[1], scale = c->scale;
    const lg_real infinity = (lg_real)INFINITY;
    lg_real *restrict loss = c->loss, *restrict d = c->d[0];
    for (size_t i = 0; i < c->units; i++) {
        const lg_real x = log_rate[i], y = target[i], r = real_exp(x);
        loss[i] = r == infinity ? r : r - product_or_zero(y, x);
        if (full) {
            const lg_real u = (lg_real)((double)x - log((double)y)), growth = real_expm1(u);
            const lg_real all = y * (growth == infinity ? growth : growth - u) + real_log((lg_real)LG_TWO_PI * y) / 2;
            loss[i] = y > 1 ? all : loss[i];
        }
        if (gradient)
            d[i] = scale * (r - y);
    }
}

LG_LOSS_KERNEL(poisson_rate, c, gradient)
{
    poisson_of_rate(c, gradient, false);
}

LG_LOSS_KERNEL(poisson_rate_full, c, gradient)
{
    poisson_of_rate(c, gradient, true);
}

LG_LOSS_KERNEL(poisson_log_rate, c, gradient)
{
    poisson_of_log_rate(c, gradient, false);
}

LG_LOSS_KERNEL(poisson_log_rate_full, c, gradient)
{
    poisson_of_log_rate(c, gradient, true);
}

static void poisson_kernel(const lg_loss_chunk *c)
{
    static lg_loss_kernel *const kernels[2][2] = { { poisson_rate, poisson_rate_full },
                                                   { poisson_log_rate, poisson_log_rate_full } };
    kernels[c->param[POISSON_LOG_INPUT] != 0][c->param[POISSON_FULL] != 0](c);
}

static lg_loss_domain poisson_domain(size_t input, const double *params)
{
    return input == 0 && params[POISSON_LOG_INPUT] != 0 ? LG_ANY_REAL : LG_NON_NEGATIVE;
}

const lg_loss_info lg_poisson_row = {
    .name = "poisson",
    .family = "probabilistic",
    .summary = "counts: visits, sales, accidents per interval",
    .formula = "pred - y log(pred + eps), or exp(pred) - y pred with log_input",
    .output = "one rate per count (softplus or exp), or its logarithm (linear) with log_input",
    .reference = "keras.losses.Poisson; torch.nn.PoissonNLLLoss",
    .tasks = LG_TASK_REGRESSION | LG_TASK_DISTRIBUTION,
    .units = LG_UNIT_ELEMENT,
    .inputs = { { "pred", .domain = LG_NON_NEGATIVE, .differentiable = true }, { "target", .domain = LG_NON_NEGATIVE } },
    .params = { { .name = "log_input", .high = 1, .choices = "false|true" },
                { .name = "full", .high = 1, .choices = "false|true" },
                { .name = "eps", .initial = 1e-7, .high = INFINITY } },
    .aliases = { { "poisson_nll", "log_input=true,eps=1e-8" } },
    .kernel = poisson_kernel,
    .domain_of = poisson_domain,
};

lg_tensor *lg_poisson(lg_tape *tape, lg_tensor *pred, lg_tensor *target, bool log_input, bool full,
                      const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_poisson_row, (lg_tensor *[]){ pred, target }, (const double[]){ log_input, full }, 2,
                        options);
}

/* ------------------------------------------------------------ gaussian_nll */

enum { GAUSSIAN_MEAN, GAUSSIAN_TARGET, GAUSSIAN_VARIANCE };
enum { GAUSSIAN_FULL, GAUSSIAN_LOG_VARIANCE, GAUSSIAN_EPS };

static lg_status gaussian_plan(lg_loss_batch *batch)
{
    const lg_tensor *mean = batch->inputs[GAUSSIAN_MEAN], *target = batch->inputs[GAUSSIAN_TARGET];
    const lg_tensor *variance = batch->inputs[GAUSSIAN_VARIANCE];
    char a[LG_SHAPE_TEXT_BYTES], b[LG_SHAPE_TEXT_BYTES];
    if (!lg_same_dims(mean->rank, mean->dims, target->rank, target->dims))
        return lg_fail(LG_E_SHAPE, "gaussian_nll: mean has shape %s, target %s; they must be the same",
                       lg_tensor_shape_text(mean, a, sizeof a), lg_tensor_shape_text(target, b, sizeof b));
    const bool own = lg_same_dims(mean->rank, mean->dims, variance->rank, variance->dims);
    const bool by_row = mean->rank > 0 && lg_same_dims(mean->rank - 1, mean->dims, variance->rank, variance->dims);
    if (!own && !by_row && variance->size != 1)
        return lg_fail(LG_E_SHAPE, "gaussian_nll: mean has shape %s, variance %s; the same, one for each row of the last "
                                   "axis, or one for all is wanted",
                       lg_tensor_shape_text(mean, a, sizeof a), lg_tensor_shape_text(variance, b, sizeof b));
    batch->rank = mean->rank;
    memcpy(batch->dims, mean->dims, mean->rank * sizeof *mean->dims);
    return LG_OK;
}

/* Each variance serves `group` consecutive elements: one, a row, or all. */
static size_t group_of(const lg_loss_batch *batch)
{
    const size_t variances = batch->inputs[GAUSSIAN_VARIANCE]->size;
    return variances ? batch->units / variances : 0;
}

/* v = max(variance, eps) or exp(variance): its logarithm, and 1 / sqrt v. */
typedef struct spread {
    lg_real log_v, inverse_deviation;
} spread;

LG_INLINE spread spread_of(lg_real variance, lg_real eps, bool log_variance)
{
    if (log_variance)
        return (spread){ variance, real_exp(-variance / 2) };
    const lg_real v = variance < eps ? eps : variance;
    return (spread){ real_log(v), 1 / real_sqrt(v) };
}

/* z = e / sqrt v; an error of 0 is 0 deviations, even where exp(-log_variance / 2) is infinite. */
LG_INLINE lg_real deviations(lg_real e, spread s)
{
    const lg_real z = e * s.inverse_deviation;
    return e == 0 ? 0 : z;
}

/* loss = (log v + z^2) / 2 + constant,   constant = log(2 pi) / 2 with full */
LG_INLINE void gaussian_losses(const lg_loss_batch *batch, size_t group, bool log_variance)
{
    const lg_real *mean = batch->inputs[GAUSSIAN_MEAN]->real, *target = batch->inputs[GAUSSIAN_TARGET]->real;
    const lg_real *variance = batch->inputs[GAUSSIAN_VARIANCE]->real, eps = (lg_real)batch->param[GAUSSIAN_EPS];
    const lg_real constant = batch->param[GAUSSIAN_FULL] != 0 ? (lg_real)(log(LG_TWO_PI) / 2) : 0;
    const size_t variances = batch->inputs[GAUSSIAN_VARIANCE]->size;
    lg_real *restrict loss = batch->loss;
    for (size_t g = 0; g < variances; g++) {
        const spread s = spread_of(variance[g], eps, log_variance);
        for (size_t i = g * group; i < (g + 1) * group; i++) {
            const lg_real z = deviations(mean[i] - target[i], s);
            loss[i] = (s.log_v + z * z) / 2 + constant;
        }
    }
}

/* d = sign z / sqrt v: by the mean, and with the other sign by the target */
LG_INLINE void gaussian_slopes(const lg_loss_batch *batch, size_t group, bool log_variance, lg_real sign, lg_real *restrict d)
{
    const lg_real *mean = batch->inputs[GAUSSIAN_MEAN]->real, *target = batch->inputs[GAUSSIAN_TARGET]->real;
    const lg_real *variance = batch->inputs[GAUSSIAN_VARIANCE]->real, eps = (lg_real)batch->param[GAUSSIAN_EPS];
    const lg_real *factor = batch->factor;
    const size_t variances = batch->inputs[GAUSSIAN_VARIANCE]->size;
    for (size_t g = 0; d && g < variances; g++) {
        const spread s = spread_of(variance[g], eps, log_variance);
        for (size_t i = g * group; i < (g + 1) * group; i++) {
            const lg_real slope = deviations(mean[i] - target[i], s) * s.inverse_deviation;
            d[i] = factor[i] == 0 ? 0 : sign * factor[i] * slope;
        }
    }
}

/* d = sum over the group of (1 - z^2) / (2 v), or (1 - z^2) / 2 */
LG_INLINE void gaussian_by_variance(const lg_loss_batch *batch, size_t group, bool log_variance, lg_real *restrict d)
{
    const lg_real *mean = batch->inputs[GAUSSIAN_MEAN]->real, *target = batch->inputs[GAUSSIAN_TARGET]->real;
    const lg_real *variance = batch->inputs[GAUSSIAN_VARIANCE]->real, eps = (lg_real)batch->param[GAUSSIAN_EPS];
    const lg_real *factor = batch->factor;
    const size_t variances = batch->inputs[GAUSSIAN_VARIANCE]->size;
    for (size_t g = 0; d && g < variances; g++) {
        const spread s = spread_of(variance[g], eps, log_variance);
        const lg_real precision = log_variance ? 1 : s.inverse_deviation * s.inverse_deviation;
        double sum = 0;
        for (size_t i = g * group; i < (g + 1) * group; i++) {
            const lg_real z = deviations(mean[i] - target[i], s);
            sum += factor[i] == 0 ? 0 : (double)(factor[i] * ((1 - z * z) / 2 * precision));
        }
        d[g] = (lg_real)sum;
    }
}

/* One loop per kind, so that a variance for each element makes it a flat one. */
#define GAUSSIAN_LOOPS(name, group, log_variance)                                                          \
    LG_CLONES static void name##_value(lg_loss_batch *batch)                                               \
    {                                                                                                      \
        gaussian_losses(batch, group, log_variance);                                                       \
    }                                                                                                      \
    LG_CLONES static void name##_derivative(lg_loss_batch *batch)                                          \
    {                                                                                                      \
        gaussian_slopes(batch, group, log_variance, 1, batch->d[GAUSSIAN_MEAN]);                           \
        gaussian_slopes(batch, group, log_variance, -1, batch->d[GAUSSIAN_TARGET]);                        \
        gaussian_by_variance(batch, group, log_variance, batch->d[GAUSSIAN_VARIANCE]);                     \
    }
GAUSSIAN_LOOPS(own_variance, 1, false)
GAUSSIAN_LOOPS(own_log_variance, 1, true)
GAUSSIAN_LOOPS(shared_variance, group_of(batch), false)
GAUSSIAN_LOOPS(shared_log_variance, group_of(batch), true)
#undef GAUSSIAN_LOOPS

static void gaussian_value(lg_loss_batch *batch)
{
    static void (*const values[2][2])(lg_loss_batch *) = { { shared_variance_value, shared_log_variance_value },
                                                           { own_variance_value, own_log_variance_value } };
    values[group_of(batch) == 1][batch->param[GAUSSIAN_LOG_VARIANCE] != 0](batch);
}

static void gaussian_derivative(lg_loss_batch *batch)
{
    static void (*const derivatives[2][2])(lg_loss_batch *) = {
        { shared_variance_derivative, shared_log_variance_derivative },
        { own_variance_derivative, own_log_variance_derivative }
    };
    derivatives[group_of(batch) == 1][batch->param[GAUSSIAN_LOG_VARIANCE] != 0](batch);
}

static lg_loss_domain gaussian_domain(size_t input, const double *params)
{
    return input == GAUSSIAN_VARIANCE && params[GAUSSIAN_LOG_VARIANCE] == 0 ? LG_NON_NEGATIVE : LG_ANY_REAL;
}

const lg_loss_info lg_gaussian_nll_row = {
    .name = "gaussian_nll",
    .family = "probabilistic",
    .summary = "numbers with an uncertainty of their own, which the network is to predict too",
    .formula = "(log v + (mean - target)^2 / v) / 2, v = max(var, eps), or exp(var) with log_var",
    .output = "a mean (linear) and a variance (softplus), or its logarithm (linear) with log_var",
    .reference = "Nix and Weigend 1994; torch.nn.GaussianNLLLoss",
    .tasks = LG_TASK_REGRESSION | LG_TASK_DISTRIBUTION,
    .units = LG_UNIT_BATCH,
    .inputs = { { "mean", .differentiable = true },
                { "target", .differentiable = true },
                { "var", .layout = LG_WHOLE, .domain = LG_NON_NEGATIVE, .differentiable = true } },
    .params = { { .name = "full", .high = 1, .choices = "false|true" },
                { .name = "log_var", .high = 1, .choices = "false|true" },
                { .name = "eps", .initial = 1e-6, .high = INFINITY } },
    .plan = gaussian_plan,
    .value = gaussian_value,
    .derivative = gaussian_derivative,
    .domain_of = gaussian_domain,
};

lg_tensor *lg_gaussian_nll(lg_tape *tape, lg_tensor *mean, lg_tensor *target, lg_tensor *variance, bool full,
                           bool log_variance, const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_gaussian_nll_row, (lg_tensor *[]){ mean, target, variance },
                        (const double[]){ full, log_variance }, 2, options);
}
