"""Values and gradients of the regression losses.

    KERAS_BACKEND=torch python tests/reference/losses_regression.py > tests/reference/losses_regression.h

Made with PyTorch 2.13.0, float64. What PyTorch does not have is written as the formula and differentiated by autograd; its
values are compared here with those of Keras 3.15.1 (which computes some of them in float32, hence only to 1e-5) or, for quantiles,
of scikit-learn."""
import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import sklearn
import torch
import torch.nn.functional as F
from sklearn.metrics import mean_pinball_loss

from loss_cases import T, begin, case, end, grid, normal, uniform

keras.config.set_floatx("float64")
torch.manual_seed(31)
begin("regression", f"""
    PyTorch {torch.__version__.split("+")[0]}, float64; formulas compared with Keras {keras.__version__} and scikit-learn {sklearn.__version__}.""")

SHAPES = ((7,), (4, 3), (2, 3, 2))
W43 = torch.tensor([[1.5], [0], [2], [0.25]], dtype=T)          # per row
W7 = torch.tensor([1, 0.5, 0, 2, 4, 1, 0.125], dtype=T)


def elements(formula, keras_loss):
    """Keras averages the last axis: here one of length 1."""
    def unit(pred, target):
        loss = formula(pred, target)
        theirs = keras_loss(target[..., None], pred[..., None])
        assert torch.allclose(loss, theirs.to(T), rtol=1e-5, atol=1e-6), keras_loss
        return loss
    return unit


def log_cosh(x, y):
    return torch.log(torch.cosh(x - y))


def percentage(eps=1e-7):
    return lambda x, y: 100 * (x - y).abs() / y.abs().clamp(min=eps)


def logarithmic(eps=1e-7):
    return lambda x, y: (torch.log1p(x.clamp(min=eps)) - torch.log1p(y.clamp(min=eps))) ** 2


def elementwise(loss, unit, params="", constants=(), make=normal, what="random"):
    for shape in SHAPES:
        case(loss, what, unit, [make(*shape), make(*shape)], constants, params)
    case(loss, "sample weights", unit, [make(7), make(7)], constants, params, sample_weight=W7)
    case(loss, "weights per row", unit, [make(4, 3), make(4, 3)], constants, params, sample_weight=W43)


def other_param(loss, unit, params):
    case(loss, "random", unit, [normal(4, 3), normal(4, 3)], params=params, sample_weight=W43)


elementwise("mean_squared_error", lambda x, y: F.mse_loss(x, y, reduction="none"))
other_param("mse", lambda x, y: F.mse_loss(x, y, reduction="none") / 2, "half=true")
elementwise("mean_absolute_error", lambda x, y: F.l1_loss(x, y, reduction="none"))
elementwise("huber", lambda x, y: F.huber_loss(x, y, reduction="none"))
for delta in (0.3, 2.5):
    other_param("huber", lambda x, y: F.huber_loss(x, y, reduction="none", delta=delta), f"delta={delta}")
elementwise("smooth_l1", lambda x, y: F.smooth_l1_loss(x, y, reduction="none"))
for beta in (0.25, 3.0, 0.0):
    other_param("smooth_l1", lambda x, y: F.smooth_l1_loss(x, y, reduction="none", beta=beta), f"beta={beta}")
elementwise("log_cosh", elements(log_cosh, keras.losses.log_cosh))
elementwise("mean_absolute_percentage_error", elements(percentage(), keras.losses.mean_absolute_percentage_error), constants=(1,))
elementwise("mean_squared_logarithmic_error", elements(logarithmic(), keras.losses.mean_squared_logarithmic_error), constants=(1,),
            make=lambda *shape: uniform(*shape, low=0.1, high=50), what="positive")
elementwise("mean_squared_logarithmic_error", elements(logarithmic(), keras.losses.mean_squared_logarithmic_error), constants=(1,),
            what="negative values are clamped")

case("mape", "eps", percentage(0.5), [normal(8), normal(8, spread=0.5)], (1,), "eps=0.5")
case("msle", "eps", logarithmic(0.75), [normal(8), normal(8)], (1,), "eps=0.75")


# ---- quantile -----------------------------------------------------------------------------------------------------

def quantile(tau):
    def unit(x, y):
        u = y - x
        loss = torch.maximum(tau * u, (tau - 1) * u)
        theirs = mean_pinball_loss(y.detach().flatten(), x.detach().flatten(), alpha=tau)
        assert abs(loss.mean().item() - theirs) < 1e-12
        return loss
    return unit


def quantiles(penalty):
    """Target [N...] or [N..., 1], prediction [N..., Q]."""
    def unit(x, y, tau):
        u = y.reshape(x.shape[:-1])[..., None] - x
        loss = torch.maximum(tau * u, (tau - 1) * u)
        gap = torch.relu(x[..., :-1] - x[..., 1:])
        return loss + penalty * torch.cat([gap, torch.zeros_like(x[..., :1])], -1)
    return unit


elementwise("quantile", quantile(0.5))
for tau in (0.9, 0.125):
    other_param("quantile", quantile(tau), f"tau={tau}")
taus = torch.tensor([0.125, 0.5, 0.875], dtype=T)
for penalty in (0.0, 0.75):
    params = f"crossing_penalty={penalty}"
    case("quantile", "three quantiles", quantiles(penalty), [normal(5, 3), normal(5), taus], (2,), params)
    case("pinball", "three quantiles of a column", quantiles(penalty), [normal(5, 3), normal(5, 1), taus], (2,), params)
    case("quantile", "three quantiles of a matrix", quantiles(penalty), [normal(2, 2, 3), normal(2, 2), taus], (2,), params)
    case("quantile", "three quantiles, weights per row", quantiles(penalty), [normal(4, 3), normal(4), taus], (2,), params,
         sample_weight=W43)
    case("quantile", "one of several", quantiles(penalty), [normal(5, 1), normal(5), taus[:1]], (2,), params)
case("quantile", "descending quantiles, no penalty", quantiles(0.0), [normal(5, 3), normal(5), taus.flip(0)], (2,))


# ---- cosine_similarity --------------------------------------------------------------------------------------------

def cosine(x, y):
    loss = -F.cosine_similarity(x, y, dim=-1)
    assert torch.allclose(loss, keras.losses.cosine_similarity(y, x).to(T), rtol=1e-5, atol=1e-6)
    return loss


def torch_cosine(dim, offset=0.0):
    return lambda x, y: offset - F.cosine_similarity(x, y, dim=dim)


for shape in ((6, 4), (5,), (2, 3, 5), (4, 1)):
    case("cosine_similarity", "random", cosine, [normal(*shape), normal(*shape)])
case("cosine_similarity", "sample weights", cosine, [normal(4, 3), normal(4, 3)], sample_weight=W43[:, 0])
case("cosine_similarity", "axis 1", torch_cosine(1), [normal(2, 4, 3), normal(2, 4, 3)], axis=1)
case("cosine_similarity", "axis 1 of images", torch_cosine(1), [normal(2, 3, 2, 2), normal(2, 3, 2, 2)], axis=1,
     sample_weight=uniform(2, 2, 2, low=0.5, high=2))
case("cosine_distance", "offset by the alias", torch_cosine(-1, 1.0), [normal(5, 3), normal(5, 3)])
case("cosine_proximity", "offset", torch_cosine(-1, 0.25), [normal(5, 3), normal(5, 3)], params="offset=0.25")
direction = normal(1, 6)
case("cosine_similarity", "nearly parallel", torch_cosine(-1), [grid(direction * 2 + normal(3, 6, spread=0.01)),
                                                              direction.expand(3, 6)])
end()
