/* What an average is made of: for average.c, and for checkpoints, which save the counts and `mean`. */
#ifndef LG_AVERAGE_INTERNAL_H
#define LG_AVERAGE_INTERNAL_H

#include "optim/average.h"

struct lg_average {
    lg_params *params;
    lg_average_options options;
    uint64_t seen, updates; /* seen: those left out as well */
    size_t length;
    double *mean;           /* [length]: the tensors of the set, one after the other */
    lg_snapshot *kept;      /* what the optimizer works on, while `applied` */
    bool applied;
};

#endif
