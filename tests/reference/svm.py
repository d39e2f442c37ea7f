"""Linear support vector machines on data/: optima by scikit-learn and SciPy, and the textbook's descent by NumPy.

    python tests/reference/svm.py > tests/reference/svm.h

Made with NumPy 2.4.6, SciPy 1.17.1 and scikit-learn 1.9.1. Features are standardised over all rows, which all train."""
import csv
import gzip
import os

import numpy as np
from scipy.optimize import minimize
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import c_header as c

data = os.path.join(os.path.dirname(__file__), "..", "..", "data")


def table(name, positive):
    opened = gzip.open if name.endswith(".gz") else open
    rows = list(csv.reader(opened(os.path.join(data, name), "rt")))[1:]
    x = np.array([[float(v) for v in row[:-1]] for row in rows])
    return x, np.where(np.array([row[-1] for row in rows]) == positive, 1.0, -1.0)


def objective(x, y, w, b, lam, power):
    return lam * w @ w + np.mean(np.maximum(0, 1 - y * (x @ w + b)) ** power)


def hinge_optimum(x, y, lam):
    machine = SVC(kernel="linear", C=1 / (2 * lam * len(y)), tol=1e-8).fit(x, y)
    return objective(x, y, machine.coef_[0], machine.intercept_[0], lam, 1), machine


def squared_hinge_optimum(x, y, lam):
    def value(v):
        h = np.maximum(0, 1 - y * (x @ v[:-1] + v[-1]))
        slope = -2 * y * h / len(y)
        return lam * v[:-1] @ v[:-1] + np.mean(h ** 2), np.append(2 * lam * v[:-1] + x.T @ slope, slope.sum())
    found = minimize(value, np.zeros(x.shape[1] + 1), jac=True, method="L-BFGS-B",
                     options={"maxiter": 10000, "maxfun": 100000, "ftol": 1e-16, "gtol": 1e-10})
    return found.fun


def textbook(x, y, lam, rate, epochs):
    """A row satisfied, y z >= 1: w -= rate 2 lambda w; else w -= rate (2 lambda w - y x), b += rate y."""
    w, b = np.zeros(x.shape[1]), 0.0
    for _ in range(epochs):
        for i in range(len(y)):
            satisfied = y[i] * (x[i] @ w + b) >= 1
            w = w - rate * (2 * lam * w - (0 if satisfied else y[i] * x[i]))
            b = b + (0 if satisfied else rate * y[i])
    return w, b


c.begin("svm", """
    Linear support vector machines: the least objective lambda |w|^2 + mean hinge^power, and the textbook's run.""")
print("struct reference_svm {\n    const char *data, *target, *positive;\n    double lambda, hinge, squared_hinge;\n};\n")
print("static const struct reference_svm reference_svm[] = {")
for name, target, label, positive, lambdas in [("breast_cancer.csv", "-1", "1", None, (0.01, 0.001)),
                                               ("ionosphere.csv.gz", "Class", "good", "good", (0.01,)),
                                               ("spam.csv.gz", "type", "spam", "spam", (0.01,))]:
    x, y = table(name, label)
    x = StandardScaler().fit_transform(x)
    for lam in lambdas:
        print(c.row(c.text(name), c.text(target), c.text(positive), c.real(lam), c.real(hinge_optimum(x, y, lam)[0]),
                    c.real(squared_hinge_optimum(x, y, lam))))
print("};\n")

raw, y = table("breast_cancer.csv", "1")
x = StandardScaler().fit_transform(raw)
machine = hinge_optimum(x, y, 0.01)[1]
score = y * machine.decision_function(x)
print(f"static const double reference_svm_weights[] =\n    {c.block(machine.coef_[0])};")
print(f"static const double reference_svm_bias = {c.real(machine.intercept_[0])};")
violations, errors = int(np.sum(score < 1 - 1e-6)), int(np.sum(score <= 0))
print(f"enum {{ REFERENCE_SVM_VIOLATIONS = {violations}, REFERENCE_SVM_ERRORS = {errors} }};")
folds = cross_val_score(make_pipeline(StandardScaler(), SVC(kernel="linear", C=1 / (2 * 0.01 * len(y) * 0.8))), raw, y,
                        cv=5)
print(f"static const double reference_svm_folds_accuracy = {c.real(folds.mean())};\n")

w, b = textbook(x, y, 0.01, 0.01, 3)
print("/* Three epochs of the textbook's descent: lambda 0.01, rate 0.01. */")
print(f"static const double reference_svm_textbook_weights[] =\n    {c.block(w)};")
print(f"static const double reference_svm_textbook_bias = {c.real(b)};")
print(f"static const double reference_svm_textbook_objective = {c.real(objective(x, y, w, b, 0.01, 1))};\n")
c.end()
