/* Forward and backward over the alignments of labels with frames (ctc_internal.h).
 *
 *   alpha_t(s) = y_t(s) sum of alpha_{t-1} over the states that lead to s        P = alpha at the end
 *   beta_t(s)  = sum of y_{t+1} beta_{t+1} over the states that s leads to       posterior_t(s) = alpha beta / P
 *
 * Graves, Fernandez, Gomez & Schmidhuber 2006. In doubles, each row multiplied by a power of 2 when its sum becomes
 * small, this takes less than half the time of logarithms and loses nothing, but for one case: states that are smaller
 * than about 1e-300 of their row's sum vanish, and would be missed if all others came to nothing in later frames. They
 * can be missed only where P is that small as well: the rows' sums never grow, so what vanished adds at most
 * T S 1e-298 to P. Where P is smaller than e^-600, the rows are searched for such states, and the result is refused if
 * there is one. */
#include "losses/ctc_internal.h"

#include "losses/loss_internal.h"

#include <string.h>

static const double small_sum = 0x1p-32; /* rows below are scaled up to about 1 */
static const double least_sum = 1e-250;  /* rows below this before scaling are refused */
static const double least_state = 1e-290;
static const double certain_log_p = -600;

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

static double *row_of(double *rows, size_t labels, size_t t)
{
    return rows + t * lg_ctc_states(labels);
}

static void fill_row(double *row, size_t labels, double value)
{
    for (size_t i = 0; i < lg_ctc_states(labels); i++)
        row[i] = value;
}

static bool has_tiny_state(const double *row, size_t labels, window w)
{
    const double *label = row + 1, *blank = row + 1 + labels;
    bool tiny = false;
    for (size_t u = w.label; u < w.label_end; u++)
        tiny = tiny || label[u] < least_state;
    for (size_t u = w.blank; u < w.blank_end; u++)
        tiny = tiny || blank[u] < least_state;
    return tiny;
}

/* Multiplies a row whose sum has become small by a power of 2; adds its exponent to *shift. */
static void rescale(double *row, size_t labels, double sum, long *shift)
{
    if (sum >= small_sum)
        return;
    int exponent;
    (void)frexp(sum, &exponent);
    const double factor = ldexp(1, -exponent);
    for (size_t i = 0; i < lg_ctc_states(labels); i++)
        row[i] *= factor;
    *shift += exponent;
}

/* ------------------------------------------------------------------ linear */

/* alpha_t from alpha_{t-1}, within the window; returns its sum. */
LG_CLONES static double advance(const lg_ctc_lattice *l, window w, const double *restrict emission,
                                const double *restrict from, double *restrict to)
{
    const double *restrict skip = l->skip;
    const double *from_label = from + 1, *from_blank = from + 1 + l->labels;
    double *label = to + 1, *blank = to + 1 + l->labels;
    const double blank_emission = emission[l->labels];
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t u = w.label; u < w.label_end; u++) {
        const double a = emission[u] * (from_label[u] + from_blank[u] + skip[u] * (from_label - 1)[u]);
        label[u] = a;
        sum += a;
    }
#pragma omp simd reduction(+ : sum)
    for (size_t u = w.blank; u < w.blank_end; u++) {
        const double a = blank_emission * (from_blank[u] + (from_label - 1)[u]);
        blank[u] = a;
        sum += a;
    }
    return sum;
}

bool lg_ctc_forward(const lg_ctc_lattice *l, double *log_p)
{
    const size_t labels = l->labels, last = l->frames - 1;
    double *start = l->work; /* before the first frame all is in blank 0, which may be left without a frame in it */
    long shift = 0;
    fill_row(start, labels, 0);
    start[1 + labels] = 1;
    for (size_t t = 0; t < l->frames; t++) {
        double *row = row_of(l->alpha, labels, t);
        const double *from = t == 0 ? start : row_of(l->alpha, labels, t - 1);
        fill_row(row, labels, 0);
        const double sum = advance(l, window_at(l, t), l->emission + t * (labels + 1), from, row);
        if (!(sum > least_sum))
            return false;
        rescale(row, labels, sum, &shift);
    }
    const double *end = row_of(l->alpha, labels, last) + 1;
    const double p = end[2 * labels] + (labels > 0 ? end[labels - 1] : 0);
    *log_p = log(p) + (double)shift * 0.69314718055994530942;
    if (*log_p > certain_log_p)
        return true;
    for (size_t t = 0; t < l->frames; t++)
        if (has_tiny_state(row_of(l->alpha, labels, t), labels, window_at(l, t)))
            return false;
    return true;
}

/* beta_t from `next`, which is y_{t+1} beta_{t+1}, within the window; returns its sum. */
LG_CLONES static double retreat(const lg_ctc_lattice *l, window w, const double *restrict next, double *restrict to)
{
    const size_t labels = l->labels;
    const double *restrict skip = l->skip;
    const double *next_label = next + 1, *next_blank = next + 1 + labels;
    double *label = to + 1, *blank = to + 1 + labels;
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t u = w.label; u < w.label_end; u++) { /* skip[U] is 0, whatever follows the last label in the row */
        const double b = next_label[u] + next_blank[u + 1] + skip[u + 1] * next_label[u + 1];
        label[u] = b;
        sum += b;
    }
    const size_t before_end = w.blank_end < labels ? w.blank_end : labels;
#pragma omp simd reduction(+ : sum)
    for (size_t u = w.blank; u < before_end; u++) {
        const double b = next_blank[u] + next_label[u];
        blank[u] = b;
        sum += b;
    }
    if (w.blank_end == labels + 1) {
        blank[labels] = next_blank[labels];
        sum += blank[labels];
    }
    return sum;
}

/* alpha := alpha beta / their sum; returns that sum. */
LG_CLONES static double normalize_product(size_t n, double *restrict alpha, const double *restrict beta)
{
    double total = 0;
#pragma omp simd reduction(+ : total)
    for (size_t i = 0; i < n; i++) {
        alpha[i] *= beta[i];
        total += alpha[i];
    }
    const double inverse = 1 / total;
    for (size_t i = 0; i < n; i++)
        alpha[i] *= inverse;
    return total;
}

static void emit(const lg_ctc_lattice *l, size_t t, double *row)
{
    const size_t labels = l->labels;
    const double *emission = l->emission + t * (labels + 1);
    for (size_t u = 0; u < labels; u++)
        row[1 + u] *= emission[u];
    for (size_t u = 0; u <= labels; u++)
        row[1 + labels + u] *= emission[labels];
}

bool lg_ctc_posterior(const lg_ctc_lattice *l, double log_p)
{
    const size_t labels = l->labels, states = lg_ctc_states(labels);
    double *beta = l->work, *next = l->work + states;
    long shift = 0;
    fill_row(beta, labels, 0);
    beta[1 + 2 * labels] = 1;
    beta[labels] = labels > 0 ? 1 : 0; /* the last label; without labels this is the place before them */
    for (size_t t = l->frames; t-- > 0;) {
        if (t + 1 < l->frames) {
            double *other = beta;
            beta = next;
            next = other;
            emit(l, t + 1, next);
            fill_row(beta, labels, 0);
            const double sum = retreat(l, window_at(l, t), next, beta);
            if (!(sum > least_sum))
                return false;
            rescale(beta, labels, sum, &shift);
        }
        if (log_p <= certain_log_p && has_tiny_state(beta, labels, window_at(l, t)))
            return false;
        if (!(normalize_product(states, row_of(l->alpha, labels, t), beta) > least_sum))
            return false;
    }
    return true;
}

/* -------------------------------------------------------------- logarithms */

/* log(e^a + e^b + e^c) */
static double log_sum(double a, double b, double c)
{
    const double ab = a > b ? a : b, largest = ab > c ? ab : c;
    return largest == -INFINITY ? largest : largest + log(exp(a - largest) + exp(b - largest) + exp(c - largest));
}

double lg_ctc_forward_log(const lg_ctc_lattice *l)
{
    const size_t labels = l->labels;
    double *from = l->work;
    fill_row(from, labels, -INFINITY);
    from[1 + labels] = 0;
    for (size_t t = 0; t < l->frames; t++) {
        const window w = window_at(l, t);
        const double *emission = l->emission + t * (labels + 1);
        const double *from_label = from + 1, *from_blank = from + 1 + labels;
        double *row = row_of(l->alpha, labels, t);
        fill_row(row, labels, -INFINITY);
        for (size_t u = w.label; u < w.label_end; u++)
            row[1 + u] = emission[u] + log_sum(from_label[u], from_blank[u], l->skip[u] != 0 ? from_label[u - 1] : -INFINITY);
        for (size_t u = w.blank; u < w.blank_end; u++)
            row[1 + labels + u] = emission[labels] + log_sum(from_blank[u], (from_label - 1)[u], -INFINITY);
        from = row;
    }
    return log_sum(from[1 + 2 * labels], from[labels], -INFINITY); /* without labels, the latter is before them: -inf */
}

/* beta_t of one state each. */
static double label_beta(const lg_ctc_lattice *l, const double *next, size_t u)
{
    const double *next_label = next + 1, *next_blank = next + 1 + l->labels;
    return log_sum(next_label[u], next_blank[u + 1], l->skip[u + 1] != 0 ? next_label[u + 1] : -INFINITY);
}

static double blank_beta(const lg_ctc_lattice *l, const double *next, size_t u)
{
    const double *next_label = next + 1, *next_blank = next + 1 + l->labels;
    return log_sum(next_blank[u], u < l->labels ? next_label[u] : -INFINITY, -INFINITY);
}

static void exponentiate_product(size_t n, double *alpha, const double *beta)
{
    double largest = -INFINITY, total = 0;
    for (size_t i = 0; i < n; i++) {
        alpha[i] += beta[i];
        largest = alpha[i] > largest ? alpha[i] : largest;
    }
    for (size_t i = 0; i < n; i++)
        total += alpha[i] = exp(alpha[i] - largest);
    for (size_t i = 0; i < n; i++)
        alpha[i] /= total;
}

void lg_ctc_posterior_log(const lg_ctc_lattice *l)
{
    const size_t labels = l->labels, states = lg_ctc_states(labels);
    double *beta = l->work, *next = l->work + states;
    fill_row(beta, labels, -INFINITY);
    beta[1 + 2 * labels] = 0;
    beta[labels] = labels > 0 ? 0 : -INFINITY;
    for (size_t t = l->frames; t-- > 0;) {
        if (t + 1 < l->frames) {
            const double *emission = l->emission + (t + 1) * (labels + 1);
            const window w = window_at(l, t);
            double *other = beta;
            beta = next;
            next = other;
            for (size_t u = 0; u < labels; u++)
                next[1 + u] += emission[u];
            for (size_t u = 0; u <= labels; u++)
                next[1 + labels + u] += emission[labels];
            fill_row(beta, labels, -INFINITY);
            for (size_t u = w.label; u < w.label_end; u++)
                beta[1 + u] = label_beta(l, next, u);
            for (size_t u = w.blank; u < w.blank_end; u++)
                beta[1 + labels + u] = blank_beta(l, next, u);
        }
        exponentiate_product(states, row_of(l->alpha, labels, t), beta);
    }
}
