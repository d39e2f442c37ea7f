/* The command line of siamese, triplet and faces train, as far as it is about the network and how it is judged. */
#ifndef EXAMPLES_EMBEDDER_OPTIONS_H
#define EXAMPLES_EMBEDDER_OPTIONS_H

#include "hidden.h"
#include "trainer.h"

typedef struct embedder_options {
    hidden_layers hidden;
    size_t width;         /* of the embedding */
    bool normalize;       /* embeddings have length 1 */
    bool tanh_output;     /* tanh after the last layer too, as after the hidden ones */
    size_t scale;         /* EMBEDDER_SCALE_... */
    size_t pairs;         /* of each part, to judge by */
    double false_accepts; /* rate at which the threshold is chosen */
    bool textbook;
} embedder_options;

enum { EMBEDDER_SCALE_ALL, EMBEDDER_SCALE_EACH };

/* What they are without options. */
#define EMBEDDER_DEFAULTS \
    { .hidden = { { 128 }, 1 }, .width = 32, .pairs = 10000, .false_accepts = 0.01 }

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
#define EMBEDDER_OF_MODEL "hidden", "embedding", "normalize", "scale", "textbook"
error_t embedder_parse(int key, char *arg, struct argp_state *state, embedder_options *options, trainer_options *shared);

/* The textbook's: 512 and 128 wide with tanh after both, SGD at 0.01. */
void embedder_take_textbook(embedder_options *options, trainer_options *shared);

/* Notes what says how it is judged; what the network is of, embedder_note (embedder.h) says. */
void embedder_options_note(run *r, const embedder_options *options);

#endif
