"""The network of a posterior over continuous and discrete variables together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

from ...autodiff import Tensor
from ...backend import Generator
from ...distributions import Categorical, Normal, Product
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


def variables(logits: Tensor | None, discrete: Sequence[int]) -> list[Categorical]:
    """A distribution for each discrete variable, from the logits of all end to end; None if there is no variable."""
    if logits is None:
        return []
    return [Categorical(logits[..., a:b]) for a, b in pairwise(accumulate(discrete, initial=0))]
