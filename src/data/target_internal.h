/* The target of rows that were read as numbers: from a labels file, a column of an array, the first number of a line. */
#ifndef LG_TARGET_INTERNAL_H
#define LG_TARGET_INTERNAL_H

#include "data/csv.h"

typedef struct lg_target {
    const char *path;    /* where it is from, for messages */
    double *value;       /* [rows] finite; owned */
    size_t rows;
    lg_target_kind kind; /* not AUTO */
    const lg_csv_options *options;
    double *sorted;      /* [distinct] ascending; owned */
    size_t distinct;
} lg_target;

/* What AUTO means: classes for numbers that are whole by their nature, values for others, unless a class is positive. */
lg_target_kind lg_target_kind_of(const lg_csv_options *options, bool whole);

/* Adds the field "y", and the names of its classes. as_lg_real: the values went through lg_real, so that classes above
 * its whole numbers may have been rounded. */
lg_status lg_target_add(lg_target *target, lg_dataset *dataset, bool as_lg_real);

void lg_target_free(lg_target *target);

#endif
