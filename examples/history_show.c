#include "history_show.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of a long run these many epochs are shown at its beginning and at its end. */
enum { FIRST_EPOCHS = 5, LAST_EPOCHS = 10, MOST_EPOCHS = 25 };

const char *history_number(double value, char *text)
{
    snprintf(text, HISTORY_NUMBER_BYTES, isnan(value) ? "nan" : "%.5g", value); /* of NaN no sign */
    return text;
}

/* A row by which a run is judged: the best of its column. */
static const char *judging_column(const history_run *run)
{
    return lg_history_has(run->history, "val_loss") ? "val_loss" : "loss";
}

typedef struct table {
    const history_run *run;
    const history_show_options *options;
    bool *shown;   /* [columns of the history] */
    size_t *width; /* the same */
    size_t columns, left_out;
    bool has_best;
    size_t best;   /* row */
} table;

static const char *cell(const table *t, size_t column, size_t row, char *text)
{
    const char *name = lg_history_column_name(t->run->history, column);
    const double value = history_values(t->run, name)[row];
    if (column > 0)
        return history_number(value, text);
    snprintf(text, HISTORY_NUMBER_BYTES, "%.0f", value);
    return text;
}

/* Whether a row is shown: of a long run those at both ends and the best. */
static bool row_is_shown(const table *t, size_t row)
{
    const size_t rows = t->run->rows;
    return t->options->all_epochs || rows <= MOST_EPOCHS || row < FIRST_EPOCHS || row + LAST_EPOCHS >= rows ||
           (t->has_best && row == t->best);
}

static void measure(table *t)
{
    char text[HISTORY_NUMBER_BYTES];
    for (size_t c = 0; c < t->columns; c++) {
        t->width[c] = history_width(lg_history_column_name(t->run->history, c));
        for (size_t row = 0; row < t->run->rows; row++) {
            const size_t width = row_is_shown(t, row) ? strlen(cell(t, c, row, text)) : 0;
            if (width > t->width[c])
                t->width[c] = width;
        }
    }
}

/* Those asked for; otherwise epoch, losses and what else there is room for: validation first, since it counts more. */
static void choose_columns(table *t)
{
    const history_show_options *options = t->options;
    t->shown[0] = true;
    for (size_t c = 1; c < t->columns; c++) {
        const char *name = lg_history_column_name(t->run->history, c);
        t->shown[c] = options->all_columns;
        for (size_t k = 0; k < options->count; k++)
            t->shown[c] |= strcmp(options->columns[k], name) == 0;
    }
    if (options->all_columns || options->count)
        return;
    static const char *const turns[] = { "loss", "val_loss", "val_", "" };
    const size_t mark = strlen("  < best val_loss");
    size_t used = t->width[0] + mark;
    for (size_t turn = 0; turn < sizeof turns / sizeof *turns; turn++)
        for (size_t c = 1; c < t->columns; c++) {
            const char *name = lg_history_column_name(t->run->history, c);
            const size_t bytes = strlen(turns[turn]) + (turn < 2); /* the first two are whole names */
            const bool fits = strncmp(name, turns[turn], bytes) == 0;
            if (t->shown[c] || !fits || used + 2 + t->width[c] > options->width)
                continue;
            t->shown[c] = true;
            used += 2 + t->width[c];
        }
    for (size_t c = 1; c < t->columns; c++)
        t->left_out += !t->shown[c];
}

static void print_epochs(const table *t)
{
    char text[HISTORY_NUMBER_BYTES];
    for (size_t c = 0; c < t->columns; c++)
        if (t->shown[c]) {
            fputs(c ? "  " : "", stdout);
            history_pad(lg_history_column_name(t->run->history, c), (int)t->width[c]);
        }
    fputs("\n", stdout);
    for (size_t row = 0; row < t->run->rows; row++) {
        if (!row_is_shown(t, row)) {
            if (row_is_shown(t, row - 1)) {
                history_pad("...", (int)t->width[0]);
                fputs("\n", stdout);
            }
            continue;
        }
        for (size_t c = 0; c < t->columns; c++)
            if (t->shown[c])
                printf("%s%*s", c ? "  " : "", (int)t->width[c], cell(t, c, row, text));
        printf(t->has_best && row == t->best ? "  < best %s\n" : "\n", judging_column(t->run));
    }
    if (t->left_out)
        printf("%zu more column%s: --columns all\n", t->left_out, t->left_out == 1 ? "" : "s");
}

/* What to say of a column whose direction nobody knows is its last value alone. */
static void print_best(const table *t)
{
    static const char *const directions[] = { "", "lower", "higher" };
    size_t name_width = strlen("column");
    for (size_t c = 1; c < t->columns; c++) {
        const size_t width = history_width(lg_history_column_name(t->run->history, c));
        name_width = width > name_width ? width : name_width;
    }
    printf("\n%-*s  better  %12s  %7s  %12s\n", (int)name_width, "column", "best", "epoch", "last");
    for (size_t c = 1; c < t->columns; c++) {
        const char *name = lg_history_column_name(t->run->history, c);
        if (t->options->count && !t->shown[c])
            continue;
        const double *values = history_values(t->run, name), *epoch = history_values(t->run, "epoch");
        const history_better better = history_better_of(name, t->options->lower, t->options->higher);
        char best[HISTORY_NUMBER_BYTES] = "-", last[HISTORY_NUMBER_BYTES], at[HISTORY_NUMBER_BYTES] = "-";
        size_t row;
        if (history_best(t->run, name, better, &row)) {
            history_number(values[row], best);
            snprintf(at, sizeof at, "%.0f", epoch[row]);
        }
        history_pad(name, -(int)name_width);
        printf("  %-6s  %12s  %7s  %12s\n", better ? directions[better] : "-", best, at,
               history_number(values[t->run->rows - 1], last));
    }
}

static lg_status show_run(const history_run *run, const history_show_options *options)
{
    const size_t columns = lg_history_column_count(run->history);
    table t = { .run = run, .options = options, .columns = columns, .shown = calloc(columns, sizeof *t.shown),
                .width = calloc(columns, sizeof *t.width) };
    lg_status status = t.shown && t.width ? LG_OK : lg_fail(LG_E_MEMORY, "out of memory for %zu columns", columns);
    if (status == LG_OK) {
        const char *judging = judging_column(run);
        t.has_best = history_best(run, judging, history_better_of(judging, options->lower, options->higher), &t.best);
        measure(&t);
        choose_columns(&t);
        printf("%s: %zu epoch%s, %zu column%s\n\n", run->label, run->rows, run->rows == 1 ? "" : "s", columns,
               columns == 1 ? "" : "s");
        print_epochs(&t);
        print_best(&t);
    }
    free(t.shown);
    free(t.width);
    return status;
}

lg_status history_show(const history_runs *all, const history_show_options *options)
{
    lg_status status = LG_OK;
    for (size_t i = 0; i < all->count && status == LG_OK; i++) {
        fputs(i ? "\n" : "", stdout);
        status = show_run(&all->runs[i], options);
    }
    return status;
}
