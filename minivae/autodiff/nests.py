"""Nests of tensors: tuples, lists, dicts and named tuples, as a function that is differentiated may take."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from numbers import Real
from typing import Any

from ..errors import InputError, shown


def mapped(f: Callable[..., Any], nest: Any, *others: Any, name: str) -> Any:
    """The same nest with ``f(name, leaf, ...)`` of each leaf; ``others`` give the further arguments.

    What is no tuple, list or dict is a leaf, and so is a list of numbers, which is an
    array here as everywhere; None in a nest stays None. ``name`` is what messages call it.

    Raises:
        InputError: one of the others is arranged in another way.
    """
    try:
        parts = _parts(nest)
    except RecursionError:
        raise InputError(f"{name} is {shown(nest)}; expected no lists within lists without end") from None
    if parts is None:
        return f(name, nest, *others)
    for other in others:
        if type(other) is not type(nest) or _keys(other) != set(parts):
            raise InputError(f"{name} is {shown(other)}; expected what is arranged as {shown(nest)}")
    found = {}
    for key, part in parts.items():
        label = f"{name}.{key}" if hasattr(nest, "_fields") else f"{name}[{key!r}]"
        beside = [getattr(other, key) if hasattr(nest, "_fields") else other[key] for other in others]
        found[key] = None if part is None else mapped(f, part, *beside, name=label)
    return _like(nest, found)


def filled(nest: Any, values: Iterable[Any]) -> Any:
    """The same nest with its leaves replaced by ``values``, in order."""
    values = iter(values)
    return mapped(lambda name, leaf: next(values), nest, name="")


def _parts(nest: Any) -> dict[Any, Any] | None:
    """What a nest is made of, by name or position; None of a leaf."""
    if isinstance(nest, Mapping):
        return dict(nest)
    if hasattr(nest, "_fields"):
        return nest._asdict()
    if isinstance(nest, list | tuple) and not _is_array(nest):
        return dict(enumerate(nest))
    return None


def _keys(nest: Any) -> set[Any]:
    return set(nest._fields if hasattr(nest, "_fields") else nest if isinstance(nest, Mapping) else range(len(nest)))


def _is_array(x: Any) -> bool:
    """Whether something is a number, or a list of numbers or of such lists."""
    return all(map(_is_array, x)) if isinstance(x, list | tuple) and not hasattr(x, "_fields") else isinstance(x, Real)


def _like(nest: Any, parts: dict[Any, Any]) -> Any:
    if isinstance(nest, Mapping):
        new: Any = copy.copy(nest)
        for key, part in parts.items():
            new[key] = part
        return new
    return type(nest)(*parts.values()) if hasattr(nest, "_fields") else type(nest)(parts.values())
