"""Fits the polynomials of src/tensor/math_internal.h and prints their coefficients, lowest power first.

Needs numpy and mpmath; nothing of luge needs this script. Each polynomial is the minimax fit, by Lawson's iterated
weighted least squares, of a function under a weight that makes the error relative to the value in which the polynomial
ends up. Then the lowest coefficient is rounded to float, the others are fitted anew, and so on upwards."""
import mpmath as mp
import numpy as np

mp.mp.dps = 40
POINTS = 1500


def minimax(basis, target, weight, iterations=60):
    """Coefficients c that minimise max |weight (basis c - target)|, and that maximum."""
    share = np.full(len(target), 1 / len(target))
    best = np.inf, None
    for _ in range(iterations):
        root = np.sqrt(share) * weight
        c = np.linalg.lstsq(basis * root[:, None], target * root, rcond=None)[0]
        error = np.abs(weight * (basis @ c - target))
        if error.max() < best[0]:
            best = error.max(), c
        share *= error
        share /= share.sum()
    return best[1]


def fit(name, function, weight, low, high, terms):
    x = (high + low) / 2 + (high - low) / 2 * np.cos(np.pi * (np.arange(POINTS) + 0.5) / POINTS)
    target = np.array([float(function(mp.mpf(v))) for v in x])
    weights = np.array([float(weight(mp.mpf(v))) for v in x])
    scale = max(abs(low), abs(high))  # powers of x / scale are of one size
    rounded = []
    for k in range(terms):
        rest = target - sum(c * x**i for i, c in enumerate(rounded))
        basis = np.stack([(x / scale) ** j for j in range(k, terms)], 1)
        rounded.append(float(np.float32(minimax(basis, rest, weights)[0] / scale**k)))
    error = np.max(np.abs(weights * (target - sum(c * x**i for i, c in enumerate(rounded)))))
    print(f"{name}: within 2^{np.log2(error):.1f}")
    for c in rounded:
        mantissa, exponent = c.hex().split("p")
        print(f"    {mantissa[:-7]}p{exponent}f  ({c:.9g})")


def after(value, terms):
    """value(x) minus its Taylor terms, over the next power of x; near 0 by the coefficient that comes next."""
    known = mp.taylor(value, 0, terms)
    def rest(x):
        if abs(x) < mp.mpf("1e-8"):
            return known[terms]
        return (value(x) - sum(known[i] * x**i for i in range(terms))) / x**terms
    return rest


def relative(power, value):
    return lambda x: abs(x**power / value(x))


half = float(mp.log(2)) / 2 * 1.0003  # a little more than rounding to an integer can leave
fit("exp q", after(mp.exp, 2), relative(2, mp.exp), -half, half, 5)
fit("expm1 q", after(mp.expm1, 2), relative(2, mp.expm1), -half, half, 6)
low, high = (float(mp.sqrt(m) - 1) * 1.0003 for m in (0.5, 2))
fit("log g", after(mp.log1p, 3), relative(3, mp.log1p), low, high, 9)
fit("log1p g, x from 0 to 1", after(mp.log1p, 3), relative(3, mp.log1p), 0, 1, 8)
fit("log1p g, x from -1/2 to 0", after(mp.log1p, 3), relative(3, mp.log1p), -0.5, 0, 8)


def erf_over_x_minus_1(square):
    x = mp.sqrt(square)
    return mp.erf(x) / x - 1


fit("erf p, of x^2", erf_over_x_minus_1, lambda square: 1 / (1 + erf_over_x_minus_1(square)), 0, 1, 7)
fit("erf q", lambda x: -mp.log(mp.erfc(x)), lambda x: mp.erfc(x) / mp.erf(x), 1, 4, 7)


def sine_over_d(square):
    d = mp.sqrt(square)
    return mp.sin(mp.pi / 2 * d) / d


def cosine(square):
    return mp.cos(mp.pi / 2 * mp.sqrt(square))


fit("sine, of d^2", sine_over_d, lambda square: 1 / sine_over_d(square), 0, 0.25, 4)
fit("cosine, of d^2", cosine, lambda square: 1 / cosine(square), 0, 0.25, 5)


def normal_over_t(u):
    """With t = 1 - u = 1 / (1 + 0.3 a): what the normal distribution has beyond a, over t exp(-a^2 / 2)."""
    a = mp.mpf(u) / (1 - mp.mpf(u)) / mp.mpf(float(np.float32(0.3)))
    return mp.erfc(a / mp.sqrt(2)) / 2 * mp.exp(a * a / 2) / (1 - mp.mpf(u))


fit("normal p, of u", normal_over_t, lambda u: 1 / normal_over_t(u), 0, 1 - 1 / (1 + 0.3 * 14.3), 10)
