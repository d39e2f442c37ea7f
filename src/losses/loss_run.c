/* Running a loss: operands checked, units cut into chunks that stay in cache, weights and ignored units applied around
 * the kernel, the sum kept in double, and the derivative handed to backward already scaled (loss.h). */
#include "losses/loss_internal.h"

#include "autograd/tape_internal.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define CHUNK_REALS 1024
#define DEFAULT_IGNORE_INDEX (-100)

/* What a domain allows: [low, high], or only those two ends. */
typedef struct value_rule {
    lg_real low, high;
    bool ends_only;
    const char *text;
} value_rule;

typedef struct run {
    lg_tape *tape;
    const lg_loss_info *info;
    lg_tensor *const *inputs;
    const double *params;
    const lg_loss_options *options;
    size_t count;                     /* inputs */
    size_t units, rank, dims[LG_MAX_RANK]; /* shape of the units */
    size_t width[LG_LOSS_MAX_INPUTS];
    size_t classes, inner;            /* length of the class axis, and of all axes after it together */
    const int32_t *labels;            /* the index input, NULL without one */
    size_t label_width;
    value_rule rules[LG_LOSS_MAX_INPUTS];
    bool checks, may_ignore, wants_grad;
    bool has_ignored;                 /* some unit is to be left out */
    int32_t ignore;
    const lg_real *weight;            /* one per unit, or NULL */
    double divisor;
    lg_real scale;
    lg_real *unit_loss;               /* the result with LG_REDUCE_NONE, NULL otherwise */
    lg_real *derivative[LG_LOSS_MAX_INPUTS];
} run;

/* What the node keeps. */
typedef struct loss_result {
    double sum, divisor;
    bool reduced;
    size_t units, count, inner, classes;
    size_t width[LG_LOSS_MAX_INPUTS];
    bool gathered[LG_LOSS_MAX_INPUTS];
    lg_real *derivative[LG_LOSS_MAX_INPUTS];
} loss_result;

/* ---------------------------------------------------------------- operands */

static bool is_index(const lg_loss_input *input)
{
    return input->domain == LG_CLASS_INDEX;
}

static lg_status check_types(const run *r)
{
    for (size_t i = 0; i < r->count; i++) {
        const lg_loss_input *input = &r->info->inputs[i];
        if (r->inputs[i]->dtype != (is_index(input) ? LG_INT32 : LG_REAL))
            return lg_fail(LG_E_DTYPE, "%s: %s must hold %s", r->info->name, input->name,
                           is_index(input) ? "int32 class indices" : "real numbers");
        if (r->tape->gradients && r->inputs[i]->requires_grad && !input->differentiable)
            return lg_fail(LG_E_PARAM, "%s: %s requires a gradient, but the loss has none by it", r->info->name,
                           input->name);
    }
    return LG_OK;
}

static lg_status check_params(const run *r)
{
    for (size_t i = 0; i < lg_loss_param_count(r->info); i++) {
        lg_status status = lg_loss_check_param(r->info, i, r->params[i]);
        if (status != LG_OK)
            return status;
    }
    return LG_OK;
}

/* The rank without trailing axes of length 1, which make no difference between operands of a loss. */
static size_t significant_rank(size_t rank, const size_t *dims)
{
    while (rank > 0 && dims[rank - 1] == 1)
        rank--;
    return rank;
}

static bool same_dims(size_t rank_a, const size_t *a, size_t rank_b, const size_t *b)
{
    const size_t n = significant_rank(rank_a, a);
    return n == significant_rank(rank_b, b) && memcmp(a, b, n * sizeof *a) == 0;
}

/* Reads the units out of the prediction's shape. */
static lg_status find_units(run *r)
{
    const lg_tensor *pred = r->inputs[0];
    char text[LG_SHAPE_TEXT_BYTES];
    const size_t axis = r->options->class_axis ? r->options->class_axis : pred->rank - 1;
    r->inner = r->classes = 1;
    switch (r->info->units) {
    case LG_UNIT_ELEMENT:
        r->rank = pred->rank;
        memcpy(r->dims, pred->dims, sizeof r->dims);
        r->units = pred->size;
        r->width[0] = 1;
        break;
    case LG_UNIT_ROW:
        if (pred->rank == 0 || axis >= pred->rank)
            return lg_fail(LG_E_SHAPE, "%s: %s %s has no class axis %zu", r->info->name, r->info->inputs[0].name,
                           lg_tensor_shape_text(pred, text, sizeof text), pred->rank ? axis : 0);
        r->classes = r->width[0] = pred->dims[axis];
        r->units = 1;
        for (size_t i = 0; i < pred->rank; i++) {
            if (i == axis)
                continue;
            r->dims[r->rank++] = pred->dims[i];
            r->units *= pred->dims[i];
            r->inner *= i > axis ? pred->dims[i] : 1;
        }
        break;
    case LG_UNIT_SAMPLE:
        if (pred->rank == 0)
            return lg_fail(LG_E_SHAPE, "%s: %s is a scalar; its first axis must be the samples", r->info->name,
                           r->info->inputs[0].name);
        r->rank = 1;
        r->units = r->dims[0] = pred->dims[0];
        r->width[0] = r->units ? pred->size / r->units : 0;
        break;
    }
    if (r->width[0] < r->info->least_width)
        return lg_fail(LG_E_SHAPE, "%s: %s %s has rows of %zu, but at least %zu are needed", r->info->name,
                       r->info->inputs[0].name, lg_tensor_shape_text(pred, text, sizeof text), r->width[0],
                       r->info->least_width);
    if (r->options->class_axis && r->info->units != LG_UNIT_ROW)
        return lg_fail(LG_E_PARAM, "%s: the option class_axis does not apply here", r->info->name);
    return LG_OK;
}

static lg_status check_shapes(run *r)
{
    const lg_tensor *pred = r->inputs[0];
    char a[LG_SHAPE_TEXT_BYTES], b[LG_SHAPE_TEXT_BYTES], c[LG_SHAPE_TEXT_BYTES];
    for (size_t i = 1; i < r->count; i++) {
        const lg_tensor *input = r->inputs[i];
        const lg_loss_input *described = &r->info->inputs[i];
        bool fits = false;
        switch (described->layout) {
        case LG_LIKE_PREDICTION:
            fits = same_dims(pred->rank, pred->dims, input->rank, input->dims);
            r->width[i] = r->width[0];
            break;
        case LG_PER_UNIT:
            fits = same_dims(r->rank, r->dims, input->rank, input->dims);
            r->width[i] = 1;
            break;
        case LG_OWN_WIDTH:
            fits = input->rank == r->rank + 1 && memcmp(input->dims, r->dims, r->rank * sizeof *r->dims) == 0;
            r->width[i] = fits ? input->dims[r->rank] : 0;
            break;
        }
        if (!fits)
            return lg_fail(LG_E_SHAPE, "%s: %s has shape %s, %s %s; %s is wanted", r->info->name,
                           r->info->inputs[0].name, lg_tensor_shape_text(pred, a, sizeof a), described->name,
                           lg_tensor_shape_text(input, b, sizeof b),
                           lg_shape_text(described->layout == LG_LIKE_PREDICTION ? pred->rank : r->rank,
                                         described->layout == LG_LIKE_PREDICTION ? pred->dims : r->dims, c, sizeof c));
        if (is_index(described)) {
            r->labels = input->index;
            r->label_width = r->width[i];
        }
    }
    return LG_OK;
}

/* ----------------------------------------------------------------- weights */

static lg_status check_weight_values(const run *r, const char *name, const lg_tensor *weight)
{
    if (weight->dtype != LG_REAL || !lg_tensor_alive(weight))
        return lg_fail(LG_E_DTYPE, "%s: %s must be a live tensor of real numbers", r->info->name, name);
    for (size_t i = 0; i < weight->size; i++)
        if (!(weight->real[i] >= 0) || isinf(weight->real[i]))
            return lg_fail(LG_E_DOMAIN, "%s: %s[%zu] is %g, but a weight is finite and not negative", r->info->name,
                           name, i, (double)weight->real[i]);
    return LG_OK;
}

/* Repeats `weight` along the axes of the units as NumPy broadcasts. */
static lg_status broadcast_weight(run *r, const lg_tensor *weight)
{
    char a[LG_SHAPE_TEXT_BYTES], b[LG_SHAPE_TEXT_BYTES];
    size_t stride[LG_MAX_RANK] = { 0 };
    const size_t rank = weight->rank > r->rank ? significant_rank(weight->rank, weight->dims) : weight->rank;
    bool fits = rank <= r->rank;
    for (size_t k = 0, step = 1; fits && k < rank; k++) { /* from the last axis */
        const size_t length = weight->dims[rank - 1 - k], axis = r->rank - 1 - k;
        fits = length == 1 || length == r->dims[axis];
        stride[axis] = length == 1 ? 0 : step;
        step *= length;
    }
    if (!fits)
        return lg_fail(LG_E_SHAPE, "%s: sample_weight %s does not broadcast to the units %s", r->info->name,
                       lg_tensor_shape_text(weight, a, sizeof a), lg_shape_text(r->rank, r->dims, b, sizeof b));
    lg_real *expanded = lg_arena_alloc(&r->tape->values, r->units * sizeof *expanded);
    if (!expanded)
        return LG_E_MEMORY;
    for (size_t u = 0; u < r->units; u++) {
        size_t rest = u, at = 0;
        for (size_t axis = r->rank; axis-- > 0; rest /= r->dims[axis])
            at += rest % r->dims[axis] * stride[axis];
        expanded[u] = weight->real[at];
    }
    r->weight = expanded;
    return LG_OK;
}

static lg_status check_weights(run *r)
{
    const lg_loss_options *o = r->options;
    const lg_tensor *pred = r->inputs[0];
    lg_status status = LG_OK;
    if (o->sample_weight) {
        status = check_weight_values(r, "sample_weight", o->sample_weight);
        if (status == LG_OK && same_dims(r->rank, r->dims, o->sample_weight->rank, o->sample_weight->dims))
            r->weight = o->sample_weight->real;
        else if (status == LG_OK)
            status = broadcast_weight(r, o->sample_weight);
    }
    if (status == LG_OK && o->class_weight) {
        if (!(r->info->takes & LG_TAKES_CLASS_WEIGHT))
            return lg_fail(LG_E_PARAM, "%s: the option class_weight does not apply here", r->info->name);
        if (o->class_weight->size != r->classes)
            return lg_fail(LG_E_SHAPE, "%s: class_weight has %zu elements for %zu classes", r->info->name,
                           o->class_weight->size, r->classes);
        status = check_weight_values(r, "class_weight", o->class_weight);
    }
    if (status == LG_OK && o->pos_weight) {
        const size_t last = pred->rank ? pred->dims[pred->rank - 1] : 1;
        if (!(r->info->takes & LG_TAKES_POS_WEIGHT))
            return lg_fail(LG_E_PARAM, "%s: the option pos_weight does not apply here", r->info->name);
        if (o->pos_weight->size != 1 && o->pos_weight->size != last)
            return lg_fail(LG_E_SHAPE, "%s: pos_weight has %zu elements; 1, or %zu for the last axis, are wanted",
                           r->info->name, o->pos_weight->size, last);
        status = check_weight_values(r, "pos_weight", o->pos_weight);
    }
    if (status == LG_OK && o->ignore_index && !(r->info->takes & LG_TAKES_IGNORE_INDEX))
        return lg_fail(LG_E_PARAM, "%s: the option ignore_index does not apply here", r->info->name);
    return status;
}

/* ------------------------------------------------- labels, divisor, scale */

static lg_status bad_label(const run *r, size_t at)
{
    char ignored[64] = "";
    if (r->may_ignore)
        snprintf(ignored, sizeof ignored, ", or %d to ignore it", (int)r->ignore);
    return lg_fail(LG_E_INDEX, "%s: target[%zu] is %d, but there are %zu classes (0..%zu%s)", r->info->name, at,
                   (int)r->labels[at], r->classes, r->classes - 1, ignored);
}

/* Checks every label and adds up what the reduction divides by. Always done: a label is an index into memory. */
static lg_status find_divisor(run *r)
{
    const bool weighted = r->options->reduction == LG_REDUCE_WEIGHTED_MEAN;
    const lg_real *class_weight =
        r->info->takes & LG_WEIGHTS_IN_DIVISOR && r->options->class_weight ? r->options->class_weight->real : NULL;
    double divisor = 0;
    if (r->labels) {
        const size_t n = r->units * r->label_width;
        for (size_t i = 0; i < n; i++) {
            const int32_t label = r->labels[i];
            if (label >= 0 && (size_t)label < r->classes)
                continue;
            if (!r->may_ignore || label != r->ignore)
                return bad_label(r, i);
            r->has_ignored = true;
        }
    }
    if (!r->has_ignored && !class_weight && (!weighted || !r->weight)) {
        divisor = (double)r->units;
    } else {
        for (size_t u = 0; u < r->units; u++) {
            if (r->has_ignored && r->labels[u] == r->ignore)
                continue;
            divisor += (class_weight ? (double)class_weight[r->labels[u]] : 1) *
                       (weighted && r->weight ? (double)r->weight[u] : 1);
        }
    }
    r->divisor = divisor;
    const bool mean = r->options->reduction == LG_REDUCE_MEAN || weighted;
    r->scale = !mean ? 1 : divisor > 0 ? (lg_real)(1 / divisor) : 0;
    return LG_OK;
}

/* ------------------------------------------------------------ value checks */

static value_rule rule_of(lg_loss_domain domain, bool from_logits, bool normalize)
{
    const lg_real infinity = (lg_real)INFINITY, spare = (lg_real)1e-6;
    const lg_real largest = LG_REAL_BITS == 64 ? (lg_real)DBL_MAX : (lg_real)FLT_MAX;
    switch (domain) {
    case LG_LOGIT_OR_PROBABILITY:
        if (!from_logits)
            return (value_rule){ -spare, 1 + spare, false, "a probability in [0, 1] (or set from_logits)" };
        break;
    case LG_LOGIT_OR_CLASS_PROBABILITIES:
        if (!from_logits && normalize)
            return (value_rule){ 0, largest, false, "a probability, finite and not negative (or set from_logits)" };
        if (!from_logits)
            return (value_rule){ -spare, 1 + spare, false, "a probability in [0, 1] (or set from_logits)" };
        break;
    case LG_UNIT_INTERVAL:
        return (value_rule){ 0, 1, false, "in [0, 1]" };
    case LG_NON_NEGATIVE:
        return (value_rule){ 0, infinity, false, "not negative" };
    case LG_PLUS_MINUS_ONE:
        return (value_rule){ -1, 1, true, "-1 or 1" };
    case LG_ZERO_OR_ONE:
        return (value_rule){ 0, 1, true, "0 or 1" };
    case LG_ANY_REAL:
    case LG_CLASS_INDEX:
        break;
    }
    return (value_rule){ -infinity, infinity, false, "" };
}

/* NaN passes a range, but not a set. */
static bool breaks_rule(const value_rule *rule, lg_real v)
{
    return rule->ends_only ? v != rule->low && v != rule->high : v < rule->low || v > rule->high;
}

/* Where element k of unit u of a row-shaped input lies, when the class axis is not the last. */
static size_t gathered_at(size_t classes, size_t inner, size_t u, size_t k)
{
    return (u / inner * classes + k) * inner + u % inner;
}

static bool is_gathered(const run *r, size_t i)
{
    return r->inner > 1 && (i == 0 || r->info->inputs[i].layout == LG_LIKE_PREDICTION) && r->info->units == LG_UNIT_ROW;
}

/* A switch of the row by name, `otherwise` where the row has none. */
static bool is_on(const run *r, const char *name, bool otherwise)
{
    for (size_t i = 0; i < lg_loss_param_count(r->info); i++)
        if (strcmp(r->info->params[i].name, name) == 0)
            return r->params[i] != 0;
    return otherwise;
}

static void find_rules(run *r)
{
    const bool from_logits = is_on(r, "from_logits", false), normalize = is_on(r, "normalize", true);
    for (size_t i = 0; i < r->count; i++)
        r->rules[i] = rule_of(r->info->inputs[i].domain, from_logits, normalize);
}

/* Checks the values of a chunk against the domains of the inputs. */
static lg_status check_values(const run *r, const lg_loss_chunk *chunk, size_t first)
{
    for (size_t i = 0; i < r->count; i++) {
        const value_rule *rule = &r->rules[i];
        if (!*rule->text)
            continue;
        const size_t n = chunk->units * r->width[i];
        const lg_real *x = chunk->x[i];
        int broken = 0;
        if (rule->ends_only)
            for (size_t k = 0; k < n; k++)
                broken |= (x[k] != rule->low) & (x[k] != rule->high);
        else
            for (size_t k = 0; k < n; k++)
                broken |= (x[k] < rule->low) | (x[k] > rule->high);
        if (!broken)
            continue;
        size_t k = 0;
        while (!breaks_rule(rule, x[k]))
            k++;
        const size_t unit = first + k / r->width[i], column = k % r->width[i];
        const size_t at = is_gathered(r, i) ? gathered_at(r->classes, r->inner, unit, column)
                                            : unit * r->width[i] + column;
        return lg_fail(LG_E_DOMAIN, "%s: %s[%zu] is %g, but must be %s", r->info->name, r->info->inputs[i].name, at,
                       (double)x[k], rule->text);
    }
    return r->info->check_chunk ? r->info->check_chunk(r->info, chunk, first) : LG_OK;
}

/* ------------------------------------------------------------------ chunks */

/* Scratch of one chunk: gathered rows, their derivatives, values, weights; NULL where not needed. */
typedef struct workspace {
    size_t units; /* per chunk */
    lg_real *rows[LG_LOSS_MAX_INPUTS], *row_derivatives[LG_LOSS_MAX_INPUTS];
    lg_real *unwanted; /* d[0] when only another input wants its derivative */
    lg_real *loss, *pos_weight, *weight, *scratch;
    int32_t *labels;
} workspace;

static lg_real *scratch_reals(run *r, bool needed, size_t count, bool *failed)
{
    lg_real *block = needed ? lg_arena_alloc(&r->tape->values, count * sizeof *block) : NULL;
    *failed = *failed || (needed && !block);
    return block;
}

static lg_status prepare_workspace(run *r, workspace *w)
{
    size_t widest = 1;
    bool failed = false;
    for (size_t i = 0; i < r->count; i++)
        widest = r->width[i] > widest ? r->width[i] : widest;
    w->units = widest > CHUNK_REALS ? 1 : CHUNK_REALS / widest;
    for (size_t i = 0; i < r->count; i++) {
        w->rows[i] = scratch_reals(r, is_gathered(r, i), w->units * r->width[i], &failed);
        w->row_derivatives[i] = scratch_reals(r, is_gathered(r, i) && r->derivative[i], w->units * r->width[i], &failed);
    }
    w->unwanted = scratch_reals(r, r->wants_grad && !r->derivative[0], w->units * r->width[0], &failed);
    w->loss = scratch_reals(r, !r->unit_loss, w->units, &failed);
    w->pos_weight = scratch_reals(r, r->options->pos_weight, w->units, &failed);
    w->weight = scratch_reals(r, r->has_ignored, w->units, &failed);
    w->scratch = scratch_reals(r, true, w->units * r->width[0], &failed);
    if (r->has_ignored) {
        w->labels = lg_arena_alloc(&r->tape->values, w->units * r->label_width * sizeof *w->labels);
        failed = failed || !w->labels;
    }
    return failed ? LG_E_MEMORY : LG_OK;
}

static void fill_chunk(const run *r, const workspace *w, size_t first, size_t units, lg_loss_chunk *chunk)
{
    *chunk = (lg_loss_chunk){ .units = units,
                              .param = r->params,
                              .class_weight = r->options->class_weight ? r->options->class_weight->real : NULL,
                              .scale = r->scale,
                              .loss = r->unit_loss ? r->unit_loss + first : w->loss,
                              .scratch = w->scratch };
    for (size_t i = 0; i < r->count; i++) {
        const size_t width = chunk->width[i] = r->width[i];
        if (is_index(&r->info->inputs[i])) {
            chunk->label = r->labels + first * width;
            continue;
        }
        chunk->x[i] = r->inputs[i]->real + first * width;
        chunk->d[i] = r->derivative[i] ? r->derivative[i] + first * width : NULL;
        if (!is_gathered(r, i))
            continue;
        for (size_t u = 0; u < units; u++)
            for (size_t k = 0; k < width; k++)
                w->rows[i][u * width + k] = r->inputs[i]->real[gathered_at(r->classes, r->inner, first + u, k)];
        chunk->x[i] = w->rows[i];
        chunk->d[i] = w->row_derivatives[i];
    }
    if (r->wants_grad && !chunk->d[0])
        chunk->d[0] = w->unwanted;
    if (r->options->pos_weight) {
        const lg_tensor *pos_weight = r->options->pos_weight;
        for (size_t u = 0; u < units; u++)
            w->pos_weight[u] = pos_weight->real[pos_weight->size == 1 ? 0 : (first + u) % pos_weight->size];
        chunk->pos_weight = w->pos_weight;
    }
}

/* Ignored units: the kernel sees class 0 and the unit gets weight 0. Returns the weights of the chunk's units. */
static const lg_real *leave_out_ignored(const run *r, const workspace *w, size_t first, lg_loss_chunk *chunk)
{
    const lg_real *given = r->weight ? r->weight + first : NULL;
    if (!r->has_ignored)
        return given;
    for (size_t u = 0; u < chunk->units; u++) {
        const bool ignored = r->labels[first + u] == r->ignore;
        w->labels[u] = ignored ? 0 : r->labels[first + u];
        w->weight[u] = ignored ? 0 : given ? given[u] : 1;
    }
    chunk->label = w->labels;
    return w->weight;
}

/* Multiplies value and derivatives of each unit by its weight; a weight of 0 makes them 0, whatever they were. */
static void apply_weights(const run *r, const lg_loss_chunk *chunk, const lg_real *weight)
{
    for (size_t u = 0; u < chunk->units; u++)
        chunk->loss[u] = weight[u] == 0 ? 0 : weight[u] * chunk->loss[u];
    for (size_t i = 0; i < r->count; i++) {
        if (!chunk->d[i])
            continue;
        for (size_t u = 0; u < chunk->units; u++) {
            lg_real *row = chunk->d[i] + u * r->width[i];
            for (size_t k = 0; k < r->width[i]; k++)
                row[k] = weight[u] == 0 ? 0 : weight[u] * row[k];
        }
    }
}

static void scatter_derivatives(const run *r, const workspace *w, size_t first, size_t units)
{
    for (size_t i = 0; i < r->count; i++) {
        if (!w->row_derivatives[i])
            continue;
        for (size_t u = 0; u < units; u++)
            for (size_t k = 0; k < r->width[i]; k++)
                r->derivative[i][gathered_at(r->classes, r->inner, first + u, k)] =
                    w->row_derivatives[i][u * r->width[i] + k];
    }
}

/* The sum of n values: lanes of lg_real over 128 at a time, those in double. */
LG_CLONES static double sum_values(const lg_real *values, size_t n)
{
    enum { LANES = 16, ROWS = 8 };
    double sum = 0;
    size_t i = 0;
    for (; i + LANES * ROWS <= n; i += LANES * ROWS) {
        lg_real lanes[LANES] = { 0 };
        for (size_t row = 0; row < ROWS; row++)
            for (size_t lane = 0; lane < LANES; lane++)
                lanes[lane] += values[i + row * LANES + lane];
        for (size_t lane = 0; lane < LANES; lane++)
            sum += (double)lanes[lane];
    }
    for (; i < n; i++)
        sum += (double)values[i];
    return sum;
}

static lg_status run_chunks(run *r, double *sum)
{
    workspace w = { 0 };
    lg_status status = prepare_workspace(r, &w);
    for (size_t first = 0; status == LG_OK && first < r->units; first += w.units) {
        const size_t units = r->units - first < w.units ? r->units - first : w.units;
        lg_loss_chunk chunk;
        fill_chunk(r, &w, first, units, &chunk);
        chunk.weight = leave_out_ignored(r, &w, first, &chunk);
        if (r->checks)
            status = check_values(r, &chunk, first);
        if (status != LG_OK)
            break;
        r->info->kernel(&chunk);
        if (chunk.weight)
            apply_weights(r, &chunk, chunk.weight);
        scatter_derivatives(r, &w, first, units);
        *sum += sum_values(chunk.loss, units);
    }
    return status;
}

/* -------------------------------------------------------------- the node */

static void loss_backward(const lg_node *node)
{
    const loss_result *result = node->saved;
    const lg_real *upstream = node->output->grad;
    for (size_t i = 0; i < result->count; i++) {
        lg_real *derivative = result->derivative[i];
        if (!derivative)
            continue;
        const size_t width = result->width[i];
        if (result->reduced) {
            const lg_real factor = upstream[0];
            for (size_t k = 0; factor != 1 && k < result->units * width; k++)
                derivative[k] *= factor;
        } else if (result->gathered[i]) {
            for (size_t u = 0; u < result->units; u++)
                for (size_t k = 0; k < width; k++)
                    derivative[gathered_at(result->classes, result->inner, u, k)] *= upstream[u];
        } else {
            for (size_t u = 0; u < result->units; u++)
                for (size_t k = 0; k < width; k++)
                    derivative[u * width + k] *= upstream[u];
        }
        lg_grad_give(node, i, derivative);
    }
}

static const lg_op loss_op = { "loss", NULL, loss_backward };

bool lg_loss_terms(const lg_tensor *loss, double *sum, double *divisor)
{
    if (!loss || !lg_tensor_alive(loss) || !loss->node || loss->node->op != &loss_op)
        return false;
    const loss_result *result = loss->node->saved;
    *sum = result->sum;
    *divisor = result->divisor;
    return true;
}

/* Memory for what the node keeps: the derivative of every input that wants one. */
static lg_status prepare_derivatives(run *r)
{
    bool failed = false;
    r->wants_grad = lg_wants_grad(r->tape, r->count, r->inputs);
    for (size_t i = 0; i < r->count; i++)
        r->derivative[i] =
            scratch_reals(r, r->tape->gradients && r->inputs[i]->requires_grad, r->inputs[i]->size, &failed);
    return failed ? LG_E_MEMORY : LG_OK;
}

static lg_tensor *record(run *r, double sum)
{
    const bool reduced = r->options->reduction != LG_REDUCE_NONE;
    const bool mean = reduced && r->options->reduction != LG_REDUCE_SUM;
    lg_real *value = r->unit_loss;
    if (reduced) {
        value = lg_arena_alloc(&r->tape->values, sizeof *value);
        if (!value)
            return NULL;
        value[0] = (lg_real)(!mean ? sum : r->divisor > 0 ? sum / r->divisor : 0);
    }
    lg_tensor *output = lg_record_recipe(r->tape, &loss_op, r->count, r->inputs,
                                         &(lg_recipe){ .rank = reduced ? 0 : r->rank,
                                                       .dims = r->dims,
                                                       .saved_bytes = sizeof(loss_result),
                                                       .name = r->info->name,
                                                       .view = value });
    if (!output)
        return NULL;
    loss_result *result = output->node->saved;
    *result = (loss_result){ .sum = sum,
                             .divisor = mean ? r->divisor : (double)r->units,
                             .reduced = reduced,
                             .units = r->units,
                             .count = r->count,
                             .inner = r->inner,
                             .classes = r->classes };
    for (size_t i = 0; i < r->count; i++) {
        result->width[i] = r->width[i];
        result->gathered[i] = is_gathered(r, i);
        result->derivative[i] = r->derivative[i];
    }
    return output;
}

lg_tensor *lg_loss_run(lg_tape *tape, const lg_loss_info *info, lg_tensor *const inputs[], const double *params,
                       const lg_loss_options *options)
{
    run r = { .tape = tape,
              .info = info,
              .inputs = inputs,
              .params = params,
              .options = options,
              .count = lg_loss_input_count(info),
              .checks = !options->unchecked,
              .may_ignore = info->takes & LG_TAKES_IGNORE_INDEX,
              .ignore = options->ignore_index ? *options->ignore_index : DEFAULT_IGNORE_INDEX };
    double sum = 0;
    find_rules(&r);
    if (!lg_operands(tape, info->name, r.count, inputs) || check_types(&r) != LG_OK || check_params(&r) != LG_OK ||
        find_units(&r) != LG_OK || check_shapes(&r) != LG_OK ||
        (info->check_call && info->check_call(info, inputs, params) != LG_OK) || check_weights(&r) != LG_OK ||
        find_divisor(&r) != LG_OK || prepare_derivatives(&r) != LG_OK)
        return NULL;
    if (options->reduction == LG_REDUCE_NONE) {
        r.unit_loss = lg_arena_alloc(&tape->values, r.units * sizeof *r.unit_loss);
        if (!r.unit_loss)
            return NULL;
    }
    return run_chunks(&r, &sum) == LG_OK ? record(&r, sum) : NULL;
}
