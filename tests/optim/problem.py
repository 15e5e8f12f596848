"""A small problem that every optimizer is tested on: noisy gradients of a quadratic."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minivae import backend
from minivae.autodiff import Parameter, Tensor
from minivae.optim import Optimizer

SHAPES = [(7, 5), (5,), ()]


class Problem:
    """Start values, and for each step the gradient 0.1 theta + noise, in one dtype.

    The gradient depends on theta, so that an error in one step is carried into the next.
    """

    def __init__(self, dtype: str = "float32", shapes: Sequence[tuple[int, ...]] = SHAPES, steps: int = 10) -> None:
        rng = np.random.default_rng(20131220)
        self.start = [np.asarray(rng.standard_normal(shape), dtype) for shape in shapes]
        self.noise = [[np.asarray(rng.standard_normal(shape), dtype) for shape in shapes] for _ in range(steps)]

    def parameters(self, where: str = "numpy") -> list[Parameter]:
        return [Parameter(backend.asarray(x.copy(), backend=where)) for x in self.start]

    def gradients(self, step: int, parameters: Sequence[np.ndarray]) -> list[np.ndarray]:
        tenth = [p * p.dtype.type(0.1) for p in parameters]
        return [np.asarray(t + noise) for t, noise in zip(tenth, self.noise[step], strict=True)]

    def run(self, optimizer: Optimizer, steps: Sequence[int] | None = None) -> list[np.ndarray]:
        """Take these steps (all by default) and return the parameters."""
        where = backend.backend_of(optimizer.parameters[0].data).name
        for step in range(len(self.noise)) if steps is None else steps:
            gradients = self.gradients(step, values(optimizer.parameters))
            optimizer.step([Tensor(backend.asarray(g, backend=where)) for g in gradients])
        return values(optimizer.parameters)


def values(tensors: Sequence[Tensor]) -> list[np.ndarray]:
    """Copies in host memory."""
    return [t.numpy().copy() for t in tensors]


def joint_norm(arrays: Sequence[np.ndarray]) -> float:
    """The Euclidean norm of all of them as one vector."""
    return float(np.linalg.norm(np.concatenate([a.ravel() for a in arrays])))
