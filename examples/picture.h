/* Grids of small grey pictures, as PNG files of a run. */
#ifndef EXAMPLES_PICTURE_H
#define EXAMPLES_PICTURE_H

#include "run.h"

/* rows x columns pictures of height x width pixels. Rows that belong together form bands of band_rows (0: 1), which are
 * set off by wider gaps. */
typedef struct picture_grid {
    size_t rows, columns, height, width, band_rows;
} picture_grid;

/* Writes values [rows, columns, height, width], 0 the paper and 1 the ink (what is outside is cut, and NaN is paper), into
 * `file` of the run. Pixels become squares of whole screen pixels, as large as 720 of them to a row of pictures allow.
 * LG_E_IO, LG_E_MEMORY; LG_E_PARAM for a grid without pixels or of more than 16384 screen pixels to a side. */
lg_status picture_write(run *r, const char *file, const picture_grid *grid, const lg_real *values);

#endif
