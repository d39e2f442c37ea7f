/* Reading a data set from a file of any kind that luge knows. What kind it is, its first bytes say, never its name:
 *
 *   IDX    the files of MNIST and its kin                           idx.h
 *   NPY    what numpy.save writes                                   npy.h
 *   NPZ    what numpy.savez writes: arrays and their labels         npz.h
 *   LIBSVM lines of a number and INDEX:VALUEs, as in +1 3:0.5 7:1   libsvm.h; not if csv.delimiter is given
 *   CSV    anything else                                            csv.h
 *
 * each but NPZ also as gzip.
 *
 *   lg_dataset *fashion = lg_dataset_read("images-idx3-ubyte.gz",
 *                                         &(lg_read_options){ .labels = "labels-idx1-ubyte.gz", .unit_bytes = true });
 *   lg_dataset *spam = lg_dataset_read("spam.csv", &(lg_read_options){ .csv.target = "type" });
 *
 * IDX and NPY files hold one array [rows, dims...] of up to LG_MAX_RANK axes. It becomes the field "x" of lg_real with
 * rows [dims...]; an array of one axis has rows [1]. Numbers are rounded once, to the nearest lg_real; one that is too
 * large for it is an error, and so is NaN or infinity unless csv.allow_nonfinite (NaN also passes with csv.missing =
 * LG_MISSING_KEEP, for an lg_imputer to fill).
 *
 * The target "y" of such an array is
 *   a labels file   IDX or NPY as well, of one axis and as many rows, or
 *   a column        of an array of two axes: csv.target is its index, "-1" for the last
 * and csv.target_kind says what it becomes, as with CSV: LG_CLASSES the distinct values, which must be whole numbers, in
 * ascending order (named "0", "7", ...); LG_VALUES the numbers themselves; LG_BINARY 1 where it is csv.positive (a
 * number), else 0; LG_TARGET_AUTO classes for a labels file of integers, values for anything else, unless csv.positive
 * is given.
 *
 * With csv.like the rows must have the shape, and classes must be among those, of that data set. Of the other options of
 * CSV none has a meaning for arrays; drop and text_columns are refused, the rest is not read. */
#ifndef LG_READ_H
#define LG_READ_H

#include "data/csv.h"

LG_BEGIN_DECLS

/* All-zero (or NULL): the array as it is, without a target. */
typedef struct lg_read_options {
    lg_csv_options csv;
    const char *labels; /* file with the target of each row of an IDX or NPY file; NULL: none. Excludes csv.target */
    bool unit_bytes;    /* unsigned bytes, 0 .. 255, are divided by 255: pixels in [0, 1] */
    bool flatten;       /* rows of any shape become vectors, [28, 28] becomes [784]; files may then have more axes */
} lg_read_options;

/* NULL on error, with the file, where in it, and what was expected:
 *   train.idx: 60000 x 28 x 28 ubyte after a header of 16 bytes make 47040016 bytes, but the file has 1024
 * LG_E_IO if a file cannot be opened or read, LG_E_FORMAT for what is in it, LG_E_PARAM for options that do not fit it,
 * LG_E_SHAPE for more axes than a tensor has, LG_E_MEMORY. Memory grows with what is read, not with what a header says. */
LG_API lg_dataset *lg_dataset_read(const char *path, const lg_read_options *options);

LG_END_DECLS

#endif
