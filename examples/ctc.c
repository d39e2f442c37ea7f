/* The line reader: text in pictures of lines, without being told where a character is.
 *
 *     build/ctc                                              lines of handwritten digits
 *     build/ctc --hidden 128,128 --epochs 20
 *     build/ctc --data lines.npy --labels lines.txt          lines of one's own
 *
 * A window slides over the columns of a picture; at each place, or frame, a small network says how likely each character
 * is, or that there is none (the blank). What the frames spell is what is left when repeated characters are merged and
 * blanks taken out. The labels say what a line spells, not where: the loss (connectionist temporal classification) is
 * the negative log probability of all the ways to spell it together.
 *
 * Without --data, lines are composed of digits (digit_lines.c): those for training anew each epoch, the others of digits
 * that are in no line for training. */
#include "ctc_report.h"
#include "digit_lines.h"
#include "line_files.h"

#include <stdlib.h>

#define MOST_LAYERS 8

/* ------------------------------------------------------------ command line */

typedef struct ctc_options {
    trainer_options shared; /* first: the shared parser knows no other */
    const char *texts;
    size_t hidden[MOST_LAYERS], layers;
    size_t window, stride; /* 0: by the height of a line */
    size_t beam, lines, show;
} ctc_options;

enum { KEY_IMAGES = 256, KEY_TEXTS, KEY_HIDDEN, KEY_WINDOW, KEY_STRIDE, KEY_BEAM, KEY_LINES, KEY_SHOW };

static const struct argp_option own_options[] = {
    { 0, 0, 0, 0, "The reader:", 1 },
    { "data", KEY_IMAGES, "FILE", 0, "Pictures of lines to learn from: IDX or NPY of [lines, height, width], as it is or in "
      "gzip (default: lines of the embedded digits)", 1 },
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
        options->layers = argument_counts(state, "--hidden", arg, 1, 65536, MOST_LAYERS, options->hidden);
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

static const trainer about = {
    .name = "ctc",
    .summary = "Learns to read lines of text from pictures and their texts, by connectionist temporal classification. "
               "Without --data it learns to read lines of 3 to 10 handwritten digits.",
    .examples = "Examples:\n"
                "  ctc --hidden 128,128 --epochs 20\n"
                "  ctc --data lines.npy --labels lines.txt --window 31 --stride 2",
    .without = (const char *const[]){ "data", "target", "labels", "skip-lines", "drop", "missing", NULL },
    .options = own_options,
    .parser = parse_own,
};

/* ------------------------------------------------------------------- data */

enum { HELD_OUT_LINES = 500 }; /* of each part, where lines are composed */

typedef struct reader {
    const ctc_options *options;
    alphabet alphabet;
    line_source source;   /* its context belongs to data.all */
    digit_lines *digits;  /* that context, where lines are composed */
    line_frames frames;
    trainer_data data;
    lg_params *params;
    lg_dense *layer[MOST_LAYERS + 1];
    lg_optimizer *optimizer;
    line_reader line;
} reader;

/* What is enough for lines of 8 pixels, in proportion; a window has a column in its middle. */
static void find_frames(reader *r)
{
    const size_t height = r->source.height;
    r->frames.window = r->options->window ? r->options->window : (11 * height / 8) | 1;
    r->frames.stride = r->options->stride ? r->options->stride : height < 12 ? 1 : (height + 4) / 8;
}

/* `all` of a source that was opened; the parts are known, or taken at random. */
static lg_status make_parts(reader *r, lg_split *parts)
{
    lg_dataset *all = lines_dataset(&r->source, &r->frames);
    if (!all) {
        r->source.free(r->source.context);
        r->digits = NULL;
        lg_split_free(parts);
        return lg_error_code();
    }
    return r->digits ? trainer_split_as(&r->data, &r->options->shared, all, parts)
                     : trainer_split(&r->data, &r->options->shared, all);
}

static lg_status compose_lines(reader *r)
{
    const trainer_options *shared = &r->options->shared;
    const digit_lines_options options = { .train = r->options->lines,
                                          .validation = shared->validation_split > 0 ? HELD_OUT_LINES : 0,
                                          .test = shared->test_split > 0 ? HELD_OUT_LINES : 0,
                                          .validation_split = shared->validation_split,
                                          .test_split = shared->test_split,
                                          .split = trainer_rng(shared, TRAINER_SPLIT),
                                          .draw = trainer_rng(shared, TRAINER_OWN) };
    r->digits = digit_lines_new(&options);
    if (!r->digits)
        return lg_error_code();
    r->source = digit_lines_source(r->digits);
    find_frames(r);
    lg_split *parts = digit_lines_parts(r->digits);
    if (parts && digit_lines_alphabet(&r->alphabet) == LG_OK)
        return make_parts(r, parts);
    lg_split_free(parts);
    digit_lines_free(r->digits);
    return lg_error_code();
}

static lg_status read_lines(reader *r)
{
    line_files *files = line_files_read(r->options->shared.data, r->options->texts, &r->alphabet);
    if (!files)
        return lg_error_code();
    r->source = line_files_source(files);
    find_frames(r);
    if (line_files_check(files, &r->frames) == LG_OK)
        return make_parts(r, NULL);
    line_files_free(files);
    return lg_error_code();
}

static void print_data(const reader *r)
{
    const trainer_data *data = &r->data;
    if (r->options->shared.data)
        printf("Data: %s, %zu lines, %zu pixels high, up to %zu wide\n", r->options->shared.data,
               lg_dataset_rows(data->all), r->source.height, r->source.most_width);
    else
        printf("Data: lines of 3 to 10 of the embedded digits, composed anew each epoch; held-out lines of other digits\n");
    printf("  %-12s %10zu lines\n", "training", data->split->train_rows);
    if (data->validation)
        printf("  %-12s %10zu lines\n", "validation", data->split->validation_rows);
    if (data->test)
        printf("  %-12s %10zu lines\n", "test", data->split->test_rows);
    printf("\n");
}

/* ------------------------------------------------------------------- model */

static lg_status build_model(reader *r)
{
    const ctc_options *options = r->options;
    lg_rng rng = trainer_rng(&options->shared, TRAINER_WEIGHTS);
    size_t width = r->frames.window * r->source.height;
    r->params = lg_params_new();
    printf("Network: %zu columns x %zu", r->frames.window, r->source.height);
    for (size_t i = 0; i < options->layers; i++) {
        r->layer[i] = lg_dense_new_with(r->params, NULL, width, options->hidden[i],
                                        &(lg_dense_options){ .activation = LG_TANH }, &rng);
        width = options->hidden[i];
        printf(" - %zu tanh", width);
    }
    r->layer[options->layers] = lg_dense_new(r->params, "out", width, r->alphabet.classes, &rng);
    printf(" - %zu characters and the blank, a frame every %zu column%s\n\n", r->alphabet.classes - 1, r->frames.stride,
           r->frames.stride == 1 ? "" : "s");
    r->optimizer = r->layer[options->layers] ? trainer_optimizer(&options->shared, r->params) : NULL;
    return r->optimizer ? LG_OK : lg_error_code();
}

static lg_tensor *logits_of(lg_tape *tape, const lg_batch *batch, const void *model)
{
    const reader *r = model;
    lg_tensor *h = lg_batch_x(tape, batch); /* [lines, frames, window x height] */
    for (size_t i = 0; i <= r->options->layers; i++)
        h = lg_dense_apply(tape, r->layer[i], h);
    return h; /* [lines, frames, classes] */
}

static lg_tensor *step(lg_tape *tape, const lg_batch *batch, void *model)
{
    const reader *r = model;
    lg_tensor *logits = logits_of(tape, batch, r);
    if (line_report_batch(tape, &r->line, batch, logits) != LG_OK)
        return NULL;
    return lg_ctc(tape, logits, lg_batch_y(tape, batch), lg_batch_field_lengths(tape, batch, "x"),
                  lg_batch_field_lengths(tape, batch, "y"), LG_CTC_LOGITS, 0, false, false, NULL);
}

/* ---------------------------------------------------------------- training */

static lg_status next_epoch(size_t epoch, const lg_history *history, void *context)
{
    const reader *r = context;
    (void)history;
    if (r->digits)
        digit_lines_epoch(r->digits, epoch + 1);
    return LG_OK;
}

static void note_arguments(run *run_of, const reader *r)
{
    const ctc_options *options = r->options;
    run_note_text(run_of, "arguments.labels", options->texts);
    run_note_counts(run_of, "arguments.hidden", options->layers, options->hidden);
    run_note_count(run_of, "arguments.window", r->frames.window);
    run_note_count(run_of, "arguments.stride", r->frames.stride);
    run_note_count(run_of, "arguments.beam", options->beam);
    if (r->digits)
        run_note_count(run_of, "arguments.lines", options->lines);
    const char *characters[256];
    for (size_t k = 1; k < r->alphabet.classes && k <= 256; k++)
        characters[k - 1] = r->alphabet.symbol[k];
    if (r->alphabet.classes <= 257)
        run_note_texts(run_of, "data.alphabet", r->alphabet.classes - 1, characters);
}

/* All lines; of composed ones those that are held out, since lines for training are there for an epoch only. */
static lg_status report(reader *r, run *run_of)
{
    const size_t rows = lg_dataset_rows(r->data.all), first = r->digits ? r->options->lines : 0;
    size_t *ids = calloc(rows, sizeof *ids);
    if (!ids)
        return lg_fail(LG_E_MEMORY, "out of memory for %zu lines", rows);
    for (size_t i = first; i < rows; i++)
        ids[i - first] = i;
    lg_status status = line_report(run_of, &r->line, &r->data, &r->source, ids, rows - first);
    free(ids);
    return status;
}

static lg_status train(reader *r, run *run_of, lg_history **history)
{
    note_arguments(run_of, r);
    trainer_note_data(run_of, &r->options->shared, &r->data);
    lg_fit_options options = trainer_fit_options(&r->options->shared, r->data.validation, run_of);
    /* From the full rate down to none: large steps find where characters are, small ones tell them apart. */
    const lg_schedule schedule = lg_schedule_cosine(0, options.epochs, 0);
    options.schedule = &schedule;
    options.callback = next_epoch;
    options.context = r;
    *history = lg_fit(step, r, r->optimizer, r->data.train, &options);
    if (!*history)
        return lg_error_code();
    lg_status status = trainer_note_history(run_of, *history, "Line reader: loss");
    return status != LG_OK || lg_history_signal(*history) ? status : report(r, run_of);
}

int main(int argc, char **argv)
{
    ctc_options options = { .shared = { .epochs = 12,
                                        .batch_size = 16,
                                        .optimizer = "adam",
                                        .learning_rate = 0.008,
                                        .seed = 42,
                                        .validation_split = 0.15,
                                        .test_split = 0.15,
                                        .verbose = LG_PROGRESS },
                            .hidden = { 96, 96 },
                            .layers = 2,
                            .beam = 25,
                            .lines = 3200,
                            .show = 3 };
    trainer_parse(&about, &options, argc, argv);
    reader r = { .options = &options };
    r.line = (line_reader){ &r.alphabet, logits_of, &r, options.beam, options.show };
    run *run_of = NULL;
    lg_history *history = NULL;
    lg_status status = run_check(options.shared.out, options.shared.overwrite);
    if (status == LG_OK)
        status = options.shared.data ? read_lines(&r) : compose_lines(&r);
    if (status == LG_OK) {
        print_data(&r);
        status = build_model(&r);
    }
    if (status == LG_OK && !options.shared.dry_run) {
        run_of = trainer_open(&about, &options.shared, argc, (const char *const *)argv);
        status = run_of ? train(&r, run_of, &history) : lg_error_code();
        status = trainer_close(run_of, history, status);
    }
    const int signal_number = lg_history_signal(history);
    lg_history_free(history);
    run_free(run_of);
    lg_optimizer_free(r.optimizer);
    lg_params_free(r.params);
    trainer_data_free(&r.data);
    free(r.alphabet.symbol);
    return trainer_end(status, signal_number);
}
