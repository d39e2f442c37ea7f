/* The team of threads (threads.h).
 *
 * Not OpenMP: a child that is forked by a program whose team has been used hangs in libgomp for ever, and libgomp's
 * threads spin while they wait for each other (5 ms of processor time for every parallel loop, measured on two busy
 * processors), which a library can't turn off. Here whoever waits sleeps; and a thread that comes too late is not waited
 * for, so that work never takes longer than alone by more than a wake-up call. */
#include "tensor/threads_internal.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#define MESSAGE_BYTES 1024

/* A call of lg_parallel that has the team. */
typedef struct job {
    size_t count, workers;
    lg_task *task;
    void *context;
    atomic_size_t next; /* task to be handed out */
} job;

/* What the lock guards, but for `next`. One for the process; a forked child begins with a fresh one. */
typedef struct team_state {
    pthread_mutex_t lock;
    pthread_cond_t work, done; /* a job has begun; its last helper has left */
    size_t threads;            /* of the team, without the caller's */
    bool taken;                /* by a caller */
    bool open;                 /* the job may be joined */
    uint64_t jobs;             /* so far: a helper joins each once at most */
    size_t helpers;            /* in the job now */
    job job;
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

/* ------------------------------------------------------------------ number */

static size_t default_threads(void)
{
    const char *text = getenv("LUGE_NUM_THREADS");
    if (text && *text >= '0' && *text <= '9') {
        char *end;
        errno = 0;
        const unsigned long count = strtoul(text, &end, 10);
        if (errno == 0 && *end == '\0' && count >= 1 && count <= LG_MAX_THREADS)
            return count;
    }
#ifdef CPU_COUNT
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0 && CPU_COUNT(&allowed) > 0)
        return CPU_COUNT(&allowed) < LG_MAX_THREADS ? (size_t)CPU_COUNT(&allowed) : LG_MAX_THREADS;
#endif
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return processors < 1 ? 1 : processors < LG_MAX_THREADS ? (size_t)processors : LG_MAX_THREADS;
}

static size_t default_count;

static void find_default(void)
{
    default_count = default_threads();
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
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    const size_t count = atomic_load(&chosen);
    if (count > 0)
        return count;
    pthread_once(&once, find_default);
    return default_count;
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

/* ----------------------------------------------------------------- helpers */

/* The life of the team's thread number `worker`. */
static void *help(void *worker)
{
    const size_t number = (size_t)(uintptr_t)worker;
    uint64_t seen = 0;
    pthread_mutex_lock(&team.lock);
    for (;;) {
        while (!team.open || team.jobs == seen || number >= team.job.workers)
            pthread_cond_wait(&team.work, &team.lock);
        seen = team.jobs;
        team.helpers++;
        pthread_mutex_unlock(&team.lock);
        lg_error_clear();
        run_tasks(number);
        pthread_mutex_lock(&team.lock);
        if (--team.helpers == 0)
            pthread_cond_signal(&team.done);
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

/* Makes the team as large as `workers` need, or as the system lets it be. With the lock held. */
static void grow_team(size_t workers)
{
    if (team.threads + 1 >= workers)
        return;
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

lg_status lg_parallel(size_t count, size_t workers, lg_task *task, void *context)
{
    if (workers > count)
        workers = count;
    if (workers > LG_MAX_THREADS)
        workers = LG_MAX_THREADS;
    if (workers <= 1 || in_a_task)
        return run_alone(count, task, context);
    own_team();
    pthread_mutex_lock(&team.lock);
    const bool mine = !team.taken;
    if (mine) {
        team.taken = team.open = true;
        grow_team(workers);
        team.jobs++;
        team.status = LG_OK;
        team.job.count = count;
        team.job.workers = workers;
        team.job.task = task;
        team.job.context = context;
        atomic_store(&team.job.next, 0);
        pthread_cond_broadcast(&team.work);
    }
    pthread_mutex_unlock(&team.lock);
    if (!mine)
        return run_alone(count, task, context);
    run_tasks(0);
    pthread_mutex_lock(&team.lock);
    team.open = false;
    while (team.helpers > 0)
        pthread_cond_wait(&team.done, &team.lock);
    const lg_status status = team.status;
    if (status != LG_OK)
        lg_fail(status, "%s", team.message);
    team.taken = false;
    pthread_mutex_unlock(&team.lock);
    return status;
}
