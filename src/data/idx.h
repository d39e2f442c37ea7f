/* Reading IDX files, the format of MNIST, Fashion-MNIST and EMNIST (Y. LeCun, "The MNIST database").
 *
 *   byte 0, 1    0
 *   byte 2       element type: 0x08 unsigned byte, 0x09 signed byte, 0x0B int16, 0x0C int32, 0x0D float, 0x0E double
 *   byte 3       number of axes
 *   4 per axis   its length
 *   the rest     the elements, the last axis running fastest
 * All numbers are big-endian. */
#ifndef LG_IDX_H
#define LG_IDX_H

#include "data/read.h"

LG_BEGIN_DECLS

/* lg_dataset_read (read.h) of a file that must be IDX, plain or gzip. The labels may be IDX or NPY. */
LG_API lg_dataset *lg_dataset_read_idx(const char *path, const lg_read_options *options);

LG_END_DECLS

#endif
