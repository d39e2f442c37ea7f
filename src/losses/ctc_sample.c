/* One sample of ctc or ctc_simplified: probabilities of its labels in its frames, loss, derivative (ctc_internal.h). */
#include "losses/ctc_internal.h"

#include "losses/loss_internal.h"
#include "tensor/exponentials_internal.h"
#include "tensor/memory_internal.h"

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
    const size_t labels = s->labels, frames = s->frames, width = lg_ctc_width(labels), classes = call->shape.classes;
    lg_ctc_lattice *l = &s->lattice;
    s->label = lg_ctc_carve(carver, width, sizeof *s->label);
    s->present = lg_ctc_carve(carver, width, sizeof *s->present);
    s->skip = lg_ctc_carve(carver, width + 8, sizeof *s->skip);
    s->repeats = lg_ctc_carve(carver, labels + 1, sizeof *s->repeats);
    l->emission = lg_ctc_carve(carver, frames + 1, width * sizeof *l->emission);
    l->blank_emission = lg_ctc_carve(carver, frames, sizeof *l->blank_emission);
    l->alpha = lg_ctc_carve(carver, frames, 2 * width * sizeof *l->alpha);
    l->blank_share = lg_ctc_carve(carver, frames, sizeof *l->blank_share);
    l->exponent = lg_ctc_carve(carver, lg_ctc_blocks(frames), width * sizeof *l->exponent);
    l->work = lg_ctc_carve(carver, lg_ctc_work_size(labels), sizeof *l->work);
    s->row = lg_ctc_carve(carver, classes, sizeof *s->row);
    if (call->input == LG_CTC_LOGITS) {
        s->exponential = lg_ctc_carve(carver, frames, classes * sizeof(lg_real)); /* no more than the input has */
        s->largest = lg_ctc_carve(carver, frames, sizeof *s->largest);
        s->inverse = lg_ctc_carve(carver, frames, sizeof *s->inverse);
    }
}

/* --------------------------------------------------------------- the labels */

/* Copies the labels, and finds where one may follow the one before without a blank between. */
static void read_labels(const lg_ctc_call *call, lg_ctc_sample *s)
{
    const size_t width = lg_ctc_width(s->labels);
    size_t repeats = 0;
    for (size_t u = 0; u < width; u++) {
        const bool present = u < s->labels;
        const bool repeated = present && u > 0 && call->has_blank && s->target[u] == s->target[u - 1];
        s->label[u] = present ? s->target[u] : s->labels > 0 ? s->target[0] : (int32_t)call->blank;
        s->present[u] = present;
        s->skip[u] = present && u > 0 && !repeated;
        repeats += repeated;
        if (u <= s->labels)
            s->repeats[u] = repeats;
    }
    for (size_t u = width; u < width + 8; u++)
        s->skip[u] = 0;
    s->lattice.skip = s->skip;
    s->lattice.repeats = s->repeats;
    s->lattice.frames = s->frames;
    s->lattice.labels = s->labels;
    s->lattice.width = width;
}

/* --------------------------------------------------------------- emissions */

/* e^(z - m) of the sample's frames, m the frame's largest, and the inverses of their sums. One of the e is exactly 1, and
 * is summed apart from the others, so that a frame that is nearly certain keeps the digits of what is left. */
LG_CLONES static void normalize_frames(const lg_ctc_call *call, lg_ctc_sample *s, const lg_real *pred)
{
    const size_t classes = call->shape.classes, n = s->frames * classes;
    const size_t stride = lg_ctc_frame_at(&call->shape, s->index, 1) - lg_ctc_frame_at(&call->shape, s->index, 0);
    lg_exponential_sums sums;
    for (size_t first = 0, frames; first < s->frames; first += frames) {
        frames = lg_rows_at_once(s->frames - first);
        lg_shifted_exponentials(frames, classes, pred + lg_ctc_frame_at(&call->shape, s->index, first), stride, 1,
                                s->exponential + first * classes, &sums);
        for (size_t t = 0; t < frames; t++) {
            s->largest[first + t] = sums.largest[t];
            s->inverse[first + t] = 1 / (sums.below[t] + (double)sums.ones[t]);
        }
    }
    const lg_real *e = s->exponential;
    lg_real least = 1;
#ifndef __clang__ /* as in lg_largest_of */
#pragma omp simd reduction(min : least)
#endif
    for (size_t i = 0; i < n; i++)
        least = e[i] < least ? e[i] : least;
    s->has_small = least < (lg_real)1e-30;
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

/* Frame t of lattice.emission, value by value. */
static void fill_frame(const lg_ctc_call *call, const lg_ctc_sample *s, const lg_real *frame, size_t t)
{
    const lg_ctc_lattice *l = &s->lattice;
    double *emission = l->emission + t * l->width;
    const double none = s->in_logarithms ? -INFINITY : 0;
    for (size_t u = 0; u < l->width; u++)
        emission[u] = u < s->labels ? emission_of(call, s, frame, t, (size_t)s->label[u]) : none;
    l->blank_emission[t] = call->has_blank ? emission_of(call, s, frame, t, call->blank) : none;
}

/* The same for probabilities from logits, none of which is small. */
static void gather_frame(const lg_ctc_call *call, const lg_ctc_sample *s, size_t t)
{
    const size_t width = s->lattice.width / 8 * 8;
    const lg_real *restrict e = s->exponential + t * call->shape.classes;
    const int32_t *restrict label = s->label;
    const double *restrict present = s->present, inverse = s->inverse[t];
    double *restrict emission = s->lattice.emission + t * width;
    for (size_t u = 0; u < width; u++)
        emission[u] = present[u] * inverse * (double)e[label[u]];
    s->lattice.blank_emission[t] = call->has_blank ? (double)e[call->blank] * inverse : 0;
}

/* The largest sum of probabilities that the successors of a state have in a frame. */
static double growth(const lg_ctc_sample *s, size_t t)
{
    const double *emission = s->lattice.emission + t * s->lattice.width;
    double most = 0;
    for (size_t u = 0; u < s->labels; u++) {
        const double pair = emission[u] + s->skip[u + 1] * emission[u + 1];
        most = pair > most ? pair : most;
    }
    return most + s->lattice.blank_emission[t];
}

/* Fills the lattice's emissions. Returns NaN if a value of a frame is NaN, else the largest growth; that of a softmax,
 * which is 1 at most, and of logarithms, for which it does not matter, is not looked for. */
static double fill_emissions(const lg_ctc_call *call, lg_ctc_sample *s, const lg_real *pred)
{
    const lg_ctc_lattice *l = &s->lattice;
    double most = 0;
    for (size_t i = s->frames * l->width; i < (s->frames + 1) * l->width; i++)
        l->emission[i] = 0;
    for (size_t t = 0; t < s->frames; t++) {
        const lg_real *frame = pred + lg_ctc_frame_at(&call->shape, s->index, t);
        const bool logits = call->input == LG_CTC_LOGITS;
        if (logits && isnan(s->inverse[t]))
            return NAN;
        if (logits && !s->in_logarithms && !s->has_small)
            gather_frame(call, s, t);
        else
            fill_frame(call, s, frame, t);
        if (logits || s->in_logarithms)
            continue;
        for (size_t k = 0; k < call->shape.classes; k++)
            if (isnan(frame[k]))
                return NAN;
        const double sum = growth(s, t);
        most = sum > most ? sum : most;
    }
    return most;
}

/* ------------------------------------------------------- value, derivative */

static void take_logarithms(const lg_ctc_call *call, lg_ctc_sample *s, const lg_real *pred)
{
    s->in_logarithms = true;
    fill_emissions(call, s, pred);
    s->log_p = lg_ctc_forward_log(&s->lattice);
}

double lg_ctc_sample_value(const lg_ctc_call *call, lg_ctc_sample *s, const lg_real *pred)
{
    s->possible = s->in_logarithms = false;
    read_labels(call, s);
    if (call->input == LG_CTC_LOGITS)
        normalize_frames(call, s, pred);
    const double most = fill_emissions(call, s, pred);
    const bool probabilities = most <= 1 + 1e-3; /* else the bound behind the linear recursion does not hold */
    if (isnan(most))
        s->log_p = most;
    else if (s->frames == 0 || s->frames < s->labels + s->repeats[s->labels])
        s->log_p = s->frames == 0 && s->labels == 0 ? 0 : -INFINITY;
    else if (!probabilities || !lg_ctc_forward(&s->lattice, &s->log_p))
        take_logarithms(call, s, pred);
    s->possible = s->log_p > -INFINITY;
    return -s->log_p;
}

/* d = y - g by logits, -g by log probabilities, -g / p by probabilities; y - g or -g are taken in double, so that a frame
 * that is nearly right keeps the digits of the difference. */
LG_CLONES static void write_frame(const lg_ctc_call *call, const lg_ctc_sample *s, size_t t, const lg_real *restrict frame,
                                  lg_real *restrict d)
{
    const size_t classes = call->shape.classes;
    double *restrict row = s->row;
    const double *posterior = s->lattice.alpha + (2 * t + 1) * s->lattice.width;
    if (call->input == LG_CTC_LOGITS) {
        const lg_real *e = s->exponential + t * classes;
        const double inverse = s->inverse[t];
        for (size_t k = 0; k < classes; k++)
            row[k] = inverse * (double)e[k];
    } else {
        for (size_t k = 0; k < classes; k++)
            row[k] = 0;
    }
    if (call->has_blank)
        row[call->blank] -= s->lattice.blank_share[t];
    for (size_t u = 0; u < s->labels; u++)
        row[s->label[u]] -= posterior[u];
    if (call->input == LG_CTC_PROBS) {
        for (size_t k = 0; k < classes; k++) {
            const double p = (double)frame[k];
            row[k] = row[k] == 0 || p < call->eps || p > 1 - call->eps ? 0 : row[k] / p;
        }
    }
    for (size_t k = 0; k < classes; k++)
        d[k] = (lg_real)row[k];
}

static void fill_frames(const lg_ctc_call *call, const lg_ctc_sample *s, size_t from, size_t to, lg_real value, lg_real *d)
{
    for (size_t t = from; t < to; t++) {
        lg_real *frame = d + lg_ctc_frame_at(&call->shape, s->index, t);
        for (size_t k = 0; k < call->shape.classes; k++)
            frame[k] = value;
    }
}

void lg_ctc_sample_derivative(const lg_ctc_call *call, lg_ctc_sample *s, const lg_real *pred, lg_real *d)
{
    fill_frames(call, s, s->frames, call->shape.frames, 0, d);
    if (!s->possible) {
        fill_frames(call, s, 0, s->frames, isnan(s->log_p) ? (lg_real)NAN : 0, d);
        return;
    }
    if (s->frames > 0 && !s->in_logarithms && !lg_ctc_posterior(&s->lattice))
        take_logarithms(call, s, pred);
    if (s->in_logarithms)
        lg_ctc_posterior_log(&s->lattice);
    for (size_t t = 0; t < s->frames; t++) {
        const size_t at = lg_ctc_frame_at(&call->shape, s->index, t);
        write_frame(call, s, t, pred + at, d + at);
    }
}
