/* Dice and Tversky losses over a batch (segmentation.h).
 *
 * Three steps: logits become p and q = 1 - p; runs of elements that lie together are added to the sums of their unit; the
 * units' losses come from the sums. Backward goes the same way: by p, then through the activation. */
#include "losses/segmentation.h"

#include "losses/loss_internal.h"
#include "tensor/tensor_internal.h"

#include <string.h>

enum { PRED, TARGET };
enum { DICE_SCOPE, DICE_SMOOTH, DICE_SQUARE, DICE_ACTIVATION, DICE_FROM_LOGITS, DICE_EPS };
enum { TVERSKY_SCOPE, TVERSKY_ALPHA, TVERSKY_BETA, TVERSKY_SMOOTH, TVERSKY_ACTIVATION, TVERSKY_FROM_LOGITS, TVERSKY_EPS };

/* The parameters of either loss. */
typedef struct settings {
    lg_mask_scope scope;
    lg_mask_activation activation;
    bool dice, square, from_logits;
    double alpha, beta, smooth, eps;
} settings;

static settings settings_of(const lg_loss_batch *batch)
{
    const double *v = batch->param;
    if (batch->info == &lg_dice_row)
        return (settings){ .scope = (lg_mask_scope)v[DICE_SCOPE],
                           .activation = (lg_mask_activation)v[DICE_ACTIVATION],
                           .dice = true,
                           .square = v[DICE_SQUARE] != 0,
                           .from_logits = v[DICE_FROM_LOGITS] != 0,
                           .smooth = v[DICE_SMOOTH],
                           .eps = v[DICE_EPS] };
    return (settings){ .scope = (lg_mask_scope)v[TVERSKY_SCOPE],
                       .activation = (lg_mask_activation)v[TVERSKY_ACTIVATION],
                       .from_logits = v[TVERSKY_FROM_LOGITS] != 0,
                       .alpha = v[TVERSKY_ALPHA],
                       .beta = v[TVERSKY_BETA],
                       .smooth = v[TVERSKY_SMOOTH],
                       .eps = v[TVERSKY_EPS] };
}

/* Whether it matters which axis holds the classes. */
static bool by_class(const settings *s)
{
    return s->scope == LG_SCOPE_CHANNEL || s->activation == LG_MASK_SOFTMAX;
}

/* pred as [samples, before, classes, after]: the class axis, where it matters, and what lies between and behind. */
typedef struct layout {
    size_t samples, before, classes, after;
} layout;

static layout layout_of(const lg_loss_batch *batch, const settings *s)
{
    const lg_tensor *pred = batch->inputs[PRED];
    const size_t given = batch->options->class_axis, last = pred->rank ? pred->rank - 1 : 0;
    const size_t axis = !by_class(s) ? pred->rank : given ? given : last;
    layout l = { 1, 1, 1, 1 };
    for (size_t i = 0; i < pred->rank; i++)
        *(i == axis ? &l.classes : i == 0 ? &l.samples : i < axis ? &l.before : &l.after) *= pred->dims[i];
    return l;
}

/* What value leaves for backward: this of each unit, and with from_logits p and q of each element. */
typedef struct unit_sums {
    double hit, alarm, miss; /* TP, FP, FN; for the squared Dice sum p t, sum (p - t)^2, 0 */
    double loss, score, denominator;
} unit_sums;

typedef struct workspace {
    unit_sums *units;
    lg_real *p, *q;
} workspace;

static workspace workspace_of(const lg_loss_batch *batch, size_t units)
{
    workspace w = { .units = batch->scratch };
    const settings s = settings_of(batch);
    if (s.from_logits) {
        w.p = (lg_real *)(w.units + units);
        w.q = w.p + batch->inputs[PRED]->size;
    }
    return w;
}

static lg_status plan(lg_loss_batch *batch)
{
    const char *name = batch->info->name;
    const lg_tensor *pred = batch->inputs[PRED], *target = batch->inputs[TARGET];
    const settings s = settings_of(batch);
    char a[LG_SHAPE_TEXT_BYTES], b[LG_SHAPE_TEXT_BYTES];
    if (!lg_same_dims(pred->rank, pred->dims, target->rank, target->dims))
        return lg_fail(LG_E_SHAPE, "%s: pred has shape %s, target %s; they must be the same", name,
                       lg_tensor_shape_text(pred, a, sizeof a), lg_tensor_shape_text(target, b, sizeof b));
    if (s.activation == LG_MASK_SOFTMAX && !s.from_logits)
        return lg_fail(LG_E_PARAM, "%s: activation is softmax, but pred holds probabilities; set from_logits", name);
    const size_t axes = (s.scope != LG_SCOPE_BATCH) + (size_t)by_class(&s);
    if (pred->rank < axes)
        return lg_fail(LG_E_SHAPE, "%s: pred is %s, but needs %s", name, lg_tensor_shape_text(pred, a, sizeof a),
                       axes == 2 ? "an axis of samples and one of classes" : "at least one axis");
    if (batch->options->class_axis && batch->options->class_axis >= pred->rank)
        return lg_fail(LG_E_SHAPE, "%s: pred %s has no class axis %zu", name, lg_tensor_shape_text(pred, a, sizeof a),
                       batch->options->class_axis);
    const layout l = layout_of(batch, &s);
    if (s.scope == LG_SCOPE_SAMPLE)
        batch->dims[batch->rank++] = pred->dims[0];
    if (s.scope == LG_SCOPE_CHANNEL) {
        batch->dims[batch->rank++] = l.samples;
        batch->dims[batch->rank++] = l.classes;
    }
    size_t units;
    lg_status status = lg_shape_size(name, batch->rank, batch->dims, &units);
    if (status == LG_OK && units > SIZE_MAX / 2 / sizeof(unit_sums))
        status = lg_fail(LG_E_MEMORY, "%s: %zu units are more than memory can hold", name, units);
    batch->scratch_bytes = units * sizeof(unit_sums) + (s.from_logits ? 2 * pred->size * sizeof(lg_real) : 0);
    return status;
}

/* -------------------------------------------------------------- activation */

/* p = sigmoid(z), q = sigmoid(-z) */
LG_CLONES static void sigmoid_of(const lg_real *z, size_t n, lg_real *restrict p, lg_real *restrict q)
{
    for (size_t i = 0; i < n; i++) {
        p[i] = real_sigmoid(z[i]);
        q[i] = real_sigmoid(-z[i]);
    }
}

/* Places are what is left when the class axis is taken out; they are gone through in tiles. */
enum { TILE = 64 };

typedef struct tile {
    size_t first, count; /* the first place's first element; places */
    size_t across, down; /* from a place to the next, from a class to the next */
} tile;

/* The tile after *done places; false when there are none left. Places lie side by side, or have their classes so. */
static bool next_tile(const layout *l, size_t *done, tile *t)
{
    const size_t rows = l->samples * l->before, places = rows * l->after;
    if (*done >= places)
        return false;
    if (l->after == 1) {
        *t = (tile){ .first = *done * l->classes, .count = places - *done, .across = l->classes, .down = 1 };
    } else {
        const size_t row = *done / l->after, place = *done % l->after, first = row * l->classes * l->after + place;
        *t = (tile){ .first = first, .count = l->after - place, .across = 1, .down = l->after };
    }
    if (t->count > TILE)
        t->count = TILE;
    *done += t->count;
    return true;
}

/* p_c = e_c / sum e,   q_c = sum of the other e / sum e,   e_c = exp(z_c - max z).   The largest, for which e is 1, is
 * summed apart from those below, so that its q does not cancel. */
LG_CLONES static void softmax_tile(const lg_real *z, const tile *t, size_t classes, lg_real *restrict p,
                                   lg_real *restrict q)
{
    lg_real largest[TILE];
    double below[TILE] = { 0 }, top[TILE] = { 0 };
    const size_t n = t->count;
    for (size_t i = 0; i < n; i++)
        largest[i] = -(lg_real)INFINITY;
    for (size_t c = 0; c < classes; c++)
        for (size_t i = 0; i < n; i++) {
            const lg_real x = z[i * t->across + c * t->down];
            largest[i] = x > largest[i] ? x : largest[i];
        }
    for (size_t c = 0; c < classes; c++)
        for (size_t i = 0; i < n; i++) {
            const size_t at = i * t->across + c * t->down;
            p[at] = real_exp_minus_abs(z[at] - largest[i]);
            top[i] += p[at] == 1 ? 1 : 0;
            below[i] += p[at] == 1 ? 0 : (double)p[at];
        }
    for (size_t c = 0; c < classes; c++)
        for (size_t i = 0; i < n; i++) {
            const size_t at = i * t->across + c * t->down;
            const double e = (double)p[at], sum = top[i] + below[i];
            const double others = e == 1 ? top[i] - 1 + below[i] : sum - e;
            p[at] = (lg_real)(e / sum);
            q[at] = (lg_real)(others / sum);
        }
}

static void activate(const lg_loss_batch *batch, const settings *s, const layout *l, const workspace *w)
{
    const lg_tensor *pred = batch->inputs[PRED];
    if (s->activation == LG_MASK_SIGMOID) {
        sigmoid_of(pred->real, pred->size, w->p, w->q);
        return;
    }
    tile t;
    for (size_t done = 0; next_tile(l, &done, &t);)
        softmax_tile(pred->real + t.first, &t, l->classes, w->p + t.first, w->q + t.first);
}

/* d by p becomes d by z, in place:   dz = p q d */
LG_CLONES static void through_sigmoid(const lg_real *p, const lg_real *q, size_t n, lg_real *restrict d)
{
    for (size_t i = 0; i < n; i++)
        d[i] = d[i] == 0 ? 0 : p[i] * q[i] * d[i];
}

/* dz_c = p_c (d_c - sum_j p_j d_j) = p_c (e_c - sum_j p_j e_j),   e_j = d_j - d of the likeliest class: of that class,
 * for which p is often nearly 1, nothing cancels then. A place without any d has none, even if it is NaN. */
LG_CLONES static void through_softmax_tile(const lg_real *p, const tile *t, size_t classes, lg_real *restrict d)
{
    lg_real likeliest[TILE] = { 0 }, base[TILE] = { 0 };
    double sum[TILE] = { 0 };
    bool any[TILE] = { false };
    for (size_t c = 0; c < classes; c++)
        for (size_t i = 0; i < t->count; i++) {
            const size_t at = i * t->across + c * t->down;
            base[i] = p[at] > likeliest[i] ? d[at] : base[i];
            likeliest[i] = p[at] > likeliest[i] ? p[at] : likeliest[i];
            any[i] |= d[at] != 0;
        }
    for (size_t c = 0; c < classes; c++)
        for (size_t i = 0; i < t->count; i++) {
            const size_t at = i * t->across + c * t->down;
            sum[i] += (double)p[at] * ((double)d[at] - (double)base[i]);
        }
    for (size_t c = 0; c < classes; c++)
        for (size_t i = 0; i < t->count; i++) {
            const size_t at = i * t->across + c * t->down;
            const double slope = (double)p[at] * ((double)d[at] - (double)base[i] - sum[i]);
            d[at] = any[i] ? (lg_real)slope : 0;
        }
}

/* -------------------------------------------------------------------- runs
 * A run is `length` elements that lie together and belong to one unit. */

typedef struct run {
    size_t first, length, unit;
} run;

/* The next run after *run; starts from one of zeros. */
static bool next_run(const settings *s, const layout *l, size_t size, run *r)
{
    r->first += r->length;
    if (r->first >= size)
        return false;
    const size_t row = l->classes * l->after, sample = l->before * row;
    switch (s->scope) {
    case LG_SCOPE_BATCH:
        r->length = size;
        r->unit = 0;
        break;
    case LG_SCOPE_SAMPLE:
        r->length = sample;
        r->unit = r->first / sample;
        break;
    case LG_SCOPE_CHANNEL:
        r->length = l->after;
        r->unit = r->first / sample * l->classes + r->first % row / l->after;
        break;
    }
    return true;
}

/* q is NULL for probabilities: 1 - p, exact in double. */
LG_INLINE double complement(const lg_real *p, const lg_real *q, size_t i)
{
    return q ? (double)q[i] : 1 - (double)p[i];
}

/* p - t = p (1 - t) - q t, without cancelling where t is 1 and p nearly so. */
LG_INLINE double excess(double p, double q, double t)
{
    return p * (1 - t) - q * t;
}

LG_INLINE void add_run(const lg_real *p, const lg_real *q, const lg_real *t, size_t n, bool square, unit_sums *sums)
{
    double hit = 0, alarm = 0, miss = 0;
#pragma omp simd reduction(+ : hit, alarm, miss)
    for (size_t i = 0; i < n; i++) {
        const double x = (double)p[i], y = (double)t[i], rest = complement(p, q, i);
        const double off = excess(x, rest, y);
        hit += x * y;
        alarm += square ? off * off : x * (1 - y);
        miss += square ? 0 : rest * y;
    }
    sums->hit += hit;
    sums->alarm += alarm;
    sums->miss += miss;
}

LG_CLONES static void add_run_to_unit(const lg_real *p, const lg_real *q, const lg_real *t, size_t n, bool square,
                                      unit_sums *sums)
{
    if (square && q)
        add_run(p, q, t, n, true, sums);
    else if (square)
        add_run(p, NULL, t, n, true, sums);
    else if (q)
        add_run(p, q, t, n, false, sums);
    else
        add_run(p, NULL, t, n, false, sums);
}

/* ------------------------------------------------------------------- value */

/* Dice:      loss = (FP + FN + eps) / D,   D = 2 TP + FP + FN + smooth + eps        (the sum p + t is 2 TP + FP + FN)
 *   square:  loss = (sum (p - t)^2 + eps) / D,   D = 2 TP + sum (p - t)^2 + smooth + eps
 * Tversky:   loss = (alpha FP + beta FN + eps) / D,   D = TP + alpha FP + beta FN + smooth + eps
 * and score = 1 - loss, which is not computed so either. */
static void finish_unit(const settings *s, unit_sums *u)
{
    const double found = (s->dice ? 2 * u->hit : u->hit) + s->smooth;
    const double wrong = s->dice ? u->alarm + u->miss : s->alpha * u->alarm + s->beta * u->miss;
    u->denominator = found + wrong + s->eps;
    u->score = found / u->denominator;
    u->loss = (wrong + s->eps) / u->denominator;
}

static void value(lg_loss_batch *batch)
{
    const settings s = settings_of(batch);
    const layout l = layout_of(batch, &s);
    const workspace w = workspace_of(batch, batch->units);
    const lg_tensor *pred = batch->inputs[PRED];
    const lg_real *p = s.from_logits ? w.p : pred->real, *target = batch->inputs[TARGET]->real;
    if (s.from_logits)
        activate(batch, &s, &l, &w);
    memset(w.units, 0, batch->units * sizeof *w.units);
    for (run r = { 0 }; next_run(&s, &l, pred->size, &r);)
        add_run_to_unit(p + r.first, w.q ? w.q + r.first : NULL, target + r.first, r.length, s.square, &w.units[r.unit]);
    for (size_t u = 0; u < batch->units; u++) {
        finish_unit(&s, &w.units[u]);
        batch->counted[u] = pred->size > 0;
        batch->loss[u] = pred->size > 0 ? (lg_real)w.units[u].loss : 0;
    }
}

/* -------------------------------------------------------------- derivative */

/* With the loss as 1 - score:
 *   Dice     dp = (score - 2 t) / D,   square: 2 (score p - t) / D = 2 ((p - t) - loss p) / D
 *   Tversky  dp = (alpha score (1 - t) - (loss + beta score) t) / D
 * of which the first and third are (a (1 - t) - b t) / D. */
LG_CLONES static void derive_run(const lg_real *p, const lg_real *q, const lg_real *t, size_t n, const settings *s,
                                 const unit_sums *u, double factor, lg_real *restrict d)
{
    const double by = factor / u->denominator;
    const double a = s->dice ? u->score : s->alpha * u->score;
    const double b = s->dice ? 2 - u->score : u->loss + s->beta * u->score;
    if (factor == 0) {
        memset(d, 0, n * sizeof *d);
    } else if (!s->square) {
        for (size_t i = 0; i < n; i++)
            d[i] = (lg_real)(by * (a * (1 - (double)t[i]) - b * (double)t[i]));
    } else {
        for (size_t i = 0; i < n; i++) {
            const double x = (double)p[i], off = excess(x, complement(p, q, i), (double)t[i]);
            d[i] = (lg_real)(2 * by * (off - u->loss * x));
        }
    }
}

static void derivative(lg_loss_batch *batch)
{
    const settings s = settings_of(batch);
    const layout l = layout_of(batch, &s);
    const workspace w = workspace_of(batch, batch->units);
    const lg_tensor *pred = batch->inputs[PRED];
    const lg_real *p = s.from_logits ? w.p : pred->real, *target = batch->inputs[TARGET]->real;
    lg_real *d = batch->d[PRED];
    for (run r = { 0 }; next_run(&s, &l, pred->size, &r);) {
        derive_run(p + r.first, w.q ? w.q + r.first : NULL, target + r.first, r.length, &s, &w.units[r.unit],
                   (double)batch->factor[r.unit], d + r.first);
    }
    if (!s.from_logits)
        return;
    if (s.activation == LG_MASK_SIGMOID) {
        through_sigmoid(w.p, w.q, pred->size, d);
        return;
    }
    tile t;
    for (size_t done = 0; next_tile(&l, &done, &t);)
        through_softmax_tile(w.p + t.first, &t, l.classes, d + t.first);
}

/* -------------------------------------------------------------------- rows */

#define PARAM_SCOPE { .name = "scope", .high = 2, .choices = "batch|sample|channel" }
#define PARAM_SMOOTH { .name = "smooth", .high = INFINITY }
#define PARAM_ACTIVATION { .name = "activation", .high = 1, .choices = "sigmoid|softmax" }
/* 0 would leave two empty masks without a value. */
#define PARAM_EPS { .name = "eps", .initial = 1e-7, .high = 0.5, .low_open = true, .high_open = true }

#define SEGMENTATION_ROW                                                                              \
    .family = "segmentation", .tasks = LG_TASK_SEGMENTATION, .takes = LG_TAKES_CLASS_AXIS,            \
    .units = LG_UNIT_BATCH, .output = "one logit (or probability) per pixel and class",               \
    .inputs = { { "pred", .domain = LG_LOGIT_OR_PROBABILITY, .differentiable = true },                \
                { "target", .domain = LG_UNIT_INTERVAL } },                                           \
    .plan = plan, .value = value, .derivative = derivative

const lg_loss_info lg_dice_row = {
    .name = "dice",
    .summary = "masks whose object is small against the background, as in medical images",
    .formula = "1 - (2 sum p t + smooth) / (sum p + sum t + smooth + eps)",
    .reference = "keras.losses.Dice; Milletari et al. 2016",
    .params = { PARAM_SCOPE, PARAM_SMOOTH, { .name = "square", .high = 1, .choices = "false|true" }, PARAM_ACTIVATION,
                LG_PARAM_FROM_LOGITS, PARAM_EPS },
    SEGMENTATION_ROW,
};

const lg_loss_info lg_tversky_row = {
    .name = "tversky",
    .summary = "masks where a miss costs more (or less) than a false alarm: beta prices misses, alpha false alarms",
    .formula = "1 - (TP + smooth) / (TP + alpha FP + beta FN + smooth + eps)",
    .reference = "keras.losses.Tversky (its alpha and beta exchanged); Salehi et al. 2017",
    .params = { PARAM_SCOPE,
                { .name = "alpha", .initial = 0.5, .high = INFINITY },
                { .name = "beta", .initial = 0.5, .high = INFINITY },
                PARAM_SMOOTH,
                PARAM_ACTIVATION,
                LG_PARAM_FROM_LOGITS,
                PARAM_EPS },
    SEGMENTATION_ROW,
};

lg_tensor *lg_dice(lg_tape *tape, lg_tensor *pred, lg_tensor *target, lg_mask_scope scope, double smooth,
                   bool square, lg_mask_activation activation, const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_dice_row, (lg_tensor *[]){ pred, target },
                        (const double[]){ scope, smooth, square, activation }, 4, options);
}

lg_tensor *lg_tversky(lg_tape *tape, lg_tensor *pred, lg_tensor *target, lg_mask_scope scope, double alpha,
                      double beta, double smooth, lg_mask_activation activation, const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_tversky_row, (lg_tensor *[]){ pred, target },
                        (const double[]){ scope, alpha, beta, smooth, activation }, 5, options);
}
