/* Points in many dimensions, flattened to two. */
#ifndef EXAMPLES_PROJECTION_H
#define EXAMPLES_PROJECTION_H

#include <luge.h>

/* xy[rows, 2]: the points less their mean, along the two directions in which they vary most (principal components),
 * found by power iteration on the covariance; the larger first, each with its largest entry positive. Two numbers or one
 * a row are taken as they are (y = 0). LG_E_MEMORY. */
lg_status project_to_plane(size_t rows, size_t width, const lg_real *points, double *xy);

#endif
