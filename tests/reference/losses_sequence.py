"""Values and gradients of ctc and ctc_simplified.

    python tests/reference/losses_sequence.py > tests/reference/losses_sequence.h

Made with PyTorch 2.13.0 (float64). ctc of logits is torch.nn.functional.ctc_loss of log_softmax, differentiated by
autograd at the logits. PyTorch's gradient by log_probs is that of the logits, and it has no ctc of probabilities nor the
simplified recursion: those are the textbook recursions below, in logarithms, differentiated by autograd. The textbook's
ctc is compared with PyTorch's here, each time the script runs."""
import torch
import torch.nn.functional as F

import c_header as c

torch.manual_seed(23)
T = torch.float64


def grid(x):
    """Rounded to values that float holds exactly."""
    return (x * 1024).round() / 1024


def lse(terms):
    terms = [x for x in terms if x is not None]
    return torch.logsumexp(torch.stack(terms), 0) if terms else None


def textbook_ctc(log_y, labels, blank):
    """Graves et al. 2006, eq. 6 to 8; None stands for the logarithm of 0."""
    extended = [blank]
    for label in labels:
        extended += [label, blank]
    states = len(extended)
    alpha = [torch.zeros((), dtype=T)] + [None] * states    # a state before all others, left in the first frame
    for t in range(log_y.shape[0]):
        now = [None]
        for s, k in enumerate(extended):
            before = [alpha[s + 1], alpha[s] if s > 0 or t == 0 else None]
            if s == 1 and t == 0:
                before.append(alpha[0])
            if s > 1 and k != blank and k != extended[s - 2]:
                before.append(alpha[s - 1])
            total = lse(before)
            now.append(None if total is None else total + log_y[t, k])
        alpha = now
    p = lse(alpha[-2:] if log_y.shape[0] else alpha[:1] if states == 1 else [])
    return torch.tensor(float("inf"), dtype=T) if p is None else -p


def simplified_ctc(log_y, labels):
    alpha = [log_y[0, labels[0]]] + [None] * (len(labels) - 1)
    for t in range(1, log_y.shape[0]):
        now = []
        for s, k in enumerate(labels):
            total = lse([alpha[s], alpha[s - 1] if s > 0 else None])
            now.append(None if total is None else total + log_y[t, k])
        alpha = now
    return torch.tensor(float("inf"), dtype=T) if alpha[-1] is None else -alpha[-1]


def case(loss, what, pred, targets, input_lengths=None, padded=None, concatenated=False, give_lengths=True,
         input="logits", blank=0, zero_infinity=False, time_major=False, eps=1e-7, sample_weight=None):
    """pred is [N, T, V]; targets is a list of lists. padded: what fills the rows, None for target_lengths instead."""
    samples, frames, classes = pred.shape
    lengths = [frames] * samples if input_lengths is None else input_lengths
    given = pred.transpose(0, 1).contiguous() if time_major else pred
    x = given.clone().requires_grad_(True)
    by_sample = x.transpose(0, 1) if time_major else x
    log_y = {"logits": lambda z: z.log_softmax(-1), "log_probs": lambda z: z,
             "probs": lambda z: z.clamp(eps, 1 - eps).log()}[input](by_sample)

    if loss == "ctc" and input == "logits":
        values = F.ctc_loss(log_y.transpose(0, 1), torch.tensor(sum(targets, []), dtype=torch.long), torch.tensor(lengths),
                            torch.tensor([len(t) for t in targets]), blank=blank, reduction="none",
                            zero_infinity=zero_infinity)
        own = torch.stack([textbook_ctc(log_y[n, :lengths[n]], targets[n], blank) for n in range(samples)])
        own = torch.where(torch.isinf(own), torch.zeros_like(own), own) if zero_infinity else own
        assert torch.allclose(values, own, rtol=1e-11, atol=1e-12), (what, values, own)
    elif loss == "ctc":
        values = torch.stack([textbook_ctc(log_y[n, :lengths[n]], targets[n], blank) for n in range(samples)])
    else:
        values = torch.stack([simplified_ctc(log_y[n, :lengths[n]], targets[n]) for n in range(samples)])

    weight = torch.ones(samples, dtype=T) if sample_weight is None else torch.tensor(sample_weight, dtype=T)
    labels = torch.tensor([max(1, len(t)) for t in targets], dtype=T)
    weighted = weight * values
    mean, per_label = weighted.sum() / samples, (weighted / labels).sum() / samples
    if loss == "ctc" and input == "logits" and sample_weight is None and not zero_infinity:
        torch_mean = F.ctc_loss(log_y.transpose(0, 1), torch.tensor(sum(targets, []), dtype=torch.long),
                                torch.tensor(lengths), torch.tensor([len(t) for t in targets]), blank=blank)
        assert torch.allclose(per_label, torch_mean, rtol=1e-11), what
    upstream = grid(torch.rand(samples, dtype=T) + 0.5)

    def gradient(scalar):
        return c.reals(torch.autograd.grad(scalar, x, retain_graph=True)[0])

    width = max([len(t) for t in targets])
    if concatenated:
        flat, shape = sum(targets, []), [sum(len(t) for t in targets)]
    else:
        fill = -1 if padded is None else padded
        flat, shape = sum([t + [fill] * (width - len(t)) for t in targets], []), [samples, width]
    print(c.row(
        c.text(loss), c.text(what), c.dims(given.shape), c.reals(given), c.dims(shape), c.ints(flat, "int32_t"),
        c.ints(input_lengths, "int32_t"),
        c.ints([len(t) for t in targets], "int32_t") if concatenated or (padded is None and give_lengths) else "NULL",
        "LG_CTC_" + input.upper(), str(blank), str(zero_infinity).lower(), str(time_major).lower(), c.real(eps),
        "NULL" if sample_weight is None else c.reals(sample_weight), str(samples),
        c.reals(upstream), c.reals(weighted), c.real(mean), c.real(per_label), c.real(weighted.sum()),
        gradient((weighted * upstream).sum()), gradient(mean), gradient(per_label), gradient(weighted.sum())))


c.begin("losses_sequence", """
    PyTorch %s, float64. Each row: a prediction with its labels and lengths, the parameters, and for each reduction the
    value and the gradient by the prediction.""" % torch.__version__.split("+")[0])
print("""#include "losses/sequence.h"

static const struct reference_ctc {
    const char *loss, *what;
    size_t rank, dims[3];
    const double *pred;
    size_t target_rank, target_dims[2];
    const int32_t *target, *input_lengths, *target_lengths; /* the lengths: NULL when not given */
    lg_ctc_input input;
    size_t blank;
    bool zero_infinity, time_major;
    double eps;
    const double *sample_weight; /* NULL: none */
    size_t samples;
    const double *upstream;      /* of reduction none: one per sample */
    const double *none;          /* values by reduction */
    double mean, mean_per_label, sum;
    const double *none_gradient; /* of sum(none * upstream) */
    const double *mean_gradient, *mean_per_label_gradient, *sum_gradient;
} reference_ctc[] = {""")


def logits(n, t, v, spread=1.5):
    return grid(torch.randn(n, t, v, dtype=T) * spread)


def probabilities(n, t, v):
    return grid(torch.rand(n, t, v, dtype=T) * 0.8 + 0.1)


case("ctc", "two labels", logits(3, 5, 4), [[1, 2], [3, 1], [2, 3]])
case("ctc", "lengths from padding with -1", logits(3, 6, 5), [[1, 2, 4], [3], [2, 3]], padded=-1)
case("ctc", "lengths from padding with the blank", logits(3, 6, 5), [[1, 2, 4], [3], [2, 3]], padded=0)
case("ctc", "lengths given, one sample without labels", logits(4, 7, 4), [[1, 2, 3], [], [2], [3, 1]],
     input_lengths=[7, 4, 1, 5])
case("ctc", "no frames, no labels", logits(2, 4, 3), [[1, 2], []], input_lengths=[4, 0])
case("ctc", "concatenated targets", logits(3, 6, 5), [[1, 2, 4], [3], [2, 3]], concatenated=True,
     input_lengths=[6, 2, 5])
case("ctc", "time major", logits(3, 6, 4), [[1, 2, 1], [3], [2, 3]], time_major=True, input_lengths=[5, 6, 3])
case("ctc", "repeated labels", logits(3, 8, 4), [[1, 1, 1], [2, 2, 1, 1], [3, 2, 3]])
case("ctc", "blank is the last class", logits(2, 6, 4), [[0, 1, 2], [2, 2]], blank=3)
case("ctc", "blank in the middle, padded with it", logits(3, 6, 4), [[0, 1, 3], [3], [1, 0]], blank=2, padded=2)
case("ctc", "frames just enough", logits(2, 4, 5), [[1, 2, 3, 4], [2, 2, 3]])
case("ctc", "zero_infinity, one sample impossible", logits(3, 4, 4), [[1, 1, 1], [2, 3], [3, 3, 2, 2]],
     zero_infinity=True)
case("ctc", "sample weights", logits(4, 5, 4), [[1, 2], [3], [2, 2], [1, 3]], sample_weight=[1.0, 0.0, 2.5, 0.25])
case("ctc", "sample weights, time major, concatenated", logits(3, 6, 5), [[4, 2, 4], [3], [2, 3]], time_major=True,
     concatenated=True, sample_weight=[0.5, 3.0, 1.0])
case("ctc", "nearly certain frames", logits(3, 9, 6, 12.0), [[1, 2, 3], [4, 4], [5, 1]])
case("ctc", "logits of 100", logits(2, 6, 4, 100.0), [[1, 2], [3, 3]])
case("ctc", "logits of 10000", logits(2, 5, 4, 10000.0), [[1, 2], [3, 1]])
case("ctc", "longer", logits(2, 30, 7, 2.0), [[1, 2, 3, 3, 4, 6, 1, 1], [5, 4, 3, 2, 1, 6, 6, 6, 2, 3, 4]])
case("ctc", "two classes", logits(3, 6, 2), [[1], [1, 1], [1, 1, 1]])
case("ctc", "log_probs", grid(logits(3, 6, 4).log_softmax(-1)), [[1, 2, 1], [3, 3], [2]], input="log_probs")
case("ctc", "log_probs, time major, blank 1", grid(logits(2, 6, 4).log_softmax(-1)), [[0, 2, 3], [3, 3]],
     input="log_probs", time_major=True, blank=1, input_lengths=[4, 6])
case("ctc", "log_probs that add up to more than 1", logits(2, 6, 4), [[1, 2, 1], [3, 3]], input="log_probs")
case("ctc", "probs", grid(logits(3, 6, 4).softmax(-1)), [[1, 2, 1], [3, 3], [2]], input="probs",
     sample_weight=[1.0, 0.5, 2.0])
case("ctc", "probs, clipped at 0.125", grid(logits(3, 5, 4, 3.0).softmax(-1).clamp(max=0.998)) + 2.0 ** -12, [[1, 2], [3], [2, 3]],
     input="probs", eps=0.125, time_major=True)
case("ctc_simplified", "probs", probabilities(3, 6, 5), [[1, 2, 4], [3, 0], [2, 2]], input="probs")
case("ctc_simplified", "lengths from padding", probabilities(3, 6, 5), [[1, 2, 0, 4], [3], [2, 2]], input="probs",
     padded=-1)
case("ctc_simplified", "lengths, time major, concatenated", probabilities(3, 6, 5), [[1, 2, 0, 4], [3], [2, 2]],
     input="probs", input_lengths=[4, 6, 3], concatenated=True, time_major=True, sample_weight=[1.0, 2.0, 0.5])
case("ctc_simplified", "clipped at 0.25", probabilities(2, 5, 4) + 2.0 ** -12, [[1, 2], [3, 1, 0]], input="probs", eps=0.25)
print("};\n")
c.end()
