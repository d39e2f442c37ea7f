/* Random calls of any loss of the table (loss_trial.h). */
#include "loss_trial.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------- builders of batch losses
 * A family's tests define `const loss_builder FAMILY_loss_builders[]`, ended by a row of zeros, and add it here. */
static const loss_builder *const builders[] = {
    box_loss_builders,
    generative_loss_builders,
    margin_loss_builders,
    metric_loss_builders,
    probabilistic_loss_builders,
    regression_loss_builders,
    segmentation_loss_builders,
    sequence_loss_builders,
    NULL
};

static const loss_builder *builder_of(const char *loss)
{
    for (size_t family = 0; builders[family]; family++)
        for (const loss_builder *b = builders[family]; b->loss; b++)
            if (strcmp(b->loss, loss) == 0)
                return b;
    return NULL;
}

/* ----------------------------------------------------------------- shapes */

static const struct shape {
    size_t rank, dims[LG_MAX_RANK], class_axis; /* 0: the last */
} element_shapes[] = { { 1, { 9 }, 0 }, { 2, { 4, 3 }, 0 }, { 3, { 2, 3, 2 }, 0 }, { 0, { 0 }, 0 } },
  row_shapes[] = { { 2, { 6, 4 }, 0 }, { 1, { 5 }, 0 }, { 3, { 2, 3, 5 }, 0 }, { 3, { 2, 4, 3 }, 1 }, { 4, { 2, 3, 2, 2 }, 1 } },
  sample_shapes[] = { { 2, { 5, 7 }, 0 }, { 3, { 3, 2, 4 }, 0 }, { 2, { 4, 1 }, 0 } };

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define PARAM_VARIANTS 6

static const struct shape *shape_of(const lg_loss_info *info, size_t i)
{
    switch (info->units) {
    case LG_UNIT_ELEMENT:
        return &element_shapes[i % COUNT(element_shapes)];
    case LG_UNIT_ROW:
        return &row_shapes[i % COUNT(row_shapes)];
    default:
        return &sample_shapes[i % COUNT(sample_shapes)];
    }
}

size_t loss_variants(const lg_loss_info *info)
{
    const loss_builder *builder = builder_of(info->name);
    const size_t shapes = builder ? builder->variants : info->units == LG_UNIT_BATCH ? 0 : 5;
    return shapes * PARAM_VARIANTS;
}

/* ------------------------------------------------------------- parameters */

static void random_params(loss_trial *trial, size_t variant, lg_rng *rng)
{
    const lg_loss_info *info = trial->spec.info;
    for (size_t i = 0; variant > 0 && i < lg_loss_param_count(info); i++) {
        const lg_loss_param *p = &info->params[i];
        const double span = isfinite(p->high) && p->high != 0 ? p->high - p->low : 2, u = lg_rng_uniform(rng);
        if (strcmp(p->name, "eps") == 0)
            continue; /* a clip far inside is tried by the tests of each loss */
        if (p->choices) {
            size_t n = 1;
            for (const char *c = p->choices; *c; c++)
                n += *c == '|';
            trial->spec.params[i] = (double)((variant + i) % n);
        } else if (p->low != 0 || p->high != 0) {
            trial->spec.params[i] = p->low + span * (0.05 + 0.9 * u);
        }
    }
}

static double param(const loss_trial *trial, const char *name, double otherwise)
{
    const double value = lg_loss_get(&trial->spec, name);
    return isnan(value) ? otherwise : value;
}

/* ----------------------------------------------------------------- inputs */

/* Inside the domain by more than a finite difference where the input is differentiable. */
static double random_value(lg_loss_domain domain, bool differentiable, bool from_logits, lg_rng *rng)
{
    const double u = lg_rng_uniform(rng);
    switch (domain) {
    case LG_LOGIT_OR_PROBABILITY:
    case LG_LOGIT_OR_CLASS_PROBABILITIES:
        return from_logits ? 2 * lg_rng_normal(rng) : 0.05 + 0.9 * u;
    case LG_PROBABILITY:
    case LG_UNIT_INTERVAL:
        return differentiable ? 0.05 + 0.9 * u : u < 0.3 ? 0 : u > 0.7 ? 1 : u;
    case LG_NON_NEGATIVE:
        return 0.1 + 2 * u;
    case LG_PLUS_MINUS_ONE:
        return u < 0.5 ? -1 : 1;
    case LG_ZERO_OR_ONE:
        return u < 0.5 ? 0 : 1;
    case LG_ANY_REAL:
    case LG_BINARY_LABEL:
    case LG_CLASS_INDEX:
    case LG_ANY_INDEX:
        break;
    }
    return 1.5 * lg_rng_normal(rng);
}

lg_tensor *random_input(size_t rank, const size_t *dims, const lg_loss_input *input, const loss_trial *trial,
                        size_t classes, lg_rng *rng)
{
    size_t size = 1;
    for (size_t i = 0; i < rank; i++)
        size *= dims[i];
    const lg_loss_info *info = trial->spec.info;
    const lg_loss_domain domain =
        info->domain_of ? info->domain_of((size_t)(input - info->inputs), trial->spec.params) : input->domain;
    if (domain == LG_CLASS_INDEX || domain == LG_ANY_INDEX) {
        const bool any = domain == LG_ANY_INDEX; /* -1 too, which ends a list of labels */
        int32_t *labels = malloc((size + 1) * sizeof *labels);
        for (size_t i = 0; i < size; i++)
            labels[i] = (int32_t)lg_rng_below(rng, classes + any) - any;
        lg_tensor *tensor = lg_tensor_from_indices(rank, dims, labels);
        free(labels);
        return tensor;
    }
    lg_tensor *tensor = lg_tensor_zeros(rank, dims);
    const double negative = param(trial, "labels", 0) == LG_LABELS_01 ? 0 : -1;
    for (size_t i = 0; i < size; i++)
        lg_tensor_data(tensor)[i] =
            domain == LG_BINARY_LABEL
                ? (lg_real)(lg_rng_uniform(rng) < 0.5 ? negative : 1)
                : (lg_real)(float)random_value(domain, input->differentiable, param(trial, "from_logits", 0) != 0, rng);
    lg_tensor_require_grad(tensor, input->differentiable);
    return tensor;
}

static void generic_inputs(loss_trial *trial, const struct shape *shape, lg_rng *rng)
{
    const lg_loss_info *info = trial->spec.info;
    const size_t axis = shape->class_axis ? shape->class_axis : shape->rank - 1;
    const size_t classes = info->units == LG_UNIT_ROW ? shape->dims[axis] : 1;
    trial->options.class_axis = shape->class_axis;
    trial->units_are_rows = shape->class_axis == 0 && shape->rank > 0;
    trial->units = 1;
    for (size_t i = 0; i < shape->rank; i++)
        if (info->units == LG_UNIT_ELEMENT || (info->units == LG_UNIT_ROW ? i != axis : i == 0))
            trial->units *= trial->unit_dims[trial->unit_rank++] = shape->dims[i];
    trial->count = lg_loss_input_count(info);
    for (size_t i = 0; i < trial->count; i++) {
        const lg_loss_input *input = &info->inputs[i];
        size_t dims[LG_MAX_RANK + 1] = { 0 }, rank = trial->unit_rank;
        memcpy(dims, trial->unit_dims, sizeof trial->unit_dims);
        if (i == 0 || input->layout == LG_LIKE_PREDICTION) {
            rank = shape->rank;
            memcpy(dims, shape->dims, sizeof shape->dims);
        } else if (input->layout == LG_OWN_WIDTH) {
            dims[rank++] = 3;
        } else if (input->layout == LG_WHOLE) { /* one value per column of the prediction */
            rank = 1;
            dims[0] = 1;
            for (size_t k = 1; k < shape->rank; k++)
                dims[0] *= shape->dims[k];
        }
        trial->inputs[i] = random_input(rank, dims, input, trial, classes, rng);
    }
}

/* Both precisions draw the same numbers, which a float holds. */
static lg_tensor *draw(size_t rank, const size_t *dims, double offset, double spread, double (*next)(lg_rng *), lg_rng *rng)
{
    lg_tensor *tensor = lg_tensor_zeros(rank, dims);
    for (size_t i = 0; i < lg_tensor_size(tensor); i++)
        lg_tensor_data(tensor)[i] = (lg_real)(float)(offset + spread * next(rng));
    return tensor;
}

lg_tensor *trial_uniform(size_t rank, const size_t *dims, double low, double high, lg_rng *rng)
{
    return draw(rank, dims, low, high - low, lg_rng_uniform, rng);
}

lg_tensor *trial_normal(size_t rank, const size_t *dims, double mean, double deviation, lg_rng *rng)
{
    return draw(rank, dims, mean, deviation, lg_rng_normal, rng);
}

static lg_tensor *random_weights(size_t rank, const size_t *dims, bool with_zero, lg_rng *rng)
{
    lg_tensor *weight = trial_uniform(rank, dims, 0.2, 2, rng);
    if (with_zero && lg_tensor_size(weight) > 1)
        lg_tensor_data(weight)[1] = 0;
    return weight;
}

static void random_weighting(loss_trial *trial, size_t variant, lg_rng *rng)
{
    const lg_loss_info *info = trial->spec.info;
    const size_t axis = trial->options.class_axis, last = lg_tensor_rank(trial->inputs[0]) - 1;
    if (variant % 2 == 1 && trial->unit_rank > 0)
        trial->options.sample_weight = trial->sample_weight =
            random_weights(trial->unit_rank, trial->unit_dims, true, rng);
    if (variant % 3 == 2 && info->takes & LG_TAKES_CLASS_WEIGHT)
        trial->options.class_weight = trial->class_weight =
            random_weights(LG_SHAPE(lg_tensor_dim(trial->inputs[0], axis ? axis : last)), false, rng);
    if (variant % 3 == 2 && info->takes & LG_TAKES_POS_WEIGHT && lg_tensor_rank(trial->inputs[0]) > 0)
        trial->options.pos_weight = trial->pos_weight =
            random_weights(LG_SHAPE(lg_tensor_dim(trial->inputs[0], last)), false, rng);
    if (variant % 4 == 3 && info->takes & LG_TAKES_IGNORE_INDEX) {
        trial->ignore_index = 1;
        trial->options.ignore_index = &trial->ignore_index;
    }
}

bool loss_trial_make(loss_trial *trial, const lg_loss_info *info, size_t variant, lg_rng *rng)
{
    *trial = (loss_trial){ .spec = { .info = info } };
    for (size_t i = 0; i < lg_loss_param_count(info); i++)
        trial->spec.params[i] = info->params[i].initial;
    random_params(trial, variant, rng);
    const loss_builder *builder = builder_of(info->name);
    if (builder)
        builder->build(trial, variant, rng);
    else
        generic_inputs(trial, shape_of(info, variant), rng);
    random_weighting(trial, variant, rng);
    lg_tape *tape = lg_tape_new();
    const bool possible = loss_trial_apply(tape, trial) != NULL;
    lg_tape_free(tape);
    return possible;
}

void loss_trial_free(loss_trial *trial)
{
    for (size_t i = 0; i < trial->count; i++)
        lg_tensor_free(trial->inputs[i]);
    lg_tensor_free(trial->sample_weight);
    lg_tensor_free(trial->class_weight);
    lg_tensor_free(trial->pos_weight);
}

lg_tensor *loss_trial_apply(lg_tape *tape, const loss_trial *trial)
{
    return lg_loss_apply(tape, &trial->spec, trial->inputs, &trial->options);
}
