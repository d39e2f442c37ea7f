#include "contestant.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The last of the processors that this process may use: the first one has the most interruptions. */
static void pin(size_t threads)
{
    cpu_set_t allowed, chosen;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return;
    CPU_ZERO(&chosen);
    for (size_t i = CPU_SETSIZE, left = threads; i-- > 0 && left > 0;)
        if (CPU_ISSET(i, &allowed)) {
            CPU_SET(i, &chosen);
            left--;
        }
    sched_setaffinity(0, sizeof chosen, &chosen);
}

/* The child's side of a fork: becomes the contestant. `last` are words after its command. */
static _Noreturn void become(const contestant *c, size_t threads, const char *const last[], size_t count)
{
    char number[24];
    char *words[CONTESTANT_WORDS + 4];
    size_t n = 0;
    for (; c->command[n]; n++)
        words[n] = (char *)c->command[n];
    snprintf(number, sizeof number, "%zu", threads);
    words[n++] = number;
    for (size_t i = 0; i < count; i++)
        words[n++] = (char *)last[i];
    words[n] = NULL;
    unsetenv("OPENBLAS_CORETYPE"); /* this program's choice, maybe (blas_choice.h): each makes its own */
    unsetenv("OPENBLAS_NUM_THREADS");
    if (c->rival) {
        setenv("OPENBLAS_NUM_THREADS", number, 1);
        setenv("OMP_NUM_THREADS", number, 1);
        setenv("MKL_NUM_THREADS", number, 1);
    }
    pin(threads);
    execvp(words[0], words);
    fprintf(stderr, "bench: %s: %s: %s\n", c->name, words[0], strerror(errno));
    _exit(127);
}

/* ------------------------------------------------------------------- lines */

/* One line to the contestant, one back, without its end; false when it died. */
static bool ask(contestant *c, char reply[CONTESTANT_TEXT], const char *command, const char *workload, size_t steps)
{
    if (!c->pid)
        return false;
    if (fprintf(c->to, "%s %s %zu\n", command, workload, steps) < 0 || fflush(c->to) != 0 ||
        !fgets(reply, CONTESTANT_TEXT, c->from)) {
        fprintf(stderr, "bench: %s died at %s\n", c->name, workload);
        contestant_stop(c);
        return false;
    }
    reply[strcspn(reply, "\n")] = '\0';
    return true;
}

bool contestant_start(contestant *c, size_t threads)
{
    int down[2], up[2];
    if (pipe2(down, O_CLOEXEC) != 0 || pipe2(up, O_CLOEXEC) != 0) {
        fprintf(stderr, "bench: a pipe: %s\n", strerror(errno));
        return false;
    }
    c->pid = fork();
    if (c->pid == 0) {
        dup2(down[0], STDIN_FILENO);
        dup2(up[1], STDOUT_FILENO);
        become(c, threads, NULL, 0);
    }
    close(down[0]);
    close(up[1]);
    c->to = fdopen(down[1], "w");
    c->from = fdopen(up[0], "r");
    if (c->pid < 0 || !c->to || !c->from) {
        fprintf(stderr, "bench: %s: %s\n", c->name, strerror(errno));
        c->pid = c->pid < 0 ? 0 : c->pid;
        contestant_stop(c);
        return false;
    }
    return ask(c, c->about, "about", "it", 0);
}

void contestant_stop(contestant *c)
{
    if (c->to)
        fclose(c->to); /* at the end of its lines a contestant ends */
    if (c->from)
        fclose(c->from);
    if (c->pid > 0)
        waitpid(c->pid, NULL, 0);
    c->to = c->from = NULL;
    c->pid = 0;
}

/* ---------------------------------------------------------------- workloads */

static answer refused(const contestant *c, const char *workload, const char *reply)
{
    if (strcmp(reply, "none") == 0)
        return ANSWER_NONE;
    fprintf(stderr, "bench: %s: %s: %s\n", c->name, workload, reply);
    return ANSWER_FAILED;
}

answer contestant_run(contestant *c, const char *workload, size_t steps, timing *t)
{
    char reply[CONTESTANT_TEXT];
    if (!ask(c, reply, "run", workload, steps))
        return ANSWER_FAILED;
    if (sscanf(reply, "%zu %lf %lf %lf %lf", &t->steps, &t->seconds, &t->processor, &t->loss, &t->gradient) == 5)
        return ANSWER_DONE;
    return refused(c, workload, reply);
}

answer contestant_blas(contestant *c, const char *workload, size_t steps, double *blas, double *seconds)
{
    char reply[CONTESTANT_TEXT];
    if (!ask(c, reply, "gemm", workload, steps))
        return ANSWER_FAILED;
    return sscanf(reply, "%lf %lf", blas, seconds) == 2 ? ANSWER_DONE : refused(c, workload, reply);
}

answer contestant_bare(contestant *c, const char *workload, double *seconds)
{
    char reply[CONTESTANT_TEXT];
    if (!ask(c, reply, "bare", workload, 0))
        return ANSWER_FAILED;
    return sscanf(reply, "%lf", seconds) == 1 ? ANSWER_DONE : refused(c, workload, reply);
}

void contestant_settle(const contestant *c)
{
    clockid_t clock;
    struct timespec before, now;
    if (!c->pid || clock_getcpuclockid(c->pid, &clock) != 0 || clock_gettime(clock, &before) != 0)
        return;
    for (size_t i = 0; i < 100; i++, before = now) {
        nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
        if (clock_gettime(clock, &now) != 0 || (now.tv_sec == before.tv_sec && now.tv_nsec - before.tv_nsec < 100000))
            return;
    }
}

void contestant_drop(contestant *c, const char *workload)
{
    char reply[CONTESTANT_TEXT];
    if (c->pid)
        ask(c, reply, "drop", workload, 0);
}

bool contestant_once(const contestant *c, size_t threads, const char *workload, size_t steps, double *seconds,
                     double *bytes)
{
    struct timespec start, end;
    struct rusage usage;
    char number[24];
    int status;
    snprintf(number, sizeof number, "%zu", steps);
    clock_gettime(CLOCK_MONOTONIC, &start);
    const pid_t pid = fork();
    if (pid == 0) {
        const int nothing = open("/dev/null", O_RDWR);
        dup2(nothing, STDOUT_FILENO);
        become(c, threads, (const char *const[]){ workload, number }, 2);
    }
    if (pid < 0 || wait4(pid, &status, 0, &usage) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return false;
    clock_gettime(CLOCK_MONOTONIC, &end);
    *seconds = (double)(end.tv_sec - start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec);
    *bytes = 1024.0 * (double)usage.ru_maxrss;
    return true;
}
