/* Splits, one-hot vectors, class weights. */
#include "data/split.h"

#include <math.h>
#include <stdlib.h>

#include "data/dataset_internal.h"
#include "tensor/memory_internal.h"

enum { TRAIN, VALIDATION, TEST, PARTS };

/* ---- how many rows of a class go where ----------------------------------------------------------------------------- */

/* Gives every wanted part one row, as far as they reach: training first, then the others, the needier one before. The row
 * comes from the part that has most, but never the last one of a part that was served. */
static void give_each_part_one(const double *share, const double *owed, size_t count[PARTS], size_t rows)
{
    const double of_validation = owed[VALIDATION] + share[VALIDATION] * (double)rows;
    const double of_test = owed[TEST] + share[TEST] * (double)rows;
    const size_t needier = of_validation > of_test ? VALIDATION : TEST;
    const size_t order[PARTS] = { TRAIN, needier, VALIDATION + TEST - needier };
    for (size_t k = 0, given = 0; k < PARTS && given < rows; k++) {
        size_t part = order[k], donor = part;
        if (share[part] <= 0)
            continue;
        given++;
        for (size_t d = 0; count[part] == 0 && d < PARTS; d++)
            if ((d > k || count[order[d]] > 1) && count[order[d]] > count[donor])
                donor = order[d];
        if (donor != part) {
            count[donor]--;
            count[part]++;
        }
    }
}

/* Largest remainder: each part gets the whole rows of its quota, and the rows left over go, at most one a part, where
 * the fraction cut off, with what earlier classes left owing, is largest. */
static void apportion(const double *share, size_t rows, double owed[PARTS], size_t count[PARTS])
{
    double fraction[PARTS];
    size_t left = rows;
    for (size_t p = 0; p < PARTS; p++) {
        double quota = share[p] * (double)rows;
        count[p] = (size_t)floor(quota);
        if (count[p] > left)
            count[p] = left;
        left -= count[p];
        fraction[p] = quota - (double)count[p];
    }
    for (bool raised[PARTS] = { false }; left > 0; left--) {
        size_t best = PARTS;
        for (size_t p = 0; p < PARTS; p++)
            if (!raised[p] && share[p] > 0 && (best == PARTS || fraction[p] + owed[p] > fraction[best] + owed[best]))
                best = p;
        if (best == PARTS)
            best = TRAIN;
        raised[best] = true;
        count[best]++;
    }
    give_each_part_one(share, owed, count, rows);
    for (size_t p = 0; p < PARTS; p++)
        owed[p] += share[p] * (double)rows - (double)count[p];
}

/* ---- splitting ----------------------------------------------------------------------------------------------------- */

static lg_status check_shares(double validation, double test, const lg_rng *rng)
{
    if (!rng)
        return lg_fail_null("split: no random generator");
    if (!(validation >= 0) || !(test >= 0) || !(validation + test < 1))
        return lg_fail(LG_E_PARAM, "split: shares %g for validation and %g for test; each is at least 0, and together "
                       "they are below 1", validation, test);
    return LG_OK;
}

/* Row ids of each class, one class after the other; the rows of class c begin at start[c]. */
static void group_by_class(size_t rows, const int32_t *labels, size_t classes, size_t *start, size_t *grouped)
{
    for (size_t c = 0; c <= classes; c++)
        start[c] = 0;
    for (size_t i = 0; i < rows; i++)
        start[labels ? labels[i] + 1 : 1]++;
    for (size_t c = 0; c < classes; c++)
        start[c + 1] += start[c];
    for (size_t i = 0; i < rows; i++)
        grouped[start[labels ? labels[i] : 0]++] = i;
    for (size_t c = classes; c > 0; c--) /* each start has moved to the next one's place */
        start[c] = start[c - 1];
    start[0] = 0;
}

/* Sets part[i] of every row. order and grouped are [rows], start is [classes + 1]. */
static void assign_parts(const double *share, size_t classes, const size_t *start, const size_t *grouped,
                         size_t *order, lg_rng *rng, unsigned char *part, size_t total[PARTS])
{
    double owed[PARTS] = { 0 };
    for (size_t c = 0; c < classes; c++) {
        size_t count[PARTS], rows = start[c + 1] - start[c], next = 0;
        if (rows == 0)
            continue;
        apportion(share, rows, owed, count);
        lg_rng_permutation(rng, rows, order);
        for (size_t p = 0; p < PARTS; p++) {
            total[p] += count[p];
            for (size_t k = 0; k < count[p]; k++)
                part[grouped[start[c] + order[next++]]] = (unsigned char)p;
        }
    }
}

static lg_split *collect(size_t rows, const unsigned char *part, const size_t total[PARTS])
{
    lg_split *split = lg_calloc(1, sizeof *split, "split");
    if (!split)
        return NULL;
    split->train = lg_calloc(total[TRAIN], sizeof *split->train, "split");
    split->validation = lg_calloc(total[VALIDATION], sizeof *split->validation, "split");
    split->test = lg_calloc(total[TEST], sizeof *split->test, "split");
    if (!split->train || !split->validation || !split->test) {
        lg_split_free(split);
        return NULL;
    }
    for (size_t i = 0; i < rows; i++)
        if (part[i] == TRAIN)
            split->train[split->train_rows++] = i;
        else if (part[i] == VALIDATION)
            split->validation[split->validation_rows++] = i;
        else
            split->test[split->test_rows++] = i;
    return split;
}

/* labels NULL: one class. */
static lg_split *split_rows(size_t rows, const int32_t *labels, size_t classes, double validation, double test,
                            lg_rng *rng)
{
    const double share[PARTS] = { 1 - validation - test, validation, test };
    size_t total[PARTS] = { 0 };
    size_t *start = lg_calloc(classes + 1, sizeof *start, "split");
    size_t *grouped = lg_calloc(rows, sizeof *grouped, "split");
    size_t *order = lg_calloc(rows, sizeof *order, "split");
    unsigned char *part = lg_calloc(rows, 1, "split");
    lg_split *split = NULL;
    if (start && grouped && order && part) {
        group_by_class(rows, labels, classes, start, grouped);
        assign_parts(share, classes, start, grouped, order, rng, part, total);
        bool all = total[TRAIN] > 0 && (validation <= 0 || total[VALIDATION] > 0) && (test <= 0 || total[TEST] > 0);
        if (all)
            split = collect(rows, part, total);
        else
            lg_fail(LG_E_PARAM, "split: %zu rows do not fill training, validation %g and test %g", rows, validation,
                    test);
    }
    free(start);
    free(grouped);
    free(order);
    free(part);
    return split;
}

lg_split *lg_split_random(size_t rows, double validation, double test, lg_rng *rng)
{
    return check_shares(validation, test, rng) < 0 ? NULL : split_rows(rows, NULL, 1, validation, test, rng);
}

static bool check_labels(const char *what, size_t rows, const int32_t *labels, size_t classes)
{
    if (!labels || classes == 0 || classes > INT32_MAX) {
        lg_fail_null("%s: no labels or classes", what);
        return false;
    }
    for (size_t i = 0; i < rows; i++)
        if (labels[i] < 0 || (size_t)labels[i] >= classes) {
            lg_fail(LG_E_INDEX, "%s: labels[%zu] is %d, but there are %zu classes (0..%zu)", what, i, labels[i], classes,
                    classes - 1);
            return false;
        }
    return true;
}

lg_split *lg_split_stratified(size_t rows, const int32_t *labels, size_t classes, double validation, double test,
                              lg_rng *rng)
{
    if (check_shares(validation, test, rng) < 0 || !check_labels("split_stratified", rows, labels, classes))
        return NULL;
    return split_rows(rows, labels, classes, validation, test, rng);
}

/* Sets part[i] of every row to that of its class, by a split of the `present` classes, which `order` lists. */
static void assign_by_class(const lg_split *split, const size_t *order, size_t rows, const int32_t *labels,
                            unsigned char *part_of_class, unsigned char *part, size_t total[PARTS])
{
    for (size_t i = 0; i < split->validation_rows; i++)
        part_of_class[order[split->validation[i]]] = VALIDATION;
    for (size_t i = 0; i < split->test_rows; i++)
        part_of_class[order[split->test[i]]] = TEST;
    for (size_t i = 0; i < rows; i++)
        total[part[i] = part_of_class[labels[i]]]++;
}

lg_split *lg_split_by_class(size_t rows, const int32_t *labels, size_t classes, double validation, double test,
                            lg_rng *rng)
{
    if (check_shares(validation, test, rng) < 0 || !check_labels("split_by_class", rows, labels, classes))
        return NULL;
    size_t present = 0, total[PARTS] = { 0 };
    size_t *order = lg_calloc(classes, sizeof *order, "split_by_class");
    unsigned char *part_of_class = lg_calloc(classes, 1, "split_by_class"), *part = lg_calloc(rows, 1, "split_by_class");
    lg_split *of_classes = NULL, *split = NULL;
    if (order && part_of_class && part) {
        for (size_t i = 0; i < rows; i++)
            part_of_class[labels[i]] = 1;
        for (size_t c = 0; c < classes; c++) {
            if (part_of_class[c])
                order[present++] = c;
            part_of_class[c] = TRAIN;
        }
        const size_t parts = (size_t)1 + (validation > 0) + (test > 0);
        if (present < parts)
            lg_fail(LG_E_PARAM, "split_by_class: the rows are of %zu classes, but %zu parts are wanted", present, parts);
        else
            of_classes = split_rows(present, NULL, 1, validation, test, rng);
    }
    if (of_classes) {
        assign_by_class(of_classes, order, rows, labels, part_of_class, part, total);
        split = collect(rows, part, total);
    }
    lg_split_free(of_classes);
    free(order);
    free(part_of_class);
    free(part);
    return split;
}

lg_split *lg_split_dataset(const lg_dataset *dataset, double validation, double test, lg_rng *rng)
{
    if (!dataset) {
        lg_fail_null("split_dataset: no data set");
        return NULL;
    }
    size_t rows = lg_dataset_rows(dataset), classes = lg_dataset_classes(dataset);
    if (classes == 0)
        return lg_split_random(rows, validation, test, rng);
    int32_t *labels = lg_calloc(rows, sizeof *labels, "split");
    lg_split *split = NULL;
    if (labels && lg_dataset_labels(dataset, NULL, 0, labels) == LG_OK)
        split = lg_split_stratified(rows, labels, classes, validation, test, rng);
    free(labels);
    return split;
}

void lg_split_free(lg_split *split)
{
    if (!split)
        return;
    free(split->train);
    free(split->validation);
    free(split->test);
    free(split);
}

/* ---- labels -------------------------------------------------------------------------------------------------------- */

static lg_status check_label(const char *what, size_t i, int32_t label, size_t classes)
{
    if (label >= 0 && (size_t)label < classes)
        return LG_OK;
    if (classes == 0)
        return lg_fail(LG_E_PARAM, "%s: no classes", what);
    return lg_fail(LG_E_INDEX, "%s: label[%zu] is %d, but there are %zu classes (0..%zu)", what, i, label, classes,
                   classes - 1);
}

lg_status lg_one_hot(size_t n, const int32_t *labels, size_t classes, lg_real *out)
{
    if ((!labels || !out) && n)
        return lg_fail_null("one_hot: no labels or no room");
    for (size_t i = 0; i < n; i++) {
        lg_status status = check_label("one_hot", i, labels[i], classes);
        if (status < 0)
            return status;
        for (size_t c = 0; c < classes; c++)
            out[i * classes + c] = (size_t)labels[i] == c;
    }
    return LG_OK;
}

lg_status lg_class_weights_balanced(size_t n, const int32_t *labels, size_t classes, lg_real *weights)
{
    if (!labels || !weights)
        return lg_fail_null("class_weights_balanced: no labels or no room");
    if (n == 0)
        return lg_fail(LG_E_PARAM, "class_weights_balanced: no rows");
    size_t *count = lg_calloc(classes, sizeof *count, "class_weights_balanced");
    lg_status status = count ? LG_OK : LG_E_MEMORY;
    for (size_t i = 0; status == LG_OK && i < n; i++) {
        status = check_label("class_weights_balanced", i, labels[i], classes);
        if (status == LG_OK)
            count[labels[i]]++;
    }
    if (status == LG_OK) {
        size_t present = 0;
        for (size_t c = 0; c < classes; c++)
            present += count[c] > 0;
        for (size_t c = 0; c < classes; c++)
            weights[c] = count[c] ? (lg_real)((double)n / ((double)present * (double)count[c])) : 0;
    }
    free(count);
    return status;
}
