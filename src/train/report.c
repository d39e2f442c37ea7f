/* Metrics that steps report (report.h). */
#include "train/report_internal.h"

#include "tensor/memory_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- entries */

static bool is_taken(const char *name)
{
    static const char *const taken[] = { "epoch", "loss", "learning_rate", "seconds" };
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (strcmp(name, taken[i]) == 0)
            return true;
    return strncmp(name, "val_", 4) == 0;
}

static bool is_known(const lg_reports *reports, const char *name)
{
    for (size_t i = 0; i < reports->count; i++)
        for (size_t k = 0; k < lg_report_columns(reports->entries[i].kind); k++)
            if (strcmp(reports->entries[i].names[k] + reports->prefix_bytes, name) == 0)
                return true;
    return false;
}

static lg_report_entry *add_entry(lg_reports *reports, lg_report_kind kind, const char *const *names)
{
    if (lg_reserve(&reports->entries, &reports->capacity, reports->count + 1, sizeof *reports->entries,
                   "lg_report") != LG_OK)
        return NULL;
    lg_report_entry *entry = reports->entries + reports->count;
    *entry = (lg_report_entry){ .kind = kind };
    for (size_t k = 0; k < lg_report_columns(kind); k++) {
        if (!lg_column_name_check("lg_report", names[k]))
            return NULL;
        if (strlen(names[k]) + reports->prefix_bytes >= LG_COLUMN_BYTES - 4 || is_taken(names[k])) {
            lg_fail(LG_E_PARAM, is_taken(names[k]) ? "lg_report: \"%s\" is a name of the history's own; take another"
                                                   : "lg_report: \"%s\" is too long, at most 55 bytes", names[k]);
            return NULL;
        }
        if (is_known(reports, names[k])) {
            lg_fail(LG_E_PARAM, "lg_report: \"%s\" is reported in two ways", names[k]);
            return NULL;
        }
        memcpy(entry->names[k], reports->prefix, reports->prefix_bytes);
        strcpy(entry->names[k] + reports->prefix_bytes, names[k]);
    }
    reports->count++;
    return entry;
}

/* The entry of a kind whose first name this is, made where there is none. */
static lg_report_entry *entry_of(lg_reports *reports, lg_report_kind kind, const char *const *names)
{
    for (size_t looked = 0; looked < reports->count; looked++) {
        const size_t i = (reports->cursor + looked) % reports->count;
        lg_report_entry *entry = reports->entries + i;
        if (entry->kind == kind && strcmp(entry->names[0] + reports->prefix_bytes, names[0]) == 0) {
            reports->cursor = i + 1;
            return entry;
        }
    }
    return add_entry(reports, kind, names);
}

static lg_status note_failure(lg_reports *reports, lg_status status)
{
    if (reports->status == LG_OK)
        reports->status = status;
    return status;
}

static lg_status add_to_mean(lg_reports *reports, const char *name, double sum, double weight)
{
    lg_report_entry *entry = entry_of(reports, LG_REPORT_MEAN, &name);
    if (!entry)
        return note_failure(reports, lg_error_code());
    entry->sum += sum;
    entry->weight += weight;
    return LG_OK;
}

lg_status lg_report(lg_tape *tape, const char *name, double value, double weight)
{
    lg_reports *reports = lg_reports_of(tape);
    if (!tape || !name) {
        const lg_status status = lg_fail_null("lg_report: the %s is NULL", tape ? "name" : "tape");
        return reports ? note_failure(reports, status) : status;
    }
    if (!reports)
        return LG_OK;
    if (!(weight >= 0) || isinf(weight))
        return note_failure(reports, lg_fail(LG_E_PARAM, "lg_report: \"%s\" has weight %g; finite and not negative is "
                                                         "wanted", name, weight));
    /* A weight of 0 leaves its value out, whatever it is. */
    return add_to_mean(reports, name, weight > 0 ? value * weight : 0, weight);
}

/* ----------------------------------------------------------------- labels */

/* 1, 0, or -1 with the error set. */
static int label_at(const char *what, const lg_tensor *labels, size_t i)
{
    if (labels->dtype == LG_REAL) {
        if (isnan(labels->real[i]))
            lg_fail(LG_E_DOMAIN, "%s: label %zu is NaN", what, i);
        return isnan(labels->real[i]) ? -1 : labels->real[i] > (lg_real)0.5;
    }
    if (labels->index[i] != 0 && labels->index[i] != 1)
        lg_fail(LG_E_DOMAIN, "%s: label %zu is %d, 0 or 1 is wanted", what, i, (int)labels->index[i]);
    return labels->index[i] == 0 || labels->index[i] == 1 ? labels->index[i] : -1;
}

/* The listener, when there is something to do; otherwise *status says what to return. */
static lg_reports *listener(const char *what, lg_tape *tape, const lg_tensor *scores, const lg_tensor *labels,
                            lg_status *status)
{
    lg_reports *reports = lg_reports_of(tape);
    lg_tensor *const operands[] = { (lg_tensor *)scores, (lg_tensor *)labels };
    *status = LG_OK;
    if (!lg_operands(tape, what, 2, operands))
        *status = lg_error_code();
    else if (scores->dtype != LG_REAL)
        *status = lg_fail(LG_E_DTYPE, "%s: the predictions are int32, real ones are wanted", what);
    if (*status != LG_OK && reports)
        note_failure(reports, *status);
    return *status == LG_OK ? reports : NULL;
}

static lg_status shapes_differ(lg_reports *reports, const char *what, const lg_tensor *scores,
                               const lg_tensor *labels)
{
    char a[LG_SHAPE_TEXT_BYTES], b[LG_SHAPE_TEXT_BYTES];
    return note_failure(reports, lg_fail(LG_E_SHAPE, "%s: predictions %s and %s labels %s do not fit", what,
                                         lg_tensor_shape_text(scores, a, sizeof a),
                                         labels->dtype == LG_REAL ? "real" : "int32",
                                         lg_tensor_shape_text(labels, b, sizeof b)));
}

static size_t rank_without_ones(const lg_tensor *t)
{
    size_t rank = t->rank;
    while (rank > 0 && t->dims[rank - 1] == 1)
        rank--;
    return rank;
}

/* Equal shapes but for trailing axes of 1. */
static bool same_elements(const lg_tensor *a, const lg_tensor *b)
{
    const size_t rank = rank_without_ones(a);
    return rank == rank_without_ones(b) && memcmp(a->dims, b->dims, rank * sizeof *a->dims) == 0;
}

/* ---------------------------------------------------------------- metrics */

static lg_status binary_accuracy(lg_reports *reports, const char *what, double threshold, const lg_tensor *scores,
                                 const lg_tensor *labels)
{
    size_t right = 0;
    if (!same_elements(scores, labels))
        return shapes_differ(reports, what, scores, labels);
    for (size_t i = 0; i < scores->size; i++) {
        const int label = label_at(what, labels, i);
        if (label < 0)
            return note_failure(reports, lg_error_code());
        right += ((double)scores->real[i] > threshold) == label;
    }
    return add_to_mean(reports, "accuracy", (double)right, (double)scores->size);
}

/* The first of the largest values of a row; `classes` when one is NaN. */
static size_t argmax(const lg_real *row, size_t classes)
{
    size_t best = 0;
    bool ordered = row[0] == row[0];
    for (size_t k = 1; k < classes; k++) {
        ordered &= row[k] == row[k];
        best = row[k] > row[best] ? k : best;
    }
    return ordered ? best : classes;
}

static lg_status class_accuracy(lg_reports *reports, const lg_tensor *logits, const lg_tensor *labels)
{
    const size_t classes = logits->dims[logits->rank - 1], rows = logits->size / classes;
    size_t right = 0, counted = 0;
    for (size_t i = 0; i < rows; i++) {
        if (labels->index[i] >= 0 && (size_t)labels->index[i] >= classes)
            return note_failure(reports, lg_fail(LG_E_INDEX, "lg_report_accuracy: label %zu is %d, but there are %zu "
                                                             "classes (0..%zu)", i, (int)labels->index[i], classes,
                                                 classes - 1));
        if (labels->index[i] < 0)
            continue;
        counted++;
        right += argmax(logits->real + i * classes, classes) == (size_t)labels->index[i];
    }
    return add_to_mean(reports, "accuracy", (double)right, (double)counted);
}

static lg_status one_hot_accuracy(lg_reports *reports, const lg_tensor *logits, const lg_tensor *labels)
{
    const size_t classes = logits->dims[logits->rank - 1], rows = logits->size / classes;
    size_t right = 0;
    for (size_t i = 0; i < rows; i++) {
        const size_t label = argmax(labels->real + i * classes, classes);
        if (label == classes)
            return note_failure(reports, lg_fail(LG_E_DOMAIN, "lg_report_accuracy: a label of row %zu is NaN", i));
        right += argmax(logits->real + i * classes, classes) == label;
    }
    return add_to_mean(reports, "accuracy", (double)right, (double)rows);
}

lg_status lg_report_accuracy(lg_tape *tape, const lg_tensor *logits, const lg_tensor *labels)
{
    lg_status status;
    lg_reports *reports = listener("lg_report_accuracy", tape, logits, labels, &status);
    if (!reports)
        return status;
    const size_t classes = logits->rank > 0 ? logits->dims[logits->rank - 1] : 1;
    const bool by_class = logits->rank > 1 && classes > 1;
    if (by_class && labels->dtype == LG_REAL && lg_same_shape(logits, labels))
        return one_hot_accuracy(reports, logits, labels);
    if (by_class && labels->dtype == LG_INT32) {
        lg_tensor rows = *logits; /* the shape that labels have: without the class axis */
        rows.rank--;
        return same_elements(&rows, labels) ? class_accuracy(reports, logits, labels)
                                            : shapes_differ(reports, "lg_report_accuracy", logits, labels);
    }
    if (by_class)
        return shapes_differ(reports, "lg_report_accuracy", logits, labels);
    return binary_accuracy(reports, "lg_report_accuracy", 0, logits, labels);
}

lg_status lg_report_accuracy_above(lg_tape *tape, double threshold, const lg_tensor *scores, const lg_tensor *labels)
{
    lg_status status;
    lg_reports *reports = listener("lg_report_accuracy_above", tape, scores, labels, &status);
    return reports ? binary_accuracy(reports, "lg_report_accuracy_above", threshold, scores, labels) : status;
}

lg_status lg_report_binary_above(lg_tape *tape, double threshold, const lg_tensor *scores, const lg_tensor *labels)
{
    static const char *const names[] = { "precision", "recall", "f1" };
    static const char what[] = "lg_report_binary";
    lg_status status;
    lg_reports *reports = listener(what, tape, scores, labels, &status);
    if (!reports)
        return status;
    if (!same_elements(scores, labels))
        return shapes_differ(reports, what, scores, labels);
    lg_report_entry *entry = entry_of(reports, LG_REPORT_BINARY, names);
    if (!entry)
        return note_failure(reports, lg_error_code());
    for (size_t i = 0; i < scores->size; i++) {
        const int label = label_at(what, labels, i), predicted = (double)scores->real[i] > threshold;
        if (label < 0)
            return note_failure(reports, lg_error_code());
        entry->true_positives += label && predicted;
        entry->false_positives += !label && predicted;
        entry->false_negatives += label && !predicted;
    }
    return LG_OK;
}

lg_status lg_report_binary(lg_tape *tape, const lg_tensor *logits, const lg_tensor *labels)
{
    return lg_report_binary_above(tape, 0, logits, labels);
}

lg_status lg_report_scores(lg_tape *tape, const lg_tensor *scores, const lg_tensor *labels)
{
    static const char *const names[] = { "roc_auc", "average_precision" };
    static const char what[] = "lg_report_scores";
    lg_status status;
    lg_reports *reports = listener(what, tape, scores, labels, &status);
    if (!reports)
        return status;
    if (!same_elements(scores, labels))
        return shapes_differ(reports, what, scores, labels);
    if (!entry_of(reports, LG_REPORT_SCORES, names) || lg_pool_reserve(&reports->pool, scores->size) != LG_OK)
        return note_failure(reports, lg_error_code());
    for (size_t i = 0; i < scores->size; i++) {
        const int label = label_at(what, labels, i);
        if (label < 0)
            return note_failure(reports, lg_error_code());
        if (isnan(scores->real[i]))
            return note_failure(reports, lg_fail(LG_E_DOMAIN, "%s: score %zu is NaN", what, i));
        lg_pool_add(&reports->pool, scores->real[i], label);
    }
    return LG_OK;
}
