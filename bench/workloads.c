#include "workloads.h"

#include "blas_time.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const workload *const *const lists[] = { model_workloads, loss_workloads };

const workload *workload_at(size_t index)
{
    for (size_t l = 0; l < sizeof lists / sizeof *lists; l++)
        for (const workload *const *w = lists[l]; *w; w++)
            if (index-- == 0)
                return *w;
    return NULL;
}

const workload *workload_find(const char *name)
{
    const workload *w;
    for (size_t i = 0; (w = workload_at(i)); i++)
        if (strcmp(w->name, name) == 0)
            return w;
    return NULL;
}

bool workload_chosen(const workload *w, const char *choice)
{
    return strcmp(w->name, choice) == 0 || (strlen(choice) == 1 && w->name[0] == choice[0]);
}

/* -------------------------------------------------------------------- data */

/* FNV-1a. */
static uint32_t hash_of(const char *name)
{
    uint32_t hash = 2166136261u;
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    return hash;
}

/* Value k of array `array`: SplitMix64's finalizer of a counter; 24 bits, which a float holds. */
static double drawn(uint32_t hash, unsigned array, size_t k)
{
    uint64_t z = (((uint64_t)hash << 32) + ((uint64_t)array << 26) + k) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 40) / 16777216.0;
}

static void draw_into(session *s, lg_tensor *tensor, double low, double high)
{
    const uint32_t hash = hash_of(s->workload->name);
    lg_real *values = lg_tensor_data(tensor);
    for (size_t k = 0; k < lg_tensor_size(tensor); k++)
        values[k] = (lg_real)(low + (high - low) * drawn(hash, s->drawn, k));
    s->drawn++;
}

lg_tensor *draw(session *s, size_t rank, const size_t *dims, double low, double high)
{
    lg_tensor *tensor = lg_tensor_zeros(rank, dims);
    draw_into(s, tensor, low, high);
    return tensor;
}

lg_tensor *draw_indices(session *s, size_t rank, const size_t *dims, size_t below)
{
    const uint32_t hash = hash_of(s->workload->name);
    size_t size = 1;
    for (size_t i = 0; i < rank; i++)
        size *= dims[i];
    int32_t *indices = malloc(size * sizeof *indices);
    for (size_t k = 0; indices && k < size; k++)
        indices[k] = (int32_t)(drawn(hash, s->drawn, k) * (double)below);
    s->drawn++;
    lg_tensor *tensor = indices ? lg_tensor_from_indices(rank, dims, indices) : NULL;
    free(indices);
    return tensor;
}

bool draw_dense(session *s, size_t index, size_t in, size_t out, lg_activation activation)
{
    const lg_dense_options options = { .activation = activation, .init = LG_INIT_ZEROS };
    lg_dense *dense = s->layers[index] = lg_dense_new_with(s->params, NULL, in, out, &options, NULL);
    const double bound = 1 / sqrt((double)in);
    draw_into(s, lg_dense_weight(dense), -bound, bound);
    draw_into(s, lg_dense_bias(dense), -bound, bound);
    return dense != NULL;
}

/* ------------------------------------------------------------------- steps */

session *session_new(const workload *w)
{
    session *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->workload = w;
    s->tape = lg_tape_new();
    s->params = lg_params_new();
    if (s->tape && s->params && w->make(s))
        return s;
    session_free(s);
    return NULL;
}

void session_free(session *s)
{
    if (!s)
        return;
    lg_optimizer_free(s->optimizer);
    lg_tape_free(s->tape);
    lg_params_free(s->params);
    lg_dataset_free(s->dataset);
    for (size_t i = 0; i < SESSION_TENSORS; i++)
        lg_tensor_free(s->tensors[i]);
    free(s);
}

/* A loss by itself has predictions that a layer left on the tape, and hands their gradient on where it lies. To put them
 * there is a copy that no network makes, so its time is taken off. */
static void place_leaves(session *s)
{
    if (s->leaf_count == 0)
        return;
    const double wall = wall_seconds(), processor = processor_seconds();
    for (size_t i = 0; i < s->leaf_count; i++)
        s->leaves[i] = lg_variable(s->tape, lg_tensor_rank(s->tensors[i]), lg_tensor_dims(s->tensors[i]),
                                   lg_tensor_data(s->tensors[i]));
    s->placing_processor += processor_seconds() - processor;
    s->placing += wall_seconds() - wall;
}

static bool step(session *s)
{
    lg_tape_reset(s->tape);
    place_leaves(s);
    s->loss = s->workload->record(s);
    if (!s->loss || lg_backward(s->tape, s->loss) != LG_OK)
        return false;
    if (s->optimizer) {
        if (lg_optimizer_step(s->optimizer) != LG_OK)
            return false;
        lg_optimizer_zero_grad(s->optimizer);
    }
    s->position++;
    return true;
}

bool session_run(session *s, size_t steps)
{
    if (s->workload->run)
        return s->workload->run(s, steps);
    for (size_t i = 0; i < steps; i++)
        if (!step(s))
            return false;
    s->value = steps > 0 ? lg_tensor_item(s->loss) : s->value;
    return true;
}

bool session_time_steps(session *s, size_t steps, session_time *time)
{
    const double wall = wall_seconds() - s->placing, processor = processor_seconds() - s->placing_processor;
    const bool fine = session_run(s, steps);
    time->processor = processor_seconds() - s->placing_processor - processor;
    time->wall = wall_seconds() - s->placing - wall;
    return fine;
}

double session_gradient(const session *s)
{
    double sum = 0;
    for (size_t i = 0; i < s->leaf_count; i++) {
        const lg_real *gradient = lg_tensor_grad(s->leaves[i]);
        for (size_t k = 0; gradient && k < lg_tensor_size(s->leaves[i]); k++)
            sum += (double)gradient[k] * (double)gradient[k];
    }
    return sqrt(sum);
}
