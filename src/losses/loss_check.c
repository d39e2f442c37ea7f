/* Checking a call of a loss: types, ranges, shapes, weights and labels (loss_run_internal.h). */
#include "losses/loss_run_internal.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ----------------------------------------------------------------- domains */

static lg_value_rule rule_of(lg_loss_domain domain, bool from_logits, bool normalize)
{
    const lg_real infinity = (lg_real)INFINITY, spare = (lg_real)1e-6;
    const lg_real largest = LG_REAL_BITS == 64 ? (lg_real)DBL_MAX : (lg_real)FLT_MAX;
    switch (domain) {
    case LG_LOGIT_OR_PROBABILITY:
        if (!from_logits)
            return (lg_value_rule){ -spare, 1 + spare, false, "a probability in [0, 1] (or set from_logits)" };
        break;
    case LG_LOGIT_OR_CLASS_PROBABILITIES:
        if (!from_logits && normalize)
            return (lg_value_rule){ 0, largest, false, "a probability, finite and not negative (or set from_logits)" };
        if (!from_logits)
            return (lg_value_rule){ -spare, 1 + spare, false, "a probability in [0, 1] (or set from_logits)" };
        break;
    case LG_PROBABILITY:
        return (lg_value_rule){ -spare, 1 + spare, false, "a probability in [0, 1]" };
    case LG_UNIT_INTERVAL:
        return (lg_value_rule){ 0, 1, false, "in [0, 1]" };
    case LG_NON_NEGATIVE:
        return (lg_value_rule){ 0, infinity, false, "not negative" };
    case LG_PLUS_MINUS_ONE:
        return (lg_value_rule){ -1, 1, true, "-1 or 1" };
    case LG_ZERO_OR_ONE:
        return (lg_value_rule){ 0, 1, true, "0 or 1" };
    case LG_ANY_REAL:
    case LG_BINARY_LABEL:
    case LG_CLASS_INDEX:
    case LG_ANY_INDEX:
        break;
    }
    return (lg_value_rule){ -infinity, infinity, false, "" };
}

LG_CLONES size_t lg_first_broken(const lg_value_rule *rule, const lg_real *x, size_t n)
{
    int broken = 0; /* NaN passes a range, but not a set */
    if (rule->ends_only)
        for (size_t k = 0; k < n; k++)
            broken |= (x[k] != rule->low) & (x[k] != rule->high);
    else
        for (size_t k = 0; k < n; k++)
            broken |= (x[k] < rule->low) | (x[k] > rule->high);
    if (!broken)
        return n;
    size_t k = 0;
    while (rule->ends_only ? x[k] == rule->low || x[k] == rule->high : !(x[k] < rule->low || x[k] > rule->high))
        k++;
    return k;
}

/* Where element k of unit u of a row-shaped input lies, when the class axis is not the last. */
size_t lg_gathered_at(size_t classes, size_t inner, size_t u, size_t k)
{
    return (u / inner * classes + k) * inner + u % inner;
}

bool lg_is_gathered(const lg_loss_run *r, size_t i)
{
    return r->inner > 1 && (i == 0 || r->info->inputs[i].layout == LG_LIKE_PREDICTION) && r->info->units == LG_UNIT_ROW;
}

/* A choice of the row by name, `otherwise` where the row has none. */
static int choice(const lg_loss_run *r, const char *name, int otherwise)
{
    for (size_t i = 0; i < r->param_count; i++)
        if (lg_same_name(r->info->params[i].name, name))
            return (int)r->params[i];
    return otherwise;
}

static void find_rules(lg_loss_run *r)
{
    for (size_t i = 0; i < r->count; i++) {
        const lg_loss_domain domain = r->info->domain_of ? r->info->domain_of(i, r->params) : r->info->inputs[i].domain;
        const bool asked = domain == LG_LOGIT_OR_PROBABILITY || domain == LG_LOGIT_OR_CLASS_PROBABILITIES;
        r->rules[i] = rule_of(domain, asked && choice(r, "from_logits", 0), asked && choice(r, "normalize", 1));
    }
}

/* ---------------------------------------------------------------- operands */

/* Every input that is not optional is there, alive, of this tape, and of the right type. */
static lg_status check_types(const lg_loss_run *r)
{
    for (size_t i = 0; i < r->count; i++) {
        const lg_loss_input *input = &r->info->inputs[i];
        if (input->optional && !r->inputs[i])
            continue;
        if (!r->inputs[i])
            return lg_fail_null("%s: %s is NULL", r->info->name, input->name);
        if (!lg_operands(r->tape, r->info->name, 1, &r->inputs[i]))
            return lg_error_code();
        if (r->inputs[i]->dtype != (lg_is_index(input) ? LG_INT32 : LG_REAL))
            return lg_fail(LG_E_DTYPE, "%s: %s must hold %s", r->info->name, input->name,
                           lg_is_index(input) ? "int32 class indices" : "real numbers");
        if (r->tape->gradients && r->inputs[i]->requires_grad && !input->differentiable)
            return lg_fail(LG_E_PARAM, "%s: %s requires a gradient, but the loss has none by it", r->info->name,
                           input->name);
    }
    return LG_OK;
}

static lg_status check_params(const lg_loss_run *r)
{
    for (size_t i = 0; i < r->param_count; i++) {
        lg_status status = lg_loss_check_param(r->info, i, r->params[i]);
        if (status != LG_OK)
            return status;
    }
    return LG_OK;
}

/* Whether all values are 1 or `other`. */
LG_CLONES static bool are_labels(const lg_real *values, size_t n, lg_real other)
{
    int strangers = 0;
    for (size_t k = 0; k < n; k++)
        strangers |= (values[k] != 1) & (values[k] != other);
    return !strangers;
}

/* Labels of two classes are all of one kind. */
static lg_status check_binary_labels(const lg_loss_run *r)
{
    for (size_t i = 0; r->checks && i < r->count; i++) {
        if (r->info->inputs[i].domain != LG_BINARY_LABEL)
            continue;
        const lg_tensor *target = r->inputs[i];
        const int labels = choice(r, "labels", LG_LABELS_AUTO);
        if ((labels != LG_LABELS_PM1 && are_labels(target->real, target->size, 0)) ||
            (labels != LG_LABELS_01 && are_labels(target->real, target->size, -1)))
            continue;
        bool zero = false, minus = false; /* one is wrong: which? */
        for (size_t k = 0; k < target->size; k++) {
            const lg_real y = target->real[k];
            zero = zero || y == 0;
            minus = minus || y == -1;
            if ((y == 1 || y == -1 || y == 0) && !(zero && (minus || labels == LG_LABELS_PM1)) &&
                !(minus && labels == LG_LABELS_01))
                continue;
            return lg_fail(LG_E_DOMAIN, "%s: %s[%zu] is %g, but labels must %s", r->info->name, r->info->inputs[i].name,
                           k, (double)y,
                           labels == LG_LABELS_PM1  ? "be -1 or 1"
                           : labels == LG_LABELS_01 ? "be 0 or 1"
                                                    : "all be -1 or 1, or all be 0 or 1");
        }
    }
    return LG_OK;
}

lg_status lg_check_operands(lg_loss_run *r)
{
    if (!lg_operands(r->tape, r->info->name, 0, NULL))
        return lg_error_code();
    lg_status status = check_types(r);
    if (status == LG_OK)
        status = check_params(r);
    if (status == LG_OK)
        status = check_binary_labels(r);
    if (status == LG_OK && r->options->reduction == LG_REDUCE_ELEMENT_MEAN && !(r->info->takes & LG_TAKES_ELEMENT_MEAN))
        return lg_fail(LG_E_PARAM, "%s: the reduction element_mean does not apply here", r->info->name);
    if (status == LG_OK && r->options->reduction == LG_REDUCE_MEAN_PER_LABEL && !(r->info->takes & LG_TAKES_MEAN_PER_LABEL))
        return lg_fail(LG_E_PARAM, "%s: the reduction mean_per_label does not apply here", r->info->name);
    find_rules(r);
    return status;
}

/* The rank without trailing axes of length 1, which make no difference between operands of a loss. */
static size_t significant_rank(size_t rank, const size_t *dims)
{
    while (rank > 0 && dims[rank - 1] == 1)
        rank--;
    return rank;
}

bool lg_same_dims(size_t rank_a, const size_t *a, size_t rank_b, const size_t *b)
{
    const size_t n = significant_rank(rank_a, a);
    return n == significant_rank(rank_b, b) && memcmp(a, b, n * sizeof *a) == 0;
}

/* Reads the units out of the prediction's shape. */
static lg_status find_units(lg_loss_run *r)
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
    case LG_UNIT_BATCH:
        break;
    }
    if (r->width[0] < r->info->least_width)
        return lg_fail(LG_E_SHAPE, "%s: %s %s has rows of %zu, but at least %zu are needed", r->info->name,
                       r->info->inputs[0].name, lg_tensor_shape_text(pred, text, sizeof text), r->width[0],
                       r->info->least_width);
    if (r->info->most_width && r->width[0] > r->info->most_width)
        return lg_fail(LG_E_SHAPE, "%s: %s %s has rows of %zu, but at most %zu are possible", r->info->name,
                       r->info->inputs[0].name, lg_tensor_shape_text(pred, text, sizeof text), r->width[0],
                       r->info->most_width);
    if (r->options->class_axis && r->info->units != LG_UNIT_ROW)
        return lg_fail(LG_E_PARAM, "%s: the option class_axis does not apply here", r->info->name);
    return LG_OK;
}

static lg_status check_shapes(lg_loss_run *r)
{
    const lg_tensor *pred = r->inputs[0];
    char a[LG_SHAPE_TEXT_BYTES], b[LG_SHAPE_TEXT_BYTES], c[LG_SHAPE_TEXT_BYTES];
    for (size_t i = 1; i < r->count; i++) {
        const lg_tensor *input = r->inputs[i];
        const lg_loss_input *described = &r->info->inputs[i];
        bool fits = false;
        switch (described->layout) {
        case LG_LIKE_PREDICTION:
            fits = lg_same_dims(pred->rank, pred->dims, input->rank, input->dims);
            r->width[i] = r->width[0];
            break;
        case LG_PER_UNIT:
            fits = lg_same_dims(r->rank, r->dims, input->rank, input->dims);
            r->width[i] = 1;
            break;
        case LG_OWN_WIDTH:
            fits = input->rank == r->rank + 1 && memcmp(input->dims, r->dims, r->rank * sizeof *r->dims) == 0;
            r->width[i] = fits ? input->dims[r->rank] : 0;
            break;
        case LG_WHOLE:
            fits = true;
            r->width[i] = input->size;
            break;
        }
        if (!fits)
            return lg_fail(LG_E_SHAPE, "%s: %s has shape %s, %s %s; %s is wanted", r->info->name,
                           r->info->inputs[0].name, lg_tensor_shape_text(pred, a, sizeof a), described->name,
                           lg_tensor_shape_text(input, b, sizeof b),
                           lg_shape_text(described->layout == LG_LIKE_PREDICTION ? pred->rank : r->rank,
                                         described->layout == LG_LIKE_PREDICTION ? pred->dims : r->dims, c, sizeof c));
        if (described->domain == LG_CLASS_INDEX)
            r->labels = input->index;
    }
    return LG_OK;
}

lg_status lg_check_units(lg_loss_run *r)
{
    lg_status status = find_units(r);
    if (status == LG_OK)
        status = check_shapes(r);
    if (status == LG_OK && r->info->check_call)
        status = r->info->check_call(r->info, r->inputs, r->params, r->options);
    return status;
}

/* ----------------------------------------------------------------- weights */

static lg_status check_weight_values(const lg_loss_run *r, const char *name, const lg_tensor *weight)
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
static lg_status broadcast_weight(lg_loss_run *r, const lg_tensor *weight)
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

lg_status lg_check_weights(lg_loss_run *r)
{
    const lg_loss_options *o = r->options;
    const lg_tensor *pred = r->inputs[0];
    lg_status status = LG_OK;
    if (o->sample_weight) {
        status = check_weight_values(r, "sample_weight", o->sample_weight);
        if (status == LG_OK && lg_same_dims(r->rank, r->dims, o->sample_weight->rank, o->sample_weight->dims))
            r->weight = o->sample_weight->real;
        else if (status == LG_OK)
            status = broadcast_weight(r, o->sample_weight);
    }
    if (status == LG_OK && o->class_weight) {
        if (!(r->info->takes & LG_TAKES_CLASS_WEIGHT))
            return lg_fail(LG_E_PARAM, "%s: the option class_weight does not apply here", r->info->name);
        if (r->info->units != LG_UNIT_BATCH && o->class_weight->size != r->classes)
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

static lg_status bad_label(const lg_loss_run *r, size_t at)
{
    char ignored[64] = "";
    if (r->may_ignore && r->options->ignore_index)
        snprintf(ignored, sizeof ignored, ", %d to ignore a unit", (int)r->ignore);
    return lg_fail(LG_E_INDEX, "%s: target[%zu] is %d, but there are %zu classes (0..%zu%s)", r->info->name, at,
                   (int)r->labels[at], r->classes, r->classes - 1, ignored);
}

/* Checks every label and adds up what the reduction divides by. Always done: a label is an index into memory. */
lg_status lg_find_divisor(lg_loss_run *r)
{
    const bool weighted = r->options->reduction == LG_REDUCE_WEIGHTED_MEAN;
    const lg_real *class_weight =
        r->info->takes & LG_WEIGHTS_IN_DIVISOR && r->options->class_weight ? r->options->class_weight->real : NULL;
    double divisor = 0;
    if (r->labels) {
        for (size_t i = 0; i < r->units; i++) {
            const int32_t label = r->labels[i];
            if (r->may_ignore && label == r->ignore)
                r->has_ignored = true;
            else if (label < 0 || (size_t)label >= r->classes)
                return bad_label(r, i);
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
    r->divisor = r->options->reduction == LG_REDUCE_ELEMENT_MEAN ? (double)r->inputs[0]->size : divisor;
    lg_set_scale(r);
    return LG_OK;
}

void lg_set_scale(lg_loss_run *r)
{
    const bool mean = r->options->reduction != LG_REDUCE_NONE && r->options->reduction != LG_REDUCE_SUM;
    r->scale = !mean ? 1 : r->divisor > 0 ? (lg_real)(1 / r->divisor) : 0;
}

