/* Losses of predicted numbers, element by element (regression.h). */
#include "losses/regression.h"

#include "losses/loss_internal.h"

/* ------------------------------------------------------ losses of the error
 * Losses that depend on e = pred - target alone: the value, and the slope d loss / d e, which is the derivative by pred
 * and, with its sign turned, by target. */
typedef struct error_terms {
    lg_real loss, slope;
} error_terms;

LG_INLINE void for_each_error(const lg_loss_chunk *c, bool gradient, bool by_target,
                              error_terms (*terms_of)(lg_real e, lg_real param), lg_real param)
{
    const lg_real *pred = c->x[0], *target = c->x[1];
    lg_real *restrict loss = c->loss, *restrict d = c->d[0], *restrict dy = c->d[1];
    const lg_real scale = c->scale;
    for (size_t i = 0; i < c->units; i++) {
        const error_terms t = terms_of(pred[i] - target[i], param);
        loss[i] = t.loss;
        if (gradient)
            d[i] = scale * t.slope;
        if (by_target)
            dy[i] = -scale * t.slope;
    }
}

/* 1, -1 or 0; NaN stays. */
LG_INLINE lg_real sign_of(lg_real x)
{
    return x > 0 ? 1 : x < 0 ? -1 : x;
}

LG_INLINE lg_real magnitude_of(lg_real x)
{
    return x < 0 ? -x : x;
}

/* loss = factor e^2,   slope = 2 factor e,   factor = 1/2 with half, else 1 */
LG_INLINE error_terms squared_terms(lg_real e, lg_real factor)
{
    return (error_terms){ factor * e * e, 2 * factor * e };
}

LG_LOSS_KERNEL_2(squared_error, c, gradient, by_target)
{
    for_each_error(c, gradient, by_target, squared_terms, c->param[0] != 0 ? (lg_real)0.5 : 1);
}

/* loss = |e|,   slope = sign(e) */
LG_INLINE error_terms absolute_terms(lg_real e, lg_real unused)
{
    (void)unused;
    return (error_terms){ magnitude_of(e), sign_of(e) };
}

LG_LOSS_KERNEL_2(absolute_error, c, gradient, by_target)
{
    for_each_error(c, gradient, by_target, absolute_terms, 0);
}

/* Huber (1964): quadratic near zero, linear beyond delta.
 *   loss  = e^2 / 2                   |e| <= delta
 *         = delta (|e| - delta / 2)   otherwise
 *   slope = clamp(e, -delta, delta) = m;   both lines are m (e - m / 2) */
LG_INLINE error_terms huber_terms(lg_real e, lg_real delta)
{
    const lg_real m = e > delta ? delta : e < -delta ? -delta : e;
    return (error_terms){ m * (e - m / 2), m };
}

LG_LOSS_KERNEL_2(huber, c, gradient, by_target)
{
    for_each_error(c, gradient, by_target, huber_terms, (lg_real)c->param[0]);
}

/* Girshick (2015).
 *   loss  = e^2 / (2 beta)   |e| < beta
 *         = |e| - beta / 2   otherwise
 *   slope = e / beta or sign(e) */
LG_INLINE error_terms smooth_l1_terms(lg_real e, lg_real beta)
{
    const lg_real magnitude = magnitude_of(e), ratio = e / beta;
    const bool small = magnitude < beta;
    return (error_terms){ small ? e * ratio / 2 : magnitude - beta / 2, small ? ratio : sign_of(e) };
}

LG_LOSS_KERNEL_2(smooth_l1, c, gradient, by_target)
{
    for_each_error(c, gradient, by_target, smooth_l1_terms, (lg_real)c->param[0]);
}

/* loss = log cosh e,   slope = tanh e.   With a = |e|, m = exp(-a) - 1, w = exp(-a) = 1 + m:
 *   a < 1:   cosh a - 1 = m^2 / (2 w), so that   loss = log1p(m^2 / (2 w))   keeps the digits of a small e
 *   else     loss = a - log 2 + log1p(w^2),      which cannot overflow
 *   tanh a = (1 - w^2) / (1 + w^2) = -t / (2 + t),   t = w^2 - 1 = m (2 + m) */
LG_INLINE error_terms log_cosh_terms(lg_real e, lg_real unused)
{
    (void)unused;
    const lg_real log_2 = (lg_real)0.693147180559945309417232121458;
    const lg_real a = magnitude_of(e), m = real_expm1(-a), w = 1 + m, t = m * (2 + m);
    const bool small = a < 1;
    const lg_real log_part = real_log1p(small ? m * m / (2 * w) : w * w), tanh_a = -t / (2 + t);
    return (error_terms){ (small ? 0 : a - log_2) + log_part, e < 0 ? -tanh_a : tanh_a };
}

LG_LOSS_KERNEL_2(log_cosh, c, gradient, by_target)
{
    for_each_error(c, gradient, by_target, log_cosh_terms, 0);
}

/* ------------------------------------------------- losses of ratios, by pred */

/* loss = 100 |e| / max(|y|, eps),   d = 100 sign(e) / max(|y|, eps) */
LG_LOSS_KERNEL(absolute_percentage_error, c, gradient)
{
    const lg_real *pred = c->x[0], *target = c->x[1], eps = (lg_real)c->param[0], scale = c->scale;
    lg_real *restrict loss = c->loss, *restrict d = c->d[0];
    for (size_t i = 0; i < c->units; i++) {
        const lg_real e = pred[i] - target[i], size = magnitude_of(target[i]);
        const lg_real base = size < eps ? eps : size;
        loss[i] = 100 * (magnitude_of(e) / base);
        if (gradient)
            d[i] = scale * 100 * sign_of(e) / base;
    }
}

/* a = max(pred, eps), b = max(y, eps),   loss = r^2,   r = log(1 + a) - log(1 + b)
 *   d = 2 r / (1 + a), 0 where pred <= eps
 * The two logarithms would cancel, so |r| = log1p(|a - b| / (1 + min(a, b))). */
LG_LOSS_KERNEL(squared_logarithmic_error, c, gradient)
{
    const lg_real *pred = c->x[0], *target = c->x[1], eps = (lg_real)c->param[0], scale = c->scale;
    lg_real *restrict loss = c->loss, *restrict d = c->d[0];
    for (size_t i = 0; i < c->units; i++) {
        const lg_real a = pred[i] < eps ? eps : pred[i], b = target[i] < eps ? eps : target[i];
        const lg_real size = real_log1p(magnitude_of(a - b) / (1 + (a < b ? a : b)));
        const lg_real r = a < b ? -size : size;
        loss[i] = r * r;
        if (gradient)
            d[i] = pred[i] <= eps ? 0 : scale * 2 * r / (1 + a);
    }
}

/* ---------------------------------------------------------------- the rows */

#define PRED { .name = "pred", .differentiable = true }
#define TARGET { .name = "target", .differentiable = true }
#define CONSTANT_TARGET { .name = "target" }
#define PARAM_FLOOR { .name = "eps", .initial = 1e-7, .high = INFINITY }

const lg_loss_info lg_mean_squared_error_row = {
    .name = "mean_squared_error",
    .family = "regression",
    .summary = "numbers, where large errors matter most (normally distributed errors); sensitive to outliers",
    .formula = "e^2, e = pred - target (half: e^2 / 2)",
    .output = "one number per target, linear",
    .reference = "keras.losses.MeanSquaredError; torch.nn.MSELoss; optax.l2_loss (half)",
    .tasks = LG_TASK_REGRESSION | LG_TASK_ANOMALY | LG_TASK_GENERATIVE,
    .units = LG_UNIT_ELEMENT,
    .inputs = { PRED, TARGET },
    .params = { { .name = "half", .high = 1, .choices = "false|true" } },
    .aliases = { { "mse", NULL }, { "MSE", NULL }, { "l2", NULL } },
    .kernel = squared_error,
};

const lg_loss_info lg_mean_absolute_error_row = {
    .name = "mean_absolute_error",
    .family = "regression",
    .summary = "numbers with outliers that should not dominate; predicts the median",
    .formula = "|e|, e = pred - target",
    .output = "one number per target, linear",
    .reference = "keras.losses.MeanAbsoluteError; torch.nn.L1Loss",
    .tasks = LG_TASK_REGRESSION | LG_TASK_ANOMALY | LG_TASK_GENERATIVE,
    .units = LG_UNIT_ELEMENT,
    .inputs = { PRED, TARGET },
    .aliases = { { "mae", NULL }, { "MAE", NULL }, { "l1", NULL } },
    .kernel = absolute_error,
};

const lg_loss_info lg_huber_row = {
    .name = "huber",
    .family = "regression",
    .summary = "numbers with some outliers: squared for small errors, absolute beyond delta",
    .formula = "e^2 / 2 if |e| <= delta, else delta (|e| - delta / 2); e = pred - target",
    .output = "one number per target, linear",
    .reference = "Huber 1964; keras.losses.Huber; torch.nn.HuberLoss; optax.huber_loss",
    .tasks = LG_TASK_REGRESSION,
    .units = LG_UNIT_ELEMENT,
    .inputs = { PRED, TARGET },
    .params = { { .name = "delta", .initial = 1, .high = INFINITY, .low_open = true } },
    .aliases = { { "huber_loss", NULL } },
    .kernel = huber,
};

const lg_loss_info lg_smooth_l1_row = {
    .name = "smooth_l1",
    .family = "regression",
    .summary = "coordinates of boxes: squared below beta, absolute beyond, slope 1 whatever beta is",
    .formula = "e^2 / (2 beta) if |e| < beta, else |e| - beta / 2; e = pred - target",
    .output = "one number per target, linear",
    .reference = "Girshick 2015; torch.nn.SmoothL1Loss",
    .tasks = LG_TASK_REGRESSION | LG_TASK_DETECTION,
    .units = LG_UNIT_ELEMENT,
    .inputs = { PRED, TARGET },
    .params = { { .name = "beta", .initial = 1, .high = INFINITY } },
    .aliases = { { "smooth_l1_loss", NULL } },
    .kernel = smooth_l1,
};

const lg_loss_info lg_log_cosh_row = {
    .name = "log_cosh",
    .family = "regression",
    .summary = "numbers with some outliers, where the loss should be smooth everywhere",
    .formula = "log cosh e, e = pred - target",
    .output = "one number per target, linear",
    .reference = "keras.losses.LogCosh; optax.log_cosh",
    .tasks = LG_TASK_REGRESSION,
    .units = LG_UNIT_ELEMENT,
    .inputs = { PRED, TARGET },
    .aliases = { { "logcosh", NULL } },
    .kernel = log_cosh,
};

const lg_loss_info lg_mean_absolute_percentage_error_row = {
    .name = "mean_absolute_percentage_error",
    .family = "regression",
    .summary = "numbers whose errors count in percent of the true value, which must stay away from 0",
    .formula = "100 |pred - target| / max(|target|, eps)",
    .output = "one number per target, linear",
    .reference = "keras.losses.MeanAbsolutePercentageError; sklearn.metrics.mean_absolute_percentage_error (times 100)",
    .tasks = LG_TASK_REGRESSION,
    .units = LG_UNIT_ELEMENT,
    .inputs = { PRED, CONSTANT_TARGET },
    .params = { PARAM_FLOOR },
    .aliases = { { "mape", NULL }, { "MAPE", NULL } },
    .kernel = absolute_percentage_error,
};

const lg_loss_info lg_mean_squared_logarithmic_error_row = {
    .name = "mean_squared_logarithmic_error",
    .family = "regression",
    .summary = "positive numbers of many magnitudes: prices, counts; too low costs more than too high",
    .formula = "(log(1 + a) - log(1 + b))^2, a = max(pred, eps), b = max(target, eps)",
    .output = "one number per target, not negative (softplus or exp)",
    .reference = "keras.losses.MeanSquaredLogarithmicError; sklearn.metrics.mean_squared_log_error",
    .tasks = LG_TASK_REGRESSION,
    .units = LG_UNIT_ELEMENT,
    .inputs = { PRED, CONSTANT_TARGET },
    .params = { PARAM_FLOOR },
    .aliases = { { "msle", NULL }, { "MSLE", NULL } },
    .kernel = squared_logarithmic_error,
};

/* --------------------------------------------------------------- functions */

lg_tensor *lg_mean_squared_error(lg_tape *tape, lg_tensor *pred, lg_tensor *target, const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_mean_squared_error_row, (lg_tensor *[]){ pred, target }, (const double[]){ 0 }, 1,
                        options);
}

lg_tensor *lg_half_squared_error(lg_tape *tape, lg_tensor *pred, lg_tensor *target, const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_mean_squared_error_row, (lg_tensor *[]){ pred, target }, (const double[]){ 1 }, 1,
                        options);
}

lg_tensor *lg_mean_absolute_error(lg_tape *tape, lg_tensor *pred, lg_tensor *target, const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_mean_absolute_error_row, (lg_tensor *[]){ pred, target }, NULL, 0, options);
}

lg_tensor *lg_huber(lg_tape *tape, lg_tensor *pred, lg_tensor *target, double delta, const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_huber_row, (lg_tensor *[]){ pred, target }, &delta, 1, options);
}

lg_tensor *lg_smooth_l1(lg_tape *tape, lg_tensor *pred, lg_tensor *target, double beta, const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_smooth_l1_row, (lg_tensor *[]){ pred, target }, &beta, 1, options);
}

lg_tensor *lg_log_cosh(lg_tape *tape, lg_tensor *pred, lg_tensor *target, const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_log_cosh_row, (lg_tensor *[]){ pred, target }, NULL, 0, options);
}

lg_tensor *lg_mean_absolute_percentage_error(lg_tape *tape, lg_tensor *pred, lg_tensor *target,
                                             const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_mean_absolute_percentage_error_row, (lg_tensor *[]){ pred, target }, NULL, 0,
                        options);
}

lg_tensor *lg_mean_squared_logarithmic_error(lg_tape *tape, lg_tensor *pred, lg_tensor *target,
                                             const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_mean_squared_logarithmic_error_row, (lg_tensor *[]){ pred, target }, NULL, 0,
                        options);
}
