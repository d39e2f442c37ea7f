/* Rows of several classes around centres of their own, for trainers that embed rows; and tables to read back. */
#ifndef TEST_CLUSTERS_H
#define TEST_CLUSTERS_H

#include <stddef.h>

enum { CLUSTER_FEATURES = 4 };

/* Writes a CSV of classes x rows lines, a,b,c,d and, with labels, the class "k0", "k1", ... as "who", class by class: the
 * centre of a class is drawn with deviation 3, its rows around it with deviation 0.4. The same classes have the same centres
 * whatever else is asked for; `first` is the first class, and `seed` draws the rows. */
void clusters_write(const char *name, size_t first, size_t classes, size_t rows, int labels, unsigned seed);

/* A column of a CSV file of the scratch folder by its name, as numbers (texts: NaN); *count is how many lines there are.
 * Free with free(). With `where` not NULL, only lines whose first cell is this text. */
double *table_column(const char *file, const char *column, const char *where, size_t *count);

/* By counting, pair by pair: the chance that a distance of target 1 is smaller than one of target 0, ties half. */
double counted_auc(size_t n, const double *distance, const double *target);

/* The share of rows of a target whose distance is at most the threshold. */
double counted_share(size_t n, const double *distance, const double *target, double of_target, double threshold);

#endif
