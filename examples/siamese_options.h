/* The command line of the siamese trainer. */
#ifndef EXAMPLES_SIAMESE_OPTIONS_H
#define EXAMPLES_SIAMESE_OPTIONS_H

#include "embedder_options.h"

typedef struct siamese_options {
    trainer_options shared; /* first: the shared parser knows no other */
    embedder_options embedder;
    double margin;
    int similar_label;
    size_t pairs; /* per epoch */
} siamese_options;

extern const trainer siamese_about;

/* The defaults, changed by the command line; ends the program for --help and for usage errors. */
siamese_options siamese_parse(int argc, char **argv);

/* Notes those that are its own. */
void siamese_note(run *r, const siamese_options *options);

#endif
