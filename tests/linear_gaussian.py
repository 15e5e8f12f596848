"""A model whose every quantity is known: x = W z + sigma noise, probabilistic PCA.

Tipping and Bishop 1999. p(x) is a Gaussian, and so is the posterior; with orthogonal
columns of W its covariance is diagonal, so that a diagonal Gaussian can be exact.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from minivae.autodiff import matmul, tensor
from minivae.distributions import Normal


class LinearGaussian:
    """p(z) = N(0, I), p(x|z) = N(W z, sigma^2 I), in float64.

    Attributes:
        weight: W, ``(data, latent)``, with orthogonal columns of different lengths.
        precision: of the posterior, I + W^T W / sigma^2; ``(latent,)``, its diagonal.
    """

    def __init__(self, rng: np.random.Generator, data: int = 6, latent: int = 3, sigma: float = 0.8) -> None:
        columns, _ = np.linalg.qr(rng.normal(size=(data, latent)))
        self.weight = columns * rng.uniform(0.5, 2, latent)
        self.sigma = sigma
        self.precision = 1 + (self.weight**2).sum(0) / sigma**2

    def data(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """``(n, data)`` draws from p(x)."""
        z = rng.normal(size=(n, self.weight.shape[1]))
        return z @ self.weight.T + self.sigma * rng.normal(size=(n, len(self.weight)))

    def likelihood(self, z) -> Normal:
        """p(x|z)."""
        return Normal(matmul(z, tensor(self.weight.T)), 2 * np.log(self.sigma))

    def log_marginal(self, x: np.ndarray) -> np.ndarray:
        """log p(x), ``(n,)``."""
        covariance = self.weight @ self.weight.T + self.sigma**2 * np.eye(len(self.weight))
        return np.atleast_1d(stats.multivariate_normal(cov=covariance).logpdf(x))

    def posterior_mean(self, x: np.ndarray) -> np.ndarray:
        """E[z|x], ``(n, latent)``."""
        return x @ self.weight / self.sigma**2 / self.precision

    def posterior(self, x: np.ndarray) -> Normal:
        """p(z|x)."""
        mean = self.posterior_mean(x)
        return Normal(mean, np.broadcast_to(-np.log(self.precision), mean.shape))

    def bound(self, x: np.ndarray, mean: np.ndarray, log_var: np.ndarray) -> np.ndarray:
        """The exact lower bound log p(x) - KL(q || p(z|x)) for q = N(mean, exp(log_var)), ``(n,)``."""
        ratio = np.exp(log_var) * self.precision
        distance = (mean - self.posterior_mean(x)) ** 2 * self.precision
        return self.log_marginal(x) - 0.5 * (ratio - np.log(ratio) - 1 + distance).sum(-1)

    def bound_gradients(self, x: np.ndarray, mean: np.ndarray, log_var: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Its derivatives by ``mean`` and by ``log_var``."""
        return -self.precision * (mean - self.posterior_mean(x)), 0.5 * (1 - np.exp(log_var) * self.precision)
