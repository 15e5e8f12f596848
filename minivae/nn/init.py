"""Initializers: how the weights and biases of a linear layer start.

Each is ``initializer(generator, inputs, outputs, dtype) -> (weight, bias)`` with shapes
``(inputs, outputs)`` and ``(outputs,)``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..backend import Generator


def paper(generator: Generator, inputs: int, outputs: int, dtype: Any) -> tuple[Any, Any]:
    """Weights and biases from N(0, 0.01^2): the paper's, section 5.

    The paper writes N(0, 0.01); its authors' code takes 0.01 as the standard deviation.
    """
    weight = generator.standard_normal((inputs, outputs), dtype) * 0.01
    return weight, generator.standard_normal((outputs,), dtype) * 0.01


def glorot(generator: Generator, inputs: int, outputs: int, dtype: Any) -> tuple[Any, Any]:
    """Weights uniform with variance 2 / (inputs + outputs), biases 0 (Glorot & Bengio 2010, Eq. 16).

    Keeps the variance of signals and gradients through tanh layers.
    """
    limit = math.sqrt(6 / (inputs + outputs))
    weight = (generator.uniform((inputs, outputs), dtype) * 2 - 1) * limit
    return weight, _zeros(generator, outputs, dtype)


def he(generator: Generator, inputs: int, outputs: int, dtype: Any) -> tuple[Any, Any]:
    """Weights from N(0, 2 / inputs), biases 0 (He et al. 2015, Eq. 10): for ReLU layers."""
    weight = generator.standard_normal((inputs, outputs), dtype) * math.sqrt(2 / inputs)
    return weight, _zeros(generator, outputs, dtype)


def _zeros(generator: Generator, size: int, dtype: Any) -> Any:
    return generator.backend.xp.zeros((size,), dtype=dtype)


INITIALIZERS: dict[str, Callable] = {"paper": paper, "glorot": glorot, "he": he}
