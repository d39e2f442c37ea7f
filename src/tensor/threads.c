/* The team of threads (threads.h).
 *
 * Not OpenMP: a child that is forked by a program whose team has been used hangs in libgomp for ever, and libgomp's
 * threads spin while they wait for each other (5 ms of processor time for every parallel loop, measured on two busy
 * processors), which a library can't turn off. Here whoever waits looks for some microseconds, since work comes every few
 * of them while a model trains, and then sleeps; and a thread that comes too late is not waited for, so that work never
 * takes longer than alone by more than a wake-up call. */
#include "tensor/subnormal_internal.h"
#include "tensor/threads_internal.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE_BYTES 1024
#define PATIENCE_NANOSECONDS 50000 /* to look for work before sleeping: what it takes to wake up */

/* A call of lg_parallel that has the team. */
typedef struct job {
    size_t count;
    lg_task *task;
    void *context;
    lg_float_mode mode; /* of the caller */
    atomic_size_t next; /* task to be handed out */
} job;

/* The gate to the running job, in one word, so that a thread enters only the job that it has looked at: the number of the
 * job, whether it is open, how many workers it takes, the caller included, and how many helpers are in it. */
#define GATE_HELPER ((uint64_t)1)
#define GATE_HELPERS ((uint64_t)0x1ff)
#define GATE_WORKER ((uint64_t)0x200)
#define GATE_WORKERS (GATE_HELPERS * GATE_WORKER)
#define GATE_OPEN ((uint64_t)1 << 18)
#define GATE_JOB ((uint64_t)1 << 19)

/* One for the process; a forked child begins with a fresh one. The job is its caller's until the gate opens. */
typedef struct team_state {
    atomic_bool taken;     /* by a caller, whose are `threads` and `jobs` then */
    size_t threads;        /* of the team, without the caller's */
    uint64_t jobs;         /* so far: a helper enters each once at most */
    job job;
    _Atomic uint64_t gate;

    pthread_mutex_t lock;  /* of what follows */
    pthread_cond_t work, done; /* a gate has opened; the last helper has left a closed one */
    atomic_size_t sleepers;    /* that wait for work */
    atomic_bool caller_sleeps; /* and waits for done */
    size_t failed_index;
    lg_status status;
    char message[MESSAGE_BYTES];
} team_state;

#define FRESH_TEAM                                                              \
    {                                                                           \
        .lock = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER,    \
        .done = PTHREAD_COND_INITIALIZER                                        \
    }

static team_state team = FRESH_TEAM;
static _Atomic(pid_t) owner;         /* process that the team is of; -pid while that makes it its own */
static atomic_size_t chosen;         /* by lg_set_num_threads, 0: the default */
static _Thread_local bool in_a_task; /* of this thread */
static size_t processor_count;       /* that the process may run on, when first asked */
static size_t default_count;
static pthread_once_t counted = PTHREAD_ONCE_INIT; /* the last two are set */

/* ------------------------------------------------------------------ number */

static size_t processors(void)
{
#ifdef CPU_COUNT
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0 && CPU_COUNT(&allowed) > 0)
        return CPU_COUNT(&allowed) < LG_MAX_THREADS ? (size_t)CPU_COUNT(&allowed) : LG_MAX_THREADS;
#endif
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online < 1 ? 1 : online < LG_MAX_THREADS ? (size_t)online : LG_MAX_THREADS;
}

static void find_default(void)
{
    const char *text = getenv("LUGE_NUM_THREADS");
    processor_count = default_count = processors();
    if (!text || *text < '0' || *text > '9')
        return;
    char *end;
    errno = 0;
    const unsigned long count = strtoul(text, &end, 10);
    if (errno == 0 && *end == '\0' && count >= 1 && count <= LG_MAX_THREADS)
        default_count = count;
}

lg_status lg_set_num_threads(size_t count)
{
    if (count > LG_MAX_THREADS)
        return lg_fail(LG_E_PARAM, "lg_set_num_threads: %zu threads, but at most %d are possible", count, LG_MAX_THREADS);
    atomic_store(&chosen, count);
    return LG_OK;
}

size_t lg_num_threads(void)
{
    const size_t count = atomic_load(&chosen);
    pthread_once(&counted, find_default);
    return count > 0 ? count : default_count;
}

/* ------------------------------------------------------------------- tasks */

static lg_status run_alone(size_t count, lg_task *task, void *context)
{
    const bool before = in_a_task;
    lg_status status = LG_OK;
    in_a_task = true;
    for (size_t i = 0; i < count && status == LG_OK; i++)
        status = task(i, 0, context);
    in_a_task = before;
    return status;
}

/* Keeps the failure of the lowest index: with one thread the others would not have been begun. */
static void keep_failure(size_t index, lg_status status)
{
    pthread_mutex_lock(&team.lock);
    if (team.status == LG_OK || index < team.failed_index) {
        team.failed_index = index;
        team.status = status;
        snprintf(team.message, sizeof team.message, "%s", lg_error());
    }
    pthread_mutex_unlock(&team.lock);
}

static void run_tasks(size_t worker)
{
    job *const j = &team.job;
    in_a_task = true;
    for (size_t i; (i = atomic_fetch_add(&j->next, 1)) < j->count;) {
        const lg_status status = j->task(i, worker, j->context);
        if (status == LG_OK)
            continue;
        keep_failure(i, status);
        atomic_store(&j->next, j->count); /* all before this one have been handed out */
    }
    in_a_task = false;
}

/* ----------------------------------------------------------------- waiting */

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Passes about a microsecond; false when `end` has come. Where there is no processor for every thread, looking would
 * keep the one from running who is looked for. */
static bool look_on(uint64_t end, size_t workers)
{
    if (workers > processor_count)
        return false;
#if defined(__x86_64__) && defined(__GNUC__)
    for (int i = 0; i < 8; i++)
        __builtin_ia32_pause();
#endif
    return now() < end;
}

/* ----------------------------------------------------------------- helpers */

/* Enters the job if it is open for this helper and was not entered before. */
static bool try_to_join(size_t number, uint64_t *seen)
{
    uint64_t gate = atomic_load(&team.gate);
    while ((gate & GATE_OPEN) && gate / GATE_JOB != *seen && number < (gate & GATE_WORKERS) / GATE_WORKER)
        if (atomic_compare_exchange_weak(&team.gate, &gate, gate + GATE_HELPER)) {
            *seen = gate / GATE_JOB;
            return true;
        }
    return false;
}

static void join(size_t number, uint64_t *seen)
{
    const uint64_t end = now() + PATIENCE_NANOSECONDS;
    do {
        if (try_to_join(number, seen))
            return;
    } while (look_on(end, number + 1));
    pthread_mutex_lock(&team.lock);
    atomic_fetch_add(&team.sleepers, 1); /* before the gate is looked at: who opens it looks at them in the reverse order */
    while (!try_to_join(number, seen))
        pthread_cond_wait(&team.work, &team.lock);
    atomic_fetch_sub(&team.sleepers, 1);
    pthread_mutex_unlock(&team.lock);
}

static void leave(void)
{
    atomic_fetch_sub(&team.gate, GATE_HELPER);
    if (!atomic_load(&team.caller_sleeps))
        return;
    pthread_mutex_lock(&team.lock);
    pthread_cond_signal(&team.done);
    pthread_mutex_unlock(&team.lock);
}

/* The life of the team's thread number `worker`. */
static void *help(void *worker)
{
    const size_t number = (size_t)(uintptr_t)worker;
    for (uint64_t seen = 0;;) {
        join(number, &seen);
        lg_error_clear();
        const lg_float_mode mode = lg_get_float_mode();
        lg_restore_float_mode(team.job.mode);
        run_tasks(number);
        lg_restore_float_mode(mode);
        leave();
    }
    return NULL;
}

/* In a child only the forking thread is left: of the team there is nothing, and its lock may have been held by another.
 * (A handler of pthread_atfork comes too late for a fork that had begun when it was registered.) */
static void own_team(void)
{
    const pid_t self = getpid();
    pid_t found = atomic_load(&owner);
    if (found == self)
        return;
    if (found != -self && atomic_compare_exchange_strong(&owner, &found, -self)) {
        team = (team_state)FRESH_TEAM;
        atomic_store(&owner, self);
    }
    while (atomic_load(&owner) != self)
        sched_yield();
}

/* Makes the team as large as `workers` need, or as the system lets it be. */
static void grow_team(size_t workers)
{
    if (team.threads + 1 >= workers)
        return;
    pthread_once(&counted, find_default);
    sigset_t all, before;
    pthread_attr_t detached;
    sigfillset(&all);
    if (pthread_attr_init(&detached) != 0)
        return;
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the program's */
    for (pthread_t thread; team.threads + 1 < workers; team.threads++)
        if (pthread_create(&thread, &detached, help, (void *)(uintptr_t)(team.threads + 1)) != 0)
            break;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&detached);
}

static void open_gate(size_t workers)
{
    atomic_store(&team.gate, ++team.jobs * GATE_JOB + GATE_OPEN + workers * GATE_WORKER);
    if (atomic_load(&team.sleepers) == 0)
        return;
    pthread_mutex_lock(&team.lock);
    pthread_cond_broadcast(&team.work);
    pthread_mutex_unlock(&team.lock);
}

/* Returns when all helpers have left. */
static void close_gate(size_t workers)
{
    atomic_fetch_and(&team.gate, ~GATE_OPEN);
    const uint64_t end = now() + PATIENCE_NANOSECONDS;
    do {
        if ((atomic_load(&team.gate) & GATE_HELPERS) == 0)
            return;
    } while (look_on(end, workers));
    pthread_mutex_lock(&team.lock);
    atomic_store(&team.caller_sleeps, true);
    while (atomic_load(&team.gate) & GATE_HELPERS)
        pthread_cond_wait(&team.done, &team.lock);
    atomic_store(&team.caller_sleeps, false);
    pthread_mutex_unlock(&team.lock);
}

lg_status lg_parallel(size_t count, size_t workers, lg_task *task, void *context)
{
    if (workers > count)
        workers = count;
    if (workers > LG_MAX_THREADS)
        workers = LG_MAX_THREADS;
    if (workers <= 1 || in_a_task)
        return run_alone(count, task, context);
    own_team();
    if (atomic_exchange(&team.taken, true))
        return run_alone(count, task, context);
    grow_team(workers);
    team.status = LG_OK;
    team.job.count = count;
    team.job.task = task;
    team.job.context = context;
    team.job.mode = lg_get_float_mode();
    atomic_store(&team.job.next, 0);
    open_gate(workers);
    run_tasks(0);
    close_gate(workers);
    const lg_status status = team.status;
    if (status != LG_OK)
        lg_fail(status, "%s", team.message);
    atomic_store(&team.taken, false);
    return status;
}

/* ------------------------------------------------------------------ ranges */

typedef struct ranges {
    size_t n, count;
    lg_range_task *task;
    void *context;
} ranges;

static size_t range_begin(const ranges *r, size_t index)
{
    return index == r->count ? r->n : r->n / r->count * index / LG_RANGE_MULTIPLE * LG_RANGE_MULTIPLE;
}

static lg_status run_range(size_t index, size_t worker, void *context)
{
    const ranges *r = context;
    (void)worker;
    r->task(range_begin(r, index), range_begin(r, index + 1), r->context);
    return LG_OK;
}

void lg_divide_ranges(size_t n, size_t least, lg_range_task *task, void *context)
{
    const size_t most = n / least, threads = lg_num_threads();
    ranges r = { .n = n, .count = threads < most ? threads : most, .task = task, .context = context };
    if (r.count <= 1)
        task(0, n, context);
    else
        (void)lg_parallel(r.count, r.count, run_range, &r);
}
