/* The recursions of ctc_lattice.c in logarithms: some twenty times slower, for samples whose numbers doubles don't
 * span. Same arrays; `emission` and `blank_emission` hold logarithms. */
#include "losses/ctc_internal.h"

#include <math.h>

/* log(e^a + e^b + e^c) */
static double log_sum(double a, double b, double c)
{
    const double ab = a > b ? a : b, largest = ab > c ? ab : c;
    return largest == -INFINITY ? largest : largest + log(exp(a - largest) + exp(b - largest) + exp(c - largest));
}

static void rule_out_all(double *row, size_t width)
{
    for (size_t i = 0; i < 2 * width; i++)
        row[i] = -INFINITY;
}

double lg_ctc_forward_log(const lg_ctc_lattice *l)
{
    const size_t labels = l->labels, width = l->width;
    double *from = l->work;
    rule_out_all(from, width);
    from[0] = 0;
    for (size_t t = 0; t < l->frames; t++) {
        const double *emission = l->emission + t * width, *from_blank = from, *from_label = from + width;
        double *blank = l->alpha + t * 2 * width, *label = blank + width;
        rule_out_all(blank, width);
        for (size_t u = 0; u <= labels; u++) { /* (from_label - 1)[0] is padding: -infinity */
            const double before = (from_label - 1)[u];
            blank[u] = l->blank_emission[t] + log_sum(from_blank[u], before, -INFINITY);
            if (u < labels)
                label[u] = emission[u] + log_sum(from_label[u], from_blank[u], l->skip[u] != 0 ? before : -INFINITY);
        }
        from = blank;
    }
    return log_sum(from[labels], labels > 0 ? from[width + labels - 1] : -INFINITY, -INFINITY);
}

/* beta_t, where `next` is log (y_{t+1} beta_{t+1}). */
static void retreat_log(const lg_ctc_lattice *l, const double *next, double *beta)
{
    const size_t labels = l->labels, width = l->width;
    const double *next_blank = next, *next_label = next + width;
    rule_out_all(beta, width);
    for (size_t u = 0; u <= labels; u++) {
        beta[u] = log_sum(next_blank[u], next_label[u], -INFINITY);
        if (u < labels)
            beta[width + u] = log_sum(next_label[u], next_blank[u + 1], l->skip[u + 1] != 0 ? next_label[u + 1] : -INFINITY);
    }
}

/* row = alpha + beta: labels become their shares of the sum, and the blanks' are added up. */
static double share(const lg_ctc_lattice *l, double *row, const double *beta)
{
    double largest = -INFINITY, blanks = 0, total = 0;
    for (size_t i = 0; i < 2 * l->width; i++) {
        row[i] += beta[i];
        largest = row[i] > largest ? row[i] : largest;
    }
    for (size_t i = 0; i < 2 * l->width; i++) {
        total += row[i] = exp(row[i] - largest);
        blanks += i < l->width ? row[i] : 0;
    }
    for (size_t u = 0; u < l->labels; u++)
        row[l->width + u] /= total;
    return blanks / total;
}

void lg_ctc_posterior_log(const lg_ctc_lattice *l)
{
    const size_t labels = l->labels, width = l->width;
    double *beta = l->work, *next = l->work + 2 * width;
    rule_out_all(beta, width);
    beta[labels] = 0;
    if (labels > 0)
        beta[width + labels - 1] = 0;
    for (size_t t = l->frames; t-- > 0;) {
        if (t + 1 < l->frames) {
            double *other = beta;
            beta = next;
            next = other;
            for (size_t u = 0; u <= labels; u++) {
                next[u] += l->blank_emission[t + 1];
                next[width + u] += l->emission[(t + 1) * width + u]; /* of a place without label: -infinity */
            }
            retreat_log(l, next, beta);
        }
        l->blank_share[t] = share(l, l->alpha + t * 2 * width, beta);
    }
}
