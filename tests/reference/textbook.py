"""The field's textbook example of fraud detection: 1000 x 20 normal features, coin-toss labels, logistic regression from
zero by full-batch gradient descent. Writes the rows in the order of scikit-learn's split, 800 for training, then 200.

    python tests/reference/textbook.py > tests/reference/textbook.h      (writes tests/reference/textbook.csv.gz as well)

Made with NumPy 2.4.6 and scikit-learn 1.9.1. numpy.random.seed and what follows it (RandomState) is frozen by NumPy, so
every version draws the same numbers."""
import gzip
import os

import numpy as np
import sklearn
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import c_header as c

np.random.seed(42)
X = np.random.randn(1000, 20)
y = np.random.randint(0, 2, 1000)
order = np.concatenate(train_test_split(np.arange(1000), test_size=0.2, random_state=42))

lines = [",".join([f"x{i + 1}" for i in range(20)] + ["fraud"])]
lines += [",".join([repr(float(v)) for v in X[i]] + [str(y[i])]) for i in order]
with open(os.path.join(os.path.dirname(__file__), "textbook.csv.gz"), "wb") as raw:
    with gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=9, mtime=0) as out:
        out.write(("\n".join(lines) + "\n").encode())

scaled = StandardScaler().fit_transform(X)[order]
train, test = slice(0, 800), slice(800, 1000)
y = y[order]


def probability(rows):
    return 1 / (1 + np.exp(-(scaled[rows] @ w + b)))


def crossentropy(rows):
    p = probability(rows)
    return -np.mean(y[rows] * np.log(p) + (1 - y[rows]) * np.log(1 - p))


w, b, history = np.zeros(20), 0.0, []
for epoch in range(100):
    history.append(crossentropy(train))
    error = probability(train) - y[train]
    w, b = w - 0.01 * scaled[train].T @ error / 800, b - 0.01 * error.mean()
accuracy = np.mean((probability(test) >= 0.5) == y[test])
assert abs(crossentropy(train) - 0.6885963755) < 1e-10 and abs(crossentropy(test) - 0.6908117888) < 1e-10
assert accuracy == 0.545

c.begin("textbook", f"""
    NumPy {np.__version__}, scikit-learn {sklearn.__version__}. textbook.csv.gz: numpy.random.seed(42), randn(1000, 20), then
    randint(0, 2, 1000) as the label `fraud`; rows reordered as train_test_split(test_size=0.2, random_state=42) does, so
    that the first 800 are its training part and the last 200 its test part, each in its order.
    The run: all 1000 rows scaled together to mean 0 and (population) deviation 1; weights and bias start at 0; 100 full-
    batch steps of gradient descent, learning rate 0.01, on the mean binary cross-entropy of the 800.""")
print(f"""#define REFERENCE_TEXTBOOK_TRAIN_ROWS 800
#define REFERENCE_TEXTBOOK_TEST_ROWS 200
#define REFERENCE_TEXTBOOK_FEATURES 20

/* After the 100 steps: cross-entropy of both parts, accuracy on the test part (threshold 0.5). */
static const double reference_textbook_train_loss = {c.real(crossentropy(train))};
static const double reference_textbook_test_loss = {c.real(crossentropy(test))};
static const double reference_textbook_test_accuracy = {c.real(accuracy)};
static const double reference_textbook_bias = {c.real(b)};
static const double reference_textbook_weight[REFERENCE_TEXTBOOK_FEATURES] =
    {c.block(w)};

/* Training loss before each of the 100 steps; the first is ln 2. */
static const double reference_textbook_history[100] =
    {c.block(history)};
""")
c.end()
