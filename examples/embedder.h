/* What siamese, triplet and faces share: a network that turns rows into vectors whose distances mean something.
 *
 * The classes of the data, not its rows, are shared out: the network learns on some, its threshold is chosen on others,
 * and it is judged on classes that it has never seen. Distances are Euclidean. */
#ifndef EXAMPLES_EMBEDDER_H
#define EXAMPLES_EMBEDDER_H

#include "trainer.h"

/* ----------------------------------------------------------------- options */

#define EMBEDDER_MOST_LAYERS 8

typedef struct embedder_options {
    size_t hidden[EMBEDDER_MOST_LAYERS], layers; /* widths of the hidden layers */
    size_t width;                                /* of the embedding */
    bool normalize;                              /* embeddings have length 1 */
    bool tanh_output;                            /* tanh after the last layer too, as after the hidden ones */
    size_t scale;                                /* EMBEDDER_SCALE_... */
    size_t pairs;                                /* of each part, to judge by */
    double false_accepts;                        /* rate at which the threshold is chosen */
    bool textbook;
} embedder_options;

enum { EMBEDDER_SCALE_ALL, EMBEDDER_SCALE_EACH };

/* What they are without options. */
#define EMBEDDER_DEFAULTS \
    { .hidden = { 128 }, .layers = 1, .width = 32, .pairs = 10000, .false_accepts = 0.01 }

/* Rows for a trainer's own table of options, and what reads them: ARGP_ERR_UNKNOWN for a key of others. The shared
 * --validation-split and --test-split are rows here as well, since they are about classes: leave the shared ones out
 * (EMBEDDER_WITHOUT). */
enum {
    EMBEDDER_KEY_HIDDEN = 0x200, EMBEDDER_KEY_EMBEDDING, EMBEDDER_KEY_NORMALIZE, EMBEDDER_KEY_SCALE, EMBEDDER_KEY_PAIRS,
    EMBEDDER_KEY_FALSE_ACCEPTS, EMBEDDER_KEY_VALIDATION, EMBEDDER_KEY_TEST, EMBEDDER_KEY_TEXTBOOK
};
#define EMBEDDER_OPTION_ROWS \
    { "hidden", EMBEDDER_KEY_HIDDEN, "N,...", 0, "Widths of hidden layers, each with tanh, or 0 for none (default: 128)", \
      1 }, \
    { "embedding", EMBEDDER_KEY_EMBEDDING, "N", 0, "Numbers in a vector (default: 32)", 1 }, \
    { "scale", EMBEDDER_KEY_SCALE, "all|each", 0, "Standardise by the mean and deviation of all inputs together, right " \
      "for pixels, or of each by itself (default: all)", 1 }, \
    { "false-accepts", EMBEDDER_KEY_FALSE_ACCEPTS, "RATE", 0, "Share of the validation part that the threshold may take " \
      "for alike though it is not (default: 0.01)", 1 }, \
    { "validation-split", EMBEDDER_KEY_VALIDATION, "SHARE", 0, "Share of the classes for validation (default: 0.2)", 2 }, \
    { "test-split", EMBEDDER_KEY_TEST, "SHARE", 0, "Share of the classes that the network never sees (default: 0.3)", 2 }
#define EMBEDDER_PAIRS_ROW \
    { "eval-pairs", EMBEDDER_KEY_PAIRS, "N", 0, "Pairs of each part that the model is judged by (default: 10000)", 1 }
#define EMBEDDER_WITHOUT "validation-split", "test-split"
error_t embedder_parse(int key, char *arg, struct argp_state *state, embedder_options *options, trainer_options *shared);

/* The textbook's: 512 and 128 wide with tanh after both, SGD at 0.01. */
void embedder_take_textbook(embedder_options *options, trainer_options *shared);

void embedder_note(run *r, const embedder_options *options);

/* -------------------------------------------------------------------- data */

/* Reads --data, or the embedded digits, splits it by class and scales it: x = (x - mean) / deviation over all inputs of
 * the training part together, or by each. LG_E_PARAM when a part is left with less than two classes of two rows, of which
 * pairs are made. */
lg_status embedder_read(trainer_data *data, const trainer_options *shared, const embedder_options *options);

/* Prints the sizes and classes of the parts. */
lg_status embedder_print_data(const trainer_options *shared, const trainer_data *data);

/* ----------------------------------------------------------------- network */

typedef struct embedder {
    lg_params *params;
    lg_sequential *net;
    lg_scaler *scaler; /* what the inputs were scaled by */
    size_t inputs, width;
    size_t hidden[EMBEDDER_MOST_LAYERS], layers;
    bool normalize, tanh_output;
} embedder;

/* The layers of e->hidden and e->width on e->inputs numbers. */
lg_status embedder_build(embedder *e, lg_rng *rng);

/* A new network for what the scaler scales, which is copied. embedder_free takes one that is all zeros as well. */
lg_status embedder_new(embedder *e, const embedder_options *options, const lg_scaler *scaler, lg_rng rng);
void embedder_free(embedder *e);

/* [batch, inputs] to [batch, width]; NULL on error. */
lg_tensor *embedder_apply(lg_tape *tape, const embedder *e, lg_tensor *x);

/* The vectors of all rows of a data set that was scaled: [rows, width], on the heap. */
lg_tensor *embedder_rows(embedder *e, const lg_dataset *dataset);

/* |u - v|, of `width` numbers each. */
double embedder_distance(const lg_real *u, const lg_real *v, size_t width);

#endif
