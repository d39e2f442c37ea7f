/* The team of threads: every task once, failures as with one thread, forks, several callers. */
#include "fail_alloc.h"
#include "tensor/threads_internal.h"

#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_TASKS = 200, MOST_WORKERS = 4 };

/* AddressSanitizer's allocator has locks that it does not mind at a fork: where another thread holds one, the child hangs
 * in its next allocation, whatever is tested. */
#if defined(__SANITIZE_ADDRESS__)
#define FORKS_WITH_THREADS false
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FORKS_WITH_THREADS false
#endif
#endif
#ifndef FORKS_WITH_THREADS
#define FORKS_WITH_THREADS true
#endif

typedef struct tally {
    atomic_int runs[MOST_TASKS];
    atomic_bool busy[MOST_WORKERS]; /* a worker that has a task */
    atomic_int clashes;             /* tasks that met another of the same worker, or a worker out of range */
    size_t workers;
} tally;

static void work_a_little(void)
{
    for (volatile int i = 0; i < 300; i++)
        ;
}

static lg_status count_run(size_t index, size_t worker, void *context)
{
    tally *t = context;
    if (worker >= t->workers || atomic_exchange(&t->busy[worker], true))
        atomic_fetch_add(&t->clashes, 1);
    atomic_fetch_add(&t->runs[index], 1);
    work_a_little();
    atomic_store(&t->busy[worker], false);
    return LG_OK;
}

/* The tally is on the stack: a task that ran after lg_parallel returned would be seen by the sanitizers. */
static void assert_each_runs_once(size_t count, size_t workers)
{
    tally t = { .workers = workers };
    ck_assert_int_eq(lg_parallel(count, workers, count_run, &t), LG_OK);
    ck_assert_int_eq(t.clashes, 0);
    for (size_t i = 0; i < MOST_TASKS; i++)
        ck_assert_int_eq(t.runs[i], i < count);
}

START_TEST(every_task_runs_once_and_no_two_at_once_have_the_same_worker)
{
    static const size_t counts[] = { 0, 1, 2, 3, 7, 32, MOST_TASKS };
    for (size_t repeat = 0; repeat < 50; repeat++)
        for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++)
            for (size_t workers = 1; workers <= MOST_WORKERS; workers++)
                assert_each_runs_once(counts[c], workers);
}
END_TEST

/* Task 0 and task 1 wait for each other, at most 20 s. */
typedef struct meeting {
    atomic_int arrived;
    atomic_int open_signals; /* that a helper's thread would take */
    atomic_bool met[2];
} meeting;

static lg_status meet(size_t index, size_t worker, void *context)
{
    meeting *m = context;
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    if (worker != 0 && (!sigismember(&blocked, SIGINT) || !sigismember(&blocked, SIGTERM)))
        atomic_fetch_add(&m->open_signals, 1);
    atomic_fetch_add(&m->arrived, 1);
    for (int wait = 0; wait < 20000 && atomic_load(&m->arrived) < 2; wait++)
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    atomic_store(&m->met[index], atomic_load(&m->arrived) == 2);
    return LG_OK;
}

START_TEST(two_tasks_run_at_the_same_time_and_signals_stay_with_the_program)
{
    meeting m = { 0 };
    sigset_t before, after;
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    ck_assert_int_eq(lg_parallel(2, 2, meet, &m), LG_OK);
    ck_assert(m.met[0] && m.met[1]);
    ck_assert_int_eq(m.open_signals, 0);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    ck_assert_int_eq(sigismember(&before, SIGINT), sigismember(&after, SIGINT));
}
END_TEST

static lg_status fail_from_five(size_t index, size_t worker, void *context)
{
    (void)worker;
    (void)context;
    if (index == 5) /* others fail first */
        nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
    return index < 5 ? LG_OK : lg_fail(index == 5 ? LG_E_INDEX : LG_E_NAN, "task %zu failed", index);
}

START_TEST(the_failure_reported_is_that_of_one_thread)
{
    for (size_t repeat = 0; repeat < 20; repeat++)
        for (size_t workers = 1; workers <= MOST_WORKERS; workers++) {
            lg_error_clear();
            ck_assert_int_eq(lg_parallel(20, workers, fail_from_five, NULL), LG_E_INDEX);
            ck_assert_str_eq(lg_error(), "task 5 failed");
            ck_assert_int_eq(lg_error_code(), LG_E_INDEX);
        }
    assert_each_runs_once(32, 2); /* and the next call knows nothing of it */
}
END_TEST

static lg_status nested(size_t index, size_t worker, void *context)
{
    tally *inner = (tally *)context + index;
    (void)worker;
    inner->workers = 1; /* alone: all its tasks are worker 0's */
    return lg_parallel(10, MOST_WORKERS, count_run, inner);
}

START_TEST(a_call_within_a_task_runs_alone)
{
    tally inner[8];
    memset(inner, 0, sizeof inner);
    ck_assert_int_eq(lg_parallel(8, 2, nested, inner), LG_OK);
    for (size_t n = 0; n < 8; n++) {
        ck_assert_int_eq(inner[n].clashes, 0);
        for (size_t i = 0; i < 10; i++)
            ck_assert_int_eq(inner[n].runs[i], 1);
    }
    assert_each_runs_once(32, 2);
}
END_TEST

static void *call_often(void *failures)
{
    for (int i = 0; i < 200; i++) {
        tally t = { .workers = 3 };
        bool wrong = lg_parallel(30, 3, count_run, &t) != LG_OK || t.clashes > 0;
        for (size_t k = 0; k < 30; k++)
            wrong = wrong || t.runs[k] != 1;
        if (wrong)
            atomic_fetch_add((atomic_int *)failures, 1);
    }
    return NULL;
}

START_TEST(several_threads_divide_their_work_at_once)
{
    pthread_t thread[3];
    atomic_int failures = 0;
    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, call_often, &failures), 0);
    for (size_t i = 0; i < 3; i++)
        pthread_join(thread[i], NULL);
    ck_assert_int_eq(failures, 0);
}
END_TEST

/* The status of a child that divides work; one that hangs dies of SIGALRM. */
static int status_of_child(void)
{
    const pid_t child = fork();
    if (child == 0) {
        alarm(20);
        tally t = { .workers = 2 };
        meeting m = { 0 };
        bool right = lg_parallel(MOST_TASKS, 2, count_run, &t) == LG_OK && t.clashes == 0;
        for (size_t i = 0; i < MOST_TASKS; i++)
            right = right && t.runs[i] == 1;
        right = right && lg_parallel(2, 2, meet, &m) == LG_OK && m.met[0]; /* with a team of its own */
        _exit(right ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    return status;
}

START_TEST(a_forked_child_makes_a_team_of_its_own)
{
    meeting m = { 0 };
    ck_assert_int_eq(lg_parallel(2, 2, meet, &m), LG_OK); /* the helper has begun: under AddressSanitizer it allocates before */
    assert_each_runs_once(MOST_TASKS, 2);
    ck_assert_int_eq(status_of_child(), 0);
    assert_each_runs_once(MOST_TASKS, 2);
}
END_TEST

/* A process that forks while another of its threads makes the team and uses it: the child finds the team in any state. */
static int status_of_busy_process(void)
{
    const pid_t process = fork();
    if (process == 0) {
        pthread_t thread;
        atomic_int failures = 0;
        bool right = pthread_create(&thread, NULL, call_often, &failures) == 0;
        for (int i = 0; right && i < 3; i++)
            right = status_of_child() == 0;
        pthread_join(thread, NULL);
        _exit(right && failures == 0 ? 0 : 1);
    }
    int status = -1;
    waitpid(process, &status, 0);
    return status;
}

START_TEST(a_child_forked_while_the_team_is_made_or_works_does_not_hang)
{
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(status_of_busy_process(), 0);
}
END_TEST

START_TEST(nothing_is_allocated_once_the_team_is_there)
{
    tally t = { .workers = MOST_WORKERS };
    lg_parallel(MOST_TASKS, MOST_WORKERS, count_run, &t);
    fail_alloc_at(0);
    for (int i = 0; i < 20; i++)
        lg_parallel(MOST_TASKS, MOST_WORKERS, count_run, &t);
    fail_alloc_off();
    ck_assert_uint_eq(fail_alloc_count(), 0);
    ck_assert_int_eq(t.runs[0], 21);
}
END_TEST

START_TEST(the_number_of_threads_is_set_and_goes_back_to_its_default)
{
    const size_t before = lg_num_threads();
    ck_assert_uint_ge(before, 1);
    ck_assert_uint_le(before, LG_MAX_THREADS);
    ck_assert_int_eq(lg_set_num_threads(3), LG_OK);
    ck_assert_uint_eq(lg_num_threads(), 3);
    ck_assert_int_eq(lg_set_num_threads(257), LG_E_PARAM);
    ck_assert_str_eq(lg_error(), "lg_set_num_threads: 257 threads, but at most 256 are possible");
    ck_assert_uint_eq(lg_num_threads(), 3);
    ck_assert_int_eq(lg_set_num_threads(0), LG_OK);
    ck_assert_uint_eq(lg_num_threads(), before);
}
END_TEST

Suite *threads_suite(void)
{
    Suite *suite = suite_create("threads");
    TCase *tcase = tcase_create("team");
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, every_task_runs_once_and_no_two_at_once_have_the_same_worker);
    tcase_add_test(tcase, two_tasks_run_at_the_same_time_and_signals_stay_with_the_program);
    tcase_add_test(tcase, the_failure_reported_is_that_of_one_thread);
    tcase_add_test(tcase, a_call_within_a_task_runs_alone);
    tcase_add_test(tcase, several_threads_divide_their_work_at_once);
    tcase_add_test(tcase, a_forked_child_makes_a_team_of_its_own);
    if (FORKS_WITH_THREADS)
        tcase_add_test(tcase, a_child_forked_while_the_team_is_made_or_works_does_not_hang);
    tcase_add_test(tcase, nothing_is_allocated_once_the_team_is_there);
    tcase_add_test(tcase, the_number_of_threads_is_set_and_goes_back_to_its_default);
    suite_add_tcase(suite, tcase);
    return suite;
}
