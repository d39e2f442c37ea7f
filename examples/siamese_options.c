#include "siamese_options.h"
#include "embedder_steps.h"

#include <math.h>

enum { KEY_MARGIN = 256, KEY_SIMILAR_LABEL, KEY_PAIRS };

static const struct argp_option own_options[] = {
    { 0, 0, 0, 0, "The network:", 1 },
    EMBEDDER_OPTION_ROWS,
    EMBEDDER_PAIRS_ROW,
    { "normalize", EMBEDDER_KEY_NORMALIZE, "no|yes", 0, "Scale vectors to length 1 (default: no)", 1 },
    { "margin", KEY_MARGIN, "DISTANCE", 0, "How far apart pairs of two classes shall be (default: 2)", 1 },
    { "similar-label", KEY_SIMILAR_LABEL, "0|1", 0, "How pairs of one class are labelled: 1, with the loss d^2, or 0, with "
      "half of it, as in the paper by Hadsell, Chopra and LeCun (default: 1)", 1 },
    { "pairs", KEY_PAIRS, "N", 0, "Pairs drawn for each epoch, half of them of one class (default: 2000)", 1 },
    { "textbook", EMBEDDER_KEY_TEXTBOOK, 0, 0, "A network of 512 and 128 with tanh after both, margin 1, SGD "
      "at 0.01; options after it change it", 1 },
    { 0 },
};

static error_t parse_own(int key, char *arg, struct argp_state *state)
{
    siamese_options *options = state->input;
    const argument_range positive = { 0, INFINITY, true, true };
    switch (key) {
    case KEY_MARGIN: options->margin = argument_real(state, "--margin", arg, positive); break;
    case KEY_SIMILAR_LABEL: options->similar_label = (int)argument_choice(state, "--similar-label", arg, "0|1"); break;
    case KEY_PAIRS: options->pairs = argument_count(state, "--pairs", arg, 2, 100000000); break;
    case EMBEDDER_KEY_TEXTBOOK:
        options->margin = 1;
        embedder_take_textbook(&options->embedder, &options->shared);
        break;
    default: return embedder_parse(key, arg, state, &options->embedder, &options->shared);
    }
    return 0;
}

const trainer siamese_about = {
    .name = "siamese",
    .summary = "Trains a Siamese network: tells whether two rows are of one class, also of classes that it has never seen. "
               "Without --data it trains on 1,797 handwritten digits.",
    .examples = EMBEDDER_PREDICT_HELP "\n\n"
                "Examples:\n"
                "  siamese --embedding 2 --hidden 64\n"
                "  siamese --similar-label 0 --epochs 5\n"
                "  siamese --data data/digits.csv.gz --target -1 --textbook\n"
                "  siamese --data images-idx3-ubyte.gz --labels labels-idx1-ubyte.gz --hidden 256 --embedding 64\n"
                "  siamese --load runs/siamese --predict new.csv\n"
                "  siamese --load runs/siamese --data more.csv --target -1 --lr 0.0001",
    .without = (const char *const[]){ EMBEDDER_WITHOUT, NULL },
    .kind = EMBEDDER_KIND,
    .of_model = (const char *const[]){ EMBEDDER_OF_MODEL, NULL },
    .options = own_options,
    .parser = parse_own,
};

siamese_options siamese_parse(int argc, char **argv)
{
    siamese_options options = { .shared = { .epochs = 20,
                                            .batch_size = 64,
                                            .optimizer = "adam",
                                            .learning_rate = 0.0003,
                                            .seed = 42,
                                            .early_stopping = 3,
                                            .validation_split = 0.2,
                                            .test_split = 0.3,
                                            .verbose = LG_PROGRESS },
                                .embedder = EMBEDDER_DEFAULTS,
                                .margin = 2,
                                .similar_label = 1,
                                .pairs = 2000 };
    trainer_parse(&siamese_about, &options, argc, argv);
    return options;
}

void siamese_note(run *r, const siamese_options *options)
{
    embedder_options_note(r, &options->embedder);
    run_note_number(r, "arguments.margin", options->margin);
    run_note_count(r, "arguments.similar_label", (uint64_t)options->similar_label);
    run_note_count(r, "arguments.pairs", options->pairs);
}
