"""log p(x) by importance sampling, with the encoder as the proposal."""

from __future__ import annotations

import math
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np

from .. import backend
from ..autodiff import Tensor, concatenate, exp, isfinite, logsumexp, max, minimum, no_grad, sqrt, where
from ..checks import instance, positive_integer
from ..errors import InputError
from ..models import Model
from .diagnostics import FEWEST_DRAWS
from .joint import data_for, is_told


@runtime_checkable
class Explicit(Protocol):
    """A model without z, whose log p(x) needs no estimate."""

    def log_prob(self, x: Any) -> Tensor:
        """log p(x) of each data point, ``(M,)``, in nats."""
        ...


class LogLikelihood(NamedTuple):
    """An estimate of log p(x), or of log p(x|y), for each of M data points; ``print`` says which, and how it was made.

    Attributes:
        value: ``(M,)``, in nats. In expectation it lies on one ``side`` of the truth, the nearer the
            more ``samples`` there are; it is not a bound of the ELBO's kind.
        stderr: ``(M,)``, its standard error (delta method), in nats; NaN from one sample. It knows
            nothing of what lies where no sample came.
        effective_samples: ``(M,)``, how many of the samples count: of weights (sum w)^2 / sum w^2, of a
            chain see :func:`effective_sample_size`. NaN from fewer than ``FEWEST_DRAWS``: so few cannot
            tell.
        samples: K, draws of z (or chains) for each data point; 0 where nothing was drawn.
        side: where the value lies in expectation, "below" or "above" the truth, or "exact".
        told: whether the model was told a context y, so that it is log p(x|y).
    """

    value: Tensor
    stderr: Tensor
    effective_samples: Tensor
    samples: int
    side: Literal["below", "above", "exact"]
    told: bool = False

    @property
    def quantity(self) -> str:
        """What is estimated: "log p(x)" or "log p(x|y)"."""
        return "log p(x|y)" if self.told else "log p(x)"

    @property
    def how(self) -> str:
        """From how many draws, and on which side of the truth it lies; in words."""
        if self.side == "exact":
            return "exact"
        return f"estimated with K = {self.samples} draws of z for each point, which lies {self.side} in expectation"

    def __str__(self) -> str:
        values = self.value.numpy()
        mean = values.mean(dtype=float)
        return f"{self.quantity} of {values.size} points: {mean:.3f} nats on average, {self.how}"


def log_likelihood(
    model: Model,
    x: Any,
    generator: backend.Generator,
    samples: int = 500,
    *,
    context: Any = None,
    chunk: int = 50,
) -> LogLikelihood:
    """log (1/K) sum_k w_k with w = p(x, z) / q(z|x), z from q(z|x) (Rezende et al. 2014, App. E; Burda et al. 2016).

    Args:
        model: gives the posterior, the prior and the likelihood; or, without z, log p(x) itself.
        x: ``(M, data_dim)``.
        generator: draws the samples.
        samples: K.
        context: what the model is told beside ``x``; the estimate is then of log p(x|context).
        chunk: how many samples are held in memory at once.

    Returns:
        the estimate, which lies below log p(x) in expectation; of a model without z it is exact.

    Raises:
        InputError: ``samples`` or ``chunk`` is not a positive integer, ``x`` has another shape, no rows, or
            values that the likelihood has not, ``context`` another number of rows, or the model gives no log p(x).
    """
    instance("model", model, Model, "a Model")
    if model.no_log_likelihood:
        raise InputError(f"model is a {type(model).__name__}; expected one with log p(x): {model.no_log_likelihood}")
    backend.require_generator("generator", generator)
    samples, chunk = positive_integer("samples", samples), positive_integer("chunk", chunk)
    x, told = data_for(model, x, context), is_told(model, context)
    with no_grad():
        if isinstance(model, Explicit):
            exact = model.log_prob(x)
            return LogLikelihood(exact, exact * 0.0, exact * math.nan, 0, "exact", told)
        q, p = model.posterior(x, context), model.prior(context)
        weights = []
        for start in range(0, samples, chunk):
            z, log_q = q.sample_with_log_prob(generator, min(chunk, samples - start))
            weights.append(model.likelihood(z, context).log_prob(x) + p.log_prob(z) - log_q)
        return of_weights(concatenate(weights), told)


def of_weights(log_w: Tensor, told: bool) -> LogLikelihood:
    """The estimate that K weights w make, whose mean is p(x): below log p(x) in expectation (Jensen).

    Args:
        log_w: ``(K, M)``.
        told: whether it is log p(x|y).
    """
    samples, top = len(log_w), max(log_w, axis=0)
    # Beside the largest: a rounding of log w itself, of a thousand nats, would be one of their exponents.
    beside = log_w - where(isfinite(top), top, 0.0)
    total, squares = logsumexp(beside, axis=0), logsumexp(beside * 2, axis=0)
    with np.errstate(invalid="ignore"):  # of weights that are all 0 how many count is 0 / 0, no number
        effective = minimum(exp(total * 2 - squares), float(samples))
    # The weights' relative variance is K / ess - 1; that of their mean is 1 / (K - 1) of it.
    freedom = samples - 1 or math.nan
    stderr = sqrt((samples / effective - 1) / freedom)
    known = effective if samples >= FEWEST_DRAWS else effective * math.nan
    return LogLikelihood(top + (total - math.log(samples)), stderr, known, samples, "below", told)
