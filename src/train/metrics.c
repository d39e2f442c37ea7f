/* Metrics from classes (metrics.h). */
#include "train/metrics.h"

#include "tensor/memory_internal.h"
#include "train/number_text_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

lg_status lg_confusion_matrix(size_t n, const int32_t *target, const int32_t *predicted, size_t classes,
                              size_t *matrix)
{
    if (!matrix || (n > 0 && (!target || !predicted)))
        return lg_fail_null("lg_confusion_matrix: an argument is NULL");
    if (classes == 0 || classes > INT32_MAX)
        return lg_fail(LG_E_PARAM, "lg_confusion_matrix: %zu classes", classes);
    memset(matrix, 0, classes * classes * sizeof *matrix);
    for (size_t i = 0; i < n; i++) {
        const bool target_is_wrong = target[i] < 0 || (size_t)target[i] >= classes;
        if (target_is_wrong || predicted[i] < 0 || (size_t)predicted[i] >= classes)
            return lg_fail(LG_E_INDEX, "lg_confusion_matrix: %s[%zu] is %d, but there are %zu classes (0..%zu)",
                           target_is_wrong ? "target" : "predicted", i,
                           (int)(target_is_wrong ? target[i] : predicted[i]), classes, classes - 1);
        matrix[(size_t)target[i] * classes + (size_t)predicted[i]]++;
    }
    return LG_OK;
}

static double ratio(double a, double b)
{
    return b > 0 ? a / b : 0;
}

lg_class_score lg_binary_score(size_t true_positives, size_t false_positives, size_t false_negatives)
{
    const double tp = (double)true_positives, fp = (double)false_positives, fn = (double)false_negatives;
    return (lg_class_score){ .precision = ratio(tp, tp + fp),
                             .recall = ratio(tp, tp + fn),
                             .f1 = ratio(2 * tp, 2 * tp + fp + fn),
                             .support = true_positives + false_negatives };
}

static lg_class_score score_of_class(size_t classes, const size_t *matrix, size_t class)
{
    size_t of_class = 0, taken_for_it = 0;
    for (size_t other = 0; other < classes; other++) {
        of_class += matrix[class * classes + other];
        taken_for_it += matrix[other * classes + class];
    }
    const size_t right = matrix[class * classes + class];
    return lg_binary_score(right, taken_for_it - right, of_class - right);
}

static void add_scaled(lg_class_score *sum, const lg_class_score *score, double scale)
{
    sum->precision += scale * score->precision;
    sum->recall += scale * score->recall;
    sum->f1 += scale * score->f1;
}

static void divide(lg_class_score *score, double divisor)
{
    score->precision = ratio(score->precision, divisor);
    score->recall = ratio(score->recall, divisor);
    score->f1 = ratio(score->f1, divisor);
}

lg_status lg_class_scores(size_t classes, const size_t *matrix, lg_class_score *scores, lg_class_summary *summary)
{
    if (!matrix)
        return lg_fail_null("lg_class_scores: the matrix is NULL");
    if (classes == 0)
        return lg_fail(LG_E_PARAM, "lg_class_scores: 0 classes");
    lg_class_summary sum = { 0 };
    size_t rows = 0, right = 0;
    for (size_t class = 0; class < classes; class++) {
        const lg_class_score score = score_of_class(classes, matrix, class);
        if (scores)
            scores[class] = score;
        add_scaled(&sum.macro, &score, 1);
        add_scaled(&sum.weighted, &score, (double)score.support);
        rows += score.support;
        right += matrix[class * classes + class];
    }
    divide(&sum.macro, (double)classes);
    divide(&sum.weighted, (double)rows);
    sum.macro.support = sum.weighted.support = rows;
    sum.accuracy = rows ? (double)right / (double)rows : NAN;
    if (summary)
        *summary = sum;
    return LG_OK;
}

lg_status lg_threshold_classes(size_t n, const lg_real *scores, double threshold, int32_t *predicted)
{
    if (n > 0 && (!scores || !predicted))
        return lg_fail_null("lg_threshold_classes: an argument is NULL");
    if (isnan(threshold))
        return lg_fail(LG_E_PARAM, "lg_threshold_classes: the threshold is NaN");
    for (size_t i = 0; i < n; i++) {
        if (isnan(scores[i]))
            return lg_fail(LG_E_DOMAIN, "lg_threshold_classes: scores[%zu] is NaN", i);
        predicted[i] = (double)scores[i] >= threshold;
    }
    return LG_OK;
}

/* --------------------------------------------------- the report as a table */

/* Columns that a name takes on a screen, for UTF-8: bytes that begin a character. */
static size_t width_of(const char *name)
{
    size_t width = 0;
    for (; *name; name++)
        width += ((unsigned char)*name & 0xC0) != 0x80;
    return width;
}

static const char *name_of(size_t class, const char *const *names, char number[24])
{
    if (names && names[class])
        return names[class];
    snprintf(number, 24, "%zu", class);
    return number;
}

typedef struct table {
    char *text;
    size_t used, width, digits;
} table;

static void put_name(table *t, const char *name)
{
    const size_t width = width_of(name);
    t->used += (size_t)sprintf(t->text + t->used, "%*s%s ", (int)(t->width - width), "", name);
}

/* Precision and recall are left blank in the row of the accuracy, which stands in the column of f1. */
static void put_row(table *t, const char *name, const lg_class_score *score, bool blank)
{
    char text[LG_NUMBER_BYTES];
    const double values[] = { score->precision, score->recall, score->f1 };
    put_name(t, name);
    for (int i = 0; i < 3; i++)
        t->used += (size_t)sprintf(t->text + t->used, " %9s",
                                   blank && i < 2 ? "" : lg_number_text('f', (int)t->digits, values[i], text));
    t->used += (size_t)sprintf(t->text + t->used, " %9zu\n", score->support);
}

char *lg_classification_report(size_t classes, const size_t *matrix, const char *const *names, size_t digits)
{
    char number[24];
    lg_class_summary summary;
    if (digits > 15)
        return lg_fail(LG_E_PARAM, "lg_classification_report: %zu digits, at most 15 are possible", digits), NULL;
    if (lg_class_scores(classes, matrix, NULL, &summary) != LG_OK)
        return NULL;
    table t = { .width = strlen("weighted avg"), .digits = digits };
    size_t name_bytes = 0;
    for (size_t class = 0; class < classes; class++) {
        const char *name = name_of(class, names, number);
        t.width = width_of(name) > t.width ? width_of(name) : t.width;
        name_bytes = strlen(name) > name_bytes ? strlen(name) : name_bytes;
    }
    /* A row is at most a name with its padding and four numbers of 1 + 24 characters. */
    const size_t row_bytes = t.width + name_bytes + 128;
    t.text = lg_calloc(classes + 8, row_bytes, "lg_classification_report");
    if (!t.text)
        return NULL;
    put_name(&t, "");
    t.used += (size_t)sprintf(t.text + t.used, " %9s %9s %9s %9s\n\n", "precision", "recall", "f1-score", "support");
    for (size_t class = 0; class < classes; class++) {
        const lg_class_score score = score_of_class(classes, matrix, class);
        put_row(&t, name_of(class, names, number), &score, false);
    }
    t.used += (size_t)sprintf(t.text + t.used, "\n");
    const lg_class_score accuracy = { .f1 = summary.accuracy, .support = summary.macro.support };
    put_row(&t, "accuracy", &accuracy, true);
    put_row(&t, "macro avg", &summary.macro, false);
    put_row(&t, "weighted avg", &summary.weighted, false);
    return t.text;
}
