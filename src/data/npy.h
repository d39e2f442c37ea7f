/* NPY files: one array, as numpy.save writes and numpy.load reads it (NumPy, "NEP 1: A simple file format for NumPy
 * arrays"; versions 1.0, 2.0 and 3.0).
 *
 *   byte 0       "\x93NUMPY", major and minor version, length of the header (2 bytes, from version 2.0 on 4)
 *   the header   {'descr': '<f4', 'fortran_order': False, 'shape': (1797, 64), }
 *   the rest     the elements, in C order or, with fortran_order, the first axis running fastest
 *
 * Read are real numbers (f2 f4 f8), integers (i1 i2 i4 i8 u1 u2 u4 u8) and booleans (b1), of either byte order. Complex
 * numbers, texts, dates, records and Python objects are refused. */
#ifndef LG_NPY_H
#define LG_NPY_H

#include "data/read.h"
#include "tensor/tensor.h"

LG_BEGIN_DECLS

/* lg_dataset_read (read.h) of a file that must be NPY, plain or gzip. The labels may be IDX or NPY. */
LG_API lg_dataset *lg_dataset_read_npy(const char *path, const lg_read_options *options);

/* The array of a file as a tensor on the heap, of up to LG_MAX_RANK axes, any of them may be 0. LG_REAL takes every type
 * of number, rounded to lg_real (NaN and infinity as they are; a finite number too large for it is LG_E_FORMAT);
 * LG_INT32 takes whole numbers that fit. NULL on error, as lg_dataset_read. */
LG_API lg_tensor *lg_npy_read(const char *path, lg_dtype dtype);

/* Writes an array, [dims...] of lg_real (f4 or f8) or int32_t (i4), in C order and the byte order of the machine.
 * The file is written under a temporary name beside it ("x.npy.partial"), synced and renamed, so that it is whole or as
 * it was before. LG_E_PARAM for NULL, LG_E_SHAPE for more than LG_MAX_RANK axes or sizes that overflow, LG_E_IO,
 * LG_E_MEMORY. */
LG_API lg_status lg_npy_write_array(const char *path, lg_dtype dtype, size_t rank, const size_t *dims,
                                    const void *values);

/* The same of a tensor's values. */
LG_API lg_status lg_npy_write(const char *path, const lg_tensor *tensor);

LG_END_DECLS

#endif
