"""log p(x) from draws of the posterior and a density fitted to them: the estimator of App. D.

For any density q(z) that is 0 where the posterior is, 1 / p(x) is the posterior mean of
q(z) / p(x, z). So (i) z is drawn from p(z|x) by Hamiltonian Monte Carlo, (ii) q is fitted to
the draws, and (iii) with *new* draws z_l

    p(x) ~ [(1/L) sum_l q(z_l) / p(x, z_l)]^-1

The mean estimates 1 / p(x) without bias, so that minus its logarithm lies above log p(x) in
expectation (Jensen), once the chains have reached the posterior. Its error grows quickly with the
length of z: the paper uses it below 5 dimensions. It does not say which q it fits; this is its
authors' kernel density.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import backend
from ..autodiff import Tensor, no_grad
from ..autodiff.shape import shaped
from ..checks import positive_integer
from ..distributions.paper import LOG_2PI
from ..errors import InputError, NonFiniteError
from ..models import Model
from . import hmc
from .diagnostics import FEWEST_DRAWS, effective_sample_size
from .importance import LogLikelihood
from .joint import explained, is_told, log_joint

# Candidates for the bandwidth; 1 is a single Gaussian.
BANDWIDTHS = np.arange(1, 11) / 10


class KernelDensity:
    """A mixture of equal Gaussians, one near each draw, for each of M data points.

    Their covariance is h^2 times that of the draws, and their centres are drawn in towards
    the mean by sqrt(1 - h^2), so that the mixture has the covariance of the draws for every
    h (West 1993); one that is wider would make the estimate vary without limit. The
    bandwidth h is the one for which the draws, each without its own kernel, are likeliest.

    Args:
        draws: ``(L, M, d)``.

    Attributes:
        bandwidth: h, ``(M,)``.

    Raises:
        InputError: there are too few draws to have a covariance of full rank.
    """

    def __init__(self, draws: np.ndarray) -> None:
        L, _, d = draws.shape
        if d + 2 > L:
            raise InputError(f"there are {L} draws of {d} dimensions; expected at least {d + 2} to fit a density to")
        self.mean = draws.mean(0)
        centred = draws - self.mean
        covariance = np.einsum("lmi,lmj->mij", centred, centred) / L
        covariance += 1e-9 * np.eye(d)  # of a chain that never moved
        self.whiten = np.linalg.inv(np.linalg.cholesky(covariance))  # (M, d, d)
        self.log_volume = -np.log(np.diagonal(self.whiten, axis1=-2, axis2=-1)).sum(-1)  # (M,)
        self.white = self._white(draws)
        scores = [self._log_mixture(self.white, h, leave_out=True).sum(0) for h in BANDWIDTHS]
        self.bandwidth = BANDWIDTHS[np.argmax(scores, axis=0)]

    def log_prob(self, z: np.ndarray) -> np.ndarray:
        """log q(z), ``(L', M, d)`` -> ``(L', M)``."""
        return self._log_mixture(self._white(z), self.bandwidth)

    def _white(self, z: np.ndarray) -> np.ndarray:
        return np.einsum("mij,lmj->lmi", self.whiten, z - self.mean)

    def _log_mixture(self, white: np.ndarray, h: Any, leave_out: bool = False) -> np.ndarray:
        L, _, d = self.white.shape
        centres = self.white * np.sqrt(1 - np.square(h))[..., None]
        squares = ((white[:, None] - centres) ** 2).sum(-1)  # (L', L, M)
        if leave_out:
            squares[np.arange(L), np.arange(L)] = np.inf
        log_sum = np.logaddexp.reduce(-0.5 * squares / h**2, axis=1)
        return log_sum - math.log(L - leave_out) - d * (LOG_2PI / 2 + np.log(h)) - self.log_volume


def density_log_likelihood(
    model: Model,
    x: Any,
    generator: backend.Generator,
    draws: int = 50,
    *,
    start: Tensor | None = None,
    warmup: int = 100,
    leapfrog_steps: int = 4,
    context: Any = None,
) -> LogLikelihood:
    """log p(x) of each data point by App. D.

    Args:
        model: gives the prior and the likelihood, and the posterior if there is no ``start``.
        x: ``(M, data_dim)``.
        generator: for the chains.
        draws: L, to fit the density, and so many new ones; 50 in App. E.
        start: where the chains begin, ``(M, latent_dim)``; drawn from the encoder by default.
        warmup: moves before the first draw, which tune the step sizes.
        leapfrog_steps: of a move; 4 in App. E.
        context: what the model is told beside ``x``.

    Returns:
        the estimate, which lies above log p(x) in expectation, with the standard error and the
        effective sample size of the mean over the new draws, which depend on each other.

    Raises:
        InputError: a number is out of its range, there are fewer draws than a density or an
            effective sample size needs, or the model has no density over z.
        NonFiniteError: log p(x, z) is NaN or infinite at a draw.
    """
    if positive_integer("draws", draws) < FEWEST_DRAWS:
        raise InputError(f"draws is {draws}; expected at least {FEWEST_DRAWS}, or there is no effective sample size")
    backend.require_generator("generator", generator)
    x = explained(model, x, context)
    density = log_joint(model, x, context)
    prior = model.prior(context)
    with no_grad():
        if start is None:
            start = model.posterior(x, context).sample(generator)
        start = shaped("start", start, prior.like, len(x), prior.shape[-1])
        chains = hmc.sample(
            density, start, generator, 2 * draws, warmup=warmup, leapfrog_steps=leapfrog_steps, step_size=0.1
        )
        z = chains.z.numpy().astype(np.float64)
        log_p = np.stack([density(chains.z[draws + i]).numpy() for i in range(draws)]).astype(np.float64)
    if not np.isfinite(log_p).all():
        raise NonFiniteError("log p(x, z) is not finite where a chain stands, so that it cannot move; see the weights")
    return _harmonic(KernelDensity(z[:draws]).log_prob(z[draws:]) - log_p, is_told(model, context))


def _harmonic(log_ratio: np.ndarray, told: bool) -> LogLikelihood:
    """-log mean of the ratios q(z) / p(x, z), ``(L, M)``, in log space."""
    top = log_ratio.max(0)
    ratio = np.exp(log_ratio - top)
    effective = effective_sample_size(ratio)
    stderr = ratio.std(0, ddof=1) / ratio.mean(0) / np.sqrt(effective)
    value = -np.log(ratio.mean(0)) - top
    return LogLikelihood(Tensor(value), Tensor(stderr), Tensor(effective), len(ratio), "above", told)
