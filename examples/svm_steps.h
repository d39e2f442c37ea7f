/* How large the steps of the support vector machine's descent are. */
#ifndef EXAMPLES_SVM_STEPS_H
#define EXAMPLES_SVM_STEPS_H

#include "svm_options.h"
#include "trainer.h"

/* At step t = 1, 2, ... behind `made` steps of an earlier training
 *
 *     rate(t) = 1 / (lambda (made + t) + curvature)
 *
 * curvature is 0 for the hinge, whose slope is bounded. That of the squared hinge grows with the distance, and steps
 * beyond the inverse of how fast it changes run away: for a row by at most 2 (1 + |x|^2); of which, in a batch of n,
 * what the rows have in excess over the mean counts 1/n. With --lr all steps are of that size. */
typedef struct svm_steps {
    double first;         /* rate(1): the optimizer's */
    lg_schedule schedule; /* what it becomes, per step */
} svm_steps;
svm_steps svm_steps_of(const svm_options *options, const trainer_data *data, size_t made);

#endif
