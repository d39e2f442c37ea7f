"""A variational autoencoder of the sizes of `vae`, in PyTorch, on data/digits.csv.gz: the bound that tests/test_vae.c asserts.

    python tests/reference/vae.py [seeds [hidden latent epochs rate batch]]

Prints, for each seed, the negative evidence lower bound of the held-out rows after the last epoch (one sample of the
code for each row, as in training), its two parts, and their means and deviations over the seeds. Made with PyTorch 2.13
and NumPy 2.4; nothing in it is luge's."""
import gzip
import pathlib
import sys

import numpy
import torch
from torch import nn
from torch.nn import functional

seeds, hidden, latent, epochs, batch = 5, 128, 8, 100, 64
rate = 0.002
if len(sys.argv) > 1:
    seeds = int(sys.argv[1])
if len(sys.argv) > 2:
    hidden, latent, epochs, rate, batch = (int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]),
                                           int(sys.argv[6]))
torch.set_num_threads(1)

path = pathlib.Path(__file__).parents[2] / "data" / "digits.csv.gz"
with gzip.open(path, "rt") as stream:
    table = numpy.loadtxt(stream, delimiter=",", dtype=numpy.float32)
pixels = torch.from_numpy(table[:, :64] / 16)


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, 2 * latent))
        self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, 64))

    def parts(self, x):
        """Reconstruction and divergence, mean over rows."""
        mean, log_variance = self.encoder(x).chunk(2, dim=1)
        code = mean + torch.exp(log_variance / 2) * torch.randn_like(mean)
        reconstruction = functional.binary_cross_entropy_with_logits(self.decoder(code), x, reduction="sum")
        divergence = torch.sum(mean**2 + log_variance.exp() - 1 - log_variance) / 2
        return reconstruction / len(x), divergence / len(x)


def train(seed):
    torch.manual_seed(seed)
    order = torch.randperm(len(pixels))
    held_out, rows = pixels[order[:359]], pixels[order[359:]]
    model = Autoencoder()
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    for _ in range(epochs):
        for ids in torch.randperm(len(rows)).split(batch):
            optimizer.zero_grad()
            reconstruction, divergence = model.parts(rows[ids])
            (reconstruction + divergence).backward()
            optimizer.step()
    with torch.no_grad():
        reconstruction, divergence = model.parts(held_out)
    return float(reconstruction + divergence), float(reconstruction), float(divergence)


results = numpy.array([train(seed) for seed in range(seeds)])
for result in results:
    print("loss %.4f  reconstruction %.4f  kl %.4f" % tuple(result))
print("mean %.4f  %.4f  %.4f" % tuple(results.mean(axis=0)))
print("deviation %.4f  %.4f  %.4f" % tuple(results.std(axis=0)))
