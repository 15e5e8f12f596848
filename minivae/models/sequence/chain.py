"""Markov chains of Gaussian states, forwards as a prior has them and backwards as a smoother has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...autodiff import Tensor, concatenate, split, standard_normal
from ...backend import Generator
from ...distributions import Distribution, Normal


class Chain(Distribution):
    """p(z_0) p(z_1|z_0) ... p(z_T|z_{T-1}), all states end to end; or p(z_T) p(z_{T-1}|z_T) ... p(z_0|z_1).

    Args:
        first: of the state that the chain begins with, over ``(*batch, state)``.
        step: from the state before in the chain, ``(..., *batch, state)``, and the number of a state, its distribution.
        last: T.
        backwards: whether z_T is the first.
    """

    def __init__(
        self, first: Normal, step: Callable[[Tensor, int], Normal], last: int, *, backwards: bool = False
    ) -> None:
        self.first, self.step, self.like, self.count = first, step, first.like, last + 1
        self.order = [*range(self.count)][:: -1 if backwards else 1]
        self.shape = (*first.shape[:-1], first.shape[-1] * self.count)

    @property
    def mean(self) -> Tensor:
        """The mean of each state at the mean of the one before it: a point in the middle, for the mean is not known."""
        return self._walk(lambda i, p: p.mean)[0]

    def draw_noise(self, generator: Generator, lead: tuple[int, ...] = ()) -> Tensor:
        """epsilon from N(0, I), of each state in its place."""
        return standard_normal(generator, self._shape_of_draws(lead), self.like.dtype)

    def transform(self, noise: Any) -> Tensor:
        """One state after the other."""
        return self.sample_with_log_prob(noise)[0]

    def sample_with_log_prob(self, source: Any, n: int | None = None) -> tuple[Tensor, Tensor]:
        """All states, and the sum of their log-densities by their noise."""
        noise = split(self._as_noise(self._noise(source, n)), self.count, axis=-1)
        return self._walk(lambda i, p: p.sample_with_log_prob(noise[i]))

    def log_prob(self, x: Any) -> Tensor:
        """The sum of the log-densities of all states, each given the one before it in the chain."""
        states = split(self._as_data(x), self.count, axis=-1)
        return self._walk(lambda i, p: (states[i], p.log_prob(states[i])))[1]

    def _walk(self, visit: Callable[[int, Normal], Any]) -> tuple[Tensor, Tensor]:
        """All states in their places, and the sum of what is found of each, by visiting one after the other."""
        states: dict[int, Tensor] = {}
        total, p = 0.0, self.first
        for place, i in enumerate(self.order):
            if place:
                p = self.step(states[self.order[place - 1]], i)
            found = visit(i, p)
            states[i], value = found if isinstance(found, tuple) else (found, 0.0)
            total = total + value
        return concatenate([states[i] for i in range(self.count)], axis=-1), total  # pyright: ignore
