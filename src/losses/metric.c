/* Metric learning by pairs: contrastive, cosine embedding, hinge embedding (metric.h). */
#include "losses/cosine_internal.h"
#include "losses/distance_internal.h"
#include "losses/metric.h"

enum { CONTRASTIVE_MARGIN, CONTRASTIVE_SIMILAR, CONTRASTIVE_SCALE };
enum { COSINE_MARGIN, COSINE_EPS };

/* max(0, u); NaN stays. In double: u is a difference to a margin, which float would round. */
LG_INLINE double hinge_of(double u)
{
    return u <= 0 ? 0 : u;
}

LG_INLINE void fill_zero(lg_real *d, size_t width)
{
    for (size_t k = 0; k < width; k++)
        d[k] = 0;
}

/* -------------------------------------------------------------- contrastive */

/* d = factor (u - v) */
LG_INLINE void along_difference(const lg_real *u, const lg_real *v, double factor, lg_real *restrict d, size_t width)
{
    for (size_t k = 0; k < width; k++)
        d[k] = (lg_real)(factor * ((double)u[k] - (double)v[k]));
}

/* d = |a - b|,   t = 1 for similar pairs, else 0
 *   loss = scale (t d^2 + (1 - t) max(0, margin - d)^2)
 *   da   = scale (2 t - 2 (1 - t) max(0, margin - d) / d) (a - b) = -db,   0 at d = 0 */
LG_LOSS_KERNEL_2(contrastive, chunk, gradient, by_b)
{
    const size_t width = chunk->width[0];
    const double margin = chunk->param[CONTRASTIVE_MARGIN], scale = chunk->param[CONTRASTIVE_SCALE];
    const double weight = 2 * scale * (double)chunk->scale;
    for (size_t u = 0; u < chunk->units; u++) {
        const lg_real *a = chunk->x[0] + u * width, *b = chunk->x[1] + u * width;
        const bool similar = (double)chunk->x[2][u] == chunk->param[CONTRASTIVE_SIMILAR];
        const double distance = lg_euclidean_distance(a, b, width, 0), missing = hinge_of(margin - distance);
        chunk->loss[u] = (lg_real)(scale * (similar ? distance * distance : missing * missing));
        if (!gradient)
            continue;
        if (!similar && missing == 0) { /* also where the distance is infinite */
            fill_zero(chunk->d[0] + u * width, width);
            if (by_b)
                fill_zero(chunk->d[1] + u * width, width);
            continue;
        }
        const double factor = weight * (similar ? 1 : -missing * lg_inverse_distance(distance));
        along_difference(a, b, factor, chunk->d[0] + u * width, width);
        if (by_b)
            along_difference(b, a, factor, chunk->d[1] + u * width, width);
    }
}

/* loss = scale (t d^2 + (1 - t) max(0, margin - d)^2)
 * dd   = scale (2 t d - 2 (1 - t) max(0, margin - d)) */
LG_LOSS_KERNEL(contrastive_from_distance, chunk, gradient)
{
    const lg_real *restrict distance = chunk->x[0], *restrict target = chunk->x[1];
    const double margin = chunk->param[CONTRASTIVE_MARGIN], scale = chunk->param[CONTRASTIVE_SCALE];
    const double weight = 2 * scale * (double)chunk->scale;
    const lg_real similar = (lg_real)chunk->param[CONTRASTIVE_SIMILAR];
    lg_real *restrict loss = chunk->loss, *restrict slope = chunk->d[0];
    for (size_t i = 0; i < chunk->units; i++) {
        const double d = (double)distance[i], missing = hinge_of(margin - d);
        const double u = target[i] == similar ? d : -missing;
        loss[i] = (lg_real)(scale * u * u);
        if (gradient)
            slope[i] = (lg_real)(weight * u);
    }
}

#define CONTRASTIVE_PARAMS                                                                       \
    {                                                                                            \
        { .name = "margin", .initial = 1, .high = INFINITY, .low_open = true },                  \
            { .name = "similar_label", .initial = 1, .high = 1, .choices = "0|1" },              \
            { .name = "scale", .initial = 1, .high = INFINITY, .low_open = true }                \
    }

const lg_loss_info lg_contrastive_row = {
    .name = "contrastive",
    .family = "metric",
    .summary = "pairs known to be the same or different, two networks that share weights: signatures, faces, duplicates",
    .formula = "scale d^2 of similar pairs, scale max(0, margin - d)^2 of dissimilar ones, d = |a - b|",
    .output = "an embedding per sample, linear or of length 1",
    .reference = "Hadsell, Chopra and LeCun 2006",
    .tasks = LG_TASK_METRIC_LEARNING,
    .units = LG_UNIT_ROW,
    .least_width = 1,
    .inputs = { { "a", .differentiable = true },
                { "b", .differentiable = true },
                { "target", .layout = LG_PER_UNIT, .domain = LG_ZERO_OR_ONE } },
    .params = CONTRASTIVE_PARAMS,
    .aliases = { { "contrastive_siamese", "similar_label=0,scale=0.5" } },
    .kernel = contrastive,
};

const lg_loss_info lg_contrastive_from_distance_row = {
    .name = "contrastive_from_distance",
    .family = "metric",
    .summary = "the contrastive loss of a distance of one's own",
    .formula = "scale d^2 of similar pairs, scale max(0, margin - d)^2 of dissimilar ones",
    .output = "a distance per pair, not negative",
    .reference = "Hadsell, Chopra and LeCun 2006",
    .tasks = LG_TASK_METRIC_LEARNING,
    .units = LG_UNIT_ELEMENT,
    .inputs = { { "distance", .domain = LG_NON_NEGATIVE, .differentiable = true }, { "target", .domain = LG_ZERO_OR_ONE } },
    .params = CONTRASTIVE_PARAMS,
    .kernel = contrastive_from_distance,
};

lg_tensor *lg_contrastive(lg_tape *tape, lg_tensor *a, lg_tensor *b, lg_tensor *target, double margin,
                          int similar_label, double scale, const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_contrastive_row, (lg_tensor *[]){ a, b, target },
                        (const double[]){ margin, similar_label, scale }, 3, options);
}

lg_tensor *lg_contrastive_from_distance(lg_tape *tape, lg_tensor *distance, lg_tensor *target, double margin,
                                        int similar_label, double scale, const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_contrastive_from_distance_row, (lg_tensor *[]){ distance, target },
                        (const double[]){ margin, similar_label, scale }, 3, options);
}

/* --------------------------------------------------------- cosine_embedding */

/* c = a . b / (|a| |b|)
 *   loss = 1 - c                  da = -dc/da                   target 1
 *        = max(0, c - margin)     da = [c > margin] dc/da       target -1 */
LG_LOSS_KERNEL_2(cosine_embedding, chunk, gradient, by_b)
{
    const size_t width = chunk->width[0];
    const double margin = chunk->param[COSINE_MARGIN], eps = chunk->param[COSINE_EPS], scale = (double)chunk->scale;
    for (size_t u = 0; u < chunk->units; u++) {
        const lg_angle angle = lg_angle_between(chunk->x[0] + u * width, chunk->x[1] + u * width, width, eps);
        const double excess = angle.cosine - margin;
        const bool similar = chunk->x[2][u] > 0;
        chunk->loss[u] = (lg_real)(similar ? 1 - angle.cosine : hinge_of(excess));
        if (!gradient)
            continue;
        if (!similar && excess <= 0) {
            fill_zero(chunk->d[0] + u * width, width);
            if (by_b)
                fill_zero(chunk->d[1] + u * width, width);
            continue;
        }
        lg_turn_a(&angle, similar ? -scale : scale, chunk->d[0] + u * width, width);
        if (by_b)
            lg_turn_b(&angle, similar ? -scale : scale, chunk->d[1] + u * width, width);
    }
}

const lg_loss_info lg_cosine_embedding_row = {
    .name = "cosine_embedding",
    .family = "metric",
    .summary = "pairs whose directions shall agree or not, whatever their lengths: texts, semi-supervised embeddings",
    .formula = "1 - c of similar pairs, max(0, c - margin) of dissimilar ones, c = a.b / (|a| |b|)",
    .output = "an embedding per sample, linear",
    .reference = "torch.nn.CosineEmbeddingLoss",
    .tasks = LG_TASK_METRIC_LEARNING,
    .units = LG_UNIT_ROW,
    .least_width = 1,
    .inputs = { { "a", .differentiable = true },
                { "b", .differentiable = true },
                { "target", .layout = LG_PER_UNIT, .domain = LG_PLUS_MINUS_ONE } },
    .params = { { .name = "margin", .low = -1, .high = 1 }, { .name = "eps", .initial = 1e-7, .high = INFINITY } },
    .kernel = cosine_embedding,
};

lg_tensor *lg_cosine_embedding(lg_tape *tape, lg_tensor *a, lg_tensor *b, lg_tensor *target, double margin,
                               const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_cosine_embedding_row, (lg_tensor *[]){ a, b, target }, &margin, 1, options);
}

/* ---------------------------------------------------------- hinge_embedding */

/* loss = x                     dx = 1                 target 1
 *      = max(0, margin - x)    dx = -[margin > x]     target -1 */
LG_LOSS_KERNEL(hinge_embedding, chunk, gradient)
{
    const lg_real *restrict x = chunk->x[0], *restrict target = chunk->x[1], scale = chunk->scale;
    const double margin = chunk->param[0];
    lg_real *restrict loss = chunk->loss, *restrict slope = chunk->d[0];
    for (size_t i = 0; i < chunk->units; i++) {
        const lg_real missing = (lg_real)(margin - (double)x[i]);
        const lg_real push = missing > 0 ? -1 : missing <= 0 ? 0 : missing; /* NaN stays */
        const lg_real pull = x[i] == x[i] ? 1 : x[i];
        loss[i] = target[i] > 0 ? x[i] : missing <= 0 ? 0 : missing;
        if (gradient)
            slope[i] = scale * (target[i] > 0 ? pull : push);
    }
}

const lg_loss_info lg_hinge_embedding_row = {
    .name = "hinge_embedding",
    .family = "metric",
    .summary = "the contrastive loss of a distance, without the squares: a few wrong pairs weigh less",
    .formula = "x of similar pairs, max(0, margin - x) of dissimilar ones",
    .output = "a distance per pair",
    .reference = "torch.nn.HingeEmbeddingLoss",
    .tasks = LG_TASK_METRIC_LEARNING,
    .units = LG_UNIT_ELEMENT,
    .inputs = { { "distance", .differentiable = true }, { "target", .domain = LG_PLUS_MINUS_ONE } },
    .params = { { .name = "margin", .initial = 1 } },
    .kernel = hinge_embedding,
};

lg_tensor *lg_hinge_embedding(lg_tape *tape, lg_tensor *distance, lg_tensor *target, double margin,
                              const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_hinge_embedding_row, (lg_tensor *[]){ distance, target }, &margin, 1, options);
}
