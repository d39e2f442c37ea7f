#include "history_plot.h"
#include "history_axis.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* In UTF-8, one curve, or several in colours, are drawn in dots of Braille, 2 x 4 to a character; otherwise each curve
 * has a mark of its own, one to a character. */
enum { BRAILLE_ACROSS = 2, BRAILLE_DOWN = 4, BRAILLE_FIRST = 0x2800, LABEL_WIDTH = 9 };

static const char ascii_marks[] = "*o+x#@%=&$";
static const char *const utf8_marks[] = { "●", "○", "▲", "△", "■", "□", "◆", "◇", "★", "☆" };
static const char *const color_codes[] = { "34", "31", "32", "35", "36", "33" };
#define MARKS 10
#define COLORS (sizeof color_codes / sizeof *color_codes)

typedef struct curve {
    const history_run *run;
    const char *column;
    const double *epoch, *value; /* [run->rows] */
} curve;

typedef struct canvas {
    const history_plot_options *options;
    bool braille;
    size_t across, down;           /* characters */
    size_t dots_across, dots_down;
    double left, right, low, high; /* what the edges are; low and high as logarithms where the axis has them */
    unsigned char *dots;           /* [down * across]: bits of Braille, or 1 */
    unsigned char *owner;          /* [down * across]: the last curve that drew here */
} canvas;

/* ------------------------------------------------------------------- scale */

static bool scaled(const canvas *c, double value, double *y)
{
    *y = !c->options->log_scale ? value : value > 0 ? log10(value) : (double)NAN;
    return isfinite(*y);
}

/* The edges, from all points that can be drawn; *left_out counts the others. */
static bool set_range(canvas *c, size_t count, const curve *curves, size_t *left_out)
{
    c->left = c->low = INFINITY;
    c->right = c->high = -INFINITY;
    *left_out = 0;
    for (size_t k = 0; k < count; k++)
        for (size_t i = 0; i < curves[k].run->rows; i++) {
            double y;
            if (!scaled(c, curves[k].value[i], &y)) {
                ++*left_out;
                continue;
            }
            c->left = fmin(c->left, curves[k].epoch[i]);
            c->right = fmax(c->right, curves[k].epoch[i]);
            c->low = fmin(c->low, y);
            c->high = fmax(c->high, y);
        }
    if (!(c->left <= c->right))
        return false;
    if (!(c->high - c->low > 1e-9 * fmax(fabs(c->low), fabs(c->high)))) { /* a level line: in the middle */
        const double half = c->options->log_scale ? 0.5 : c->low != 0 ? fabs(c->low) / 10 : 1;
        c->low -= half;
        c->high += half;
    }
    return true;
}

/* ----------------------------------------------------------------- drawing */

static void put_dot(canvas *c, long x, long y, size_t owner)
{
    static const unsigned char bits[BRAILLE_DOWN][BRAILLE_ACROSS] = { { 1, 8 }, { 2, 16 }, { 4, 32 }, { 64, 128 } };
    if (x < 0 || y < 0 || (size_t)x >= c->dots_across || (size_t)y >= c->dots_down)
        return;
    const size_t across = c->braille ? BRAILLE_ACROSS : 1, down = c->braille ? BRAILLE_DOWN : 1;
    const size_t at = (size_t)y / down * c->across + (size_t)x / across;
    c->dots[at] |= c->braille ? bits[(size_t)y % down][(size_t)x % across] : 1;
    c->owner[at] = (unsigned char)(owner % (MARKS * COLORS));
}

static double to_x(const canvas *c, double epoch)
{
    return c->right > c->left ? (epoch - c->left) / (c->right - c->left) * (double)(c->dots_across - 1)
                              : (double)(c->dots_across - 1) / 2;
}

/* Halves first: the difference of two doubles need not be one. */
static double to_y(const canvas *c, double y)
{
    return (c->high / 2 - y / 2) / (c->high / 2 - c->low / 2) * (double)(c->dots_down - 1);
}

static void draw_line(canvas *c, double x0, double y0, double x1, double y1, size_t owner)
{
    const double steps = ceil(fmax(fabs(x1 - x0), fabs(y1 - y0)));
    for (double s = 0; s <= steps; s++) {
        const double share = steps > 0 ? s / steps : 0;
        put_dot(c, lround(x0 + share * (x1 - x0)), lround(y0 + share * (y1 - y0)), owner);
    }
}

/* Marks stand apart where curves are steep; dots are joined. */
static void draw_curve(canvas *c, const curve *drawn, size_t owner)
{
    bool before = false;
    double x0 = 0, y0 = 0;
    for (size_t i = 0; i < drawn->run->rows; i++) {
        double y;
        if (!scaled(c, drawn->value[i], &y)) {
            before = false;
            continue;
        }
        const double x1 = to_x(c, drawn->epoch[i]), y1 = to_y(c, y);
        draw_line(c, before ? x0 : x1, before ? y0 : y1, x1, y1, owner);
        before = true;
        x0 = x1;
        y0 = y1;
    }
}

/* -------------------------------------------------------------------- axes */

/* The tick whose place is this line of characters, as a label. */
static void label_line(const canvas *c, size_t line, size_t count, const double *ticks, char *label, size_t bytes)
{
    label[0] = '\0';
    for (size_t k = 0; k < count; k++) {
        const size_t dot = (size_t)lround(to_y(c, ticks[k])), down = c->braille ? BRAILLE_DOWN : 1;
        if (dot / down == line)
            snprintf(label, bytes, "%.4g", c->options->log_scale ? pow(10, ticks[k]) : ticks[k]);
    }
}

/* ---------------------------------------------------------------- printing */

static void begin_color(const canvas *c, size_t owner)
{
    if (c->options->colors)
        printf("\033[%sm", color_codes[owner % COLORS]);
}

static void end_color(const canvas *c)
{
    if (c->options->colors)
        fputs("\033[0m", stdout);
}

static void print_mark(const canvas *c, size_t owner)
{
    if (c->braille)
        fputs("━", stdout);
    else if (c->options->utf8)
        fputs(utf8_marks[owner % MARKS], stdout);
    else
        putchar(ascii_marks[owner % MARKS]);
}

static void print_cell(const canvas *c, size_t at)
{
    if (!c->dots[at]) {
        putchar(' ');
        return;
    }
    begin_color(c, c->owner[at]);
    if (c->braille) {
        const unsigned code = BRAILLE_FIRST + c->dots[at];
        printf("%c%c%c", (int)(0xE0 | code >> 12), (int)(0x80 | (code >> 6 & 0x3F)), (int)(0x80 | (code & 0x3F)));
    } else {
        print_mark(c, c->owner[at]);
    }
    end_color(c);
}

static void print_canvas(const canvas *c)
{
    double ticks[HISTORY_MOST_TICKS];
    const size_t count = history_ticks(c->low, c->high, c->options->log_scale, fmax(2, (double)c->down / 3), ticks);
    char label[32], last[32];
    for (size_t line = 0; line < c->down; line++) {
        label_line(c, line, count, ticks, label, sizeof label);
        printf("%*s %s", LABEL_WIDTH, label, c->options->utf8 ? label[0] ? "┤" : "│" : label[0] ? "+" : "|");
        size_t end = c->across; /* no blanks at the end of a line */
        while (end > 0 && !c->dots[line * c->across + end - 1])
            end--;
        for (size_t x = 0; x < end; x++)
            print_cell(c, line * c->across + x);
        putchar('\n');
    }
    printf("%*s %s", LABEL_WIDTH, "", c->options->utf8 ? "└" : "+");
    for (size_t x = 0; x < c->across; x++)
        fputs(c->options->utf8 ? "─" : "-", stdout);
    snprintf(label, sizeof label, "%.0f", c->left);
    snprintf(last, sizeof last, "%.0f", c->right);
    const int room = (int)c->across - (int)strlen(label) - (int)strlen(last), middle = room > 7 ? (room - 5) / 2 : 0;
    printf("\n%*s  ", LABEL_WIDTH, "");
    if (c->left == c->right)
        printf("%*sepoch %s\n", (int)c->across / 2 - 6 > 0 ? (int)c->across / 2 - 6 : 0, "", label);
    else if (room > 7)
        printf("%s%*sepoch%*s%s\n", label, middle, "", room - 5 - middle, "", last);
    else
        printf("%s%*s%s\n", label, room > 1 ? room : 1, "", last);
}

static void print_legend(const canvas *c, size_t count, const curve *curves, bool several_runs)
{
    for (size_t k = 0; k < count; k++) {
        printf("%*s  ", LABEL_WIDTH, "");
        begin_color(c, k);
        print_mark(c, k);
        end_color(c);
        printf(" %s", curves[k].column);
        if (several_runs)
            printf(", %s", curves[k].run->label);
        putchar('\n');
    }
}

/* ------------------------------------------------------------------- whole */

static size_t gather_curves(const history_runs *all, const history_plot_options *options, curve *curves)
{
    size_t count = 0;
    for (size_t c = 0; c < options->count; c++)
        for (size_t i = 0; i < all->count; i++) {
            const history_run *run = &all->runs[i];
            if (history_values(run, options->columns[c]))
                curves[count++] = (curve){ run, options->columns[c], history_values(run, "epoch"),
                                           history_values(run, options->columns[c]) };
        }
    return count;
}

static lg_status draw(canvas *c, size_t count, const curve *curves, bool several_runs)
{
    size_t left_out;
    if (!set_range(c, count, curves, &left_out))
        return lg_fail(LG_E_PARAM, "%s: nothing to draw: no value of \"%s\" is %s", curves[0].run->path, curves[0].column,
                       c->options->log_scale ? "finite and above 0, which a logarithmic axis needs" : "finite");
    for (size_t k = 0; k < count; k++)
        draw_curve(c, &curves[k], k);
    print_canvas(c);
    print_legend(c, count, curves, several_runs);
    if (left_out)
        fprintf(stderr, "%s: note: %zu value%s not finite%s; left out\n", program_invocation_short_name, left_out,
                left_out == 1 ? " is" : "s are", c->options->log_scale ? " or not above 0" : "");
    return LG_OK;
}

lg_status history_plot(const history_runs *all, const history_plot_options *options)
{
    curve *curves = calloc(all->count * options->count, sizeof *curves);
    const size_t count = curves ? gather_curves(all, options, curves) : 0;
    const size_t margin = LABEL_WIDTH + 2, axis = 2; /* beside and below what is drawn */
    canvas c = { .options = options,
                 .braille = options->utf8 && (count == 1 || options->colors),
                 .across = options->width > margin + 1 ? options->width - margin : 2,
                 .down = options->height > axis + 1 ? options->height - axis : 2 };
    c.dots_across = c.across * (c.braille ? BRAILLE_ACROSS : 1);
    c.dots_down = c.down * (c.braille ? BRAILLE_DOWN : 1);
    c.dots = calloc(c.across * c.down, 1);
    c.owner = calloc(c.across * c.down, 1);
    lg_status status = curves && c.dots && c.owner ? draw(&c, count, curves, all->count > 1)
                                                   : lg_fail(LG_E_MEMORY, "out of memory for the curves");
    free(c.owner);
    free(c.dots);
    free(curves);
    return status;
}
