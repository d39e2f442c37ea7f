"""Writes cases of tests/loss_reference.h: what the scripts of the loss families share. Needs PyTorch."""
import torch

import c_header as c

T = torch.float64


def grid(x):
    """Rounded to values that float holds exactly."""
    return (x * 1024).round() / 1024


def normal(*shape, spread=2.0):
    return grid(torch.randn(shape, dtype=T) * spread)


def uniform(*shape, low=0.0, high=1.0):
    return grid(torch.rand(shape, dtype=T) * (high - low) + low)


def tensor(x):
    if x is None:
        return "{ 0, { 0 }, NULL }"
    return f"{{ {c.dims(x.shape)}, {c.reals(x)} }}"


def case(loss, what, unit, inputs, constants=(), params="", axis=0, sample_weight=None, element_mean=False,
         class_weight=None, ignore=None, parts=None):
    """unit(*inputs) gives the loss of each unit; `constants` are the places of inputs without a gradient. Sample weights
    multiply the loss; weighted_mean divides by the sum of them. `parts` are what the units count in the divisors of the
    means (None: 1 each)."""
    leaves = [x.clone().requires_grad_(i not in constants and x.is_floating_point()) for i, x in enumerate(inputs)]
    values = unit(*leaves)
    weight = torch.ones_like(values) if sample_weight is None else sample_weight.expand_as(values)
    weighted = torch.where(weight == 0, torch.zeros_like(values), weight * values)
    total = weighted.sum()
    upstream = grid(torch.rand(values.shape, dtype=T) + 0.5)
    nan = torch.tensor(float("nan"), dtype=T)
    parts = torch.ones_like(values) if parts is None else parts
    reduced = [nan, total / parts.sum(), total, total / (weight * parts).sum(),
               total / inputs[0].numel() if element_mean else nan]
    targets = [(weighted * upstream).sum()] + reduced[1:4] + [reduced[4] if element_mean else None]

    def gradients(scalar):
        wanted = [x for x in leaves if x.requires_grad]
        found = iter(torch.autograd.grad(scalar, wanted, retain_graph=True)) if scalar is not None else None
        arrays = [c.reals(next(found)) if found and x.requires_grad else "NULL" for x in leaves]
        return "{ " + ", ".join(arrays) + " }"

    padding = ["{ 0, { 0 }, NULL }"] * (4 - len(inputs))
    print(c.row(
        ("{ " if over_classes else "") + c.text(loss), c.text(what), c.text(params), str(axis), str(len(inputs)),
        "{ " + ", ".join([tensor(x) for x in inputs] + padding) + " }",
        tensor(sample_weight), tensor(weighted), tensor(upstream),
        "{ " + ", ".join(map(c.real, reduced)) + " }",
        "{ " + ", ".join(map(gradients, targets)) + (" } }" if over_classes else " }"),
        *([tensor(class_weight), str(ignore is not None).lower(), str(ignore or 0)] if over_classes else [])))


over_classes = False


def begin(family, about, classes=False):
    """With `classes` the cases have class weights and an ignored label too (class_loss_reference)."""
    global over_classes
    over_classes = classes
    c.begin("losses_" + family, about)
    print('#include "loss_reference.h"\n')
    print(f"static const {'class_' if classes else ''}loss_reference {family}_references[] = {{")


def end():
    print("};\n")
    c.end()
