/* What siamese, triplet and faces share: a network that turns rows into vectors whose distances mean something.
 *
 * The classes of the data, not its rows, are shared out: the network learns on some, its threshold is chosen on others,
 * and it is judged on classes that it has never seen. Distances are Euclidean. */
#ifndef EXAMPLES_EMBEDDER_H
#define EXAMPLES_EMBEDDER_H

#include "embedder_options.h"
#include "loaded_model.h"

/* -------------------------------------------------------------------- data */

/* Reads --data, or the embedded digits, splits it by class and scales it: x = (x - mean) / deviation over all inputs of
 * the training part together, or by each; with a loaded model, NULL without --load, its columns by its scale.
 * LG_E_PARAM when a part is left with less than two classes of two rows, of which pairs are made. */
lg_status embedder_read(trainer_data *data, const trainer_options *shared, const embedder_options *options,
                        loaded_model *loaded);

/* Prints the sizes and classes of the parts. */
lg_status embedder_print_data(const trainer_options *shared, const trainer_data *data);

/* ----------------------------------------------------------------- network */

typedef struct embedder {
    lg_params *params;
    lg_sequential *net;
    lg_scaler *scaler; /* what the inputs were scaled by */
    size_t inputs, width;
    hidden_layers hidden;
    bool normalize, tanh_output;
} embedder;

/* The layers of e->hidden, and one of e->width, on e->inputs numbers. */
lg_status embedder_build(embedder *e, lg_rng *rng);

/* A new network for what the scaler scales, which is copied. embedder_free takes one that is all zeros as well. */
lg_status embedder_new(embedder *e, const embedder_options *options, const lg_scaler *scaler, lg_rng rng);
void embedder_free(embedder *e);

/* Notes its layers among the arguments: those of the command line, or of the model that was loaded. */
void embedder_note(run *r, const embedder *e);

/* [batch, inputs] to [batch, width]; NULL on error. */
lg_tensor *embedder_apply(lg_tape *tape, const embedder *e, lg_tensor *x);

/* The same of a batch's rows, for lg_predict in batches of EMBEDDER_BATCH; e is the embedder. */
enum { EMBEDDER_BATCH = 1024 };
lg_tensor *embedder_outputs(lg_tape *tape, const lg_batch *batch, void *e);

/* The vectors of all rows of a data set that was scaled: [rows, width], on the heap. */
lg_tensor *embedder_rows(embedder *e, const lg_dataset *dataset);

/* |u - v|, of `width` numbers each. */
double embedder_distance(const lg_real *u, const lg_real *v, size_t width);

#endif
