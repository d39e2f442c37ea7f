"""Values and gradients of the generative and anomaly losses.

    python tests/reference/losses_generative.py > tests/reference/losses_generative.h

Made with PyTorch 2.13.0 (float64). Where PyTorch has the loss or its parts (binary cross-entropy, mse, l1,
torch.distributions.kl_divergence), those give the values; the others are written below as their papers' formulas, and
differentiated by autograd."""
import torch
import torch.nn.functional as F
from torch.distributions import Normal, kl_divergence

import c_header as c

torch.manual_seed(31)
T = torch.float64


def grid(x):
    """Rounded to values that float holds exactly."""
    return (x * 1024).round() / 1024


def reals(*shape, spread=1.5):
    return grid(torch.randn(shape, dtype=T) * spread)


def probabilities(*shape):
    return grid(torch.rand(shape, dtype=T) * 0.96 + 0.02)


def case(loss, assignments, unit, *inputs, constant=(), sample_weight=None):
    """unit(*inputs) gives the loss of each unit; inputs whose place is in `constant` are not differentiated."""
    leaves = [None if x is None else x.clone().requires_grad_(i not in constant) for i, x in enumerate(inputs)]
    wanted = [x for x in leaves if x is not None and x.requires_grad]
    values = unit(*leaves)
    weight = torch.ones_like(values) if sample_weight is None else sample_weight
    weighted = values * weight
    total = weighted.sum()
    upstream = grid(torch.rand(values.shape, dtype=T) + 0.5)

    def gradients(scalar):
        found = iter(torch.autograd.grad(scalar, wanted, retain_graph=True, materialize_grads=True))
        rows = [c.reals(next(found)) if x is not None and x.requires_grad else "NULL" for x in leaves]
        return "{ " + ", ".join(rows) + " }"

    operands = ["{ %s, %s, %s }" % (c.dims(x.shape), c.reals(x), str(x.requires_grad).lower()) for x in leaves if x is not None]
    assert None not in leaves[:len(operands)]   # absent ones are the last
    print(c.row(
        c.text(loss), c.text(assignments), str(len(operands)), "{ " + ", ".join(operands) + " }",
        c.dims(values.shape), str(values.numel()), c.reals(sample_weight), c.reals(upstream), c.reals(weighted),
        c.real(total / values.numel()), c.real(total), c.real(total / weight.sum()),
        gradients((weighted * upstream).sum()), gradients(total / values.numel()), gradients(total),
        gradients(total / weight.sum())))


c.begin("losses_generative", """
    PyTorch %s, float64. Each row: a loss with its parameters as text, its inputs, and for each reduction the value and
    the gradient of every differentiable input.""" % torch.__version__.split("+")[0])
print("""#define REFERENCE_INPUTS 4

static const struct reference_call {
    const char *loss, *assignments;
    size_t inputs;
    struct {
        size_t rank, dims[3];
        const double *values;
        bool differentiable;
    } input[REFERENCE_INPUTS];
    size_t unit_rank, unit_dims[3], units;
    const double *sample_weight; /* NULL: none */
    const double *upstream;      /* of reduction none: one per unit */
    const double *none;          /* values by reduction */
    double mean, sum, weighted_mean;
    const double *none_gradient[REFERENCE_INPUTS]; /* of sum(none * upstream); NULL where not differentiable */
    const double *mean_gradient[REFERENCE_INPUTS], *sum_gradient[REFERENCE_INPUTS], *weighted_mean_gradient[REFERENCE_INPUTS];
} reference_calls[] = {""")

# ---- gan_discriminator -----------------------------------------------------------------------------------------


def bce(z, label):
    return F.binary_cross_entropy_with_logits(z, torch.full_like(z, label))


def clipped_bce(p, label, eps=1e-7):
    p = p.clamp(eps, 1 - eps)
    return -(label * p.log() + (1 - label) * (1 - p).log()).mean()


D = "gan_discriminator"
case(D, "", lambda r, f: bce(r, 1.0) + bce(f, 0.0), reals(5), reals(7))
case(D, "real_label=0.875", lambda r, f: bce(r, 0.875) + bce(f, 0.0), reals(3, 2), reals(4))
case(D, "real_label=0.5", lambda r, f: bce(r, 0.5) + bce(f, 0.0), reals(6, spread=20), reals(2, 2, 2, spread=20))
case(D, "from_logits=false", lambda r, f: clipped_bce(r, 1) + clipped_bce(f, 0), probabilities(4), probabilities(3, 2))
case(D, "from_logits=false,real_label=0.75,eps=0.125", lambda r, f: clipped_bce(r, 0.75, 0.125) + clipped_bce(f, 0, 0.125),
     probabilities(9), probabilities(8))
case(D, "mode=lsgan", lambda r, f: F.mse_loss(r, torch.ones_like(r)) / 2 + F.mse_loss(f, torch.zeros_like(f)) / 2,
     reals(5), reals(3, 1))
case(D, "mode=wgan", lambda r, f: f.mean() - r.mean(), reals(5), reals(6))
case(D, "mode=hinge", lambda r, f: F.relu(1 - r).mean() + F.relu(1 + f).mean(), reals(8), reals(5, 2))

# ---- gan_generator ---------------------------------------------------------------------------------------------

G = "gan_generator"
ones = torch.ones_like


def clip(p, eps=1e-7):
    return p.clamp(eps, 1 - eps)


case(G, "", lambda f: F.binary_cross_entropy_with_logits(f, ones(f), reduction="none"), reals(6))
case(G, "", lambda f: F.binary_cross_entropy_with_logits(f, ones(f), reduction="none"), reals(4, 3, spread=20),
     sample_weight=torch.tensor([[1, 0.5, 2], [0.25, 1, 1], [3, 1, 0.5], [2, 2, 1]], dtype=T))
case(G, "mode=minimax", lambda f: -F.softplus(f), reals(2, 3))
case(G, "mode=minimax", lambda f: F.logsigmoid(-f), reals(6, spread=20))
case(G, "mode=lsgan", lambda f: F.mse_loss(f, ones(f), reduction="none") / 2, reals(5))
case(G, "mode=wgan", lambda f: -f, reals(5), sample_weight=torch.tensor([1, 2, 3, 0.5, 1.5], dtype=T))
case(G, "mode=hinge", lambda f: -f, reals(3, 2))
case(G, "from_logits=false", lambda f: -clip(f).log(), probabilities(7))
case(G, "from_logits=false,mode=minimax", lambda f: (1 - clip(f)).log(), probabilities(3, 2))
case(G, "from_logits=false,mode=minimax,eps=0.25", lambda f: (1 - clip(f, 0.25)).log(), probabilities(9))

# ---- gaussian_kl -----------------------------------------------------------------------------------------------


def kl(mu, log_var):
    standard = Normal(torch.zeros_like(mu), torch.ones_like(mu))
    return kl_divergence(Normal(mu, (log_var / 2).exp()), standard).sum(-1)


case("gaussian_kl", "", kl, reals(4, 5), reals(4, 5))
case("vae_kl", "", kl, reals(2, 3, 4), reals(2, 3, 4), sample_weight=torch.tensor([[1, 2, 0.5], [3, 0.25, 1]], dtype=T))
case("gaussian_kl", "", kl, reals(3, 20), reals(3, 20, spread=0.3))
case("gaussian_kl", "", kl, reals(2, 3, spread=10), torch.tensor([[30, -30, 60], [-60, 0.5, -0.5]], dtype=T))

# ---- reconstruction, vae ---------------------------------------------------------------------------------------

KINDS = {
    "mse": lambda p, x, eps: F.mse_loss(p, x, reduction="none"),
    "mae": lambda p, x, eps: F.l1_loss(p, x, reduction="none"),
    "bce": lambda p, x, eps: F.binary_cross_entropy(clip(p, eps), x, reduction="none"),
    "bce_logits": lambda p, x, eps: F.binary_cross_entropy_with_logits(p, x, reduction="none"),
}


def rebuilt(kind, reduce="sum", eps=1e-7):
    return lambda p, x: getattr(KINDS[kind](p, x, eps).flatten(1), reduce)(-1)


def recon(kind, pred, target, reduce="sum", eps=1e-7, text="", **options):
    case("reconstruction", f"kind={kind},feature_reduce={reduce}{text}", rebuilt(kind, reduce, eps), pred, target,
         constant=(1,), **options)


w3 = torch.tensor([1.0, 0.5, 2.5], dtype=T)
recon("mse", reals(3, 4), reals(3, 4))
recon("mse", reals(3, 2, 3), reals(3, 2, 3), "mean", sample_weight=w3)
recon("mae", reals(3, 5), reals(3, 5), sample_weight=w3)
recon("mae", reals(2, 5), reals(2, 5), "mean")
recon("bce", probabilities(3, 5), probabilities(3, 5))
recon("bce", probabilities(3, 4), torch.randint(0, 2, (3, 4)).to(T), "mean", sample_weight=w3)
recon("bce", probabilities(2, 9), probabilities(2, 9), eps=0.125, text=",eps=0.125")
recon("bce_logits", reals(3, 2, 2), probabilities(3, 2, 2))
recon("bce_logits", reals(2, 6, spread=30), torch.randint(0, 2, (2, 6)).to(T), "mean")


def vae(kind, beta, pred, target, mu, log_var, eps=1e-7, text="", name="vae", **options):
    build = rebuilt(kind, eps=eps)
    case(name, f"recon={kind},beta={beta}{text}", lambda p, x, m, v: build(p, x) + beta * kl(m, v), pred, target, mu,
         log_var, constant=(1,), **options)


vae("bce", 1, probabilities(3, 6), probabilities(3, 6), reals(3, 2), reals(3, 2))
vae("bce", 0.25, probabilities(3, 2, 3), torch.randint(0, 2, (3, 2, 3)).to(T), reals(3, 4), reals(3, 4), sample_weight=w3)
vae("bce", 1, probabilities(2, 8), probabilities(2, 8), reals(2, 1), reals(2, 1), eps=0.125, text=",eps=0.125", name="elbo")
vae("bce_logits", 4, reals(3, 5), probabilities(3, 5), reals(3, 9), reals(3, 9))
vae("mse", 2, reals(2, 4), reals(2, 4), reals(2, 3), reals(2, 3))
vae("mae", 0, reals(2, 4), reals(2, 4), reals(2, 3), reals(2, 3))

# ---- one_class_svm, deep_svdd ----------------------------------------------------------------------------------


def one_class(nu):
    return lambda s, rho, w=None: ((w ** 2).sum() / 2 if w is not None else 0) - rho.sum() + F.relu(rho - s).sum() / (
        nu * s.numel())


case("one_class_svm", "", one_class(0.1), reals(9), torch.tensor([0.75], dtype=T), reals(4))
case("one_class_svm", "nu=0.5", one_class(0.5), reals(6), torch.tensor([-0.25], dtype=T), reals(2, 3))
case("one_class_svm", "nu=1", one_class(1.0), reals(5), torch.tensor(0.125, dtype=T), None)


def svdd(z, centre):
    return ((z - centre) ** 2).sum(-1)


def soft(nu):
    return lambda z, centre, r2: r2.sum() + F.relu(svdd(z, centre) - r2).sum() / (nu * z.shape[0])


case("deep_svdd", "", svdd, reals(4, 3), reals(3), constant=(1,))
case("svdd", "", svdd, reals(3, 7), reals(7), constant=(1,), sample_weight=w3)
case("deep_svdd", "mode=soft_boundary", soft(0.1), reals(8, 3), reals(3), torch.tensor([6.0], dtype=T), constant=(1,))
case("deep_svdd", "mode=soft_boundary,nu=0.625", soft(0.625), reals(5, 2), reals(2), torch.tensor(2.5, dtype=T), constant=(1,))
print("};\n")
c.end()
