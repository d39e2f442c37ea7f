#include "ctc_options.h"

enum { KEY_IMAGES = 256, KEY_TEXTS, KEY_HIDDEN, KEY_WINDOW, KEY_STRIDE, KEY_BEAM, KEY_LINES, KEY_SHOW };

static const struct argp_option own_options[] = {
    { 0, 0, 0, 0, "The reader:", 1 },
    { "data", KEY_IMAGES, "FILE", 0, "Pictures of lines to learn from: IDX or NPY of [lines, height, width], as it is or "
      "in gzip (default: lines of the embedded digits)", 1 },
    { "labels", KEY_TEXTS, "FILE", 0, "The text of each line of --data: UTF-8, a line for each", 1 },
    { "hidden", KEY_HIDDEN, "N,...", 0, "Widths of hidden layers (default: 96,96)", 1 },
    { "window", KEY_WINDOW, "COLUMNS", 0, "Columns that are seen at once (default: 11 for lines 8 pixels high, more for "
      "higher ones)", 1 },
    { "stride", KEY_STRIDE, "COLUMNS", 0, "Columns from frame to frame (default: 1 for lines 8 pixels high, more for "
      "higher ones)", 1 },
    { "beam", KEY_BEAM, "N", 0, "Width of the beam with which lines are read at the end (default: 25)", 1 },
    { "lines", KEY_LINES, "N", 0, "Lines composed for each epoch, without --data (default: 3200)", 1 },
    { "show", KEY_SHOW, "N", 0, "Show N lines and what was read (default: 3)", 1 },
    { 0 },
};

static error_t parse_own(int key, char *arg, struct argp_state *state)
{
    ctc_options *options = state->input;
    switch (key) {
    case KEY_IMAGES: options->shared.data = arg; break;
    case KEY_TEXTS: options->texts = arg; break;
    case KEY_HIDDEN:
        options->hidden = hidden_argument(state, arg);
        break;
    case KEY_WINDOW: options->window = argument_count(state, "--window", arg, 1, 1000); break;
    case KEY_STRIDE: options->stride = argument_count(state, "--stride", arg, 1, 1000); break;
    case KEY_BEAM: options->beam = argument_count(state, "--beam", arg, 1, 10000); break;
    case KEY_LINES: options->lines = argument_count(state, "--lines", arg, 1, 100000000); break;
    case KEY_SHOW: options->show = argument_count(state, "--show", arg, 0, 1000); break;
    case ARGP_KEY_END:
        if (!options->shared.data != !options->texts)
            argp_error(state, options->texts ? "--labels needs --data, the pictures of the lines"
                                             : "--data needs --labels, the text of each line");
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

const trainer ctc_about = {
    .name = "ctc",
    .summary = "Learns to read lines of text from pictures and their texts, by connectionist temporal classification. "
               "Without --data it learns to read lines of 3 to 10 handwritten digits.",
    .examples = "Examples:\n"
                "  ctc --hidden 128,128 --epochs 20\n"
                "  ctc --data lines.npy --labels lines.txt --window 31 --stride 2\n"
                "  ctc --load runs/ctc --predict new.npy\n"
                "  ctc --load runs/ctc --data more.npy --labels more.txt --lr 0.002",
    .without = (const char *const[]){ "data", "target", "labels", "skip-lines", "index-base", "drop", "missing", NULL },
    .kind = "line reader",
    .load = "Begin with the weights of a model: model.safetensors of a run, or the run's folder. Its layers, window, "
            "characters and the height of its lines hold for the new data",
    .predict = "Train nothing: read the lines of these pictures, as --data takes them, by --load's model. "
               "predictions.csv in --out (- is the standard output) is row,greedy,beam,score; the score is the logarithm of "
               "the probability of the beam's reading",
    .of_model = (const char *const[]){ "hidden", "window", "stride", NULL },
    .for_predict = (const char *const[]){ "beam", "show", NULL },
    .options = own_options,
    .parser = parse_own,
};

ctc_options ctc_parse(int argc, char **argv)
{
    ctc_options options = { .shared = { .epochs = 12,
                                        .batch_size = 16,
                                        .optimizer = "adam",
                                        .learning_rate = 0.008,
                                        .seed = 42,
                                        .validation_split = 0.15,
                                        .test_split = 0.15,
                                        .verbose = LG_PROGRESS },
                            .hidden = { { 96, 96 }, 2 },
                            .beam = 25,
                            .lines = 3200,
                            .show = 3 };
    trainer_parse(&ctc_about, &options, argc, argv);
    return options;
}

void ctc_note(run *r, const ctc_options *options)
{
    run_note_text(r, "arguments.labels", options->texts);
    run_note_counts(r, "arguments.hidden", options->hidden.count, options->hidden.width);
    run_note_count(r, "arguments.beam", options->beam);
    if (!options->shared.data)
        run_note_count(r, "arguments.lines", options->lines);
}
