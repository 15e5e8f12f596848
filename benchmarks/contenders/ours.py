"""minivae: the step that ``minivae train`` takes, eager, compiled, and compiled through Numba."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

import numpy as np

import minivae as mv
from minivae.models import VAE, Batch

from ..cases import LR, Case

COMPILERS = {
    "eager": lambda step: step,
    "compiled": partial(mv.compile, fast=False),
    "fast": partial(mv.compile, fast=True),
}


class Contender:
    """``VAE`` and ``Adam`` as ``fit`` runs them.

    Args:
        mode: "eager"; "compiled", without Numba; "fast", compiled with Numba's loops.
        backend: where the arrays live.
    """

    def __init__(self, case: Case, mode: str, backend: str = "numpy") -> None:
        options = {"likelihood": case.likelihood, "sigmoid_mean": case.likelihood == "gaussian"}
        self.model = VAE(case.data_dim, case.latent_dim, case.hidden, backend=backend, **options)
        start = [array for pair in case.weights() for array in pair]
        for parameter, array in zip(self.model.parameters(), start, strict=True):
            parameter.data[...] = mv.backend.asarray(array, backend=backend)
        self.adam = mv.optim.Adam(self.model.parameters(), LR)
        self.images, self.scale = mv.tensor(case.images(), backend=backend), case.scale
        self.generator = mv.backend.generator(0, backend)
        self.value = mv.tensor(0.0, backend=backend)
        self.backend = backend
        self._update = COMPILERS[mode](self._update_eagerly)

    def array(self, values: np.ndarray) -> mv.Tensor:
        return mv.tensor(values, backend=self.backend)

    def step(self, rows: mv.Tensor, noise: mv.Tensor | None = None) -> None:
        self.adam.advance()
        self.value = self._update(rows) if noise is None else self._update(rows, noise.reshape(1, *noise.shape))

    def _update_eagerly(self, rows: mv.Tensor, noise: mv.Tensor | None = None) -> mv.Tensor:
        x = mv.astype(mv.take(self.images, rows, axis=0), "float32") / self.scale
        (phase,) = self.model.phases(Batch(x), self.generator if noise is None else noise)
        self.adam.apply(mv.backward(phase.loss, phase.parameters))
        return phase.loss.detach()

    def loss(self) -> float:
        return float(self.value)

    def describe(self) -> dict[str, Any]:
        return describe()


def describe() -> dict[str, Any]:
    """NumPy, its BLAS and threads."""
    numpy = mv.backend.describe("numpy")
    return {"versions": {"minivae": mv.__version__, "numpy": np.__version__}, "blas": numpy["blas"]} | {
        "threads": numpy["threads"] or os.cpu_count()
    }
