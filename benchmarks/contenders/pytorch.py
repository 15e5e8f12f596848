"""PyTorch: modules, ``backward`` and ``torch.optim.Adam``, on the CPU."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ..cases import LOG_VAR_FLOOR, LR, Case, Layer


class MLP(nn.Module):
    """Hidden layers with tanh, and one or two affine layers on top of them, the heads."""

    def __init__(self, layers: list[Layer], heads: int) -> None:
        super().__init__()
        linear = [nn.Linear(layer.inputs, layer.outputs) for layer in layers]
        self.hidden = nn.Sequential(*[module for layer in linear[:-heads] for module in (layer, nn.Tanh())])
        self.heads = nn.ModuleList(linear[-heads:])

    def forward(self, x: Tensor) -> list[Tensor]:
        h = self.hidden(x)
        return [head(h) for head in self.heads]


class VAE(nn.Module):
    """Minus the bound, averaged over the minibatch, of the rows ``rows`` of the data set."""

    def __init__(self, case: Case) -> None:
        super().__init__()
        self.encoder = MLP(case.encoder, 2)
        self.gaussian, self.scale = case.likelihood == "gaussian", case.scale
        self.decoder = MLP(case.decoder, 2 if self.gaussian else 1)

    def forward(self, images: Tensor, rows: Tensor, noise: Tensor | None = None) -> Tensor:
        x = images[rows].float() / self.scale
        mu, log_var = self.encoder(x)
        epsilon = torch.randn_like(mu) if noise is None else noise
        z = mu + torch.exp(log_var / 2) * epsilon
        kl = 0.5 * torch.sum(mu**2 + torch.exp(log_var) - log_var - 1)
        return (kl + self.reconstruction_loss(z, x)) / len(x)

    def reconstruction_loss(self, z: Tensor, x: Tensor) -> Tensor:
        if not self.gaussian:
            (logits,) = self.decoder(z)
            return functional.binary_cross_entropy_with_logits(logits, x, reduction="sum")
        mean, log_var = self.decoder(z)
        log_var = functional.softplus(log_var - LOG_VAR_FLOOR) + LOG_VAR_FLOOR
        squares = (x - torch.sigmoid(mean)) ** 2 * torch.exp(-log_var)
        return 0.5 * torch.sum(squares + log_var + math.log(2 * math.pi))


class Contender:
    """The usual four lines of a PyTorch loop.

    Args:
        fused: Adam as one kernel; else as PyTorch does it by default.
        compiled: the model through ``torch.compile``, forward and backward.
    """

    def __init__(self, case: Case, fused: bool = False, compiled: bool = False) -> None:
        torch.manual_seed(0)
        model = VAE(case)
        start = [torch.from_numpy(array.T.copy()) for pair in case.weights() for array in pair]
        with torch.no_grad():
            for parameter, array in zip(model.parameters(), start, strict=True):
                parameter.copy_(array)
        self.optimizer = torch.optim.Adam(model.parameters(), LR, fused=fused or None)
        self.model = torch.compile(model) if compiled else model
        self.images, self.value = torch.from_numpy(case.images()), torch.zeros(())

    def array(self, values: np.ndarray) -> Tensor:
        return torch.from_numpy(values)

    def step(self, rows: Tensor, noise: Tensor | None = None) -> None:
        loss = self.model(self.images, rows, noise)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.value = loss.detach()

    def loss(self) -> float:
        return self.value.item()

    def describe(self) -> dict[str, Any]:
        # str: its class would be unpickled in the harness, and import PyTorch there.
        return {"versions": {"torch": str(torch.__version__)}, "threads": torch.get_num_threads()}
