#include "projection.h"

#include <math.h>
#include <stdlib.h>

#define MOST_ITERATIONS 1000

/* covariance[width, width] and mean[width], in double. */
static void measure(size_t rows, size_t width, const lg_real *points, double *mean, double *covariance)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t k = 0; k < width; k++)
            mean[k] += (double)points[i * width + k] / (double)rows;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < width; j++) {
            const double of_j = (double)points[i * width + j] - mean[j];
            for (size_t k = 0; k < width; k++)
                covariance[j * width + k] += of_j * ((double)points[i * width + k] - mean[k]) / (double)rows;
        }
}

/* Scales to length 1, the largest entry positive; returns the length it had. */
static double unit(size_t width, double *v)
{
    double squares = 0, largest = 0;
    for (size_t k = 0; k < width; k++) {
        squares += v[k] * v[k];
        largest = fabs(v[k]) > fabs(largest) ? v[k] : largest;
    }
    const double length = sqrt(squares);
    for (size_t k = 0; k < width && length > 0; k++)
        v[k] /= largest < 0 ? -length : length;
    return length;
}

/* The direction of the largest eigenvalue, v <- C v / |C v| until it stays; then C <- C - value v v', so that the next
 * call finds the second. All zeros when nothing varies. */
static void principal_direction(size_t width, double *covariance, double *v, double *next)
{
    for (size_t k = 0; k < width; k++)
        v[k] = 1 + 0.1 * sin((double)k); /* not at right angles to anything in particular */
    unit(width, v);
    double value = 0;
    for (int iteration = 0; iteration < MOST_ITERATIONS; iteration++) {
        double change = 0;
        for (size_t j = 0; j < width; j++) {
            next[j] = 0;
            for (size_t k = 0; k < width; k++)
                next[j] += covariance[j * width + k] * v[k];
        }
        value = unit(width, next);
        for (size_t k = 0; k < width; k++) {
            change = fmax(change, fabs(next[k] - v[k]));
            v[k] = next[k];
        }
        if (change < 1e-12)
            break;
    }
    for (size_t j = 0; j < width; j++)
        for (size_t k = 0; k < width; k++)
            covariance[j * width + k] -= value * v[j] * v[k];
}

lg_status project_to_plane(size_t rows, size_t width, const lg_real *points, double *xy)
{
    if (width <= 2) {
        for (size_t i = 0; i < rows; i++)
            for (size_t k = 0; k < 2; k++)
                xy[2 * i + k] = k < width ? (double)points[i * width + k] : 0;
        return LG_OK;
    }
    double *mean = calloc(width * (width + 3), sizeof *mean);
    if (!mean)
        return lg_fail(LG_E_MEMORY, "out of memory for %zu principal components", width);
    double *v = mean + width, *next = v + width, *covariance = next + width;
    measure(rows, width, points, mean, covariance);
    for (size_t axis = 0; axis < 2; axis++) {
        principal_direction(width, covariance, v, next);
        for (size_t i = 0; i < rows; i++) {
            double along = 0;
            for (size_t k = 0; k < width; k++)
                along += ((double)points[i * width + k] - mean[k]) * v[k];
            xy[2 * i + axis] = along;
        }
    }
    free(mean);
    return LG_OK;
}
