/* SIGINT and SIGTERM while lg_fit runs, where it was asked to handle them (fit_internal.h). */
#include "train/fit_internal.h"

#include <signal.h>
#include <stdatomic.h>

static const int watched[] = { SIGINT, SIGTERM };
#define WATCHED (sizeof watched / sizeof *watched)

static volatile sig_atomic_t caught;
static atomic_flag busy = ATOMIC_FLAG_INIT;
static struct sigaction former[WATCHED];
static bool replaced[WATCHED];

/* The first signal is noted; from then on both have their default action, which ends the process. */
static void note(int number)
{
    caught = number;
    for (size_t i = 0; i < WATCHED; i++)
        if (replaced[i])
            signal(watched[i], SIG_DFL);
}

lg_status lg_signals_catch(void)
{
    if (atomic_flag_test_and_set(&busy))
        return lg_fail(LG_E_STATE, "lg_fit: another lg_fit of this process handles signals already");
    caught = 0;
    struct sigaction action = { .sa_handler = note, .sa_flags = SA_RESTART };
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < WATCHED; i++)
        sigaddset(&action.sa_mask, watched[i]);
    for (size_t i = 0; i < WATCHED; i++) {
        sigaction(watched[i], NULL, &former[i]);
        replaced[i] = former[i].sa_handler != SIG_IGN; /* who started us (nohup, a shell's background) wants it so */
        if (replaced[i])
            sigaction(watched[i], &action, NULL);
    }
    return LG_OK;
}

int lg_signals_caught(void)
{
    return (int)caught;
}

void lg_signals_release(void)
{
    for (size_t i = 0; i < WATCHED; i++)
        if (replaced[i])
            sigaction(watched[i], &former[i], NULL);
    atomic_flag_clear(&busy);
}
