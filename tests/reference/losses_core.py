"""Values and gradients of binary_crossentropy, binary_focal_crossentropy and sparse_categorical_crossentropy.

    python tests/reference/losses_core.py > tests/reference/losses_core.h

Made with PyTorch 2.13.0 (float64). Where PyTorch has the loss, its own function gives the value of each unit; what it
does not have is written below as the formula, and differentiated by autograd."""
import torch
import torch.nn.functional as F

import c_header as c

torch.manual_seed(11)
T = torch.float64


def grid(x):
    """Rounded to values that float holds exactly."""
    return (x * 1024).round() / 1024


def logits(*shape, spread=2.0):
    return grid(torch.randn(shape, dtype=T) * spread)


def probabilities(*shape):
    return grid(torch.rand(shape, dtype=T) * 0.96 + 0.02)


def hard(*shape):
    return torch.randint(0, 2, shape).to(T)


def soft(*shape):
    return grid(torch.rand(shape, dtype=T))


def case(loss, what, unit, pred, target=None, label=None, divisor=None, sample_weight=None, target_gradient=False,
         **options):
    """unit(pred, target or label) gives the loss of each unit; divisor: their parts of what `mean` divides by (None: 1).
    Sample weights multiply the loss; weighted_mean divides by the sum of them (times the class weights, where the
    divisor has those)."""
    x = pred.clone().requires_grad_(True)
    leaves = [x]
    y = label
    if target is not None:
        y = target.clone().requires_grad_(target_gradient)
        leaves += [y] if target_gradient else []

    values = unit(x, y)
    weight = torch.ones_like(values) if sample_weight is None else sample_weight.expand_as(values)
    parts = torch.ones_like(values) if divisor is None else divisor
    weighted = torch.where(weight == 0, torch.zeros_like(values), weight * values)
    total = weighted.sum()
    # no unit left, no weight left: 0 instead of 0 / 0
    mean = total / parts.sum() if parts.sum() > 0 else total * 0
    weighted_mean = total / (weight * parts).sum() if (weight * parts).sum() > 0 else total * 0
    upstream = grid(torch.rand(values.shape, dtype=T) + 0.5)

    def gradients(scalar):
        found = torch.autograd.grad(scalar, leaves, retain_graph=True)
        return "{ " + ", ".join([c.reals(found[0]), c.reals(found[1]) if len(found) > 1 else "NULL"]) + " }"

    o = options
    print(c.row(
        c.text(loss), c.text(what), c.dims(pred.shape), str(values.numel()),
        c.reals(pred), c.reals(target), c.ints(label, "int32_t"), c.reals(sample_weight),
        str(sample_weight.numel() if sample_weight is not None else 0),
        str(o.get("from_logits", False)).lower(), c.real(o.get("label_smoothing", 0)), c.real(o.get("eps", 1e-7)),
        str(o.get("log100", False)).lower(), c.reals(o.get("pos_weight")),
        str(o["pos_weight"].numel() if o.get("pos_weight") is not None else 0), c.reals(o.get("class_weight")),
        str(o.get("ignore_index", -100)), str(o.get("unnormalized", False)).lower(), str(o.get("axis", -1)),
        c.real(o.get("gamma", 0)), c.real(o.get("alpha", 0)), c.text(o.get("alpha_mode")),
        c.reals(upstream), c.reals(weighted), c.real(mean), c.real(total), c.real(weighted_mean),
        gradients((weighted * upstream).sum()), gradients(mean), gradients(total), gradients(weighted_mean)))


c.begin("losses_core", """
    PyTorch %s, float64. Each row: a prediction, its targets or labels, the options, and for each reduction the
    value and the gradients. (With log100 and a probability of exactly 0 or 1 PyTorch's gradient is 4e-9 off 1e12: its
    constant 1e-12 is a float.)""" % torch.__version__.split("+")[0])
print("""#include <stdint.h>

typedef struct {
    const double *pred;
    const double *target;     /* dloss/dtarget; NULL where the loss has none */
} reference_gradient;

static const struct reference_loss {
    const char *loss, *what;
    size_t rank, dims[4];     /* of pred (and of target, if there is one) */
    size_t units;             /* losses before reduction */
    const double *pred, *target;
    const int32_t *label;     /* instead of target; of pred's shape without its class axis */
    const double *sample_weight;   /* NULL: none; `units` of them, or one per row ([rows, 1]) */
    size_t sample_weights;
    bool from_logits;
    double label_smoothing, eps;
    bool log100;              /* clip of binary_crossentropy: logarithms floored at -100, as torch.nn.BCELoss */
    const double *pos_weight; /* NULL: none; one, or one per element of the last axis */
    size_t pos_weights;
    const double *class_weight;    /* NULL: none; one per class */
    int ignore_index;
    bool unnormalized;        /* probabilities are not divided by their sum */
    int axis;                 /* of the classes */
    double gamma, alpha;      /* focal */
    const char *alpha_mode;   /* focal: NULL (none), uniform, balanced */
    const double *upstream;   /* of reduction none: one per unit */
    const double *none;       /* values by reduction, sample weights included */
    double mean, sum, weighted_mean;
    reference_gradient none_gradient;   /* of sum(none * upstream) */
    reference_gradient mean_gradient, sum_gradient, weighted_mean_gradient;
} reference_losses[] = {""")


# ---- binary_crossentropy ---------------------------------------------------------------------------------------

def smooth(y, amount):
    return y * (1 - amount) + amount / 2


def bce_logits(label_smoothing=0.0, pos_weight=None):
    return lambda z, y: F.binary_cross_entropy_with_logits(z, smooth(y, label_smoothing), pos_weight=pos_weight,
                                                           reduction="none")


def bce_probabilities(label_smoothing=0.0, pos_weight=1.0, eps=1e-7):
    """Keras: the probability is clipped to [eps, 1 - eps]; pos_weight multiplies the positive part."""
    def unit(p, y):
        y, p = smooth(y, label_smoothing), p.clamp(eps, 1 - eps)
        return -(pos_weight * y * torch.log(p) + (1 - y) * torch.log1p(-p))
    return unit


def bce_log100(p, y):
    """PyTorch's value and dloss/dpred; its autograd refuses targets that want a gradient, so theirs is the formula:
    log(1 - p) - log(p), both floored at -100."""
    class FlooredLoss(torch.autograd.Function):
        @staticmethod
        def forward(context, p, y):
            context.save_for_backward(p, y)
            return F.binary_cross_entropy(p, y, reduction="none")

        @staticmethod
        def backward(context, upstream):
            p, y = context.saved_tensors
            with torch.enable_grad():
                leaf = p.detach().requires_grad_(True)
                dp, = torch.autograd.grad(F.binary_cross_entropy(leaf, y, reduction="none"), leaf, upstream)
            floored = torch.log(1 - p).clamp(min=-100) - torch.log(p).clamp(min=-100)
            return dp, upstream * floored
    return FlooredLoss.apply(p, y)


def bce(*arguments, **options):
    case("binary_crossentropy", *arguments, target_gradient=True, **options)


bce("logits, hard labels", bce_logits(), logits(12), hard(12), from_logits=True)
bce("logits, soft labels, two axes", bce_logits(), logits(4, 3), soft(4, 3), from_logits=True)
bce("logits, three axes", bce_logits(), logits(2, 3, 2), hard(2, 3, 2), from_logits=True)
bce("logits, label smoothing", bce_logits(0.2), logits(6, 2), hard(6, 2), from_logits=True, label_smoothing=0.2)
q = torch.tensor([3.5], dtype=T)
bce("logits, one pos_weight", bce_logits(pos_weight=q), logits(10), soft(10), from_logits=True, pos_weight=q)
q3 = torch.tensor([0.5, 2.0, 7.25], dtype=T)
bce("logits, pos_weight per column, smoothing", bce_logits(0.1, q3), logits(5, 3), hard(5, 3), from_logits=True,
     pos_weight=q3, label_smoothing=0.1)
bce("logits, sample weights", bce_logits(), logits(8), hard(8), from_logits=True,
     sample_weight=torch.tensor([1, 0, 2.5, 0.25, 1, 3, 0, 0.5], dtype=T))
bce("logits, a weight per row", bce_logits(), logits(3, 4), hard(3, 4), from_logits=True,
     sample_weight=torch.tensor([[2], [0], [0.5]], dtype=T))
bce("logits, all weights zero", bce_logits(), logits(3), hard(3), from_logits=True,
     sample_weight=torch.zeros(3, dtype=T))
extreme = torch.tensor([1e4, 1e4, -1e4, -1e4, 1000, -1000, 40, -40, 0, 0], dtype=T)
bce("logits, extreme", bce_logits(), extreme, torch.tensor([1, 0, 1, 0, 0.5, 0.5, 1, 0, 0, 1], dtype=T),
     from_logits=True)
bce("probabilities", bce_probabilities(), probabilities(12), hard(12))
bce("probabilities, soft labels, two axes", bce_probabilities(), probabilities(4, 3), soft(4, 3))
bce("probabilities, smoothing and pos_weight", bce_probabilities(0.2, q3), probabilities(4, 3), hard(4, 3),
     label_smoothing=0.2, pos_weight=q3)
bce("probabilities, sample weights", bce_probabilities(), probabilities(3, 2), hard(3, 2),
     sample_weight=torch.tensor([[1.5, 0], [2, 1], [0.5, 4]], dtype=T))
bce("probabilities 0 and 1, clipped", bce_probabilities(), torch.tensor([0, 0, 1, 1, 0.5], dtype=T),
     torch.tensor([0, 1, 0, 1, 1], dtype=T))
bce("probabilities, eps 1e-15", bce_probabilities(eps=1e-15), torch.tensor([0, 0, 1, 1, 0.5], dtype=T),
     torch.tensor([0, 1, 0, 1, 1], dtype=T), eps=1e-15)
bce("probabilities, eps 0.01", bce_probabilities(eps=0.01), torch.tensor([0.005, 0.02, 0.995, 0.98], dtype=T),
     torch.tensor([1, 1, 0, 0], dtype=T), eps=0.01)
bce("probabilities, log100", bce_log100, probabilities(6), soft(6), log100=True)
bce("probabilities 0 and 1, log100", bce_log100, torch.tensor([0, 0, 1, 1, 0.5], dtype=T),
     torch.tensor([0, 1, 0, 1, 1], dtype=T), log100=True)


# ---- binary_focal_crossentropy ---------------------------------------------------------------------------------

def focal(from_logits, gamma=2.0, alpha=0.25, alpha_mode=None, label_smoothing=0.0, eps=1e-7):
    """Lin et al. 2017, as torchvision's sigmoid_focal_loss has it (alpha_mode balanced): alpha_t (1 - p_t)^gamma CE."""
    def unit(x, y):
        y = smooth(y, label_smoothing)
        if from_logits:
            p, ce = torch.sigmoid(x), F.binary_cross_entropy_with_logits(x, y, reduction="none")
            rest = y * torch.sigmoid(-x) + (1 - y) * p
        else:
            p = x.clamp(eps, 1 - eps)
            ce = -(y * torch.log(p) + (1 - y) * torch.log1p(-p))
            rest = y * (1 - p) + (1 - y) * p
        factor = {None: 1.0, "uniform": alpha, "balanced": alpha * y + (1 - alpha) * (1 - y)}[alpha_mode]
        return factor * rest ** gamma * ce
    return unit


FOCAL = "binary_focal_crossentropy"


def focal_case(what, x, y, from_logits, sample_weight=None, **options):
    options = dict(dict(gamma=2.0, alpha=0.25), **options)
    case(FOCAL, what, focal(from_logits, **options), x, y, from_logits=from_logits, sample_weight=sample_weight,
         **options)


focal_case("logits", logits(10), hard(10), True)
focal_case("logits, balanced (torchvision)", logits(5, 2), hard(5, 2), True, alpha_mode="balanced")
focal_case("logits, uniform", logits(10), hard(10), True, alpha_mode="uniform", alpha=0.4)
focal_case("logits, soft labels, balanced", logits(8), soft(8), True, alpha_mode="balanced", alpha=0.7)
focal_case("logits, smoothing", logits(8), hard(8), True, label_smoothing=0.1, alpha_mode="balanced")
for gamma in (0.0, 0.5, 1.0, 1.5, 5.0):
    focal_case(f"logits, gamma {gamma}", logits(6), hard(6), True, gamma=gamma, alpha_mode="balanced")
focal_case("logits, sample weights", logits(6), hard(6), True, alpha_mode="balanced",
           sample_weight=torch.tensor([1, 0, 2, 0.5, 4, 1], dtype=T))
focal_case("logits, large", torch.tensor([40, -40, 100, -100, 300, -300], dtype=T),
           torch.tensor([0, 1, 0, 1, 1, 0], dtype=T), True)
focal_case("probabilities", probabilities(10), hard(10), False)
focal_case("probabilities, balanced", probabilities(4, 3), hard(4, 3), False, alpha_mode="balanced")
focal_case("probabilities, uniform, gamma 0.5", probabilities(8), hard(8), False, alpha_mode="uniform", gamma=0.5)
focal_case("probabilities, soft labels, smoothing", probabilities(8), soft(8), False, label_smoothing=0.2)
focal_case("probabilities 0 and 1, clipped", torch.tensor([0, 0, 1, 1, 0.5], dtype=T),
           torch.tensor([0, 1, 0, 1, 1], dtype=T), False)


# ---- sparse_categorical_crossentropy ---------------------------------------------------------------------------

SPARSE = "sparse_categorical_crossentropy"


def sparse_case(what, x, y, from_logits=True, class_weight=None, ignore_index=-100, label_smoothing=0.0, eps=1e-7,
                unnormalized=False, axis=-1, sample_weight=None):
    classes = x.shape[axis]
    weights = torch.ones(classes, dtype=T) if class_weight is None else class_weight
    kept = y != ignore_index
    safe = torch.where(kept, y, torch.zeros_like(y))

    def unit(x, _):
        x = x.movedim(axis, -1)
        if from_logits:   # PyTorch wants the classes on axis 1
            flat = F.cross_entropy(x.reshape(-1, classes), y.reshape(-1), weight=class_weight, ignore_index=ignore_index,
                                   label_smoothing=label_smoothing, reduction="none")
            return flat.reshape(y.shape)
        o = x if unnormalized else x / x.sum(-1, keepdim=True)
        share = (1 - label_smoothing) * F.one_hot(safe, classes).to(T) * weights + label_smoothing / classes * weights
        return torch.where(kept, -(share * torch.log(o.clamp(eps, 1 - eps))).sum(-1), 0.0)

    if from_logits and sample_weight is None and kept.any():   # our divisor is PyTorch's
        theirs = F.cross_entropy(x.movedim(axis, 1), y, weight=class_weight, ignore_index=ignore_index,
                                 label_smoothing=label_smoothing)
        ours = unit(x, y).sum() / (kept * weights[safe]).sum()
        assert torch.isclose(theirs, ours, rtol=1e-13, atol=0), what
    case(SPARSE, what, unit, x, label=y, divisor=kept.to(T) * weights[safe], from_logits=from_logits,
         class_weight=class_weight, ignore_index=ignore_index, label_smoothing=label_smoothing, eps=eps,
         unnormalized=unnormalized, axis=axis, sample_weight=sample_weight)


def labels(classes, *shape):
    return torch.randint(0, classes, shape)


w4 = torch.tensor([0.5, 1, 2, 3.25], dtype=T)
sparse_case("logits", logits(6, 4), labels(4, 6))
sparse_case("logits, two classes", logits(5, 2), labels(2, 5))
sparse_case("logits, class weights", logits(6, 4), labels(4, 6), class_weight=w4)
sparse_case("logits, ignored labels", logits(6, 4), torch.tensor([0, -100, 3, -100, 2, 1]))
sparse_case("logits, a class ignored, weights", logits(6, 4), torch.tensor([0, 2, 3, 2, 2, 1]), class_weight=w4,
            ignore_index=2)
sparse_case("logits, smoothing", logits(6, 4), labels(4, 6), label_smoothing=0.1)
sparse_case("logits, smoothing, weights, ignored", logits(6, 4), torch.tensor([0, 2, 3, -1, 2, 1]), class_weight=w4,
            label_smoothing=0.3, ignore_index=-1)
sparse_case("logits, sample weights", logits(5, 3), labels(3, 5),
            sample_weight=torch.tensor([1, 0, 2.5, 0.5, 1], dtype=T))
sparse_case("logits, sample and class weights, ignored", logits(5, 4), torch.tensor([3, -100, 0, 1, 2]), class_weight=w4,
            sample_weight=torch.tensor([1, 2, 2.5, 0, 0.5], dtype=T))
sparse_case("logits, a sequence with padding", logits(2, 3, 4), torch.tensor([[1, 3, -100], [0, -100, -100]]))
sparse_case("logits, classes on axis 1", logits(2, 3, 4), labels(3, 2, 4), axis=1)
sparse_case("logits, classes on axis 1 of images", logits(2, 3, 2, 2), labels(3, 2, 2, 2), axis=1,
            class_weight=torch.tensor([1, 2, 0.5], dtype=T))
sparse_case("logits, extreme", torch.tensor([[1e4, -1e4, 0], [1e4, -1e4, 0], [1e4, 1e4, -1e4], [-1e4, -1e4, -9999]],
                                            dtype=T), torch.tensor([0, 1, 1, 2]))
sparse_case("logits, all ignored", logits(2, 3), torch.tensor([-100, -100]))
sparse_case("probabilities", probabilities(6, 4), labels(4, 6), from_logits=False)
sparse_case("probabilities as they are", torch.softmax(logits(5, 4), -1), labels(4, 5), from_logits=False,
            unnormalized=True)
sparse_case("probabilities, weights, smoothing, ignored", probabilities(6, 4), torch.tensor([0, -100, 3, 1, 2, 1]),
            from_logits=False, class_weight=w4, label_smoothing=0.2)
sparse_case("probabilities, clipped", torch.tensor([[0, 0.5, 0.5], [1, 0, 0], [0.25, 0.25, 0.5]], dtype=T),
            torch.tensor([0, 0, 2]), from_logits=False)
print("};\n")
c.end()
