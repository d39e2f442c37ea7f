/* Recording, backward, and the nodes as ops see them (tape.h). */
#include "autograd/tape_internal.h"

#include "tensor/memory_internal.h"
#include "tensor/profile_internal.h"
#include "tensor/subnormal_internal.h"
#include "tensor/threads_internal.h"

#include <stdlib.h>
#include <string.h>

/* --------------------------------------------------------------- lifetime */

lg_tape *lg_tape_new(void)
{
    lg_tape *tape = lg_calloc(1, sizeof *tape, "lg_tape_new");
    if (!tape)
        return NULL;
    tape->values.alignment = 64;
    for (int i = 0; i < 2; i++) {
        tape->headers[i].alignment = 16;
        tape->headers[i].keeps_addresses = true;
    }
    tape->generation = 1;
    tape->training = tape->gradients = true;
    lg_tape_set_random(tape, 0, 0, 0);
    return tape;
}

void lg_tape_free(lg_tape *tape)
{
    if (!tape)
        return;
    lg_arena_free(&tape->values);
    lg_arena_free(&tape->headers[0]);
    lg_arena_free(&tape->headers[1]);
    free(tape);
}

void lg_tape_reset(lg_tape *tape)
{
    if (!tape)
        return;
    tape->generation++;
    lg_arena_reset(&tape->values);
    lg_arena_reset(&tape->headers[tape->generation % 2]);
    tape->first = tape->last = NULL;
    tape->length = tape->grad_bytes = tape->scratch_bytes = 0;
    tape->backward_done = false;
    tape->random_uses = 0;
}

void lg_tape_set_training(lg_tape *tape, bool training)
{
    if (tape)
        tape->training = training;
}

bool lg_tape_is_training(const lg_tape *tape)
{
    return tape && tape->training;
}

void lg_tape_set_gradients(lg_tape *tape, bool wanted)
{
    if (tape)
        tape->gradients = wanted;
}

void lg_tape_set_random(lg_tape *tape, uint64_t seed, uint64_t epoch, uint64_t step)
{
    if (!tape)
        return;
    lg_rng root = lg_rng_seed(seed), of_epoch = lg_rng_split(&root, epoch);
    tape->random = lg_rng_split(&of_epoch, step);
    tape->random_uses = 0;
}

lg_rng lg_tape_next_rng(lg_tape *tape)
{
    return tape ? lg_rng_split(&tape->random, tape->random_uses++) : lg_rng_seed(0);
}

size_t lg_tape_length(const lg_tape *tape)
{
    return tape ? tape->length : 0;
}

size_t lg_tape_bytes(const lg_tape *tape)
{
    return tape ? lg_arena_capacity(&tape->values) + lg_arena_capacity(&tape->headers[0]) +
                      lg_arena_capacity(&tape->headers[1])
                : 0;
}

/* ----------------------------------------------------------------- leaves */

lg_tensor *lg_tape_header(lg_tape *tape, lg_dtype dtype, size_t rank, const size_t *dims, size_t size)
{
    lg_tensor *tensor = lg_arena_alloc(&tape->headers[tape->generation % 2], sizeof *tensor);
    if (!tensor)
        return NULL;
    /* Field by field, here and in recording: of a struct at once gcc makes a string instruction, which takes longer than
     * all the rest. */
    tensor->dtype = dtype;
    tensor->owner = LG_OWNER_TAPE;
    tensor->requires_grad = tensor->grad_written = false;
    tensor->real = NULL;
    tensor->grad = NULL;
    tensor->name = NULL;
    tensor->generation = tape->generation;
    tensor->tape_generation = &tape->generation;
    tensor->node = NULL;
    lg_tensor_set_shape(tensor, rank, dims, size);
    return tensor;
}

/* A leaf over `values`, copied onto the tape or borrowed. */
static lg_tensor *leaf(lg_tape *tape, const char *what, lg_dtype dtype, size_t rank, const size_t *dims,
                       const void *values, bool copy)
{
    size_t size;
    if (!tape) {
        lg_fail_null("%s: the tape is NULL", what);
        return NULL;
    }
    if (lg_shape_size(what, rank, dims, &size) != LG_OK)
        return NULL;
    if (!values && size > 0) {
        lg_fail_null("%s: the values are NULL", what);
        return NULL;
    }
    lg_tensor *tensor = lg_tape_header(tape, dtype, rank, dims, size);
    if (!tensor)
        return NULL;
    /* A view is never written through: operations only read their operands. */
    memcpy(&tensor->real, &values, sizeof values);
    if (copy) {
        const size_t bytes = size * (dtype == LG_REAL ? sizeof(lg_real) : sizeof(int32_t));
        tensor->real = lg_arena_alloc(&tape->values, bytes);
        if (!tensor->real)
            return NULL;
        if (bytes)
            memcpy(tensor->real, values, bytes);
    }
    return tensor;
}

lg_tensor *lg_constant(lg_tape *tape, size_t rank, const size_t *dims, const lg_real *values)
{
    return leaf(tape, "lg_constant", LG_REAL, rank, dims, values, true);
}

lg_tensor *lg_constant_indices(lg_tape *tape, size_t rank, const size_t *dims, const int32_t *indices)
{
    return leaf(tape, "lg_constant_indices", LG_INT32, rank, dims, indices, true);
}

lg_tensor *lg_view(lg_tape *tape, size_t rank, const size_t *dims, const lg_real *values)
{
    return leaf(tape, "lg_view", LG_REAL, rank, dims, values, false);
}

lg_tensor *lg_view_indices(lg_tape *tape, size_t rank, const size_t *dims, const int32_t *indices)
{
    return leaf(tape, "lg_view_indices", LG_INT32, rank, dims, indices, false);
}

/* Counts what backward will carve for the gradient of a tape tensor. */
static void expect_gradient(lg_tape *tape, lg_tensor *tensor)
{
    tensor->requires_grad = true;
    tape->grad_bytes += lg_arena_round(&tape->values, tensor->size * sizeof(lg_real));
}

lg_tensor *lg_variable(lg_tape *tape, size_t rank, const size_t *dims, const lg_real *values)
{
    lg_tensor *tensor = leaf(tape, "lg_variable", LG_REAL, rank, dims, values, true);
    if (tensor)
        expect_gradient(tape, tensor);
    return tensor;
}

/* -------------------------------------------------------------- recording */

static double bytes_of(const lg_tensor *tensor)
{
    return (double)tensor->size * (tensor->dtype == LG_REAL ? sizeof(lg_real) : sizeof(int32_t));
}

static void compute(const lg_node *node)
{
    lg_profile_span span;
    lg_profile_begin(&span);
    node->op->forward(node);
    if (!span.measured)
        return;
    double bytes = bytes_of(node->output);
    for (size_t i = 0; i < node->count; i++)
        bytes += bytes_of(node->inputs[i]);
    lg_profile_end(&span, node->name, LG_PHASE_FORWARD, bytes);
}

/* Reads the gradient of the output and the inputs, and writes those inputs' gradients that are wanted. */
static void differentiate(const lg_node *node)
{
    lg_profile_span span;
    lg_profile_begin(&span);
    node->op->backward(node);
    if (!span.measured)
        return;
    double bytes = bytes_of(node->output);
    for (size_t i = 0; i < node->count; i++)
        bytes += bytes_of(node->inputs[i]) * (node->inputs[i]->requires_grad ? 2 : 1);
    lg_profile_end(&span, node->name, LG_PHASE_BACKWARD, bytes);
}

bool lg_operands(const lg_tape *tape, const char *name, size_t count, lg_tensor *const inputs[])
{
    if (!tape) {
        lg_fail_null("%s: the tape is NULL", name);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const lg_tensor *input = inputs[i];
        if (!input) {
            lg_fail_null("%s: argument %zu is NULL", name, i + 1);
            return false;
        }
        if (input->tape_generation && input->tape_generation != &tape->generation) {
            lg_fail(LG_E_STATE, "%s: argument %zu belongs to another tape", name, i + 1);
            return false;
        }
        if (!lg_tensor_alive(input)) {
            lg_fail(LG_E_STATE, "%s: argument %zu was recorded before the last lg_tape_reset and is gone", name, i + 1);
            return false;
        }
    }
    return true;
}

bool lg_real_operands(const lg_tape *tape, const char *name, size_t count, lg_tensor *const inputs[])
{
    if (!lg_operands(tape, name, count, inputs))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (inputs[i]->dtype != LG_REAL) {
            lg_fail(LG_E_DTYPE, "%s: argument %zu holds int32 indices, real numbers are wanted", name, i + 1);
            return false;
        }
    }
    return true;
}

bool lg_wants_grad(const lg_tape *tape, size_t count, lg_tensor *const inputs[])
{
    for (size_t i = 0; tape->gradients && i < count; i++)
        if (inputs[i]->requires_grad)
            return true;
    return false;
}

lg_tensor *lg_record_recipe(lg_tape *tape, const lg_op *op, size_t count, lg_tensor *const inputs[],
                            const lg_recipe *recipe)
{
    size_t size;
    if (lg_shape_size(op->name, recipe->rank, recipe->dims, &size) != LG_OK)
        return NULL;
    lg_node *node = lg_arena_alloc(&tape->values, sizeof *node + count * sizeof *inputs + recipe->attribute_bytes + 16);
    lg_tensor *output = lg_tape_header(tape, LG_REAL, recipe->rank, recipe->dims, size);
    if (!node || !output)
        return NULL;
    output->real = recipe->view ? recipe->view : lg_arena_alloc(&tape->values, size * sizeof(lg_real));
    void *saved = recipe->saved_bytes ? lg_arena_alloc(&tape->values, recipe->saved_bytes) : NULL;
    if (!output->real || (recipe->saved_bytes && !saved))
        return NULL;

    lg_tensor **operands = (lg_tensor **)(node + 1);
    char *attributes = (char *)(operands + count); /* rounded up to 16 bytes, for any attribute struct */
    attributes += -(uintptr_t)attributes & 15;
    node->op = op;
    node->name = recipe->name ? recipe->name : op->name;
    node->tape = tape;
    node->output = output;
    node->inputs = operands;
    node->count = count;
    node->attributes = attributes;
    node->saved = saved;
    node->previous = tape->last;
    node->next = NULL;
    node->number = tape->length;
    node->wants_grad = op->backward && lg_wants_grad(tape, count, inputs);
    for (size_t i = 0; i < count; i++)
        operands[i] = inputs[i];
    if (recipe->attribute_bytes)
        memcpy(attributes, recipe->attributes, recipe->attribute_bytes);
    output->node = node;

    if (op->forward)
        compute(node);
    if (node->wants_grad) {
        expect_gradient(tape, output);
        if (recipe->scratch_bytes > tape->scratch_bytes)
            tape->scratch_bytes = recipe->scratch_bytes;
    }
    if (tape->last)
        tape->last->next = node;
    else
        tape->first = node;
    tape->last = node;
    tape->length++;
    return output;
}

lg_tensor *lg_record(lg_tape *tape, const lg_op *op, size_t count, lg_tensor *const inputs[], size_t rank,
                     const size_t *dims, const void *attributes, size_t attribute_bytes, size_t saved_bytes)
{
    if (!op || !op->name || !op->forward) {
        lg_fail_null("lg_record: an op needs a name and a forward function");
        return NULL;
    }
    if (!lg_operands(tape, op->name, count, inputs))
        return NULL;
    return lg_record_recipe(tape, op, count, inputs,
                            &(lg_recipe){ .rank = rank,
                                          .dims = dims,
                                          .attributes = attributes,
                                          .attribute_bytes = attributes ? attribute_bytes : 0,
                                          .saved_bytes = saved_bytes });
}

/* --------------------------------------------------------------- backward */

static lg_status backward(lg_tape *tape, lg_tensor *root, const lg_real *upstream)
{
    if (tape->backward_done)
        return lg_fail(LG_E_STATE, "lg_backward: backward has run on this record already; lg_tape_reset and record it "
                                   "again");
    if (!root->requires_grad)
        return lg_fail(LG_E_STATE, "lg_backward: nothing that the root depends on requires a gradient");
    /* All that backward will carve is reserved here, before any gradient is touched: no op's backward can fail. */
    if (lg_arena_reserve(&tape->values, tape->grad_bytes + lg_arena_round(&tape->values, tape->scratch_bytes)) != LG_OK)
        return LG_E_MEMORY;
    tape->backward_done = true;
    tape->scratch = lg_arena_alloc(&tape->values, tape->scratch_bytes);
    if (root->node || root->owner == LG_OWNER_TAPE)
        root->grad = lg_arena_alloc(&tape->values, root->size * sizeof *root->grad);
    const lg_float_mode mode = lg_flush_subnormals();
    const bool add = root->grad_written;
    for (size_t i = 0; i < root->size; i++)
        lg_put(root->grad, i, add, upstream ? upstream[i] : 1);
    root->grad_written = true;
    for (const lg_node *node = root->node; node; node = node->previous)
        if (node->wants_grad && node->output->grad_written)
            differentiate(node);
    lg_restore_float_mode(mode);
    return LG_OK;
}

lg_status lg_backward(lg_tape *tape, lg_tensor *root)
{
    if (!lg_real_operands(tape, "lg_backward", 1, &root))
        return lg_error_code();
    if (root->size != 1) {
        char text[LG_SHAPE_TEXT_BYTES];
        return lg_fail(LG_E_SHAPE, "lg_backward: the root has shape %s, not one element; reduce it, or use "
                                   "lg_backward_from with an upstream gradient",
                       lg_tensor_shape_text(root, text, sizeof text));
    }
    return backward(tape, root, NULL);
}

lg_status lg_backward_from(lg_tape *tape, lg_tensor *root, const lg_tensor *upstream)
{
    char a[LG_SHAPE_TEXT_BYTES], b[LG_SHAPE_TEXT_BYTES];
    if (!lg_real_operands(tape, "lg_backward_from", 1, &root))
        return lg_error_code();
    if (!upstream)
        return lg_fail_null("lg_backward_from: the upstream gradient is NULL");
    if (upstream->dtype != LG_REAL || !lg_tensor_alive(upstream) || !lg_same_shape(root, upstream))
        return lg_fail(LG_E_SHAPE, "lg_backward_from: the root has shape %s, the upstream gradient %s; a live real "
                                   "tensor of the root's shape is wanted",
                       lg_tensor_shape_text(root, a, sizeof a), lg_tensor_shape_text(upstream, b, sizeof b));
    return backward(tape, root, upstream->real);
}

lg_real *lg_grad_target(const lg_node *node, size_t i, bool *add)
{
    lg_tensor *input = node->inputs[i];
    if (!input->requires_grad)
        return NULL;
    *add = input->grad_written;
    if (!input->grad_written) {
        if (input->owner == LG_OWNER_TAPE) /* reserved by backward(): cannot fail */
            input->grad = lg_arena_alloc(&node->tape->values, input->size * sizeof *input->grad);
        input->grad_written = true;
    }
    return input->grad;
}

typedef struct gift {
    lg_real *restrict gradient;
    const lg_real *restrict values;
    bool add;
} gift;

static void give(size_t begin, size_t end, void *context)
{
    const gift g = *(const gift *)context;
    if (g.add)
        for (size_t k = begin; k < end; k++)
            g.gradient[k] += g.values[k];
    else if (begin < end)
        memcpy(g.gradient + begin, g.values + begin, (end - begin) * sizeof *g.gradient);
}

void lg_grad_give(const lg_node *node, size_t i, lg_real *values)
{
    lg_tensor *input = node->inputs[i];
    if (!input->requires_grad)
        return;
    if (input->owner == LG_OWNER_TAPE && !input->grad_written) {
        input->grad = values;
        input->grad_written = true;
        return;
    }
    gift g = { .values = values };
    g.gradient = lg_grad_target(node, i, &g.add);
    lg_parallel_ranges(input->size, LG_LEAST_ELEMENTS, give, &g);
}

/* ----------------------------------------------- nodes, for ops of others */

size_t lg_node_input_count(const lg_node *node)
{
    return node->count;
}

lg_tensor *lg_node_input(const lg_node *node, size_t i)
{
    return i < node->count ? node->inputs[i] : NULL;
}

lg_tensor *lg_node_output(const lg_node *node)
{
    return node->output;
}

const void *lg_node_attributes(const lg_node *node)
{
    return node->attributes;
}

void *lg_node_saved(const lg_node *node)
{
    return node->saved;
}

const lg_real *lg_node_output_grad(const lg_node *node)
{
    return node->output->grad;
}

lg_real *lg_node_input_grad(const lg_node *node, size_t i)
{
    bool add;
    lg_real *gradient = i < node->count ? lg_grad_target(node, i, &add) : NULL;
    if (gradient && !add)
        memset(gradient, 0, node->inputs[i]->size * sizeof *gradient);
    return gradient;
}
