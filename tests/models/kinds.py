"""The kinds of the paper's model, small, for every test of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from minivae.models import VAE

KINDS: dict[str, dict[str, Any]] = {
    "bernoulli": {"likelihood": "bernoulli"},
    "gaussian": {"likelihood": "gaussian", "sigmoid_mean": True},
    "unbounded": {"likelihood": "gaussian"},
}
DATA_DIM, LATENT_DIM, HIDDEN = 6, 2, (5, 4)
M = 3

EVERY_KIND = pytest.mark.parametrize("kind", KINDS)


def small_vae(kind: str = "bernoulli", **options: Any) -> VAE:
    """A model of that kind. Its weights are not small and its biases not 0, so that every term counts."""
    model = VAE(DATA_DIM, LATENT_DIM, options.pop("hidden", HIDDEN), **KINDS[kind] | options)
    rng = np.random.default_rng(20131220)
    model.load_state_dict({name: 0.5 * rng.standard_normal(p.shape) for name, p in model.named_parameters()})
    return model


def data(rng: np.random.Generator, lead: tuple[int, ...] = (M,)) -> np.ndarray:
    """Data points in [0, 1], which every likelihood takes."""
    return rng.uniform(size=(*lead, DATA_DIM))


def noise(rng: np.random.Generator, samples: int = 1, m: int = M) -> np.ndarray:
    """epsilon, ``(samples, m, LATENT_DIM)``."""
    return rng.standard_normal((samples, m, LATENT_DIM))
