/* The command line of the support vector machine. */
#ifndef EXAMPLES_SVM_OPTIONS_H
#define EXAMPLES_SVM_OPTIONS_H

#include "command_line.h"
#include "run.h"

typedef enum svm_loss { SVM_HINGE, SVM_SQUARED_HINGE, SVM_LOSS_OF_MODEL } svm_loss;

typedef struct svm_options {
    trainer_options shared; /* first: the shared parser knows no other */
    const char *positive;   /* class above the plane; NULL: the second */
    double lambda;          /* weight of |w|^2; 0 with --load: that of the model */
    svm_loss loss;          /* with --load perhaps that of the model, until svm_load has read it */
    size_t folds;
    bool last, in_order;    /* the last weights instead of the average; rows in the order of the file */
} svm_options;

extern const trainer svm_about;

/* Reads the command line, as trainer_parse. */
svm_options svm_options_parse(int argc, char **argv);

/* Into run.json; `fold_count` is that of the folds that there are. */
void svm_options_note(const svm_options *options, size_t fold_count, run *r);

#endif
