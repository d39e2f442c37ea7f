#include "report.h"
#include "plot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

lg_status predictions_of(predictions *p, const trainer_data *data, lg_tensor *outputs)
{
    const size_t rows = lg_dataset_rows(data->all);
    const lg_real *values = lg_tensor_data(outputs);
    *p = (predictions){ .rows = rows,
                        .target = calloc(rows, sizeof *p->target),
                        .probability = calloc(rows, sizeof *p->probability),
                        .loss = calloc(rows, sizeof *p->loss),
                        .part = part_of_rows(data->split) };
    if (!p->target || !p->probability || !p->loss || !p->part) {
        predictions_free(p);
        return lg_fail(LG_E_MEMORY, "out of memory for the predictions of %zu rows", rows);
    }
    for (size_t i = 0; i < rows; i++) {
        p->probability[i] = values[2 * i];
        p->loss[i] = values[2 * i + 1];
    }
    return lg_dataset_labels(data->all, NULL, 0, p->target);
}

void predictions_free(predictions *p)
{
    free(p->target);
    free(p->probability);
    free(p->loss);
    free(p->part);
    *p = (predictions){ 0 };
}

/* ------------------------------------------------------------------ scores */

/* The numbers of one part at one threshold. matrix: true class, predicted class. */
typedef struct binary_scores {
    size_t matrix[4];
    double threshold, accuracy, precision, recall, f1, roc_auc, average_precision;
} binary_scores;

/* The rows of one part, side by side. */
typedef struct part_rows {
    size_t rows, positives;
    lg_real *probability;
    int32_t *target, *predicted;
} part_rows;

static void part_rows_free(part_rows *rows)
{
    free(rows->probability);
    free(rows->target);
    free(rows->predicted);
}

static lg_status gather(const predictions *p, data_part part, part_rows *rows)
{
    *rows = (part_rows){ .probability = calloc(p->rows, sizeof *rows->probability),
                         .target = calloc(p->rows, sizeof *rows->target),
                         .predicted = calloc(p->rows, sizeof *rows->predicted) };
    if (!rows->probability || !rows->target || !rows->predicted) {
        part_rows_free(rows);
        return lg_fail(LG_E_MEMORY, "out of memory for the scores of %zu rows", p->rows);
    }
    for (size_t i = 0; i < p->rows; i++)
        if (p->part[i] == part) {
            rows->probability[rows->rows] = p->probability[i];
            rows->target[rows->rows++] = p->target[i];
            rows->positives += p->target[i] == 1;
        }
    return LG_OK;
}

/* The threshold with the best F1 on a part; 0.5, and not *chosen, where it has too few rows of a class. */
static lg_status choose_threshold(const predictions *p, data_part part, double *threshold, bool *chosen)
{
    *threshold = 0.5;
    part_rows rows;
    lg_status status = gather(p, part, &rows);
    if (status != LG_OK)
        return status;
    *chosen = rows.positives >= BINARY_LEAST_ROWS && rows.rows - rows.positives >= BINARY_LEAST_ROWS;
    if (*chosen)
        status = lg_best_threshold(rows.rows, rows.probability, rows.target, threshold, NULL);
    part_rows_free(&rows);
    return status;
}

static lg_status score(const predictions *p, data_part part, double threshold, binary_scores *scores)
{
    *scores = (binary_scores){ .threshold = threshold };
    part_rows rows;
    lg_status status = gather(p, part, &rows);
    if (status != LG_OK)
        return status;
    lg_class_score of_class[2];
    lg_class_summary summary;
    if ((status = lg_threshold_classes(rows.rows, rows.probability, threshold, rows.predicted)) != LG_OK ||
        (status = lg_confusion_matrix(rows.rows, rows.target, rows.predicted, 2, scores->matrix)) != LG_OK ||
        (status = lg_class_scores(2, scores->matrix, of_class, &summary)) != LG_OK ||
        (status = lg_roc_auc(rows.rows, rows.probability, rows.target, &scores->roc_auc)) != LG_OK ||
        (status = lg_average_precision(rows.rows, rows.probability, rows.target, &scores->average_precision)) != LG_OK)
        goto end;
    scores->accuracy = summary.accuracy;
    scores->precision = of_class[1].precision;
    scores->recall = of_class[1].recall;
    scores->f1 = of_class[1].f1;
end:
    part_rows_free(&rows);
    return status;
}

static lg_status print_scores(const binary_scores *scores, const char *const names[2])
{
    char *report = lg_classification_report(2, scores->matrix, names, 3);
    if (!report)
        return lg_error_code();
    printf("%s\n", report);
    free(report);

    const size_t *m = scores->matrix;
    int width = 10;
    for (int i = 0; i < 2; i++)
        width = (int)strlen(names[i]) > width ? (int)strlen(names[i]) : width;
    printf("Confusion matrix (rows: true, columns: predicted)\n");
    printf("%*s %*s %*s\n", width + 2, "", width, names[0], width, names[1]);
    for (int t = 0; t < 2; t++)
        printf("%*s %*zu %*zu\n", width + 2, names[t], width, m[2 * t], width, m[2 * t + 1]);
    printf("\n");
    return LG_OK;
}

static void note_scores(run *r, const char *key, const binary_scores *scores)
{
    const struct {
        const char *name;
        double value;
    } numbers[] = { { "threshold", scores->threshold }, { "accuracy", scores->accuracy },
                    { "precision", scores->precision }, { "recall", scores->recall },
                    { "f1", scores->f1 },               { "roc_auc", scores->roc_auc },
                    { "average_precision", scores->average_precision } };
    static const char *const counts[] = { "true_negatives", "false_positives", "false_negatives", "true_positives" };
    char path[128];
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        snprintf(path, sizeof path, "%s.%s", key, numbers[i].name);
        run_note_number(r, path, numbers[i].value);
    }
    for (size_t i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s.%s", key, counts[i]);
        run_note_count(r, path, scores->matrix[i]);
    }
}

/* -------------------------------------------------------------------- rows */

static lg_status write_predictions(run *r, const predictions *p)
{
    lg_real *table = calloc(3 * p->rows, sizeof *table); /* [rows, 3] */
    if (!table)
        return lg_fail(LG_E_MEMORY, "out of memory for the predictions of %zu rows", p->rows);
    for (size_t i = 0; i < p->rows; i++) {
        table[3 * i] = (lg_real)p->target[i];
        table[3 * i + 1] = p->probability[i];
        table[3 * i + 2] = p->loss[i];
    }
    lg_status status = predictions_write(r, p->rows, p->part, 3, (const char *[]){ "target", "probability", "loss" },
                                         table);
    free(table);
    return status;
}

typedef struct hard_row {
    double loss;
    size_t index;
} hard_row;

/* Highest loss first, NaN before all; equal losses by row. */
static int harder_first(const void *a, const void *b)
{
    const hard_row *x = a, *y = b;
    const int nan_first = (isnan(y->loss) != 0) - (isnan(x->loss) != 0);
    if (nan_first)
        return nan_first;
    if (x->loss != y->loss && !isnan(x->loss))
        return x->loss > y->loss ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

static lg_status print_hardest(const predictions *p, size_t count, const char *const names[2])
{
    hard_row *rows = calloc(p->rows, sizeof *rows);
    if (!rows)
        return lg_fail(LG_E_MEMORY, "out of memory for ranking %zu rows", p->rows);
    for (size_t i = 0; i < p->rows; i++)
        rows[i] = (hard_row){ (double)p->loss[i], i };
    qsort(rows, p->rows, sizeof *rows, harder_first);

    count = count < p->rows ? count : p->rows;
    printf("The %zu rows of highest loss: unusual, or labelled wrongly\n%10s  %-10s  %-12s %12s %10s\n", count, "row",
           "part", "target", "probability", "loss");
    for (size_t i = 0; i < count; i++) {
        const size_t k = rows[i].index;
        printf("%10zu  %-10s  %-12s %12.4g %10.4g\n", k, part_name(p->part[k]), names[p->target[k]],
               (double)p->probability[k], (double)p->loss[k]);
    }
    printf("\n");
    free(rows);
    return LG_OK;
}

/* ---------------------------------------------------------------- together */

static bool has_part(const predictions *p, data_part part)
{
    for (size_t i = 0; i < p->rows; i++)
        if (p->part[i] == part)
            return true;
    return false;
}

lg_status binary_report(run *r, const predictions *p, const char *const names[2], size_t hardest, double *threshold)
{
    const data_part chosen_on = has_part(p, PART_VALIDATION) ? PART_VALIDATION : PART_TRAIN;
    const data_part judged_on = has_part(p, PART_TEST) ? PART_TEST : chosen_on;
    bool chosen;
    binary_scores even, best;
    lg_status status = choose_threshold(p, chosen_on, threshold, &chosen);
    if (status == LG_OK)
        status = score(p, judged_on, 0.5, &even);
    if (status == LG_OK)
        status = score(p, judged_on, *threshold, &best);
    if (status != LG_OK)
        return status;

    printf("\nThe %s part, at threshold %.4f (%s %s part)\n\n", part_name(judged_on), *threshold,
           chosen ? "best F1 on the" : "too few of a class to choose one on the", part_name(chosen_on));
    if ((status = print_scores(&best, names)) != LG_OK)
        return status;
    printf("ROC AUC            %.4f\nAverage precision  %.4f\n"
           "F1                 %.4f at threshold %.4f, %.4f at 0.5\n\n",
           best.roc_auc, best.average_precision, best.f1, *threshold, even.f1);
    run_note_text(r, "evaluated_on", part_name(judged_on));
    note_scores(r, "metrics", &best);
    note_scores(r, "metrics_at_one_half", &even);

    if (hardest && (status = print_hardest(p, hardest, names)) != LG_OK)
        return status;
    if ((status = write_predictions(r, p)) != LG_OK)
        return status;
    char title[128];
    snprintf(title, sizeof title, "Confusion matrix, %s part, threshold %.4f", part_name(judged_on), *threshold);
    return plot_confusion(r, 2, best.matrix, names, title);
}
