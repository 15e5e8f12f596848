"""Attributes of modules and optimizers that get another value: what was recorded with the old one is out of date.

A class that wants to be watched calls :func:`note` before it sets an attribute. Outside of a recording each change is
counted. Inside, it is kept until the step has ended: what is then as it was before (a weight that was
exchanged for a while) is no change.
"""

from __future__ import annotations

from typing import Any

from .modes import mode

NOTHING = object()


class _Changes:
    """How many there have been in this process."""

    count = 0


changes = _Changes


def note(owner: Any, name: str, value: Any) -> None:
    """Note that attribute ``name`` of ``owner`` is about to become ``value``."""
    old = getattr(owner, name, NOTHING)
    if mode.tracer is not None:
        mode.tracer.writes.setdefault((id(owner), name), (owner, old))
    elif not is_same(old, value):
        changes.count += 1


def is_same(old: Any, new: Any) -> bool:
    """Whether a step that uses the old value of an attribute would do the same with the new one."""
    if old is new:
        return not isinstance(old, list | dict | set)  # which may hold something else by now
    return type(old) is type(new) and isinstance(old, int | float | str | tuple) and _written(old) == _written(new)


def _written(value: Any) -> str:
    return hex(value) if type(value) is int else repr(value)  # which has a limit of digits for integers
