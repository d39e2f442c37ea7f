/* The process that runs luge's workloads for the table (bench/compare.c), and by hand:
 *
 *     build/bench/worker 2 c 1000     workload c for 1000 steps with two threads: microseconds per step, and its loss
 *     build/bench/worker 1            lines from stdin, as every contestant takes them:
 *         run c 100      ->  "100 0.421 0.419 2.3051 0"  steps made, seconds, seconds of processor time, loss of the
 *                            last step, length of the leaves' gradients (0 without leaves); the first time on a new session
 *         gemm c 100     ->  seconds in BLAS, of all threads together; seconds of the steps
 *         bare c         ->  seconds that a step takes at least beside BLAS (bare.h)
 *         drop c         ->  "0": the session is freed
 *         about it       ->  what luge is built with, in a line
 *     What the contestant does not do is answered by "none"; what went wrong by "error ...". */
#include "bare.h"
#include "blas_time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SESSIONS = 64, LINE_BYTES = 256 };

/* ----------------------------------------------------------------- sessions */

static session *sessions[MOST_SESSIONS];

/* The place of a workload's session, made if there is none; NULL when it has no such workload, or failed. */
static session **session_of(const char *name)
{
    const workload *w;
    for (size_t i = 0; i < MOST_SESSIONS && (w = workload_at(i)); i++)
        if (strcmp(w->name, name) == 0) {
            if (!sessions[i])
                sessions[i] = session_new(w);
            return sessions[i] ? &sessions[i] : NULL;
        }
    return NULL;
}

/* As many steps as asked, or up to the workload's next multiple; their number. 0 when it failed. */
static size_t run(session *s, size_t steps, session_time *time)
{
    const size_t granule = s->workload->granule > 0 ? s->workload->granule : 1;
    const size_t made = (steps + granule - 1) / granule * granule;
    return session_time_steps(s, made, time) ? made : 0;
}

static void say_about(void)
{
#ifdef __clang__
    const char *compiler = ""; /* __VERSION__ says it */
#else
    const char *compiler = "gcc ";
#endif
    printf("luge %d.%d.%d, %s, compiled by %s%s; matrix kernels %s\n", LG_VERSION_MAJOR, LG_VERSION_MINOR, LG_VERSION_PATCH,
           LG_REAL_BITS == 64 ? "double" : "float", compiler, __VERSION__, lg_blas_kernels());
}

static void answer(const char *line)
{
    char command[16], name[32];
    size_t steps = 0;
    session_time t;
    if (sscanf(line, "%15s %31s %zu", command, name, &steps) < 2) {
        printf("error: what is \"%.*s\"?\n", (int)strcspn(line, "\n"), line);
        return;
    }
    if (strcmp(command, "about") == 0) {
        say_about();
        return;
    }
    double bare;
    if (strcmp(command, "bare") == 0 && workload_find(name)) {
        if (bare_seconds(&workload_find(name)->bare, &bare))
            printf("%.9g\n", bare);
        else
            printf("error: no memory\n");
        return;
    }
    session **s = workload_find(name) ? session_of(name) : NULL;
    if (strcmp(command, "drop") == 0) {
        if (s) {
            session_free(*s);
            *s = NULL;
        }
        printf("0\n");
        return;
    }
    const bool counting = strcmp(command, "gemm") == 0;
    if (counting)
        blas_time_begin();
    const size_t made = s ? run(*s, steps, &t) : 0;
    if (!workload_find(name))
        printf("none\n");
    else if (made == 0)
        printf("error: %s\n", lg_error());
    else if (counting)
        printf("%.9g %.9g\n", blas_time_end(), t.wall);
    else
        printf("%zu %.9g %.9g %.9g %.9g\n", made, t.wall, t.processor, (*s)->value, session_gradient(*s));
    blas_time_end();
}

/* One workload, for a human and for start-up and memory. */
static int run_once(const char *name, size_t steps)
{
    session_time t;
    session **s = workload_find(name) ? session_of(name) : NULL;
    const size_t made = s ? run(*s, steps, &t) : 0;
    if (made == 0) {
        fprintf(stderr, "worker: %s\n", workload_find(name) ? lg_error() : "there is no such workload");
        return EXIT_FAILURE;
    }
    printf("%s: %.3f us per step, loss %.9g\n", name, 1e6 * t.wall / (double)made, (*s)->value);
    session_free(*s);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    if (argc != 2 && argc != 4) {
        fprintf(stderr, "Usage: worker THREADS [WORKLOAD STEPS]\n");
        return 2;
    }
    if (lg_set_num_threads((size_t)strtoul(argv[1], NULL, 10)) != LG_OK) {
        fprintf(stderr, "worker: %s\n", lg_error());
        return EXIT_FAILURE;
    }
    if (argc == 4)
        return run_once(argv[2], (size_t)strtoul(argv[3], NULL, 10));
    char line[LINE_BYTES];
    while (fgets(line, sizeof line, stdin)) {
        answer(line);
        fflush(stdout);
    }
    for (size_t i = 0; i < MOST_SESSIONS; i++)
        session_free(sessions[i]);
    return EXIT_SUCCESS;
}
