"""Values and gradients of the probabilistic losses.

    KERAS_BACKEND=torch python tests/reference/losses_probabilistic.py > tests/reference/losses_probabilistic.h

Made with PyTorch 2.13.0, float64; Keras's form of the Poisson loss and the clipped Kullback-Leibler divergence are written
as formulas, differentiated by autograd, and compared here with Keras 3.15.1 (which computes some in float32, hence only
to 1e-5)."""
import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import torch
import torch.nn.functional as F

from loss_cases import T, begin, case, end, grid, normal, uniform

torch.manual_seed(43)
begin("probabilistic", f"""
    PyTorch {torch.__version__.split("+")[0]}, float64; formulas compared with Keras {keras.__version__}.""")

W3 = torch.tensor([2, 0, 0.25], dtype=T)
W43 = torch.tensor([[1.5], [0], [2], [0.25]], dtype=T)          # per row


def same(ours, theirs):
    assert torch.allclose(ours, theirs.to(T), rtol=1e-5, atol=1e-6)
    return ours


# ---- poisson -----------------------------------------------------------------------------------------------------

def counts(*shape):
    return torch.poisson(torch.full(shape, 2.0, dtype=T))


def rates(*shape):
    return uniform(*shape, low=0.125, high=6)


def keras_poisson(x, y):
    return same(x - y * torch.log(x + 1e-7), keras.losses.poisson(y[..., None], x[..., None]))


def torch_poisson(log_input, full=False, eps=1e-8):
    return lambda x, y: F.poisson_nll_loss(x, y, log_input=log_input, full=full, eps=eps, reduction="none")


for shape in ((7,), (4, 3), (2, 3, 2)):
    case("poisson", "rates", keras_poisson, [rates(*shape), counts(*shape)], (1,))
    case("poisson_nll", "logarithms of rates", torch_poisson(True), [normal(*shape, spread=1), counts(*shape)], (1,))
case("poisson", "sample weights", keras_poisson, [rates(4, 3), counts(4, 3)], (1,), sample_weight=W43)
case("poisson", "no whole numbers", keras_poisson, [rates(6), uniform(6, high=4)], (1,))
case("poisson", "rates, full", torch_poisson(False, True, 1e-7), [rates(4, 3), counts(4, 3)], (1,), "full=true")
case("poisson", "rates, eps", torch_poisson(False, False, 0.5), [rates(4, 3), counts(4, 3)], (1,), "eps=0.5")
case("poisson", "large counts, full", torch_poisson(False, True, 1e-7),
     [torch.tensor([1001, 999, 1e5, 30, 2000, 3], dtype=T), torch.tensor([1000, 1000, 1e5 + 8, 2000, 30, 1.5], dtype=T)],
     (1,), "full=true")
case("poisson_nll", "full", torch_poisson(True, True), [normal(4, 3, spread=1), counts(4, 3)], (1,), "full=true",
     sample_weight=W43)
case("poisson_nll", "large counts, full", torch_poisson(True, True),
     [torch.tensor([6.90625, 6.9140625, 11.5, 3.5, 7.5, 0.5], dtype=T),
      torch.tensor([1000, 1000, 1e5, 2000, 30, 1.5], dtype=T)], (1,), "full=true")


# ---- gaussian_nll ------------------------------------------------------------------------------------------------

def gaussian(full=False, eps=1e-6):
    def unit(mean, target, var):
        spread = var if var.shape == mean.shape or var.numel() == 1 else var.reshape(mean.shape[:-1] + (1,))
        return F.gaussian_nll_loss(mean, target, spread.expand(mean.shape), full=full, eps=eps, reduction="none")
    return unit


def gaussian_of_log(full=False):
    def unit(mean, target, log_var):
        spread = log_var if log_var.shape == mean.shape or log_var.numel() == 1 else log_var.reshape(mean.shape[:-1] + (1,))
        return gaussian(full, 0.0)(mean, target, torch.exp(spread.expand(mean.shape)))
    return unit


SHAPES = (((6,), (6,)), ((4, 3), (4, 3)), ((4, 3), (4,)), ((4, 3), (4, 1)), ((4, 3), (1,)), ((2, 2, 3), (2, 2, 1)))
for shape, of_var in SHAPES:
    var = uniform(*of_var, low=0.25, high=3)
    case("gaussian_nll", "variance", gaussian(), [normal(*shape), normal(*shape), var])
    case("gaussian_nll", "logarithm of the variance", gaussian_of_log(), [normal(*shape), normal(*shape), torch.log(var)],
         params="log_var=true")
for of_var in ((4, 3), (4,), (1,)):
    var = uniform(*of_var, low=0.25, high=3)
    case("gaussian_nll", "full, sample weights", gaussian(True), [normal(4, 3), normal(4, 3), var], params="full=true",
         sample_weight=W43)
    case("gaussian_nll", "full, logarithm", gaussian_of_log(True), [normal(4, 3), normal(4, 3), grid(torch.log(var))],
         params="full=true,log_var=true", sample_weight=W43)
case("gaussian_nll", "clamped", gaussian(eps=0.5), [normal(6), normal(6), uniform(6)], params="eps=0.5")
case("gaussian_nll", "variance 0", gaussian(), [normal(4, spread=0.01), normal(4, spread=0.01), torch.zeros(4, dtype=T)])


# ---- kl_divergence -----------------------------------------------------------------------------------------------

def positive(*shape):
    """Rows that nearly add up to 1, away from the clips."""
    x = uniform(*shape, low=0.05, high=1)
    return grid(x / x.sum(-1, keepdim=True)).clamp(min=1 / 1024)


def kl_clipped(eps=1e-7):
    def unit(q, p):
        p, q = p.clamp(eps, 1), q.clamp(eps, 1)
        loss = (p * torch.log(p / q)).sum(-1)
        return same(loss, keras.losses.kl_divergence(p, q)) if eps == 1e-7 else loss
    return unit


def kl(log_target=False, logits=False, dim=-1):
    def unit(x, y):
        x = F.log_softmax(x, dim) if logits else x
        # xlogy and not F.kl_div where the target wants a gradient: the latter's has none at 0
        terms = F.kl_div(x, y, reduction="none", log_target=log_target)
        return terms.sum(dim)
    return unit


for shape in ((5, 4), (3,), (2, 3, 4)):
    weight = uniform(*shape[:-1], low=0.5, high=2) if len(shape) > 1 else None
    for w in (None, weight) if weight is not None else (None,):
        keep = dict(sample_weight=w, element_mean=True)
        case("kl_divergence", "probabilities", kl_clipped(), [positive(*shape), positive(*shape)], **keep)
        case("kl_div", "log probabilities", kl(), [torch.log(positive(*shape)), positive(*shape)], **keep)
        case("kl_divergence", "logits", kl(logits=True), [normal(*shape), positive(*shape)], params="pred=logits", **keep)
case("kl_div", "log target", kl(True), [grid(torch.log(positive(5, 4))), grid(torch.log(positive(5, 4)))],
     params="log_target=true", element_mean=True)
case("kld", "logits, log target", kl(True, True), [normal(5, 4), grid(torch.log(positive(5, 4)))],
     params="pred=logits,log_target=true", element_mean=True)
case("kl_divergence", "targets that do not add up to 1", kl(logits=True), [normal(4, 3), uniform(4, 3, low=0.1, high=3)],
     params="pred=logits")
case("kl_divergence", "clipped", kl_clipped(0.125), [positive(4, 5), positive(4, 5)], params="eps=0.125")
case("kl_divergence", "0 and 1, clipped", kl_clipped(), [torch.tensor([[0, 1, 0], [0.5, 0.5, 0], [1, 0, 0]], dtype=T),
                                                        torch.tensor([[1, 0, 0], [0.25, 0, 0.75], [1, 0, 0]], dtype=T)])
case("kl_div", "axis 1", kl(dim=1), [grid(torch.log(positive(2, 3, 4))), positive(2, 3, 4)], axis=1, element_mean=True)
case("kl_divergence", "logits, axis 1 of images", kl(logits=True, dim=1), [normal(2, 3, 2, 2), positive(2, 3, 2, 2)],
     params="pred=logits", axis=1, sample_weight=uniform(2, 2, 2, low=0.5, high=2))
case("kl_divergence", "large logits", kl(logits=True), [torch.tensor([[1e4, -1e4, 0], [300, 299, -300]], dtype=T),
                                                        positive(2, 3)], params="pred=logits")


# ---- knowledge_distillation --------------------------------------------------------------------------------------

def distilled(temperature, dim=-1):
    def unit(student, teacher):
        terms = F.kl_div(F.log_softmax(student / temperature, dim), F.softmax(teacher / temperature, dim),
                         reduction="none")
        return temperature ** 2 * terms.sum(dim)
    return unit


def keras_distilled(student, teacher):
    ours = distilled(3.0)(student, teacher)
    theirs = keras.distillation.LogitsDistillation(loss=keras.losses.KLDivergence(), temperature=3.0).compute_loss(teacher, student)
    same(ours.mean(), theirs)
    return ours


KD = "knowledge_distillation"
for shape in ((5, 4), (3, 2), (2, 3, 4)):
    case(KD, "temperature 3", keras_distilled if len(shape) == 2 else distilled(3.0), [normal(*shape), normal(*shape)], (1,))
for temperature in (1.0, 0.5, 8.0):
    case(KD, "random", distilled(temperature), [normal(5, 4), normal(5, 4)], (1,), f"temperature={temperature}")
case(KD, "sample weights", distilled(2.0), [normal(3, 4), normal(3, 4)], (1,), "temperature=2", sample_weight=W3)
case(KD, "axis 1", distilled(3.0, 1), [normal(2, 3, 4), normal(2, 3, 4)], (1,), axis=1)
case(KD, "large logits", distilled(3.0), [torch.tensor([[1e4, -1e4, 0], [300, 299, -300]], dtype=T),
                                           torch.tensor([[9999, -1e4, 3], [299, 300, 3]], dtype=T)], (1,))
end()
