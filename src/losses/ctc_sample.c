/* One sample of ctc or ctc_simplified: probabilities of its labels in its frames, loss, derivative (ctc_internal.h). */
#include "losses/ctc_internal.h"

#include "losses/loss_internal.h"
#include "tensor/memory_internal.h"
#include "tensor/reduce_internal.h"

/* ----------------------------------------------------------------- scratch */

void *lg_ctc_carve(lg_ctc_carver *carver, size_t count, size_t size)
{
    const size_t at = carver->used;
    size_t bytes;
    if (!lg_size_mul(count, size, &bytes) || !lg_size_add(bytes, 63, &bytes) ||
        !lg_size_add(at, bytes / 64 * 64, &carver->used))
        carver->overflow = true;
    return carver->base ? carver->base + at : NULL;
}

void lg_ctc_lay_out(const lg_ctc_call *call, lg_ctc_sample *s, lg_ctc_carver *carver)
{
    const size_t labels = s->labels, frames = s->frames, states = lg_ctc_states(labels), classes = call->shape.classes;
    s->class_of = lg_ctc_carve(carver, labels, sizeof *s->class_of);
    s->class = lg_ctc_carve(carver, labels + 1, sizeof *s->class);
    s->skip = lg_ctc_carve(carver, labels + 1, sizeof *s->skip);
    s->repeats = lg_ctc_carve(carver, labels + 1, sizeof *s->repeats);
    s->lattice.emission = lg_ctc_carve(carver, frames, (labels + 1) * sizeof(double));
    s->lattice.alpha = lg_ctc_carve(carver, frames, states * sizeof(double));
    if (call->input == LG_CTC_LOGITS) {
        s->exponential = lg_ctc_carve(carver, frames, classes * sizeof(lg_real)); /* no more than the input has */
        s->largest = lg_ctc_carve(carver, frames, sizeof *s->largest);
        s->inverse = lg_ctc_carve(carver, frames, sizeof *s->inverse);
    }
}

/* --------------------------------------------------------------- the labels */

/* Which classes the labels are, each once, and where a label may follow the one before without a blank between. */
static void read_labels(const lg_ctc_call *call, lg_ctc_sample *s, uint32_t *position)
{
    size_t repeats = 0;
    s->classes = 0;
    for (size_t u = 0; u < s->labels; u++)
        position[s->label[u]] = UINT32_MAX;
    for (size_t u = 0; u < s->labels; u++) {
        const size_t class = (size_t)s->label[u];
        if (position[class] == UINT32_MAX) {
            position[class] = (uint32_t)s->classes;
            s->class[s->classes++] = class;
        }
        s->class_of[u] = position[class];
        const bool repeated = u > 0 && call->has_blank && s->label[u] == s->label[u - 1];
        s->skip[u] = u > 0 && !repeated ? 1 : 0;
        repeats += repeated;
        s->repeats[u] = repeats;
    }
    s->skip[s->labels] = 0;
    s->repeats[s->labels] = repeats;
    if (call->has_blank)
        s->class[s->classes++] = call->blank;
    s->lattice.skip = s->skip;
    s->lattice.repeats = s->repeats;
    s->lattice.frames = s->frames;
    s->lattice.labels = s->labels;
}

/* --------------------------------------------------------------- emissions */

/* e^(z - m) of the sample's frames, m the frame's largest, and the inverses of their sums. One of the e is exactly 1, and
 * sums are in double, so that a frame that is nearly certain keeps the digits of what is left. */
LG_CLONES static void normalize_frames(const lg_ctc_call *call, lg_ctc_sample *s, const lg_real *pred)
{
    const size_t classes = call->shape.classes, n = s->frames * classes;
    lg_real *restrict exponential = s->exponential;
    for (size_t t = 0; t < s->frames; t++) {
        const lg_real *z = pred + lg_ctc_frame_at(&call->shape, s->index, t), largest = lg_largest_of(z, classes);
        for (size_t k = 0; k < classes; k++)
            exponential[t * classes + k] = z[k] - largest;
        s->largest[t] = largest;
    }
    for (size_t i = 0; i < n; i++)
        exponential[i] = real_exp(exponential[i]);
    for (size_t t = 0; t < s->frames; t++)
        s->inverse[t] = 1 / lg_sum_of(exponential + t * classes, classes);
}

static double clip(double p, double eps)
{
    return p < eps ? eps : p > 1 - eps ? 1 - eps : p;
}

/* y_t of a class, or its logarithm. What is too small for a float's exponent is taken from the logit again. */
static double emission_of(const lg_ctc_call *call, const lg_ctc_sample *s, const lg_real *frame, size_t t, size_t class)
{
    const double x = (double)frame[class];
    switch (call->input) {
    case LG_CTC_LOG_PROBS:
        return s->in_logarithms ? x : exp(x);
    case LG_CTC_PROBS:
        return s->in_logarithms ? log(clip(x, call->eps)) : clip(x, call->eps);
    case LG_CTC_LOGITS:
        break;
    }
    const double gap = x - (double)s->largest[t], e = (double)s->exponential[t * call->shape.classes + class];
    if (s->in_logarithms)
        return gap + log(s->inverse[t]);
    return (e < 1e-30 ? exp(gap) : e) * s->inverse[t];
}

/* Fills lattice.emission; `values` has room for the classes. Returns the largest sum of a frame's probabilities over the
 * classes of the sample, NaN if a value of a frame is NaN. */
static double fill_emissions(const lg_ctc_call *call, lg_ctc_sample *s, const lg_real *pred, double *values)
{
    double largest_sum = 0;
    for (size_t t = 0; t < s->frames; t++) {
        const lg_real *frame = pred + lg_ctc_frame_at(&call->shape, s->index, t);
        double *emission = s->lattice.emission + t * (s->labels + 1), sum = 0;
        for (size_t c = 0; c < s->classes; c++)
            sum += values[c] = emission_of(call, s, frame, t, s->class[c]);
        for (size_t u = 0; u < s->labels; u++)
            emission[u] = values[s->class_of[u]];
        emission[s->labels] = call->has_blank ? values[s->classes - 1] : s->in_logarithms ? -INFINITY : 0;
        for (size_t k = 0; call->input != LG_CTC_LOGITS && k < call->shape.classes; k++)
            sum = isnan(frame[k]) ? (double)frame[k] : sum;
        largest_sum = largest_sum >= sum ? largest_sum : isnan(largest_sum) ? largest_sum : sum;
    }
    return largest_sum;
}

/* ------------------------------------------------------- value, derivative */

static void take_logarithms(const lg_ctc_call *call, lg_ctc_sample *s, const lg_real *pred, double *values)
{
    s->in_logarithms = true;
    fill_emissions(call, s, pred, values);
    s->log_p = lg_ctc_forward_log(&s->lattice);
}

double lg_ctc_sample_value(const lg_ctc_call *call, lg_ctc_sample *s, const lg_real *pred, uint32_t *position,
                           double *work)
{
    s->possible = s->in_logarithms = false;
    s->lattice.work = work;
    read_labels(call, s, position);
    if (call->input == LG_CTC_LOGITS)
        normalize_frames(call, s, pred);
    const double sum = fill_emissions(call, s, pred, work);
    const bool probabilities = sum <= 1 + 1e-3; /* else the bound behind the linear recursion does not hold */
    if (isnan(sum))
        s->log_p = sum;
    else if (s->frames == 0 || s->frames < s->labels + s->repeats[s->labels])
        s->log_p = s->frames == 0 && s->labels == 0 ? 0 : -INFINITY;
    else if (!probabilities || !lg_ctc_forward(&s->lattice, &s->log_p))
        take_logarithms(call, s, pred, work);
    s->possible = s->log_p > -INFINITY;
    return -s->log_p;
}

/* d = factor (y - g) by logits, -factor g by log probabilities, -factor g / p by probabilities; `occupancy` is g of the
 * sample's classes, which alone are not 0. */
static void write_frame(const lg_ctc_call *call, const lg_ctc_sample *s, const lg_real *frame, size_t t, double factor,
                        const double *occupancy, lg_real *d)
{
    const size_t classes = call->shape.classes;
    const lg_real *e = s->exponential ? s->exponential + t * classes : NULL;
    const lg_real scale = e ? (lg_real)(factor * s->inverse[t]) : 0;
    for (size_t k = 0; k < classes; k++)
        d[k] = e ? scale * e[k] : 0;
    for (size_t c = 0; c < s->classes; c++) {
        const size_t k = s->class[c];
        const double p = (double)frame[k], g = occupancy[c];
        if (call->input == LG_CTC_LOGITS)
            d[k] = (lg_real)(factor * ((double)e[k] * s->inverse[t] - g));
        else if (call->input == LG_CTC_LOG_PROBS)
            d[k] = (lg_real)(-factor * g);
        else
            d[k] = p < call->eps || p > 1 - call->eps ? 0 : (lg_real)(-factor * g / p);
    }
}

static void fill_frames(const lg_ctc_call *call, const lg_ctc_sample *s, size_t from, size_t to, lg_real value, lg_real *d)
{
    for (size_t t = from; t < to; t++) {
        lg_real *frame = d + lg_ctc_frame_at(&call->shape, s->index, t);
        for (size_t k = 0; k < call->shape.classes; k++)
            frame[k] = value;
    }
}

void lg_ctc_sample_derivative(const lg_ctc_call *call, lg_ctc_sample *s, const lg_real *pred, double factor,
                              double *occupancy, double *work, lg_real *d)
{
    const bool none = factor == 0 || (!isnan(s->log_p) && !s->possible);
    fill_frames(call, s, s->frames, call->shape.frames, 0, d);
    if (none || isnan(s->log_p)) {
        fill_frames(call, s, 0, s->frames, none ? 0 : (lg_real)NAN, d);
        return;
    }
    s->lattice.work = work;
    if (!s->in_logarithms && !lg_ctc_posterior(&s->lattice, s->log_p))
        take_logarithms(call, s, pred, occupancy);
    if (s->in_logarithms)
        lg_ctc_posterior_log(&s->lattice);
    for (size_t t = 0; t < s->frames; t++) {
        const double *label = s->lattice.alpha + t * lg_ctc_states(s->labels) + 1, *blank = label + s->labels;
        const size_t at = lg_ctc_frame_at(&call->shape, s->index, t);
        for (size_t c = 0; c < s->classes; c++)
            occupancy[c] = 0;
        for (size_t u = 0; u < s->labels; u++)
            occupancy[s->class_of[u]] += label[u];
        for (size_t u = 0; call->has_blank && u <= s->labels; u++)
            occupancy[s->classes - 1] += blank[u];
        write_frame(call, s, pred + at, t, factor, occupancy, d + at);
    }
}
