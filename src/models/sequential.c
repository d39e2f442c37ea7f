/* Sequential models (sequential.h). */
#include "models/sequential.h"

#include "tensor/memory_internal.h"
#include "tensor/tensor_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct shape {
    size_t rank, dims[LG_MAX_RANK];
} shape;

typedef struct item {
    lg_layer layer;
    shape output; /* of a sample */
    char *name;   /* where the model gave one; layer.name shows it */
} item;

struct lg_sequential {
    lg_params *params;
    shape input;
    item *items;
    size_t count, capacity;
    bool broken; /* a layer could not be added */
};

static void free_sequential(void *object)
{
    lg_sequential *model = object;
    for (size_t i = 0; i < model->count; i++)
        free(model->items[i].name);
    free(model->items);
    free(model);
}

lg_sequential *lg_sequential_new(lg_params *params, size_t rank, const size_t *dims)
{
    size_t size;
    if (!params || (rank > 0 && !dims)) {
        lg_fail_null("lg_sequential_new: %s is NULL", params ? "dims" : "params");
        return NULL;
    }
    if (rank >= LG_MAX_RANK) {
        lg_fail(LG_E_SHAPE, "lg_sequential_new: a sample of rank %zu leaves no room for the batch axis, the highest is "
                            "%d", rank, LG_MAX_RANK - 1);
        return NULL;
    }
    if (lg_shape_size("lg_sequential_new", rank, dims, &size) != LG_OK)
        return NULL;
    lg_sequential *model = lg_calloc(1, sizeof *model, "lg_sequential_new");
    if (!model)
        return NULL;
    model->params = params;
    model->input.rank = rank;
    if (rank)
        memcpy(model->input.dims, dims, rank * sizeof *dims);
    return lg_params_own(params, model, free_sequential) == LG_OK ? model : NULL;
}

/* ----------------------------------------------------------- adding layers */

static shape output_of(const lg_sequential *model)
{
    return model->count ? model->items[model->count - 1].output : model->input;
}

/* "dropout_2" for the second dropout. */
static char *numbered_name(const lg_sequential *model, const char *type)
{
    char name[128];
    size_t number = 1;
    for (size_t i = 0; i < model->count; i++)
        number += strcmp(model->items[i].layer.type, type) == 0;
    snprintf(name, sizeof name, "%.100s_%zu", type, number);
    return lg_strdup(name, "lg_sequential_add");
}

static lg_status add(lg_sequential *model, lg_layer layer)
{
    if (!layer.apply || !layer.type)
        return lg_fail_null("lg_sequential_add: the layer has no %s", layer.apply ? "type" : "apply");
    if (lg_reserve(&model->items, &model->capacity, model->count + 1, sizeof *model->items, "lg_sequential_add") !=
        LG_OK)
        return LG_E_MEMORY;
    item added = { .layer = layer, .output = output_of(model) };
    const lg_status status = layer.shape ? layer.shape(&layer, &added.output.rank, added.output.dims) : LG_OK;
    if (status != LG_OK)
        return status;
    if (added.output.rank >= LG_MAX_RANK)
        return lg_fail(LG_E_SHAPE, "lg_sequential_add: a %s of rank %zu leaves no room for the batch axis", layer.type,
                       added.output.rank);
    if (!layer.name) {
        added.name = numbered_name(model, layer.type);
        if (!added.name)
            return LG_E_MEMORY;
        added.layer.name = added.name;
    }
    model->items[model->count++] = added;
    return LG_OK;
}

lg_status lg_sequential_add(lg_sequential *model, lg_layer layer)
{
    if (!model)
        return lg_fail_null("lg_sequential_add: the model is NULL");
    const lg_status status = add(model, layer);
    model->broken |= status != LG_OK;
    return status;
}

lg_status lg_sequential_dense(lg_sequential *model, size_t units, lg_activation activation, lg_rng *rng)
{
    if (!model)
        return lg_fail_null("lg_sequential_dense: the model is NULL");
    const shape before = output_of(model);
    if (before.rank == 0) {
        model->broken = true;
        return lg_fail(LG_E_SHAPE, "lg_sequential_dense: a sample is a single number; give the model LG_SHAPE(1)");
    }
    /* The dense would stay in the set if there were no room for it here. */
    if (lg_reserve(&model->items, &model->capacity, model->count + 1, sizeof *model->items, "lg_sequential_dense") !=
        LG_OK) {
        model->broken = true;
        return LG_E_MEMORY;
    }
    const lg_dense_options options = { .activation = activation };
    return lg_sequential_add(model, lg_layer_dense(lg_dense_new_with(model->params, NULL, before.dims[before.rank - 1],
                                                                     units, &options, rng)));
}

lg_status lg_sequential_activation(lg_sequential *model, lg_activation activation)
{
    return lg_sequential_add(model, lg_layer_activation(activation));
}

lg_status lg_sequential_dropout(lg_sequential *model, double rate)
{
    return lg_sequential_add(model, lg_layer_dropout(rate));
}

lg_status lg_sequential_flatten(lg_sequential *model)
{
    return lg_sequential_add(model, lg_layer_flatten());
}

/* ------------------------------------------------------------------- apply */

/* "[batch, 28, 28]" */
static const char *batch_shape_text(const shape *sample, char text[LG_SHAPE_TEXT_BYTES])
{
    size_t used = (size_t)snprintf(text, LG_SHAPE_TEXT_BYTES, "[batch");
    for (size_t i = 0; i < sample->rank && used < LG_SHAPE_TEXT_BYTES; i++)
        used += (size_t)snprintf(text + used, LG_SHAPE_TEXT_BYTES - used, ", %zu", sample->dims[i]);
    if (used < LG_SHAPE_TEXT_BYTES)
        snprintf(text + used, LG_SHAPE_TEXT_BYTES - used, "]");
    return text;
}

static bool takes(const shape *sample, const lg_tensor *x)
{
    bool fits = lg_tensor_rank(x) == sample->rank + 1;
    for (size_t i = 0; fits && i < sample->rank; i++)
        fits = lg_tensor_dim(x, i + 1) == sample->dims[i];
    return fits;
}

lg_tensor *lg_sequential_apply(lg_tape *tape, const lg_sequential *model, lg_tensor *x)
{
    if (!tape || !model || !x) {
        lg_fail_null("lg_sequential_apply: %s is NULL", !tape ? "the tape" : !model ? "the model" : "the input");
        return NULL;
    }
    if (model->broken) {
        if (lg_error_code() == LG_OK)
            lg_fail(LG_E_STATE, "lg_sequential_apply: a layer could not be added to the model");
        return NULL;
    }
    if (!takes(&model->input, x)) {
        char given[LG_SHAPE_TEXT_BYTES], wanted[LG_SHAPE_TEXT_BYTES];
        lg_fail(LG_E_SHAPE, "lg_sequential_apply: the input is %s, but the model takes %s",
                lg_tensor_shape_text(x, given, sizeof given), batch_shape_text(&model->input, wanted));
        return NULL;
    }
    for (size_t i = 0; i < model->count; i++)
        x = lg_layer_apply(tape, &model->items[i].layer, x);
    return x;
}

size_t lg_sequential_count(const lg_sequential *model)
{
    return model ? model->count : 0;
}

const lg_layer *lg_sequential_at(const lg_sequential *model, size_t i)
{
    return model && i < model->count ? &model->items[i].layer : NULL;
}

/* ----------------------------------------------------------------- summary */

#define NAME_COLUMN 34
#define SHAPE_COLUMN 25
#define COUNT_COLUMN 13

static void rule(FILE *stream, int c)
{
    for (int i = 0; i < 2 + NAME_COLUMN + SHAPE_COLUMN + COUNT_COLUMN; i++)
        fputc(c, stream);
    fputc('\n', stream);
}

static void row(FILE *stream, const char *name, const char *output, const char *count)
{
    fprintf(stream, " %-*.*s %-*.*s%*s\n", NAME_COLUMN, NAME_COLUMN, name, SHAPE_COLUMN, SHAPE_COLUMN, output,
            COUNT_COLUMN, count);
}

#define GROUPED_BYTES 32

/* 1234567 as "1,234,567". */
static const char *grouped(size_t n, char text[GROUPED_BYTES])
{
    char digits[24];
    const int length = snprintf(digits, sizeof digits, "%zu", n);
    char *end = text;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            *end++ = ',';
        *end++ = digits[i];
    }
    *end = '\0';
    return text;
}

/* Keras's "(9.41 KB)": powers of 1024, two decimals. */
static void total(FILE *stream, const char *what, size_t count)
{
    static const char *const units[] = { "KB", "MB", "GB", "TB" };
    char text[GROUPED_BYTES];
    double bytes = (double)count * sizeof(lg_real);
    fprintf(stream, "%s params: %s (", what, grouped(count, text));
    if (bytes < 1024) {
        fprintf(stream, "%.0f B)\n", bytes);
        return;
    }
    size_t unit = 0;
    for (bytes /= 1024; bytes >= 1024 && unit < 3; bytes /= 1024)
        unit++;
    fprintf(stream, "%.2f %s)\n", bytes, units[unit]);
}

typedef struct tally {
    size_t all, trainable;
} tally;

#define LAYER_PARAMETERS (sizeof((lg_layer *)NULL)->parameter / sizeof(lg_tensor *))

/* Whether one of the first `n` layers has this parameter as well. */
static bool is_shared(const lg_sequential *model, size_t n, const lg_tensor *parameter)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < LAYER_PARAMETERS; k++)
            if (model->items[i].layer.parameter[k] == parameter)
                return true;
    return false;
}

/* The number of parameters in layer n; adds to `sum` those that no layer before it has. */
static size_t count_parameters(const lg_sequential *model, size_t n, tally *sum)
{
    size_t found = 0;
    for (size_t k = 0; k < LAYER_PARAMETERS; k++) {
        const lg_tensor *parameter = model->items[n].layer.parameter[k];
        const size_t size = lg_tensor_size(parameter);
        found += size;
        if (is_shared(model, n, parameter))
            continue;
        sum->all += size;
        sum->trainable += lg_tensor_requires_grad(parameter) ? size : 0;
    }
    return found;
}

/* "dense_1 (dense, relu)"; a name too long for its column is cut, not the type behind it. */
static void print_layer(FILE *stream, const item *i, size_t parameters)
{
    char type[NAME_COLUMN], name[2 * NAME_COLUMN], output[LG_SHAPE_TEXT_BYTES], count[GROUPED_BYTES];
    const lg_layer *layer = &i->layer;
    const char *activation = layer->activation == LG_LINEAR ? NULL : lg_activation_name(layer->activation);
    int used;
    if (activation && strcmp(activation, layer->type) != 0)
        used = snprintf(type, sizeof type, "(%.12s, %.12s)", layer->type, activation);
    else
        used = snprintf(type, sizeof type, "(%.24s)", layer->type);
    snprintf(name, sizeof name, "%.*s %s", NAME_COLUMN - used - 1, layer->name, type);
    row(stream, name, batch_shape_text(&i->output, output), grouped(parameters, count));
}

lg_status lg_sequential_summary(const lg_sequential *model, FILE *stream)
{
    if (!model || !stream)
        return lg_fail_null("lg_sequential_summary: %s is NULL", model ? "the stream" : "the model");
    char text[LG_SHAPE_TEXT_BYTES];
    tally sum = { 0, 0 };
    errno = 0;
    fprintf(stream, "Model: sequential, input %s\n", batch_shape_text(&model->input, text));
    rule(stream, '_');
    row(stream, "Layer (type)", "Output shape", "Param #");
    rule(stream, '=');
    for (size_t i = 0; i < model->count; i++) {
        const size_t parameters = count_parameters(model, i, &sum);
        print_layer(stream, &model->items[i], parameters);
    }
    rule(stream, '=');
    total(stream, "Total", sum.all);
    total(stream, "Trainable", sum.trainable);
    total(stream, "Non-trainable", sum.all - sum.trainable);
    rule(stream, '_');
    if (fflush(stream) != 0 || ferror(stream))
        return lg_fail(LG_E_IO, "lg_sequential_summary: cannot write: %s", strerror(errno));
    return LG_OK;
}
