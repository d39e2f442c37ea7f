/* Reading NPZ files: arrays by name in a ZIP archive, as numpy.savez and numpy.savez_compressed write them.
 *
 *   numpy.savez("faces.npz", x=pictures, y=people)
 *
 * The rows are the array "x", and their targets "y" if it is there; or the first of these pairs whose first one is there:
 * X and y, x_train and y_train (as in Keras's mnist.npz), images and labels, data and target, arr_0 and arr_1 (savez
 * without names). An archive of a single array needs no name. */
#ifndef LG_NPZ_H
#define LG_NPZ_H

#include "data/read.h"

LG_BEGIN_DECLS

/* lg_dataset_read (read.h) of a file that must be NPZ. Of the options
 *   csv.target  may name another array of targets ("y_train"), of which there is one for each row; or, if there is none of
 *               that name, it is a column of the rows, as in an NPY file
 *   labels      is a file of its own, and then the archive's targets are not read
 * Members may be stored or deflated, and of any size (ZIP64); their checksums are compared. */
LG_API lg_dataset *lg_dataset_read_npz(const char *path, const lg_read_options *options);

LG_END_DECLS

#endif
