/* What run.c and run_facts.c know of a run, and nobody else. */
#ifndef EXAMPLES_RUN_INTERNAL_H
#define EXAMPLES_RUN_INTERNAL_H

#include "run.h"

#include <jansson.h>

struct run {
    char *folder;
    char *path; /* the last that run_path gave */
    json_t *facts;
    bool lost; /* a fact did not fit into memory */
    bool held; /* run.json stays as it is */
    char *checkpoint;
    json_t *fact_texts; /* what run_facts gave: names and values */
    lg_metadata *given;
};

#endif
