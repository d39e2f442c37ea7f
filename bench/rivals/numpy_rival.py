"""The workloads in NumPy, float32, backward by hand, all parameters in one block. CTC is left out: nobody writes it so."""
import numpy as np

from contestant import Steps, serve

ONE = np.float32(1)


class Parameters:
    """Arrays as views of one block, their gradients of another; SGD and Adam as a few sweeps over these."""

    def __init__(self, *arrays):
        self.flat = np.concatenate([a.ravel() for a in arrays])
        self.gradient = np.zeros_like(self.flat)
        self.values, self.gradients, start = [], [], 0
        for a in arrays:
            self.values.append(self.flat[start:start + a.size].reshape(a.shape))
            self.gradients.append(self.gradient[start:start + a.size].reshape(a.shape))
            start += a.size
        self.m, self.v, self.room, self.t = np.zeros_like(self.flat), np.zeros_like(self.flat), np.empty_like(self.flat), 0

    def sgd(self, rate):
        np.multiply(self.gradient, np.float32(rate), out=self.room)
        self.flat -= self.room

    def adam(self, rate):
        self.t += 1
        m, v, room, g = self.m, self.v, self.room, self.gradient
        np.multiply(g, np.float32(0.1), out=room)
        m *= np.float32(0.9)
        m += room
        np.multiply(g, g, out=room)
        room *= np.float32(0.001)
        v *= np.float32(0.999)
        v += room
        np.sqrt(v, out=room)
        room *= np.float32(1 / (1 - 0.999**self.t) ** 0.5)
        room += np.float32(1e-8)
        np.divide(m, room, out=room)
        room *= np.float32(rate / (1 - 0.9**self.t))
        self.flat -= room


def bce_of_logits(z, y, scale):
    """Mean (or sum times scale) of the loss, and its derivative."""
    e = np.exp(-np.abs(z))
    loss = np.maximum(z, 0) - z * y + np.log1p(e)
    p = np.where(z >= 0, ONE, e) / (ONE + e)
    return loss.sum() * scale, (p - y) * scale


def softmax_crossentropy(z, y):
    rows = np.arange(len(z))
    p = z - z.max(axis=1, keepdims=True)
    picked = p[rows, y]
    np.exp(p, out=p)
    total = p.sum(axis=1, keepdims=True)
    loss = (np.log(total[:, 0]) - picked).mean()
    p /= total
    p[rows, y] -= ONE
    p *= np.float32(1 / len(z))
    return loss, p


def a(data):
    x, y = data.uniform((800, 20), -1, 1), data.labels((800,))
    w, b = data.dense(20, 1)
    parameters = Parameters(w[0], b)
    (w, b), (gw, gb) = parameters.values, parameters.gradients
    scale = np.float32(1 / 800)

    def step():
        loss, dz = bce_of_logits(x @ w + b, y, scale)
        np.dot(dz, x, out=gw)
        gb[0] = dz.sum()
        parameters.sgd(0.1)
        return loss

    return Steps(step)


def b(data):
    x, y = data.uniform((32, 20), -1, 1), data.labels((32,))
    w1, b1 = data.dense(20, 64)
    w2, b2 = data.dense(64, 1)
    parameters = Parameters(w1, b1, w2[0], b2)
    (w1, b1, w2, b2), (gw1, gb1, gw2, gb2) = parameters.values, parameters.gradients
    scale = np.float32(1 / 32)

    def step():
        h = np.dot(x, w1.T)
        h += b1
        np.tanh(h, out=h)
        loss, dz = bce_of_logits(h @ w2 + b2, y, scale)
        np.dot(dz, h, out=gw2)
        gb2[0] = dz.sum()
        np.multiply(h, h, out=h)
        np.subtract(ONE, h, out=h)
        h *= w2
        h *= dz[:, None]
        np.dot(h.T, x, out=gw1)
        h.sum(axis=0, out=gb1)
        parameters.adam(1e-3)
        return loss

    return Steps(step)


def c(data):
    x, y = data.uniform((128, 784), 0, 1), data.indices((128,), 10)
    parameters = Parameters(*data.dense(784, 512), *data.dense(512, 256), *data.dense(256, 10))
    (w1, b1, w2, b2, w3, b3), (gw1, gb1, gw2, gb2, gw3, gb3) = parameters.values, parameters.gradients

    def step():
        h1 = np.dot(x, w1.T)
        h1 += b1
        np.maximum(h1, 0, out=h1)
        h2 = np.dot(h1, w2.T)
        h2 += b2
        np.maximum(h2, 0, out=h2)
        loss, dz = softmax_crossentropy(np.dot(h2, w3.T) + b3, y)
        np.dot(dz.T, h2, out=gw3)
        dz.sum(axis=0, out=gb3)
        d2 = np.dot(dz, w3)
        d2 *= h2 > 0
        np.dot(d2.T, h1, out=gw2)
        d2.sum(axis=0, out=gb2)
        d1 = np.dot(d2, w2)
        d1 *= h1 > 0
        np.dot(d1.T, x, out=gw1)
        d1.sum(axis=0, out=gb1)
        parameters.adam(1e-3)
        return loss

    return Steps(step)


def d(data):
    x, noise = data.uniform((128, 784), 0, 1), data.uniform((128, 20), -2, 2)
    parameters = Parameters(*data.dense(784, 400), *data.dense(400, 40), *data.dense(20, 400), *data.dense(400, 784))
    (w1, b1, w2, b2, w3, b3, w4, b4), (g1, gb1, g2, gb2, g3, gb3, g4, gb4) = parameters.values, parameters.gradients
    half, scale = np.float32(0.5), np.float32(1 / 128)

    def step():
        h1 = np.dot(x, w1.T)
        h1 += b1
        np.maximum(h1, 0, out=h1)
        both = np.dot(h1, w2.T) + b2
        mean, log_var = both[:, :20], both[:, 20:]
        deviation = np.exp(half * log_var)
        z = mean + deviation * noise
        h2 = np.dot(z, w3.T)
        h2 += b3
        np.maximum(h2, 0, out=h2)
        loss, dy = bce_of_logits(np.dot(h2, w4.T) + b4, x, scale)
        variance = deviation * deviation
        loss += half * scale * np.sum(mean * mean + variance - ONE - log_var)
        np.dot(dy.T, h2, out=g4)
        dy.sum(axis=0, out=gb4)
        d2 = np.dot(dy, w4)
        d2 *= h2 > 0
        np.dot(d2.T, z, out=g3)
        d2.sum(axis=0, out=gb3)
        dz = np.dot(d2, w3)
        both = np.concatenate([dz + scale * mean, half * (dz * noise * deviation + scale * (variance - ONE))], axis=1)
        np.dot(both.T, h1, out=g2)
        both.sum(axis=0, out=gb2)
        d1 = np.dot(both, w2)
        d1 *= h1 > 0
        np.dot(d1.T, x, out=g1)
        d1.sum(axis=0, out=gb1)
        parameters.adam(1e-3)
        return loss

    return Steps(step)


def triplet(a, p, n, margin=np.float32(0.2)):
    """Mean of max(0, |a - p|^2 - |a - n|^2 + margin), and its derivatives."""
    ap, an = a - p, a - n
    terms = np.einsum("ij,ij->i", ap, ap) - np.einsum("ij,ij->i", an, an) + margin
    factor = ((terms > 0) * np.float32(2 / len(a)))[:, None]
    return np.maximum(terms, 0).mean(), factor * (n - p), -factor * ap, factor * an


def e(data):
    x = data.uniform((192, 512), -1, 1)
    parameters = Parameters(*data.dense(512, 128))
    (w, b), (gw, gb) = parameters.values, parameters.gradients

    def step():
        y = np.dot(x, w.T)
        y += b
        np.tanh(y, out=y)
        loss, *derivatives = triplet(y[:64], y[64:128], y[128:])
        dz = np.concatenate(derivatives)
        dz *= ONE - y * y
        np.dot(dz.T, x, out=gw)
        dz.sum(axis=0, out=gb)
        parameters.sgd(1e-4)
        return loss

    return Steps(step)


def g(data):
    x, y = data.uniform((1000, 20), -1, 1), 2 * data.labels((1000,)) - 1
    w, rows, at, bias = np.zeros(20, np.float32), list(zip(x, y.tolist())), 0, 0.0
    shrink, weight = np.float32(1 - 0.01 * 2e-3), 1e-3

    def step():
        nonlocal at, bias
        row, label = rows[at]
        at = (at + 1) % 1000
        slack = 1 - label * (float(w.dot(row)) + bias)
        loss = weight * float(w.dot(w)) + max(0.0, slack)
        np.multiply(w, shrink, out=w)
        if slack > 0:
            np.add(w, row * np.float32(0.01 * label), out=w)
            bias += 0.01 * label
        return loss

    return Steps(step)


def h(data):
    x, y = data.uniform((1000,), -1, 1), data.uniform((1000,), -1, 1)
    w, b = (float(v.item()) for v in data.dense(1, 1))
    tau, rest = np.float32(0.9), np.float32(-0.1)

    def step():
        nonlocal w, b
        u = y - (x * np.float32(w) + np.float32(b))
        slope = np.where(u > 0, tau, rest)
        loss = float(slope.dot(u)) / 1000
        w += 0.01 * float(slope.dot(x)) / 1000
        b += 0.01 * float(slope.sum()) / 1000
        return loss

    return Steps(step)


def loss_alone(arrays, function):
    """A workload of function(*arrays of the data) -> loss, gradients..."""

    def make(data):
        inputs, kept = arrays(data), []

        def step():
            loss, *kept[:] = function(*inputs)
            return loss

        return Steps(step, lambda: kept)

    return make


SIZE = 1000000
SHARE = np.float32(1 / SIZE)


def numbers(data):
    return data.uniform((SIZE,), -2, 2), data.uniform((SIZE,), -2, 2)


def logits(data):
    return data.uniform((SIZE,), -4, 4), data.labels((SIZE,))


def mse(x, y):
    e = x - y
    return e.dot(e) / SIZE, e * np.float32(2 / SIZE)


def huber(x, y):
    e = x - y
    m = np.clip(e, -1, 1)
    return m.dot(e - np.float32(0.5) * m) / SIZE, m * SHARE


def bce(p, y):
    loss = -(y * np.log(p) + (ONE - y) * np.log1p(-p))
    return loss.mean(), (p - y) * SHARE / (p * (ONE - p))


def focal(z, y):
    """alpha 0.25, gamma 2: r is how wrong it is, s the label's sign."""
    s = ONE - 2 * y
    e = np.exp(-np.abs(z))
    crossentropy = np.log1p(e) + np.maximum(s * z, 0)
    r = np.where(s * z >= 0, ONE, e) / (ONE + e)
    factor = np.float32(0.75) - np.float32(0.5) * y
    loss = (factor * r * r * crossentropy).mean()
    return loss, SHARE * factor * s * r * r * (r + 2 * (ONE - r) * crossentropy)


def kl(x, p):
    return (np.sum(p * (np.log(np.maximum(p, np.float32(1e-37))) - x)) / len(x)), p * np.float32(-1 / len(x))


def cosine(a, b):
    aa, bb, ab = (np.einsum("ij,ij->i", u, v)[:, None] for u, v in ((a, a), (b, b), (a, b)))
    norm = ONE / np.sqrt(aa * bb)
    c, scale = ab * norm, np.float32(1 / len(a))
    return 1 - c.mean(), scale * (c / aa * a - norm * b), scale * (c / bb * b - norm * a)


def vectors(count):
    return lambda data: [data.uniform((7812, 128), -1, 1) for _ in range(count)]


serve("NumPy " + np.__version__, {
    "a": a, "b": b, "c": c, "d": d, "e": e, "g": g, "h": h,
    "i.mse": loss_alone(numbers, mse),
    "i.huber": loss_alone(numbers, huber),
    "i.bce": loss_alone(lambda data: (data.uniform((SIZE,), 0.05, 0.95), data.labels((SIZE,))), bce),
    "i.logits": loss_alone(logits, lambda z, y: bce_of_logits(z, y, SHARE)),
    "i.focal": loss_alone(logits, focal),
    "i.kl": loss_alone(lambda data: (data.uniform((1000, 1000), -9, -5), data.uniform((1000, 1000), 0, 0.002)), kl),
    "i.softmax": loss_alone(lambda data: (data.uniform((4096, 1000), -4, 4), data.indices((4096,), 1000)),
                            softmax_crossentropy),
    "i.triplet": loss_alone(vectors(3), triplet),
    "i.cosine": loss_alone(vectors(2), cosine),
})
