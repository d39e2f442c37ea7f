#include "plot.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

/* Says once why there are no pictures. */
static void no_picture(const char *reason)
{
    static bool said;
    if (!said)
        fprintf(stderr, "%s: no pictures: %s\n", program_invocation_short_name, reason);
    said = true;
}

/* gnuplot reports success even where its output did not fit on the disk: a picture must be whole, and if it is not, this
 * tells whose fault it was. */
static bool has_room(FILE *file)
{
    char block[65536] = { 0 };
    return fseek(file, 0, SEEK_END) == 0 && fwrite(block, 1, sizeof block, file) == sizeof block && fflush(file) == 0 &&
           fsync(fileno(file)) == 0;
}

static bool is_whole_svg(FILE *picture)
{
    char tail[32] = "";
    return fseek(picture, -(long)(sizeof tail - 1), SEEK_END) == 0 &&
           fread(tail, 1, sizeof tail - 1, picture) == sizeof tail - 1 && strstr(tail, "</svg>") != NULL;
}

lg_status plot_draw(run *r, const char *file, plot_script *script, const void *context)
{
    run_file picture;
    lg_status status = run_file_begin(&picture, r, file);
    if (status != LG_OK)
        return status;

    const char *failure = gnuplot_run(fileno(picture.stream),
                                      "svg size 720,480 noenhanced background '#ffffff' font 'sans,13'", script, context);
    const bool drawn = !failure;
    if (failure)
        no_picture(failure);
    if (drawn && is_whole_svg(picture.stream))
        return run_file_end(&picture);
    if (drawn && !has_room(picture.stream)) {
        status = lg_fail(LG_E_IO, "%s/%s: %s", run_folder(r), file, strerror(errno));
    } else if (drawn) {
        no_picture("gnuplot gave no whole picture");
    }
    run_file_discard(&picture);
    return status;
}

/* ---------------------------------------------------------------- pictures */

typedef struct loss_picture {
    const lg_history *history;
    const char *title;
} loss_picture;

/* The loss of the training rows: where they are evaluated after each epoch, that; else what it was on the way. */
static const char *training_loss(const lg_history *history)
{
    return lg_history_has(history, "train_loss") ? "train_loss" : "loss";
}

/* A column by epoch, as a data block of gnuplot. What is not finite leaves a gap. */
static void write_column(FILE *gnuplot, const lg_history *history, const char *block, const char *name)
{
    size_t rows;
    const double *epoch = lg_history_column(history, "epoch", NULL);
    const double *value = lg_history_column(history, name, &rows);
    fprintf(gnuplot, "$%s << END\n", block);
    for (size_t i = 0; i < rows; i++)
        if (isfinite(value[i]))
            fprintf(gnuplot, "%.0f %.9g\n", epoch[i], value[i]);
        else
            fputs("\n", gnuplot);
    fputs("END\n", gnuplot);
}

/* Whether no value of a column is below 0, so that the axis can begin there. */
static bool is_positive(const lg_history *history, const char *name)
{
    size_t rows = 0;
    const double *value = lg_history_has(history, name) ? lg_history_column(history, name, &rows) : NULL;
    for (size_t i = 0; i < rows; i++)
        if (value[i] < 0)
            return false;
    return true;
}

static void loss_script(FILE *gnuplot, const void *context)
{
    const loss_picture *picture = context;
    const lg_history *history = picture->history;
    const bool validated = lg_history_has(history, "val_loss");
    const double epochs = (double)lg_history_rows(history), margin = 0.5 + epochs / 100;
    write_column(gnuplot, history, "loss", training_loss(history));
    if (validated)
        write_column(gnuplot, history, "val_loss", "val_loss");
    fputs("set title ", gnuplot);
    plot_string(gnuplot, picture->title);
    fprintf(gnuplot,
            "\nset xlabel 'epoch'\nset ylabel 'loss'\nset key top right\nset grid lc rgb '#dddddd'\n"
            "set border 3\nset tics nomirror\nset xrange [%g:%g]\nset yrange [%s:*]\n%s",
            1 - margin, epochs + margin,
            is_positive(history, training_loss(history)) && is_positive(history, "val_loss") ? "0" : "*",
            epochs <= 20 ? "set xtics 1\n" : "");
    const char *mark = epochs <= 40 ? "pt 7 ps 0.5" : "pt -1";
    fprintf(gnuplot, "plot $loss using 1:2 with linespoints lc rgb '#1f6fb4' lw 2 %s title 'training'", mark);
    if (validated)
        fprintf(gnuplot, ", $val_loss using 1:2 with linespoints lc rgb '#d9622b' lw 2 %s title 'validation'", mark);
    fputs("\n", gnuplot);
}

lg_status plot_loss(run *r, const lg_history *history, const char *title)
{
    const double *loss = lg_history_column(history, training_loss(history), NULL);
    bool drawable = false;
    for (size_t i = 0; loss && i < lg_history_rows(history); i++)
        drawable |= isfinite(loss[i]);
    if (!drawable)
        return LG_OK;
    return plot_draw(r, "loss.svg", loss_script, &(loss_picture){ history, title });
}

typedef struct confusion_picture {
    size_t classes;
    const size_t *counts;
    const char *const *names;
    const char *title;
} confusion_picture;

static void write_tics(FILE *gnuplot, char axis, const confusion_picture *picture)
{
    fprintf(gnuplot, "set %ctics scale 0 (", axis);
    for (size_t i = 0; i < picture->classes; i++) {
        fputs(i ? ", " : "", gnuplot);
        plot_string(gnuplot, picture->names[i]);
        fprintf(gnuplot, " %zu", i);
    }
    fputs(")\n", gnuplot);
}

/* A rectangle per cell, as dark as its share of the row, with the count and the share in it. */
static void confusion_script(FILE *gnuplot, const void *context)
{
    const confusion_picture *picture = context;
    const size_t classes = picture->classes;
    for (size_t t = 0; t < classes; t++) {
        size_t row = 0;
        for (size_t p = 0; p < classes; p++)
            row += picture->counts[t * classes + p];
        for (size_t p = 0; p < classes; p++) {
            const size_t count = picture->counts[t * classes + p];
            const double share = row ? (double)count / (double)row : 0;
            const int red = 247 - (int)(217 * share), green = 250 - (int)(151 * share), blue = 253 - (int)(78 * share);
            fprintf(gnuplot,
                    "set object rectangle from %g,%g to %g,%g fc rgb '#%02x%02x%02x' fs solid border rgb '#ffffff' "
                    "lw 2\nset label '%zu' at %zu,%g center front font ',%d' tc rgb '%s'\n"
                    "set label '%.1f%% of row' at %zu,%g center front font ',%d' tc rgb '%s'\n",
                    (double)p - 0.5, (double)t - 0.5, (double)p + 0.5, (double)t + 0.5, (unsigned)red, (unsigned)green,
                    (unsigned)blue, count, p, (double)t - 0.05, classes <= 3 ? 22 : 12,
                    share > 0.5 ? "#ffffff" : "#222222", 100 * share, p, (double)t + 0.14, classes <= 3 ? 12 : 8,
                    share > 0.5 ? "#ffffff" : "#555555");
        }
    }
    fputs("set title ", gnuplot);
    plot_string(gnuplot, picture->title);
    fprintf(gnuplot, "\nset xlabel 'predicted'\nset ylabel 'true'\nunset key\nset border 0\nset size ratio 0.8\n"
                     "set ytics rotate by 90 center\nset xrange [-0.5:%g]\nset yrange [%g:-0.5]\n",
            (double)classes - 0.5, (double)classes - 0.5);
    write_tics(gnuplot, 'x', picture);
    write_tics(gnuplot, 'y', picture);
    fputs("plot -1e9 notitle\n", gnuplot);
}

lg_status plot_confusion(run *r, size_t classes, const size_t *counts, const char *const *names, const char *title)
{
    return plot_draw(r, "confusion.svg", confusion_script, &(confusion_picture){ classes, counts, names, title });
}
