#include "lines.h"

#include <stdlib.h>
#include <string.h>

void alphabet_text(const alphabet *a, const int32_t *labels, size_t count, char *text)
{
    text[0] = '\0';
    for (size_t u = 0; u < count && labels[u] >= 0; u++)
        text = stpcpy(text, a->symbol[labels[u]]);
}

/* ------------------------------------------------------------------ frames */

size_t line_frame_count(size_t width, const line_frames *frames)
{
    return (width + frames->stride - 1) / frames->stride;
}

/* One value of a picture; paper beyond it. */
static lg_real pixel(const line *l, size_t row, ptrdiff_t column)
{
    return column < 0 || (size_t)column >= l->width ? 0 : l->pixels[row * l->stride + (size_t)column];
}

static void write_frames(const line *l, size_t height, const line_frames *frames, lg_real *out)
{
    for (size_t f = 0; f < line_frame_count(l->width, frames); f++) {
        const ptrdiff_t first = (ptrdiff_t)(f * frames->stride + frames->stride / 2) - (ptrdiff_t)(frames->window / 2);
        for (size_t k = 0; k < frames->window; k++)
            for (size_t row = 0; row < height; row++)
                *out++ = pixel(l, row, first + (ptrdiff_t)k);
    }
}

/* ---------------------------------------------------------------- data set */

typedef struct framed_lines {
    line_source source;
    line_frames frames;
} framed_lines;

static lg_status fill(void *context, const size_t *ids, size_t count, void *const *values, int32_t *const *lengths)
{
    const framed_lines *lines = context;
    const line_source *source = &lines->source;
    const size_t most_frames = line_frame_count(source->most_width, &lines->frames);
    const size_t frame = lines->frames.window * source->height;
    line l;
    for (size_t i = 0; i < count; i++) {
        source->get(source->context, ids[i], &l);
        write_frames(&l, source->height, &lines->frames, (lg_real *)values[0] + i * most_frames * frame);
        lengths[0][i] = (int32_t)line_frame_count(l.width, &lines->frames);
        memcpy((int32_t *)values[1] + i * source->most_labels, l.labels, l.label_count * sizeof *l.labels);
        lengths[1][i] = (int32_t)l.label_count;
    }
    return LG_OK;
}

static void free_lines(void *context)
{
    framed_lines *lines = context;
    lines->source.free(lines->source.context);
    free(lines);
}

lg_dataset *lines_dataset(const line_source *source, const line_frames *frames)
{
    framed_lines *lines = malloc(sizeof *lines);
    if (!lines) {
        lg_fail(LG_E_MEMORY, "out of memory for lines");
        return NULL;
    }
    *lines = (framed_lines){ *source, *frames };
    const lg_field fields[] = { { .name = "x",
                                  .rank = 1,
                                  .dims = { frames->window * source->height },
                                  .ragged = true,
                                  .max_length = line_frame_count(source->most_width, frames) },
                                { .name = "y", .dtype = LG_INT32, .ragged = true, .max_length = source->most_labels } };
    lg_dataset *data = lg_dataset_from_source(&(lg_source){ .rows = source->rows,
                                                            .field_count = 2,
                                                            .fields = fields,
                                                            .context = lines,
                                                            .fill = fill,
                                                            .free = free_lines });
    if (!data)
        free(lines);
    return data;
}

/* -------------------------------------------------------------------- print */

/* The mean ink of rows x columns pixels from (y, x) on, as far as they are in the line. */
static lg_real mean_ink(const line *l, size_t y, size_t rows, size_t x, size_t columns)
{
    lg_real sum = 0;
    for (size_t j = y; j < y + rows; j++)
        for (size_t i = x; i < x + columns; i++)
            sum += pixel(l, j, (ptrdiff_t)i);
    return sum / (lg_real)(rows * columns);
}

void line_print(const line *l, size_t height, size_t rows, size_t columns)
{
    static const char shades[] = " .:-=+*#%@";
    const size_t down = (height + rows - 1) / rows;
    size_t across = down;
    while ((l->width + across - 1) / across > columns)
        across++;
    for (size_t y = 0; y < height; y += down) {
        size_t empty = 2; /* columns since the last that was not; none are printed at the end */
        for (size_t x = 0; x < l->width; x += across) {
            const lg_real ink = mean_ink(l, y, height - y < down ? height - y : down, x, across);
            const char shade = shades[(size_t)(ink * (lg_real)(sizeof shades - 2) + (lg_real)0.5)];
            empty++;
            if (shade != ' ') {
                printf("%*c", (int)empty, shade);
                empty = 0;
            }
        }
        printf("\n");
    }
}
