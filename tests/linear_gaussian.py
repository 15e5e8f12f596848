"""A model whose every quantity is known: x = W z + sigma noise, probabilistic PCA.

Tipping and Bishop 1999. p(x) is a Gaussian, and so is the posterior, of precision
Lambda = I + W^T W / sigma^2. The best diagonal Gaussian has its mean and the diagonal of
its precision, and misses log p(x) by the gap 1/2 (sum_i log Lambda_ii - log |Lambda|):
by nothing where the columns of W are orthogonal.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from minivae.autodiff import matmul, tensor
from minivae.distributions import Normal


class LinearGaussian:
    """p(z) = N(0, I), p(x|z) = N(W z, sigma^2 I), in float64.

    Attributes:
        weight: W, ``(data, latent)``, with columns of different lengths.
        precision: of the posterior, Lambda, ``(latent, latent)``.
        diagonal: of the precision, ``(latent,)``.
    """

    def __init__(
        self, rng: np.random.Generator, data: int = 6, latent: int = 3, sigma: float = 0.8, orthogonal: bool = True
    ) -> None:
        columns = rng.normal(size=(data, latent))
        self.weight = np.linalg.qr(columns)[0] * rng.uniform(0.5, 2, latent) if orthogonal else columns
        self.sigma = sigma
        self.precision = np.eye(latent) + self.weight.T @ self.weight / sigma**2
        self.diagonal = np.diag(self.precision)

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
        return np.linalg.solve(self.precision, (x @ self.weight / self.sigma**2).T).T

    def posterior(self, x: np.ndarray) -> Normal:
        """The best diagonal Gaussian: p(z|x) itself where the columns are orthogonal."""
        mean = self.posterior_mean(x)
        return Normal(mean, np.broadcast_to(-np.log(self.diagonal), mean.shape))

    def gap(self) -> float:
        """What the best diagonal Gaussian loses, in nats; the same for every x."""
        return 0.5 * (np.log(self.diagonal).sum() - np.linalg.slogdet(self.precision)[1])

    def bound(self, x: np.ndarray, mean: np.ndarray, log_var: np.ndarray) -> np.ndarray:
        """The exact lower bound log p(x) - KL(q || p(z|x)) for q = N(mean, exp(log_var)), ``(n,)``."""
        error = mean - self.posterior_mean(x)
        distance = np.einsum("ni,ij,nj->n", error, self.precision, error)
        ratio = np.exp(log_var) * self.diagonal
        return self.log_marginal(x) - 0.5 * ((ratio - np.log(ratio) - 1).sum(-1) + distance) - self.gap()

    def bound_gradients(self, x: np.ndarray, mean: np.ndarray, log_var: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Its derivatives by ``mean`` and by ``log_var``."""
        return (self.posterior_mean(x) - mean) @ self.precision, 0.5 * (1 - np.exp(log_var) * self.diagonal)
