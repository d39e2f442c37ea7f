#include "quantile_options.h"
#include "folds.h"

#include <math.h>

enum { KEY_QUANTILES = 256, KEY_HIDDEN, KEY_FOLDS, KEY_CROSSING, KEY_RAW, KEY_CONSTANT, KEY_TEXTBOOK };

static const struct argp_option own_options[] = {
    { 0, 0, 0, 0, "The quantiles:", 1 },
    { "quantiles", KEY_QUANTILES, "TAU,...", 0, "Which, ascending (default: 0.1,0.25,0.5,0.75,0.9)", 1 },
    { "hidden", KEY_HIDDEN, "N,...", 0, "Widths of hidden layers (tanh), as in 64,32 (default: none, lines)", 1 },
    { "crossing-penalty", KEY_CROSSING, "PRICE", 0,
      "What it costs, per unit, that a quantile lies above the next higher one (default: 0)", 1 },
    { "folds", KEY_FOLDS, "N", 0, FOLDS_HELP, 1 },
    { "raw", KEY_RAW, 0, 0, "Take features and target as they are, not standardised", 1 },
    { "constant-rate", KEY_CONSTANT, 0, 0, "Keep the learning rate, instead of a cosine down to 0", 1 },
    { "textbook", KEY_TEXTBOOK, 0, 0,
      "As the textbook: quantile 0.75 of its 1000 made-up rows (or of --data), from zero by plain descent on all rows "
      "at once, 1000 epochs, learning rate 0.01, --raw --constant-rate --folds 0. Options after this one change it",
      1 },
    { 0 },
};

static void be_textbook(quantile_options *options)
{
    options->textbook = options->raw = options->constant_rate = true;
    options->quantiles = 1;
    options->tau[0] = 0.75;
    options->folds = 0;
    options->shared.optimizer = "sgd";
    options->shared.learning_rate = 0.01;
    options->shared.epochs = 1000;
    options->shared.batch_size = 100000000; /* all rows */
}

static void check(struct argp_state *state, quantile_options *options)
{
    const trainer_options *shared = &options->shared;
    if (shared->data && !shared->target && !shared->labels)
        argp_error(state, "--data needs --target: the column to predict (-1 is the last); or --labels");
    if (!shared->data && !shared->predict && shared->target)
        argp_error(state, "--target needs --data");
    options->folds = folds_settle(state, options->folds, shared);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    quantile_options *options = state->input;
    switch (key) {
    case KEY_QUANTILES:
        options->quantiles = argument_reals(state, "--quantiles", arg, (argument_range){ 0, 1, true, true },
                                            MOST_QUANTILES, options->tau);
        for (size_t q = 1; q < options->quantiles; q++)
            if (options->tau[q] <= options->tau[q - 1])
                argp_error(state, "--quantiles: %g after %g: they have to ascend", options->tau[q],
                           options->tau[q - 1]);
        break;
    case KEY_HIDDEN: options->hidden = hidden_argument(state, arg); break;
    case KEY_CROSSING:
        options->crossing_penalty = argument_real(state, "--crossing-penalty", arg,
                                                  (argument_range){ 0, INFINITY, false, true });
        break;
    case KEY_FOLDS: options->folds = folds_argument(state, arg); break;
    case KEY_RAW: options->raw = true; break;
    case KEY_CONSTANT: options->constant_rate = true; break;
    case KEY_TEXTBOOK: be_textbook(options); break;
    case ARGP_KEY_END: check(state, options); break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

const trainer quantile_about = {
    .name = "quantile",
    .summary = "Trains a quantile regression, linear or a small network, for several quantiles at once. Without --data "
               "it learns what Belgian households of 1857 spent on food, by their income (235 rows).",
    .examples = "--load without --predict goes on training: the quantiles, the layers, and the scale of features and "
                "target are those of the model; the learning rate begins at --lr again.\n\n"
                "Examples:\n"
                "  quantile --quantiles 0.1,0.5,0.9 --hidden 16\n"
                "  quantile --textbook\n"
                "  quantile --data data/penguins.csv --target body_mass_g --missing drop --test-split 0.2\n"
                "  quantile --load runs/quantile --predict new.csv\n"
                "  quantile --load runs/quantile --data more.csv --target foodexp --lr 0.005",
    .epochs = "as many as make 5000 steps, from 20 to 1000",
    .kind = "quantile regression",
    .of_model = (const char *const[]){ "quantiles", "hidden", "raw", "textbook", NULL },
    .options = own_options,
    .parser = parse,
};

quantile_options quantile_options_parse(int argc, char **argv)
{
    quantile_options options = { .shared = { .batch_size = 256,
                                             .optimizer = "adam",
                                             .learning_rate = 0.02,
                                             .seed = 42,
                                             .verbose = LG_PROGRESS },
                                 .tau = { 0.1, 0.25, 0.5, 0.75, 0.9 },
                                 .quantiles = 5,
                                 .folds = FOLDS_DEFAULT };
    trainer_parse(&quantile_about, &options, argc, argv);
    return options;
}

void quantile_options_settle(quantile_options *options, size_t rows)
{
    trainer_options *shared = &options->shared;
    if (shared->batch_size > rows)
        shared->batch_size = rows;
    if (shared->epochs == 0) {
        const size_t batches = (rows + shared->batch_size - 1) / shared->batch_size, epochs = 5000 / batches;
        shared->epochs = epochs < 20 ? 20 : epochs > 1000 ? 1000 : epochs;
    }
}

void quantile_options_note(const quantile_options *options, size_t fold_count, run *r)
{
    run_note_numbers(r, "arguments.quantiles", options->quantiles, options->tau);
    run_note_counts(r, "arguments.hidden", options->hidden.count, options->hidden.width);
    run_note_number(r, "arguments.crossing_penalty", options->crossing_penalty);
    run_note_count(r, "arguments.folds", fold_count);
    run_note_flag(r, "arguments.raw", options->raw);
    run_note_flag(r, "arguments.constant_rate", options->constant_rate);
}
