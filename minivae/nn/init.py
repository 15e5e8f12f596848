"""Initializers: how the weights and biases of a linear layer start.

Each is ``initializer(generator, inputs, outputs, dtype) -> (weight, bias)`` with shapes
``(inputs, outputs)`` and ``(outputs,)``. Of a layer in which these two count only what goes
into an output and what an input goes to, a convolution, both shapes come as a fifth argument.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..backend import Generator

Shape = tuple[int, ...]
Shapes = tuple[Shape, Shape] | None  # of the weight and of the bias


def paper(generator: Generator, inputs: int, outputs: int, dtype: Any, shapes: Shapes = None) -> tuple[Any, Any]:
    """Weights and biases from N(0, 0.01^2): the paper's, section 5.

    The paper writes N(0, 0.01); its authors' code takes 0.01 as the standard deviation.
    """
    of_weight, of_bias = shapes or _shapes(inputs, outputs)
    weight = generator.standard_normal(of_weight, dtype) * 0.01
    return weight, generator.standard_normal(of_bias, dtype) * 0.01


def glorot(generator: Generator, inputs: int, outputs: int, dtype: Any, shapes: Shapes = None) -> tuple[Any, Any]:
    """Weights uniform with variance 2 / (inputs + outputs), biases 0 (Glorot & Bengio 2010, Eq. 16).

    Keeps the variance of signals and gradients through tanh layers.
    """
    of_weight, of_bias = shapes or _shapes(inputs, outputs)
    limit = math.sqrt(6 / (inputs + outputs))
    weight = (generator.uniform(of_weight, dtype) * 2 - 1) * limit
    return weight, _zeros(generator, of_bias, dtype)


def he(generator: Generator, inputs: int, outputs: int, dtype: Any, shapes: Shapes = None) -> tuple[Any, Any]:
    """Weights from N(0, 2 / inputs), biases 0 (He et al. 2015, Eq. 10): for ReLU layers."""
    of_weight, of_bias = shapes or _shapes(inputs, outputs)
    weight = generator.standard_normal(of_weight, dtype) * math.sqrt(2 / inputs)
    return weight, _zeros(generator, of_bias, dtype)


def _shapes(inputs: int, outputs: int) -> tuple[Shape, Shape]:
    return (inputs, outputs), (outputs,)


def _zeros(generator: Generator, shape: Shape, dtype: Any) -> Any:
    return generator.backend.xp.zeros(shape, dtype=dtype)


INITIALIZERS: dict[str, Callable] = {"paper": paper, "glorot": glorot, "he": he}
