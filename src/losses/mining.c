/* Choosing triplets inside a batch (mining.h). */
#include "losses/mining.h"

#include "autograd/ops.h"
#include "autograd/tape_internal.h"
#include "losses/distance_internal.h"
#include "tensor/memory_internal.h"

/* Rows a, p, n of each triplet, side by side, and the squared distances [n, n] that semi-hard mining looks at. */
typedef struct miner {
    size_t n, width, count;
    const lg_real *x;
    const int32_t *label;
    double *distance;
    int32_t *anchor, *positive, *negative;
} miner;

static bool has_other_label(const miner *m, size_t a)
{
    for (size_t k = 0; k < m->n; k++)
        if (m->label[k] != m->label[a])
            return true;
    return false;
}

/* Pairs (a, p) of one label, where some other label is there as well; written where there is room already. */
static size_t list_pairs(miner *m)
{
    size_t count = 0;
    if (m->n == 0 || !has_other_label(m, 0)) /* if the first has one, all have */
        return 0;
    for (size_t a = 0; a < m->n; a++)
        for (size_t p = 0; p < m->n; p++)
            if (p != a && m->label[p] == m->label[a]) {
                if (m->anchor) {
                    m->anchor[count] = (int32_t)a;
                    m->positive[count] = (int32_t)p;
                }
                count++;
            }
    return count;
}

static void measure_distances(miner *m)
{
    for (size_t i = 0; i < m->n; i++) {
        m->distance[i * m->n + i] = 0;
        for (size_t k = 0; k < i; k++)
            m->distance[i * m->n + k] = m->distance[k * m->n + i] =
                lg_squared_distance(m->x + i * m->width, m->x + k * m->width, m->width, 0, 1);
    }
}

static int32_t semi_hard_negative(const miner *m, size_t a, size_t p)
{
    const double *distance = m->distance + a * m->n, least = distance[p];
    size_t nearest = m->n, farthest = m->n;
    for (size_t k = 0; k < m->n; k++) {
        if (m->label[k] == m->label[a])
            continue;
        if (farthest == m->n || distance[k] > distance[farthest])
            farthest = k;
        if (distance[k] > least && (nearest == m->n || distance[k] < distance[nearest]))
            nearest = k;
    }
    return (int32_t)(nearest < m->n ? nearest : farthest);
}

static int32_t random_negative(const miner *m, size_t a, lg_rng *rng)
{
    size_t k;
    do
        k = (size_t)lg_rng_below(rng, m->n);
    while (m->label[k] == m->label[a]); /* there is another, so this ends */
    return (int32_t)k;
}

/* The room is the tape's, so that training allocates nothing once warm. */
static bool make_room(miner *m, lg_tape *tape, lg_mining mining)
{
    size_t bytes, square = 0;
    if (!lg_size_mul(m->count, 3 * sizeof(int32_t), &bytes) ||
        (mining == LG_MINE_SEMI_HARD && (!lg_size_mul(m->n, m->n, &square) ||
                                         !lg_size_mul(square, sizeof *m->distance, &square)))) {
        lg_fail(LG_E_MEMORY, "lg_triplet_mined: %zu triplets are too many", m->count);
        return false;
    }
    m->anchor = lg_arena_alloc(&tape->values, bytes);
    m->distance = m->anchor ? lg_arena_alloc(&tape->values, square) : NULL;
    if (!m->distance)
        return false;
    m->positive = m->anchor + m->count;
    m->negative = m->positive + m->count;
    return true;
}

static bool mine(miner *m, lg_tape *tape, lg_mining mining)
{
    m->count = list_pairs(m);
    if (!make_room(m, tape, mining))
        return false;
    list_pairs(m);
    lg_rng rng = mining == LG_MINE_RANDOM ? lg_tape_next_rng(tape) : lg_rng_seed(0);
    if (mining == LG_MINE_SEMI_HARD)
        measure_distances(m);
    for (size_t i = 0; i < m->count; i++) {
        const size_t a = (size_t)m->anchor[i], p = (size_t)m->positive[i];
        m->negative[i] = mining == LG_MINE_RANDOM ? random_negative(m, a, &rng) : semi_hard_negative(m, a, p);
    }
    return true;
}

static lg_tensor *rows_at(lg_tape *tape, lg_tensor *embeddings, const miner *m, const int32_t *rows)
{
    return lg_gather_rows(tape, embeddings, lg_view_indices(tape, 1, &m->count, rows));
}

lg_tensor *lg_triplet_mined(lg_tape *tape, lg_tensor *embeddings, lg_tensor *labels, lg_mining mining, double margin,
                            lg_distance distance, const lg_loss_options *options)
{
    if (!lg_operands(tape, "lg_triplet_mined", 2, (lg_tensor *[]){ embeddings, labels }))
        return NULL;
    if (embeddings->dtype != LG_REAL || labels->dtype != LG_INT32) {
        lg_fail(LG_E_DTYPE, "lg_triplet_mined: embeddings are real and labels int32");
        return NULL;
    }
    if (embeddings->rank != 2 || labels->size != embeddings->dims[0] || embeddings->dims[0] > INT32_MAX) {
        char left[LG_SHAPE_TEXT_BYTES], right[LG_SHAPE_TEXT_BYTES];
        lg_fail(LG_E_SHAPE, "lg_triplet_mined: embeddings %s with labels %s; [N, D] with [N] are wanted",
                lg_tensor_shape_text(embeddings, left, sizeof left), lg_tensor_shape_text(labels, right, sizeof right));
        return NULL;
    }
    if (mining != LG_MINE_RANDOM && mining != LG_MINE_SEMI_HARD) {
        lg_fail(LG_E_PARAM, "lg_triplet_mined: %d is no way of mining", (int)mining);
        return NULL;
    }
    miner m = { .n = embeddings->dims[0], .width = embeddings->dims[1], .x = embeddings->real, .label = labels->index };
    if (!mine(&m, tape, mining))
        return NULL;
    return lg_triplet_margin(tape, rows_at(tape, embeddings, &m, m.anchor), rows_at(tape, embeddings, &m, m.positive),
                             rows_at(tape, embeddings, &m, m.negative), margin, distance, 2, false, false, options);
}
