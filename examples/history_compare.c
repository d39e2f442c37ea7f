#include "history_compare.h"
#include "gnuplot.h"
#include "history_axis.h"
#include "history_show.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ------------------------------------------------------------------- table */

void history_compare_table(const history_runs *all, const char *column, history_better better)
{
    char heading[128];
    size_t label_width = strlen("run"), best_width;
    for (size_t i = 0; i < all->count; i++) {
        const size_t width = history_width(all->runs[i].label);
        label_width = width > label_width ? width : label_width;
    }
    snprintf(heading, sizeof heading, "best %s", column);
    best_width = history_width(heading) > 12 ? history_width(heading) : 12;
    history_pad("run", -(int)label_width);
    printf("  %7s  ", "epochs");
    history_pad(heading, (int)best_width);
    printf("  %7s  %12s\n", "epoch", "last loss");
    for (size_t i = 0; i < all->count; i++) {
        const history_run *run = &all->runs[i];
        const double *loss = history_values(run, "loss");
        char best[HISTORY_NUMBER_BYTES] = "-", at[HISTORY_NUMBER_BYTES] = "-", last[HISTORY_NUMBER_BYTES] = "-";
        size_t row;
        if (history_best(run, column, better, &row)) {
            history_number(history_values(run, column)[row], best);
            snprintf(at, sizeof at, "%.0f", history_values(run, "epoch")[row]);
        }
        history_pad(run->label, -(int)label_width);
        printf("  %7zu  %*s  %7s  %12s\n", run->rows, (int)best_width, best, at,
               loss ? history_number(loss[run->rows - 1], last) : last);
    }
}

/* ----------------------------------------------------------------- picture */

bool history_picture_is_png(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot && strcasecmp(dot, ".png") == 0;
}

typedef struct picture {
    const history_runs *all;
    const history_picture_options *options;
} picture;

/* gnuplot loses its way in ranges near the largest doubles: beyond this a value counts as infinite. */
static bool drawable(double value, bool log_scale)
{
    return fabs(value) < 1e300 && (!log_scale || value > 0);
}

/* What cannot be drawn leaves a gap: an empty line. */
static bool has_points(const history_run *run, const char *column, bool log_scale)
{
    const double *values = history_values(run, column);
    for (size_t i = 0; values && i < run->rows; i++)
        if (drawable(values[i], log_scale))
            return true;
    return false;
}

static void write_points(FILE *gnuplot, const history_run *run, const char *column, bool log_scale)
{
    const double *values = history_values(run, column), *epoch = history_values(run, "epoch");
    for (size_t i = 0; i < run->rows; i++)
        if (drawable(values[i], log_scale))
            fprintf(gnuplot, "%.0f %.9g\n", epoch[i], values[i]);
        else
            fputs("\n", gnuplot);
}

static void write_title(FILE *gnuplot, const history_run *run, const char *column, bool named)
{
    char title[512];
    snprintf(title, sizeof title, named ? "%s: %s" : "%s", run->label, column);
    plot_string(gnuplot, title);
}

/* The range of both axes: what is drawn, and a little more. */
static void write_ranges(FILE *gnuplot, const picture *p)
{
    const bool log_scale = p->options->log_scale;
    double left = INFINITY, right = -INFINITY, low = INFINITY, high = -INFINITY;
    for (size_t c = 0; c < p->options->count; c++)
        for (size_t i = 0; i < p->all->count; i++) {
            const history_run *run = &p->all->runs[i];
            const double *values = history_values(run, p->options->columns[c]), *epoch = history_values(run, "epoch");
            for (size_t row = 0; values && row < run->rows; row++)
                if (drawable(values[row], log_scale)) {
                    const double y = log_scale ? log10(values[row]) : values[row];
                    left = fmin(left, epoch[row]);
                    right = fmax(right, epoch[row]);
                    low = fmin(low, y);
                    high = fmax(high, y);
                }
        }
    const double beside = right > left ? (right - left) / 50 : 0.5;
    const double above = high > low ? (high - low) / 30 : log_scale || low == 0 ? 0.5 : fabs(low) / 10;
    const double bottom = low >= 0 && !log_scale ? fmax(0, low - above) : low - above, top = high + above;
    fprintf(gnuplot, "set xrange [%.9g:%.9g]\nset yrange [%.9g:%.9g]\n", left - beside, right + beside,
            log_scale ? pow(10, bottom) : bottom, log_scale ? pow(10, top) : top);
    if (right - left <= 20)
        fputs("set xtics 1\n", gnuplot);
    double ticks[HISTORY_MOST_TICKS]; /* gnuplot has but the powers of ten on a logarithmic axis */
    const size_t count = log_scale ? history_ticks(bottom, top, true, 8, ticks) : 0;
    for (size_t i = 0; i < count; i++)
        fprintf(gnuplot, "%s%.6g", i ? ", " : "set ytics (", pow(10, ticks[i]));
    fputs(count ? ")\n" : "", gnuplot);
}

/* The points of each curve, $curve0 on; returns how many, and the epochs of the longest run. */
static size_t write_curves(FILE *gnuplot, const picture *p, size_t *longest)
{
    const history_picture_options *options = p->options;
    size_t curves = 0;
    *longest = 0;
    for (size_t c = 0; c < options->count; c++)
        for (size_t i = 0; i < p->all->count; i++) {
            const history_run *run = &p->all->runs[i];
            if (!has_points(run, options->columns[c], options->log_scale))
                continue;
            fprintf(gnuplot, "$curve%zu << END\n", curves++);
            write_points(gnuplot, run, options->columns[c], options->log_scale);
            fputs("END\n", gnuplot);
            *longest = run->rows > *longest ? run->rows : *longest;
        }
    return curves;
}

/* Points are large where there are few, small where they show a value between two gaps, and none where there are so many
 * that they would make the file large. */
static const char *line_style(size_t longest)
{
    return longest <= 40 ? "linespoints pt 7 ps 0.5" : longest <= 2000 ? "linespoints pt 7 ps 0.2" : "lines";
}

/* A colour for each run, a kind of line for each column; runs beyond the colours go on with other dashes. */
static void picture_script(FILE *gnuplot, const void *context)
{
    static const char *const colors[] = { "#1f6fb4", "#d9622b", "#2e8b57", "#8e44ad", "#b8860b", "#c2185b", "#17807e",
                                          "#5d6d7e" };
    static const char *const dashes[] = { "solid", "(8,5)", "(2,4)", "(10,4,2,4)", "(5,3)" };
    const size_t color_count = sizeof colors / sizeof *colors, dash_count = sizeof dashes / sizeof *dashes;
    const picture *p = context;
    const history_picture_options *options = p->options;
    size_t longest, curve = 0;
    const size_t curves = write_curves(gnuplot, p, &longest);
    fputs("set xlabel 'epoch'\nset ylabel ", gnuplot);
    plot_string(gnuplot, options->count == 1 ? options->columns[0] : "value");
    fprintf(gnuplot, "\nset key %s\nset grid lc rgb '#dddddd' lw 1 dt solid\nset border 3\nset tics nomirror\n%s",
            curves > 6 ? "outside right top" : "top right",
            options->log_scale ? "set logscale y\nset format y '%g'\nset mytics 1\n" : "");
    write_ranges(gnuplot, p);
    for (size_t c = 0; c < options->count; c++)
        for (size_t i = 0; i < p->all->count; i++) {
            const history_run *run = &p->all->runs[i];
            if (!has_points(run, options->columns[c], options->log_scale))
                continue;
            fprintf(gnuplot, "%s$curve%zu using 1:2 with %s lc rgb '%s' lw 2 dt %s title ", curve ? ", " : "plot ", curve,
                    line_style(longest), colors[i % color_count], dashes[(c + i / color_count) % dash_count]);
            write_title(gnuplot, run, options->columns[c], options->count > 1);
            curve++;
        }
    fputs("\n", gnuplot);
}

/* The ends of a whole picture: "</svg>", or the last chunk of PNG. */
static bool is_whole(const char *bytes, size_t count, bool png)
{
    if (png)
        return count > 8 && memcmp(bytes, "\x89PNG", 4) == 0 && memcmp(bytes + count - 8, "IEND", 4) == 0;
    return count > 8 && memmem(bytes + count - 8, 8, "</svg>", 6) != NULL;
}

/* Draws into `memory`, a file that no disk holds: PNG by cairo, or by libgd where gnuplot was built without. */
static const char *draw(int memory, const picture *p, bool png)
{
    static const char *const pngs[] = { "pngcairo size 960,600 noenhanced background '#ffffff' font 'sans,11'",
                                        "png size 960,600 noenhanced background '#ffffff'" };
    if (!png)
        return gnuplot_run(memory, "svg size 960,600 noenhanced background '#ffffff' font 'sans,13'", picture_script, p);
    const char *failure = gnuplot_run(memory, pngs[0], picture_script, p);
    if (failure == gnuplot_failed && ftruncate(memory, 0) == 0 && lseek(memory, 0, SEEK_SET) == 0)
        failure = gnuplot_run(memory, pngs[1], picture_script, p);
    return failure == gnuplot_failed ? "gnuplot draws no PNG here (it has neither pngcairo nor png); try a name in .svg"
                                     : failure;
}

static lg_status not_written(const char *path, int reason)
{
    return lg_fail(LG_E_IO, "%s: cannot be written: %s", path, strerror(reason));
}

static int write_bytes(int descriptor, const char *bytes, size_t count)
{
    while (count > 0) {
        const ssize_t written = write(descriptor, bytes, count);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return written < 0 ? errno : EIO;
        bytes += written;
        count -= (size_t)written;
    }
    return 0;
}

/* Under a temporary name, synced and renamed; what is no regular file (a device, a pipe) is written in place. */
static lg_status write_file(const char *path, const char *bytes, size_t count)
{
    struct stat about;
    const bool in_place = stat(path, &about) == 0 && !S_ISREG(about.st_mode);
    char *temporary;
    if (asprintf(&temporary, in_place ? "%s" : "%s.partial", path) < 0)
        return lg_fail(LG_E_MEMORY, "%s: out of memory", path);
    const int descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    int reason = descriptor < 0 ? errno : write_bytes(descriptor, bytes, count);
    if (!reason && !in_place && fsync(descriptor) < 0)
        reason = errno;
    if (descriptor >= 0 && close(descriptor) < 0 && !reason)
        reason = errno;
    if (!reason && !in_place && rename(temporary, path) < 0)
        reason = errno;
    if (reason && descriptor >= 0 && !in_place)
        unlink(temporary);
    free(temporary);
    return reason ? not_written(path, reason) : LG_OK;
}

/* What gnuplot left in memory goes to the file, if it is whole. */
static lg_status keep_picture(int memory, const char *path, bool png)
{
    struct stat about;
    if (fstat(memory, &about) < 0)
        return not_written(path, errno);
    const size_t count = (size_t)about.st_size;
    char *bytes = count ? mmap(NULL, count, PROT_READ, MAP_SHARED, memory, 0) : NULL;
    if (bytes == MAP_FAILED)
        return lg_fail(LG_E_MEMORY, "%s: out of memory for a picture of %zu bytes", path, count);
    lg_status status = bytes && is_whole(bytes, count, png) ? write_file(path, bytes, count)
                                                            : lg_fail(LG_E_STATE, "%s: gnuplot gave no whole picture", path);
    if (bytes)
        munmap(bytes, count);
    return status;
}

lg_status history_compare_picture(const history_runs *all, const history_picture_options *options, const char *path)
{
    const bool png = history_picture_is_png(path);
    bool any = false;
    for (size_t c = 0; c < options->count; c++)
        for (size_t i = 0; i < all->count; i++)
            any |= has_points(&all->runs[i], options->columns[c], options->log_scale);
    if (!any)
        return lg_fail(LG_E_PARAM, "%s: nothing to draw: no value of \"%s\" is %s", path, options->columns[0],
                       options->log_scale ? "finite and above 0, which a logarithmic axis needs" : "finite");
    const int memory = memfd_create("picture", MFD_CLOEXEC);
    if (memory < 0)
        return not_written(path, errno);
    const char *failure = draw(memory, &(picture){ all, options }, png);
    lg_status status = failure ? lg_fail(LG_E_STATE, "%s: %s", path, failure) : keep_picture(memory, path, png);
    close(memory);
    return status;
}
