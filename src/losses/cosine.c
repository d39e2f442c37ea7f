/* Cosine similarity as a loss (regression.h). */
#include "losses/loss_internal.h"
#include "losses/regression.h"

enum { COSINE_OFFSET, COSINE_EPS };

LG_INLINE double sum_of_squares(const lg_real *x, size_t width, double shrink)
{
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t k = 0; k < width; k++)
        sum += (shrink * (double)x[k]) * (shrink * (double)x[k]);
    return sum;
}

/* A vector and its length, both times `shrink`: 2^-600 where the squares of the elements would overflow, else 1. */
typedef struct direction {
    const lg_real *x;
    double shrink, length;
    bool none; /* too short to have a direction */
} direction;

LG_INLINE direction direction_of(const lg_real *x, size_t width, double eps)
{
    double shrink = 1, squares = sum_of_squares(x, width, shrink);
    if (isinf(squares)) {
        shrink = 0x1p-600;
        squares = sum_of_squares(x, width, shrink);
    }
    const double length = sqrt(squares);
    return (direction){ .x = x, .shrink = shrink, .length = length, .none = length <= eps * shrink };
}

/* d = factor (v / |v| - c u / |u|) / |u| */
LG_INLINE void turn(const direction *u, const direction *v, double c, double factor, lg_real *restrict d, size_t width)
{
    const double of_v = v->shrink / v->length, of_u = c * u->shrink / u->length;
    factor *= u->shrink / u->length;
    for (size_t k = 0; k < width; k++)
        d[k] = (lg_real)(factor * (of_v * (double)v->x[k] - of_u * (double)u->x[k]));
}

LG_INLINE void fill_zero(lg_real *d, size_t width)
{
    for (size_t k = 0; k < width; k++)
        d[k] = 0;
}

/* c = a . b / (|a| |b|),   loss = offset - c
 *   da = -(b / |b| - c a / |a|) / |a|,   db = -(a / |a| - c b / |b|) / |b|
 * Without a direction of both: c = 0, da = db = 0. */
LG_LOSS_KERNEL_2(cosine, chunk, gradient, by_target)
{
    const size_t width = chunk->width[0];
    const double offset = chunk->param[COSINE_OFFSET], eps = chunk->param[COSINE_EPS], scale = (double)chunk->scale;
    for (size_t u = 0; u < chunk->units; u++) {
        const direction a = direction_of(chunk->x[0] + u * width, width, eps);
        const direction b = direction_of(chunk->x[1] + u * width, width, eps);
        double product = 0;
#pragma omp simd reduction(+ : product)
        for (size_t k = 0; k < width; k++)
            product += (a.shrink * (double)a.x[k]) * (b.shrink * (double)b.x[k]);
        const bool none = (a.none & !isnan(b.length)) | (b.none & !isnan(a.length));
        const double c = none ? 0 : product / a.length / b.length;
        chunk->loss[u] = (lg_real)(offset - c);
        if (gradient && none)
            fill_zero(chunk->d[0] + u * width, width);
        else if (gradient)
            turn(&a, &b, c, -scale, chunk->d[0] + u * width, width);
        if (by_target && none)
            fill_zero(chunk->d[1] + u * width, width);
        else if (by_target)
            turn(&b, &a, c, -scale, chunk->d[1] + u * width, width);
    }
}

const lg_loss_info lg_cosine_similarity_row = {
    .name = "cosine_similarity",
    .family = "regression",
    .summary = "vectors whose direction matters and whose length does not: embeddings, recommendations",
    .formula = "offset - a.b / (|a| |b|)",
    .output = "a vector per row, linear",
    .reference = "keras.losses.CosineSimilarity; -torch.nn.functional.cosine_similarity; optax.cosine_distance",
    .tasks = LG_TASK_REGRESSION | LG_TASK_METRIC_LEARNING,
    .units = LG_UNIT_ROW,
    .least_width = 1,
    .inputs = { { "pred", .differentiable = true }, { "target", .differentiable = true } },
    .params = { { .name = "offset" }, { .name = "eps", .initial = 1e-7, .high = INFINITY } },
    .aliases = { { "cosine_proximity", NULL }, { "cosine_distance", "offset=1" } },
    .kernel = cosine,
};

lg_tensor *lg_cosine_similarity(lg_tape *tape, lg_tensor *pred, lg_tensor *target, double offset,
                                const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_cosine_similarity_row, (lg_tensor *[]){ pred, target }, &offset, 1, options);
}
