"""What this thread's calls of ``apply`` do besides computing: record, and tell hooks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from inspect import iscoroutinefunction, isgeneratorfunction
from typing import Any

from ..checks import function
from ..errors import InputError, shown


@dataclass
class _Mode(threading.local):
    """The state, one for each thread.

    Attributes:
        taping: whether results remember how they were made.
        hooks: are told of every call.
        differentiating: the tensor whose derivative rule is running.
        tracer: what makes the results of a step that ``compile`` records; None outside.
        variables: what the functions being transformed (``grad``, ``vjp``, ...) are differentiated by.
        moved: what layers have collected in the step of training that we are in (``minivae.nn.mode``); None outside.
        before: what the blocks that we are in have replaced, the innermost last.
    """

    taping: bool = True
    hooks: tuple[Callable, ...] = ()
    differentiating: Any = None
    tracer: Any = None
    variables: tuple = ()
    moved: list | None = None
    before: list[dict[str, Any]] = field(default_factory=list)


mode = _Mode()


class set_mode:
    """A ``with`` block in which parts of this thread's mode have other values; or a decorator: so in each call.

    It may be used again and again, also inside itself and by several threads.
    """

    def __init__(self, **changes: Any) -> None:
        self._changes = changes

    def __enter__(self) -> None:
        mode.before.append({name: getattr(mode, name) for name in self._changes})
        for name, value in self._changes.items():
            setattr(mode, name, value)

    def __exit__(self, *_: object) -> None:
        for name, value in mode.before.pop().items():
            setattr(mode, name, value)

    def __call__(self, f: Callable) -> Callable:
        if isgeneratorfunction(function("f", f)) or iscoroutinefunction(f):
            raise InputError(f"f is {shown(f)}, which runs after its call has returned; write the with block inside it")

        @wraps(f)
        def inside(*args: Any, **kwargs: Any) -> Any:
            with self:
                return f(*args, **kwargs)

        return inside


def no_grad(f: Callable | None = None) -> Any:
    """A ``with`` block, or a decorator, in which nothing is recorded for differentiation."""
    return set_mode(taping=False) if f is None else set_mode(taping=False)(f)


def enable_grad(f: Callable | None = None) -> Any:
    """A ``with`` block, or a decorator, in which recording is on again, inside ``no_grad``."""
    return set_mode(taping=True) if f is None else set_mode(taping=True)(f)


def hooked(hook: Callable) -> Any:
    """A ``with`` block in which ``hook(primitive, inputs, attributes, output)`` sees every call."""
    return set_mode(hooks=(*mode.hooks, function("hook", hook)))


def tracing() -> bool:
    """Whether ``compile`` is recording a step."""
    return mode.tracer is not None
