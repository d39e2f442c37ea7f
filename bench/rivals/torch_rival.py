"""The workloads in PyTorch: torch_rival.py foreach|fused|compiled THREADS.

Eager: functions on parameters, without modules' overhead, and torch.optim in its foreach or its fused form. Compiled: one
graph without breaks of forward, backward and update, the parameters changed in place."""
import sys

import numpy as np
import torch
import torch.nn.functional as F

from contestant import Steps, serve

VARIANT, THREADS = sys.argv[1], int(sys.argv[2])
torch.set_num_threads(THREADS)
torch.set_num_interop_threads(1)
COMPILED = VARIANT == "compiled"
if COMPILED:
    import torch._inductor.config as inductor

    inductor.cpp_wrapper = True  # the graph is called from C++, not Python
    compiled = torch.compile(fullgraph=True, dynamic=False)


def tensors(*arrays):
    return [torch.from_numpy(np.ascontiguousarray(a)) for a in arrays]


class Session(Steps):
    def result(self):
        self.loss = self.loss.detach()
        return super().result()


class CompiledSession(Session):
    """Autograd need not watch: the graph has the backward in it. Once compiled, nothing that is guarded changes; what was
    compiled for the workload before is forgotten, so that no call looks through it."""

    compiled = False

    def __init__(self, *arguments):
        super().__init__(*arguments)
        torch.compiler.reset()

    def run(self, steps):
        with torch.no_grad(), torch.compiler.set_stance(skip_guard_eval_unsafe=self.compiled):
            super().run(steps)
        self.compiled = True
        return steps


# ------------------------------------------------------------------------------------------------------ models


def sgd(rate):
    def update(parameters, gradients, state):
        for p, g in zip(parameters, gradients):
            p.sub_(rate * g)  # the compiler of 2.13 loses the alpha of add_ where it makes one addmm of both

    return update, lambda p: torch.optim.SGD(p, lr=rate, foreach=VARIANT == "foreach", fused=VARIANT == "fused")


def adam(rate):
    def update(parameters, gradients, state):
        t, m, v = state
        t += 1
        root = torch.sqrt(1 - 0.999**t)
        scale = -rate / (1 - 0.9**t)
        for p, g, m, v in zip(parameters, gradients, m, v):
            m.lerp_(g, 0.1)
            v.mul_(0.999).addcmul_(g, g, value=0.001)
            p.addcdiv_(m * scale, v.sqrt() / root + 1e-8)

    return update, lambda p: torch.optim.Adam(p, lr=rate, foreach=VARIANT == "foreach", fused=VARIANT == "fused")


def train(parameters, inputs, loss_of, optimizer):
    """A session of loss_of(parameters, *inputs()), backward and update."""
    update, make_optimizer = optimizer
    if COMPILED:
        moments = [[torch.zeros_like(p) for p in parameters] for _ in range(2)]
        state = torch.zeros((), dtype=torch.float64), *moments

        @compiled
        def whole(parameters, state, *batch):
            gradients, loss = torch.func.grad_and_value(loss_of)(parameters, *batch)
            update(parameters, gradients, state)
            return loss

        def step():
            return whole(parameters, state, *inputs())

        return CompiledSession(step)
    for p in parameters:
        p.requires_grad_()
    optimizer = make_optimizer(parameters)

    def step():
        optimizer.zero_grad()
        loss = loss_of(parameters, *inputs())
        loss.backward()
        optimizer.step()
        return loss

    return Session(step)


def bce(z, y):
    return F.binary_cross_entropy_with_logits(z, y)


def a(data):
    batch = tensors(data.uniform((800, 20), -1, 1), data.labels((800, 1)))
    return train(tensors(*data.dense(20, 1)), lambda: batch, lambda p, x, y: bce(F.linear(x, *p), y), sgd(0.1))


def b(data):
    batch = tensors(data.uniform((32, 20), -1, 1), data.labels((32, 1)))

    def loss_of(p, x, y):
        return bce(F.linear(torch.tanh(F.linear(x, p[0], p[1])), p[2], p[3]), y)

    return train(tensors(*data.dense(20, 64), *data.dense(64, 1)), lambda: batch, loss_of, adam(1e-3))


def c(data):
    batch = tensors(data.uniform((128, 784), 0, 1), data.indices((128,), 10).astype(np.int64))

    def loss_of(p, x, y):
        h = F.relu(F.linear(x, p[0], p[1]))
        h = F.relu(F.linear(h, p[2], p[3]))
        return F.cross_entropy(F.linear(h, p[4], p[5]), y)

    parameters = tensors(*data.dense(784, 512), *data.dense(512, 256), *data.dense(256, 10))
    return train(parameters, lambda: batch, loss_of, adam(1e-3))


def d(data):
    batch = tensors(data.uniform((128, 784), 0, 1), data.uniform((128, 20), -2, 2))

    def loss_of(p, x, noise):
        mean, log_var = F.linear(F.relu(F.linear(x, p[0], p[1])), p[2], p[3]).chunk(2, dim=1)
        z = mean + torch.exp(0.5 * log_var) * noise
        logits = F.linear(F.relu(F.linear(z, p[4], p[5])), p[6], p[7])
        kl = 0.5 * torch.sum(mean.square() + log_var.exp() - 1 - log_var)
        return (F.binary_cross_entropy_with_logits(logits, x, reduction="sum") + kl) / len(x)

    layers = data.dense(784, 400) + data.dense(400, 40) + data.dense(20, 400) + data.dense(400, 784)
    return train(tensors(*layers), lambda: batch, loss_of, adam(1e-3))


def triplet(anchor, positive, negative):
    return F.relu((anchor - positive).square().sum(1) - (anchor - negative).square().sum(1) + 0.2).mean()


def e(data):
    batch = tensors(data.uniform((192, 512), -1, 1))
    return train(tensors(*data.dense(512, 128)), lambda: batch,
                 lambda p, x: triplet(*torch.tanh(F.linear(x, *p)).chunk(3)), sgd(1e-4))


def g(data):
    x, y = tensors(data.uniform((1000, 20), -1, 1), 2 * data.labels((1000,)) - 1)
    rows, at = list(zip(x.unbind(), y.unbind())), -1

    def inputs():
        nonlocal at
        at = (at + 1) % 1000
        return rows[at]

    def loss_of(p, x, y):
        w, bias = p
        return 1e-3 * w.dot(w) + F.relu(1 - y * (x.dot(w) + bias))

    return train([torch.zeros(20), torch.zeros(())], inputs, loss_of, sgd(0.01))


def h(data):
    batch = tensors(data.uniform((1000, 1), -1, 1), data.uniform((1000, 1), -1, 1))

    def loss_of(p, x, y):
        u = y - F.linear(x, *p)
        return torch.maximum(0.9 * u, -0.1 * u).mean()

    return train(tensors(*data.dense(1, 1)), lambda: batch, loss_of, sgd(0.01))


# ------------------------------------------------------------------------------------------------------ losses


def alone(inputs_of, loss_of, leaves=1):
    """A workload of one loss; the first `leaves` of its inputs want gradients."""

    def make(data):
        inputs = tensors(*inputs_of(data))
        wanting, rest = inputs[:leaves], inputs[leaves:]
        if COMPILED:
            kept = []
            whole = compiled(torch.func.grad_and_value(lambda x: loss_of(*x, *rest)))

            def step():
                kept[:], loss = whole(wanting)
                return loss

            return CompiledSession(step, lambda: kept)
        for x in wanting:
            x.requires_grad_()

        def step():
            for x in wanting:
                x.grad = None
            loss = loss_of(*inputs)
            loss.backward()
            return loss

        return Session(step, lambda: [x.grad for x in wanting])

    return make


def ctc(samples, frames, classes, labels):
    def inputs(data):
        logits = data.uniform((samples, frames, classes), -2, 2)
        return logits.transpose(1, 0, 2), 1 + data.indices((samples, labels), classes - 1)

    lengths = torch.full((samples,), frames), torch.full((samples,), labels)

    def loss_of(logits, target):
        return F.ctc_loss(F.log_softmax(logits, 2), target, *lengths, reduction="sum") / samples

    return alone(inputs, loss_of)


def focal(z, y):
    """torchvision.ops.sigmoid_focal_loss with alpha 0.25, gamma 2."""
    p = torch.sigmoid(z)
    crossentropy = F.binary_cross_entropy_with_logits(z, y, reduction="none")
    right = p * y + (1 - p) * (1 - y)
    return ((0.25 * y + 0.75 * (1 - y)) * crossentropy * (1 - right) ** 2).mean()


SIZE = 1000000


def numbers(data):
    return data.uniform((SIZE,), -2, 2), data.uniform((SIZE,), -2, 2)


def logits(data):
    return data.uniform((SIZE,), -4, 4), data.labels((SIZE,))


def vectors(count):
    return lambda data: [data.uniform((7812, 128), -1, 1) for _ in range(count)]


LOSSES = {
    "f1": ctc(32, 150, 64, 20),
    "f2": ctc(64, 50, 28, 10),
    "i.mse": alone(numbers, F.mse_loss),
    "i.huber": alone(numbers, F.huber_loss),
    "i.bce": alone(lambda data: (data.uniform((SIZE,), 0.05, 0.95), data.labels((SIZE,))), F.binary_cross_entropy),
    "i.logits": alone(logits, bce),
    "i.focal": alone(logits, focal),
    "i.kl": alone(lambda data: (data.uniform((1000, 1000), -9, -5), data.uniform((1000, 1000), 0, 0.002)),
                  lambda x, p: F.kl_div(x, p, reduction="batchmean")),
    "i.softmax": alone(lambda data: (data.uniform((4096, 1000), -4, 4), data.indices((4096,), 1000).astype(np.int64)),
                       F.cross_entropy),
    "i.triplet": alone(vectors(3), triplet, leaves=3),
    "i.cosine": alone(vectors(2), lambda a, b: (1 - F.cosine_similarity(a, b)).mean(), leaves=2),
}
MODELS = {"a": a, "b": b, "c": c, "d": d, "e": e, "g": g, "h": h}
if VARIANT == "fused":  # losses alone have no optimizer to fuse
    LOSSES = {}
if COMPILED:  # ctc_loss cannot be in a graph without breaks
    del LOSSES["f1"], LOSSES["f2"]
serve(f"PyTorch {torch.__version__} {VARIANT}", MODELS | LOSSES)
