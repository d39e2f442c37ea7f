/* Learning-rate schedules (schedule.h). */
#include "optim/schedule.h"

#include <math.h>

#define PI 3.14159265358979323846264338327950288
#define LEAST_REDUCTION 1e-8 /* PyTorch's eps */

lg_schedule lg_schedule_constant(void)
{
    return (lg_schedule){ .kind = LG_SCHEDULE_CONSTANT };
}

lg_schedule lg_schedule_step(size_t every, double factor)
{
    return (lg_schedule){ .kind = LG_SCHEDULE_STEP, .every = every, .factor = factor };
}

lg_schedule lg_schedule_exponential(double factor)
{
    return (lg_schedule){ .kind = LG_SCHEDULE_EXPONENTIAL, .factor = factor };
}

lg_schedule lg_schedule_cosine(size_t warm_up, size_t total, double final_rate)
{
    return (lg_schedule){ .kind = LG_SCHEDULE_COSINE, .warm_up = warm_up, .total = total, .final_rate = final_rate };
}

lg_schedule lg_schedule_inverse(double decay)
{
    return (lg_schedule){ .kind = LG_SCHEDULE_INVERSE, .decay = decay };
}

lg_schedule lg_schedule_plateau(double factor, size_t patience)
{
    return (lg_schedule){ .kind = LG_SCHEDULE_PLATEAU, .factor = factor, .patience = patience, .threshold = 1e-4 };
}

/* ----------------------------------------------------------------- checks */

static lg_status at_least_zero(const char *kind, const char *field, double value)
{
    if (isfinite(value) && value >= 0)
        return LG_OK;
    return lg_fail(LG_E_PARAM, "%s schedule: %s is %g, but must be finite and at least 0", kind, field, value);
}

static lg_status positive_factor(const char *kind, double factor)
{
    if (isfinite(factor) && factor > 0)
        return LG_OK;
    return lg_fail(LG_E_PARAM, "%s schedule: factor is %g, but must be finite and above 0", kind, factor);
}

static lg_status check_plateau(const lg_schedule *s)
{
    if (!(s->factor > 0 && s->factor < 1))
        return lg_fail(LG_E_PARAM, "plateau schedule: factor is %g, but must be above 0 and below 1", s->factor);
    if (s->unit != LG_PER_EPOCH)
        return lg_fail(LG_E_PARAM, "plateau schedule: it is shown a metric per epoch, so its unit is LG_PER_EPOCH");
    const lg_status status = at_least_zero("plateau", "threshold", s->threshold);
    return status == LG_OK ? at_least_zero("plateau", "final_rate", s->final_rate) : status;
}

lg_status lg_schedule_check(const lg_schedule *s)
{
    if (!s)
        return LG_OK;
    if (s->unit != LG_PER_EPOCH && s->unit != LG_PER_STEP)
        return lg_fail(LG_E_PARAM, "schedule: the unit is %d, but must be LG_PER_EPOCH or LG_PER_STEP", (int)s->unit);
    switch (s->kind) {
    case LG_SCHEDULE_CONSTANT:
        return LG_OK;
    case LG_SCHEDULE_STEP:
        if (s->every == 0)
            return lg_fail(LG_E_PARAM, "step schedule: every is 0, but must be at least 1");
        return positive_factor("step", s->factor);
    case LG_SCHEDULE_EXPONENTIAL:
        return positive_factor("exponential", s->factor);
    case LG_SCHEDULE_COSINE:
        if (s->total == 0 || s->warm_up > s->total)
            return lg_fail(LG_E_PARAM, "cosine schedule: warm_up is %zu of total %zu, but total must be at least 1 and "
                                       "not below warm_up", s->warm_up, s->total);
        return at_least_zero("cosine", "final_rate", s->final_rate);
    case LG_SCHEDULE_PLATEAU:
        return check_plateau(s);
    case LG_SCHEDULE_INVERSE:
        return at_least_zero("inverse", "decay", s->decay);
    }
    return lg_fail(LG_E_PARAM, "schedule: there is no kind %d", (int)s->kind);
}

/* ------------------------------------------------------------------ rates */

static double cosine(const lg_schedule *s, double base, size_t t)
{
    if (t < s->warm_up)
        return base * ((double)t + 1) / (double)s->warm_up;
    if (t >= s->total)
        return s->final_rate;
    const double passed = (double)(t - s->warm_up) / (double)(s->total - s->warm_up);
    return s->final_rate + (base - s->final_rate) * (1 + cos(PI * passed)) / 2;
}

/* A reduction that is too small to be made would be so again: the loop is over. */
static double reduced(const lg_schedule *s, double rate)
{
    for (size_t i = 0; i < s->state.reductions; i++) {
        const double lower = fmax(rate * s->factor, s->final_rate);
        if (!(rate - lower > LEAST_REDUCTION))
            break;
        rate = lower;
    }
    return rate;
}

double lg_schedule_rate(const lg_schedule *s, double base_rate, size_t t)
{
    if (lg_schedule_check(s) != LG_OK || at_least_zero("learning-rate", "the base rate", base_rate) != LG_OK)
        return NAN;
    switch (s ? s->kind : LG_SCHEDULE_CONSTANT) {
    case LG_SCHEDULE_CONSTANT:
        break;
    case LG_SCHEDULE_STEP:
        return base_rate * pow(s->factor, (double)(t / s->every));
    case LG_SCHEDULE_EXPONENTIAL:
        return base_rate * pow(s->factor, (double)t);
    case LG_SCHEDULE_COSINE:
        return cosine(s, base_rate, t);
    case LG_SCHEDULE_PLATEAU:
        return reduced(s, base_rate);
    case LG_SCHEDULE_INVERSE:
        return base_rate / (1 + s->decay * (double)t);
    }
    return base_rate;
}

/* ---------------------------------------------------------------- plateau */

static bool is_better(const lg_schedule *s, double metric)
{
    const double best = s->state.best;
    if (!s->state.has_best)
        return s->maximize ? metric > -INFINITY : metric < INFINITY;
    if (s->maximize)
        return metric > (s->absolute ? best + s->threshold : best * (1 + s->threshold));
    return metric < (s->absolute ? best - s->threshold : best * (1 - s->threshold));
}

lg_status lg_schedule_observe(lg_schedule *s, double metric)
{
    if (!s)
        return lg_fail_null("lg_schedule_observe: the schedule is NULL");
    const lg_status status = lg_schedule_check(s);
    if (status != LG_OK || s->kind != LG_SCHEDULE_PLATEAU)
        return status;
    lg_schedule_state *state = &s->state;
    if (is_better(s, metric)) {
        state->has_best = true;
        state->best = metric;
        state->bad_epochs = 0;
    } else {
        state->bad_epochs++;
    }
    if (state->cooling > 0) {
        state->cooling--;
        state->bad_epochs = 0;
    }
    if (state->bad_epochs > s->patience) {
        state->reductions++;
        state->cooling = s->cooldown;
        state->bad_epochs = 0;
    }
    return LG_OK;
}
