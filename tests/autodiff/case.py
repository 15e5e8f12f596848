"""What a case of an operation is, and the tables that hold them."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

import minivae.autodiff as ad

Shape = tuple[int, ...]
SHAPES = [(), (3,), (1, 1), (2, 0), (2, 1, 3)]
FILLED = [shape for shape in SHAPES if 0 not in shape]
PAIRS = [  # that broadcast against each other
    ((), ()),
    ((3,), (3,)),
    ((3,), ()),
    ((2, 3), (3,)),
    ((1, 3), (2, 1)),
    ((2, 1, 3), (2, 1)),
    ((1,), (1, 1)),
    ((0,), (1,)),
    ((2, 1), (2, 0)),
]
SIGNED, POSITIVE = (-1.5, 1.5), (0.4, 2.0)


class Case(NamedTuple):
    """An operation at one point.

    Attributes:
        label: what is special about it.
        f: the operation, of tensors: the inputs and then the constants.
        twin: the same in PyTorch: ``twin(torch, *inputs, *constants)``.
        inputs: float64 arrays to differentiate by.
        constants: arrays that are not differentiated by.
    """

    label: str
    f: Callable
    twin: Callable
    inputs: Sequence[np.ndarray]
    constants: Sequence[np.ndarray] = ()


CASES: dict[str, list[Case]] = {}  # by the primitive that they call
COMPOSITES: dict[str, list[Case]] = {}  # by the function, where that is no primitive


def case(
    name: str,
    f: Callable,
    twin: Callable,
    *shapes: Shape,
    within: tuple[float, float] = SIGNED,
    label: str = "",
    constants: Sequence[np.ndarray] = (),
) -> None:
    """Add one case with random inputs of these shapes, which are the same whatever else is in the table."""
    cases = (CASES if name in ad.PRIMITIVES else COMPOSITES).setdefault(name, [])
    label = f"{label} {', '.join(map(str, shapes))}".strip()
    rng = np.random.default_rng(zlib.crc32(f"{name} {label} {len(cases)}".encode()))
    cases.append(Case(label, f, twin, [rng.uniform(*within, shape) for shape in shapes], constants))
