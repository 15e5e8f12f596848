"""The perceptrons of a hierarchy: features of x from the bottom up, and what z is given from the top down.

    h_L = MLP(x),    h_{l-1} = h_l + f(W h_l)               features of x for each level, the deepest for the top
    s_1 = f(W z_1),  s_l = s_{l-1} + f(W (s_{l-1}, z_l))    what is known of z_1 ... z_l
    mu_p, log sigma_p^2 = linear in s_{l-1};    dmu, log dsigma^2 = linear in s_{l-1} and h_l

f is the activation. log sigma_p^2 is kept within 10 of 0 by 10 tanh(. / 10), as in NVAE's code: dmu^2 / sigma_p^2 is
then a number. What p(x|z) is given is (s_{L-1}, z_L).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...autodiff import Tensor, as_tensor, tanh
from ...backend import Generator
from ...distributions import Normal, TopDown
from ...nn import MLP, Linear, Module
from ...nn.mlp import HiddenLayers
from ..prior.cvae import beside

LARGEST = 10.0  # of |log sigma_p^2|


class Heads(Module):
    """Linear layers for two vectors: of a mean, and of a log-variance.

    Args:
        inputs, outputs: lengths of what they are given, and of each vector.
        generator, options: as of :class:`Linear`.
    """

    def __init__(self, inputs: int, outputs: int, generator: Generator, **options: Any) -> None:
        self.mean, self.log_var = (Linear(inputs, outputs, generator, **options) for _ in range(2))

    def __call__(self, h: Tensor) -> tuple[Tensor, Tensor]:
        """``(..., inputs)`` -> two of ``(..., outputs)``."""
        return self.mean(h), self.log_var(h)


class TopDownMLP(Module, TopDown):
    """p(z_l | z_<l) for each level, and the states between.

    Args:
        levels: the lengths of z_1, ..., z_L.
        width: the length of a state.
        generator, activation, options: as of :class:`MLP`.

    Attributes:
        outputs: the length of what is below the last level.
    """

    def __init__(
        self, levels: Sequence[int], width: int, generator: Generator, *, activation: str = "tanh", **options: Any
    ) -> None:
        self.lengths = tuple(levels)
        above = [0, *[width] * (len(self.lengths) - 1)]
        inputs = [a + length for a, length in zip(above, self.lengths, strict=True)]
        layer: dict[str, Any] = {"activation": activation, "activate_last": True, **options}
        self.down = [MLP((n, width), generator, **layer) for n in inputs[:-1]]
        self.heads = [Heads(width, length, generator, **options) for length in self.lengths[1:]]
        self.outputs = inputs[-1]

    def __call__(self, z: Any) -> Tensor:
        """What is below the last level, of all levels' z: ``(..., sum(levels))`` -> ``(..., outputs)``."""
        z, state, start = as_tensor(z), None, 0
        for level, length in enumerate(self.lengths):
            state, start = self.below(level, state, z[..., start : start + length]), start + length
        return as_tensor(state)

    def conditional(self, level: int, state: Tensor) -> Normal:
        """p(z_l | z_<l)."""
        mean, log_var = self.heads[level - 1](state)
        return Normal(mean, tanh(log_var * (1 / LARGEST)) * LARGEST)

    def below(self, level: int, state: Tensor | None, z: Tensor) -> Tensor:
        """s_l; below the last level (s_{L-1}, z_L)."""
        known = z if state is None else beside(state, z)
        if level == len(self.down):
            return known
        new = self.down[level](known)
        return new if state is None else state + new


class BottomUpMLP(HiddenLayers):
    """Features of x for each level, and what q(z_l | z_<l, x) has otherwise than p(z_l | z_<l).

    Args:
        inputs, hidden, generator, activation, options: as of :class:`HiddenLayers`.
        levels: the lengths of z_1, ..., z_L.
        width: the length of a state.
    """

    mean: Linear
    log_var: Linear

    def __init__(
        self, inputs: int, hidden: Sequence[int], levels: Sequence[int], width: int, generator: Generator, *,
        activation: str = "tanh", **options: Any,
    ) -> None:  # fmt: skip
        top, *others = levels
        heads = {"mean": top, "log_var": top}
        super().__init__(inputs, hidden, heads, generator, activation=activation, **options)
        size = (inputs, *hidden)[-1]
        layer: dict[str, Any] = {"activation": activation, "activate_last": True, **options}
        self.up = [MLP((size, size), generator, **layer) for _ in others]
        self.heads = [Heads(width + size, length, generator, **options) for length in others]

    def __call__(self, x: Any) -> list[Tensor]:
        """h_1, ..., h_L, each ``(..., hidden[-1])``: ``x`` is ``(..., inputs)``."""
        features = [self.hidden(x)]
        for layer in self.up:
            features.insert(0, features[0] + layer(features[0]))
        return features

    def offsets(self, features: Sequence[Tensor], level: int, state: Tensor | None) -> tuple[Tensor, Tensor]:
        """dmu and log dsigma^2."""
        if state is None:
            return self.mean(features[0]), self.log_var(features[0])
        return self.heads[level - 1](beside(state, features[level]))
