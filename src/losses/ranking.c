/* Ranking losses (ranking.h). */
#include "losses/ranking.h"

#include "losses/loss_internal.h"

/* m = margin - y (x1 - x2):   loss = max(0, m),   dx1 = -y [m > 0],   dx2 = y [m > 0] */
LG_LOSS_KERNEL_2(margin_ranking, c, gradient, by_second)
{
    const lg_real *first = c->x[0], *second = c->x[1], *y = c->x[2], margin = (lg_real)c->param[0], scale = c->scale;
    lg_real *restrict loss = c->loss, *restrict d_first = c->d[0], *restrict d_second = c->d[1];
#pragma omp simd
    for (size_t i = 0; i < c->units; i++) {
        const lg_real m = margin - y[i] * (first[i] - second[i]), slope = m <= 0 ? 0 : scale * y[i];
        loss[i] = m < 0 ? 0 : m;
        if (gradient)
            d_first[i] = -slope;
        if (by_second)
            d_second[i] = slope;
    }
}

const lg_loss_info lg_margin_ranking_row = {
    .name = "margin_ranking",
    .family = "ranking",
    .summary = "which of two items comes first",
    .formula = "max(0, margin - y (x1 - x2)), y = 1 where x1 is to be larger, else -1",
    .output = "one score per item",
    .reference = "torch.nn.MarginRankingLoss",
    .tasks = LG_TASK_RANKING,
    .units = LG_UNIT_ELEMENT,
    .inputs = { { "first", .differentiable = true },
                { "second", .differentiable = true },
                { "target", .domain = LG_PLUS_MINUS_ONE } },
    .params = { { .name = "margin", .initial = 0 } },
    .kernel = margin_ranking,
};

lg_tensor *lg_margin_ranking(lg_tape *tape, lg_tensor *first, lg_tensor *second, lg_tensor *target, double margin,
                             const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_margin_ranking_row, (lg_tensor *[]){ first, second, target },
                        (const double[]){ margin }, 1, options);
}
