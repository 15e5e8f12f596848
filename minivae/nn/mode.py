"""Whether a step of training is being taken, which some layers compute otherwise in, and what it has moved in them.

Whoever trains opens the block around what a step computes, and writes what was collected when it has updated:

    with training_mode() as moved:
        phases = model.phases(batch, noise)
    ...
    for tensor, value in moved:
        assign(tensor, value)

Outside of it, a layer computes what a trained model does, and nothing is collected.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..autodiff import Tensor
from ..autodiff.modes import mode, set_mode

Moved = list[tuple[Tensor, Tensor]]


@contextmanager
def training_mode() -> Iterator[Moved]:
    """A ``with`` block that is a step of training, for this thread. Yields pairs of a tensor of state and its new
    value, without gradient, each tensor once: a list that fills while the block runs.
    """
    moved: Moved = []
    with set_mode(moved=moved):
        yield moved


def is_training() -> bool:
    """Whether this thread is in such a block."""
    return mode.moved is not None


def move(tensor: Tensor, value: Tensor) -> None:
    """Collect the new value of a piece of state, in the place of one that was collected before; nothing outside."""
    if mode.moved is not None:
        mode.moved[:] = [*(pair for pair in mode.moved if pair[0] is not tensor), (tensor, value.detach())]


def as_moved(tensor: Tensor) -> Tensor:
    """A piece of state as it will be after what was collected: itself, if nothing was."""
    return next((value for moved, value in mode.moved or () if moved is tensor), tensor)
