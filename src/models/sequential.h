/* A model that is one layer after the other.
 *
 *     lg_sequential *net = lg_sequential_new(params, LG_SHAPE(64));           a sample is 64 numbers
 *     lg_sequential_dense(net, 32, LG_RELU, &rng);
 *     lg_sequential_dropout(net, 0.5);
 *     lg_sequential_dense(net, 10, LG_LINEAR, &rng);
 *     ...in the step
 *     lg_tensor *logits = lg_sequential_apply(tape, net, x);                  x [batch, 64], logits [batch, 10]
 *
 * Widths are given once: each layer takes what the one before it gives. If a layer cannot be added, the call that adds
 * it says so, and so does every apply; statuses need not be checked one by one. The model belongs to its parameter set
 * and is freed with it. */
#ifndef LG_SEQUENTIAL_H
#define LG_SEQUENTIAL_H

#include "models/layers.h"

LG_BEGIN_DECLS

typedef struct lg_sequential lg_sequential;

/* A model without layers, whose input is [batch, dims...]; rank is that of a sample, at most LG_MAX_RANK - 1 (0: a
 * number). NULL on error: LG_E_PARAM, LG_E_SHAPE, LG_E_MEMORY. */
LG_API lg_sequential *lg_sequential_new(lg_params *params, size_t rank, const size_t *dims);

/* Adds a layer at the end:
 *   add         any (layers.h). Without a name it is numbered by its type: "dropout_1". This is how a dense layer gets
 *               a name or an initialisation of its own:
 *               lg_sequential_add(net, lg_layer_dense(lg_dense_new_with(params, "hidden", 64, 32, &options, &rng)))
 *   dense       on the last axis, as lg_dense_new_with with a NULL name, `units` wide
 *   activation  as lg_layer_activation       dropout, flatten  likewise
 * Errors are those of the layer; LG_E_SHAPE when it does not take what comes before it; LG_E_STATE for a dense layer
 * once an optimizer works on the set. */
LG_API lg_status lg_sequential_add(lg_sequential *model, lg_layer layer);
LG_API lg_status lg_sequential_dense(lg_sequential *model, size_t units, lg_activation activation, lg_rng *rng);
LG_API lg_status lg_sequential_activation(lg_sequential *model, lg_activation activation);
LG_API lg_status lg_sequential_dropout(lg_sequential *model, double rate);
LG_API lg_status lg_sequential_flatten(lg_sequential *model);

/* All layers in order, on x [batch, the shape given at first]; a model without layers gives x itself. NULL on error:
 * LG_E_SHAPE when x has another shape, LG_E_STATE when a layer could not be added, and what the layers report. */
LG_API lg_tensor *lg_sequential_apply(lg_tape *tape, const lg_sequential *model, lg_tensor *x);

/* Number of layers; the i-th, its name filled in (NULL beyond the end). */
LG_API size_t lg_sequential_count(const lg_sequential *model);
LG_API const lg_layer *lg_sequential_at(const lg_sequential *model, size_t i);

/* Prints the layers, the shapes they give, and how many parameters they have, as Keras does:
 *
 *   Model: sequential, input [batch, 64]
 *   __________________________________________________________________________
 *    Layer (type)                       Output shape                   Param #
 *   ==========================================================================
 *    dense_1 (dense, relu)              [batch, 32]                      2,080
 *    dropout_1 (dropout)                [batch, 32]                          0
 *    dense_2 (dense)                    [batch, 10]                        330
 *   ==========================================================================
 *   Total params: 2,410 (9.41 KB)
 *   Trainable params: 2,410 (9.41 KB)
 *   Non-trainable params: 0 (0 B)
 *   __________________________________________________________________________
 *
 * Plain ASCII, under 80 columns; long names are cut. LG_E_PARAM for NULL, LG_E_IO when writing fails. */
LG_API lg_status lg_sequential_summary(const lg_sequential *model, FILE *stream);

LG_END_DECLS

#endif
