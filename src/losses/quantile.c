/* Quantile loss, of one quantile or of several (regression.h). */
#include "losses/loss_internal.h"
#include "losses/regression.h"
#include "tensor/tensor_internal.h"

#include <string.h>

enum { QUANTILE_PRED, QUANTILE_TARGET, QUANTILE_TAUS };
enum { QUANTILE_TAU, QUANTILE_CROSSING };

/* The number of columns, and the q-th quantile. */
static size_t column_count(const lg_loss_batch *batch)
{
    const lg_tensor *taus = batch->inputs[QUANTILE_TAUS];
    return taus ? taus->size : 1;
}

static double tau_of(const lg_loss_batch *batch, size_t q)
{
    const lg_tensor *taus = batch->inputs[QUANTILE_TAUS];
    return taus ? (double)taus->real[q] : batch->param[QUANTILE_TAU];
}

static lg_status check_taus(const lg_loss_batch *batch)
{
    const double penalty = batch->param[QUANTILE_CROSSING];
    if (!batch->inputs[QUANTILE_TAUS])
        return penalty == 0 ? LG_OK
                            : lg_fail(LG_E_PARAM, "quantile: crossing_penalty is %g, but there is only one quantile", penalty);
    for (size_t q = 0; q < column_count(batch); q++) {
        const double tau = tau_of(batch, q);
        if (!(tau > 0 && tau < 1))
            return lg_fail(LG_E_PARAM, "quantile: tau[%zu] is %g, but must be in (0, 1)", q, tau);
        if (penalty > 0 && q > 0 && !(tau > tau_of(batch, q - 1)))
            return lg_fail(LG_E_PARAM, "quantile: tau[%zu] is %g after %g, but must ascend for a crossing_penalty", q, tau,
                           tau_of(batch, q - 1));
    }
    return LG_OK;
}

static lg_status quantile_plan(lg_loss_batch *batch)
{
    const lg_tensor *pred = batch->inputs[QUANTILE_PRED], *target = batch->inputs[QUANTILE_TARGET];
    const lg_tensor *taus = batch->inputs[QUANTILE_TAUS];
    const size_t columns = column_count(batch);
    char a[LG_SHAPE_TEXT_BYTES], b[LG_SHAPE_TEXT_BYTES];
    if (taus && taus->rank > 1)
        return lg_fail(LG_E_SHAPE, "quantile: tau has shape %s; [Q] is wanted",
                       lg_tensor_shape_text(taus, a, sizeof a));
    const bool fits = columns == 1 ? lg_same_dims(pred->rank, pred->dims, target->rank, target->dims)
                                   : pred->rank > 0 && pred->dims[pred->rank - 1] == columns &&
                                         lg_same_dims(pred->rank - 1, pred->dims, target->rank, target->dims);
    if (!fits)
        return lg_fail(LG_E_SHAPE, "quantile: pred has shape %s, target %s; pred must be %s",
                       lg_tensor_shape_text(pred, a, sizeof a), lg_tensor_shape_text(target, b, sizeof b),
                       columns == 1 ? "the same" : "that of target with an axis of the quantiles after it");
    batch->rank = pred->rank;
    memcpy(batch->dims, pred->dims, pred->rank * sizeof *pred->dims);
    return check_taus(batch);
}

/* u = target - pred,   loss = max(tau u, (tau - 1) u) */
LG_INLINE void column_losses(const lg_loss_batch *batch, size_t q, size_t columns)
{
    const lg_real *pred = batch->inputs[QUANTILE_PRED]->real + q, *target = batch->inputs[QUANTILE_TARGET]->real;
    const size_t rows = batch->inputs[QUANTILE_TARGET]->size;
    const lg_real above = (lg_real)tau_of(batch, q), below = (lg_real)(tau_of(batch, q) - 1);
    lg_real *restrict loss = batch->loss + q;
    for (size_t i = 0; i < rows; i++) {
        const lg_real u = target[i] - pred[i * columns];
        loss[i * columns] = u * (u > 0 ? above : below);
    }
}

/* loss_q += penalty max(0, pred_q - pred_(q+1)) */
static void add_crossings(lg_loss_batch *batch, size_t columns)
{
    const lg_real *pred = batch->inputs[QUANTILE_PRED]->real, penalty = (lg_real)batch->param[QUANTILE_CROSSING];
    for (size_t first = 0; first < batch->units; first += columns) {
        for (size_t i = first; i + 1 < first + columns; i++) {
            const lg_real gap = pred[i] - pred[i + 1];
            batch->loss[i] += penalty * (gap < 0 ? 0 : gap);
        }
    }
}

LG_CLONES static void quantile_value(lg_loss_batch *batch)
{
    const size_t columns = column_count(batch);
    if (columns == 1)
        column_losses(batch, 0, 1);
    for (size_t q = 0; columns > 1 && q < columns; q++)
        column_losses(batch, q, columns);
    if (batch->param[QUANTILE_CROSSING] > 0)
        add_crossings(batch, columns);
}

/* The derivative by u: tau, tau - 1, or 0 at the kink; NaN stays. */
LG_INLINE lg_real slope_of(lg_real u, lg_real above, lg_real below)
{
    return u > 0 ? above : u < 0 ? below : u;
}

/* dpred = -slope, dtarget = sum over the columns of slope; a unit of factor 0 has none, even if it is NaN. */
LG_INLINE void column_derivatives(const lg_loss_batch *batch, size_t q, size_t columns)
{
    const lg_real *pred = batch->inputs[QUANTILE_PRED]->real + q, *target = batch->inputs[QUANTILE_TARGET]->real;
    const size_t rows = batch->inputs[QUANTILE_TARGET]->size;
    const lg_real above = (lg_real)tau_of(batch, q), below = (lg_real)(tau_of(batch, q) - 1), *factor = batch->factor + q;
    lg_real *restrict by_pred = batch->d[QUANTILE_PRED], *restrict by_target = batch->d[QUANTILE_TARGET];
    for (size_t i = 0; by_pred && i < rows; i++) {
        const lg_real f = factor[i * columns], slope = slope_of(target[i] - pred[i * columns], above, below);
        by_pred[i * columns + q] = f == 0 ? 0 : -f * slope;
    }
    for (size_t i = 0; by_target && i < rows; i++) {
        const lg_real f = factor[i * columns], slope = slope_of(target[i] - pred[i * columns], above, below);
        by_target[i] = (q == 0 ? 0 : by_target[i]) + (f == 0 ? 0 : f * slope);
    }
}

static void add_crossing_derivatives(lg_loss_batch *batch, size_t columns)
{
    const lg_real *pred = batch->inputs[QUANTILE_PRED]->real, penalty = (lg_real)batch->param[QUANTILE_CROSSING];
    lg_real *by_pred = batch->d[QUANTILE_PRED];
    for (size_t first = 0; first < batch->units; first += columns) {
        for (size_t i = first; i + 1 < first + columns; i++) {
            const lg_real push = pred[i] > pred[i + 1] ? penalty * batch->factor[i] : 0;
            by_pred[i] += push;
            by_pred[i + 1] -= push;
        }
    }
}

LG_CLONES static void quantile_derivative(lg_loss_batch *batch)
{
    const size_t columns = column_count(batch);
    if (columns == 1)
        column_derivatives(batch, 0, 1);
    for (size_t q = 0; columns > 1 && q < columns; q++)
        column_derivatives(batch, q, columns);
    if (batch->param[QUANTILE_CROSSING] > 0 && batch->d[QUANTILE_PRED])
        add_crossing_derivatives(batch, columns);
}

const lg_loss_info lg_quantile_row = {
    .name = "quantile",
    .family = "regression",
    .summary = "a bound rather than a middle: the value that a share tau of the targets stays below",
    .formula = "max(tau u, (tau - 1) u), u = target - pred",
    .output = "one number per target, linear; for several quantiles one per quantile",
    .reference = "Koenker and Bassett 1978; sklearn.metrics.mean_pinball_loss",
    .tasks = LG_TASK_REGRESSION,
    .units = LG_UNIT_BATCH,
    .inputs = { { "pred", .differentiable = true },
                { "target", .differentiable = true },
                { "tau", .layout = LG_WHOLE, .optional = true } },
    .params = { { .name = "tau", .initial = 0.5, .high = 1, .low_open = true, .high_open = true },
                { .name = "crossing_penalty", .high = INFINITY } },
    .aliases = { { "pinball", NULL }, { "quantile_loss", NULL } },
    .plan = quantile_plan,
    .value = quantile_value,
    .derivative = quantile_derivative,
};

lg_tensor *lg_quantile(lg_tape *tape, lg_tensor *pred, lg_tensor *target, double tau, const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_quantile_row, (lg_tensor *[]){ pred, target, NULL }, (const double[]){ tau, 0 }, 2,
                        options);
}

lg_tensor *lg_multi_quantile(lg_tape *tape, lg_tensor *pred, lg_tensor *target, lg_tensor *tau, double crossing_penalty,
                             const lg_loss_options *options)
{
    if (!tau) {
        lg_fail_null("quantile: tau is NULL");
        return NULL;
    }
    return lg_loss_call(tape, &lg_quantile_row, (lg_tensor *[]){ pred, target, tau },
                        (const double[]){ lg_quantile_row.params[QUANTILE_TAU].initial, crossing_penalty }, 2, options);
}
