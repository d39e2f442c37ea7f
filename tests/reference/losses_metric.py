"""Values and gradients of the metric losses.

    python tests/reference/losses_metric.py > tests/reference/losses_metric.h

Made with PyTorch 2.13.0, float64. What PyTorch does not have (contrastive, soft triplets) is written
as the formula and differentiated by autograd."""
import torch
import torch.nn.functional as F

from loss_cases import T, begin, case, end, normal, uniform

torch.manual_seed(47)
begin("metric", f"""
    PyTorch {torch.__version__.split("+")[0]}, float64.""")

W5 = torch.tensor([1.5, 0, 2, 0.25, 1], dtype=T)
W43 = torch.tensor([[1.5], [0], [2], [0.25]], dtype=T)          # per row
SHAPES = ((6, 4), (2, 3, 5), (4, 1))


def zero_one(*shape):
    return (torch.rand(shape, dtype=T) < 0.5).to(T)


def signs(*shape):
    return zero_one(*shape) * 2 - 1


# ---- contrastive --------------------------------------------------------------------------------------------------

def contrastive_of(d, y, margin=1.0, similar_label=1, scale=1.0):
    t = (y == similar_label).to(T)
    return scale * (t * d ** 2 + (1 - t) * torch.relu(margin - d) ** 2)


def contrastive(dim=-1, **params):
    return lambda a, b, y: contrastive_of((a - b).norm(dim=dim), y, **params)


def distance(**params):
    return lambda d, y: contrastive_of(d, y, **params)


SIAMESE = {"similar_label": 0, "scale": 0.5}
for shape in SHAPES:
    inputs = [normal(*shape), normal(*shape), zero_one(*shape[:-1])]
    case("contrastive", "random", contrastive(margin=6.0), inputs, (2,), "margin=6")
pairs = [normal(4, 3), normal(4, 3), zero_one(4)]
case("contrastive", "default margin", contrastive(), pairs, (2,))
case("contrastive_siamese", "alias", contrastive(margin=6.0, **SIAMESE), pairs, (2,), "margin=6")
case("contrastive", "all parameters, weights", contrastive(margin=5.5, similar_label=0, scale=3.0),
     [normal(5, 3), normal(5, 3), zero_one(5)], (2,), "margin=5.5,similar_label=0,scale=3", sample_weight=W5)
case("contrastive", "axis 1", contrastive(1, margin=6.0), [normal(2, 4, 3), normal(2, 4, 3), zero_one(2, 3)], (2,), "margin=6",
     axis=1)
case("contrastive", "one pair", contrastive(margin=9.0), [normal(7), normal(7), torch.zeros((), dtype=T)], (2,), "margin=9")
for shape in ((7,), (4, 3), (2, 3, 2)):
    case("contrastive_from_distance", "random", distance(), [uniform(*shape, low=0.01, high=2), zero_one(*shape)], (1,))
    case("contrastive_from_distance", "all parameters", distance(margin=1.5, similar_label=0, scale=0.25),
         [uniform(*shape, low=0.01, high=3), zero_one(*shape)], (1,), "margin=1.5,similar_label=0,scale=0.25")
case("contrastive_from_distance", "weights per row", distance(), [uniform(4, 3, high=2), zero_one(4, 3)], (1,),
     sample_weight=W43)


# ---- embeddings ---------------------------------------------------------------------------------------------------

def cosine(margin=0.0):
    """PyTorch takes matrices only: the rows of all leading axes."""
    def unit(a, b, y):
        loss = F.cosine_embedding_loss(a.reshape(-1, a.shape[-1]), b.reshape(-1, a.shape[-1]), y.reshape(-1),
                                       margin=margin, reduction="none")
        return loss.reshape(y.shape)
    return unit


for shape in SHAPES[:2]:   # of width 1 the derivative is 0, but for the 1e-12 that PyTorch adds to squared lengths
    inputs = [normal(*shape), normal(*shape), signs(*shape[:-1])]
    case("cosine_embedding", "random", cosine(), inputs, (2,))
pairs = [normal(6, 4), normal(6, 4), signs(6)]
case("cosine_embedding", "margin", cosine(0.25), pairs, (2,), "margin=0.25")
case("cosine_embedding", "negative margin", cosine(-0.75), pairs, (2,), "margin=-0.75")
case("cosine_embedding", "sample weights", cosine(-0.5), [normal(5, 3), normal(5, 3), signs(5)], (2,), "margin=-0.5",
     sample_weight=W5)
case("cosine_embedding", "axis 1", lambda a, b, y: cosine()(a.transpose(1, 2), b.transpose(1, 2), y),
     [normal(2, 4, 3), normal(2, 4, 3), signs(2, 3)], (2,), axis=1)


def hinge(margin=1.0):
    return lambda x, y: F.hinge_embedding_loss(x, y, margin=margin, reduction="none")


for shape in ((9,), (4, 3), (2, 3, 2)):
    case("hinge_embedding", "random", hinge(), [normal(*shape), signs(*shape)], (1,))
    case("hinge_embedding", "margin", hinge(2.5), [normal(*shape), signs(*shape)], (1,), "margin=2.5")
case("hinge_embedding", "weights per row", hinge(-0.5), [normal(4, 3), signs(4, 3)], (1,), "margin=-0.5", sample_weight=W43)


# ---- triplets -----------------------------------------------------------------------------------------------------

def triplets(*shape):
    return [normal(*shape), normal(*shape), normal(*shape)]


def triplet(**params):
    return lambda a, p, n: F.triplet_margin_loss(a, p, n, reduction="none", **params)


def with_distance(function, **params):
    return lambda a, p, n: F.triplet_margin_with_distance_loss(a, p, n, distance_function=function, reduction="none", **params)


def soft(function):
    return lambda a, p, n: F.softplus(function(a, p) - function(a, n))


def squared(u, v):
    return ((u - v) ** 2).sum(-1)


def cosine_distance(u, v):
    return 1 - F.cosine_similarity(u, v, dim=-1)


for shape in SHAPES + ((5,),):
    inputs = triplets(*shape)
    case("triplet_margin", "random", triplet(), inputs)
    case("triplet_margin", "swap", triplet(margin=5.0, swap=True), inputs, params="margin=5,swap=true")
    case("triplet", "alias", with_distance(squared, margin=0.2), inputs)
for p in (1.0, 2.0, 3.0, 1.25):
    for swap in (False, True):
        case("triplet_margin", "p-norm", triplet(margin=5.0, p=p, swap=swap), triplets(4, 3),
             params=f"distance=pnorm,p={p},margin=5,swap={str(swap).lower()}")
inputs = triplets(4, 3)
case("triplet_margin", "manhattan", triplet(margin=5.0, p=1.0), inputs, params="distance=manhattan,margin=5")
case("triplet", "swap", with_distance(squared, margin=20.0, swap=True), inputs, params="margin=20,swap=true")
case("triplet_margin_with_distance", "cosine", with_distance(cosine_distance), inputs, params="distance=cosine")
case("triplet_margin_with_distance", "cosine, swap", with_distance(cosine_distance, margin=1.5, swap=True), triplets(2, 3, 5),
     params="distance=cosine,margin=1.5,swap=true")
case("triplet_margin", "soft cosine", soft(cosine_distance), inputs, params="distance=cosine,soft=true")
case("triplet_margin", "soft", soft(F.pairwise_distance), inputs, params="soft=true")
case("triplet", "soft", soft(squared), inputs, params="soft=true")
case("triplet_margin", "eps", triplet(margin=5.0, eps=0.25), inputs, params="margin=5,eps=0.25")
case("triplet_margin", "sample weights", triplet(), triplets(5, 3), sample_weight=W5)
case("triplet_margin", "sample weights, swap", triplet(margin=3.5, swap=True), triplets(5, 3), params="margin=3.5,swap=true",
     sample_weight=W5)
case("triplet_margin", "axis 1", lambda a, p, n: triplet(margin=4.0)(*(x.transpose(1, 2) for x in (a, p, n))),
     triplets(2, 4, 3), params="margin=4", axis=1)


def between(gap):
    return lambda d_ap, d_an, d_pn: gap(d_ap - torch.minimum(d_an, d_pn))


def active(margin=1.0):
    return lambda gap: torch.relu(gap + margin)


for shape in ((9,), (4, 3), (2, 3, 2)):
    inputs = [uniform(*shape, high=3) for _ in range(3)]
    for name, gap in (("", active()), ("margin=0.25", active(0.25)), ("soft=true", F.softplus)):
        case("triplet_from_distance", "two distances", lambda d_ap, d_an: gap(d_ap - d_an), inputs[:2], params=name)
        case("triplet_from_distance", "three distances", between(gap), inputs, params=name)
case("triplet_from_distance", "weights per row", between(active()), [uniform(4, 3, high=3) for _ in range(3)],
     sample_weight=W43)
end()
