#include "history_axis.h"

#include <math.h>

static size_t linear_ticks(double low, double high, double most, double *ticks)
{
    const double raw = (high - low) / most, power = pow(10, floor(log10(raw)));
    const double step = power * (raw <= power ? 1 : raw <= 2 * power ? 2 : raw <= 5 * power ? 5 : 10);
    size_t count = 0;
    for (double k = ceil(low / step); k * step <= high && count < HISTORY_MOST_TICKS; k++)
        ticks[count++] = k == 0 ? 0 : k * step; /* no negative zero */
    return count;
}

size_t history_ticks(double low, double high, bool log_scale, double most, double *ticks)
{
    if (!log_scale)
        return linear_ticks(low, high, most, ticks);
    const double apart = fmax(1, ceil((high - low) / most)); /* powers */
    size_t count = 0;
    if (high - low >= 2) {
        for (double power = ceil(low / apart) * apart; power <= high && count < HISTORY_MOST_TICKS; power += apart)
            ticks[count++] = power;
        return count;
    }
    for (double power = floor(low); power <= high; power++)
        for (size_t k = 0; k < 3; k++) {
            const double tick = power + log10((const double[]){ 1, 2, 5 }[k]);
            if (tick >= low && tick <= high && count < HISTORY_MOST_TICKS)
                ticks[count++] = tick;
        }
    if (count >= 3)
        return count;
    count = linear_ticks(pow(10, low), pow(10, high), most, ticks);
    for (size_t i = 0; i < count; i++)
        ticks[i] = log10(ticks[i]);
    return count;
}
