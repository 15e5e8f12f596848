"""The VAE with a full covariance in its posterior.

    q(z|x) = N(mu(x), L(x) L(x)^T),    R = 1/2 (|L|^2 + |mu|^2 - d) - sum_i log L_ii

L is lower triangular with a positive diagonal, all of it from the encoder: d (d + 1) / 2
numbers beside the mean, as the normalising step of Kingma & Welling 2019, "An introduction
to variational autoencoders", section 2.5.1. Changes the posterior alone. Nothing below the
diagonal is the VAE; what a diagonal posterior loses is known for a linear decoder (the gap
of ``tests/linear_gaussian.py``), and this one does not lose it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import backend
from ...distributions import MultivariateNormal
from ...nn import Linear
from ...nn.mlp import HiddenLayers
from ..vae import VAE


class FullGaussianMLP(HiddenLayers):
    """h = tanh(W3 x + b3); mu = W4 h + b4; the entries of L, its diagonal's logarithms, = W5 h + b5.

    Arguments as of :class:`~minivae.models.vae.GaussianMLP`. W5 starts small: L near the identity.
    """

    mean: Linear
    factor: Linear

    def __init__(
        self,
        inputs: int,
        hidden: Sequence[int],
        outputs: int,
        generator: backend.Generator,
        **options: Any,
    ) -> None:
        heads = {"mean": outputs, "factor": outputs * (outputs + 1) // 2}
        super().__init__(inputs, hidden, heads, generator, small=("factor",), **options)
        # Where each entry of L is in the row of numbers; above the diagonal any will do.
        positions = np.zeros((outputs, outputs), np.int64)
        positions[np.tril_indices(outputs)] = np.arange(outputs * (outputs + 1) // 2)
        self._positions = backend.asarray(positions, backend=backend.backend_of(self.mean.weight.data).name)

    def __call__(self, x: Any) -> MultivariateNormal:
        """``(..., inputs)`` -> a Gaussian over ``(..., outputs)``."""
        h = self.hidden(x)
        return MultivariateNormal(self.mean(h), self.factor(h)[..., self._positions])


class FullCovarianceVAE(VAE):
    """The VAE with a full covariance in its posterior. Arguments as of :class:`VAE`."""

    minimises = "D + R, R of a full Gaussian"
    source = "Kingma & Welling 2019, arXiv 1906.02691, 2.5.1"
    no_free_bits = "its KL is no sum over latent dimensions, which depend on each other"

    def build(self, noise: backend.Generator, options: dict[str, Any]) -> None:
        """The encoder of a full Gaussian; the VAE's decoder."""
        self.encoder = FullGaussianMLP(self.data_dim, self.hidden, self.latent_dim, noise, **options)
        self.decoder = self.make_decoder(self.latent_dim, noise, options)
