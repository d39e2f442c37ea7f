/* Layers: parameters with the operation that uses them.
 *
 *     lg_dense *hidden = lg_dense_new(params, "hidden", 64, 32, &rng);
 *     lg_tensor *h = lg_tanh(tape, lg_dense_apply(tape, hidden, x));          x [batch, 64], h [batch, 32]
 *
 * A layer belongs to the parameter set that it was made on and is freed with it. A constructor that fails leaves the
 * set as it was, returns NULL, and lg_error() tells why; applying NULL gives NULL and keeps that message. */
#ifndef LG_LAYERS_H
#define LG_LAYERS_H

#include "autograd/ops.h"
#include "autograd/params.h"

LG_BEGIN_DECLS

/* ------------------------------------------------------------------- dense */

/* How weight [out, in] and bias [out] begin:
 *   default     both uniform in +-1 / sqrt(in), as torch.nn.Linear
 *   glorot, he  the weight as lg_tensor_glorot_uniform and its kin (tensor.h), the bias 0
 *   zeros       both 0; no generator is needed */
typedef enum lg_init {
    LG_INIT_DEFAULT = 0,
    LG_INIT_GLOROT_UNIFORM,
    LG_INIT_GLOROT_NORMAL,
    LG_INIT_HE_UNIFORM,
    LG_INIT_HE_NORMAL,
    LG_INIT_ZEROS
} lg_init;

typedef struct lg_dense_options {
    lg_activation activation; /* of the result; LG_LINEAR, none, by default */
    lg_init init;
    bool no_bias;
} lg_dense_options;

typedef struct lg_dense lg_dense;

/* A dense (fully connected, linear) layer:  y = activation(x weight' + bias).
 *
 * name     its tensors are called "name.weight" and "name.bias"; at most 119 bytes; NULL takes the first of "dense_1",
 *          "dense_2", ... that is free in the set
 * in, out  widths, at least 1
 * options  NULL for the defaults above
 * rng      the initial values are drawn from it: first the weight's, row by row, then the bias's
 * errors   LG_E_PARAM: NULL params or rng, a name that is taken, a width of 0, an unknown init or activation;
 *          LG_E_STATE once an optimizer works on the set; LG_E_SHAPE, LG_E_MEMORY
 * same as  torch.nn.Linear, keras.layers.Dense */
LG_API lg_dense *lg_dense_new(lg_params *params, const char *name, size_t in, size_t out, lg_rng *rng);
LG_API lg_dense *lg_dense_new_with(lg_params *params, const char *name, size_t in, size_t out,
                                   const lg_dense_options *options, lg_rng *rng);

/* x [..., in] to [..., out], one lg_linear. LG_E_SHAPE when x has another width. */
LG_API lg_tensor *lg_dense_apply(lg_tape *tape, const lg_dense *dense, lg_tensor *x);

/* weight [out, in]; bias [out], or NULL when it has none; its name. NULL of NULL. */
LG_API lg_tensor *lg_dense_weight(const lg_dense *dense);
LG_API lg_tensor *lg_dense_bias(const lg_dense *dense);
LG_API const char *lg_dense_name(const lg_dense *dense);

/* --------------------------------------------------------- layers of any kind
 * What a sequential model is made of: plain data, passed by value. A layer of one's own fills the struct:
 *
 *     static lg_tensor *residual(lg_tape *tape, const lg_layer *layer, lg_tensor *x)
 *     {
 *         return lg_add(tape, x, lg_dense_apply(tape, layer->object, x));
 *     }
 *     lg_layer layer = { .type = "residual", .apply = residual, .object = dense,
 *                        .parameter = { lg_dense_weight(dense), lg_dense_bias(dense) } };                       */
typedef struct lg_layer lg_layer;
struct lg_layer {
    const char *type; /* "dense", "dropout": as the summary shows it; lives as long as the layer */
    const char *name; /* "hidden"; NULL: the sequential model numbers it */

    /* The result of the layer on a batch; NULL on error, and of NULL. */
    lg_tensor *(*apply)(lg_tape *tape, const lg_layer *layer, lg_tensor *x);

    /* Changes the shape of one sample (without the batch axis) to that of its result, at most LG_MAX_RANK - 1 dims;
     * LG_E_SHAPE when the layer does not take it. NULL: the shape stays. */
    lg_status (*shape)(const lg_layer *layer, size_t *rank, size_t dims[LG_MAX_RANK]);

    const void *object;        /* what apply needs: the dense, or anything of one's own */
    lg_activation activation;  /* of an activation layer, or fused into this one */
    double value;              /* slope, alpha or rate */
    lg_tensor *parameter[4];   /* what the summary counts; NULL where there are fewer */
};

/* Each gives the layer of an operation of its name; what is wrong with an argument is reported (lg_error) at once, and
 * the layer's `apply` is NULL, which lg_sequential_add and lg_layer_apply refuse, keeping that message.
 *   dense       of lg_dense_new                 activation  lg_activate: relu, tanh, sigmoid, softmax, ...
 *   leaky_relu  with a slope of one's own       elu         with an alpha of one's own
 *   dropout     rate from 0 to 1, in training   flatten     [batch, a, b, ...] to [batch, a b ...] */
LG_API lg_layer lg_layer_dense(lg_dense *dense);
LG_API lg_layer lg_layer_activation(lg_activation activation);
LG_API lg_layer lg_layer_leaky_relu(double slope);
LG_API lg_layer lg_layer_elu(double alpha);
LG_API lg_layer lg_layer_dropout(double rate);
LG_API lg_layer lg_layer_flatten(void);

LG_API lg_tensor *lg_layer_apply(lg_tape *tape, const lg_layer *layer, lg_tensor *x);

/* "relu", "leaky_relu", ...; "linear" for none; NULL for what is no activation. And back: LG_E_PARAM names the nearest
 * when there is none of that name. */
LG_API const char *lg_activation_name(lg_activation activation);
LG_API lg_status lg_activation_by_name(const char *name, lg_activation *activation);

LG_END_DECLS

#endif
