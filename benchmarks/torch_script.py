"""A plain PyTorch script that trains the paper's Bernoulli VAE, as one would write it for one's own use.

    python benchmarks/torch_script.py data.npz --epochs 5

``data.npz`` holds ``train_images`` and ``test_images``, ``(N, D)`` uint8. After each epoch the
bound on the test set is estimated, with z sampled, and printed in nats per data point.
"""

import argparse
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional


class VAE(nn.Module):
    def __init__(self, data_dim, hidden, latent_dim):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(data_dim, hidden), nn.Tanh())
        self.mean = nn.Linear(hidden, latent_dim)
        self.log_var = nn.Linear(hidden, latent_dim)
        self.decoder = nn.Sequential(nn.Linear(latent_dim, hidden), nn.Tanh(), nn.Linear(hidden, data_dim))
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)

    def bound(self, x):
        """The sum over the data points of the bound on log p(x), with one draw of z for each."""
        h = self.encoder(x)
        mean, log_var = self.mean(h), self.log_var(h)
        z = mean + torch.exp(0.5 * log_var) * torch.randn_like(mean)
        reconstruction = -functional.binary_cross_entropy_with_logits(self.decoder(z), x, reduction="sum")
        kl = -0.5 * torch.sum(1 + log_var - mean.pow(2) - log_var.exp())
        return reconstruction - kl


def minibatches(images, rows, batch_size):
    for part in rows.split(batch_size):
        yield images[part].float() / 255


def train_epoch(model, optimizer, images, batch_size):
    model.train()
    total = 0.0
    order = torch.randperm(len(images))[: len(images) // batch_size * batch_size]
    for x in minibatches(images, order, batch_size):
        loss = -model.bound(x) / len(x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.detach()
    return -total.item() * batch_size / len(order)


@torch.no_grad()
def evaluate(model, images):
    model.eval()
    return sum(model.bound(x).item() for x in minibatches(images, torch.arange(len(images)), 500)) / len(images)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("--hidden", type=int, default=500)
    parser.add_argument("--latent", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch-size", type=int, default=100)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fused", action="store_true", help="Adam as one fused kernel")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    with np.load(args.data) as file:
        train, test = torch.from_numpy(file["train_images"]), torch.from_numpy(file["test_images"])
    model = VAE(train.shape[1], args.hidden, args.latent)
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr, fused=args.fused or None)
    seconds = 0.0
    for epoch in range(1, args.epochs + 1):
        start = time.perf_counter()
        train_bound = train_epoch(model, optimizer, train, args.batch_size)
        seconds += time.perf_counter() - start
        test_bound = evaluate(model, test)
        print(f"epoch {epoch}, {seconds:.3f} s: train bound {train_bound:.3f}, test bound {test_bound:.3f}", flush=True)


if __name__ == "__main__":
    main()
