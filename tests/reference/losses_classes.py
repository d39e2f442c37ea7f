"""Values and gradients of the losses over classes and of margins, but for those of losses_core.py.

    KERAS_BACKEND=torch python tests/reference/losses_classes.py > tests/reference/losses_classes.h

Made with PyTorch 2.13.0, float64. What PyTorch does not have is written as the formula and differentiated by autograd; its
values are compared here with those of Keras 3.15.1 (which computes some of them in float32, hence only to 1e-5)."""
import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import torch
import torch.nn.functional as F

from loss_cases import T, begin, case, end, grid, normal, uniform

keras.config.set_floatx("float64")
torch.manual_seed(41)
begin("classes", f"""
    PyTorch {torch.__version__.split("+")[0]}, float64; formulas compared with Keras {keras.__version__}.""", classes=True)

W5 = torch.tensor([1, 0.5, 0, 2, 0.125], dtype=T)
CW = torch.tensor([0.5, 2, 1, 0.25], dtype=T)


def same(ours, theirs, what):
    assert torch.allclose(ours, torch.as_tensor(theirs).to(T), rtol=1e-5, atol=1e-6), what
    return ours


def onehot(labels, classes=4):
    return F.one_hot(labels, classes).to(T)


def labels(*shape, classes=4):
    return torch.randint(0, classes, shape)


def simplex(*shape):
    p = uniform(*shape, low=0.05, high=1.0)
    return grid(p / p.sum(-1, keepdim=True))


def smooth(y, amount):
    return y * (1 - amount) + amount / y.shape[-1]


def move(x, axis):
    """The class axis last."""
    return x.movedim(axis, -1) if axis else x


# ---- categorical_crossentropy
def cce_logits(smoothing=0.0, weight=None, axis=0):
    def unit(z, y):
        z, y = move(z, axis), smooth(move(y, axis), smoothing)
        w = torch.ones(z.shape[-1], dtype=T) if weight is None else weight
        return -(w * y * F.log_softmax(z, -1)).sum(-1)
    return unit


def cce_probabilities(smoothing=0.0, weight=None, eps=1e-7, normalize=True):
    def unit(p, y):
        y = smooth(y, smoothing)
        w = torch.ones(p.shape[-1], dtype=T) if weight is None else weight
        o = p / p.sum(-1, keepdim=True) if normalize else p
        return -(w * y * torch.log(o.clamp(eps, 1 - eps))).sum(-1)
    return unit


z, y, hard = normal(5, 4), simplex(5, 4), onehot(labels(5))
same(cce_logits()(z, y), F.cross_entropy(z, y, reduction="none"), "cce")
same(cce_logits(0.25, CW)(z, y), F.cross_entropy(z, y, weight=CW, label_smoothing=0.25, reduction="none"), "cce weights")
same(cce_probabilities()(y, hard), keras.losses.categorical_crossentropy(hard, y), "cce keras")
case("categorical_crossentropy", "logits, soft labels", cce_logits(), [z, y], params="from_logits=true")
case("soft_cross_entropy", "logits, one-hot", cce_logits(), [z, hard])
case("categorical_crossentropy", "logits, smoothing, class and sample weights", cce_logits(0.25, CW), [z, y],
     params="from_logits=true,label_smoothing=0.25", class_weight=CW, sample_weight=W5)
case("categorical_crossentropy", "logits, classes on axis 1", cce_logits(axis=1),
     [normal(2, 4, 3), simplex(2, 3, 4).movedim(-1, 1).contiguous()], params="from_logits=true", axis=1)
case("categorical_crossentropy", "logits, extreme", cce_logits(), [normal(5, 4, spread=300.0), y], params="from_logits=true")
case("cce", "probabilities", cce_probabilities(), [uniform(5, 4, low=0.05), y])
case("cce", "probabilities as they are", cce_probabilities(normalize=False), [simplex(5, 4), y], params="normalize=false")
case("cce", "probabilities, clipped, smoothing, weights", cce_probabilities(0.5, CW, eps=0.125),
     [uniform(5, 4, low=0.01), hard], params="label_smoothing=0.5,eps=0.125", class_weight=CW)

# ---- nll
z = grid(F.log_softmax(normal(6, 4), -1))
t = torch.tensor([0, 3, 2, 2, 1, 0])
nll = lambda x, y: -x.gather(-1, y[..., None])[..., 0]
same(nll(z, t), F.nll_loss(z, t, reduction="none"), "nll")
case("nll", "plain", nll, [z, t])
case("nll_loss", "class weights, label 2 ignored",
     lambda x, y: F.nll_loss(x, y, weight=CW, ignore_index=2, reduction="none"), [z, t], class_weight=CW, ignore=2,
     parts=torch.where(t == 2, torch.zeros(6, dtype=T), CW[t]))

# ---- categorical_generalized_cross_entropy
def gce(q, from_logits=False, eps=1e-7):
    def unit(x, y):
        p = F.softmax(x, -1) if from_logits else x
        p = p.gather(-1, y[..., None])[..., 0]
        return (1 - (p if from_logits else p.clamp(min=eps)) ** q) / q
    return unit


t = labels(5)
p = simplex(5, 4)
same(gce(0.7)(p, t), keras.losses.CategoricalGeneralizedCrossEntropy(q=0.7, reduction=None)(t, p), "gce")
case("gce", "probabilities", gce(0.5), [p, t])
case("gce", "probabilities, clipped below, weights", gce(0.75, eps=0.25), [p, t], params="q=0.75,eps=0.25", sample_weight=W5)
case("categorical_generalized_cross_entropy", "logits", gce(0.25, True), [normal(5, 4), t], params="q=0.25,from_logits=true")

# ---- categorical_focal_crossentropy
def focal(gamma, alpha, from_logits=False, smoothing=0.0, weight=None, normalize=True, eps=1e-7):
    def unit(x, y):
        y = onehot(y) if not y.is_floating_point() else y
        y = smooth(y, smoothing)
        a = alpha * (torch.ones(4, dtype=T) if weight is None else weight)
        if from_logits:
            log_p = F.log_softmax(x, -1)
            q = -torch.expm1(log_p)
        else:
            o = (x / x.sum(-1, keepdim=True) if normalize else x).clamp(eps, 1 - eps)
            log_p, q = torch.log(o), 1 - o
        return -(a * y * q ** gamma * log_p).sum(-1)
    return unit


z, p, y, t = normal(5, 4), uniform(5, 4, low=0.05), simplex(5, 4), labels(5)
same(focal(2, 0.25)(p, onehot(t)), keras.losses.categorical_focal_crossentropy(onehot(t), p), "softmax focal")
same(focal(1.5, 0.5, True, 0.25)(z, onehot(t)), keras.losses.categorical_focal_crossentropy(
    onehot(t), z, alpha=0.5, gamma=1.5, from_logits=True, label_smoothing=0.25), "softmax focal logits")
case("categorical_focal_crossentropy", "probabilities", focal(2, 0.25), [p, y], constants=(1,))
case("softmax_focal", "logits", focal(2, 0.25, True), [z, onehot(t)], constants=(1,))
case("softmax_focal", "logits, gamma 0.5, smoothing, weights", focal(0.5, 1, True, 0.25, CW), [z, y], constants=(1,),
     params="gamma=0.5,alpha=1,label_smoothing=0.25", class_weight=CW, sample_weight=W5)
case("categorical_focal_crossentropy", "probabilities as they are, gamma 1.5", focal(1.5, 0.5, normalize=False),
     [simplex(5, 4), onehot(t)], constants=(1,), params="gamma=1.5,alpha=0.5,normalize=false")
case("categorical_focal_crossentropy", "probabilities, gamma 0, clipped", focal(0, 0.5, eps=0.2), [p, y], constants=(1,),
     params="gamma=0,alpha=0.5,eps=0.2")
case("sparse_categorical_focal", "probabilities", focal(3, 0.25), [p, t], params="gamma=3")
ignored = torch.tensor([0, 1, 2, 1, 3])
case("sparse_categorical_focal_crossentropy", "logits, label 1 ignored",
     lambda x, y: torch.where(y == 1, torch.zeros(5, dtype=T), focal(1, 0.25, True)(x, y)), [z, ignored],
     params="gamma=1,from_logits=true", ignore=1, parts=(ignored != 1).to(T))

# ---- multilabel_soft_margin, soft_margin
z, y = normal(5, 4), uniform(5, 4)
case("multilabel_soft_margin", "soft labels", lambda x, y: F.multilabel_soft_margin_loss(x, y, reduction="none"), [z, y],
     constants=(1,))
case("multilabel_soft_margin", "class and sample weights",
     lambda x, y: F.multilabel_soft_margin_loss(x, y, weight=CW, reduction="none"), [z, onehot(labels(5))], constants=(1,),
     class_weight=CW, sample_weight=W5)
sign = torch.where(torch.rand(5, 4) < 0.5, -torch.ones(5, 4), torch.ones(5, 4)).to(T)
case("soft_margin", "two axes", lambda x, y: F.soft_margin_loss(x, y, reduction="none"), [z, sign], constants=(1,))
case("logistic", "a weight per row", lambda x, y: F.soft_margin_loss(x, y, reduction="none"), [z, sign], constants=(1,),
     sample_weight=W5[:, None])

# ---- hinges
hinge = lambda x, y: F.relu(1 - y * x)
same(hinge(z, sign).mean(-1), keras.losses.hinge(sign, z), "hinge")
same((hinge(z, sign) ** 2).mean(-1), keras.losses.squared_hinge(sign, z), "squared hinge")
case("hinge", "labels -1 and 1", hinge, [z, sign], constants=(1,))
case("hinge_loss", "labels 0 and 1, weights", lambda x, y: hinge(x, 2 * y - 1), [z, (sign + 1) / 2], constants=(1,),
     params="labels=01", sample_weight=W5[:, None])
case("squared_hinge", "labels -1 and 1", lambda x, y: hinge(x, y) ** 2, [z, sign], constants=(1,), params="labels=pm1")


def categorical_hinge(x, y):
    positive, negative = (y * x).sum(-1), ((1 - y) * x).max(-1).values
    return F.relu(negative - positive + 1)


hard = onehot(labels(5))
same(categorical_hinge(z, hard), keras.losses.categorical_hinge(hard, z), "categorical hinge")
case("categorical_hinge", "one-hot", categorical_hinge, [z, hard], constants=(1,))
case("categorical_hinge", "soft labels, weights", categorical_hinge, [z, simplex(5, 4)], constants=(1,), sample_weight=W5)
t = labels(5)
for power in (1, 2):
    case("multi_margin", "plain", lambda x, y: F.multi_margin_loss(x, y, p=power, reduction="none"), [z, t],
         params=f"power={power}")
    case("multi_margin", "margin 0.5, class and sample weights",
         lambda x, y: F.multi_margin_loss(x, y, p=power, margin=0.5, weight=CW, reduction="none"), [z, t],
         params=f"power={power},margin=0.5", class_weight=CW, sample_weight=W5)
lists = torch.tensor([[3, 0, -1, 1], [1, -1, 0, 0], [-1, 0, 1, 2], [0, 1, 2, 3], [2, 3, 0, -1]])
case("multilabel_margin", "lists of labels", lambda x, y: F.multilabel_margin_loss(x, y, reduction="none"), [z, lists])
case("margin_ranking", "margin 0.25", lambda a, b, y: F.margin_ranking_loss(a, b, y, margin=0.25, reduction="none"),
     [z, normal(5, 4), sign], constants=(2,), params="margin=0.25")
case("margin_ranking", "no margin, weights", lambda a, b, y: F.margin_ranking_loss(a, b, y, reduction="none"),
     [z, normal(5, 4), sign], constants=(2,), sample_weight=W5[:, None])
end()
