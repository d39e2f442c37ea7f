"""Values and gradients of the tape's operations, on small inputs and extreme ones.

    python tests/reference/ops.py > tests/reference/ops.h

Made with PyTorch 2.13.0 (float64)."""
import torch
import torch.nn.functional as F

import c_header as c

torch.manual_seed(7)
NO_AXIS = None


def normal(*shape):
    """Random values of few digits, which float holds as well as double but for a rounding."""
    return (torch.randn(shape, dtype=torch.float64) * 64).round() / 64


def positive(*shape):
    return normal(*shape).abs() + 0.25


def real(*values):
    return torch.tensor(values, dtype=torch.float64)


def case(op, what, compute, *inputs, real=(), axis=NO_AXIS, range=(0, 0), index=None, transpose=(False, False),
         activation=None, dims=None):
    leaves = [x.clone().requires_grad_(True) for x in inputs]
    output = compute(*leaves)
    upstream = (torch.rand(output.shape, dtype=torch.float64) * 64).round() / 64 + 0.5
    gradients = torch.autograd.grad(output, leaves, upstream)
    assert all(torch.isfinite(t).all() for t in (output, *gradients)), (op, what, output, gradients)

    def tensor(value, gradient):
        return f"{{ {c.dims(value.shape)}, {c.reals(value)}, {c.reals(gradient)} }}"

    both = (list(real) + [0, 0])[:2]
    print(c.row(
        c.text(op), c.text(what), f"{len(leaves)}",
        "{ " + ", ".join(tensor(x, g) for x, g in zip(leaves, gradients)) + " }", tensor(output, upstream),
        f"{{ {c.real(both[0])}, {c.real(both[1])} }}", "OPS_NO_AXIS" if axis is NO_AXIS else str(axis),
        f"{range[0]}, {range[1]}", str(len(index)) if index else "0", c.ints(index, "int32_t"),
        f"{{ {', '.join(str(t).lower() for t in transpose)} }}", c.text(activation)))


c.begin("ops", """
    PyTorch %s, float64. Each row is one call: inputs, output, and the inputs' gradients for the given
    upstream gradient of the output (that is, for the scalar sum(output * upstream)).""" %
        torch.__version__.split("+")[0])
print("""#include <limits.h>
#include <stdint.h>

#define OPS_NO_AXIS INT_MIN

typedef struct {
    size_t rank, dims[4];
    const double *value;
    const double *gradient;   /* of the output: the upstream gradient */
} reference_tensor;

static const struct reference_op {
    const char *op, *what;
    size_t inputs;
    reference_tensor input[3];
    reference_tensor output;
    double real[2];           /* scale: factor. pow: exponent. clamp: low, high. leaky_relu: slope */
    int axis;                 /* softmax, log_softmax, sum, mean, max, concat, slice; OPS_NO_AXIS: over all */
    size_t begin, end;        /* slice: [begin, end) along the axis */
    size_t indices;           /* gather: which rows */
    const int32_t *index;
    bool transpose[2];        /* matmul: op(a) op(b) */
    const char *activation;   /* linear: NULL, relu, tanh, sigmoid */
} reference_ops[] = {""")

# Products of matrices
a, b = normal(3, 4), normal(4, 2)
case("matmul", "a b", lambda a, b: a @ b, a, b)
case("matmul", "a' b", lambda a, b: a.T @ b, a.T.contiguous(), b, transpose=(True, False))
case("matmul", "a b'", lambda a, b: a @ b.T, a, b.T.contiguous(), transpose=(False, True))
case("matmul", "a' b'", lambda a, b: a.T @ b.T, a.T.contiguous(), b.T.contiguous(), transpose=(True, True))
case("matmul", "one row", lambda a, b: a @ b, normal(1, 5), normal(5, 3))
case("matmul", "one column", lambda a, b: a @ b, normal(4, 3), normal(3, 1))
for activation, function in ((None, lambda z: z), ("relu", torch.relu), ("tanh", torch.tanh),
                             ("sigmoid", torch.sigmoid)):
    case("linear", activation or "plain", lambda x, w, b: function(F.linear(x, w, b)), normal(3, 4), normal(2, 4),
         normal(2), activation=activation)
case("linear", "no bias", lambda x, w: F.linear(x, w), normal(3, 4), normal(2, 4))

# Two inputs, broadcast as NumPy does
SHAPES = (((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 3), (2, 1)), ((2, 3), ()), ((), (2, 3)), ((4, 1), (1, 3)),
          ((2, 1, 3), (4, 1)), ((2, 3, 1, 2), (3, 2, 1)), ((1,), (5,)))
for name, function in (("add", torch.add), ("sub", torch.sub), ("mul", torch.mul), ("div", torch.div),
                       ("maximum", torch.maximum), ("minimum", torch.minimum)):
    for left, right in SHAPES:
        second = positive(*right) if name == "div" else normal(*right) + 1 / 128   # no ties
        case(name, f"{list(left)} {list(right)}", function, normal(*left), second)

# One input
x = real(-3, -1.5, -0.75, -0.125, 0.0625, 0.5, 1, 2.25).reshape(2, 4)
case("neg", "", torch.neg, x)
case("scale", "", lambda x: -2.5 * x, x, real=(-2.5,))
case("exp", "", torch.exp, x)
case("exp", "underflow and the largest of float", torch.exp, real(-1000, -87, 80, 88))
case("log", "", torch.log, positive(2, 4))
case("log", "small and large", torch.log, real(1e-30, 1e-7, 1e30))
case("sqrt", "", torch.sqrt, positive(2, 4))
case("square", "", torch.square, x)
case("abs", "", torch.abs, x)
case("abs", "at zero", torch.abs, real(0, -0.0))
for exponent in (2.0, 3.0, 0.0, 1.0, -2.0):
    case("pow", f"negative bases, exponent {exponent}", lambda x: torch.pow(x, exponent), x, real=(exponent,))
for exponent in (0.5, 1.7, -0.3):
    case("pow", f"exponent {exponent}", lambda x: torch.pow(x, exponent), positive(2, 4), real=(exponent,))
for exponent in (3.0, 2.0, 1.0, 0.0):
    case("pow", f"zero base, exponent {exponent}", lambda x: torch.pow(x, exponent), real(0, 2), real=(exponent,))
case("clamp", "", lambda x: torch.clamp(x, -1, 0.75), x, real=(-1, 0.75))
case("relu", "", torch.relu, x)
case("relu", "at zero", torch.relu, real(0, -0.0))
case("leaky_relu", "", lambda x: F.leaky_relu(x, 0.01), x, real=(0.01,))
case("leaky_relu", "steeper", lambda x: F.leaky_relu(x, 0.3), x, real=(0.3,))
EXTREME = real(-1000, -100, -40, -20, 20, 40, 100, 1000)
case("sigmoid", "", torch.sigmoid, x)
case("sigmoid", "extreme", torch.sigmoid, EXTREME)
case("tanh", "", torch.tanh, x)
case("tanh", "small", torch.tanh, real(-1e-3, -1e-6, 1e-9, 0.01))
case("tanh", "extreme", torch.tanh, EXTREME)
# F.softplus is linear from 20 on; logaddexp(x, 0) is the function itself
softplus = lambda x: torch.logaddexp(x, torch.zeros_like(x))
case("softplus", "", softplus, x)
case("softplus", "extreme", softplus, EXTREME)
case("gelu", "exact", F.gelu, x)
case("gelu", "extreme", F.gelu, real(-1000, -10, -5, 5, 10, 1000))

# Over an axis
cube = normal(2, 3, 4)
for name, function in (("softmax", torch.softmax), ("log_softmax", torch.log_softmax)):
    for axis in (0, 1, 2, -1):
        case(name, f"axis {axis}", lambda x: function(x, axis), cube, axis=axis)
    case(name, "rank 1", lambda x: function(x, 0), normal(5), axis=0)
    case(name, "extreme", lambda x: function(x, -1), real(1e4, -1e4, 0, 1e4, 1e4, -1e4, -1e4, -1e4, -9999).reshape(3, 3),
         axis=-1)
    case(name, "one class", lambda x: function(x, -1), normal(3, 1), axis=-1)
for name, function in (("sum", torch.sum), ("mean", torch.mean), ("max", torch.amax)):
    distinct = (torch.randperm(24).to(torch.float64) / 8 - 1).reshape(2, 3, 4)   # max without ties
    case(name, "all", lambda x: function(x), distinct)
    for axis in (0, 1, 2, -2):
        case(name, f"axis {axis}", lambda x: function(x, axis), distinct, axis=axis)
    case(name, "rank 1", lambda x: function(x, 0), real(3, -1, 2), axis=0)

# Moving values about
case("reshape", "[2, 3, 4] to [4, 6]", lambda x: x.reshape(4, 6), cube)
case("transpose", "", lambda x: x.T, normal(3, 2))
case("concat", "axis 0", lambda a, b, c: torch.cat((a, b, c), 0), normal(2, 3), normal(1, 3), normal(3, 3), axis=0)
case("concat", "axis 1", lambda a, b: torch.cat((a, b), 1), normal(2, 3), normal(2, 1), axis=1)
case("concat", "middle axis", lambda a, b: torch.cat((a, b), 1), normal(2, 1, 2), normal(2, 2, 2), axis=1)
case("slice", "axis 0", lambda x: x[1:3], normal(4, 3), axis=0, range=(1, 3))
case("slice", "axis 1", lambda x: x[:, 1:2], cube, axis=1, range=(1, 2))
case("slice", "last axis", lambda x: x[..., 2:4], cube, axis=2, range=(2, 4))
case("gather", "rows, one twice", lambda x: x[[3, 0, 3, 1]], normal(4, 3), index=[3, 0, 3, 1])
case("gather", "rows of rank 3", lambda x: x[[1, 1]], cube, index=[1, 1])
print("};\n")
c.end()
