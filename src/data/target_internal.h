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
    int32_t *code_of;    /* [distinct] classes: of each value; owned */
    double positive;     /* binary: the value that is 1 */
} lg_target;

/* What AUTO means: classes for numbers that are whole by their nature, values for others, unless a class is positive. */
lg_target_kind lg_target_kind_of(const lg_csv_options *options, bool whole);

/* Adds the field "y", and the names of its classes. as_lg_real: the values went through lg_real, so that classes above
 * its whole numbers may have been rounded. */
lg_status lg_target_add(lg_target *target, lg_dataset *dataset, bool as_lg_real);

/* The same in steps, for values that are not all in memory: `sorted` and `distinct` are there (of a target of values two
 * of them do, that it is known whether it is constant). Plan says what becomes of each; name gives the classes of "y" in
 * the data set their names. LG_E_FORMAT, LG_E_PARAM, LG_E_MEMORY. */
lg_status lg_target_plan(lg_target *target, bool as_lg_real);
lg_status lg_target_name(const lg_target *target, lg_dataset *dataset);
lg_field lg_target_field(const lg_target *target);

/* Writes what values [count] become, int32 for classes and lg_real for others, to `out`; `row` is that of the first, for
 * the message. */
lg_status lg_target_encode(const lg_target *target, const double *values, size_t count, size_t row, void *out);

/* Order of doubles, for qsort. */
int lg_target_ascending(const void *a, const void *b);

void lg_target_free(lg_target *target);

#endif
