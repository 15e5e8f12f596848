"""What this thread's calls of ``apply`` do besides computing: record, and tell hooks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ..errors import function


@dataclass
class _Mode(threading.local):
    """The state, one for each thread.

    Attributes:
        taping: whether results remember how they were made.
        hooks: are told of every call.
        differentiating: the tensor whose derivative rule is running.
        trace: what makes the results of a step that ``compile`` records; None outside.
        variables: what the functions being transformed (``grad``, ``vjp``, ...) are differentiated by.
    """

    taping: bool = True
    hooks: tuple[Callable, ...] = ()
    differentiating: Any = None
    trace: Any = None
    variables: tuple = ()


class _Changes:
    """How often an attribute of a module has got another value: a recorded step is then out of date."""

    count = 0


mode, changes = _Mode(), _Changes()


@contextmanager
def set_mode(**changes: Any) -> Iterator[None]:
    """A ``with`` block in which parts of this thread's mode have other values."""
    before = {name: getattr(mode, name) for name in changes}
    for name, value in changes.items():
        setattr(mode, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(mode, name, value)


def no_grad() -> Any:
    """A ``with`` block in which nothing is recorded for differentiation."""
    return set_mode(taping=False)


def enable_grad() -> Any:
    """A ``with`` block in which recording is on again, inside a ``no_grad`` block."""
    return set_mode(taping=True)


def hooked(hook: Callable) -> Any:
    """A ``with`` block in which ``hook(primitive, inputs, attributes, output)`` sees every call."""
    return set_mode(hooks=(*mode.hooks, function("hook", hook)))


def tracing() -> bool:
    """Whether ``compile`` is recording a step."""
    return mode.trace is not None
