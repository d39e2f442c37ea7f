/* Rates of verification (verification.h), from the ROC curve. */
#include "train/verification.h"

#include <math.h>

#include "train/metrics.h"

lg_status lg_equal_error_rate(size_t n, const lg_real *scores, const int32_t *labels, double *rate, double *threshold)
{
    double equal = NAN, at = NAN;
    lg_curve *curve = lg_roc_curve(n, scores, labels);
    if (!curve)
        return lg_error_code();
    /* FAR - FRR = x + y - 1 rises from -1 to 1; NaN, and no point, when a class is missing. */
    for (size_t i = 1; i < curve->count; i++) {
        const double before = curve->x[i - 1] + curve->y[i - 1] - 1, after = curve->x[i] + curve->y[i] - 1;
        if (!(after >= 0))
            continue;
        const double share = after > before ? -before / (after - before) : 0;
        equal = curve->x[i - 1] + share * (curve->x[i] - curve->x[i - 1]);
        at = curve->threshold[i];
        break;
    }
    lg_curve_free(curve);
    if (rate)
        *rate = equal;
    if (threshold)
        *threshold = at;
    return LG_OK;
}

lg_status lg_threshold_at_false_accepts(size_t n, const lg_real *scores, const int32_t *labels, double most,
                                        double *threshold, double *accept_rate)
{
    if (!(most >= 0 && most <= 1))
        return lg_fail(LG_E_PARAM, "lg_threshold_at_false_accepts: a rate of %g; it lies in [0, 1]", most);
    lg_curve *curve = lg_roc_curve(n, scores, labels);
    if (!curve)
        return lg_error_code();
    size_t best = 0;
    while (best + 1 < curve->count && curve->x[best + 1] <= most) /* false from the start when there is no 0 */
        best++;
    const bool none = n == 0 || isnan(curve->x[0]);
    if (threshold)
        *threshold = none ? NAN : curve->threshold[best];
    if (accept_rate)
        *accept_rate = none ? NAN : curve->y[best];
    lg_curve_free(curve);
    return LG_OK;
}

lg_status lg_rates_at(size_t n, const lg_real *scores, const int32_t *labels, double threshold, double *false_accepts,
                      double *false_rejects, double *accuracy)
{
    if (!scores || !labels)
        return lg_fail_null("lg_rates_at: %s is NULL", scores ? "labels" : "scores");
    if (isnan(threshold))
        return lg_fail(LG_E_PARAM, "lg_rates_at: the threshold is NaN");
    size_t count[2] = { 0 }, accepted[2] = { 0 };
    for (size_t i = 0; i < n; i++) {
        if (isnan(scores[i]) || labels[i] < 0 || labels[i] > 1)
            return lg_fail(LG_E_DOMAIN, "lg_rates_at: score %zu is %g and its label %d; labels are 0 or 1", i,
                           (double)scores[i], (int)labels[i]);
        count[labels[i]]++;
        accepted[labels[i]] += (double)scores[i] >= threshold;
    }
    if (false_accepts)
        *false_accepts = count[0] ? (double)accepted[0] / (double)count[0] : NAN;
    if (false_rejects)
        *false_rejects = count[1] ? (double)(count[1] - accepted[1]) / (double)count[1] : NAN;
    if (accuracy)
        *accuracy = n ? (double)(accepted[1] + count[0] - accepted[0]) / (double)n : NAN;
    return LG_OK;
}
