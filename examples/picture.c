#include "picture.h"

#include <png.h>
#include <stdlib.h>
#include <string.h>

enum { WANTED_WIDTH = 720, MOST_SIDE = 16384, MOST_SCALE = 16, GAP = 2, BAND_GAP = 10, GAP_GREY = 208 };

/* Where things are on the screen, in its pixels. */
typedef struct layout {
    size_t scale, width, height;
    size_t cell_width, cell_height, band_rows;
} layout;

static size_t left_of(const layout *l, size_t column)
{
    return GAP + column * (l->cell_width + GAP);
}

static size_t top_of(const layout *l, size_t row)
{
    return GAP + row * (l->cell_height + GAP) + row / l->band_rows * (l->band_rows > 1 ? BAND_GAP : 0);
}

static lg_status lay_out(const char *file, const picture_grid *grid, layout *l)
{
    const size_t dims[] = { grid->rows, grid->columns, grid->height, grid->width };
    for (size_t k = 0; k < 4; k++)
        if (dims[k] == 0 || dims[k] > MOST_SIDE)
            return lg_fail(LG_E_PARAM, "%s: %zu x %zu pictures of %zu x %zu pixels cannot be drawn", file, dims[0], dims[1],
                           dims[2], dims[3]);
    *l = (layout){ .scale = WANTED_WIDTH / (grid->columns * grid->width) };
    l->scale = l->scale < 1 ? 1 : l->scale > MOST_SCALE ? MOST_SCALE : l->scale;
    l->cell_width = l->scale * grid->width;
    l->cell_height = l->scale * grid->height;
    l->band_rows = grid->band_rows ? grid->band_rows : 1;
    l->width = left_of(l, grid->columns);
    l->height = top_of(l, grid->rows - 1) + l->cell_height + GAP;
    if (l->width > MOST_SIDE || l->height > MOST_SIDE)
        return lg_fail(LG_E_PARAM, "%s: %zu x %zu screen pixels are more than %d to a side", file, l->height, l->width,
                       MOST_SIDE);
    return LG_OK;
}

static unsigned char grey(lg_real ink)
{
    const double cut = ink > 1 ? 1 : ink > 0 ? (double)ink : 0;
    return (unsigned char)(255.5 - 255 * cut);
}

static void draw(const picture_grid *grid, const layout *l, size_t row, size_t column, const lg_real *values,
                 unsigned char *screen)
{
    for (size_t y = 0; y < l->cell_height; y++) {
        unsigned char *line = screen + (top_of(l, row) + y) * l->width + left_of(l, column);
        for (size_t x = 0; x < l->cell_width; x++)
            line[x] = grey(values[y / l->scale * grid->width + x / l->scale]);
    }
}

lg_status picture_write(run *r, const char *file, const picture_grid *grid, const lg_real *values)
{
    layout l = { 0 };
    lg_status status = lay_out(file, grid, &l);
    if (status != LG_OK)
        return status;
    unsigned char *screen = malloc(l.width * l.height);
    if (!screen)
        return lg_fail(LG_E_MEMORY, "out of memory for %s", file);
    memset(screen, GAP_GREY, l.width * l.height);
    for (size_t i = 0; i < grid->rows * grid->columns; i++)
        draw(grid, &l, i / grid->columns, i % grid->columns, values + i * grid->height * grid->width, screen);

    run_file out;
    status = run_file_begin(&out, r, file);
    if (status == LG_OK) {
        png_image image = { .version = PNG_IMAGE_VERSION, .width = (png_uint_32)l.width,
                            .height = (png_uint_32)l.height, .format = PNG_FORMAT_GRAY };
        if (png_image_write_to_stdio(&image, out.stream, 0, screen, 0, NULL) || ferror(out.stream))
            status = run_file_end(&out); /* which tells of a disk that is full */
        else {
            run_file_discard(&out);
            status = lg_fail(LG_E_MEMORY, "%s: libpng: %s", file, image.message);
        }
        png_image_free(&image);
    }
    free(screen);
    return status;
}
