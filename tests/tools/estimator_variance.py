"""How much the estimators of the gradient vary: A (Eq. 6), B (Eq. 7) and the score function (section 2.2)."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from minivae import backend, bounds, datasets
from minivae.autodiff import Tensor, backward, mean
from minivae.distributions import Distribution, Normal, StandardNormal, kl
from minivae.models import VAE
from minivae.training import fit

SAMPLES = (1, 4, 16, 64)
REPEATS = 100  # a variance in which some 4,000 weights share is then known to a few percent
IMAGES = 10

Likelihood = Callable[[Tensor], Distribution]


def estimator_a(likelihood: Likelihood, x: np.ndarray, q: Normal, z: Tensor) -> Tensor:
    """Eq. 6 for draws z, ``(L, M, latent)``: the bound of each data point, ``(M,)``."""
    prior = StandardNormal(z.shape[-1], z)
    return bounds.sgvb_a(likelihood(z).log_prob(x), prior.log_prob(z), q.log_prob(z)).value


def estimator_b(likelihood: Likelihood, x: np.ndarray, q: Normal, z: Tensor) -> Tensor:
    """Eq. 7, with the same arguments."""
    return bounds.sgvb_b(likelihood(z).log_prob(x), kl(q, StandardNormal(z.shape[-1], z))).value


def estimator_s(likelihood: Likelihood, x: np.ndarray, q: Normal, z: Tensor) -> Tensor:
    """The values of Eq. 6, with the gradient of section 2.2."""
    prior = StandardNormal(z.shape[-1], z)

    def f(z: Tensor) -> Tensor:
        return likelihood(z).log_prob(x) + prior.log_prob(z) - q.log_prob(z)

    return mean(bounds.score_function(f, q, z), axis=0)


ESTIMATORS = {"A": estimator_a, "B": estimator_b, "score function": estimator_s}


@functools.cache
def trained_digits() -> tuple[VAE, np.ndarray]:
    """A model trained for about a second, to some -25 nats, and 10 of the test images; in float64."""
    digits = datasets.load("digits")
    model = VAE(digits.data_dim, latent_dim=5, hidden=(32,), dtype="float64", seed=0)
    fit(model, digits, epochs=60, lr=5e-3, report_every=60, progress=False)
    return model, digits.test.images[:IMAGES] / digits.scale


def estimator_variances() -> dict[str, dict[int, float]]:
    """The variance of the encoder's gradient by estimator and number L of samples; the same at each call.

    Summed over the encoder's weights: E|g - E g|^2, where g is the gradient of the bound per
    data point over one minibatch of 10 images, and only the noise is drawn anew. (The gradient
    by the decoder's weights is the same by every estimator.)
    """
    return {name: {L: _variance(estimator, L) for L in SAMPLES} for name, estimator in ESTIMATORS.items()}


def _variance(estimator: Callable[..., Tensor], L: int) -> float:
    model, x = trained_digits()
    noise = backend.generator(0)
    weights = model.encoder.parameters()
    gradients = []
    for _ in range(REPEATS):
        q = model.posterior(x)
        value = mean(estimator(model.likelihood, x, q, q.sample(noise, L)))
        gradients.append(np.concatenate([g.numpy().ravel() for g in backward(value, weights)]))
    return float(np.var(gradients, axis=0, ddof=1).sum())
