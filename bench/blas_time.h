/* Clocks, and the time that the library spends in BLAS: the linker sends its calls to blas_time.c (--wrap in the
 * Makefile). */
#ifndef BENCH_BLAS_TIME_H
#define BENCH_BLAS_TIME_H

/* Seconds: of the wall clock; of the processor, by all threads of this process. */
double wall_seconds(void);
double processor_seconds(void);
double thread_seconds(void); /* processor time of this thread alone: OpenBLAS's own spin for a while at first */

/* From here on calls are counted; seconds in them since then, of all threads together, and no more are counted. Counting
 * costs two looks at the clock a call. */
void blas_time_begin(void);
double blas_time_end(void);

#endif
