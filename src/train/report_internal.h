/* What reports are collected in. */
#ifndef LG_REPORT_INTERNAL_H
#define LG_REPORT_INTERNAL_H

#include "autograd/tape_internal.h"
#include "train/history_internal.h"
#include "train/pool_internal.h"
#include "train/report.h"

typedef enum lg_report_kind { LG_REPORT_MEAN, LG_REPORT_BINARY, LG_REPORT_SCORES } lg_report_kind;

/* How many columns an entry of a kind makes. */
static inline size_t lg_report_columns(lg_report_kind kind)
{
    return kind == LG_REPORT_MEAN ? 1 : kind == LG_REPORT_BINARY ? 3 : 2;
}

/* One mean, or the counts behind precision, recall and f1, or the pooled scores; with as many names. */
typedef struct lg_report_entry {
    lg_report_kind kind;
    double sum, weight;
    size_t true_positives, false_positives, false_negatives;
    char names[3][LG_COLUMN_BYTES]; /* prefix included */
} lg_report_entry;

struct lg_reports {
    char prefix[8];
    size_t prefix_bytes;
    lg_report_entry *entries;
    size_t count, capacity;
    size_t cursor; /* where the next report most likely belongs: steps report in the same order */
    lg_pool pool;
    lg_status status;
    lg_tensor *class_weight;
    const char **names; /* what lg_reports_read gives out */
    double *values;
    size_t name_capacity, value_capacity;
};

/* The listener of a tape, or NULL. */
static inline lg_reports *lg_reports_of(const lg_tape *tape)
{
    return tape ? tape->context : NULL;
}

#endif
