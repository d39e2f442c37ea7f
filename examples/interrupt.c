#include "interrupt.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t noted;

int interrupt_signal(void)
{
    return (int)noted;
}

void interrupt_tell(int signal_number)
{
    if (signal_number)
        noted = signal_number;
}

void interrupt_watch(void)
{
    static const int watched[] = { SIGINT, SIGTERM };
    const struct sigaction action = { .sa_handler = interrupt_tell, .sa_flags = (int)(SA_RESTART | SA_RESETHAND) };
    for (size_t i = 0; i < sizeof watched / sizeof *watched; i++) {
        struct sigaction former;
        if (sigaction(watched[i], NULL, &former) == 0 && former.sa_handler != SIG_IGN) /* as nohup wants it */
            sigaction(watched[i], &action, NULL);
    }
}
