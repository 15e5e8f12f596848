"""The categorical distribution over one-hot vectors, and its relaxation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import backend
from ..autodiff import (
    Tensor,
    as_tensor,
    astype,
    equal,
    exp,
    less,
    log,
    log_softmax,
    min,
    one_hot_of_largest,
    reshape,
    softmax,
    sum,
    uniform,
    where,
)
from ..autodiff.modes import tracing
from ..checks import positive_integer
from ..errors import InputError, shown
from .distribution import Distribution, parameter, register_kl
from .elementwise import inside_unit

LEAST_TEMPERATURE = 1e-30  # below it, logits over it are beyond float32


class Categorical(Distribution):
    """Independent variables of K values each, as one-hot vectors end to end.

    Drawn by the Gumbel-max rule: the largest of logits + g, where g = -log(-log u) with
    uniform u, has the probability softmax(logits). In :meth:`relax` a softmax at a temperature
    takes the place of the largest (Jang et al. 2017; Maddison et al. 2017).

    Args:
        logits: ``(..., variables * K)``; any constant may be added to those of a variable.
        num_categories: K; by default the last axis is one variable.

    Raises:
        InputError: the last axis is no multiple of K.
    """

    discrete = True

    def __init__(self, logits: Any, num_categories: int | None = None) -> None:
        logits = parameter("logits", logits)
        self.shape, self.event = logits.shape, logits.shape[-1]
        count = self.event if num_categories is None else num_categories
        self.num_categories = positive_integer("num_categories", count)
        if self.event % self.num_categories:
            raise InputError(
                f"logits has shape {logits.shape} and num_categories is {shown(num_categories)}; "
                "expected a multiple on the last axis"
            )
        self.log_p = self.like = log_softmax(self._by_variable(logits))

    @property
    def mean(self) -> Tensor:
        """The probabilities."""
        return self._flat(exp(self.log_p))

    def draw_noise(self, generator: backend.Generator, lead: tuple[int, ...] = ()) -> Tensor:
        """Uniform noise on [0, 1), of shape ``(*lead, *logits.shape)``."""
        return uniform(generator, self._shape_of_draws(lead), self.log_p.dtype)

    def transform(self, noise: Any) -> Tensor:
        """1 at the largest logit + g, 0 elsewhere: a step, so no gradient flows through."""
        return self._flat(one_hot_of_largest(self._perturbed(noise)))

    def relax(self, noise: Any, temperature: Any) -> Tensor:
        """softmax((logits + g) / temperature): near one-hot at low temperatures, with the same largest element."""
        return self._flat(softmax(self._perturbed(noise) / as_tensor(temperature, self.log_p, "temperature")))

    def log_prob(self, x: Any) -> Tensor:
        """sum x log p, over the last axis, for one-hot x; -inf, the log of its probability, for any other.

        A relaxed draw (:meth:`relax`) is such another: it has a density, and this is not that.

        Raises:
            InputError: ``x`` is not one-hot. On a GPU, where looking would wait for the device, and in
                what :func:`minivae.compile` replays nobody looks, and -inf is all that tells.
        """
        x = self._by_variable(self._as_data(x))
        wrong = less(min(astype(equal(x, one_hot_of_largest(x)), x.dtype), axis=(-2, -1)), 1.0)
        if x.xp is np and not tracing() and wrong._data.any():
            raise InputError(
                f"x is not one-hot, 1 at one of {self.num_categories} places and 0 at the others, for every variable; "
                "expected a draw, or one-hot data (a relaxed draw has no probability)"
            )
        return where(wrong, -math.inf, sum(x * self.log_p, axis=(-2, -1)))

    def entropy(self) -> Tensor:
        """-sum p log p, over the last axis."""
        return -sum(exp(self.log_p) * self.log_p, axis=(-2, -1))

    def _perturbed(self, noise: Any) -> Tensor:
        u = inside_unit(self._by_variable(self._as_noise(noise)))
        return self.log_p - log(-log(u))

    def _by_variable(self, x: Tensor) -> Tensor:
        return reshape(x, *x.shape[:-1], self.event // self.num_categories, self.num_categories)

    def _flat(self, x: Tensor) -> Tensor:
        return reshape(x, *x.shape[:-2], self.event)


@register_kl(Categorical, Categorical)
def _categorical_categorical(q: Categorical, p: Categorical) -> Tensor:
    """sum q (log q - log p)."""
    return sum(exp(q.log_p) * (q.log_p - p.log_p), axis=(-2, -1))


@register_kl(Categorical, Categorical, by_dimension=True)
def _categorical_parts(q: Categorical, p: Categorical) -> Tensor:
    """The same for each variable."""
    return sum(exp(q.log_p) * (q.log_p - p.log_p), axis=-1)
