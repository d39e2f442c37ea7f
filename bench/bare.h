/* The least that a step of a workload takes beside its matrix products: loops that move what it must move, and take the
 * functions that it must take, and do nothing else. With the time in BLAS this is what the machine allows; how near
 * luge is to it is a column of the table. */
#ifndef BENCH_BARE_H
#define BENCH_BARE_H

#include "workloads.h"

/* Seconds of one thread: the update of the parameters, the backward pass through the activations, and the longer of the
 * two of reading inputs and writing derivatives, and of as many exponentials. False when there is no memory. */
bool bare_seconds(const bare_work *work, double *seconds);

#endif
