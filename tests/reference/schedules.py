"""Learning rates of PyTorch's schedulers, epoch by epoch.

    python tests/reference/schedules.py > tests/reference/schedules.h

Made with PyTorch 2.13.0."""
import warnings

import torch
from torch.optim import lr_scheduler as schedulers

import c_header as c

warnings.simplefilter("ignore")
BASE = 0.1


def rates(make, epochs, metric=None):
    """The rate that each epoch trains with; a plateau scheduler sees the epoch's metric after it."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=BASE)
    scheduler = make(optimizer)
    found = []
    for epoch in range(epochs):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step(*([metric[epoch]] if metric else []))
    return found


def cosine(warm_up, length, minimum):
    def make(optimizer):
        annealing = schedulers.CosineAnnealingLR(optimizer, T_max=length, eta_min=minimum)
        if warm_up == 0:
            return annealing
        rising = schedulers.LinearLR(optimizer, start_factor=1 / warm_up, end_factor=1, total_iters=warm_up - 1)
        return schedulers.SequentialLR(optimizer, [rising, annealing], milestones=[warm_up])
    return make


c.begin("schedules", """
    PyTorch %s. Learning rates that epochs 0, 1, 2, ... train with, from a base rate of 0.1.""" %
        torch.__version__.split("+")[0])
print(f"#define REFERENCE_BASE_RATE {BASE}\n")
print("""/* step: base * gamma^(epoch / every).  exponential: base * gamma^epoch.
 * cosine: warm_up epochs rise linearly, base * (epoch + 1) / warm_up; then `length` epochs fall as
 * minimum + (base - minimum) * (1 + cos(pi * k / length)) / 2, k = 0..length (the last one is the minimum). */
static const struct reference_schedule {
    const char *kind;   /* step, exponential, cosine */
    int every;          /* step */
    double gamma;       /* step, exponential */
    int warm_up, length;
    double minimum;     /* cosine */
    int epochs;
    const double *rate;
} reference_schedules[] = {""")


def plain(kind, make, epochs, every=0, gamma=0, warm_up=0, length=0, minimum=0):
    print(c.row(c.text(kind), str(every), c.real(gamma), str(warm_up), str(length), c.real(minimum), str(epochs),
                c.reals(rates(make, epochs))))


for every, gamma in ((10, 0.1), (3, 0.5)):
    plain("step", lambda o: schedulers.StepLR(o, every, gamma), 30, every=every, gamma=gamma)
for gamma in (0.95, 0.5):
    plain("exponential", lambda o: schedulers.ExponentialLR(o, gamma), 20, gamma=gamma)
for warm_up, length, minimum in ((0, 20, 0.0), (0, 15, 0.01), (5, 20, 0.0), (4, 11, 0.002)):
    plain("cosine", cosine(warm_up, length, minimum), warm_up + length + 1, warm_up=warm_up, length=length,
          minimum=minimum)
print("};\n")

print("""/* ReduceLROnPlateau: after epoch k the schedule is shown metric[k]; rate[k] is what epoch k trained with. With a relative
 * threshold, "better" is metric < best * (1 - threshold) (maximise: > best * (1 + threshold)); an absolute one is
 * subtracted or added. More than `patience` bad epochs in a row multiply the rate by factor, not below minimum; the
 * `cooldown` epochs after that do not count as bad. A fall of less than 1e-8 is not made. */
static const struct reference_plateau {
    double factor;
    int patience;
    double threshold;
    bool absolute_threshold, maximise;
    int cooldown;
    double minimum;
    int epochs;
    const double *metric, *rate;
} reference_plateaus[] = {""")
FALLING = [1.0, 0.8, 0.7, 0.7, 0.71, 0.72, 0.7, 0.69, 0.69, 0.69, 0.69, 0.69, 0.69, 0.5, 0.5, 0.50001, 0.49999, 0.5, 0.5,
           0.5, 0.5, 0.5, 0.5, 0.5, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4]
NAN = [1.0, float("nan"), 0.9, float("nan"), float("nan"), float("nan"), 0.8, 0.8, 0.8, 0.8]
RISING = [1 - m for m in FALLING]


def plateau(metric, factor=0.1, patience=10, threshold=1e-4, absolute=False, maximise=False, cooldown=0, minimum=0.0):
    found = rates(lambda o: schedulers.ReduceLROnPlateau(
        o, mode="max" if maximise else "min", factor=factor, patience=patience, threshold=threshold,
        threshold_mode="abs" if absolute else "rel", cooldown=cooldown, min_lr=minimum), len(metric), metric)
    print(c.row(c.real(factor), str(patience), c.real(threshold), str(absolute).lower(), str(maximise).lower(),
                str(cooldown), c.real(minimum), str(len(metric)), c.reals(metric), c.reals(found)))


plateau(FALLING, patience=2)
plateau(FALLING, factor=0.5, patience=0)
plateau(FALLING, factor=0.5, patience=1, cooldown=3)
plateau(FALLING, factor=0.2, patience=2, threshold=0.02)
plateau(FALLING, factor=0.5, patience=2, threshold=0.015, absolute=True)
plateau(FALLING, factor=0.3, patience=1, minimum=0.005)
plateau(RISING, factor=0.5, patience=2, maximise=True)
plateau(RISING, factor=0.5, patience=1, threshold=0.01, absolute=True, maximise=True, cooldown=1)
plateau(FALLING + FALLING[-1:] * 40, factor=0.01, patience=1)
plateau(NAN, factor=0.5, patience=1)
print("};\n")
c.end()
