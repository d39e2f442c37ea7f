/* Keras's line (progress.h). */
#include "train/progress.h"

#include "tensor/memory_internal.h"
#include "train/clock_internal.h"
#include "train/number_text_internal.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BAR_WIDTH 30
#define REDRAW_SECONDS 0.06
#define MANY_EPOCHS 100
#define SHOWN_SECONDS 0.1 /* from line to line of many epochs */
#define LINE_BYTES 8192 /* of the longest line; what is longer is cut */

struct lg_progress {
    FILE *stream;
    bool bar, lines;
    bool thin;        /* short epochs are left out */
    bool hidden;      /* the running epoch, so far */
    double last_line; /* time of the last finished one */
    size_t epochs, epoch, steps;
    double first_step_end; /* time when the first step was over: it warms up, and is no measure */
    double last_draw;
    size_t drawn; /* columns of the line that is on the screen, unfinished; 0: none */
    size_t used;
    char line[LINE_BYTES];
};

static bool is_terminal(FILE *stream)
{
    const char *term = getenv("TERM");
    const int descriptor = fileno(stream);
    return descriptor >= 0 && isatty(descriptor) && !(term && strcmp(term, "dumb") == 0);
}

lg_progress *lg_progress_new(FILE *stream, lg_verbose verbose, size_t epochs)
{
    if ((unsigned)verbose > LG_LINES) {
        lg_fail(LG_E_PARAM, "lg_progress_new: verbose is %d; LG_VERBOSE_AUTO, LG_SILENT, LG_PROGRESS and LG_LINES are "
                            "0 to 3", (int)verbose);
        return NULL;
    }
    lg_progress *progress = lg_calloc(1, sizeof *progress, "lg_progress_new");
    if (!progress)
        return NULL;
    progress->stream = stream ? stream : stdout;
    progress->epochs = epochs;
    if (verbose != LG_SILENT) {
        progress->bar = verbose != LG_LINES && is_terminal(progress->stream);
        progress->lines = !progress->bar;
        progress->thin = verbose != LG_LINES && epochs > MANY_EPOCHS;
    }
    return progress;
}

void lg_progress_free(lg_progress *progress)
{
    lg_progress_break(progress);
    free(progress);
}

/* ------------------------------------------------------- the line as text */

LG_PRINTF(2, 3) static void put(lg_progress *p, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(p->line + p->used, LINE_BYTES - p->used, format, arguments);
    va_end(arguments);
    if (length > 0)
        p->used += (size_t)length < LINE_BYTES - p->used ? (size_t)length : LINE_BYTES - 1 - p->used;
}

static size_t columns_of(const char *text)
{
    size_t columns = 0;
    for (; *text; text++)
        columns += ((unsigned char)*text & 0xC0) != 0x80;
    return columns;
}

/* Cuts the line to so many columns, between two characters of UTF-8. */
static void cut(lg_progress *p, size_t columns)
{
    size_t at = 0, seen = 0;
    while (p->line[at] && (seen < columns || ((unsigned char)p->line[at] & 0xC0) == 0x80)) {
        at++;
        seen += ((unsigned char)p->line[at] & 0xC0) != 0x80;
    }
    p->line[p->used = at] = '\0';
}

static void put_values(lg_progress *p, size_t count, const char *const *names, const double *values)
{
    char number[LG_NUMBER_BYTES];
    for (size_t i = 0; i < count; i++) {
        const char kind = fabs(values[i]) > 1e-3 && fabs(values[i]) < 1e15 ? 'f' : 'e';
        put(p, " - %s: %s", names[i], lg_number_text(kind, 4, values[i], number));
    }
}

/* "=====>......": as many as the share that is done, of 30. */
static void put_bar(lg_progress *p, size_t step)
{
    const size_t filled = p->steps ? (size_t)((double)BAR_WIDTH * (double)step / (double)p->steps) : BAR_WIDTH;
    char bar[BAR_WIDTH + 1];
    memset(bar, '.', BAR_WIDTH);
    memset(bar, '=', filled < BAR_WIDTH ? filled : BAR_WIDTH);
    if (filled > 0 && step < p->steps)
        bar[filled - 1] = '>';
    bar[BAR_WIDTH] = '\0';
    put(p, "%*zu/%zu [%s]", snprintf(NULL, 0, "%zu", p->steps), step, p->steps, bar);
}

static void put_step_time(lg_progress *p, double seconds)
{
    if (seconds >= 1 || seconds <= 0)
        put(p, " %.0fs/step", seconds);
    else if (seconds >= 1e-3)
        put(p, " %.0fms/step", seconds * 1e3);
    else
        put(p, " %.0fus/step", seconds * 1e6);
}

static void put_eta(lg_progress *p, double seconds)
{
    const unsigned long long left = seconds > 0 && seconds < 1e15 ? (unsigned long long)seconds : 0;
    if (left >= 3600)
        put(p, " - ETA: %llu:%02llu:%02llu", left / 3600, left / 60 % 60, left % 60);
    else if (left >= 60)
        put(p, " - ETA: %llu:%02llu", left / 60, left % 60);
    else
        put(p, " - ETA: %llus", left);
}

/* --------------------------------------------------------------- drawing */

static size_t terminal_width(const lg_progress *p)
{
    struct winsize size;
    return ioctl(fileno(p->stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/* Puts the line over the one that is there, and spaces over what is left of it. */
static void show(lg_progress *p, bool finished)
{
    const size_t columns = columns_of(p->line);
    const size_t rest = p->drawn > columns ? p->drawn - columns : 0;
    fprintf(p->stream, "\r%s%*s%s", p->line, (int)rest, "", finished ? "\n" : "");
    fflush(p->stream);
    p->drawn = finished ? 0 : columns;
}

/* Shows the running epoch from now on. */
static void reveal(lg_progress *p)
{
    p->hidden = false;
    if (!p->bar)
        return;
    fprintf(p->stream, "Epoch %zu/%zu\n", p->epoch, p->epochs);
    fflush(p->stream);
}

void lg_progress_epoch(lg_progress *progress, size_t epoch, size_t steps)
{
    if (!progress)
        return;
    progress->epoch = epoch;
    progress->steps = steps;
    progress->hidden = progress->thin && epoch > 1 && epoch < progress->epochs;
    progress->first_step_end = lg_clock();
    progress->last_draw = 0;
    if (!progress->hidden)
        reveal(progress);
}

bool lg_progress_due(lg_progress *progress, size_t step)
{
    if (!progress || !progress->bar)
        return false;
    const double now = lg_clock();
    if (step <= 1)
        progress->first_step_end = now;
    if (progress->hidden && now - progress->last_line >= SHOWN_SECONDS)
        reveal(progress);
    return !progress->hidden && now - progress->last_draw >= REDRAW_SECONDS;
}

void lg_progress_draw(lg_progress *progress, size_t step, size_t count, const char *const *names,
                      const double *values)
{
    if (!progress || !progress->bar || progress->hidden)
        return;
    const double now = lg_clock(), measured = step > 1 ? (double)(step - 1) : 1;
    progress->used = 0;
    put_bar(progress, step);
    put_eta(progress, (now - progress->first_step_end) / measured * (double)(progress->steps - step));
    put_values(progress, count, names, values);
    cut(progress, terminal_width(progress) - 1); /* in the last column some terminals begin a new line */
    show(progress, false);
    progress->last_draw = now;
}

void lg_progress_done(lg_progress *progress, double seconds, double step_seconds, size_t count,
                      const char *const *names, const double *values)
{
    if (!progress || (!progress->bar && !progress->lines))
        return;
    const double now = lg_clock();
    if (progress->hidden && now - progress->last_line < SHOWN_SECONDS)
        return;
    if (progress->hidden)
        reveal(progress);
    progress->last_line = now;
    progress->used = 0;
    if (progress->bar)
        put_bar(progress, progress->steps);
    else
        put(progress, "Epoch %zu/%zu", progress->epoch, progress->epochs);
    put(progress, " - %.0fs", seconds);
    put_step_time(progress, step_seconds);
    put_values(progress, count, names, values);
    if (progress->bar) {
        show(progress, true);
        return;
    }
    fprintf(progress->stream, "%s\n", progress->line);
    fflush(progress->stream);
}

void lg_progress_break(lg_progress *progress)
{
    if (!progress || progress->drawn == 0)
        return;
    fputc('\n', progress->stream);
    fflush(progress->stream);
    progress->drawn = 0;
}
