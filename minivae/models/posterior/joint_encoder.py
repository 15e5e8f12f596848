"""Continuous and discrete variables together: the network of their posterior, and their prior."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

from ...autodiff import Tensor, argmax, concatenate, constant_like
from ...backend import Generator
from ...checks import layer_sizes
from ...distributions import Categorical, Normal, Product, StandardNormal
from ...errors import InputError
from ...nn.mlp import HiddenLayers, Linear


class JointEncoder(HiddenLayers):
    """x -> N(mu(x), diag sigma^2(x)) prod_n Categorical(pi_n(x)): heads for means, log-variances and logits.

    Args:
        inputs, hidden, generator, options: see :class:`~minivae.nn.mlp.HiddenLayers`.
        continuous: how many continuous dimensions.
        discrete: how many values each discrete variable has.
    """

    mean: Linear
    log_var: Linear
    logits: Linear

    def __init__(
        self,
        inputs: int,
        hidden: Sequence[int],
        continuous: int,
        discrete: Sequence[int],
        generator: Generator,
        **options: Any,
    ) -> None:
        heads = {"mean": continuous, "log_var": continuous} | ({"logits": sum(discrete)} if discrete else {})
        super().__init__(inputs, hidden, heads, generator, **options)
        self.discrete = discrete

    def __call__(self, x: Any) -> Product:
        """``(..., inputs)`` -> a distribution over ``(..., continuous + sum(discrete))``."""
        h = self.hidden(x)
        logits = self.logits(h) if self.discrete else None
        return Product([Normal(self.mean(h), self.log_var(h)), *variables(logits, self.discrete)])


def joint_prior(continuous: int, discrete: Sequence[int], like: Tensor) -> Product:
    """p(z, c): N(0, I), and every value of a discrete variable as likely. ``like`` says the dtype and the backend."""
    logits = constant_like(like, 0.0, (sum(discrete),)) if discrete else None
    return Product([StandardNormal(continuous, like), *variables(logits, discrete)])


def joint_codes(q: Product) -> Tensor:
    """The most likely value of each discrete variable, ``(M, variables)`` integers."""
    return concatenate([argmax(variable.mean, axis=-1, keepdims=True) for variable in q.parts[1:]], axis=-1)


def discrete_sizes(discrete: Any) -> list[int]:
    """Return how many values each discrete variable has as a list, or raise :class:`InputError`: at least 2."""
    sizes = layer_sizes("discrete", discrete)
    if 1 in sizes:
        raise InputError(f"discrete is {sizes}; expected at least 2 values of each, or nothing varies")
    return sizes


def variables(logits: Tensor | None, discrete: Sequence[int]) -> list[Categorical]:
    """A distribution for each discrete variable, from the logits of all end to end; None if there is no variable."""
    if logits is None:
        return []
    return [Categorical(logits[..., a:b]) for a, b in pairwise(accumulate(discrete, initial=0))]
