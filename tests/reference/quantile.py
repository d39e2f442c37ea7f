"""Quantile regression: optima on data/ by linear programming (scikit-learn), and the textbook's example by NumPy: 1000
rows y = 2 x + noise / 2, quantile 0.75, 1000 epochs of descent on all rows from zero, learning rate 0.01.

    python tests/reference/quantile.py > tests/reference/quantile.h      (writes data/quantile_textbook.csv.gz as well)

Made with NumPy 2.4.6 and scikit-learn 1.9.1. numpy.random.seed and what follows it (RandomState) is frozen by NumPy, so
every version draws the same numbers."""
import csv
import gzip
import os

import numpy as np
from sklearn.linear_model import QuantileRegressor

import c_header as c

data = os.path.join(os.path.dirname(__file__), "..", "..", "data")


def pinball(y, predicted, tau):
    u = y - predicted
    return np.mean(np.maximum(tau * u, (tau - 1) * u))


def table(name, skip):
    opened = gzip.open if name.endswith(".gz") else open
    return np.array([[float(v) for v in row] for row in list(csv.reader(opened(os.path.join(data, name), "rt")))[skip:]])


c.begin("quantile", """
    Quantile regression: the least mean pinball loss of lines, and the textbook's run.""")

print("struct reference_quantile {\n    double tau, pinball, intercept, slope;\n};\n")
engel = table("engel.csv", 1)
print("/* engel.csv: foodexp by income */\nstatic const struct reference_quantile reference_engel[] = {")
for tau in (0.1, 0.25, 0.5, 0.75, 0.9):
    line = QuantileRegressor(quantile=tau, alpha=0, solver="highs").fit(engel[:, :1], engel[:, 1])
    print(c.row(c.real(tau), c.real(pinball(engel[:, 1], line.predict(engel[:, :1]), tau)), c.real(line.intercept_),
                c.real(line.coef_[0])))
print("};\n")

iris = table("iris.csv", 1)
print("/* iris.csv: column 3, the petal's width, by columns 0, 1 and 2, and the class as a number */")
print("static const struct reference_quantile reference_iris[] = {")
others = iris[:, [0, 1, 2, 4]]
for tau in (0.1, 0.5, 0.9):
    line = QuantileRegressor(quantile=tau, alpha=0, solver="highs").fit(others, iris[:, 3])
    print(c.row(c.real(tau), c.real(pinball(iris[:, 3], line.predict(others), tau)), c.real(line.intercept_),
                c.real(line.coef_[0])))
print("};\n")

np.random.seed(42)
X = np.random.randn(1000, 1)
y = 2 * X[:, 0] + np.random.randn(1000) * 0.5
with open(os.path.join(data, "quantile_textbook.csv.gz"), "wb") as raw:
    with gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=9, mtime=0) as out:
        out.write("".join(["x,y\n"] + [f"{float(a)!r},{float(b)!r}\n" for a, b in zip(X[:, 0], y)]).encode())

tau, rate, w, b, history = 0.75, 0.01, 0.0, 0.0, []
for epoch in range(1000):
    predicted = w * X[:, 0] + b
    history.append(pinball(y, predicted, tau))
    slope = np.where(y > predicted, -tau, np.where(y < predicted, 1 - tau, 0.0))
    w -= rate * np.mean(slope * X[:, 0])
    b -= rate * np.mean(slope)
print("/* The textbook's run: loss before each hundredth epoch, then where it ends. */")
print(f"static const double reference_textbook_losses[] = {c.block(history[::100])};")
print(f"static const double reference_textbook_loss = {c.real(pinball(y, w * X[:, 0] + b, tau))};")
print(f"static const double reference_textbook_w = {c.real(w)}, reference_textbook_b = {c.real(b)};\n")
c.end()
