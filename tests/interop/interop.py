"""Round trips between luge and its peers, with the peers themselves: what NumPy, scikit-learn, pandas, safetensors and
PyTorch write is read by luge, and what luge writes is read by them.

    python interop.py BUILD_DIRECTORY SOURCE_DIRECTORY

`make interop` runs it (run.sh finds the packages). Values are compared to the bit, in the numbers of the build (float32,
or float64 by REAL=double), unless it says otherwise.
"""
import gzip
import itertools
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

import numpy as np
import pandas as pd
import safetensors
import safetensors.numpy
import safetensors.torch
import sklearn.datasets
import torch

build, source = (pathlib.Path(p).resolve() for p in sys.argv[1:3])
real = np.dtype(np.float64 if build.name.startswith("build-double") else np.float32)
folder = pathlib.Path(tempfile.mkdtemp(prefix="luge-interop-"))
random = np.random.default_rng(7)
checks = 0


def run(*command, fails=False):
    done = subprocess.run([str(c) for c in command], cwd=folder, capture_output=True, text=True)
    if (done.returncode != 0) != fails:
        sys.exit(f"{' '.join(map(str, command))}: exit {done.returncode}: {done.stderr}{done.stdout}")
    return done.stdout


def convert(*arguments):
    return run(build / "tests/interop/convert", *arguments)


def same(ours, theirs, what):
    """The same shape and, once theirs is rounded to ours, the same bits; NaNs are all alike."""
    global checks
    with np.errstate(over="ignore"):
        wanted = np.asarray(theirs).astype(real)
    ours = np.asarray(ours)
    if ours.dtype != real or ours.shape != wanted.shape:
        sys.exit(f"{what}: {ours.dtype} {ours.shape} instead of {real} {wanted.shape}")
    nan = np.isnan(wanted)
    if not np.array_equal(np.isnan(ours), nan) or ours[~nan].tobytes() != wanted[~nan].tobytes():
        sys.exit(f"{what}: values differ")
    checks += 1


def equal(ours, theirs, what):
    global checks
    if ours != theirs:
        sys.exit(f"{what}: {ours} instead of {theirs}")
    checks += 1


def table(path, **settings):
    """What luge reads: x, y (None without) and the lines it says."""
    out = folder / "out"
    said = convert("table", path, out, *(f"{k}={v}" for k, v in settings.items()))
    y = folder / "out.y.npy"
    read = np.load(f"{out}.x.npy"), np.load(y) if y.exists() else None, said.splitlines()
    y.unlink(missing_ok=True)
    return read


def section(name):
    print(f"  {name:<14} {checks - section.before:4} checks", flush=True)
    section.before = checks


section.before = 0

# ------------------------------------------------------------------------------------------- NPY

TYPES = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?"]


def sample(type_name, shape):
    kind = np.dtype(type_name)
    if kind.kind == "f":
        return (random.standard_normal(shape) * 100).astype(kind)
    if kind.kind == "b":
        return random.integers(0, 2, shape).astype(kind)
    bounds = np.iinfo(kind)
    return random.integers(bounds.min, bounds.max, shape, dtype=kind, endpoint=True)


path = folder / "t.npy"
for type_name, order, version in itertools.product(TYPES, "<>", [(1, 0), (2, 0), (3, 0)]):
    for shape, fortran in [((5,), False), ((4, 3), False), ((4, 3), True), ((2, 3, 4), True)]:
        array = sample(type_name, shape).astype(np.dtype(type_name).newbyteorder(order))
        with open(path, "wb") as file:
            np.lib.format.write_array(file, np.asfortranarray(array) if fortran else array, version=version)
        convert("array", path, "back.npy")
        same(np.load(folder / "back.npy"), array, f"NPY {array.dtype} {shape} {version}")
extremes = np.array([0.0, -0.0, 1e-45, 3.4028235e38, np.inf, -np.inf, np.nan, 1 / 3], dtype=np.float64)
np.save(path, extremes)
convert("array", path, "back.npy")
same(np.load(folder / "back.npy"), extremes, "NPY extremes")
rows = random.standard_normal((3000, 4)).astype(np.float32)
rows[:, 3] = random.integers(0, 3, 3000)
np.save(path, rows)
with gzip.open(folder / "t.npy.gz", "wb") as file:
    np.save(file, rows)
for name, settings in [("t.npy", {}), ("t.npy.gz", {}), ("t.npy", {"stream": 512})]:
    x, y, said = table(name, target=-1, kind="classes", **settings)
    same(x, rows[:, :3], f"NPY table {name} {settings}")
    equal(y.tolist(), rows[:, 3].astype(int).tolist(), "NPY classes")
section("NPY")

# ------------------------------------------------------------------------------------------- NPZ

labels = random.integers(0, 10, 50)
pictures = random.integers(0, 256, (50, 8, 8), dtype=np.uint8)
for save in (np.savez, np.savez_compressed):
    for names in (("x", "y"), ("X", "y"), ("images", "labels"), ("arr_0", "arr_1")):
        save(folder / "t.npz", **dict(zip(names, (pictures, labels))))
        x, y, said = table("t.npz", unit_bytes=1)
        same(x, np.float64(pictures) / 255, f"NPZ {save.__name__} {names}")
        equal([f"class\t{c}" for c in np.unique(labels)], said, "NPZ classes")
        equal(y.tolist(), np.searchsorted(np.unique(labels), labels).tolist(), "NPZ labels")
section("NPZ")

# ------------------------------------------------------------------------------------------- IDX

IDX = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def write_idx(name, code, array):
    head = struct.pack(">HBB", 0, code, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    (folder / name).write_bytes(head + array.astype(IDX[code]).tobytes())


for code, type_name in IDX.items():
    array = sample(np.dtype(type_name).str[1:], (20, 3, 2))
    write_idx("x.idx", code, array)
    write_idx("y.idx", 0x08, np.arange(20) % 4)
    for settings in ({}, {"stream": 256}):
        x, y, said = table("x.idx", labels=folder / "y.idx", **settings)
        same(x, array, f"IDX {type_name}")
        equal(y.tolist(), (np.arange(20) % 4).tolist(), "IDX labels")
section("IDX")

# ---------------------------------------------------------------------------------------- LIBSVM

for zero_based, classes in itertools.product((True, False), (True, False)):
    x = random.standard_normal((40, 12)) * (random.random((40, 12)) < 0.3)
    x[0] = random.standard_normal(12)  # every column is there
    y = random.integers(0, 3, 40) if classes else random.standard_normal(40)
    sklearn.datasets.dump_svmlight_file(x, y, str(folder / "t.svm"), zero_based=zero_based, comment="made by a peer")
    theirs, their_y = sklearn.datasets.load_svmlight_file(str(folder / "t.svm"), zero_based=zero_based)
    ours, our_y, said = table("t.svm")
    same(ours, theirs.toarray(), f"LIBSVM zero_based={zero_based}")
    if classes:
        equal(our_y.tolist(), their_y.tolist(), "LIBSVM classes")
    else:
        same(our_y, their_y, "LIBSVM values")
section("LIBSVM")

# ------------------------------------------------------------------------------------------- CSV

frame = pd.DataFrame({
    "amount": random.standard_normal(700) * 10.0 ** random.integers(-30, 30, 700),
    "where": random.choice(["Köln", "a, b", 'say "so"', "two\nlines", "NaN-like"], 700),
    "count": random.integers(-(10**6), 10**6, 700),
    "class": random.choice(["spam", "ham"], 700),
})
frame.loc[::9, "count"] = np.nan
frame.to_csv(folder / "t.csv", index=False)
for settings in ({}, {"stream": 256}):
    back = pd.read_csv(folder / "t.csv", dtype={"amount": str})
    back["amount"] = [float(text) for text in back["amount"]]  # rounded once, as luge does
    wanted = pd.concat([back[["amount"]], pd.get_dummies(back["where"], prefix="where", prefix_sep="=", dtype=float),
                        back[["count"]]], axis=1)
    x, y, said = table("t.csv", target="class", kind="classes", missing="keep", **settings)
    same(x, wanted.to_numpy(), f"CSV {settings}")
    equal("\n".join(said), "\n".join([f"feature\t{c}" for c in wanted.columns] + ["class\tham", "class\tspam"]),
          "CSV names")
    equal(y.tolist(), (back["class"] == "spam").astype(int).tolist(), "CSV classes")
section("CSV")

# ----------------------------------------------------------------------------------- safetensors

values = np.concatenate([random.standard_normal(40) * 10.0 ** random.integers(-6, 5, 40), [0.0, -0.0, np.inf, -np.inf]])
for type_name in ("float32", "float64", "float16"):
    tensors = {"a": values.astype(type_name), "b.weight": values[:40].astype(type_name).reshape(5, 8),
               "scalar": np.array(2.5, dtype=type_name), "none": np.zeros((0, 3), dtype=type_name)}
    safetensors.numpy.save_file(tensors, folder / "n.safetensors", metadata={"of": "Ä \"peer\"\n"})
    convert("tensors", "n.safetensors", "back.safetensors")
    back = safetensors.numpy.load_file(folder / "back.safetensors")
    for name, tensor in tensors.items():
        same(back[name], tensor, f"safetensors {type_name} {name}")
    with safetensors.safe_open(folder / "back.safetensors", "np") as file:
        equal(file.metadata(), {"of": "Ä \"peer\"\n"}, "safetensors metadata")
every = torch.arange(65536, dtype=torch.int32).to(torch.int16)  # each pattern of 16 bits
for kind in (torch.float32, torch.float64, torch.float16, torch.bfloat16):
    tensor = every.view(kind) if kind.itemsize == 2 else torch.from_numpy(values).to(kind)
    safetensors.torch.save_file({"t": tensor, "u": tensor[:12].reshape(3, 4).clone()}, folder / "t.safetensors")
    convert("tensors", "t.safetensors", "back.safetensors")
    back = safetensors.torch.load_file(folder / "back.safetensors")
    same(back["t"].numpy(), tensor.to(torch.float64).numpy(), f"safetensors {kind}")
    same(back["u"].numpy(), tensor[:12].to(torch.float64).reshape(3, 4).numpy(), f"safetensors {kind}")
section("safetensors")

# ----------------------------------------------------------------- a run, read by pandas and PyTorch

data = source / "data/spam.csv.gz"
run(build / "fraud", "--data", data, "--target", "type", "--positive", "spam", "--hidden", "16,8", "--epochs", "3",
    "--verbose", "0", "--out", "run")
history = pd.read_csv(folder / "run/history.csv")
equal(history["epoch"].tolist(), [1, 2, 3], "history.csv")
lines = [json.loads(line) for line in (folder / "run/history.jsonl").read_text().splitlines()]
equal(lines[-1]["loss"], float(history["loss"].iloc[-1]), "history.jsonl")
with safetensors.safe_open(folder / "run/model.safetensors", "pt") as file:
    texts = file.metadata()
    tensors = {name: file.get_tensor(name) for name in file.keys()}
frame = pd.read_csv(data)
widths = [int(w) for w in texts["layers"].split(",")]


def logits_of(tensors):
    """As luge makes them: inputs standardised in double, layers in the numbers of the build."""
    columns = frame[json.loads(texts["features"])].to_numpy(dtype=np.float64)
    number = tensors["dense_1.weight"].dtype
    x = torch.from_numpy(columns).to(number).double()
    x = ((x - tensors["input.means"]) / tensors["input.deviations"]).to(number)
    for i in range(1, len(widths)):
        x = torch.nn.functional.linear(x, tensors[f"dense_{i}.weight"], tensors[f"dense_{i}.bias"])
        x = torch.relu(x) if i + 1 < len(widths) else x
    return x[:, 0].double()


def near(ours, theirs, tolerance, what):
    global checks
    worst = float(np.abs(np.array(ours) - theirs.numpy()).max())
    if not worst < tolerance:
        sys.exit(f"{what}: off by {worst}")
    checks += 1


logits = logits_of(tensors)
target = torch.from_numpy((frame["type"] == "spam").to_numpy(dtype=np.float64))
ours = pd.read_csv(folder / "run/predictions.csv").set_index("row").sort_index()
near(ours["probability"], torch.sigmoid(logits), 2e-6, "probabilities by PyTorch")
near(ours["loss"], torch.nn.functional.binary_cross_entropy_with_logits(logits, target, reduction="none"), 1e-4,
     "losses by PyTorch")

# Weights that PyTorch has changed and written are what luge predicts by.
for name in tensors:
    if name.startswith("dense_"):
        tensors[name] = tensors[name] * 1.5
safetensors.torch.save_file(tensors, folder / "theirs.safetensors", metadata=texts)
run(build / "fraud", "--load", "theirs.safetensors", "--predict", data, "--out", "predicted")
ours = pd.read_csv(folder / "predicted/predictions.csv")["probability"]
near(ours, torch.sigmoid(logits_of(tensors)), 2e-6, "probabilities of a model by PyTorch")
section("a model")

for file in sorted(folder.rglob("*"), reverse=True):
    file.rmdir() if file.is_dir() else file.unlink()
folder.rmdir()
print(f"interop: {checks} checks, with numpy {np.__version__}, pandas {pd.__version__}, scikit-learn "
      f"{sklearn.__version__}, safetensors {safetensors.__version__}, torch {torch.__version__}")
