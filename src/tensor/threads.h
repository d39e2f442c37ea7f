/* How many threads the library may use. Work is divided where it pays, on a team of threads that is made when first
 * needed, looks for the next piece of work for some microseconds, then sleeps, and ends with the program: matrix products
 * of a million operations or more, elementwise operations, softmax, losses and updates of some ten thousand elements, the
 * samples of ctc.
 *
 * The same seed and the same number of threads give the same numbers, bit for bit, however busy the machine is. Between
 * different numbers of threads only matrix products differ, in their last digits; all else is the same for any number.
 * All these functions may be called by any thread at any time. When several threads of a program have work to divide at
 * once, one of them gets the team and the others do theirs alone, with the same results. A child that is forked makes a
 * team of its own when it needs one. The team's threads block all signals. */
#ifndef LG_THREADS_H
#define LG_THREADS_H

#include "tensor/base.h"

LG_BEGIN_DECLS

#define LG_MAX_THREADS 256

/* Work that begins after this is divided among `count` threads, the caller's included; 1: no other thread is used.
 *
 * count    0 .. LG_MAX_THREADS; 0: back to the default (below)
 * errors   LG_E_PARAM */
LG_API lg_status lg_set_num_threads(size_t count);

/* The number set. By default the environment variable LUGE_NUM_THREADS as it was when first asked for, if that is a
 * number in 1 .. LG_MAX_THREADS, else the number of processors that the process may run on. */
LG_API size_t lg_num_threads(void);

LG_END_DECLS

#endif
