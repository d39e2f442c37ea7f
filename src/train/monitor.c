/* Early stopping (fit_internal.h). */
#include "train/fit_internal.h"

#include <math.h>
#include <string.h>

static bool larger_is_better(const char *name)
{
    static const char *const parts[] = { "acc", "auc", "precision", "recall", "f1" };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strstr(name, parts[i]))
            return true;
    return false;
}

lg_status lg_monitor_init(lg_monitor *monitor, const lg_early_stopping *options, bool validates)
{
    *monitor = (lg_monitor){ .name = options->monitor ? options->monitor : validates ? "val_loss" : "loss",
                             .patience = options->patience,
                             .min_delta = options->min_delta,
                             .keeps_best = options->patience > 0 && !options->keep_last };
    if (!(options->min_delta >= 0) || isinf(options->min_delta))
        return lg_fail(LG_E_PARAM, "lg_fit: early_stopping.min_delta is %g; finite and not negative is wanted",
                       options->min_delta);
    if ((unsigned)options->mode > LG_MONITOR_MAX)
        return lg_fail(LG_E_PARAM, "lg_fit: early_stopping.mode is %d; LG_MONITOR_AUTO, LG_MONITOR_MIN and "
                                   "LG_MONITOR_MAX are 0 to 2", (int)options->mode);
    if (!validates && strncmp(monitor->name, "val_", 4) == 0)
        return lg_fail(LG_E_PARAM, "lg_fit: \"%s\" is to be monitored, but there is no validation: give validation or "
                                   "validation_split", monitor->name);
    monitor->maximize = options->mode == LG_MONITOR_MAX ||
                        (options->mode == LG_MONITOR_AUTO && larger_is_better(monitor->name));
    return LG_OK;
}

/* Keeps the parameters as they are now; the memory is made once. */
static lg_status keep_parameters(lg_monitor *monitor, const lg_params *params)
{
    if (monitor->snapshot)
        return lg_params_save_to(params, monitor->snapshot);
    monitor->snapshot = lg_params_snapshot(params);
    return monitor->snapshot ? LG_OK : lg_error_code();
}

lg_status lg_monitor_observe(lg_monitor *monitor, const lg_history *history, size_t epoch, lg_params *params,
                             bool *stop)
{
    *stop = false;
    if (monitor->patience == 0)
        return LG_OK;
    size_t rows;
    const double *column = lg_history_column(history, monitor->name, &rows);
    if (!column)
        return lg_error_code();
    const double value = column[rows - 1];
    const double gain = monitor->maximize ? value - monitor->best : monitor->best - value;
    if (!isnan(value) && (monitor->best_epoch == 0 || gain > monitor->min_delta)) {
        monitor->best = value;
        monitor->best_epoch = epoch;
        monitor->waited = 0;
        return monitor->keeps_best ? keep_parameters(monitor, params) : LG_OK;
    }
    *stop = ++monitor->waited >= monitor->patience;
    return LG_OK;
}

lg_status lg_monitor_restore(const lg_monitor *monitor, lg_params *params)
{
    return monitor->snapshot ? lg_params_restore(params, monitor->snapshot) : LG_OK;
}

void lg_monitor_close(lg_monitor *monitor)
{
    lg_snapshot_free(monitor->snapshot);
}
