/* Layers (layers.h). */
#include "models/layers.h"

#include "autograd/params_internal.h"
#include "tensor/memory_internal.h"
#include "tensor/suggest_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------ activations */

static const char *const activation_names[] = {
    [LG_LINEAR] = "linear",         [LG_RELU] = "relu", [LG_TANH] = "tanh", [LG_SIGMOID] = "sigmoid",
    [LG_LEAKY_RELU] = "leaky_relu", [LG_ELU] = "elu",   [LG_SILU] = "silu", [LG_SOFTPLUS] = "softplus",
    [LG_GELU] = "gelu",             [LG_SOFTMAX] = "softmax",               [LG_LOG_SOFTMAX] = "log_softmax",
};

#define ACTIVATIONS (sizeof activation_names / sizeof *activation_names)

const char *lg_activation_name(lg_activation activation)
{
    return (size_t)activation < ACTIVATIONS ? activation_names[activation] : NULL;
}

lg_status lg_activation_by_name(const char *name, lg_activation *activation)
{
    if (!name || !activation)
        return lg_fail_null("lg_activation_by_name: an argument is NULL");
    lg_nearest nearest = lg_nearest_to(name);
    for (size_t i = 0; i < ACTIVATIONS; i++) {
        if (strcmp(activation_names[i], name) == 0) {
            *activation = (lg_activation)i;
            return LG_OK;
        }
        lg_nearest_try(&nearest, activation_names[i]);
    }
    return lg_fail(LG_E_PARAM, "lg_activation_by_name: there is no activation \"%s\"%s", name,
                   lg_nearest_text(&nearest));
}

/* ------------------------------------------------------------------ dense */

#define NAME_BYTES 120 /* with ".weight" behind it, a parameter's name */

struct lg_dense {
    lg_tensor *weight, *bias;
    lg_activation activation;
    char name[NAME_BYTES];
};

static bool name_is_taken(const lg_params *params, const char *name)
{
    const size_t length = strlen(name);
    for (size_t i = 0; i < lg_params_count(params); i++) {
        const char *other = lg_params_name(params, i);
        if (strncmp(other, name, length) == 0 && other[length] == '.')
            return true;
    }
    return false;
}

static lg_status set_name(lg_dense *dense, const lg_params *params, const char *name)
{
    if (!name) {
        size_t number = 1;
        do
            snprintf(dense->name, sizeof dense->name, "dense_%zu", number++);
        while (name_is_taken(params, dense->name));
        return LG_OK;
    }
    if (!*name || strlen(name) >= sizeof dense->name)
        return lg_fail(LG_E_PARAM, "lg_dense_new: a layer's name has 1 to %d bytes", NAME_BYTES - 1);
    snprintf(dense->name, sizeof dense->name, "%s", name);
    return LG_OK;
}

static lg_tensor *add_parameter(lg_params *params, const char *layer, const char *part, size_t rank, const size_t *dims)
{
    char name[NAME_BYTES + 8];
    snprintf(name, sizeof name, "%s.%s", layer, part);
    return lg_params_add(params, name, rank, dims);
}

/* Glorot & Bengio 2010, He et al. 2015: the variance of a uniform in +-b is b^2 / 3. */
static void initialise(const lg_dense *dense, lg_init init, size_t in, size_t out, lg_rng *rng)
{
    lg_real *weight = lg_tensor_data(dense->weight);
    const size_t n = in * out;
    const double both = (double)in + (double)out, fan_in = (double)in;
    double bound = 1 / sqrt(fan_in);
    switch (init) {
    case LG_INIT_DEFAULT:
        lg_rng_fill_uniform(rng, n, weight, -bound, bound);
        if (dense->bias)
            lg_rng_fill_uniform(rng, out, lg_tensor_data(dense->bias), -bound, bound);
        break;
    case LG_INIT_GLOROT_UNIFORM:
        bound = sqrt(6 / both);
        lg_rng_fill_uniform(rng, n, weight, -bound, bound);
        break;
    case LG_INIT_GLOROT_NORMAL:
        lg_rng_fill_normal(rng, n, weight, 0, sqrt(2 / both));
        break;
    case LG_INIT_HE_UNIFORM:
        bound = sqrt(6 / fan_in);
        lg_rng_fill_uniform(rng, n, weight, -bound, bound);
        break;
    case LG_INIT_HE_NORMAL:
        lg_rng_fill_normal(rng, n, weight, 0, sqrt(2 / fan_in));
        break;
    case LG_INIT_ZEROS: /* as lg_params_add leaves them */
        break;
    }
}

static bool arguments_fit(const lg_params *params, size_t in, size_t out, const lg_dense_options *options,
                          const lg_rng *rng)
{
    if (!params || (!rng && options->init != LG_INIT_ZEROS))
        lg_fail_null("lg_dense_new: %s is NULL", params ? "rng" : "params");
    else if (in == 0 || out == 0)
        lg_fail(LG_E_PARAM, "lg_dense_new: the widths are %zu and %zu, but must be at least 1", in, out);
    else if ((size_t)options->init > LG_INIT_ZEROS)
        lg_fail(LG_E_PARAM, "lg_dense_new: there is no init %d", (int)options->init);
    else if (!lg_activation_name(options->activation))
        lg_fail(LG_E_PARAM, "lg_dense_new: there is no activation %d", (int)options->activation);
    else
        return true;
    return false;
}

lg_dense *lg_dense_new_with(lg_params *params, const char *name, size_t in, size_t out,
                            const lg_dense_options *options, lg_rng *rng)
{
    const lg_dense_options standard = { 0 };
    if (!options)
        options = &standard;
    if (!arguments_fit(params, in, out, options, rng))
        return NULL;
    const size_t count = lg_params_count(params);
    lg_dense *dense = lg_calloc(1, sizeof *dense, "lg_dense_new");
    if (!dense)
        return NULL;
    dense->activation = options->activation;
    if (set_name(dense, params, name) == LG_OK)
        dense->weight = add_parameter(params, dense->name, "weight", LG_SHAPE(out, in));
    if (dense->weight && !options->no_bias)
        dense->bias = add_parameter(params, dense->name, "bias", LG_SHAPE(out));
    if (!dense->weight || (!dense->bias && !options->no_bias)) {
        lg_params_shrink(params, count);
        free(dense);
        return NULL;
    }
    initialise(dense, options->init, in, out, rng);
    if (lg_params_own(params, dense, free) != LG_OK) {
        lg_params_shrink(params, count);
        return NULL;
    }
    return dense;
}

lg_dense *lg_dense_new(lg_params *params, const char *name, size_t in, size_t out, lg_rng *rng)
{
    return lg_dense_new_with(params, name, in, out, NULL, rng);
}

lg_tensor *lg_dense_apply(lg_tape *tape, const lg_dense *dense, lg_tensor *x)
{
    if (!dense) {
        lg_fail_null("lg_dense_apply: the layer is NULL");
        return NULL;
    }
    return lg_linear(tape, x, dense->weight, dense->bias, dense->activation);
}

lg_tensor *lg_dense_weight(const lg_dense *dense)
{
    return dense ? dense->weight : NULL;
}

lg_tensor *lg_dense_bias(const lg_dense *dense)
{
    return dense ? dense->bias : NULL;
}

const char *lg_dense_name(const lg_dense *dense)
{
    return dense ? dense->name : NULL;
}

/* ----------------------------------------------------- layers of any kind */

static lg_tensor *apply_dense(lg_tape *tape, const lg_layer *layer, lg_tensor *x)
{
    return lg_dense_apply(tape, layer->object, x);
}

/* The last axis goes from `in` to `out`. */
static lg_status shape_of_dense(const lg_layer *layer, size_t *rank, size_t dims[LG_MAX_RANK])
{
    const size_t in = lg_tensor_dim(layer->parameter[0], 1);
    if (*rank == 0 || dims[*rank - 1] != in)
        return lg_fail(LG_E_SHAPE, "layer %s takes %zu values, but the layer before gives %zu", layer->name, in,
                       *rank ? dims[*rank - 1] : 1);
    dims[*rank - 1] = lg_tensor_dim(layer->parameter[0], 0);
    return LG_OK;
}

lg_layer lg_layer_dense(lg_dense *dense)
{
    if (!dense) {
        lg_fail_null("lg_layer_dense: the layer is NULL");
        return (lg_layer){ .type = "dense" };
    }
    return (lg_layer){ .type = "dense",
                       .name = dense->name,
                       .apply = apply_dense,
                       .shape = shape_of_dense,
                       .object = dense,
                       .activation = dense->activation,
                       .parameter = { dense->weight, dense->bias } };
}

static lg_tensor *apply_activation(lg_tape *tape, const lg_layer *layer, lg_tensor *x)
{
    return lg_activate(tape, x, layer->activation);
}

lg_layer lg_layer_activation(lg_activation activation)
{
    const char *name = lg_activation_name(activation);
    if (!name) {
        lg_fail(LG_E_PARAM, "lg_layer_activation: there is no activation %d", (int)activation);
        return (lg_layer){ .type = "activation" };
    }
    return (lg_layer){ .type = name, .apply = apply_activation, .activation = activation };
}

static lg_tensor *apply_leaky_relu(lg_tape *tape, const lg_layer *layer, lg_tensor *x)
{
    return lg_leaky_relu(tape, x, layer->value);
}

static lg_tensor *apply_elu(lg_tape *tape, const lg_layer *layer, lg_tensor *x)
{
    return lg_elu(tape, x, layer->value);
}

static lg_tensor *apply_dropout(lg_tape *tape, const lg_layer *layer, lg_tensor *x)
{
    return lg_dropout(tape, x, layer->value);
}

/* A layer of one number; without `apply`, and with the reason in lg_error, when the number does not `fit`. */
static lg_layer layer_with(const char *type, lg_tensor *(*apply)(lg_tape *, const lg_layer *, lg_tensor *),
                           const char *what, double value, bool fits, const char *range)
{
    if (!fits)
        lg_fail(LG_E_PARAM, "lg_layer_%s: the %s is %g, but must be %s", type, what, value, range);
    return (lg_layer){ .type = type, .apply = fits ? apply : NULL, .value = value };
}

lg_layer lg_layer_leaky_relu(double slope)
{
    return layer_with("leaky_relu", apply_leaky_relu, "slope", slope, isfinite(slope), "finite");
}

lg_layer lg_layer_elu(double alpha)
{
    return layer_with("elu", apply_elu, "alpha", alpha, isfinite(alpha), "finite");
}

lg_layer lg_layer_dropout(double rate)
{
    return layer_with("dropout", apply_dropout, "rate", rate, rate >= 0 && rate <= 1, "from 0 to 1");
}

static lg_tensor *apply_flatten(lg_tape *tape, const lg_layer *layer, lg_tensor *x)
{
    (void)layer;
    if (x && lg_tensor_rank(x) == 0) {
        lg_fail(LG_E_SHAPE, "flatten: a scalar has no batch axis");
        return NULL;
    }
    size_t width = 1;
    for (size_t i = 1; i < lg_tensor_rank(x); i++)
        width *= lg_tensor_dim(x, i);
    return lg_reshape(tape, x, LG_SHAPE(lg_tensor_dim(x, 0), width));
}

static lg_status shape_of_flat(const lg_layer *layer, size_t *rank, size_t dims[LG_MAX_RANK])
{
    (void)layer;
    size_t width = 1;
    for (size_t i = 0; i < *rank; i++)
        width *= dims[i];
    *rank = 1;
    dims[0] = width;
    return LG_OK;
}

lg_layer lg_layer_flatten(void)
{
    return (lg_layer){ .type = "flatten", .apply = apply_flatten, .shape = shape_of_flat };
}

lg_tensor *lg_layer_apply(lg_tape *tape, const lg_layer *layer, lg_tensor *x)
{
    if (layer && layer->apply)
        return layer->apply(tape, layer, x);
    lg_fail_null("lg_layer_apply: the layer %s", layer ? "has no apply" : "is NULL");
    return NULL;
}
