/* Triplet losses (metric.h). */
#include "losses/cosine_internal.h"
#include "losses/distance_internal.h"
#include "losses/metric.h"
#include "tensor/tensor_internal.h"

#include <string.h>

enum { TRIPLET_ANCHOR, TRIPLET_POSITIVE, TRIPLET_NEGATIVE };
enum { TRIPLET_MARGIN, TRIPLET_DISTANCE, TRIPLET_P, TRIPLET_SWAP, TRIPLET_SOFT, TRIPLET_EPS };

static const double shortest_direction = 1e-7; /* of the cosine distance */

/* ---------------------------------------------------------------- distances */

/* How to measure: pnorm with p of 1 or 2 is manhattan or euclidean. */
typedef struct measure {
    lg_distance kind;
    double p, eps; /* eps is what is added to differences: 0 for the distances without it */
} measure;

static measure measure_of(const double *param)
{
    measure m = { .kind = (lg_distance)param[TRIPLET_DISTANCE], .p = param[TRIPLET_P], .eps = param[TRIPLET_EPS] };
    if (m.kind == LG_DISTANCE_PNORM && m.p == 2)
        m.kind = LG_DISTANCE_EUCLIDEAN;
    if (m.kind == LG_DISTANCE_PNORM && m.p == 1)
        m.kind = LG_DISTANCE_MANHATTAN;
    if (m.kind == LG_DISTANCE_SQEUCLIDEAN)
        m.eps = 0;
    return m;
}

LG_INLINE double manhattan_distance(const lg_real *u, const lg_real *v, size_t width, double eps)
{
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t k = 0; k < width; k++)
        sum += fabs((double)u[k] - (double)v[k] + eps);
    return sum;
}

/* (sum |u - v + eps|^p)^(1/p), of the differences over the largest, whose powers neither overflow nor all vanish. */
static double pnorm_distance(const lg_real *u, const lg_real *v, size_t width, double eps, double p)
{
    double largest = 0, sum = 0;
    for (size_t k = 0; k < width; k++)
        largest = fmax(largest, fabs((double)u[k] - (double)v[k] + eps));
    const double unit = largest == 0 || isinf(largest) ? 1 : largest;
    for (size_t k = 0; k < width; k++)
        sum += pow(fabs((double)u[k] - (double)v[k] + eps) / unit, p);
    return unit * pow(sum, 1 / p);
}

LG_INLINE double distance_between(const measure *m, const lg_real *u, const lg_real *v, size_t width)
{
    switch (m->kind) {
    case LG_DISTANCE_SQEUCLIDEAN:
        return lg_squared_distance(u, v, width, 0, 1);
    case LG_DISTANCE_MANHATTAN:
        return manhattan_distance(u, v, width, m->eps);
    case LG_DISTANCE_PNORM:
        return pnorm_distance(u, v, width, m->eps, m->p);
    case LG_DISTANCE_COSINE:
        return 1 - lg_angle_between(u, v, width, shortest_direction).cosine;
    case LG_DISTANCE_EUCLIDEAN:
        break;
    }
    return lg_euclidean_distance(u, v, width, m->eps);
}

/* -------------------------------------------------------------- derivatives */

/* A pair of rows of a triplet that is being derived, and 1 / d(u, v). */
typedef struct leg {
    const lg_real *u, *v;
    double inverse;
} leg;

LG_INLINE leg leg_of(const lg_real *u, const lg_real *v, double distance)
{
    return (leg){ u, v, lg_inverse_distance(distance) };
}

/* dd/du_k of the distances of differences; dd/dv_k is its negative. delta = u_k - v_k + eps
 *   euclidean delta / d,   manhattan sign(delta),   pnorm sign(delta) (|delta| / d)^(p-1) */
LG_INLINE double slope_at(const lg_distance kind, const measure *m, const leg *l, size_t k)
{
    const double delta = (double)l->u[k] - (double)l->v[k] + m->eps;
    switch (kind) {
    case LG_DISTANCE_MANHATTAN:
        return delta > 0 ? 1 : delta < 0 ? -1 : delta;
    case LG_DISTANCE_PNORM:
        return copysign(pow(fabs(delta) * l->inverse, m->p - 1), delta);
    default:
        return delta * l->inverse;
    }
}

/* A triplet: its rows, the derivatives it wants, and the two distances in its loss. */
typedef struct triplet {
    size_t width;
    lg_real *anchor, *positive, *negative; /* derivatives; NULL where not wanted, but for the anchor's */
    leg near, far;                         /* anchor to positive; anchor (or positive, if swapped) to negative */
    bool swapped;
} triplet;

/* s_near = d near / d anchor,   s_far = d far / d anchor (or positive, if swapped)
 *   danchor = force (s_near - s_far),   dpositive = -force s_near,            dnegative = force s_far
 *   swapped:  force s_near,             dpositive = -force (s_near + s_far),  dnegative = force s_far */
LG_INLINE void pull(const lg_distance kind, const measure *m, const triplet *t, double force)
{
    const leg *near = &t->near, *far = &t->far;
    const double by_anchor = t->swapped ? 0 : 1, by_positive = t->swapped ? 1 : 0;
    lg_real *restrict anchor = t->anchor, *restrict positive = t->positive, *restrict negative = t->negative;
    for (size_t k = 0; k < t->width; k++)
        anchor[k] = (lg_real)(force * (slope_at(kind, m, near, k) - by_anchor * slope_at(kind, m, far, k)));
    for (size_t k = 0; positive && k < t->width; k++)
        positive[k] = (lg_real)(-force * (slope_at(kind, m, near, k) + by_positive * slope_at(kind, m, far, k)));
    for (size_t k = 0; negative && k < t->width; k++)
        negative[k] = (lg_real)(force * slope_at(kind, m, far, k));
}

/* d = factor (x - y); nothing where d is NULL */
LG_INLINE void put_difference(lg_real *restrict d, lg_real factor, const lg_real *x, const lg_real *y, size_t width)
{
    for (size_t k = 0; d && k < width; k++)
        d[k] = factor * (x[k] - y[k]);
}

/* The same of squared distances, whose slopes are differences and add up to differences:
 *   danchor = 2 force (n - p),      dpositive = 2 force (p - a),      dnegative = 2 force (a - n)
 *   swapped:  2 force (a - p),      dpositive = 2 force (n - a),      dnegative = 2 force (p - n) */
LG_INLINE void pull_squared(const triplet *t, double force)
{
    const lg_real *a = t->near.u, *p = t->near.v, *n = t->far.v;
    const lg_real factor = (lg_real)(2 * force);
    put_difference(t->anchor, factor, t->swapped ? a : n, p, t->width);
    put_difference(t->positive, factor, t->swapped ? n : p, a, t->width);
    put_difference(t->negative, factor, t->swapped ? p : a, n, t->width);
}

/* The same of distances 1 - c. */
LG_INLINE void turn_triplet(const triplet *t, double force)
{
    const lg_angle near = lg_angle_between(t->near.u, t->near.v, t->width, shortest_direction);
    const lg_angle far = lg_angle_between(t->far.u, t->far.v, t->width, shortest_direction);
    lg_real *third = t->swapped ? t->positive : t->anchor;
    lg_turn_a(&near, -force, t->anchor, t->width);
    if (t->positive)
        lg_turn_b(&near, -force, t->positive, t->width);
    if (third)
        lg_turn(&far, &far.a, &far.b, force, third, t->width, true);
    if (t->negative)
        lg_turn_b(&far, force, t->negative, t->width);
}

static void forget(lg_real *d, size_t width)
{
    for (size_t k = 0; d && k < width; k++)
        d[k] = 0;
}

/* A triplet without force has no derivative, whatever its distances are. */
LG_INLINE void derive(const measure *m, const triplet *t, double force)
{
    if (force == 0) {
        forget(t->anchor, t->width);
        forget(t->positive, t->width);
        forget(t->negative, t->width);
        return;
    }
    switch (m->kind) {
    case LG_DISTANCE_MANHATTAN:
        pull(LG_DISTANCE_MANHATTAN, m, t, force);
        break;
    case LG_DISTANCE_PNORM:
        pull(LG_DISTANCE_PNORM, m, t, force);
        break;
    case LG_DISTANCE_COSINE:
        turn_triplet(t, force);
        break;
    case LG_DISTANCE_SQEUCLIDEAN:
        pull_squared(t, force);
        break;
    case LG_DISTANCE_EUCLIDEAN:
        pull(LG_DISTANCE_EUCLIDEAN, m, t, force);
        break;
    }
}

/* ------------------------------------------------------------ triplet_margin */

/* gap = near - far
 *   loss = max(0, gap + margin), or log(1 + exp(gap)) with soft
 *   force = d loss / d gap = [gap + margin > 0], or sigmoid(gap); NaN stays */
LG_INLINE double loss_of_gap(double gap, double margin, bool soft)
{
    if (soft)
        return (double)real_softplus((lg_real)gap);
    return gap + margin <= 0 ? 0 : gap + margin;
}

LG_INLINE double force_of_gap(double gap, double margin, bool soft)
{
    if (soft)
        return (double)real_sigmoid((lg_real)gap);
    return gap + margin > 0 ? 1 : gap + margin <= 0 ? 0 : gap;
}

/* Whether `between` takes the place of `negative`: where it is smaller, or NaN. */
LG_INLINE bool is_nearer(double between, double negative)
{
    return !(between >= negative) && !isnan(negative);
}

LG_LOSS_KERNEL(triplet_margin, chunk, gradient)
{
    const size_t width = chunk->width[TRIPLET_ANCHOR];
    const measure m = measure_of(chunk->param);
    const double margin = chunk->param[TRIPLET_MARGIN];
    const bool swap = chunk->param[TRIPLET_SWAP] != 0, soft = chunk->param[TRIPLET_SOFT] != 0;
    for (size_t u = 0; u < chunk->units; u++) {
        const size_t at = u * width;
        const lg_real *anchor = chunk->x[TRIPLET_ANCHOR] + at, *positive = chunk->x[TRIPLET_POSITIVE] + at;
        const lg_real *negative = chunk->x[TRIPLET_NEGATIVE] + at;
        const double near = distance_between(&m, anchor, positive, width);
        double far = distance_between(&m, anchor, negative, width);
        const double between = swap ? distance_between(&m, positive, negative, width) : far;
        const bool swapped = is_nearer(between, far);
        far = swapped ? between : far;
        chunk->loss[u] = (lg_real)loss_of_gap(near - far, margin, soft);
        if (!gradient)
            continue;
        lg_real *const *d = chunk->d;
        const triplet t = { .width = width,
                            .anchor = d[TRIPLET_ANCHOR] + at,
                            .positive = d[TRIPLET_POSITIVE] ? d[TRIPLET_POSITIVE] + at : NULL,
                            .negative = d[TRIPLET_NEGATIVE] ? d[TRIPLET_NEGATIVE] + at : NULL,
                            .near = leg_of(anchor, positive, near),
                            .far = leg_of(swapped ? positive : anchor, negative, far),
                            .swapped = swapped };
        derive(&m, &t, (double)chunk->scale * force_of_gap(near - far, margin, soft));
    }
}

const lg_loss_info lg_triplet_margin_row = {
    .name = "triplet_margin",
    .family = "metric",
    .summary = "telling apart classes that are too many, or not known yet: faces, voices, products, image search",
    .formula = "max(0, d(anchor, positive) - d(anchor, negative) + margin); soft: log(1 + exp(their difference))",
    .output = "an embedding per sample; of length 1 with sqeuclidean",
    .reference = "Schroff, Kalenichenko and Philbin 2015 (FaceNet); torch.nn.TripletMarginLoss",
    .tasks = LG_TASK_METRIC_LEARNING,
    .units = LG_UNIT_ROW,
    .least_width = 1,
    .inputs = { { "anchor", .differentiable = true },
                { "positive", .differentiable = true },
                { "negative", .differentiable = true } },
    .params = { { .name = "margin", .initial = 1 },
                { .name = "distance", .high = 4, .choices = "euclidean|sqeuclidean|manhattan|pnorm|cosine" },
                { .name = "p", .initial = 2, .low = 1, .high = INFINITY },
                { .name = "swap", .high = 1, .choices = "false|true" },
                { .name = "soft", .high = 1, .choices = "false|true" },
                { .name = "eps", .initial = 1e-6, .high = INFINITY } },
    .aliases = { { "triplet", "distance=sqeuclidean,margin=0.2" }, { "triplet_margin_with_distance", NULL } },
    .kernel = triplet_margin,
};

lg_tensor *lg_triplet_margin(lg_tape *tape, lg_tensor *anchor, lg_tensor *positive, lg_tensor *negative, double margin,
                             lg_distance distance, double p, bool swap, bool soft, const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_triplet_margin_row, (lg_tensor *[]){ anchor, positive, negative },
                        (const double[]){ margin, (double)distance, p, swap, soft }, 5, options);
}

/* ----------------------------------------------------- triplet_from_distance */

enum { DISTANCE_POSITIVE, DISTANCE_NEGATIVE, DISTANCE_BETWEEN };
enum { DISTANCE_MARGIN, DISTANCE_SOFT };

static lg_status from_distance_plan(lg_loss_batch *batch)
{
    const lg_tensor *positive = batch->inputs[DISTANCE_POSITIVE];
    char a[LG_SHAPE_TEXT_BYTES], b[LG_SHAPE_TEXT_BYTES];
    for (size_t i = DISTANCE_NEGATIVE; i <= DISTANCE_BETWEEN; i++) {
        const lg_tensor *other = batch->inputs[i];
        if (other && !lg_same_dims(positive->rank, positive->dims, other->rank, other->dims))
            return lg_fail(LG_E_SHAPE, "%s: positive has shape %s, %s %s; they must be the same", batch->info->name,
                           lg_tensor_shape_text(positive, a, sizeof a), batch->info->inputs[i].name,
                           lg_tensor_shape_text(other, b, sizeof b));
    }
    batch->rank = positive->rank;
    memcpy(batch->dims, positive->dims, positive->rank * sizeof *positive->dims);
    return LG_OK;
}

/* gap = positive - the nearer of negative and between (NULL: none), in doubles */
LG_INLINE void from_distance_losses(const lg_loss_batch *batch, const lg_real *between, bool soft)
{
    const double margin = batch->param[DISTANCE_MARGIN];
    const lg_real *positive = batch->inputs[DISTANCE_POSITIVE]->real, *negative = batch->inputs[DISTANCE_NEGATIVE]->real;
    lg_real *restrict loss = batch->loss;
    for (size_t i = 0; i < batch->units; i++) {
        const double far = (double)negative[i], third = between ? (double)between[i] : far;
        const double gap = (double)positive[i] - (is_nearer(third, far) ? third : far);
        loss[i] = (lg_real)loss_of_gap(gap, margin, soft);
    }
}

LG_CLONES static void from_distance_value(lg_loss_batch *batch)
{
    const lg_real *between = batch->inputs[DISTANCE_BETWEEN] ? batch->inputs[DISTANCE_BETWEEN]->real : NULL;
    if (!between && batch->param[DISTANCE_SOFT] == 0)
        from_distance_losses(batch, NULL, false);
    else
        from_distance_losses(batch, between, batch->param[DISTANCE_SOFT] != 0);
}

/* dpositive = force, and -force for the one of negative and between that was the nearer: the derivative by input
 * `which`. */
LG_INLINE void from_distance_slopes(const lg_loss_batch *batch, const lg_real *between, bool soft, size_t which)
{
    const double margin = batch->param[DISTANCE_MARGIN];
    const lg_real *positive = batch->inputs[DISTANCE_POSITIVE]->real, *negative = batch->inputs[DISTANCE_NEGATIVE]->real;
    const lg_real *factor = batch->factor;
    lg_real *restrict d = batch->d[which];
    for (size_t i = 0; d && i < batch->units; i++) {
        const double far = (double)negative[i], third = between ? (double)between[i] : far;
        const bool swapped = is_nearer(third, far);
        const double gap = (double)positive[i] - (swapped ? third : far);
        const lg_real moved = factor[i] * (lg_real)force_of_gap(gap, margin, soft), force = factor[i] == 0 ? 0 : moved;
        d[i] = which == DISTANCE_POSITIVE ? force : swapped == (which == DISTANCE_BETWEEN) ? -force : 0;
    }
}

LG_CLONES static void from_distance_derivative(lg_loss_batch *batch)
{
    const lg_real *between = batch->inputs[DISTANCE_BETWEEN] ? batch->inputs[DISTANCE_BETWEEN]->real : NULL;
    if (!between && batch->param[DISTANCE_SOFT] == 0) {
        from_distance_slopes(batch, NULL, false, DISTANCE_POSITIVE);
        from_distance_slopes(batch, NULL, false, DISTANCE_NEGATIVE);
        return;
    }
    for (size_t which = DISTANCE_POSITIVE; which <= DISTANCE_BETWEEN; which++)
        from_distance_slopes(batch, between, batch->param[DISTANCE_SOFT] != 0, which);
}

const lg_loss_info lg_triplet_from_distance_row = {
    .name = "triplet_from_distance",
    .family = "metric",
    .summary = "the triplet loss of a distance of one's own",
    .formula = "max(0, positive - min(negative, between) + margin); soft: log(1 + exp(their difference))",
    .output = "a distance per pair",
    .reference = "torch.nn.TripletMarginWithDistanceLoss",
    .tasks = LG_TASK_METRIC_LEARNING,
    .units = LG_UNIT_BATCH,
    .inputs = { { "positive", .differentiable = true },
                { "negative", .differentiable = true },
                { "between", .differentiable = true, .optional = true } },
    .params = { { .name = "margin", .initial = 1 }, { .name = "soft", .high = 1, .choices = "false|true" } },
    .plan = from_distance_plan,
    .value = from_distance_value,
    .derivative = from_distance_derivative,
};

lg_tensor *lg_triplet_from_distance(lg_tape *tape, lg_tensor *positive, lg_tensor *negative, lg_tensor *between,
                                    double margin, bool soft, const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_triplet_from_distance_row, (lg_tensor *[]){ positive, negative, between },
                        (const double[]){ margin, soft }, 2, options);
}
