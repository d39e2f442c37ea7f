/* Cosine similarity as a loss (regression.h). */
#include "losses/cosine_internal.h"
#include "losses/regression.h"

enum { COSINE_OFFSET, COSINE_EPS };

/* c = a . b / (|a| |b|),   loss = offset - c
 *   da = -(b / |b| - c a / |a|) / |a|,   db = -(a / |a| - c b / |b|) / |b| */
LG_LOSS_KERNEL_2(cosine, chunk, gradient, by_target)
{
    const size_t width = chunk->width[0];
    const double offset = chunk->param[COSINE_OFFSET], eps = chunk->param[COSINE_EPS], scale = (double)chunk->scale;
    for (size_t u = 0; u < chunk->units; u++) {
        const lg_angle angle = lg_angle_between(chunk->x[0] + u * width, chunk->x[1] + u * width, width, eps);
        chunk->loss[u] = (lg_real)(offset - angle.cosine);
        if (gradient)
            lg_turn_a(&angle, -scale, chunk->d[0] + u * width, width);
        if (by_target)
            lg_turn_b(&angle, -scale, chunk->d[1] + u * width, width);
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
