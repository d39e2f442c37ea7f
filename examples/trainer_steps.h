/* What every trainer's main does once the command line is read: predict and be done, or prepare, train and say what was
 * left.
 *
 *     static const trainer_steps steps = { prepare, train, predict, release };
 *
 *     int main(int argc, char **argv)
 *     {
 *         siamese s = { .options = SIAMESE_DEFAULTS };
 *         trainer_parse(&about, &s.options, argc, argv);
 *         return trainer_main(&about, &s.options.shared, &steps, &s, argc, argv);
 *     }
 */
#ifndef EXAMPLES_TRAINER_STEPS_H
#define EXAMPLES_TRAINER_STEPS_H

#include "trainer.h"

/* `model` is the trainer's own. Each step returns the first failure, with its sentence in lg_error(). */
typedef struct trainer_steps {
    /* Reads the data, makes the model, new or that of --load, and prints both: all that --dry-run shows. */
    lg_status (*prepare)(void *model);
    /* Notes the trainer's own arguments, trains, and reports. *history is the caller's to free, also after a
     * failure. */
    lg_status (*train)(void *model, run *r, lg_history **history);
    /* All of --load MODEL --predict FILE; NULL where there is no --predict. */
    lg_status (*predict)(void *model, int argc, const char *const *argv);
    /* Frees what the model holds, however far the steps came. */
    void (*release)(void *model);
} trainer_steps;

/* Returns the exit status; a program that a signal interrupted dies of it here. */
int trainer_main(const trainer *about, const trainer_options *options, const trainer_steps *steps, void *model,
                 int argc, char **argv);

#endif
