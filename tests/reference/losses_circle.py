"""Values and gradients of the circle loss.

    KERAS_BACKEND=torch python tests/reference/losses_circle.py > tests/reference/losses_circle.h

Made with PyTorch 2.13.0, float64: the formula, differentiated by autograd, and compared here with Keras 3.15.1. (Keras masks the
rows without a pair by their loss, and computes in float32; its d_ii is 1 - e.e, which is 0 but for rounding, where the formula has 0.)"""
import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import torch
import torch.nn.functional as F

from loss_cases import T, begin, case, end

keras.config.set_floatx("float64")
torch.manual_seed(53)
begin("circle", f"""
    PyTorch {torch.__version__.split("+")[0]}, float64; the formula compared with Keras {keras.__version__}.""")


def rows(n, width):
    """Rows of length 1, to 2^-16: exact in float."""
    return (F.normalize(torch.randn((n, width), dtype=T), dim=1) * 65536).round() / 65536


def near(n, width, classes):
    """Rows around one direction per class."""
    labels = torch.arange(n) % classes
    directions = torch.randn((classes, width), dtype=T)
    x = directions[labels] + 0.6 * torch.randn((n, width), dtype=T)
    return (F.normalize(x, dim=1) * 65536).round() / 65536, labels.to(T)


def masks(y, ref_y, remove_diagonal):
    same = y[:, None] == ref_y[None, :]
    diagonal = torch.eye(*same.shape, dtype=torch.bool)
    return same & ~diagonal if remove_diagonal else same, ~same


def counted(y, ref_y=None, remove_diagonal=True):
    positive, negative = masks(y, y if ref_y is None else ref_y, remove_diagonal)
    return (positive.any(1) & negative.any(1)).to(T)


def circle(gamma=80.0, margin=0.4, remove_diagonal=True, detach_weights=False):
    def unit(e, y, ref=None, ref_y=None):
        own = ref is None
        r, ry = (e, y) if own else (ref, ref_y)
        d = torch.relu(1 - e @ r.T)
        if own:
            d = d * (1 - torch.eye(len(e), dtype=T))
        by_positive, by_negative = margin + d, torch.relu(1 + margin - d)
        if detach_weights:
            by_positive, by_negative = by_positive.detach(), by_negative.detach()
        rising, falling = -gamma * by_positive * (margin - d), gamma * by_negative * (1 - margin - d)
        positive, negative = masks(y, ry, remove_diagonal)
        losses = []
        for i in range(len(e)):
            if not (positive[i].any() and negative[i].any()):
                losses.append(torch.zeros((), dtype=T))
                continue
            losses.append(F.softplus(rising[i][positive[i]].logsumexp(0) + falling[i][negative[i]].logsumexp(0), threshold=1e9))
        losses = torch.stack(losses)
        theirs = keras.losses.circle(y.detach(), e.detach(), None if own else ry.detach(), None if own else r.detach(),
                                     remove_diagonal=remove_diagonal, gamma=gamma, margin=margin)
        assert torch.allclose(losses.detach(), theirs.to(T), rtol=1e-3 if own and not remove_diagonal else 1e-4, atol=1e-5)
        return losses
    return unit


def random_labels(n, classes=3):
    return torch.randint(classes, (n,)).to(T)


WEIGHT = torch.tensor([1.5, 0, 2, 0.25, 1, 3], dtype=T)
for params in ({}, {"gamma": 4.0, "margin": 0.25}, {"gamma": 2.5, "remove_diagonal": False}, {"gamma": 12.0, "detach_weights": True}):
    text = ",".join(f"{k}={str(v).lower()}" for k, v in params.items())
    diagonal = params.get("remove_diagonal", True)
    unit = circle(**params)
    for n, width in ((8, 4), (6, 16)):
        e, y = near(n, width, 3)
        case("circle", "classes apart", unit, [e, y], (1,), text, parts=counted(y, remove_diagonal=diagonal))
    e, y = rows(7, 3), random_labels(7)
    case("circle", "random", unit, [e, y], (1,), text, parts=counted(y, remove_diagonal=diagonal))
    for n, m in ((5, 7), (7, 5)):
        y, ry = random_labels(n), random_labels(m)
        case("circle", "references", unit, [rows(n, 4), y, rows(m, 4), ry], (1, 3), text, parts=counted(y, ry, diagonal))
    y = torch.tensor([0, 0, 1, 1, 7, 0], dtype=T)
    case("circle", "a row without a positive", unit, [rows(6, 4), y], (1,), text, sample_weight=WEIGHT,
         parts=counted(y, remove_diagonal=diagonal))
end()
