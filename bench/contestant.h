/* Contestants of the table: child processes that run workloads when told to, by lines through pipes (see worker.c), and
 * sleep in between. All are started alike: pinned to the same processors, told the same number of threads. */
#ifndef BENCH_CONTESTANT_H
#define BENCH_CONTESTANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

enum { CONTESTANT_WORDS = 8, CONTESTANT_TEXT = 256 };

typedef struct contestant {
    const char *name;                         /* as messages and the CSV call it */
    const char *command[CONTESTANT_WORDS];    /* up to a NULL */
    bool rival;                               /* not luge: told the number of threads in the environment, too */
    pid_t pid;                                /* 0: not running */
    FILE *to, *from;
    char about[CONTESTANT_TEXT];              /* versions, as it says itself */
} contestant;

/* What a contestant answers. */
typedef enum answer { ANSWER_DONE, ANSWER_NONE /* not its workload */, ANSWER_FAILED } answer;

typedef struct timing {
    size_t steps;
    double seconds, processor; /* wall clock; processor time of all its threads */
    double loss, gradient;
} timing;

/* False, with a line on stderr, when it does not start, or does not say what it is. */
bool contestant_start(contestant *c, size_t threads);
void contestant_stop(contestant *c);

/* A failure is told on stderr; a contestant that died is stopped. */
answer contestant_run(contestant *c, const char *workload, size_t steps, timing *t);
answer contestant_blas(contestant *c, const char *workload, size_t steps, double *blas, double *seconds);
answer contestant_bare(contestant *c, const char *workload, double *seconds);

/* Returns when it no longer uses the processor: threads spin for a while after their work (those of OpenBLAS and OpenMP
 * for up to a tenth of a second), and would be in the next contestant's way. Waits half a second at most. */
void contestant_settle(const contestant *c);
void contestant_drop(contestant *c, const char *workload);

/* A process of its own for one workload, from its start to its end: seconds, and the most memory that it had, in bytes. */
bool contestant_once(const contestant *c, size_t threads, const char *workload, size_t steps, double *seconds,
                     double *bytes);

#endif
