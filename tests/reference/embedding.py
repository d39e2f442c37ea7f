"""The networks of build/siamese and build/triplet, trained in PyTorch on the same classes.

    build/triplet --out runs/triplet
    python tests/reference/embedding.py runs/triplet data/digits.csv.gz

Prints the ROC AUC of the run over its test pairs, and that of the same network in PyTorch over the same pairs: same
sizes, standardisation, loss, mining, optimizer and number of epochs; five seeds of its own. The data are a CSV, or IDX
pictures and IDX labels. Made with PyTorch 2.13 and scikit-learn 1.9."""
import gzip
import json
import pathlib
import sys

import numpy
import pandas
import torch
from sklearn.metrics import roc_auc_score

SEEDS = range(5)


def read_idx(path):
    data = gzip.open(path).read()
    dims = [int.from_bytes(data[4 + 4 * i:8 + 4 * i], "big") for i in range(data[3])]
    return numpy.frombuffer(data, numpy.uint8, offset=4 + 4 * data[3]).reshape(dims)


def read(paths):
    if len(paths) == 2:
        pictures = read_idx(paths[0])
        return pictures.reshape(len(pictures), -1) / numpy.float32(255), read_idx(paths[1]).astype(int)
    table = numpy.loadtxt(gzip.open(paths[0]), delimiter=",", dtype="float32")
    return table[:, :-1], table[:, -1].astype(int)


def build(inputs, a):
    layers, width = [], inputs
    for hidden in a["hidden"]:
        layers += [torch.nn.Linear(width, hidden), torch.nn.Tanh()]
        width = hidden
    layers.append(torch.nn.Linear(width, a["embedding"]))
    return torch.nn.Sequential(*layers, *([torch.nn.Tanh()] if a["tanh_output"] else []))


def pairs_epoch(embed, z, y, rows, a, random):
    """Losses of an epoch of pairs, half of them of one class, in batches."""
    n = a["pairs"]
    first, same = random.choice(rows, n), numpy.arange(n) < n / 2
    second = numpy.array([random.choice(rows[(y[rows] == y[i]) == s]) for i, s in zip(first, same)])
    order = random.permutation(n)
    for k in range(0, n, a["batch_size"]):
        q = order[k:k + a["batch_size"]]
        d = (embed(z[first[q]]) - embed(z[second[q]])).square().sum(1).clamp_min(1e-12).sqrt()
        t = torch.tensor(same[q].astype("float32"))
        yield (t * d ** 2 + (1 - t) * torch.relu(a["margin"] - d) ** 2).mean() * (1 if a["similar_label"] else 0.5)


def triplets_epoch(embed, z, y, rows, a, random):
    """Losses of an epoch of batches of a few classes, with the triplets mined inside."""
    classes, per_class = numpy.unique(y[rows]), a["batch_rows"]
    for _ in range(1 + len(rows) // (a["batch_classes"] * per_class)):
        chosen = random.choice(classes, min(a["batch_classes"], len(classes)), replace=False)
        batch = numpy.concatenate([random.choice(rows[y[rows] == c], per_class,
                                                 replace=(y[rows] == c).sum() < per_class) for c in chosen])
        e, labels, triplets = embed(z[batch]), y[batch], []
        d = (e[:, None] - e[None]).square().sum(2)
        seen = d.detach().numpy()
        for i in range(len(batch)):
            others = numpy.where(labels != labels[i])[0]
            for p in numpy.where(labels == labels[i])[0]:
                if p == i:
                    continue
                farther = others[seen[i, others] > seen[i, p]]
                if a["mining"] == "random":
                    n = random.choice(others)
                else:
                    n = farther[seen[i, farther].argmin()] if len(farther) else others[seen[i, others].argmax()]
                triplets.append((i, p, n))
        i, p, n = numpy.array(triplets).T
        d = d if a["distance"] == "squared" else d.clamp_min(1e-12).sqrt()
        yield torch.relu(d[i, p] - d[i, n] + a["margin"]).mean()


def train(z, y, rows, run, seed):
    a, random = run["arguments"], numpy.random.default_rng(seed)
    torch.manual_seed(seed)
    net = build(z.shape[1], a)
    optimizer = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[a["optimizer"]](net.parameters(), a["learning_rate"])
    embed = (lambda x: torch.nn.functional.normalize(net(x))) if a["normalize"] else net
    epoch = triplets_epoch if "mining" in a else pairs_epoch
    for _ in range(run["training"]["best_epoch"] or run["training"]["epochs"]):
        for loss in epoch(embed, z, y, rows, a, random):
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    with torch.no_grad():
        return embed(z).numpy()


folder, x, y = pathlib.Path(sys.argv[1]), *read(sys.argv[2:])
run = json.loads((folder / "run.json").read_text())
pairs = pandas.read_csv(folder / ("pairs.csv" if (folder / "pairs.csv").exists() else "predictions.csv"))
test = pairs[pairs.part == "test"]
same = y[test.row_a] == y[test.row_b]
rows = numpy.where(~numpy.isin(y, y[numpy.concatenate([pairs.row_a, pairs.row_b])]))[0]
z = torch.tensor((x - x[rows].mean()) / x[rows].std())
print(f"{folder}: {run['metrics']['test']['roc_auc']:.4f}; by scikit-learn {roc_auc_score(same, -test.distance):.4f}")
for seed in SEEDS:
    e = train(z, y, rows, run, seed)
    distance = numpy.linalg.norm(e[test.row_a] - e[test.row_b], axis=1)
    print(f"PyTorch, seed {seed}: {roc_auc_score(same, -distance):.4f}")
