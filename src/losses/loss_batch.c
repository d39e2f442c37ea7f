/* Running a loss that sees its whole batch (loss.h, "whole batches"). */
#include "losses/loss_run_internal.h"

#include <string.h>

typedef struct batch_result {
    lg_loss_sums sums;
    lg_loss_batch batch;
    double params[LG_LOSS_MAX_PARAMS];
    lg_loss_options options; /* copies: the caller's may be gone when backward runs */
    lg_tensor *inputs[LG_LOSS_MAX_INPUTS];
    size_t row_input[LG_LOSS_MAX_INPUTS]; /* of the node's input i */
    const lg_real *weight;
    lg_real *factor;
    lg_real scale;
    bool reduced, left_out; /* left_out: some unit is not counted */
} batch_result;

static void batch_backward(const lg_node *node)
{
    batch_result *result = node->saved;
    lg_loss_batch *batch = &result->batch;
    const lg_real *upstream = node->output->grad;
    const bool alike = result->reduced && !result->weight && !result->left_out;
    const lg_real factor = alike ? upstream[0] * result->scale : 0;
    for (size_t u = 0; alike && u < batch->units; u++)
        result->factor[u] = factor;
    for (size_t u = 0; !alike && u < batch->units; u++) {
        const lg_real weight = result->weight ? result->weight[u] : 1;
        result->factor[u] = batch->counted[u] ? upstream[result->reduced ? 0 : u] * weight * result->scale : 0;
    }
    batch->factor = result->factor;
    batch->info->derivative(batch);
    for (size_t i = 0; i < node->count; i++)
        if (batch->d[result->row_input[i]])
            lg_grad_give(node, i, batch->d[result->row_input[i]]);
}

const lg_op lg_batch_loss_op = { "loss", NULL, batch_backward };

/* The domains of real inputs, over whole tensors. */
static lg_status check_values(const lg_loss_run *r)
{
    for (size_t i = 0; r->checks && i < r->count; i++) {
        const lg_tensor *input = r->inputs[i];
        const lg_value_rule *rule = &r->rules[i];
        if (!input || !*rule->text)
            continue;
        const size_t k = lg_first_broken(rule, input->real, input->size);
        if (k < input->size)
            return lg_fail(LG_E_DOMAIN, "%s: %s[%zu] is %g, but must be %s", r->info->name, r->info->inputs[i].name, k,
                           (double)input->real[k], rule->text);
    }
    return LG_OK;
}

/* Memory on the tape for everything that lives until backward. */
static lg_status prepare(lg_loss_run *r, lg_loss_batch *batch)
{
    bool failed = false;
    const size_t units = batch->units;
    batch->scratch = lg_arena_alloc(&r->tape->values, batch->scratch_bytes);
    batch->counted = lg_arena_alloc(&r->tape->values, units);
    batch->loss = lg_loss_reals(r->tape, true, units, &failed);
    for (size_t i = 0; i < r->count; i++)
        batch->d[i] = lg_loss_reals(r->tape, r->tape->gradients && r->inputs[i] && r->inputs[i]->requires_grad,
                                    r->inputs[i] ? r->inputs[i]->size : 0, &failed);
    if (failed || !batch->scratch || !batch->counted)
        return LG_E_MEMORY;
    memset(batch->counted, true, units);
    return LG_OK;
}

/* Weighs the units in place; returns the sum of those that count, and sets the divisor. */
static double reduce(lg_loss_run *r, lg_loss_batch *batch, bool left_out)
{
    const bool weighted = r->options->reduction == LG_REDUCE_WEIGHTED_MEAN && r->weight;
    const bool alike = !r->weight && !left_out;
    double sum = alike ? lg_loss_sum(batch->loss, batch->units) : 0;
    r->divisor = alike ? (double)batch->units : 0;
    for (size_t u = 0; !alike && u < batch->units; u++) {
        const lg_real weight = r->weight ? r->weight[u] : 1;
        batch->loss[u] = weight == 0 ? 0 : weight * batch->loss[u];
        if (!batch->counted[u])
            continue;
        sum += (double)batch->loss[u];
        r->divisor += weighted ? (double)weight : 1;
    }
    if (r->options->reduction == LG_REDUCE_ELEMENT_MEAN)
        r->divisor = (double)r->inputs[0]->size;
    lg_set_scale(r);
    return sum;
}

static lg_tensor *record(lg_loss_run *r, batch_result *result)
{
    lg_loss_batch *batch = &result->batch;
    lg_tensor *present[LG_LOSS_MAX_INPUTS];
    size_t count = 0;
    for (size_t i = 0; i < r->count; i++) {
        if (r->inputs[i]) {
            result->row_input[count] = i;
            present[count++] = r->inputs[i];
        }
    }
    result->reduced = r->options->reduction != LG_REDUCE_NONE || batch->rank == 0;
    lg_real *value = batch->loss;
    if (result->reduced) {
        value = lg_arena_alloc(&r->tape->values, sizeof *value);
        if (!value)
            return NULL;
        const bool mean = r->options->reduction != LG_REDUCE_SUM && r->options->reduction != LG_REDUCE_NONE;
        value[0] = (lg_real)(!mean ? result->sums.sum : r->divisor > 0 ? result->sums.sum / r->divisor : 0);
    }
    lg_tensor *output = lg_record_recipe(r->tape, &lg_batch_loss_op, count, present,
                                         &(lg_recipe){ .rank = result->reduced ? 0 : batch->rank,
                                                       .dims = batch->dims,
                                                       .name = r->info->name,
                                                       .view = value });
    if (output)
        output->node->saved = result;
    return output;
}

lg_tensor *lg_run_batch(lg_loss_run *r)
{
    if (r->options->class_axis && !(r->info->takes & LG_TAKES_CLASS_AXIS)) {
        lg_fail(LG_E_PARAM, "%s: the option class_axis does not apply here", r->info->name);
        return NULL;
    }
    batch_result *result = lg_arena_alloc(&r->tape->values, sizeof *result);
    if (!result || check_values(r) != LG_OK)
        return NULL;
    result->options = *r->options;
    memcpy(result->params, r->params, r->param_count * sizeof *r->params);
    memcpy(result->inputs, r->inputs, r->count * sizeof *r->inputs);
    lg_loss_batch *batch = &result->batch;
    batch->info = r->info;
    batch->inputs = result->inputs;
    batch->param = result->params;
    batch->options = &result->options;
    batch->rank = batch->scratch_bytes = 0;
    batch->counts = 0;
    if (r->info->plan(batch) != LG_OK || lg_shape_size(r->info->name, batch->rank, batch->dims, &batch->units) != LG_OK)
        return NULL;
    r->rank = batch->rank;
    r->units = batch->units;
    memcpy(r->dims, batch->dims, sizeof r->dims);
    const bool own = r->info->takes & LG_OWN_REDUCTION;
    if (!own && r->rank == 0 && r->options->sample_weight) {
        lg_fail(LG_E_SHAPE, "%s: its value is one number for the whole batch; sample_weight does not apply", r->info->name);
        return NULL;
    }
    if (!own && lg_check_weights(r) != LG_OK)
        return NULL;
    if (prepare(r, batch) != LG_OK)
        return NULL;
    bool failed = false;
    result->factor = lg_loss_reals(r->tape, r->tape->gradients, batch->units, &failed);
    if (failed)
        return NULL;
    r->info->value(batch);
    result->left_out = batch->units > 0 && memchr(batch->counted, false, batch->units * sizeof *batch->counted);
    result->sums.sum = reduce(r, batch, result->left_out);
    result->sums.reduction = r->options->reduction;
    result->sums.divisor = r->options->reduction == LG_REDUCE_SUM ? (double)batch->units : r->divisor;
    result->weight = r->weight;
    result->scale = r->scale;
    lg_tensor *output = record(r, result);
    if (own && batch->counts > 0) {
        result->sums.sum *= batch->counts;
        result->sums.divisor *= batch->counts;
    }
    return output;
}
