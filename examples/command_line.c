#include "command_line.h"
#include "loss_choice.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ----------------------------------------------------------------- options */

enum {
    KEY_DATA = 0x1000, KEY_TARGET, KEY_LABELS, KEY_SKIP_LINES, KEY_INDEX_BASE, KEY_DROP, KEY_MISSING, KEY_VALIDATION_SPLIT,
    KEY_TEST_SPLIT, KEY_EPOCHS, KEY_BATCH_SIZE, KEY_OPTIMIZER, KEY_LR, KEY_LOSS, KEY_LOSS_PARAM, KEY_LIST_LOSSES,
    KEY_EARLY_STOPPING, KEY_CLIP_NORM, KEY_SEED, KEY_THREADS, KEY_SAVE_EVERY, KEY_LOAD, KEY_PREDICT, KEY_RESUME,
    KEY_OUT, KEY_OVERWRITE, KEY_VERBOSE, KEY_PROFILE, KEY_DRY_RUN
};

#define MISSING_CHOICES "error|mean|median|drop"
#define INDEX_BASE_CHOICES "auto|0|1"

/* Defaults are added to these texts by show_default. */
static const struct argp_option shared_options[] = {
    { 0, 0, 0, 0, "Data:", 2 },
    { "data", KEY_DATA, "FILE", 0, "Rows to train on: CSV, IDX, NPY, NPZ or LIBSVM, as it is or in gzip", 2 },
    { "target", KEY_TARGET, "COLUMN", 0,
      "Column to predict: its name, or its number from 0 (-1 is the last); of NPZ the array, of LIBSVM \"label\"", 2 },
    { "labels", KEY_LABELS, "FILE", 0,
      "Instead of --target, for IDX and NPY: an IDX or NPY file with one for each row", 2 },
    { "skip-lines", KEY_SKIP_LINES, "N", 0, "Lines of a CSV file before its table begins", 2 },
    { "index-base", KEY_INDEX_BASE, INDEX_BASE_CHOICES, 0,
      "From what LIBSVM's indices count; auto: 0 if the file has one, else 1", 2 },
    { "drop", KEY_DROP, "COLUMN,...", 0, "Columns to leave out", 2 },
    { "missing", KEY_MISSING, MISSING_CHOICES, 0,
      "What stands in for missing numbers, of the training part; drop: rows with any are left out", 2 },
    { "validation-split", KEY_VALIDATION_SPLIT, "SHARE", 0, "Share of the rows for validation", 2 },
    { "test-split", KEY_TEST_SPLIT, "SHARE", 0, "Share of the rows for the test, read once, at the end", 2 },
    { 0, 0, 0, 0, "Training:", 3 },
    { "epochs", KEY_EPOCHS, "N", 0, "Passes over the training part", 3 },
    { "batch-size", KEY_BATCH_SIZE, "N", 0, "Rows per step", 3 },
    { "optimizer", KEY_OPTIMIZER, "NAME", 0, 0, 3 },
    { "lr", KEY_LR, "RATE", 0, "Learning rate", 3 },
    { "loss", KEY_LOSS, "NAME", 0, "Loss to minimise; --list-losses shows which fit", 3 },
    { "loss-param", KEY_LOSS_PARAM, "NAME=VALUE,...", 0, "Parameters of the loss, as in gamma=1.5", 3 },
    { "list-losses", KEY_LIST_LOSSES, 0, 0, "Show the losses that fit, with their parameters, and exit", 3 },
    { "early-stopping", KEY_EARLY_STOPPING, "N", 0,
      "Stop after N epochs without a better validation loss and return to the best weights", 3 },
    { "clip-norm", KEY_CLIP_NORM, "NORM", 0, "Scale gradients down to this global norm", 3 },
    { "seed", KEY_SEED, "N", 0, "Of the split, the initial weights and the order of rows", 3 },
    { "threads", KEY_THREADS, "N", 0, "Threads that share the work, as in LUGE_NUM_THREADS=N", 3 },
    { "save-every", KEY_SAVE_EVERY, "N", 0, "Save a checkpoint after every N epochs, and after the last", 3 },
    { "resume", KEY_RESUME, "FILE", 0,
      "Go on from a checkpoint (or from that of a run's folder), in its folder, with the options it was begun with",
      3 },
    { "load", KEY_LOAD, "MODEL", 0,
      "Begin with the weights of a model: model.safetensors of a run, or the run's folder. Its layers, columns, "
      "classes and the scale of its features hold for the new data", 3 },
    { "predict", KEY_PREDICT, "FILE", 0,
      "Train nothing: write what --load's model says of these rows to predictions.csv and .npy in --out (- is the "
      "standard output: CSV). Columns are found by name, others are not read; without names, by position. A --target is left out",
      3 },
    { 0, 0, 0, 0, "Output:", 4 },
    { "out", KEY_OUT, "DIR", 0, "Folder for what the run leaves", 4 },
    { "overwrite", KEY_OVERWRITE, 0, 0, "Replace the run that the folder holds", 4 },
    { "verbose", KEY_VERBOSE, "0|1|2", 0,
      "Epochs: not shown (0), as a bar on a terminal and a line elsewhere, of many short ones a few (1), as lines (2)",
      4 },
    { "profile", KEY_PROFILE, 0, 0, "After training, show where its time went, as does LUGE_PROFILE=1", 4 },
    { "dry-run", KEY_DRY_RUN, 0, 0, "Read the data, show data and model, and stop before training", 4 },
};

#define SHARED_COUNT (sizeof shared_options / sizeof *shared_options)
#define MOST_LOSS_PARAMS 16

/* What the parsers work on; argp hands a pointer to this around. */
typedef struct command_line {
    const trainer *about;
    trainer_options *options;
    trainer_options defaults; /* the options before the command line changed them */
    const char *loss_params[MOST_LOSS_PARAMS];
    size_t loss_param_count;
    const char *not_for_predict, *not_for_load; /* an option that was given and has no meaning with these */
} command_line;

/* The default of a shared option as text; "" for one without. */
static void default_text(int key, const command_line *line, char *text, size_t bytes)
{
    const trainer_options *options = &line->defaults;
    text[0] = '\0';
    switch (key) {
    case KEY_DATA: snprintf(text, bytes, "embedded data"); break;
    case KEY_MISSING: snprintf(text, bytes, "error"); break;
    case KEY_INDEX_BASE: snprintf(text, bytes, "auto"); break;
    case KEY_SKIP_LINES: snprintf(text, bytes, "%zu", options->skip_lines); break;
    case KEY_VALIDATION_SPLIT: snprintf(text, bytes, "%g", options->validation_split); break;
    case KEY_TEST_SPLIT: snprintf(text, bytes, "%g", options->test_split); break;
    case KEY_EPOCHS:
        if (line->about->epochs)
            snprintf(text, bytes, "%s", line->about->epochs);
        else
            snprintf(text, bytes, "%zu", options->epochs);
        break;
    case KEY_BATCH_SIZE: snprintf(text, bytes, "%zu", options->batch_size); break;
    case KEY_OPTIMIZER: snprintf(text, bytes, "%s", options->optimizer); break;
    case KEY_LR:
        if (line->about->rate)
            snprintf(text, bytes, "%s", line->about->rate);
        else
            snprintf(text, bytes, "%g", options->learning_rate);
        break;
    case KEY_LOSS: snprintf(text, bytes, "%s", options->loss); break;
    case KEY_EARLY_STOPPING:
        snprintf(text, bytes, options->early_stopping ? "%zu" : "off", options->early_stopping);
        break;
    case KEY_CLIP_NORM: snprintf(text, bytes, options->clip_norm > 0 ? "%g" : "off", options->clip_norm); break;
    case KEY_SAVE_EVERY: snprintf(text, bytes, "off"); break;
    case KEY_SEED: snprintf(text, bytes, "%llu", (unsigned long long)options->seed); break;
    case KEY_THREADS: snprintf(text, bytes, "%zu", lg_num_threads()); break;
    case KEY_OUT:
        snprintf(text, bytes, "runs/%s; if that is there runs/%s-2, -3, ...", line->about->name, line->about->name);
        break;
    case KEY_VERBOSE: snprintf(text, bytes, "1"); break;
    default: break;
    }
}

/* argp's filter of help texts: what it returns, it frees, unless it is the text itself. */
static char *show_default(int key, const char *text, void *input)
{
    const command_line *line = input;
    char value[256], names[256] = "", *longer = NULL;
    if (!line || key < KEY_DATA)
        return (char *)(uintptr_t)text;
    for (size_t i = 0; key == KEY_OPTIMIZER && lg_optimizer_known(i); i++)
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", i ? ", " : "One of ",
                 lg_optimizer_known(i));
    default_text(key, line, value, sizeof value);
    if (asprintf(&longer, value[0] ? "%s%s (default: %s)" : "%s%s", text ? text : "", names, value) < 0)
        return (char *)(uintptr_t)text;
    return longer;
}

/* -------------------------------------------------------------- optimizers */

/* An optimizer of this name is made on an empty set, for the sake of the message. */
static void check_optimizer(struct argp_state *state, const char *name)
{
    lg_params *params = lg_params_new();
    lg_optimizer *optimizer = lg_optimizer_by_name(name, params, 0);
    if (!optimizer)
        argp_error(state, "--optimizer: %s", lg_error());
    lg_optimizer_free(optimizer);
    lg_params_free(params);
}

/* ----------------------------------------------------------- loaded models */

static bool is_one_of(const char *name, const char *const *names)
{
    for (; names && *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

/* Takes note of options that say how to train, and of those that a loaded model decides. */
static void note_given(command_line *line, int key, const struct argp_option *options, size_t count)
{
    static const char *const for_predict[] = { "load", "predict", "target", "labels", "skip-lines", "index-base", "threads",
                                               "out", "overwrite", "verbose", "list-losses", NULL };
    const bool shared = options == shared_options;
    for (size_t i = 0; i < count && key; i++) {
        if (options[i].key != key)
            continue;
        if ((!shared || !is_one_of(options[i].name, for_predict)) &&
            !is_one_of(options[i].name, line->about->for_predict))
            line->not_for_predict = options[i].name;
        if (!shared && is_one_of(options[i].name, line->about->of_model))
            line->not_for_load = options[i].name;
    }
}

static void check_load(struct argp_state *state, const command_line *line)
{
    const trainer_options *options = line->options;
    if (options->predict && !options->load)
        argp_error(state, "--predict needs --load: the model to predict by");
    if (options->predict && line->not_for_predict)
        argp_error(state, "--predict trains nothing: no --%s", line->not_for_predict);
    if (options->load && line->not_for_load)
        argp_error(state, "--load: the model decides that: no --%s", line->not_for_load);
}

/* ------------------------------------------------------------------ parser */

static error_t parse_shared(int key, char *arg, struct argp_state *state)
{
    command_line *line = state->input;
    trainer_options *options = line->options;
    const argument_range share = { 0, 1, false, true }, positive = { 0, INFINITY, true, true };
    note_given(line, key, shared_options, SHARED_COUNT);
    switch (key) {
    case KEY_DATA: options->data = arg; break;
    case KEY_TARGET: options->target = arg; break;
    case KEY_LABELS: options->labels = arg; break;
    case KEY_SKIP_LINES: options->skip_lines = argument_count(state, "--skip-lines", arg, 0, 1000000); break;
    case KEY_DROP: argument_names(state, "--drop", arg, TRAINER_MOST_DROPPED, options->drop); break;
    case KEY_INDEX_BASE: options->index_base = argument_choice(state, "--index-base", arg, INDEX_BASE_CHOICES); break;
    case KEY_MISSING: options->missing = argument_choice(state, "--missing", arg, MISSING_CHOICES); break;
    case KEY_VALIDATION_SPLIT:
        options->validation_split = argument_real(state, "--validation-split", arg, share);
        break;
    case KEY_TEST_SPLIT: options->test_split = argument_real(state, "--test-split", arg, share); break;
    case KEY_EPOCHS: options->epochs = argument_count(state, "--epochs", arg, 1, 1000000); break;
    case KEY_BATCH_SIZE: options->batch_size = argument_count(state, "--batch-size", arg, 1, 100000000); break;
    case KEY_OPTIMIZER: check_optimizer(state, options->optimizer = arg); break;
    case KEY_LR: options->learning_rate = argument_real(state, "--lr", arg, positive); break;
    case KEY_LOSS: options->loss = arg; break;
    case KEY_LOSS_PARAM:
        if (line->loss_param_count == MOST_LOSS_PARAMS)
            argp_error(state, "--loss-param: given more than %d times", MOST_LOSS_PARAMS);
        line->loss_params[line->loss_param_count++] = arg;
        break;
    case KEY_LIST_LOSSES: loss_list(line->about->tasks); break;
    case KEY_EARLY_STOPPING:
        options->early_stopping = argument_count(state, "--early-stopping", arg, 1, 1000000);
        break;
    case KEY_CLIP_NORM: options->clip_norm = argument_real(state, "--clip-norm", arg, positive); break;
    case KEY_SEED: options->seed = argument_count(state, "--seed", arg, 0, INT64_MAX); break;
    case KEY_THREADS:
        lg_set_num_threads(options->threads = argument_count(state, "--threads", arg, 1, LG_MAX_THREADS));
        break;
    case KEY_SAVE_EVERY: options->save_every = argument_count(state, "--save-every", arg, 1, 1000000); break;
    case KEY_LOAD:
    case KEY_PREDICT:
        if (!*arg)
            argp_error(state, "--%s: the name of a file is wanted", key == KEY_LOAD ? "load" : "predict");
        *(key == KEY_LOAD ? &options->load : &options->predict) = arg;
        break;
    case KEY_RESUME:
        if (!*arg)
            argp_error(state, "--resume: the name of a checkpoint or of a folder is wanted");
        options->resume = arg;
        break;
    case KEY_OUT:
        if (!*arg)
            argp_error(state, "--out: the name of a folder is wanted");
        options->out = arg;
        break;
    case KEY_OVERWRITE: options->overwrite = true; break;
    case KEY_VERBOSE:
        options->verbose = (lg_verbose[]){ LG_SILENT, LG_PROGRESS,
                                           LG_LINES }[argument_choice(state, "--verbose", arg, "0|1|2")];
        break;
    case KEY_PROFILE: options->profile = true; break;
    case KEY_DRY_RUN: options->dry_run = true; break;
    case ARGP_KEY_END:
        check_load(state, line);
        if (options->labels && !options->data && !options->predict)
            argp_error(state, "--labels needs --data");
        if (options->labels && options->target)
            argp_error(state, "--labels and --target: only one of them can say what is to be predicted");
        if (options->validation_split + options->test_split >= 1)
            argp_error(state, "--validation-split and --test-split: %g and %g leave nothing to train on",
                       options->validation_split, options->test_split);
        if (options->early_stopping && options->validation_split == 0)
            argp_error(state, "--early-stopping: needs a --validation-split above 0");
        if (options->resume && (options->out || options->overwrite))
            argp_error(state, "--resume goes on in the folder of its checkpoint: no %s",
                       options->out ? "--out" : "--overwrite");
        if (line->about->tasks)
            loss_settle(state, line->about->tasks, options->loss, line->loss_param_count, line->loss_params,
                        &options->loss_spec);
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

/* The trainer's own options, with the shared ones below. */
static error_t parse_all(int key, char *arg, struct argp_state *state)
{
    command_line *line = state->input;
    if (key == ARGP_KEY_INIT)
        state->child_inputs[0] = line;
    if (key == ARGP_KEY_ARG)
        argp_error(state, "\"%s\" belongs to no option", arg);
    size_t own = 0;
    while (line->about->options && (line->about->options[own].key || line->about->options[own].doc))
        own++;
    note_given(line, key, line->about->options, own);
    state->input = line->options;
    return line->about->parser ? line->about->parser(key, arg, state) : ARGP_ERR_UNKNOWN;
}

static void print_version(FILE *stream, struct argp_state *state)
{
    fprintf(stream, "%s (luge) %s, %s\n", state->name, lg_version(), LG_REAL_BITS == 64 ? "double" : "float");
}

/* At exit: what could not be written to stdout is a failure, though the program has ended by then. Nobody reads a pipe
 * that was closed, so that needs no message. */
static void check_output(void)
{
    errno = 0;
    bool failed = fflush(stdout) != 0;
    failed |= ferror(stdout) != 0;
    if (!failed)
        return;
    if (errno != EPIPE)
        fprintf(stderr, "%s: standard output: %s\n", program_invocation_short_name, strerror(errno ? errno : EIO));
    _exit(EXIT_FAILURE);
}

static bool is_left_out(const trainer *about, const char *name)
{
    static const char *const of_models[] = { "load", "predict", NULL };
    if (name && (is_one_of(name, about->without) || (!about->kind && is_one_of(name, of_models))))
        return true;
    return name && !about->tasks && strstr(name, "loss") != NULL;
}

void program_begin(void)
{
    atexit(check_output);
    argp_err_exit_status = 2;
    argp_program_version_hook = print_version;
}

void trainer_parse(const trainer *about, void *options, int argc, char **argv)
{
    struct argp_option kept[SHARED_COUNT + 1] = { 0 };
    size_t count = 0;
    for (size_t i = 0; i < SHARED_COUNT; i++)
        if (!is_left_out(about, shared_options[i].name))
            kept[count++] = shared_options[i];
    for (size_t i = 0; i < count; i++) {
        const char *other = kept[i].key == KEY_LOAD ? about->load : kept[i].key == KEY_PREDICT ? about->predict : NULL;
        kept[i].doc = other ? other : kept[i].doc;
    }
    const struct argp shared = { .options = kept, .parser = parse_shared, .help_filter = show_default };
    const struct argp_child children[] = { { &shared, 0, NULL, 0 }, { 0 } };

    char *doc = NULL;
    if (asprintf(&doc, "%s\v%s", about->summary, about->examples) < 0)
        doc = NULL;
    const struct argp all = { .options = about->options, .parser = parse_all, .doc = doc, .children = children };
    command_line line = { .about = about, .options = options, .defaults = *(trainer_options *)options };

    program_begin();
    char *path = argv[0];
    argv[0] = program_invocation_short_name; /* getopt begins its messages with this, argp with the short name */
    error_t failure = argp_parse(&all, argc, argv, 0, NULL, &line);
    argv[0] = path;
    free(doc);
    if (failure) {
        fprintf(stderr, "%s: %s\n", program_invocation_short_name, strerror(failure));
        exit(EXIT_FAILURE);
    }
}
