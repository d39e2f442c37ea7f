/* The command line of the ctc trainer. */
#ifndef EXAMPLES_CTC_OPTIONS_H
#define EXAMPLES_CTC_OPTIONS_H

#include "hidden.h"
#include "trainer.h"

typedef struct ctc_options {
    trainer_options shared; /* first: the shared parser knows no other */
    const char *texts;      /* of --labels */
    hidden_layers hidden;
    size_t window, stride;  /* 0: by the height of a line */
    size_t beam, lines, show;
} ctc_options;

extern const trainer ctc_about;

/* The defaults, changed by the command line; ends the program for --help and for usage errors. */
ctc_options ctc_parse(int argc, char **argv);

/* Notes those that are its own. */
void ctc_note(run *r, const ctc_options *options);

#endif
