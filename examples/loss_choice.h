/* --loss, --loss-param and --list-losses of a trainer whose loss is a choice among those that serve its task. */
#ifndef EXAMPLES_LOSS_CHOICE_H
#define EXAMPLES_LOSS_CHOICE_H

#include <argp.h>
#include <luge.h>

/* Prints the losses that serve one of the tasks (LG_TASK_...), with their parameters and other names, and exits. */
void loss_list(unsigned tasks);

/* The loss by its name, with parameters as given ("gamma=1.5"), and from_logits where it has that. One that does not
 * fit is a usage error. */
void loss_settle(struct argp_state *state, unsigned tasks, const char *name, size_t count, const char *const *params,
                 lg_loss_spec *spec);

#endif
