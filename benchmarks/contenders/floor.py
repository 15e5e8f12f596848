"""The floor: what no program that multiplies with NumPy's BLAS can go below.

Of a step's work this does only the large matrix products, forward and backward, into
arrays that are there already. Large are those of the layers between pixels and hidden units
and between hidden units; those of the layers from and to z are left out. A layer has three:
x W, and backward x^T g for its weight and g W^T for its input; the first layer has no use for
the last.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..cases import Case, Layer
from .ours import describe


class Contender:
    """The products of a case, over random numbers. Its loss is none: it is 0."""

    describe = staticmethod(describe)

    def __init__(self, case: Case) -> None:
        random = np.random.default_rng(0)
        self.products: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        for number, layer in enumerate((*case.encoder, *case.decoder)):
            if not layer.latent:
                self.products += self._of(layer, case.batch_size, random, needs_input_gradient=number > 0)

    @staticmethod
    def _of(layer: Layer, batch_size: int, random: np.random.Generator, needs_input_gradient: bool) -> list:
        x, g, w = (
            random.standard_normal(shape, "float32")
            for shape in ((batch_size, layer.inputs), (batch_size, layer.outputs), (layer.inputs, layer.outputs))
        )
        products = [(x, w, np.empty_like(g)), (x.T, g, np.empty_like(w))]
        return [*products, (g, w.T, np.empty_like(x))] if needs_input_gradient else products

    def array(self, values: np.ndarray) -> np.ndarray:
        return values

    def step(self, rows: Any, noise: Any = None) -> None:
        for a, b, out in self.products:
            np.matmul(a, b, out=out)

    def loss(self) -> float:
        return 0.0
