/* Workloads of one loss, forward and backward: f and i of the table. */
#ifndef BENCH_WORKLOADS_LOSSES_H
#define BENCH_WORKLOADS_LOSSES_H

#include "workloads.h"

#endif
