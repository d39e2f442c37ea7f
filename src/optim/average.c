/* Averages of parameters (average.h). */
#include "optim/average_internal.h"

#include "autograd/params_internal.h"
#include "tensor/memory_internal.h"

#include <math.h>
#include <stdlib.h>

#define STANDARD_DECAY 0.999

static lg_status check(const lg_average_options *o)
{
    if (o->kind != LG_AVERAGE_MEAN && o->kind != LG_AVERAGE_POLYNOMIAL && o->kind != LG_AVERAGE_EXPONENTIAL)
        return lg_fail(LG_E_PARAM, "lg_average_new: there is no kind %d of average", (int)o->kind);
    if (!(isfinite(o->power) && o->power >= 0))
        return lg_fail(LG_E_PARAM, "lg_average_new: power is %g, but must be finite and at least 0", o->power);
    if (!(o->decay >= 0 && o->decay < 1))
        return lg_fail(LG_E_PARAM, "lg_average_new: decay is %g, but must be at least 0 and below 1", o->decay);
    return LG_OK;
}

lg_average *lg_average_new(lg_params *params, const lg_average_options *options)
{
    static const char what[] = "lg_average_new";
    if (!params || !options) {
        lg_fail_null("%s: %s is NULL", what, params ? "options" : "params");
        return NULL;
    }
    if (check(options) != LG_OK)
        return NULL;
    lg_average *average = lg_calloc(1, sizeof *average, what);
    if (!average)
        return NULL;
    average->options = *options;
    if (options->decay == 0)
        average->options.decay = STANDARD_DECAY;
    average->length = lg_params_size(params);
    average->mean = lg_calloc(average->length + 1, sizeof *average->mean, what);
    average->kept = average->mean ? lg_params_snapshot(params) : NULL;
    if (!average->kept) {
        lg_average_free(average);
        return NULL;
    }
    average->params = params;
    lg_params_hold(params);
    return average;
}

void lg_average_free(lg_average *average)
{
    if (!average)
        return;
    if (average->params)
        lg_params_release(average->params);
    lg_snapshot_free(average->kept);
    free(average->mean);
    free(average);
}

/* The share of the newest point. */
static double share(const lg_average *average)
{
    const double t = (double)average->updates, power = average->options.power;
    switch (average->options.kind) {
    case LG_AVERAGE_POLYNOMIAL: return (power + 1) / (t + power);
    case LG_AVERAGE_EXPONENTIAL: return t == 1 ? 1 : 1 - average->options.decay;
    default: return 1 / t;
    }
}

lg_status lg_average_update(lg_average *average)
{
    if (!average)
        return lg_fail_null("lg_average_update: the average is NULL");
    if (average->applied)
        return lg_fail(LG_E_STATE, "lg_average_update: the set holds the averages; revert first");
    if (average->seen++ < average->options.start)
        return LG_OK;
    average->updates++;
    const double newest = share(average);
    double *mean = average->mean;
    for (size_t i = 0; i < lg_params_count(average->params); i++) {
        lg_tensor *tensor = lg_params_at(average->params, i);
        const lg_real *value = lg_tensor_data(tensor);
        const size_t size = lg_tensor_size(tensor);
        if (average->updates == 1)
            for (size_t k = 0; k < size; k++)
                mean[k] = (double)value[k];
        else
            for (size_t k = 0; k < size; k++)
                mean[k] += newest * ((double)value[k] - mean[k]);
        mean += size;
    }
    return LG_OK;
}

uint64_t lg_average_updates(const lg_average *average)
{
    return average ? average->updates : 0;
}

lg_status lg_average_apply(lg_average *average)
{
    if (!average)
        return lg_fail_null("lg_average_apply: the average is NULL");
    if (average->applied || average->updates == 0)
        return LG_OK;
    lg_status status = lg_params_save_to(average->params, average->kept);
    if (status != LG_OK)
        return status;
    const double *mean = average->mean;
    for (size_t i = 0; i < lg_params_count(average->params); i++) {
        lg_tensor *tensor = lg_params_at(average->params, i);
        lg_real *value = lg_tensor_data(tensor);
        for (size_t k = 0; k < lg_tensor_size(tensor); k++)
            value[k] = (lg_real)*mean++;
    }
    average->applied = true;
    return LG_OK;
}

lg_status lg_average_revert(lg_average *average)
{
    if (!average)
        return lg_fail_null("lg_average_revert: the average is NULL");
    if (!average->applied)
        return LG_OK;
    average->applied = false;
    return lg_params_restore(average->params, average->kept);
}
