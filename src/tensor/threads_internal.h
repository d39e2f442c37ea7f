/* Work divided among the threads of the team (threads.h). */
#ifndef LG_THREADS_INTERNAL_H
#define LG_THREADS_INTERNAL_H

#include "tensor/threads.h"

/* Task `index` of a call. No two tasks that run at the same time have the same `worker` (0 .. workers - 1): it says which
 * scratch is the task's own. Which worker gets a task is chance, so a result must not depend on it. */
typedef lg_status lg_task(size_t index, size_t worker, void *context);

/* Runs tasks 0 .. count - 1, handed out in this order, on at most `workers` threads, the caller's being worker 0; returns
 * when all have ended. Alone on the caller's thread when `workers` is 1, within a task, while another thread has the
 * team, or when the system gives no thread. Allocates nothing once the team is there.
 *
 * Tasks run in the caller's mode of arithmetic (subnormal_internal.h).
 *
 * After a task that fails no further one is begun. Returns the status of the failed task of the lowest index, with its
 * message as this thread's: the same as with one thread. */
lg_status lg_parallel(size_t count, size_t workers, lg_task *task, void *context);

/* Elements begin .. end - 1 of a sweep. */
typedef void lg_range_task(size_t begin, size_t end, void *context);

#define LG_RANGE_MULTIPLE 64 /* where ranges begin: a line of the cache, or a vector, is one thread's */

#define LG_LEAST_ELEMENTS ((size_t)16384) /* of a thread's share, where elements are simple: less pays no wake-up call */

/* Divides a sweep over n elements among the threads, one range each, of at least `least` elements; the whole in one call
 * where that makes only one. For sweeps whose elements do not depend on each other, and are thus the same for any number
 * of threads. */
void lg_divide_ranges(size_t n, size_t least, lg_range_task *task, void *context);

static inline void lg_parallel_ranges(size_t n, size_t least, lg_range_task *task, void *context)
{
    if (n / 2 < least)
        task(0, n, context);
    else
        lg_divide_ranges(n, least, task, context);
}

#endif
