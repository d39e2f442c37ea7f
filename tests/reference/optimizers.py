"""Parameters after 1, 10 and 100 steps of PyTorch's optimizers on gradients that C can repeat.

    python tests/reference/optimizers.py > tests/reference/optimizers.h

Made with PyTorch 2.13.0 (float64, foreach=False)."""
import math

import torch

import c_header as c

N, STEPS = 8, (1, 10, 100)


def run(make):
    p = torch.tensor([0.5 * math.cos(i) for i in range(N)], dtype=torch.float64, requires_grad=True)
    optimizer = make([p])
    kept = []
    for t in range(max(STEPS)):
        values = p.detach().tolist()
        p.grad = torch.tensor([math.sin(0.1 * (t + 1) * (i + 1)) + 0.05 * values[i] for i in range(N)],
                              dtype=torch.float64)
        optimizer.step()
        if t + 1 in STEPS:
            kept.append(p.detach().clone())
    return kept


def case(kind, name, learning_rate, **options):
    def make(parameters):
        arguments = dict(lr=learning_rate, foreach=False)
        for ours, theirs in (("momentum", "momentum"), ("nesterov", "nesterov"), ("weight_decay", "weight_decay"),
                             ("epsilon", "eps"), ("alpha", "alpha"), ("centered", "centered")):
            if ours in options:
                arguments[theirs] = options[ours]
        if "beta1" in options:
            arguments["betas"] = (options["beta1"], options["beta2"])
        return getattr(torch.optim, kind)(parameters, **arguments)

    values = ", ".join("{ " + ", ".join(map(c.real, c.flat(v))) + " }" for v in run(make))
    print(c.row(c.text(kind.lower()), c.text(name), c.real(learning_rate), c.real(options.get("momentum", 0)),
                str(options.get("nesterov", False)).lower(), c.real(options.get("weight_decay", 0)),
                c.real(options.get("beta1", 0)), c.real(options.get("beta2", 0)), c.real(options.get("alpha", 0)),
                str(options.get("centered", False)).lower(), c.real(options.get("epsilon", 0)), "{ " + values + " }"))


c.begin("optimizers", """
    PyTorch %s, float64. Eight parameters start at p_i = 0.5 cos(i), i = 0..7. At step t = 0..99 the gradient is
        g_i = sin(0.1 (t + 1) (i + 1)) + 0.05 p_i
    with p_i as it is before the step. value[0], [1], [2] are the parameters after 1, 10 and 100 steps.
    Weight decay is added to the gradient, but in adamw, where it shrinks the parameter (as PyTorch does).""" %
        torch.__version__.split("+")[0])
print("""#define REFERENCE_OPTIMIZER_PARAMETERS 8
static const int reference_optimizer_steps[3] = { 1, 10, 100 };

static const struct reference_optimizer {
    const char *kind;  /* sgd, adam, adamw, rmsprop */
    const char *name;
    double learning_rate, momentum;
    bool nesterov;
    double weight_decay;
    double beta1, beta2;   /* adam, adamw */
    double alpha;          /* rmsprop: the smoothing of the mean square */
    bool centered;
    double epsilon;
    double value[3][REFERENCE_OPTIMIZER_PARAMETERS];
} reference_optimizers[] = {""")
case("SGD", "plain", 0.1)
case("SGD", "momentum", 0.05, momentum=0.9)
case("SGD", "nesterov", 0.05, momentum=0.9, nesterov=True)
case("SGD", "weight decay", 0.1, weight_decay=0.02)
case("SGD", "momentum and weight decay", 0.05, momentum=0.8, weight_decay=0.02)
case("SGD", "nesterov and weight decay", 0.05, momentum=0.8, nesterov=True, weight_decay=0.02)
ADAM = dict(beta1=0.9, beta2=0.999, epsilon=1e-8)
case("Adam", "defaults", 0.001, **ADAM)
case("Adam", "other betas and epsilon", 0.01, beta1=0.8, beta2=0.95, epsilon=1e-4)
case("Adam", "weight decay", 0.01, weight_decay=0.1, **ADAM)
case("AdamW", "defaults", 0.001, weight_decay=0.01, **ADAM)
case("AdamW", "strong decay, other betas", 0.01, weight_decay=0.2, beta1=0.8, beta2=0.95, epsilon=1e-6)
case("RMSprop", "defaults", 0.01, alpha=0.99, epsilon=1e-8)
case("RMSprop", "other alpha, weight decay", 0.01, alpha=0.9, epsilon=1e-6, weight_decay=0.05)
case("RMSprop", "momentum", 0.01, alpha=0.9, epsilon=1e-8, momentum=0.9)
case("RMSprop", "centered", 0.01, alpha=0.9, epsilon=1e-8, centered=True)
case("RMSprop", "centered, momentum, weight decay", 0.01, alpha=0.95, epsilon=1e-6, momentum=0.8, centered=True,
     weight_decay=0.05)
print("};\n")
c.end()
