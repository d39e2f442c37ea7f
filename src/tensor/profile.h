/* Where the time of training goes: by operation, forward and backward apart, the optimizer and the making of batches too.
 *
 *     lg_profile_start();
 *     ...train...
 *     lg_profile_stop();
 *     lg_profile_print(stdout);
 *
 * lg_fit does the same with `profile` in its options, or LUGE_PROFILE=1 in the environment. A profile is of the thread that
 * starts it; a process has one at a time. While none runs, nothing is measured; while one does, an operation takes some
 * 0.1 us longer. */
#ifndef LG_PROFILE_H
#define LG_PROFILE_H

#include "tensor/base.h"

LG_BEGIN_DECLS

typedef enum lg_profile_phase {
    LG_PHASE_FORWARD = 0,
    LG_PHASE_BACKWARD = 1,
    LG_PHASE_UPDATE = 2, /* lg_optimizer_step */
    LG_PHASE_DATA = 3,   /* lg_batch_fill */
    LG_PHASE_REST = 4    /* all else between start and stop */
} lg_profile_phase;

#define LG_PROFILE_NAME_BYTES 40

typedef struct lg_profile_row {
    char name[LG_PROFILE_NAME_BYTES]; /* of the operation, the loss or the optimizer; cut if longer */
    lg_profile_phase phase;
    uint64_t calls;
    double seconds; /* without those of other rows within */
    double flops;   /* of matrix products, 2 m n k each */
    double bytes;   /* of what is read and written, each array counted once */
} lg_profile_row;

/* Begins to measure, on this thread, from nothing. LG_E_STATE while a profile runs. */
LG_API lg_status lg_profile_start(void);

/* Ends it. Does nothing on a thread whose profile does not run. */
LG_API void lg_profile_stop(void);

/* Whether a profile runs, on any thread. */
LG_API bool lg_profile_running(void);

/* The rows of the last profile, once it is stopped: those with the most seconds first, then the rest, which is always
 * there: the seconds add up to those from start to stop. NULL and 0 before a first one, and while one runs. Valid until
 * the next one starts. */
LG_API const lg_profile_row *lg_profile_rows(size_t *count);

/* Prints them as a table: calls, time, share, GFLOP/s of rows with matrix products and GB/s of others, bytes. LG_E_STATE
 * where there are none, LG_E_IO. */
LG_API lg_status lg_profile_print(FILE *stream);

LG_END_DECLS

#endif
