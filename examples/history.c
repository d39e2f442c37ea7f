/* Looks at the histories of trainings, the files history.csv and history.jsonl that every trainer leaves:
 *
 *     history show runs/fraud                              a table, and the best epoch of each column
 *     history plot runs/fraud runs/fraud-2                 curves in the terminal
 *     history compare runs/fraud* --out compare.svg        a table of runs, and a picture */
#include "history_compare.h"
#include "history_plot.h"
#include "history_runs.h"
#include "history_show.h"
#include "trainer.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_COLUMNS = 64, LEAST_WIDTH = 20, MOST_WIDTH = 1000, LEAST_HEIGHT = 5 };
enum { KEY_COLUMNS = 0x1000, KEY_ALL, KEY_LOWER, KEY_HIGHER, KEY_LOG, KEY_WIDTH, KEY_HEIGHT, KEY_OUT };

typedef enum command { SHOW, PLOT, COMPARE, COMMANDS } command;
static const char *const command_names[COMMANDS] = { "show", "plot", "compare" };

typedef struct history_options {
    bool has_command;
    command command;
    const char **files;
    size_t file_count;
    const char *columns[MOST_COLUMNS + 1], *lower[MOST_COLUMNS + 1], *higher[MOST_COLUMNS + 1];
    size_t column_count; /* 0: as the command sees fit */
    bool all_columns, all_epochs, log_scale;
    size_t width, height; /* 0: of the terminal */
    const char *out;
} history_options;

static const struct argp_option option_table[] = {
    { "columns", KEY_COLUMNS, "NAME,...", 0,
      "Columns to look at; all: every one (default: show: epoch, losses and what else there is room for; plot of one file: "
      "its losses; otherwise val_loss where every file has it, else loss)", 1 },
    { 0, 0, 0, 0, "Of show and compare:", 2 },
    { "lower", KEY_LOWER, "NAME,...", 0, "Columns of which the lowest value is best", 2 },
    { "higher", KEY_HIGHER, "NAME,...", 0, "Columns of which the highest value is best", 2 },
    { 0, 0, 0, 0, "Of show:", 3 },
    { "all", KEY_ALL, 0, 0, "Every epoch; without it a long run is cut in the middle", 3 },
    { 0, 0, 0, 0, "Of plot and compare:", 4 },
    { "log", KEY_LOG, 0, 0, "Logarithmic vertical axis", 4 },
    { 0, 0, 0, 0, "Of show and plot:", 5 },
    { "width", KEY_WIDTH, "N", 0, "Characters across (default: the terminal's, in a pipe 80)", 5 },
    { 0, 0, 0, 0, "Of plot:", 6 },
    { "height", KEY_HEIGHT, "N", 0, "Lines down, without the legend (default: 20, or what the terminal has)", 6 },
    { 0, 0, 0, 0, "Of compare:", 7 },
    { "out", KEY_OUT, "FILE", 0, "Picture to draw, by gnuplot: a name that ends in .svg or .png (default: none)", 7 },
    { 0 }
};

static bool is_one(const char *text, const char *word)
{
    return strcmp(text, word) == 0;
}

static void take_columns(struct argp_state *state, history_options *options, const char *text)
{
    options->all_columns = is_one(text, "all");
    options->column_count =
        options->all_columns ? 0 : argument_names(state, "--columns", text, MOST_COLUMNS, options->columns);
}

static void take_argument(struct argp_state *state, history_options *options, const char *text)
{
    if (options->has_command) {
        options->files[options->file_count++] = text;
        return;
    }
    for (size_t c = 0; c < COMMANDS; c++)
        if (is_one(text, command_names[c])) {
            options->command = (command)c;
            options->has_command = true;
            return;
        }
    argp_error(state, "\"%s\" is no command: show, plot or compare is wanted", text);
}

/* An option that the command has no use for is a mistake. */
static void refuse(struct argp_state *state, const history_options *options, bool given, const char *option)
{
    if (given)
        argp_error(state, "%s has no meaning for %s", option, command_names[options->command]);
}

static void check_whole(struct argp_state *state, const history_options *options)
{
    const command wanted = options->command;
    if (!options->has_command)
        argp_error(state, "a command is wanted: show, plot or compare");
    if (options->file_count == 0)
        argp_error(state, "%s: a file is wanted, or a folder with a history.csv", command_names[wanted]);
    refuse(state, options, wanted != SHOW && options->all_epochs, "--all");
    refuse(state, options, wanted == PLOT && options->lower[0], "--lower");
    refuse(state, options, wanted == PLOT && options->higher[0], "--higher");
    refuse(state, options, wanted == SHOW && options->log_scale, "--log");
    refuse(state, options, wanted == COMPARE && options->width, "--width");
    refuse(state, options, wanted != PLOT && options->height, "--height");
    refuse(state, options, wanted != COMPARE && options->out, "--out");
    for (size_t i = 0; options->lower[i]; i++)
        for (size_t k = 0; options->higher[k]; k++)
            if (is_one(options->lower[i], options->higher[k]))
                argp_error(state, "--lower and --higher: both have \"%s\"", options->lower[i]);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    history_options *options = state->input;
    switch (key) {
    case KEY_COLUMNS: take_columns(state, options, arg); break;
    case KEY_ALL: options->all_epochs = true; break;
    case KEY_LOWER: argument_names(state, "--lower", arg, MOST_COLUMNS, options->lower); break;
    case KEY_HIGHER: argument_names(state, "--higher", arg, MOST_COLUMNS, options->higher); break;
    case KEY_LOG: options->log_scale = true; break;
    case KEY_WIDTH: options->width = argument_count(state, "--width", arg, LEAST_WIDTH, MOST_WIDTH); break;
    case KEY_HEIGHT: options->height = argument_count(state, "--height", arg, LEAST_HEIGHT, MOST_WIDTH); break;
    case KEY_OUT: {
        const char *dot = strrchr(arg, '.');
        if (!history_picture_is_png(arg) && !(dot && strcasecmp(dot, ".svg") == 0))
            argp_error(state, "--out: \"%s\" ends neither in .svg nor in .png", arg);
        options->out = arg;
        break;
    }
    case ARGP_KEY_ARG: take_argument(state, options, arg); break;
    case ARGP_KEY_END: check_whole(state, options); break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

/* ---------------------------------------------------------------- commands */

/* What is drawn: as asked for; of one run its losses (of an autoencoder's ten columns nobody sees much). */
static size_t choose_columns(const history_options *options, const history_runs *all, const char **columns, size_t most)
{
    size_t count = 0;
    if (options->column_count) {
        memcpy(columns, options->columns, options->column_count * sizeof *columns);
        return options->column_count;
    }
    for (size_t i = 0; options->all_columns && i < all->count; i++)
        for (size_t c = 1; c < lg_history_column_count(all->runs[i].history); c++) {
            const char *name = lg_history_column_name(all->runs[i].history, c);
            bool there = false;
            for (size_t k = 0; k < count; k++)
                there |= is_one(columns[k], name);
            if (!there && count < most)
                columns[count++] = name;
        }
    if (options->all_columns)
        return count;
    if (all->count == 1 && options->command == PLOT && history_values(&all->runs[0], "loss") &&
        history_values(&all->runs[0], "val_loss"))
        columns[count++] = "loss";
    const char *column = history_runs_column(all);
    if (column)
        columns[count++] = column;
    return count;
}

static lg_status plot(const history_options *options, const history_runs *all, size_t count, const char *const *columns)
{
    const char *terminal = getenv("TERM"), *plain = getenv("NO_COLOR");
    size_t width = 80, height = 26;
    history_terminal(&width, &height);
    const size_t room = height > count * all->count + 2 + LEAST_HEIGHT ? height - count * all->count - 2 : LEAST_HEIGHT;
    return history_plot(all, &(history_plot_options){
                                 .count = count,
                                 .columns = columns,
                                 .width = options->width ? options->width : width > MOST_WIDTH ? MOST_WIDTH : width,
                                 .height = options->height ? options->height : room < 20 ? room : 20,
                                 .log_scale = options->log_scale,
                                 .utf8 = history_utf8(),
                                 .colors = isatty(STDOUT_FILENO) && terminal && !is_one(terminal, "dumb") &&
                                           !(plain && *plain) });
}

static lg_status compare(const history_options *options, const history_runs *all, size_t count, const char *const *columns)
{
    history_compare_table(all, columns[0], history_better_of(columns[0], options->lower, options->higher));
    if (!options->out)
        return LG_OK;
    lg_status status = history_compare_picture(all, &(history_picture_options){ count, columns, options->log_scale },
                                               options->out);
    if (status == LG_OK)
        printf("\n%s\n", options->out);
    return status;
}

static lg_status obey(const history_options *options, const history_runs *all)
{
    const char *columns[MOST_COLUMNS];
    size_t width = 80, height;
    lg_status status = history_runs_check(all, options->column_count, options->columns);
    if (status != LG_OK)
        return status;
    if (options->command == SHOW) {
        history_terminal(&width, &height);
        return history_show(all, &(history_show_options){ .count = options->column_count,
                                                          .columns = options->columns,
                                                          .all_columns = options->all_columns,
                                                          .all_epochs = options->all_epochs,
                                                          .width = options->width ? options->width : width,
                                                          .lower = options->lower,
                                                          .higher = options->higher });
    }
    const size_t count = choose_columns(options, all, columns, MOST_COLUMNS);
    if (count == 0)
        return lg_fail(LG_E_PARAM, "%s: no column but the epochs", all->runs[0].path);
    return options->command == PLOT ? plot(options, all, count, columns) : compare(options, all, count, columns);
}

static const char summary[] =
    "Looks at the histories of trainings: FILE is the history.csv or history.jsonl of a run (the content tells which), "
    "or the folder with it, or - for standard input.\n\n"
    "  show     a table of the epochs, and the best epoch of each column\n"
    "  plot     curves in the terminal\n"
    "  compare  a table of several runs, and with --out a picture of them";

static const char examples[] = "Examples:\n"
                               "  history show runs/fraud\n"
                               "  history show runs/fraud --columns loss,val_loss --all\n"
                               "  history plot runs/fraud --log\n"
                               "  history plot runs/fraud runs/fraud-2 --columns val_roc_auc\n"
                               "  history compare runs/fraud runs/fraud-2 --out compare.svg";

int main(int argc, char **argv)
{
    static history_options options; /* the names in it live as long as the program */
    options.files = calloc((size_t)argc, sizeof *options.files);
    char *doc = NULL;
    if (!options.files || asprintf(&doc, "%s\v%s\n\n%s", summary, history_better_rule, examples) < 0)
        return trainer_end(lg_fail(LG_E_MEMORY, "out of memory"), 0);
    setlocale(LC_CTYPE, ""); /* what the terminal can show; numbers keep their point */
    program_begin();
    char *path = argv[0];
    argv[0] = program_invocation_short_name;
    const struct argp about = { .options = option_table, .parser = parse, .args_doc = "show|plot|compare FILE...", .doc = doc };
    error_t failure = argp_parse(&about, argc, argv, 0, NULL, &options);
    argv[0] = path;
    history_runs all;
    lg_status status = failure ? lg_fail(LG_E_MEMORY, "%s", strerror(failure))
                               : history_runs_read(&all, options.file_count, options.files);
    if (status == LG_OK) {
        status = obey(&options, &all);
        history_runs_free(&all);
    }
    free(doc);
    free(options.files);
    return trainer_end(status, 0);
}
