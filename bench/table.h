/* What bench/compare.c measured, and how it is shown: a table on stdout, a CSV file, a picture. */
#ifndef BENCH_TABLE_H
#define BENCH_TABLE_H

#include "contestant.h"
#include "workloads.h"

/* LUGE_ALONE: with one thread, beside luge with several. */
enum { LUGE, LUGE_ALONE, NUMPY, FOREACH, FUSED, COMPILED, SKLEARN, CONTESTANTS };

enum { MOST_ROUNDS = 101, MOST_ROWS = 64 };

/* A contestant at a workload. */
typedef struct entry {
    answer answer;
    bool disagrees;              /* with luge about loss or gradient: void */
    double loss, gradient;       /* after the same number of steps */
    double seconds[MOST_ROUNDS]; /* of a step, round by round */
    double processor;            /* share of the wall clock that the processor was ours, of all threads' time */
} entry;

typedef struct row {
    const workload *workload;
    size_t threads, rounds;
    entry entries[CONTESTANTS];
    double blas[MOST_ROUNDS]; /* share of luge's step, of all its threads */
    double bare[MOST_ROUNDS]; /* seconds that a step takes at least beside BLAS (bare.h), of one thread */
    double memory;            /* of luge, bytes at most; 0: not measured */
} row;

typedef struct startup {
    double seconds, bytes; /* of the quickest, 0: not measured */
} startup;

typedef struct comparison {
    contestant contestants[CONTESTANTS];
    size_t count;
    row rows[MOST_ROWS];
    startup startups[CONTESTANTS];
} comparison;

/* Over the rounds of a row: median and least seconds of a step; the median of each round's ratio to luge. */
double entry_median(const row *r, size_t who);
double entry_least(const row *r, size_t who);
double entry_ratio(const row *r, size_t who);
bool entry_counts(const row *r, size_t who);

/* FOREACH or FUSED, whichever was faster; CONTESTANTS if there is neither. */
size_t fastest_eager(const row *r);

/* The table, a row as soon as it is there; what stands above and below it. */
void table_head(size_t threads);
void table_row(const row *r);
void table_startups(const comparison *all);

/* Goals that were missed with one thread, and what forbids them where BLAS and the bare loops alone take longer. */
void table_misses(const comparison *all);

/* bench.csv and bench.svg in a folder; false with a line on stderr. Without gnuplot there is no picture. */
bool table_csv(const comparison *all, const char *folder);
bool table_picture(const comparison *all, const char *folder);

#endif
