/* Scores of an epoch, pooled: what ROC AUC and average precision are computed from. Positives and negatives lie apart,
 * as unsigned keys that are ordered as the scores are, so that they are sorted without comparisons. */
#ifndef LG_POOL_INTERNAL_H
#define LG_POOL_INTERNAL_H

#include "train/metrics.h"

#if LG_REAL_BITS == 64
typedef uint64_t lg_score_key;
#else
typedef uint32_t lg_score_key;
#endif

typedef struct lg_pool {
    lg_score_key *keys[2]; /* of class 0, of class 1 */
    size_t count[2], capacity[2];
    lg_score_key *scratch;
    size_t scratch_capacity;
} lg_pool;

/* Makes room for `more` scores of each class, to be added without failing. */
lg_status lg_pool_reserve(lg_pool *pool, size_t more);

/* Adds a score that is not NaN, of class 0 or 1. There must be room. */
void lg_pool_add(lg_pool *pool, lg_real score, bool positive);

void lg_pool_clear(lg_pool *pool);
void lg_pool_free(lg_pool *pool);

/* Sorts; needed before the metrics. LG_E_MEMORY. Equal pools come out equal, in whatever order they were filled. */
lg_status lg_pool_sort(lg_pool *pool);
double lg_pool_roc_auc(const lg_pool *pool);
double lg_pool_average_precision(const lg_pool *pool);

#endif
