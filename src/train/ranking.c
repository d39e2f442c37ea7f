/* Metrics from scores (metrics.h), and the pool that they are computed from (pool_internal.h). */
#include "train/pool_internal.h"

#include "tensor/memory_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ the pool
 * Positive floats are ordered as their bits are; negative ones the other way round, so theirs are inverted. */

#define SIGN ((lg_score_key)1 << (LG_REAL_BITS - 1))

static lg_score_key key_of(lg_real score)
{
    lg_score_key bits;
    score += 0; /* -0 becomes 0, which it ties with */
    memcpy(&bits, &score, sizeof bits);
    return bits & SIGN ? ~bits : bits | SIGN;
}

static lg_real score_of(lg_score_key key)
{
    lg_real score;
    key = key & SIGN ? key & ~SIGN : ~key;
    memcpy(&score, &key, sizeof score);
    return score;
}

lg_status lg_pool_reserve(lg_pool *pool, size_t more)
{
    for (int class = 0; class < 2; class++)
        if (lg_reserve(&pool->keys[class], &pool->capacity[class], pool->count[class] + more, sizeof(lg_score_key),
                       "the scores of an epoch") != LG_OK)
            return LG_E_MEMORY;
    return LG_OK;
}

void lg_pool_add(lg_pool *pool, lg_real score, bool positive)
{
    pool->keys[positive][pool->count[positive]++] = key_of(score);
}

void lg_pool_clear(lg_pool *pool)
{
    pool->count[0] = pool->count[1] = 0;
}

void lg_pool_free(lg_pool *pool)
{
    free(pool->keys[0]);
    free(pool->keys[1]);
    free(pool->scratch);
    *pool = (lg_pool){ 0 };
}

/* Counting sort by bytes, the lowest first (Knuth vol. 3, 5.2.5), leaving out bytes in which all keys agree. */
static void sort(lg_score_key *keys, lg_score_key *scratch, size_t n)
{
    enum { PASSES = sizeof(lg_score_key) };
    size_t counts[PASSES][256] = { { 0 } };
    for (size_t i = 0; i < n; i++)
        for (int pass = 0; pass < PASSES; pass++)
            counts[pass][keys[i] >> (8 * pass) & 255]++;
    lg_score_key *from = keys, *to = scratch;
    for (int pass = 0; pass < PASSES && n > 1; pass++) {
        if (counts[pass][keys[0] >> (8 * pass) & 255] == n)
            continue;
        for (size_t value = 0, before = 0; value < 256; value++) {
            const size_t count = counts[pass][value];
            counts[pass][value] = before;
            before += count;
        }
        for (size_t i = 0; i < n; i++)
            to[counts[pass][from[i] >> (8 * pass) & 255]++] = from[i];
        lg_score_key *swap = from;
        from = to;
        to = swap;
    }
    if (from != keys)
        memcpy(keys, from, n * sizeof *keys);
}

lg_status lg_pool_sort(lg_pool *pool)
{
    const size_t longest = pool->count[0] > pool->count[1] ? pool->count[0] : pool->count[1];
    if (lg_reserve(&pool->scratch, &pool->scratch_capacity, longest, sizeof *pool->scratch,
                   "the scores of an epoch") != LG_OK)
        return LG_E_MEMORY;
    for (int class = 0; class < 2; class++)
        sort(pool->keys[class], pool->scratch, pool->count[class]);
    return LG_OK;
}

/* A walk over the distinct scores of a sorted pool, falling: at each, how many of either class score at least that. */
typedef struct walk {
    const lg_pool *pool;
    size_t left[2]; /* keys below, of either class */
    size_t true_positives, false_positives;
    lg_score_key key;
} walk;

static walk walk_down(const lg_pool *pool)
{
    return (walk){ .pool = pool, .left = { pool->count[0], pool->count[1] } };
}

static bool next(walk *w)
{
    lg_score_key *const *keys = w->pool->keys;
    if (w->left[0] + w->left[1] == 0)
        return false;
    w->key = 0;
    for (int class = 0; class < 2; class++)
        if (w->left[class] > 0 && keys[class][w->left[class] - 1] > w->key)
            w->key = keys[class][w->left[class] - 1];
    for (int class = 0; class < 2; class++)
        while (w->left[class] > 0 && keys[class][w->left[class] - 1] == w->key)
            w->left[class]--;
    w->false_positives = w->pool->count[0] - w->left[0];
    w->true_positives = w->pool->count[1] - w->left[1];
    return true;
}

double lg_pool_roc_auc(const lg_pool *pool)
{
    const double pairs = (double)pool->count[0] * (double)pool->count[1];
    double won = 0;
    size_t tp = 0, fp = 0;
    for (walk w = walk_down(pool); next(&w); tp = w.true_positives, fp = w.false_positives)
        won += (double)(w.false_positives - fp) * ((double)tp + (double)(w.true_positives - tp) / 2);
    return pairs > 0 ? won / pairs : NAN;
}

double lg_pool_average_precision(const lg_pool *pool)
{
    const double positives = (double)pool->count[1];
    double sum = 0;
    size_t tp = 0;
    for (walk w = walk_down(pool); next(&w); tp = w.true_positives)
        sum += (double)(w.true_positives - tp) * (double)w.true_positives /
               (double)(w.true_positives + w.false_positives);
    return positives > 0 ? sum / positives : NAN;
}

/* ------------------------------------------------------ from plain arrays */

static lg_status fill_pool(lg_pool *pool, const char *what, size_t n, const lg_real *scores, const int32_t *labels)
{
    if (n > 0 && (!scores || !labels))
        return lg_fail_null("%s: an argument is NULL", what);
    for (size_t i = 0; i < n; i++) {
        if (isnan(scores[i]))
            return lg_fail(LG_E_DOMAIN, "%s: scores[%zu] is NaN", what, i);
        if (labels[i] != 0 && labels[i] != 1)
            return lg_fail(LG_E_DOMAIN, "%s: labels[%zu] is %d, 0 or 1 is wanted", what, i, (int)labels[i]);
    }
    lg_status status = lg_pool_reserve(pool, n);
    for (size_t i = 0; i < n && status == LG_OK; i++)
        lg_pool_add(pool, scores[i], labels[i]);
    return status == LG_OK ? lg_pool_sort(pool) : status;
}

static lg_status measure(const char *what, size_t n, const lg_real *scores, const int32_t *labels,
                         double (*metric)(const lg_pool *), double *value)
{
    if (!value)
        return lg_fail_null("%s: the result's pointer is NULL", what);
    lg_pool pool = { 0 };
    lg_status status = fill_pool(&pool, what, n, scores, labels);
    if (status == LG_OK)
        *value = metric(&pool);
    lg_pool_free(&pool);
    return status;
}

lg_status lg_roc_auc(size_t n, const lg_real *scores, const int32_t *labels, double *auc)
{
    return measure("lg_roc_auc", n, scores, labels, lg_pool_roc_auc, auc);
}

lg_status lg_average_precision(size_t n, const lg_real *scores, const int32_t *labels, double *precision)
{
    return measure("lg_average_precision", n, scores, labels, lg_pool_average_precision, precision);
}

lg_status lg_best_threshold(size_t n, const lg_real *scores, const int32_t *labels, double *threshold, double *f1)
{
    if (n == 0)
        return lg_fail(LG_E_PARAM, "lg_best_threshold: no rows");
    lg_pool pool = { 0 };
    lg_status status = fill_pool(&pool, "lg_best_threshold", n, scores, labels);
    double best = -1, at = NAN;
    for (walk w = walk_down(&pool); status == LG_OK && next(&w);) {
        const double value = lg_binary_score(w.true_positives, w.false_positives, w.left[1]).f1;
        if (value >= best) {
            best = value;
            at = (double)score_of(w.key);
        }
    }
    if (status == LG_OK && threshold)
        *threshold = at;
    if (status == LG_OK && f1)
        *f1 = best;
    lg_pool_free(&pool);
    return status;
}

/* ----------------------------------------------------------------- curves */

static lg_curve *new_curve(const char *what, size_t points)
{
    lg_curve *curve = lg_calloc(1, sizeof *curve, what);
    double *values = curve ? lg_calloc(3 * points, sizeof *values, what) : NULL;
    if (!values) {
        free(curve);
        return NULL;
    }
    *curve = (lg_curve){ .count = points, .x = values, .y = values + points, .threshold = values + 2 * points };
    return curve;
}

void lg_curve_free(lg_curve *curve)
{
    if (!curve)
        return;
    free(curve->x); /* the three arrays are one block */
    free(curve);
}

static double rate(size_t part, size_t whole)
{
    return whole ? (double)part / (double)whole : NAN;
}

static void roc_point(lg_curve *curve, size_t k, const walk *w)
{
    curve->x[k + 1] = rate(w->false_positives, w->pool->count[0]);
    curve->y[k + 1] = rate(w->true_positives, w->pool->count[1]);
    curve->threshold[k + 1] = (double)score_of(w->key);
}

static void precision_recall_point(lg_curve *curve, size_t k, const walk *w)
{
    const size_t at = curve->count - 2 - k;
    curve->x[at] = rate(w->true_positives, w->pool->count[1]);
    curve->y[at] = rate(w->true_positives, w->true_positives + w->false_positives);
    curve->threshold[at] = (double)score_of(w->key);
}

/* A curve with one point more than there are distinct scores, which `put` fills from the highest score down. */
static lg_curve *make_curve(const char *what, size_t n, const lg_real *scores, const int32_t *labels,
                            void (*put)(lg_curve *, size_t, const walk *))
{
    lg_pool pool = { 0 };
    lg_curve *curve = NULL;
    if (fill_pool(&pool, what, n, scores, labels) == LG_OK) {
        size_t points = 1, k = 0;
        for (walk w = walk_down(&pool); next(&w);)
            points++;
        curve = new_curve(what, points);
        for (walk w = walk_down(&pool); curve && next(&w); k++)
            put(curve, k, &w);
    }
    lg_pool_free(&pool);
    return curve;
}

lg_curve *lg_roc_curve(size_t n, const lg_real *scores, const int32_t *labels)
{
    lg_curve *curve = make_curve("lg_roc_curve", n, scores, labels, roc_point);
    if (!curve)
        return NULL;
    const size_t last = curve->count - 1;
    curve->x[0] = isnan(curve->x[last]) ? NAN : 0;
    curve->y[0] = isnan(curve->y[last]) ? NAN : 0;
    curve->threshold[0] = INFINITY;
    return curve;
}

lg_curve *lg_precision_recall_curve(size_t n, const lg_real *scores, const int32_t *labels)
{
    lg_curve *curve = make_curve("lg_precision_recall_curve", n, scores, labels, precision_recall_point);
    if (!curve)
        return NULL;
    curve->x[curve->count - 1] = 0;
    curve->y[curve->count - 1] = 1;
    curve->threshold[curve->count - 1] = INFINITY;
    return curve;
}
