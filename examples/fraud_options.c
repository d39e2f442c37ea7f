#include "fraud_options.h"

enum { KEY_POSITIVE = 256, KEY_HIDDEN, KEY_CLASS_WEIGHT, KEY_HARDEST, KEY_STREAM, KEY_BUFFER };

static const struct argp_option own_options[] = {
    { 0, 0, 0, 0, "The detector:", 1 },
    { "positive", KEY_POSITIVE, "CLASS", 0, "The class of --target that is fraud (default: the second of two)", 1 },
    { "hidden", KEY_HIDDEN, "N,...", 0,
      "Widths of hidden layers, as in 64,32 (default: none, logistic regression)", 1 },
    { "class-weight", KEY_CLASS_WEIGHT, "none|balanced", 0,
      "balanced: both classes count alike in training (default: none)", 1 },
    { "hardest", KEY_HARDEST, "N", 0, "Show the N rows of highest loss (default: 0)", 1 },
    { "stream", KEY_STREAM, 0, 0,
      "Leave the rows in their file (CSV, NPY or IDX, not packed) and read them as they are wanted: for files that do not "
      "fit into memory", 1 },
    { "shuffle-buffer", KEY_BUFFER, "N", 0,
      "With --stream: hold and shuffle about N rows at a time (default: as many as 64 MB have room for)", 1 },
    { 0 },
};

static void check(struct argp_state *state, const fraud_options *options)
{
    const trainer_options *shared = &options->shared;
    if (shared->data && !shared->target && !shared->labels)
        argp_error(state, "--data needs --target: the column that says what is fraud (-1 is the last); or --labels");
    if (shared->stream && !shared->data && !shared->predict)
        argp_error(state, "--stream needs --data");
    if (shared->shuffle_buffer && !shared->stream)
        argp_error(state, "--shuffle-buffer needs --stream");
    if (shared->stream && shared->missing == TRAINER_MISSING_MEDIAN)
        argp_error(state, "--missing median needs all rows in memory, where --stream does not have them; mean does not");
    if (!shared->data && !shared->predict && (shared->target || options->positive))
        argp_error(state, "%s needs --data", options->positive ? "--positive" : "--target");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    fraud_options *options = state->input;
    switch (key) {
    case KEY_POSITIVE: options->positive = arg; break;
    case KEY_HIDDEN: options->hidden = hidden_argument(state, arg); break;
    case KEY_CLASS_WEIGHT: options->balanced = argument_choice(state, "--class-weight", arg, "none|balanced"); break;
    case KEY_HARDEST: options->hardest = argument_count(state, "--hardest", arg, 0, 1000000000); break;
    case KEY_STREAM: options->shared.stream = true; break;
    case KEY_BUFFER: options->shared.shuffle_buffer = argument_count(state, "--shuffle-buffer", arg, 1, 1000000000); break;
    case ARGP_KEY_END: check(state, options); break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

const trainer fraud_about = {
    .name = "fraud",
    .summary = "Trains a fraud detector: logistic regression or a small network that tells a rare class from a common "
               "one. Without --data it trains on 50,000 made-up payments, 2 in 100 of them fraud.",
    .examples = "Examples:\n"
                "  fraud --hidden 32,16\n"
                "  fraud --loss focal --loss-param gamma=1.5 --class-weight balanced\n"
                "  fraud --data creditcard.csv --target Class --early-stopping 5\n"
                "  fraud --data data/spam.csv.gz --target type --positive spam\n"
                "  fraud --data large.csv --target Class --stream --shuffle-buffer 200000\n"
                "  fraud --load runs/fraud --predict new.csv\n"
                "  fraud --load runs/fraud --data more.csv --target Class --lr 0.001",
    .tasks = LG_TASK_BINARY,
    .kind = "fraud detector",
    .of_model = (const char *const[]){ "hidden", "positive", NULL },
    .for_predict = (const char *const[]){ "stream", "shuffle-buffer", NULL },
    .options = own_options,
    .parser = parse,
};

fraud_options fraud_options_parse(int argc, char **argv)
{
    fraud_options options = { .shared = { .epochs = 20,
                                          .batch_size = 64,
                                          .optimizer = "adam",
                                          .learning_rate = 0.003,
                                          .loss = "binary_crossentropy",
                                          .seed = 42,
                                          .validation_split = 0.2,
                                          .test_split = 0.2,
                                          .verbose = LG_PROGRESS } };
    trainer_parse(&fraud_about, &options, argc, argv);
    return options;
}

void fraud_options_note(const fraud_options *options, run *r)
{
    run_note_text(r, "arguments.positive", options->positive);
    run_note_counts(r, "arguments.hidden", options->hidden.count, options->hidden.width);
    run_note_text(r, "arguments.class_weight", options->balanced ? "balanced" : "none");
}
