/* The command line of the fraud detector. */
#ifndef EXAMPLES_FRAUD_OPTIONS_H
#define EXAMPLES_FRAUD_OPTIONS_H

#include "hidden.h"
#include "run.h"

typedef struct fraud_options {
    trainer_options shared; /* first: the shared parser knows no other */
    const char *positive;   /* class that is fraud; NULL: the second */
    hidden_layers hidden;   /* with --load those of the model, once fraud_load has read it */
    size_t balanced, hardest;
} fraud_options;

extern const trainer fraud_about;

/* Reads the command line, as trainer_parse. */
fraud_options fraud_options_parse(int argc, char **argv);

/* Into run.json. */
void fraud_options_note(const fraud_options *options, run *r);

#endif
