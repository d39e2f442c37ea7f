/* A program that is linked with blas_choice.c has, from the start of main, matrix kernels that fit its processor, also
 * where the OpenBLAS of the system is too old to know that (tensor/blas.h), and none of OpenBLAS's own threads, which
 * would spin for the first tenth of a second. There is nothing to call. */
#ifndef EXAMPLES_BLAS_CHOICE_H
#define EXAMPLES_BLAS_CHOICE_H

/* The kernels, by OpenBLAS's name, that this processor should have in place of those named; NULL where they do, or where
 * nobody knows better. */
const char *better_blas_kernels(const char *kernels);

#endif
