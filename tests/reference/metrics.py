"""Classification reports, ROC AUC, average precision and curves.

    python tests/reference/metrics.py > tests/reference/metrics.h

Made with scikit-learn 1.9. Scores are multiples of 1/1024, so that float holds them exactly and some tie."""
import warnings

import numpy
import sklearn
from sklearn import metrics

import c_header as c

warnings.simplefilter("ignore")
random = numpy.random.default_rng(5)


def text(s):
    return '"' + s.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def report(names, target, predicted, digits):
    labels = list(range(len(names)))
    p, r, f, s = metrics.precision_recall_fscore_support(target, predicted, labels=labels)
    macro = metrics.precision_recall_fscore_support(target, predicted, labels=labels, average="macro")[:3]
    weighted = metrics.precision_recall_fscore_support(target, predicted, labels=labels, average="weighted")[:3]
    table = metrics.classification_report(target, predicted, labels=labels, target_names=names, digits=digits)
    strings = ", ".join(text(n) for n in names)
    print(f"""    {{ {len(names)}, (const char *[]){{ {strings} }}, {len(target)}, {digits},
      {c.ints(target, "int32_t")},
      {c.ints(predicted, "int32_t")},
      {c.ints(metrics.confusion_matrix(target, predicted, labels=labels).ravel(), "size_t")},
      {c.reals(p)}, {c.reals(r)}, {c.reals(f)}, {c.ints(s, "size_t")},
      {c.real(metrics.accuracy_score(target, predicted))}, {c.reals(macro)}, {c.reals(weighted)},
      {text(table)} }},""")


def ranking(label, scores):
    label, scores = numpy.asarray(label), numpy.asarray(scores, dtype=float)
    x, y, t = metrics.roc_curve(label, scores, drop_intermediate=False)
    precision, recall, threshold = metrics.precision_recall_curve(label, scores)
    with numpy.errstate(invalid="ignore"):
        f1 = [metrics.f1_score(label, scores >= at, zero_division=0) for at in threshold]
    print(f"""    {{ {len(label)}, {c.ints(label, "int32_t")},
      {c.reals(scores)},
      {c.real(metrics.roc_auc_score(label, scores))}, {c.real(metrics.average_precision_score(label, scores))},
      {len(x)}, {c.reals(x)},
      {c.reals(y)},
      {c.reals(t)},
      {len(precision)}, {c.reals(recall)},
      {c.reals(precision)},
      {c.reals(list(threshold) + [float("inf")])},
      {c.real(threshold[int(numpy.argmax(f1))])}, {c.real(max(f1))} }},""")


print(f"""/* Reference values, made by metrics.py: do not edit.
 *
 * scikit-learn {sklearn.__version__}. */
#ifndef REFERENCE_METRICS_H
#define REFERENCE_METRICS_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

static const struct reference_report {{
    size_t classes;
    const char *const *names;
    size_t rows, digits;
    const int32_t *target, *predicted;
    const size_t *matrix;                      /* [classes * classes] */
    const double *precision, *recall, *f1;     /* per class */
    const size_t *support;
    double accuracy;
    const double *macro, *weighted;            /* precision, recall, f1 */
    const char *text;
}} reference_reports[] = {{""")
report(["class 0", "class 1", "class 2"], [0, 1, 2, 2, 2], [0, 0, 2, 2, 1], 2)
report(["0", "1"], [0, 1, 1, 0, 1, 1, 0], [0, 1, 0, 0, 1, 1, 1], 4)
report(["never seen", "always", "never taken"], [1, 1, 2, 1], [1, 1, 1, 1], 3)
report(["größer als gedacht", "ja", "nein, gar nicht"], random.integers(0, 3, 40), random.integers(0, 3, 40), 2)
many = random.integers(0, 10, 1500)
report([str(i) for i in range(10)], many, numpy.where(random.random(1500) < 0.9, many, random.integers(0, 10, 1500)), 2)
print("""};

static const struct reference_ranking {
    size_t rows;
    const int32_t *label;
    const double *scores;
    double auc, average_precision;
    size_t roc_points;
    const double *roc_x, *roc_y, *roc_threshold;   /* false and true positive rate */
    size_t pr_points;
    const double *pr_x, *pr_y, *pr_threshold;      /* recall, precision */
    double best_threshold, best_f1;
} reference_rankings[] = {""")
ranking([0, 0, 1, 1], [0.125, 0.375, 0.25, 0.75])
ranking([0, 1], [0.5, 0.5])
ranking([1, 0, 1, 0, 1], [-3, -2, -1, 0, 1])
ranking([0, 1, 1, 0], [1e30, -1e30, 2.0**-140, -2.0**-140])
ranking([1, 0, 0, 1, 0, 1], [2, 2, 2, 2, 1, 1])
for n, grid, share in [(60, 8, 0.5), (200, 1024, 0.05), (150, 64, 0.3)]:
    y = (random.random(n) < share).astype(int)
    y[:2] = [0, 1]
    ranking(y, numpy.round((random.standard_normal(n) + y) * grid) / grid)
print("""};

#endif""")
