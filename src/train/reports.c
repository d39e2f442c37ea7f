/* Listening to what steps report (report.h). */
#include "train/report_internal.h"

#include "tensor/memory_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

lg_reports *lg_reports_new(const char *prefix)
{
    lg_reports *reports = lg_calloc(1, sizeof *reports, "lg_reports_new");
    if (!reports)
        return NULL;
    if (prefix && strlen(prefix) >= sizeof reports->prefix) {
        lg_fail(LG_E_PARAM, "lg_reports_new: the prefix \"%s\" has more than %zu bytes", prefix,
                sizeof reports->prefix - 1);
        free(reports);
        return NULL;
    }
    strcpy(reports->prefix, prefix ? prefix : "");
    reports->prefix_bytes = strlen(reports->prefix);
    return reports;
}

void lg_reports_free(lg_reports *reports)
{
    if (!reports)
        return;
    lg_pool_free(&reports->pool);
    lg_tensor_free(reports->class_weight);
    free(reports->entries);
    free(reports->names);
    free(reports->values);
    free(reports);
}

void lg_reports_attach(lg_reports *reports, lg_tape *tape)
{
    if (tape)
        tape->context = reports;
}

lg_status lg_reports_set_class_weight(lg_reports *reports, size_t classes, const lg_real *weights)
{
    if (!reports || !weights)
        return lg_fail_null("lg_reports_set_class_weight: an argument is NULL");
    for (size_t class = 0; class < classes; class++)
        if (!(weights[class] >= 0) || isinf(weights[class]))
            return lg_fail(LG_E_DOMAIN, "the weight of class %zu is %g; finite and not negative is wanted", class,
                           (double)weights[class]);
    lg_tensor *copy = lg_tensor_from(LG_SHAPE(classes), weights);
    if (!copy)
        return lg_error_code();
    lg_tensor_free(reports->class_weight);
    reports->class_weight = copy;
    return LG_OK;
}

void lg_reports_clear(lg_reports *reports)
{
    if (!reports)
        return;
    for (size_t i = 0; i < reports->count; i++) {
        lg_report_entry *entry = reports->entries + i;
        entry->sum = entry->weight = 0;
        entry->true_positives = entry->false_positives = entry->false_negatives = 0;
    }
    lg_pool_clear(&reports->pool);
    reports->cursor = 0;
    reports->status = LG_OK;
}

lg_status lg_reports_status(const lg_reports *reports)
{
    return reports ? reports->status : LG_OK;
}

/* The values of one entry, as many as it has names. */
static lg_status values_of(lg_reports *reports, const lg_report_entry *entry, double values[3])
{
    if (entry->kind == LG_REPORT_MEAN) {
        values[0] = entry->weight > 0 ? entry->sum / entry->weight : NAN;
        return LG_OK;
    }
    if (entry->kind == LG_REPORT_BINARY) {
        const lg_class_score score =
            lg_binary_score(entry->true_positives, entry->false_positives, entry->false_negatives);
        values[0] = score.precision;
        values[1] = score.recall;
        values[2] = score.f1;
        return LG_OK;
    }
    lg_status status = lg_pool_sort(&reports->pool);
    if (status == LG_OK) {
        values[0] = lg_pool_roc_auc(&reports->pool);
        values[1] = lg_pool_average_precision(&reports->pool);
    }
    return status;
}

lg_status lg_reports_read(lg_reports *reports, bool pooled, size_t *count, const char *const **names,
                          const double **values)
{
    if (!reports || !count || !names || !values)
        return lg_fail_null("lg_reports_read: an argument is NULL");
    const size_t most = 3 * reports->count;
    if (lg_reserve(&reports->names, &reports->name_capacity, most, sizeof *reports->names, "lg_reports_read") !=
            LG_OK ||
        lg_reserve(&reports->values, &reports->value_capacity, most, sizeof *reports->values, "lg_reports_read") !=
            LG_OK)
        return LG_E_MEMORY;
    size_t used = 0;
    for (size_t i = 0; i < reports->count; i++) {
        lg_report_entry *entry = reports->entries + i;
        if (entry->kind == LG_REPORT_SCORES && !pooled)
            continue;
        double of_entry[3];
        lg_status status = values_of(reports, entry, of_entry);
        if (status != LG_OK)
            return status;
        for (size_t k = 0; k < lg_report_columns(entry->kind); k++) {
            reports->names[used] = entry->names[k];
            reports->values[used++] = of_entry[k];
        }
    }
    *count = used;
    *names = reports->names;
    *values = reports->values;
    return LG_OK;
}
