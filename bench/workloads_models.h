/* Workloads that train a model: a to e, g, h of the table. */
#ifndef BENCH_WORKLOADS_MODELS_H
#define BENCH_WORKLOADS_MODELS_H

#include "workloads.h"

#endif
