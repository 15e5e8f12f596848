"""Values of few kinds: grey levels by a logistic distribution cut into them, and numbers of categories."""

from __future__ import annotations

import math
from functools import reduce
from typing import Any

from ..autodiff import (
    Tensor,
    absolute,
    add,
    astype,
    ceil,
    clip,
    equal,
    exp,
    expand_dims,
    expm1,
    floor,
    greater,
    less,
    log,
    log1p,
    log_sigmoid,
    log_softmax,
    logical_or,
    no_grad,
    not_equal,
    one_hot_of_largest,
    reshape,
    sigmoid,
    sum,
    uniform,
    where,
)
from ..backend import Generator
from ..checks import positive_integer
from ..errors import InputError
from .distribution import Distribution, parameter
from .elementwise import Elementwise, inside_unit

GREY_LEVELS = 256
OFF_LEVEL = 1e-3  # of a step: a level stored as float32 is not quite one


class DiscretizedLogistic(Elementwise):
    """A logistic distribution over the line, rounded to the levels 0, 1/255, ..., 1; the ends take the tails.

    Salimans et al. 2017, arXiv 1701.05517, section 2.1; Kingma et al. 2016, arXiv 1606.04934.

    Args:
        loc: mu, ``(..., event)``.
        log_scale: log s.
    """

    discrete = True
    entropy = Distribution.entropy  # refused: there is no closed form
    loc: Tensor
    log_scale: Tensor

    def __init__(self, loc: Any, log_scale: Any) -> None:
        super().__init__(loc=loc, log_scale=log_scale)

    def outside(self, x: Tensor) -> Tensor:
        """No level."""
        levels = x * (GREY_LEVELS - 1)
        off = greater(absolute(levels - floor(levels + 0.5)), OFF_LEVEL)
        return logical_or(off, logical_or(less(levels, -OFF_LEVEL), greater(levels, GREY_LEVELS - 1 + OFF_LEVEL)))

    def log_density(self, x: Tensor) -> Tensor:
        """log(sigmoid(a) - sigmoid(b)), where a and b are half a step above and below x.

        It is log sigmoid(a) + log sigmoid(-b) + log(1 - e^(b - a)), in which nothing cancels.
        """
        steps = floor(x * (GREY_LEVELS - 1) + 0.5)
        a, b = self._standard(steps + 0.5), self._standard(steps - 0.5)
        between = log_sigmoid(a) + log_sigmoid(-b) + _log1mexp(exp(-self.log_scale) / (GREY_LEVELS - 1))
        return where(
            less(steps, 0.5), log_sigmoid(a), where(greater(steps, GREY_LEVELS - 1.5), log_sigmoid(-b), between)
        )

    def transform(self, noise: Any) -> Tensor:
        """The logistic sample rounded to the nearest level: a step, so no gradient flows through."""
        with no_grad():
            u = inside_unit(self._as_noise(noise))
            x = self.loc + exp(self.log_scale) * (log(u) - log1p(-u))
            return clip(ceil(x * (GREY_LEVELS - 1) - 0.5), 0.0, GREY_LEVELS - 1.0) / (GREY_LEVELS - 1)

    def element_mean(self) -> Tensor:
        """The sum of P(X >= level) over the levels above 0, divided by 255."""
        reached = (sigmoid(-self._standard(level - 0.5)) for level in range(1, GREY_LEVELS))
        return reduce(add, reached) / (GREY_LEVELS - 1)

    def _standard(self, steps: Any) -> Tensor:
        return (steps / (GREY_LEVELS - 1) - self.loc) * exp(-self.log_scale)

    def element_entropy(self) -> Tensor:
        """Refused: there is no closed form."""
        raise self._lacking("entropy")


class Categories(Distribution):
    """Independent numbers of categories, 0 to K - 1 each.

    The same as :class:`~minivae.distributions.Categorical`, over numbers and not over one-hot vectors. As numbers of
    categories have no mean, ``mean`` is the most likely one.

    Args:
        logits: ``(..., event * K)``, those of an element side by side; any constant may be added to them.
        num_categories: K.

    Raises:
        InputError: the last axis is no multiple of K.
    """

    discrete = True

    def __init__(self, logits: Any, num_categories: int) -> None:
        logits, k = parameter("logits", logits), positive_integer("num_categories", num_categories)
        if logits.shape[-1] % k:
            raise InputError(f"logits has shape {logits.shape} and num_categories is {k}; expected a multiple of it")
        self.num_categories, self.shape = k, (*logits.shape[:-1], logits.shape[-1] // k)
        self.log_p = self.like = log_softmax(reshape(logits, *self.shape, k))

    @property
    def mean(self) -> Tensor:
        """The most likely number."""
        return sum(one_hot_of_largest(self.log_p) * self._numbers(), axis=-1)

    def draw_noise(self, generator: Generator, lead: tuple[int, ...] = ()) -> Tensor:
        """Uniform noise on [0, 1), of shape ``(*lead, *batch, event)``."""
        return uniform(generator, self._shape_of_draws(lead), self.like.dtype)

    def transform(self, noise: Any) -> Tensor:
        """How many categories come before the one that u falls into: a step, so no gradient flows through."""
        with no_grad():
            before = exp(self.log_p).cumsum(axis=-1)
            passed = less(before, expand_dims(inside_unit(self._as_noise(noise)), -1))
            return clip(sum(astype(passed, self.like.dtype), axis=-1), 0.0, self.num_categories - 1.0)

    def log_prob(self, x: Any) -> Tensor:
        """sum log p(x_i), over the last axis; -inf where x is no such number."""
        chosen = equal(expand_dims(self._as_data(x), -1), self._numbers())
        found = sum(where(chosen, self.log_p, 0.0), axis=-1)
        missing = not_equal(sum(chosen, axis=-1), 1)
        return sum(where(missing, -math.inf, found), axis=-1)

    def _numbers(self) -> Tensor:
        return Tensor(self.like.xp.arange(self.num_categories, dtype=self.like.dtype))


def _log1mexp(width: Tensor) -> Tensor:
    """log(1 - e^-width), for positive widths."""
    return log(-expm1(-width))
