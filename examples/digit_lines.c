#include "digit_lines.h"

#include "embedded.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 8, LEAST_DIGITS = 3, MOST_DIGITS = 10, MOST_GAP = 4, DARKEST = 16 };
enum { MOST_WIDTH = MOST_DIGITS * (SIDE + MOST_GAP) + MOST_GAP };
_Static_assert(SIDE * MOST_WIDTH <= LINE_BUFFER, "a line fits in its buffer");

struct digit_lines {
    digit_lines_options options;
    lg_dataset *digits;
    int32_t *digit;   /* which one each row of `digits` is */
    lg_split *split;  /* of the digits */
    uint64_t epoch;
};

digit_lines *digit_lines_new(const digit_lines_options *options)
{
    digit_lines *lines = calloc(1, sizeof *lines);
    if (!lines) {
        lg_fail(LG_E_MEMORY, "out of memory for lines of digits");
        return NULL;
    }
    lines->options = *options;
    lines->epoch = 1;
    lines->digits = embedded_read("digits.csv.gz", &(lg_csv_options){ .target = "-1", .target_kind = LG_CLASSES });
    lines->digit = calloc(lines->digits ? lg_dataset_rows(lines->digits) : 1, sizeof *lines->digit);
    if (lines->digits && lines->digit && lg_dataset_labels(lines->digits, NULL, 0, lines->digit) == LG_OK)
        lines->split = lg_split_dataset(lines->digits, options->validation_split, options->test_split,
                                        &lines->options.split);
    if (lines->split)
        return lines;
    digit_lines_free(lines);
    return NULL;
}

void digit_lines_free(digit_lines *lines)
{
    if (!lines)
        return;
    lg_split_free(lines->split);
    lg_dataset_free(lines->digits);
    free(lines->digit);
    free(lines);
}

void digit_lines_epoch(digit_lines *lines, uint64_t epoch)
{
    lines->epoch = epoch;
}

/* ----------------------------------------------------------------- drawing */

/* Value at a place that need not be a pixel's, between the four around it; 0 beyond the digit. */
static double between(const lg_real *pixels, double y, double x)
{
    const double top = floor(y), left = floor(x);
    double value = 0;
    for (int j = 0; j < 2; j++)
        for (int i = 0; i < 2; i++) {
            const double py = top + j, px = left + i;
            if (py >= 0 && py < SIDE && px >= 0 && px < SIDE)
                value += (1 - fabs(y - py)) * (1 - fabs(x - px)) * (double)pixels[(size_t)py * SIDE + (size_t)px];
        }
    return value;
}

/* How a digit is seen: where the pixel at (y, x) of its middle comes from, and how dark it is. */
typedef struct view {
    double turn, slant, height, width, down, right, ink; /* radians; shares; pixels */
} view;

static double vary(lg_rng *rng, double most)
{
    return most * (2 * lg_rng_uniform(rng) - 1);
}

/* Not quite as it was written: turned by up to 9 degrees, slanted, scaled by up to 1/8, moved by up to 0.6 pixels. */
static view another_view(lg_rng *rng)
{
    return (view){ .turn = vary(rng, 0.15),
                   .slant = vary(rng, 0.2),
                   .height = exp(vary(rng, 0.12)),
                   .width = exp(vary(rng, 0.12)),
                   .down = vary(rng, 0.6),
                   .right = vary(rng, 0.6),
                   .ink = 1 + vary(rng, 0.3) };
}

/* Puts row `id` of the digits, 8 x 8 values in 0 .. 16, at a column of the picture. */
static void draw_digit(const digit_lines *lines, size_t id, view v, size_t column, lg_real *picture)
{
    const lg_real *pixels = lg_dataset_values(lines->digits, "x") + id * SIDE * SIDE;
    const double middle = (SIDE - 1) / 2.0, c = cos(v.turn), s = sin(v.turn);
    for (size_t y = 0; y < SIDE; y++)
        for (size_t x = 0; x < SIDE; x++) {
            const double down = ((double)y - middle) * v.height;
            const double right = ((double)x - middle) * v.width + v.slant * down;
            const double ink = v.ink / DARKEST * between(pixels, middle + v.down + c * down + s * right,
                                                         middle + v.right + c * right - s * down);
            picture[y * MOST_WIDTH + column + x] = (lg_real)(ink > 1 ? 1 : ink);
        }
}

/* A line depends on its row and, if it is for training, on the epoch; on nothing else. */
static void get(const void *context, size_t row, line *out)
{
    const digit_lines *lines = context;
    const digit_lines_options *o = &lines->options;
    const lg_split *split = lines->split;
    const bool train = row < o->train, validation = row < o->train + o->validation;
    const size_t *ids = train ? split->train : validation ? split->validation : split->test;
    const size_t count = train ? split->train_rows : validation ? split->validation_rows : split->test_rows;
    const lg_rng epoch = lg_rng_split(&o->draw, train ? lines->epoch : 0);
    lg_rng rng = lg_rng_split(&epoch, row);
    memset(out->buffer, 0, SIDE * MOST_WIDTH * sizeof *out->buffer);
    out->pixels = out->buffer;
    out->stride = MOST_WIDTH;
    out->label_count = LEAST_DIGITS + lg_rng_below(&rng, MOST_DIGITS - LEAST_DIGITS + 1);
    out->width = lg_rng_below(&rng, MOST_GAP + 1);
    for (size_t i = 0; i < out->label_count; i++) {
        const size_t id = ids[lg_rng_below(&rng, count)];
        const view v = train ? another_view(&rng) : (view){ .height = 1, .width = 1, .ink = 1 };
        draw_digit(lines, id, v, out->width, out->buffer);
        out->labels[i] = lines->digit[id] + 1;
        out->width += SIDE + lg_rng_below(&rng, MOST_GAP + 1);
    }
}

static void free_context(void *context)
{
    digit_lines_free(context);
}

line_source digit_lines_source(digit_lines *lines)
{
    const digit_lines_options *o = &lines->options;
    return (line_source){ .rows = o->train + o->validation + o->test,
                          .height = SIDE,
                          .most_width = MOST_WIDTH,
                          .most_labels = MOST_DIGITS,
                          .context = lines,
                          .get = get,
                          .free = free_context };
}

lg_status digit_lines_alphabet(alphabet *a)
{
    a->classes = 11;
    a->symbol = calloc(a->classes, sizeof *a->symbol);
    if (!a->symbol)
        return lg_fail(LG_E_MEMORY, "out of memory for the alphabet");
    for (size_t k = 1; k < a->classes; k++)
        a->symbol[k][0] = (char)('0' + (k - 1));
    return LG_OK;
}

static size_t *consecutive(size_t first, size_t count)
{
    size_t *ids = calloc(count ? count : 1, sizeof *ids);
    for (size_t i = 0; ids && i < count; i++)
        ids[i] = first + i;
    return ids;
}

lg_split *digit_lines_parts(const digit_lines *lines)
{
    const digit_lines_options *o = &lines->options;
    lg_split *parts = calloc(1, sizeof *parts);
    if (parts) {
        *parts = (lg_split){ o->train, o->validation, o->test, consecutive(0, o->train),
                             consecutive(o->train, o->validation), consecutive(o->train + o->validation, o->test) };
        if (parts->train && parts->validation && parts->test)
            return parts;
        lg_split_free(parts);
    }
    lg_fail(LG_E_MEMORY, "out of memory for the parts of %zu lines", o->train + o->validation + o->test);
    return NULL;
}
