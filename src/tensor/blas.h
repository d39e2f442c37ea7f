/* Which kernels multiply matrices. OpenBLAS has several for every kind of processor and takes its pick when the program
 * starts, before main. A release that is older than the processor may not know it, and take those of 2004 ("Prescott"),
 * a fourth to an eighth as fast as the right ones. The environment can say better, before the program starts:
 *
 *     OPENBLAS_CORETYPE=SkylakeX    any processor with AVX-512
 *     OPENBLAS_CORETYPE=Haswell     any with AVX2 */
#ifndef LG_BLAS_H
#define LG_BLAS_H

#include "tensor/base.h"

LG_BEGIN_DECLS

/* The kernels in use, by OpenBLAS's name for the processor they are for: "SkylakeX", "Zen", ...; "" when the BLAS is
 * another. */
LG_API const char *lg_blas_kernels(void);

LG_END_DECLS

#endif
