"""``assign``: the one primitive that writes in place, for optimizers."""

from __future__ import annotations

from typing import Any

from ..checks import instance
from ..errors import InputError
from .messages import READ_IN_TRANSFORM
from .tape import apply, primitive
from .tensor import Tensor, is_traced
from .versions import note_assigned


def _assign_value(xp: Any, target: Any, value: Any, out: Any = None) -> Any:
    target[...] = value
    note_assigned(target)
    return target


_assign = primitive(
    "assign", "the value, written into the target's array", _assign_value, kind="assignment", differentiable=False
)


def assign(target: Tensor, value: Any) -> Tensor:
    """Write ``value`` into the array of ``target`` and return the new contents.

    No gradient flows through an assignment. What was computed from the old contents
    cannot be differentiated any more where that needs them: so assign after the
    backward sweep, which refuses otherwise.

    Raises:
        InputError: shapes or backends differ; or ``value`` is being differentiated
            (by ``grad``, ``vjp``, ...) and not detached.
    """
    instance("target", target, Tensor, "a Tensor")
    if isinstance(value, Tensor) and is_traced(value):
        raise InputError(READ_IN_TRANSFORM)
    return apply(_assign, target, value)
