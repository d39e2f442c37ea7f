/* Data sets larger than memory: rows stay in their file and are read, a block at a time, when they are wanted.
 *
 *   lg_dataset *payments = lg_dataset_stream("payments.csv", &(lg_read_options){ .csv.target = "Class" }, 100000);
 *   lg_history *history = lg_fit(step, &net, adam, payments, &(lg_fit_options){ .epochs = 3, .validation = other });
 *
 * CSV (csv.h), NPY (npy.h) and IDX files (idx.h), which of them the content says; plain ones, since a packed file cannot
 * be read from its middle. The data set is the one that lg_dataset_read (read.h) makes of the file, to the bit, with the
 * same options, names, classes and messages. The file is read through once when it is opened: what is wrong in it is told
 * then, with line and column, and the categories, classes and means of all rows are found. It must stay as it is while
 * it is in use: a file that was written to since is refused (LG_E_STATE), at the next block that is read.
 *
 * Memory holds buffer_rows rows, and for each 256 rows of a CSV file 16 bytes; a subset (a split) takes 8 bytes for each of
 * its rows. Training reads each block once in an epoch: the blocks come in random order, sixteen or so fill the buffer,
 * and rows are shuffled among those in the buffer, by lg_fit_options.seed (lg_sampler_for, split.h). With as many rows in
 * the buffer as there are, training is the same, bit for bit, as with lg_dataset_read. The larger the buffer, the better
 * mixed is what a batch sees.
 *
 * lg_scaler_fit, lg_imputer_fit of means, lg_dataset_labels, lg_split_dataset, lg_evaluate and lg_predict run through the
 * blocks in order. lg_scaler_apply and lg_imputer_apply hold for what is read from then on. lg_dataset_values and what is
 * built on it (lg_draw_pairs, medians) need rows in memory. Rows in any other order are right as well, but slow: each may
 * want another block. Several threads may read one such data set; they wait for each other. */
#ifndef LG_STREAMING_H
#define LG_STREAMING_H

#include "data/read.h"

LG_BEGIN_DECLS

/* Opens a file to be streamed.
 *
 * options      as for lg_dataset_read; csv.missing cannot be LG_MISSING_MEDIAN
 * buffer_rows  rows to hold, rounded up to whole blocks of a multiple of 256; 0: as many as 64 MB have room for
 * returns      the data set; NULL on error as lg_dataset_read, also LG_E_PARAM for a file of another kind or packed, for
 *              an array in Fortran order (whose rows do not lie together), and for more than 65536 classes */
LG_API lg_dataset *lg_dataset_stream(const char *path, const lg_read_options *options, size_t buffer_rows);

LG_END_DECLS

#endif
