"""NPY files as NumPy writes them, and IDX files whose elements NumPy puts into bytes.

    python tests/reference/arrays.py > tests/reference/arrays.h

Made with NumPy 2.4. Every value is one that all types of its file hold exactly."""
import io
import struct
import warnings
import zipfile

import numpy

import c_header as c

warnings.simplefilter("ignore")


def file(name, content, values, element):
    data = ", ".join(str(b) for b in content)
    values = numpy.asarray(values)
    print(c.row(c.text(name), c.text(element), str(len(content)), f"(const unsigned char[]){{ {data} }}",
                        c.dims(values.shape), c.reals(values.astype(float))))


def npy(name, values, version=(1, 0)):
    stream = io.BytesIO()
    numpy.lib.format.write_array(stream, values, version=version)
    file(name, stream.getvalue(), values, values.dtype.str)


def idx(name, code, kind, values):
    values = numpy.asarray(values)
    head = bytes([0, 0, code, values.ndim]) + b"".join(struct.pack(">I", n) for n in values.shape)
    file(name, head + values.astype(">" + kind).tobytes(), values, kind)


c.begin("arrays", __doc__.split("\n\n")[0] + "\n" + __doc__.strip().split("\n\n")[2])
print("""typedef struct reference_array {
    const char *name, *element; /* NumPy's name of the type */
    size_t bytes;
    const unsigned char *content;
    size_t rank, dims[4];
    const double *values; /* in C order */
} reference_array;

static const reference_array reference_npy[] = {""")
steps = numpy.arange(6).reshape(2, 3)
for kind, values in [("u1", steps * 51), ("u2", steps * 13107), ("u4", steps * 2**29 + steps * 2**27),
                     ("u8", steps * 2**40), ("i1", steps * 51 - 128), ("i2", steps * 13107 - 32768),
                     ("i4", 2**28 - steps * 2**28), ("i8", 2**40 - steps * 2**41), ("f2", steps * 0.375 - 1),
                     ("f4", steps * 2.0**-20 - 1), ("f8", 2.0**90 - steps * 2.0**89), ("?", steps % 2)]:
    for order in "<>":
        if order == "<" or numpy.dtype(kind).itemsize > 1:
            npy(f"{kind} {order}", values.astype(kind if kind == "?" else order + kind))
half = numpy.array([0.0, -0.0, 2.0**-24, 2.0**-14 - 2.0**-24, 65504, -1.0009765625], dtype="<f2")
npy("half precision, subnormal and largest", half)
cube = numpy.arange(24, dtype="<f4").reshape(2, 3, 4)
npy("C order", cube)
npy("Fortran order", numpy.asfortranarray(cube))
npy("Fortran order, four axes", numpy.asfortranarray(numpy.arange(36, dtype="<i2").reshape(2, 3, 3, 2)))
npy("Fortran order, big-endian", numpy.asfortranarray(cube.astype(">f8")))
npy("version 2.0", cube, (2, 0))
npy("version 3.0", cube, (3, 0))
npy("one axis", numpy.arange(5, dtype="<f8"))
print("""};

static const reference_array reference_idx[] = {""")
for code, kind, values in [(8, "u1", steps * 51), (9, "i1", steps * 51 - 128), (0x0B, "i2", steps * 13107 - 32768),
                           (0x0C, "i4", 2**28 - steps * 2**28), (0x0D, "f4", steps * 2.0**-20 - 1),
                           (0x0E, "f8", 2.0**90 - steps * 2.0**89)]:
    idx(kind, code, kind, values)
idx("three axes", 8, "u1", numpy.arange(24).reshape(2, 3, 4))
idx("four axes", 0x0B, "i2", numpy.arange(36).reshape(2, 3, 3, 2))
idx("one axis", 8, "u1", [3, 1, 4, 1, 5])
print("""};

/* Of the arrays "C order" (x, x_train, arr_0) and 0, 5 (y, y_train); and others. */
static const struct reference_npz {
    const char *name;
    size_t bytes;
    const unsigned char *content;
} reference_npz[] = {""")


def npz(name, save, *arrays, **named):
    stream = io.BytesIO()
    save(stream, *arrays, **named)
    print(c.row(c.text(name), str(len(stream.getvalue())),
                f"(const unsigned char[]){{ {', '.join(str(b) for b in stream.getvalue())} }}"))


labels = numpy.array([0, 5], dtype="<i8")
npz("stored", numpy.savez, x=cube, y=labels)
npz("deflated", numpy.savez_compressed, y_train=labels, x_test=half, x_train=cube)
npz("without names", numpy.savez, cube)
npz("strange", numpy.savez, a=half, b=labels)
zipfile.ZIP64_LIMIT = 10   # what is larger is written as if it were over 4 GB
npz("ZIP64", numpy.savez_compressed, x=cube, y=labels)
print("};\n")
c.end()
