/* Circle loss (metric.h). */
#include "losses/cosine_internal.h"
#include "losses/metric.h"
#include "tensor/memory_internal.h"
#include "tensor/tensor_internal.h"

#include <string.h>

enum { CIRCLE_EMBEDDINGS, CIRCLE_LABELS, CIRCLE_REFERENCES, CIRCLE_REFERENCE_LABELS };
enum { CIRCLE_GAMMA, CIRCLE_MARGIN, CIRCLE_REMOVE_DIAGONAL, CIRCLE_DETACH_WEIGHTS };

/* ---------------------------------------------------------------------- plan */

/* Row i of the embeddings is compared with every row j of the references, which are the embeddings where none are
 * given. */
typedef struct pairs {
    size_t rows, columns, width;
    const lg_real *embedding, *reference;
    const int32_t *label, *reference_label;
    bool own; /* the references are the embeddings */
} pairs;

static pairs pairs_of(const lg_loss_batch *batch)
{
    const bool own = !batch->inputs[CIRCLE_REFERENCES];
    const lg_tensor *embeddings = batch->inputs[CIRCLE_EMBEDDINGS];
    const lg_tensor *references = batch->inputs[own ? CIRCLE_EMBEDDINGS : CIRCLE_REFERENCES];
    return (pairs){ .rows = embeddings->dims[0],
                    .columns = references->dims[0],
                    .width = embeddings->dims[1],
                    .embedding = embeddings->real,
                    .reference = references->real,
                    .label = batch->inputs[CIRCLE_LABELS]->index,
                    .reference_label = batch->inputs[own ? CIRCLE_LABELS : CIRCLE_REFERENCE_LABELS]->index,
                    .own = own };
}

/* What the scratch holds: the derivative of loss i by the similarity of rows i and j, and two rows of distances. */
typedef struct workspace {
    lg_real *slope;    /* [rows, columns] */
    double *distance;  /* [columns] */
    double *exponent;  /* [columns] */
} workspace;

static workspace workspace_of(const lg_loss_batch *batch, const pairs *p)
{
    double *distance = batch->scratch;
    return (workspace){ .distance = distance,
                        .exponent = distance + p->columns,
                        .slope = (lg_real *)(distance + 2 * p->columns) };
}

static bool scratch_bytes(const pairs *p, size_t *bytes)
{
    size_t slopes, rows;
    return lg_size_mul(p->rows, p->columns, &slopes) && lg_size_mul(slopes, sizeof(lg_real), &slopes) &&
           lg_size_mul(p->columns, 2 * sizeof(double), &rows) && lg_size_add(slopes, rows, bytes);
}

/* Rows of features, and a label for each. */
static lg_status check_shapes(const lg_loss_batch *batch, size_t embeddings, size_t labels)
{
    const lg_tensor *x = batch->inputs[embeddings], *y = batch->inputs[labels], *first = batch->inputs[CIRCLE_EMBEDDINGS];
    const char *x_name = batch->info->inputs[embeddings].name, *y_name = batch->info->inputs[labels].name;
    char a[LG_SHAPE_TEXT_BYTES], b[LG_SHAPE_TEXT_BYTES];
    if (x->rank != 2 || x->dims[1] == 0)
        return lg_fail(LG_E_SHAPE, "circle: %s has shape %s, but must be [rows, features]", x_name,
                       lg_tensor_shape_text(x, a, sizeof a));
    if (x->dims[1] != first->dims[1])
        return lg_fail(LG_E_SHAPE, "circle: embeddings has shape %s, %s %s; the features must be as many",
                       lg_tensor_shape_text(first, a, sizeof a), x_name, lg_tensor_shape_text(x, b, sizeof b));
    if (!lg_same_dims(1, x->dims, y->rank, y->dims))
        return lg_fail(LG_E_SHAPE, "circle: %s has shape %s, %s %s; [%zu] is wanted", x_name,
                       lg_tensor_shape_text(x, a, sizeof a), y_name, lg_tensor_shape_text(y, b, sizeof b), x->dims[0]);
    return LG_OK;
}

/* Rows have length 1; NaN passes. */
static lg_status check_lengths(const lg_loss_batch *batch, size_t embeddings)
{
    const lg_tensor *x = batch->inputs[embeddings];
    const size_t width = x->dims[1];
    for (size_t i = 0; i < x->dims[0]; i++) {
        const double length = sqrt(lg_sum_of_squares(x->real + i * width, width, 1));
        if (fabs(length - 1) > 1e-3)
            return lg_fail(LG_E_DOMAIN, "circle: row %zu of %s has length %g, but must have length 1 (to 0.001)", i,
                           batch->info->inputs[embeddings].name, length);
    }
    return LG_OK;
}

static lg_status circle_plan(lg_loss_batch *batch)
{
    const bool references = batch->inputs[CIRCLE_REFERENCES] != NULL;
    if (references != (batch->inputs[CIRCLE_REFERENCE_LABELS] != NULL))
        return lg_fail(LG_E_PARAM, "circle: ref_embeddings and ref_labels go together, but %s is NULL",
                       references ? "ref_labels" : "ref_embeddings");
    for (size_t k = 0; k <= (references ? CIRCLE_REFERENCES : CIRCLE_EMBEDDINGS); k += CIRCLE_REFERENCES) {
        lg_status status = check_shapes(batch, k, k + 1);
        if (status == LG_OK && !batch->options->unchecked)
            status = check_lengths(batch, k);
        if (status != LG_OK)
            return status;
    }
    const pairs p = pairs_of(batch);
    batch->rank = 1;
    batch->dims[0] = p.rows;
    if (!scratch_bytes(&p, &batch->scratch_bytes))
        return lg_fail(LG_E_MEMORY, "circle: %zu x %zu pairs are more than memory can hold", p.rows, p.columns);
    return lg_gemm_check("circle", p.rows, p.width, p.columns);
}

/* --------------------------------------------------------------------- value */

/* What a pair is to row i. */
typedef enum relation { POSITIVE, NEGATIVE, LEFT_OUT } relation;

LG_INLINE relation relation_of(const pairs *p, size_t i, size_t j, bool remove_diagonal)
{
    if (p->label[i] != p->reference_label[j])
        return NEGATIVE;
    return i == j && remove_diagonal ? LEFT_OUT : POSITIVE;
}

/* d_j = max(0, 1 - e_i . r_j), and 0 of a row with itself. In double: gamma magnifies what float would round away. */
LG_INLINE void find_distances(const pairs *p, size_t i, double *restrict distance)
{
    const lg_real *e = p->embedding + i * p->width;
    for (size_t j = 0; j < p->columns; j++) {
        const lg_real *r = p->reference + j * p->width;
        double similarity = 0;
#pragma omp simd reduction(+ : similarity)
        for (size_t k = 0; k < p->width; k++)
            similarity += (double)e[k] * (double)r[k];
        distance[j] = 1 - similarity <= 0 ? 0 : 1 - similarity;
    }
    if (p->own)
        distance[i] = isnan(distance[i]) ? distance[i] : 0;
}

/* The exponents of a row:  positive -gamma (m + d) (m - d),  negative gamma max(0, 1 + m - d) (1 - m - d) */
LG_INLINE double exponent_of(relation kind, double gamma, double m, double d)
{
    if (kind == POSITIVE)
        return -gamma * (m + d) * (m - d);
    return gamma * (1 + m - d <= 0 ? 0 : 1 + m - d) * (1 - m - d);
}

/* Their derivatives by d:  positive 2 gamma d,  negative 2 gamma (d - 1) where d < 1 + m;
 * with the weights (m + d) and max(0, 1 + m - d) held constant,  gamma (m + d)  and  -gamma (1 + m - d) */
LG_INLINE double rise_of(relation kind, double gamma, double m, double d, bool detached)
{
    if (kind == POSITIVE)
        return gamma * (detached ? m + d : 2 * d);
    return d >= 1 + m ? 0 : gamma * (detached ? d - 1 - m : 2 * (d - 1));
}

/* Sums of exponentials of the positives [0] and the negatives [1] of a row, and the largest exponent of each. */
typedef struct log_sums {
    double largest[2], sum[2];
} log_sums;

/* Leaves exp(exponent - largest of its kind) in w->exponent. */
static log_sums sum_exponents(const lg_loss_batch *batch, const pairs *p, const workspace *w, size_t i)
{
    const double gamma = batch->param[CIRCLE_GAMMA], m = batch->param[CIRCLE_MARGIN];
    const bool remove_diagonal = batch->param[CIRCLE_REMOVE_DIAGONAL] != 0;
    log_sums s = { .largest = { -(double)INFINITY, -(double)INFINITY } };
    for (size_t j = 0; j < p->columns; j++) {
        const relation kind = relation_of(p, i, j, remove_diagonal);
        if (kind == LEFT_OUT)
            continue;
        w->exponent[j] = exponent_of(kind, gamma, m, w->distance[j]);
        s.largest[kind] = w->exponent[j] <= s.largest[kind] ? s.largest[kind] : w->exponent[j];
    }
    for (size_t j = 0; j < p->columns; j++) {
        const relation kind = relation_of(p, i, j, remove_diagonal);
        if (kind == LEFT_OUT)
            continue;
        w->exponent[j] = exp(w->exponent[j] - s.largest[kind]);
        s.sum[kind] += w->exponent[j];
    }
    return s;
}

/* s = e_i . r_j,  z = P + Q:  dloss/ds = -sigmoid(z) softmax_j d exponent_j / d d_j  where s < 1, so that d is not cut */
static void find_slopes(const lg_loss_batch *batch, const pairs *p, const workspace *w, size_t i, const log_sums *s, double z)
{
    const double gamma = batch->param[CIRCLE_GAMMA], m = batch->param[CIRCLE_MARGIN];
    const bool remove_diagonal = batch->param[CIRCLE_REMOVE_DIAGONAL] != 0;
    const bool detached = batch->param[CIRCLE_DETACH_WEIGHTS] != 0;
    const double sigmoid = z < 0 ? exp(z) / (1 + exp(z)) : 1 / (1 + exp(-z));
    lg_real *slope = w->slope + i * p->columns;
    for (size_t j = 0; j < p->columns; j++) {
        const relation kind = relation_of(p, i, j, remove_diagonal);
        const double d = w->distance[j];
        slope[j] = kind == LEFT_OUT || d == 0
                       ? 0
                       : (lg_real)(-sigmoid * w->exponent[j] / s->sum[kind] * rise_of(kind, gamma, m, d, detached));
    }
}

/* P = log sum_positives exp(exponent),   Q = log sum_negatives exp(exponent),   loss = log(1 + exp(P + Q)) */
LG_CLONES static void circle_value(lg_loss_batch *batch)
{
    const pairs p = pairs_of(batch);
    const workspace w = workspace_of(batch, &p);
    const bool gradient = batch->d[CIRCLE_EMBEDDINGS] || batch->d[CIRCLE_REFERENCES];
    for (size_t i = 0; i < p.rows; i++) {
        find_distances(&p, i, w.distance);
        const log_sums s = sum_exponents(batch, &p, &w, i);
        batch->counted[i] = s.sum[POSITIVE] != 0 && s.sum[NEGATIVE] != 0;
        batch->loss[i] = 0;
        if (!batch->counted[i])
            continue;
        const double z = s.largest[POSITIVE] + log(s.sum[POSITIVE]) + s.largest[NEGATIVE] + log(s.sum[NEGATIVE]);
        batch->loss[i] = (lg_real)((z > 0 ? z : 0) + log1p(exp(-fabs(z))));
        if (gradient)
            find_slopes(batch, &p, &w, i, &s, z);
    }
}

/* D = factor dloss/ds:   dE = D R,   dR = D' E;   their sum where R is E */
static void circle_derivative(lg_loss_batch *batch)
{
    const pairs p = pairs_of(batch);
    const workspace w = workspace_of(batch, &p);
    lg_real *by_embedding = batch->d[CIRCLE_EMBEDDINGS], *by_reference = batch->d[CIRCLE_REFERENCES];
    for (size_t i = 0; i < p.rows; i++) {
        lg_real *slope = w.slope + i * p.columns;
        for (size_t j = 0; j < p.columns; j++)
            slope[j] = batch->factor[i] == 0 ? 0 : batch->factor[i] * slope[j];
    }
    if (by_embedding)
        lg_gemm(false, false, p.rows, p.width, p.columns, w.slope, p.reference, 0, by_embedding);
    if (by_embedding && p.own)
        lg_gemm(true, false, p.columns, p.width, p.rows, w.slope, p.embedding, 1, by_embedding);
    if (by_reference)
        lg_gemm(true, false, p.columns, p.width, p.rows, w.slope, p.embedding, 0, by_reference);
}

const lg_loss_info lg_circle_row = {
    .name = "circle",
    .family = "metric",
    .summary = "embeddings from class labels alone: every pair of the batch is used, the worst ones most",
    .formula = "log(1 + sum_positives exp(-gamma (m + d) (m - d)) sum_negatives exp(gamma max(0, 1 + m - d) (1 - m - d)))",
    .output = "an embedding per sample, of length 1",
    .reference = "Sun et al. 2020; keras.losses.Circle",
    .tasks = LG_TASK_METRIC_LEARNING,
    .units = LG_UNIT_BATCH,
    .inputs = { { "embeddings", .differentiable = true },
                { "labels", .domain = LG_ANY_INDEX },
                { "ref_embeddings", .differentiable = true, .optional = true },
                { "ref_labels", .domain = LG_ANY_INDEX, .optional = true } },
    .params = { { .name = "gamma", .initial = 80, .high = INFINITY, .low_open = true },
                { .name = "margin", .initial = 0.4 },
                { .name = "remove_diagonal", .initial = 1, .high = 1, .choices = "false|true" },
                { .name = "detach_weights", .high = 1, .choices = "false|true" } },
    .plan = circle_plan,
    .value = circle_value,
    .derivative = circle_derivative,
};

lg_tensor *lg_circle(lg_tape *tape, lg_tensor *embeddings, lg_tensor *labels, lg_tensor *ref_embeddings,
                     lg_tensor *ref_labels, double gamma, double margin, bool remove_diagonal, bool detach_weights,
                     const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_circle_row, (lg_tensor *[]){ embeddings, labels, ref_embeddings, ref_labels },
                        (const double[]){ gamma, margin, remove_diagonal, detach_weights }, 4, options);
}
