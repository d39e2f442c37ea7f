/* Forward and backward over the alignments of labels with frames (ctc_internal.h).
 *
 *   alpha_t(s) = y_t(s) sum of alpha_{t-1} over the states that lead to s        P = alpha at the end
 *   beta_t(s)  = sum of y_{t+1} beta_{t+1} over the states that s leads to       posterior_t(s) = alpha beta / P
 *
 * Graves, Fernandez, Gomez & Schmidhuber 2006. In doubles that are e^-10000 at times: every place u, which is blank u and
 * label u together, has an exponent k of its own, alpha = row 2^k, and every BLOCK frames k is chosen anew so that the
 * larger of the two is about 1. A step from place u - 1 to place u then takes the factor carry(u) = 2^(k(u-1) - k(u)).
 *
 * Two states of a place can still differ by more than the 1e300 that doubles span, and the smaller may turn out to be
 * the one that counts. What vanishes so adds at most T S 1e-300 to P. Where P is that small itself, the rows are searched
 * for such states and the result is refused if there is one; and so it is if a frame's posteriors miss a sum of 1. */
#include "losses/ctc_internal.h"

#include "losses/loss_internal.h"

#include <string.h>

enum { BLOCK = 8, GAP = 8, MOST_CARRY = 1000 };

static const double least_state = 1e-290;
static const double certain_log_p = -600;
static const double least_miss = 1e-9;

size_t lg_ctc_blocks(size_t frames)
{
    return (frames + BLOCK - 1) / BLOCK;
}

/* beta: two rows [blanks, gap, labels, gap] whose gaps are 0; then what belongs to places. */
typedef struct work_arrays {
    double *row[2], *carry, *weight;
    int64_t *exponent;
} work_arrays;

size_t lg_ctc_work_size(size_t labels)
{
    const size_t width = lg_ctc_width(labels);
    return 2 * (2 * width + 2 * GAP) + 3 * width;
}

static work_arrays work_of(const lg_ctc_lattice *l)
{
    const size_t row = 2 * l->width + 2 * GAP;
    work_arrays w = { .row = { l->work, l->work + row }, .carry = l->work + 2 * row };
    w.weight = w.carry + l->width;
    w.exponent = (int64_t *)(w.weight + l->width);
    return w;
}

/* ------------------------------------------------------------------ windows */

/* The states at a frame that a path from start to end can be in: labels [label, label_end), blanks [blank, blank_end). */
typedef struct window {
    size_t label, label_end, blank, blank_end;
} window;

/* Label u needs u frames before it and repeats[u] more for the blanks that equal labels must have between them. */
static window window_at(const lg_ctc_lattice *l, size_t t)
{
    const size_t labels = l->labels, left = l->frames - t, *repeats = l->repeats; /* left: frames, this one included */
    const size_t needed = labels + repeats[labels];
    window w = { .label_end = labels < t + 1 ? labels : t + 1, .blank_end = labels + 1 < t + 1 ? labels + 1 : t + 1 };
    while (w.label_end > 0 && w.label_end - 1 + repeats[w.label_end - 1] > t)
        w.label_end--;
    while (w.blank_end > 1 && w.blank_end - 1 + repeats[w.blank_end - 2] > t)
        w.blank_end--;
    if (needed >= left) { /* those from which the rest is no longer possible */
        w.label = w.blank = needed - left > repeats[labels] ? needed - left - repeats[labels] : 0;
        while (w.label < labels && needed - w.label - repeats[w.label] > left)
            w.label++;
        while (w.blank < labels && needed - w.blank - repeats[w.blank] > left - 1)
            w.blank++;
    }
    return w;
}

static size_t frames_needed(const lg_ctc_lattice *l)
{
    return l->labels + l->repeats[l->labels];
}

static void clear(double *row, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        row[i] = 0;
}

/* ---------------------------------------------------------------- exponents */

static inline int64_t bits_of(double x)
{
    int64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* 2^n for n in -1022 .. 1023, 0 for -1023. */
static inline double two_to(int64_t n)
{
    const int64_t bits = (n + 1023) << 52;
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline int64_t clamp(int64_t n, int64_t low, int64_t high)
{
    return n < low ? low : n > high ? high : n;
}

/* What a place's values are divided by: a power of 2 near the larger one; 1 if that is 0 (or subnormal). */
static inline int64_t exponent_of(double blank, double label)
{
    const int64_t biased = bits_of(blank > label ? blank : label) >> 52;
    return biased > 0 ? biased - 1023 : 0;
}

/* to = a row of blanks and labels scaled by new exponents, which are added to `exponent`. */
LG_CLONES static void rescale(size_t width, const double *restrict blank, const double *restrict label,
                              double *restrict to_blank, double *restrict to_label, int64_t *restrict exponent)
{
    for (size_t u = 0; u < width / BLOCK * BLOCK; u++) {
        const int64_t n = exponent_of(blank[u], label[u]);
        const double factor = two_to(clamp(-n, -1022, 1023));
        to_blank[u] = factor * blank[u];
        to_label[u] = factor * label[u];
        exponent[u] += n;
    }
}

/* carry[u] from place u + from to place u, for `from` of -1 or 1; the place at the border has none to come from. A place
 * that is 0 has the exponent of the one that it will get its first value from, so `exponent` is walked along the way. */
static void find_carries(size_t labels, int from, const double *blank, const double *label, int64_t *exponent, double *carry)
{
    const size_t first = from < 0 ? 0 : labels;
    carry[first] = 1;
    for (size_t i = 1, u = first; i <= labels; i++) {
        const int64_t before = exponent[u];
        u = from < 0 ? u + 1 : u - 1;
        if (blank[u] == 0 && label[u] == 0)
            exponent[u] = before;
        carry[u] = two_to(clamp(before - exponent[u], -MOST_CARRY, MOST_CARRY));
    }
}

/* ------------------------------------------------------------------ forward */

/* alpha_t from alpha_{t-1}: both rows [blanks, labels], where the last blank is padding and so 0. */
LG_CLONES static void advance(const lg_ctc_lattice *l, size_t t, const double *restrict carry, const double *restrict from,
                              double *restrict to)
{
    const size_t width = l->width / BLOCK * BLOCK;
    const double *restrict skip = l->skip, *restrict emission = l->emission + t * l->width;
    const double blank_emission = l->blank_emission[t];
    const double *from_blank = from, *from_label = from + width;
    double *blank = to, *label = to + width;
    for (size_t u = 0; u < width; u++) {
        const double before = carry[u] * (from_label - 1)[u];
        label[u] = emission[u] * (from_label[u] + from_blank[u] + skip[u] * before);
        blank[u] = blank_emission * (from_blank[u] + before);
    }
}

static double *alpha_row(const lg_ctc_lattice *l, size_t t)
{
    return l->alpha + t * 2 * l->width;
}

/* P = the result, in [1/2, 1), times 2^exponent. */
static double end_of(const lg_ctc_lattice *l, int64_t *exponent)
{
    const size_t labels = l->labels;
    const double *end = alpha_row(l, l->frames - 1);
    const int64_t *k = l->exponent + (l->frames - 1) / BLOCK * l->width;
    double p = end[labels];
    if (labels > 0)
        p += two_to(clamp(k[labels - 1] - k[labels], -MOST_CARRY, MOST_CARRY)) * end[l->width + labels - 1];
    int more = 0;
    p = frexp(p, &more);
    *exponent = k[labels] + more;
    return p;
}

LG_CLONES static bool has_tiny(const double *state, size_t from, size_t to)
{
    int64_t count = 0;
    for (size_t u = from; u < to; u++)
        count += state[u] < least_state;
    return count > 0;
}

bool lg_ctc_forward(const lg_ctc_lattice *l, double *log_p)
{
    const size_t width = l->width, needed = frames_needed(l);
    const work_arrays work = work_of(l);
    const double *from = work.row[0]; /* before the first frame all is in blank 0, which may be left at once */
    clear(work.row[0], 0, 2 * width);
    work.row[0][0] = 1;
    for (size_t u = 0; u < width; u++) {
        work.carry[u] = 1;
        l->exponent[u] = 0;
    }
    for (size_t t = 0; t < l->frames; t++) {
        double *row = alpha_row(l, t);
        if (t > 0 && t % BLOCK == 0) {
            int64_t *exponent = l->exponent + t / BLOCK * width;
            memcpy(exponent, exponent - width, width * sizeof *exponent);
            rescale(width, from, from + width, work.row[0], work.row[0] + width, exponent);
            from = work.row[0];
            find_carries(l->labels, -1, from, from + width, exponent, work.carry);
        }
        advance(l, t, work.carry, from, row);
        if (needed + t >= l->frames) { /* states without an end never have successors with one: they stay at 0 */
            const window w = window_at(l, t);
            clear(row, 0, w.blank);
            clear(row + width, 0, w.label);
        }
        from = row;
    }
    int64_t exponent;
    const double p = end_of(l, &exponent);
    if (!(p > 0 && p < INFINITY))
        return false;
    *log_p = log(p) + (double)exponent * 0.69314718055994530942;
    for (size_t t = 0; *log_p <= certain_log_p && t < l->frames; t++) {
        const window w = window_at(l, t);
        if (has_tiny(alpha_row(l, t), w.blank, w.blank_end) || has_tiny(alpha_row(l, t) + width, w.label, w.label_end))
            return false;
    }
    return true;
}

/* ----------------------------------------------------------------- backward */

/* beta_t from beta_{t+1}: both rows [blanks, gap, labels, gap]. carry[u] is for the step from place u + 1. */
LG_CLONES static void retreat(const lg_ctc_lattice *l, size_t t, const double *restrict carry, const double *restrict from,
                              double *restrict to)
{
    const size_t width = l->width / BLOCK * BLOCK;
    const double *restrict skip = l->skip, *restrict emission = l->emission + (t + 1) * l->width;
    const double blank_emission = l->blank_emission[t + 1];
    const double *from_blank = from, *from_label = from + width + GAP;
    double *blank = to, *label = to + width + GAP;
    for (size_t u = 0; u < width; u++) {
        const double stay = emission[u] * from_label[u];
        const double leave = blank_emission * from_blank[u + 1] + skip[u + 1] * (emission[u + 1] * from_label[u + 1]);
        label[u] = stay + carry[u] * leave;
        blank[u] = blank_emission * from_blank[u] + stay;
    }
}

/* The sum of a multiple of 8 values. */
LG_INLINE double sum_of(const double *values, size_t n)
{
    double lane[8] = { 0 };
    for (size_t i = 0; i + 8 <= n; i += 8)
        for (size_t j = 0; j < 8; j++)
            lane[j] += values[i + j];
    for (size_t j = 0; j < 4; j++)
        lane[j] += lane[j + 4];
    return (lane[0] + lane[2]) + (lane[1] + lane[3]);
}

/* alpha := alpha beta weight, the posteriors; returns the sum of those of the blanks. */
LG_CLONES static double combine(size_t width, double *restrict alpha, const double *restrict beta,
                                const double *restrict weight, double *restrict label_share)
{
    const double *beta_label = beta + width + GAP;
    for (size_t u = 0; u < width / BLOCK * BLOCK; u++) {
        alpha[u] *= beta[u] * weight[u];
        alpha[width + u] *= beta_label[u] * weight[u];
    }
    *label_share = sum_of(alpha + width, width);
    return sum_of(alpha, width);
}

/* 1 / P in the units of alpha beta at each place: 2^(k + k') / P. */
static void find_weights(const lg_ctc_lattice *l, const int64_t *exponent, const work_arrays *work, double p, int64_t p_exponent)
{
    for (size_t u = 0; u < l->width; u++)
        work->weight[u] = two_to(clamp(exponent[u] + work->exponent[u] - p_exponent, -1023, MOST_CARRY)) / p;
}

bool lg_ctc_posterior(const lg_ctc_lattice *l)
{
    const size_t width = l->width, label_at = width + GAP, needed = frames_needed(l);
    const work_arrays work = work_of(l);
    int64_t p_exponent;
    const double p = end_of(l, &p_exponent);
    double *beta = work.row[0], *other = work.row[1];
    clear(l->work, 0, 2 * (2 * width + 2 * GAP));
    for (size_t u = 0; u < width; u++) {
        work.carry[u] = 1;
        work.exponent[u] = 0;
    }
    beta[l->labels] = 1;
    if (l->labels > 0)
        beta[label_at + l->labels - 1] = 1;
    for (size_t t = l->frames; t-- > 0;) {
        if (t + 1 < l->frames) {
            double *from = beta;
            retreat(l, t, work.carry, from, other);
            beta = other;
            other = from;
        }
        if (t < needed) { /* not reached from the start */
            const window w = window_at(l, t);
            clear(beta, w.blank_end, width);
            clear(beta + label_at, w.label_end, width);
        }
        if (t + 1 == l->frames || (t + 1) % BLOCK == 0) {
            rescale(width, beta, beta + label_at, other, other + label_at, work.exponent);
            double *from = beta;
            beta = other;
            other = from;
            find_carries(l->labels, 1, beta, beta + label_at, work.exponent, work.carry);
            find_weights(l, l->exponent + t / BLOCK * width, &work, p, p_exponent);
        }
        double label_share;
        l->blank_share[t] = combine(width, alpha_row(l, t), beta, work.weight, &label_share);
        if (!(fabs(l->blank_share[t] + label_share - 1) < least_miss))
            return false;
    }
    return true;
}
