"""Models on bench P (``tests/linear_gaussian.py``): the decoder is the bench's, the encoder is trained or set."""

from __future__ import annotations

from typing import Any

import numpy as np

from minivae import backend
from minivae.autodiff import backward, mean, tensor
from minivae.compiler import compile
from minivae.models import MODELS
from minivae.models.vae import VAE
from minivae.optim import Adam

from ..linear_gaussian import LinearGaussian


def on_bench(name: str, bench: LinearGaussian, **options: Any) -> VAE:
    """A model with linear networks and the bench's p(x|z), in float64."""
    shape = bench.weight.shape
    given = {"likelihood": "gaussian", "variance": bench.sigma**2, "dtype": "float64", **options}
    model = MODELS[name](*shape, (), **given)
    model.decoder.mean.weight.data[...] = bench.weight.T
    model.decoder.mean.bias.data[...] = 0
    return model


def train_encoder(model: VAE, x: np.ndarray, steps: int, lr: float, noise: Any = None) -> None:
    """Raise the bound of all data at once by the encoder's parameters; ``noise`` is drawn anew if not given."""
    data, source = tensor(x), backend.generator(0) if noise is None else tensor(noise)
    parameters = model.encoder.parameters()
    optimizer = Adam(parameters, lr)

    def step() -> None:
        optimizer.apply(backward(-mean(model.bound(data, source).value), parameters))

    compiled = compile(step)
    for i in range(steps):
        optimizer.advance(0.5 * (1 + np.cos(np.pi * i / steps)))
        compiled()


def sigma_points(points: int, latent: int) -> np.ndarray:
    """Noise with the mean, variances and covariances of N(0, I) exactly, ``(2 latent, points, latent)``.

    Expectations of quadratic functions, as D is of z on this bench, are exact averages over it.
    """
    corners = np.sqrt(latent) * np.concatenate([np.eye(latent), -np.eye(latent)])
    return np.broadcast_to(corners[:, None], (2 * latent, points, latent)).copy()
