"""Writes Python numbers as C: what the scripts beside it share. Needs nothing but Python."""
import math
import textwrap


def real(x):
    x = float(x.detach() if hasattr(x, "detach") else x)
    if math.isnan(x):
        return "NAN"
    if math.isinf(x):
        return "INFINITY" if x > 0 else "-INFINITY"
    return repr(x)


def flat(values):
    """A tensor, an array, a list or a number as a flat list of numbers."""
    if hasattr(values, "detach"):
        values = values.detach()
    if hasattr(values, "reshape"):
        return values.reshape(-1).tolist()
    return list(values) if isinstance(values, (list, tuple)) else [values]


def reals(values):
    return "NULL" if values is None else array("double", map(real, flat(values)))


def ints(values, kind="int"):
    return "NULL" if values is None else array(kind, (str(int(v)) for v in flat(values)))


def array(kind, items):
    items = list(items)
    return f"(const {kind}[]){{ {', '.join(items)} }}" if items else "NULL"


def dims(shape):
    """A shape as two initialisers, `rank, { dims }`."""
    shape = list(shape)
    return f"{len(shape)}, {{ {', '.join(map(str, shape)) or '0'} }}"


def row(*fields):
    """One element of an array of structs, folded at 118 columns."""
    text = ", ".join(fields).replace("(const ", "(const\a")   # keeps a compound literal's type on one line
    lines = textwrap.wrap(text, 112, break_long_words=False, break_on_hyphens=False)
    return ("    { " + "\n      ".join(lines) + " },").replace("\a", " ")


def block(values):
    """The initialiser of an array of its own, `{ ... }`, folded."""
    return row(*map(real, flat(values))).strip().rstrip(",")


def text(value):
    return "NULL" if value is None else f'"{value}"'


def begin(name, about):
    lines = "\n".join(" * " + line if line else " *" for line in textwrap.dedent(about).strip().split("\n"))
    print(f"/* Reference values, made by {name}.py: do not edit.\n *\n{lines} */")
    print(f"#ifndef REFERENCE_{name.upper()}_H\n#define REFERENCE_{name.upper()}_H\n")
    print("#include <math.h>\n#include <stdbool.h>\n#include <stddef.h>\n")


def end():
    print("#endif")
