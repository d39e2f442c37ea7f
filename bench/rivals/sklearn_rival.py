"""The workloads that scikit-learn trains in the same way: its networks on one batch, and its SGD on one row."""
import warnings

import numpy as np
import sklearn
from sklearn.linear_model import SGDClassifier
from sklearn.neural_network import MLPClassifier

from contestant import Steps, serve

warnings.filterwarnings("ignore")


def network(x, y, hidden, activation, layers):
    """partial_fit on a batch is one step of Adam. The first makes the arrays, which then get our values."""
    model = MLPClassifier(hidden, activation=activation, alpha=0, batch_size=len(x), learning_rate_init=1e-3)
    model.partial_fit(x, y, classes=np.unique(y))
    for i, (weight, bias) in enumerate(layers):
        model.coefs_[i][...] = weight.T
        model.intercepts_[i][...] = bias
    optimizer = model._optimizer
    optimizer.t = 0
    for moment in optimizer.ms + optimizer.vs:
        moment[...] = 0

    def step():  # its epsilon is added before the second moment's bias is corrected
        optimizer.epsilon = 1e-8 * (1 - 0.999 ** (optimizer.t + 1)) ** 0.5
        model.partial_fit(x, y)
        return model.loss_

    return Steps(step)


def b(data):
    x, y = data.uniform((32, 20), -1, 1), data.labels((32,)).astype(np.int32)
    return network(x, y, (64,), "tanh", [data.dense(20, 64), data.dense(64, 1)])


def c(data):
    x, y = data.uniform((128, 784), 0, 1), data.indices((128,), 10)
    return network(x, y, (512, 256), "relu", [data.dense(784, 512), data.dense(512, 256), data.dense(256, 10)])


class Svm:
    """A call of SGDClassifier costs what thousands of its updates in C do, so it makes whole epochs, of a thousand; but
    for the few steps that are compared. alpha / 2 |w|^2 is lambda |w|^2."""

    def __init__(self, data):
        self.x, self.y, self.before = data.uniform((1000, 20), -1, 1), 2 * data.labels((1000,)) - 1, None
        self.model = SGDClassifier(loss="hinge", alpha=2e-3, learning_rate="constant", eta0=0.01, shuffle=False)

    def run(self, steps):
        if steps <= 20:  # the loss is that of the last row, before its update
            self.fit(0, steps - 1)
            self.before = steps - 1, self.model.coef_[0].copy(), float(self.model.intercept_[0])
            self.fit(steps - 1, steps)
            return steps
        epochs = -(-steps // 1000)
        for _ in range(epochs):
            self.fit(0, 1000)
        return 1000 * epochs

    def fit(self, first, last):
        if first < last:
            self.model.partial_fit(self.x[first:last], self.y[first:last], classes=[-1.0, 1.0])

    def result(self):
        i, w, bias = self.before
        return 1e-3 * float(w @ w) + max(0.0, 1 - float(self.y[i]) * (float(self.x[i] @ w) + bias)), 0


serve("scikit-learn " + sklearn.__version__, {"b": b, "c": c, "g": Svm})
