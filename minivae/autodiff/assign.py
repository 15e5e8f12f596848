"""``assign``: the one primitive that writes in place, for optimizers."""

from __future__ import annotations

from typing import Any

from ..errors import instance
from .tape import apply, primitive
from .tensor import Tensor


def _assign_value(xp: Any, target: Any, value: Any, out: Any = None) -> Any:
    target[...] = value
    return target


_assign = primitive("assign", "the value, written into the target's array", _assign_value, kind="assignment")


def assign(target: Tensor, value: Any) -> Tensor:
    """Write ``value`` into the array of ``target`` and return the new contents.

    No gradient flows through an assignment. Whatever was recorded with the old
    contents would be differentiated with the new ones, so assign only after the
    backward sweep.
    """
    instance("target", target, Tensor, "a Tensor")
    return apply(_assign, target, value)
