"""Networks whose output i depends on inputs before i alone: MADE (Germain et al. 2015, arXiv 1502.03509).

Every unit has a degree: the number of first inputs that it may see. A weight between two
units is kept if the upper one may see all that the lower one does: hidden units those of
the same degree or less, outputs those of less degree only, so that output i misses input i.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from .. import backend
from ..autodiff import Tensor, linear, split
from ..autodiff.arguments import shaped
from ..backend import Generator
from ..errors import InputError, integer_from_zero, layer_sizes, one_of, positive_integer, shown
from .linear import Linear
from .mlp import ACTIVATIONS
from .module import Module


class MaskedLinear(Linear):
    """x -> x (W * mask) + b.

    Args:
        mask: ``(inputs, outputs)`` of zeros and ones.
        generator, options: see :class:`Linear`.
    """

    def __init__(self, mask: np.ndarray, generator: Generator, **options: Any) -> None:
        if not isinstance(mask, np.ndarray) or mask.ndim != 2:
            raise InputError(f"mask is {shown(mask)}; expected a NumPy array (inputs, outputs)")
        super().__init__(*mask.shape, generator, **options)
        # Held as an array, not as a tensor: it is no state.
        self._mask = backend.asarray(mask, self.weight.dtype, backend.library_of(self.weight.data).name)

    def __call__(self, x: Any, name: str = "x") -> Tensor:
        """``(..., inputs) -> (..., outputs)``; ``name`` is what messages call ``x``."""
        x = shaped(name, x, self.weight, ..., self.weight.shape[0])
        return linear(x, self.weight * self._mask, self.bias)


class MADE(Module):
    """A perceptron with masks: ``outputs`` numbers for each input, which depend on earlier inputs only (Eq. 8, 12).

    Args:
        size: how many inputs; in their own order.
        hidden: sizes of the hidden layers.
        generator: draws the initial weights.
        outputs: how many numbers for each input.
        context_dim: the length of a context that every unit of the first layer sees; 0 for none.
        activation, options: see :class:`MLP`.
    """

    def __init__(
        self,
        size: int,
        hidden: Sequence[int],
        generator: Generator,
        *,
        outputs: int = 1,
        context_dim: int = 0,
        activation: str = "tanh",
        **options: Any,
    ) -> None:
        size, hidden = positive_integer("size", size), layer_sizes("hidden", hidden)
        self.activation = ACTIVATIONS[one_of("activation", activation, ACTIVATIONS)]
        self.outputs = positive_integer("outputs", outputs)
        context_dim = integer_from_zero("context_dim", context_dim)
        degrees = [np.arange(1, size + 1), *(hidden_degrees(size, units) for units in hidden)]
        masks = [below[:, None] <= above for below, above in pairwise(degrees)]
        masks.append(np.tile(degrees[-1][:, None] < degrees[0], outputs))
        self.layers = [MaskedLinear(mask, generator, **options) for mask in masks]
        self.context = Linear(context_dim, masks[0].shape[1], generator, **options) if context_dim else None

    def __call__(self, x: Any, context: Any = None) -> list[Tensor]:
        """``(..., size)``, and ``(..., context_dim)`` -> the numbers, each ``(..., size)``."""
        h = x
        for i, layer in enumerate(self.layers):
            h = layer(h)
            if i == 0 and self.context is not None:
                h = h + self.context(context, "context")
            if i < len(self.layers) - 1:
                h = self.activation(h)
        return split(h, self.outputs, axis=-1)


def hidden_degrees(size: int, units: int) -> np.ndarray:
    """Degrees from 1 to ``size`` - 1 (a unit that sees all inputs serves no output), as evenly as may be."""
    return 1 + np.arange(units) * max(size - 1, 1) // units
