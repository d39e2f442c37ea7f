#include "openset.h"

#include <math.h>
#include <stdlib.h>

static lg_status allocate(probes *p, size_t rows)
{
    *p = (probes){ .row = calloc(rows, sizeof *p->row),
                   .label = calloc(rows, sizeof *p->label),
                   .nearest = calloc(rows, sizeof *p->nearest),
                   .own = calloc(rows, sizeof *p->own),
                   .other = calloc(rows, sizeof *p->other) };
    if (p->row && p->label && p->nearest && p->own && p->other)
        return LG_OK;
    return lg_fail(LG_E_MEMORY, "out of memory for %zu probes", rows);
}

void probes_free(probes *p)
{
    free(p->row);
    free(p->label);
    free(p->nearest);
    free(p->own);
    free(p->other);
    *p = (probes){ 0 };
}

/* Which rows of the part, by their place in it, are registered: the first of each class in a random order. */
static lg_status choose_registered(probes *p, size_t classes, size_t rows, const int32_t *labels, size_t shots, lg_rng rng,
                                   bool *registered)
{
    size_t *left = calloc(classes, sizeof *left), *order = calloc(rows, sizeof *order);
    lg_status status = left && order ? LG_OK : lg_fail(LG_E_MEMORY, "out of memory for %zu rows", rows);
    if (status == LG_OK) {
        for (size_t i = 0; i < rows; i++)
            left[labels[i]]++;
        for (size_t c = 0; c < classes; c++) {
            p->identities += left[c] > 0;
            left[c] = left[c] > shots ? shots : left[c] ? left[c] - 1 : 0;
        }
        lg_rng_permutation(&rng, rows, order);
        for (size_t i = 0; i < rows; i++)
            if (left[labels[order[i]]] > 0) {
                left[labels[order[i]]]--;
                registered[order[i]] = true;
                p->registered++;
            }
    }
    free(left);
    free(order);
    return status;
}

/* Shows one row to all that are registered; not, when none of its class or none of another is. */
static void show(probes *p, size_t at, const lg_real *e, size_t width, const size_t *ids, size_t rows,
                 const int32_t *labels, const bool *registered)
{
    double own = INFINITY, other = INFINITY;
    int32_t stranger = -1;
    for (size_t k = 0; k < rows; k++) {
        if (!registered[k])
            continue;
        const double distance = embedder_distance(e + ids[at] * width, e + ids[k] * width, width);
        if (labels[k] == labels[at])
            own = fmin(own, distance);
        else if (distance < other) {
            other = distance;
            stranger = labels[k];
        }
    }
    if (isinf(own) || isinf(other))
        return;
    p->row[p->count] = (int32_t)ids[at];
    p->label[p->count] = labels[at];
    p->nearest[p->count] = own <= other ? labels[at] : stranger;
    p->own[p->count] = (lg_real)own;
    p->other[p->count] = (lg_real)other;
    p->count++;
}

lg_status probes_new(probes *p, const trainer_data *data, const lg_tensor *embeddings, size_t width, const size_t *ids,
                     size_t rows, size_t shots, lg_rng rng)
{
    const lg_real *e = lg_tensor_data((lg_tensor *)(uintptr_t)embeddings);
    int32_t *labels = calloc(rows, sizeof *labels);
    bool *registered = calloc(rows, sizeof *registered);
    lg_status status = allocate(p, rows);
    if (status == LG_OK && !(labels && registered))
        status = lg_fail(LG_E_MEMORY, "out of memory for %zu rows", rows);
    if (status == LG_OK)
        status = lg_dataset_labels(data->all, ids, rows, labels);
    if (status == LG_OK)
        status = choose_registered(p, lg_dataset_classes(data->all), rows, labels, shots, rng, registered);
    for (size_t i = 0; i < rows && status == LG_OK; i++)
        if (!registered[i])
            show(p, i, e, width, ids, rows, labels, registered);
    if (status == LG_OK && p->count == 0)
        status = lg_fail(LG_E_PARAM, "no row is left to show after %zu of each class are registered", shots);
    free(labels);
    free(registered);
    return status;
}

lg_status probes_threshold(const probes *p, double false_accepts, double *threshold)
{
    lg_real *scores = calloc(p->count, sizeof *scores);
    int32_t *strangers = calloc(p->count, sizeof *strangers); /* all 0: none is who the gallery says */
    double score = 0;
    lg_status status = scores && strangers ? LG_OK : lg_fail(LG_E_MEMORY, "out of memory for %zu scores", p->count);
    for (size_t i = 0; i < p->count && status == LG_OK; i++)
        scores[i] = -p->other[i];
    if (status == LG_OK)
        status = lg_threshold_at_false_accepts(p->count, scores, strangers, false_accepts, &score, NULL);
    if (status == LG_OK && isinf(score)) { /* nobody may pass: just below the nearest stranger */
        double nearest = INFINITY;
        for (size_t i = 0; i < p->count; i++)
            nearest = fmin(nearest, (double)p->other[i]);
        score = -nextafter(nearest, -1);
    }
    *threshold = -score;
    free(scores);
    free(strangers);
    return status;
}

openset_rates probes_rate(const probes *p, double threshold)
{
    openset_rates rates = { 0 };
    const double one = 1 / (double)p->count;
    for (size_t i = 0; i < p->count; i++) {
        const bool own = p->nearest[i] == p->label[i];
        const bool within = fmin((double)p->own[i], (double)p->other[i]) <= threshold;
        rates.rank_1 += own ? one : 0;
        rates.identified += own && within ? one : 0;
        rates.misidentified += !own && within ? one : 0;
        rates.false_rejects += within ? 0 : one;
        rates.false_accepts += (double)p->other[i] <= threshold ? one : 0;
    }
    return rates;
}
