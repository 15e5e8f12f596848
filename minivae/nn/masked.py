"""Networks whose output i depends on inputs before i alone: MADE (Germain et al. 2015, arXiv 1502.03509).

Every unit has a degree: the number of first inputs that it may see. A weight between two
units is kept if the upper one may see all that the lower one does: hidden units those of
the same degree or less, outputs those of less degree only, so that output i misses input i.

The degrees of the inputs are their order. It is the one that they come in, and hidden units have
every degree equally often; or both are drawn, once or several times (sections 4.2 and 4.3), and
each call says which of these sets of masks it means.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from .. import backend
from ..autodiff import Tensor, arange, as_tensor, astype, concatenate, linear, reshape, split, swapaxes, take
from ..autodiff.shape import shaped
from ..backend import Generator, require_generator
from ..backend.memory import memory_for
from ..checks import integer_from_zero, layer_sizes, one_of, positive_integer, switch
from ..errors import InputError, shown
from .mlp import ACTIVATIONS, Linear, Module


class MaskedLinear(Linear):
    """x -> x (W * mask) + b.

    Args:
        mask: ``(inputs, outputs)`` of zeros and ones.
        generator, options: see :class:`Linear`.
    """

    def __init__(self, mask: np.ndarray, generator: Generator, **options: Any) -> None:
        if not isinstance(mask, np.ndarray) or mask.ndim != 2:
            raise InputError(f"mask is {shown(mask)}; expected a NumPy array (inputs, outputs)")
        inputs, outputs = mask.shape
        super().__init__(inputs, outputs, generator, **options)
        # Held as an array, not as a tensor: it is no state.
        self._mask = backend.asarray(mask, self.weight.dtype, backend.backend_of(self.weight.data).name)

    def __call__(self, x: Any, mask: Tensor | None = None) -> Tensor:
        """``(..., inputs) -> (..., outputs)``; ``mask`` is another for this call."""
        x = shaped("x", x, self.weight, ..., self.weight.shape[0])
        mask = self._mask if mask is None else shaped("mask", mask, self.weight, *self.weight.shape)
        return linear(x, self.weight * mask, self.bias)


class MADE(Module):
    """A perceptron with masks: ``outputs`` numbers for each input, which depend on earlier inputs only (Eq. 8, 12).

    Args:
        size: how many inputs.
        hidden: sizes of the hidden layers.
        generator: draws the initial weights, and before them the sets of masks that are drawn.
        outputs: how many numbers for each input.
        width: how many numbers an input itself is: K, if it is a one-hot vector of K values.
        context_dim: the length of a context that every unit of the first layer sees; 0 for none.
        direct: the last layer sees the inputs, too, each output those before it (section 4.1).
        sets: how many sets of masks. Of one, with the inputs' own order, nothing is drawn.
        random_orders: each set has an order of its own, drawn; else that of the inputs.
        activation, options: see :class:`MLP`.

    Attributes:
        degrees: of the sets that are drawn, for inputs, hidden layers and outputs, each ``(sets, units)``.
            They are state: the seed that drew them is not part of a model.
    """

    def __init__(
        self,
        size: int,
        hidden: Sequence[int],
        generator: Generator,
        *,
        outputs: int = 1,
        width: int = 1,
        context_dim: int = 0,
        direct: bool = False,
        sets: int = 1,
        random_orders: bool = False,
        activation: str = "tanh",
        **options: Any,
    ) -> None:
        size, hidden = positive_integer("size", size), layer_sizes("hidden", hidden)
        self.activation = ACTIVATIONS[one_of("activation", activation, ACTIVATIONS)]
        self.outputs, self.sets = positive_integer("outputs", outputs), positive_integer("sets", sets)
        self.width = positive_integer("width", width)
        context_dim = integer_from_zero("context_dim", context_dim)
        for name, value in (("direct", direct), ("random_orders", random_orders)):
            switch(name, value)
        self.direct = direct and len(hidden) > 0  # without hidden layers every connection is direct
        drawn = self.sets > 1 or random_orders
        with memory_for(f"{self.sets} sets of masks of {size} numbers", backend.get_backend("numpy")):
            rows = [_degrees(size, hidden, generator if drawn else None, random_orders) for _ in range(self.sets)]
            every = [np.stack(layer) for layer in zip(*rows, strict=True)]
            every.append(np.tile(every[0], self.outputs))
            every[0] = np.repeat(every[0], self.width, axis=-1)
            masks = self._masks([layer[0] for layer in every])
        self.layers = [MaskedLinear(mask, generator, **options) for mask in masks]
        self.context = Linear(context_dim, masks[0].shape[1], generator, **options) if context_dim else None
        weight = self.layers[0].weight
        kind = {"dtype": weight.dtype, "backend": backend.backend_of(weight.data).name}
        self.degrees = [Tensor(backend.asarray(layer, **kind)) for layer in every] if drawn else []

    def __call__(self, x: Any, context: Any = None, which: Any = 0) -> list[Tensor]:
        """``(..., size * width)``, and ``(..., context_dim)`` -> the numbers, each ``(..., size)``.

        ``which`` of the drawn sets of masks: an integer, or a 0-d tensor of one.
        """
        return split(self._side_by_side(x, context, which), self.outputs, axis=-1)

    def together(self, x: Any, context: Any = None, which: Any = 0) -> Tensor:
        """The same numbers, those of an input end to end: ``(..., size * outputs)``, as logits of K values are."""
        h = self._side_by_side(x, context, which)
        h = swapaxes(reshape(h, *h.shape[:-1], self.outputs, -1), -1, -2)
        return reshape(h, *h.shape[:-2], -1)

    def _side_by_side(self, x: Any, context: Any, which: Any) -> Tensor:
        h = x = as_tensor(x, self.layers[0].weight)
        for i, (layer, mask) in enumerate(zip(self.layers, self._masks_of_set(which), strict=True)):
            last = i == len(self.layers) - 1
            h = layer(concatenate([h, x], axis=-1) if last and self.direct else h, mask=mask)
            if i == 0 and self.context is not None:
                weight = self.context.weight
                h = h + self.context(shaped("context", context, weight, ..., weight.shape[0]))
            if not last:
                h = self.activation(h)
        return h

    def order(self, which: Any = 0) -> Tensor:
        """The place of each input in a set's order, from 1, ``(size,)``."""
        self._require_set(which)
        if self.degrees:
            return take(self.degrees[0], which, axis=0)[:: self.width]
        weight = self.layers[0].weight
        return arange(1, weight.shape[0] // self.width + 1, like=weight)

    def _require_set(self, which: Any) -> None:
        if isinstance(which, Tensor):  # whose value stays where it is
            good = not which.shape and which.dtype.kind in "iu" and bool(self.degrees)
        else:
            good = isinstance(which, int | np.integer) and not isinstance(which, bool) and 0 <= which < self.sets
        if not good:
            raise InputError(
                f"which is {shown(which)}; expected the number of one of {self.sets} sets of masks, from 0"
            )

    def _masks_of_set(self, which: Any) -> list[Tensor | None]:
        self._require_set(which)
        if not self.degrees:
            return [None] * len(self.layers)
        dtype = self.layers[0].weight.dtype
        return [astype(mask, dtype) for mask in self._masks([take(layer, which, axis=0) for layer in self.degrees])]

    def _masks(self, degrees: Sequence[Any]) -> list[Any]:
        """``(inputs, outputs)`` of each layer, by degrees of inputs, hidden layers and outputs: arrays or tensors."""
        *below, outputs = degrees
        masks = [lower[:, None] <= upper for lower, upper in pairwise(below)]
        last = below[-1][:, None] < outputs
        if not self.direct:
            return [*masks, last]
        through = below[0][:, None] < outputs
        return [*masks, concatenate([last, through]) if isinstance(last, Tensor) else np.concatenate([last, through])]


def _degrees(size: int, hidden: Sequence[int], generator: Generator | None, random_order: bool) -> list[np.ndarray]:
    """Of inputs and hidden layers: evenly spread, or drawn with a generator."""
    order = np.arange(1, size + 1)
    if generator is None:
        return [order, *(hidden_degrees(size, units) for units in hidden)]
    require_generator("generator", generator)
    if random_order:
        order = 1 + np.argsort(_uniform(generator, size))
    degrees, least = [order], 1
    for units in hidden:  # a unit of less degree than all below would see nothing
        degrees.append(least + (_uniform(generator, units) * (size - least)).astype(int))
        least = degrees[-1].min()
    return degrees


def _uniform(generator: Generator, n: int) -> np.ndarray:
    return backend.to_numpy(generator.uniform((n,), "float64"))


def hidden_degrees(size: int, units: int) -> np.ndarray:
    """Degrees from 1 to ``size`` - 1 (a unit that sees all inputs serves no output), as evenly as may be; 1 of one."""
    return 1 + np.arange(units) * (size - 1) // units
