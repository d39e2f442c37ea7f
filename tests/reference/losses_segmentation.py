"""Values and gradients of the segmentation losses.

    KERAS_BACKEND=torch python tests/reference/losses_segmentation.py > tests/reference/losses_segmentation.h

Made with PyTorch 2.13.0, float64: the formulas, differentiated by autograd. Where Keras 3.15.1 has the loss (no smooth, no
square, its own eps of 1e-7) each value is compared here with its; its Tversky weighs misses with alpha, so alpha and beta
are exchanged."""
import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import torch

from loss_cases import T, begin, case, end, grid, normal, uniform

keras.config.set_floatx("float64")
torch.manual_seed(59)
begin("segmentation", f"""
    PyTorch {torch.__version__.split("+")[0]}, float64; formulas compared with Keras {keras.__version__}.""")


def unit(loss, scope, logits=None, axis=-1, eps=1e-7, keras_loss=None, **settings):
    """logits: None, "sigmoid" or "softmax"."""
    def of(pred, target):
        p = pred if logits is None else torch.sigmoid(pred) if logits == "sigmoid" else torch.softmax(pred, axis)
        kept = {"batch": [], "sample": [0], "channel": [0, axis % pred.dim()]}[scope]
        summed = [i for i in range(pred.dim()) if i not in kept]

        def total(x):
            return x.sum(summed) if summed else x
        value = loss(total, p, target, eps, **settings)
        if keras_loss is not None:
            theirs = keras_loss(target, p, axis=summed or None)
            if summed:     # Keras averages what is left
                assert torch.allclose(value.mean(), theirs.to(T).mean(), rtol=1e-6), (value, theirs)
        return value
    return of


def dice(total, p, t, eps, smooth=0.0, square=False):
    i = total(p * t)
    d = total(p * p) + total(t * t) if square else total(p) + total(t)
    return 1 - (2 * i + smooth) / (d + smooth + eps)


def tversky(total, p, t, eps, alpha=0.5, beta=0.5, smooth=0.0):
    hit, alarm, miss = total(p * t), total((1 - t) * p), total(t * (1 - p))
    return 1 - (hit + smooth) / (hit + alpha * alarm + beta * miss + smooth + eps)


def keras_tversky(alpha=0.5, beta=0.5):
    return lambda t, p, axis: keras.losses.tversky(t, p, alpha=beta, beta=alpha, axis=axis)


def masks(*shape):
    return (torch.rand(*shape, dtype=T) < 0.4).to(T)


W4 = torch.tensor([1.5, 0, 2, 0.25], dtype=T)
W43 = torch.tensor([[1, 0.5, 0], [2, 4, 1], [0.25, 0.5, 1], [3, 1, 2]], dtype=T)

LOSSES = (
    ("dice", dice, keras.losses.dice, {}, ""),
    ("dice", dice, None, {"smooth": 1.5}, "smooth=1.5"),
    ("dice", dice, None, {"square": True, "smooth": 0.25}, "square=true,smooth=0.25"),
    ("tversky", tversky, keras_tversky(), {}, ""),
    ("tversky", tversky, keras_tversky(0.25, 0.75), {"alpha": 0.25, "beta": 0.75}, "alpha=0.25,beta=0.75"),
    ("tversky", tversky, None, {"alpha": 2.0, "beta": 0.0, "smooth": 0.5}, "alpha=2,beta=0,smooth=0.5"),
)

for name, loss, keras_loss, settings, params in LOSSES:
    def both(more):
        return ",".join(filter(None, (params, more)))
    common = dict(keras_loss=keras_loss, **settings)
    case(name, "one scalar of all", unit(loss, "batch", **common), [uniform(3, 4), masks(3, 4)], (1,), params)
    case(name, "soft targets", unit(loss, "batch", **common), [uniform(7), uniform(7)], (1,), params)
    case(name, "samples", unit(loss, "sample", **common), [uniform(4, 2, 3), masks(4, 2, 3)], (1,), both("scope=sample"),
         sample_weight=W4)
    case(name, "channels, last", unit(loss, "channel", **common), [uniform(4, 5, 3), masks(4, 5, 3)], (1,),
         both("scope=channel"), sample_weight=W43)
    case(name, "channels, axis 1", unit(loss, "channel", axis=1, **common), [uniform(4, 3, 2, 2), masks(4, 3, 2, 2)], (1,),
         both("scope=channel"), axis=1, sample_weight=W43)
    case(name, "channels without pixels", unit(loss, "channel", **common), [uniform(4, 3), masks(4, 3)], (1,),
         both("scope=channel"))
    case(name, "logits", unit(loss, "batch", logits="sigmoid", **common), [normal(3, 5), masks(3, 5)], (1,),
         both("from_logits=true"))
    case(name, "logits by sample", unit(loss, "sample", logits="sigmoid", **common), [normal(4, 5), masks(4, 5)], (1,),
         both("from_logits=true,scope=sample"), sample_weight=W4)
    for scope in ("batch", "sample", "channel"):
        more = both(f"from_logits=true,activation=softmax,scope={scope}")
        case(name, "softmax, last axis", unit(loss, scope, logits="softmax", **common), [normal(2, 5, 3), masks(2, 5, 3)],
             (1,), more)
        case(name, "softmax, axis 1", unit(loss, scope, logits="softmax", axis=1, **common),
             [normal(2, 3, 2, 4), masks(2, 3, 2, 4)], (1,), more, axis=1)
    case(name, "eps", unit(loss, "sample", eps=0.25, **settings), [uniform(4, 5), masks(4, 5)], (1,), both("scope=sample,eps=0.25"))

case("dice", "more places than a tile", unit(dice, "sample", logits="softmax", axis=1), [normal(2, 3, 9, 9), masks(2, 3, 9, 9)], (1,),
     "from_logits=true,activation=softmax,scope=sample", axis=1)
case("tversky", "more rows than a tile", unit(tversky, "channel", logits="softmax"), [normal(2, 70, 3), masks(2, 70, 3)], (1,),
     "from_logits=true,activation=softmax,scope=channel")
end()
