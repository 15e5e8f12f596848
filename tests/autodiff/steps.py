"""Random training steps: straight-line code that computes, views, draws and assigns.

A step chooses what to do by a generator of its own, from shapes alone, so that it does
the same in every call. Its state has what is hard for a recorder: arrays that overlap,
one in another order of axes, a 0-d one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import minivae.autodiff as ad
from minivae import backend
from minivae.compiler.analysis import overlap
from minivae.errors import InputError

N = 4
INPUTS = ((N, N), (N,), ())
LENGTH = 25
UNARY = [ad.tanh, ad.sin, ad.sigmoid, ad.negative, ad.identity, ad.stop_gradient, lambda x: x * 0.5, lambda x: 1 - x]
BINARY = [lambda a, b: (a + b) * 0.5, lambda a, b: ad.sin(a * b), ad.maximum, lambda a, b: ad.where(a > b, a, -b)]
VIEWS = [
    ad.transpose,
    lambda x: x[::-1],
    lambda x: x[1:3],
    lambda x: x[:, 0],
    lambda x: ad.reshape(x, -1),
    lambda x: ad.reshape(x, N, -1),
    lambda x: ad.broadcast_to(x, (N, N)),
]
OTHERS = [
    lambda x: ad.mean(x, 0),
    lambda x: ad.max(x),
    lambda x: ad.tanh(x @ x),
    lambda x: ad.take(x, ad.tensor(np.array([2, 0, 2, 3]), backend=backend.library_of(x.data).name)),
    lambda x: ad.pad(x[1:2], ((1, 2), *((0, 0),) * (x.ndim - 1))),
    lambda x: ad.concatenate([x[2:], x[:2]]),
    lambda x: ad.astype(x > 0, "float32") - x,
]


class RandomStep:
    """A step with its own copy of the state; call it, or give it to ``compile``.

    Args:
        seed: of the program.
        library: where its state lives.

    Attributes:
        state: tensors that it assigns.
        generator: of the noise that it draws.
    """

    def __init__(self, seed: int, library: str = "numpy") -> None:
        self.seed = seed
        rng = np.random.default_rng([seed, 1])
        made = rng.standard_normal((N + 2, N)), *rng.standard_normal((2, N, N)), np.array(0.5)
        shared, square, flipped, number = (backend.asarray(x, "float32", library) for x in made)
        arrays = [shared[:N], shared[2:], square, flipped.T, shared[1], number]
        self.state = [ad.Tensor(array) for array in arrays]
        self.generator = backend.generator(seed, library)

    def __call__(self, *inputs: ad.Tensor) -> list[ad.Tensor]:
        rng = np.random.default_rng([self.seed, 2])
        values = [*inputs, *self.state]
        for _ in range(LENGTH):
            made = self._statement(rng, values)
            if made is not None:
                values.append(made)
        return [values[i] for i in rng.choice(len(values), 4)]

    def _statement(self, rng: np.random.Generator, values: list[ad.Tensor]) -> ad.Tensor | None:
        """The result of a random statement; None if it does not suit its operands."""
        x, y = (values[min(int(rng.integers(len(values) + 6)), len(values) - 1)] for _ in "xy")
        kind = rng.random()
        try:
            if kind < 0.25:
                return _any(rng, UNARY)(x)
            if kind < 0.45:
                return _any(rng, BINARY)(x, y)
            if kind < 0.65:
                return _any(rng, VIEWS)(x)
            if kind < 0.75:
                return _any(rng, OTHERS)(x)
            if kind < 0.8:
                return ad.standard_normal(self.generator, x.shape)
            if kind < 0.85:
                return ad.constant_like(x, 0.5, (N, N))
            # The target: state, or a view of it, or something computed.
            target = _any(rng, self.state) if rng.random() < 0.7 else y
            known = any(overlap(target.data, z.data) for z in values[: len(INPUTS)])
            repeated = any(n > 1 and not stride for n, stride in zip(target.shape, target.data.strides, strict=True))
            return None if known or repeated else ad.assign(target, x)
        except (InputError, IndexError):
            return None


def _any(rng: np.random.Generator, choices: list[Any]) -> Any:
    return choices[int(rng.integers(len(choices)))]
