"""What the rivals share: the data of bench/workloads.c, and the lines that bench/compare.c speaks (see bench/worker.c)."""
import sys
import time

import numpy as np


class Data:
    """The arrays of a workload, in the order in which both sides draw them: SplitMix64's finalizer of a counter."""

    def __init__(self, name):
        self.hash, self.array = 2166136261, 0
        for letter in name.encode():
            self.hash = (self.hash ^ letter) * 16777619 % 2**32

    def drawn(self, shape):
        z = np.arange(np.prod(shape), dtype=np.uint64) + np.uint64((self.hash << 32) + (self.array << 26))
        self.array += 1
        z *= np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return ((z ^ (z >> np.uint64(31))) >> np.uint64(40)).reshape(shape) / 16777216.0

    def uniform(self, shape, low, high):
        return (low + (high - low) * self.drawn(shape)).astype(np.float32)

    def indices(self, shape, below):
        return (self.drawn(shape) * below).astype(np.int32)

    def labels(self, shape):
        return (self.uniform(shape, 0, 1) < 0.5).astype(np.float32)

    def dense(self, inputs, outputs):
        bound = 1 / inputs**0.5
        return [self.uniform((outputs, inputs), -bound, bound), self.uniform((outputs,), -bound, bound)]


class Steps:
    """A session of calls of step(), which returns the loss. `leaves` gives the gradients whose length is compared."""

    def __init__(self, step, leaves=lambda: []):
        self.step, self.leaves, self.loss = step, leaves, None

    def run(self, steps):
        step = self.step
        for _ in range(steps):
            self.loss = step()
        return steps

    def result(self):
        squares = sum(float(np.sum(np.square(np.asarray(g, dtype=np.float64)))) for g in self.leaves())
        return float(self.loss), squares**0.5


def serve(about, workloads):
    """`workloads` maps names to functions from Data to a session. Arguments: [WORKLOAD STEPS], or lines on stdin."""
    if len(sys.argv) > 2 and sys.argv[-2] in workloads:
        session = workloads[sys.argv[-2]](Data(sys.argv[-2]))
        session.run(int(sys.argv[-1]))
        print(session.result())
        return
    sessions = {}
    for line in sys.stdin:
        command, name, *steps = line.split()
        try:
            if command == "about":
                print(about, flush=True)
            elif name not in workloads:
                print("none", flush=True)
            elif command == "drop":
                sessions.pop(name, None)
                print("0", flush=True)
            else:
                if name not in sessions:
                    sessions[name] = workloads[name](Data(name))
                processor, wall = time.process_time(), time.perf_counter()
                made = sessions[name].run(int(steps[0]))
                wall, processor = time.perf_counter() - wall, time.process_time() - processor
                print(made, wall, processor, *sessions[name].result(), flush=True)
        except Exception as error:
            print("error:", type(error).__name__, str(error).partition("\n")[0], flush=True)
