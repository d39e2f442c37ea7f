/* Reading sparse tables of text, the format of LIBSVM and SVMlight (Chang & Lin; Joachims).
 *
 *   # a comment
 *   +1 1:0.708 3:1 13:-0.32      the target of the row, then INDEX:VALUE of what is not 0, indices ascending
 *   -1 2:0.583   # more
 *
 * Between them are blanks or tabs; lines end in LF, CRLF or CR; a gzip file is recognised by its content. Numbers are
 * written with a point and rounded once, to lg_real. Indices count from 1, or from 0 if the file has an index 0 (as
 * sklearn.datasets.load_svmlight_file takes it), or as index_base says; features are named by them. Groups of a ranking (qid:3) and rows of
 * several labels (1,3) are refused.
 *
 * "x" is dense, [features], as many as the largest index says, and 0 where a row says nothing. */
#ifndef LG_LIBSVM_H
#define LG_LIBSVM_H

#include "data/csv.h"

LG_BEGIN_DECLS

/* Of the options these count: target_kind, positive (a number), missing (LG_MISSING_KEEP lets NaN through, another kind
 * but LG_MISSING_ERROR is not read), allow_nonfinite, index_base, like. LG_TARGET_AUTO gives classes if all targets are whole numbers,
 * else values; see read.h for what the kinds make of numbers. With like the features are those of that data set: a row
 * may leave out any, but have no other; with an index_base of its own a file's first feature is that data set's first. target may be NULL, "0" or "label": it is always the first number of a line.
 *
 * NULL on error, with the line:
 *   a1a.txt:17: "3:" is not INDEX:VALUE
 *   a1a.txt:18: feature 3 comes after feature 7; they must ascend
 * LG_E_IO, LG_E_FORMAT (also for a table that would be over 16 MB when dense, and has one value in 1000 or fewer),
 * LG_E_PARAM for options that do not fit, LG_E_MEMORY. */
LG_API lg_dataset *lg_dataset_read_libsvm(const char *path, const lg_csv_options *options);

LG_END_DECLS

#endif
