"""Annealed importance sampling (Neal 2001), and its reverse: bounds on log p(x) that meet.

From the prior to the posterior through densities in between,

    f_t(z) = p(z) p(x|z)^beta_t,   0 = beta_0 < ... < beta_T = 1

each left stationary by one move of Hamiltonian Monte Carlo. A run begins at z_0 ~ p(z) and
weighs log w = sum_t (beta_t - beta_{t-1}) log p(x|z_{t-1}); E[w] = p(x), so that log w, and
the log of a mean of several w, lie below log p(x) in expectation.

Run backwards from a z ~ p(z|x), E[1/w] = 1/p(x), and log w lies above. For data simulated
from the model, the z that made x is such a draw: the two bounds then hold log p(x) between
them (bidirectional Monte Carlo, Grosse, Ghahramani & Adams 2015; Wu et al. 2017).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..autodiff import Tensor, expand_dims, mean, no_grad, tensor
from ..autodiff.shape import shaped
from ..backend import Generator, backend_of, require_generator
from ..checks import positive_integer
from ..compiler import compile
from ..models import Model
from . import hmc
from .importance import LogLikelihood, of_weights
from .joint import density_over_z, explained, is_told

# Moves of so many chains tune the step sizes, which are fixed before the runs that count:
# a step size that depends on where its own chain is would make the estimate biased.
TUNING_CHAINS = 4
SHARPNESS = 4.0  # of the schedule


class Sandwich(NamedTuple):
    """Two estimates of log p(x) for each of M data points: below and above it in expectation."""

    lower: LogLikelihood
    upper: LogLikelihood


def schedule(temperatures: int) -> np.ndarray:
    """beta_0 to beta_T, ``(T + 1,)``: a logistic curve, slow at both ends (Wu et al. 2017)."""
    # tanh(x / 2) is the logistic curve but for its height and place.
    values = np.tanh(SHARPNESS / 2 * np.linspace(-1, 1, positive_integer("temperatures", temperatures) + 1))
    return (values - values[0]) / (values[-1] - values[0])


class Annealing:
    """The path from the prior to the posterior of some data points.

    Args:
        model: gives the prior and the likelihood.
        x: ``(M, data_dim)``.
        generator: for everything that is drawn.
        temperatures: T, how many moves a chain makes.
        leapfrog_steps: of a move.
        context: what the model is told beside ``x``, a row for each of its rows; all is then given it.

    Raises:
        InputError: a number is not a positive integer, or the model has no density over z.
    """

    def __init__(
        self,
        model: Model,
        x: Tensor,
        generator: Generator,
        temperatures: int = 500,
        leapfrog_steps: int = 10,
        context: Any = None,
    ) -> None:
        self.x = explained(model, x, context)
        self.model, self.context = model, context
        self.generator = require_generator("generator", generator)
        self.leapfrog_steps = positive_integer("leapfrog_steps", leapfrog_steps)
        self.betas = schedule(temperatures)
        self._moves = compile(self._move)
        self.sizes = self._tuned()

    @no_grad
    def lower(self, chains: int = 16) -> LogLikelihood:
        """An estimate that lies below log p(x) in expectation, from ``chains`` runs forwards."""
        z = self._prior_draws(positive_integer("chains", chains))
        log_w = self._log_likelihood(z) * float(self.betas[1])
        for t in range(1, len(self.betas) - 1):  # the last move would not count
            z, log_likelihood, _ = self._moved(z, t, self.sizes[t])
            log_w = log_w + log_likelihood * float(self.betas[t + 1] - self.betas[t])
        return self._estimate(log_w)

    @no_grad
    def upper(self, z: Tensor, chains: int = 16) -> LogLikelihood:
        """An estimate that lies above log p(x) in expectation, from ``chains`` runs backwards.

        Args:
            z: exact draws from p(z|x), ``(M, latent_dim)``, such as those that made simulated data.
            chains: K, which all begin at z: the standard error is that of the runs alone.
        """
        z = shaped("z", z, self.x, self.x.shape[0], self.model.prior(self.context).shape[-1])
        z = self._prior_draws(positive_integer("chains", chains)) * 0.0 + z
        last = len(self.betas) - 1
        log_w = self._log_likelihood(z) * float(self.betas[last] - self.betas[last - 1])
        for t in range(last - 1, 0, -1):
            z, log_likelihood, _ = self._moved(z, t, self.sizes[t])
            log_w = log_w + log_likelihood * float(self.betas[t] - self.betas[t - 1])
        inverse = self._estimate(-log_w)
        return inverse._replace(value=-inverse.value, side="above")

    @no_grad
    def _tuned(self) -> list[Tensor]:
        """Step sizes ``(M, 1)`` for each t, from a run forwards of a few chains."""
        z = self._prior_draws(TUNING_CHAINS)
        size = z[0, :, :1] * 0.0 + 0.3
        sizes = [size]
        for t in range(1, len(self.betas) - 1):
            z, _, acceptance = self._moved(z, t, size)
            size = hmc.adapt(size, expand_dims(acceptance, -1), rate=0.5)
            sizes.append(size)
        return sizes

    def _moved(self, z: Tensor, t: int, size: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What the recorded move gives at beta_t."""
        return self._moves(z, self._beta(t), size)

    def _move(self, z: Tensor, beta: Tensor, step_size: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """A move that leaves f_t stationary: z, log p(x|z) there, and the mean acceptance of each data point."""

        def density(z: Tensor) -> Tensor:
            return self._log_likelihood(z) * beta + self.model.prior(self.context).log_prob(z)

        state, info = hmc.step(hmc.init(z, density), density, self.generator, step_size, self.leapfrog_steps)
        return state.position, self._log_likelihood(state.position), mean(info.acceptance, axis=0)

    def _log_likelihood(self, z: Tensor) -> Tensor:
        return self.model.likelihood(z, self.context).log_prob(self.x)

    def _estimate(self, log_w: Tensor) -> LogLikelihood:
        return of_weights(log_w, is_told(self.model, self.context))

    def _prior_draws(self, chains: int) -> Tensor:
        return self.model.sample_prior(self.generator, len(self.x), self.context, (chains,))

    def _beta(self, t: int) -> Tensor:
        return tensor(float(self.betas[t]), self.x.dtype, backend_of(self.x._data).name)


def sandwich(
    model: Model, generator: Generator, points: int, *, chains: int = 16, context: Any = None, **options: Any
) -> Sandwich:
    """Both bounds for ``points`` data points simulated from the model.

    Args:
        model: gives the prior and the likelihood.
        generator: draws the data, and for the chains.
        points: M.
        chains: K, in each direction.
        context: what the model is told, a row for each of the points; it is simulated given that.
        options: of :class:`Annealing`.

    Raises:
        InputError: a number is not a positive integer, or the model has no density over z.
    """
    density_over_z(model, context)
    positive_integer("points", points)
    positive_integer("chains", chains)
    z = model.sample_prior(generator, points, context)
    with no_grad():
        x = model.raw(model.likelihood(z, context).sample(generator))
    annealing = Annealing(model, x, generator, context=context, **options)
    return Sandwich(annealing.lower(chains), annealing.upper(z, chains))
