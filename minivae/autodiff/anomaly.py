"""Anomaly mode: which operation first produced a NaN or an infinity, and on which line."""

from __future__ import annotations

import linecache
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from .. import backend
from ..errors import InputError, NonFiniteError
from .modes import hooked, mode
from .primitives import Primitive
from .tensor import Tensor

_ENGINE = os.path.dirname(__file__)
_SKIPPED = (_ENGINE, os.path.join(os.path.dirname(_ENGINE), "compiler"))


@contextmanager
def detect_anomaly() -> Iterator[None]:
    """A ``with`` block in which the first non-finite result stops the program.

    Every operation is checked, in the forward computation and in the backward sweep,
    so this is slow and waits for the device after each one: it is for finding a fault. Positions
    that :func:`take` is given are looked at as well, which on a GPU nobody does otherwise.

    Raises:
        InputError: positions are out of range; names the line as well.
        NonFiniteError: names the operation, its shapes and the line that called it; in
            the backward sweep, the operation whose derivative it is and the line of
            its forward call.
    """
    lines: dict[int, tuple[Tensor, str]] = {}

    def check(primitive: Primitive, inputs: Sequence[Any], attributes: dict, output: Tensor) -> None:
        lines[id(output)] = (output, calling_line())  # holds the tensor, so that its id stays its own
        _require_no_fault(primitive, inputs, attributes, output, lines)
        if output.dtype.kind == "f" and not backend.backend_of(output._data).is_finite(output._data):
            raise NonFiniteError(_message(primitive, inputs, output, lines))

    with hooked(check):
        yield


def _require_no_fault(
    primitive: Primitive, inputs: Sequence[Any], attributes: dict, output: Tensor, lines: dict
) -> None:
    arrays = [x._data if isinstance(x, Tensor) else x for x in inputs]
    fault = primitive.fault(*arrays, **attributes) if primitive.fault else None
    if fault:
        raise InputError(f"{primitive.name}: {fault}, {_place(output, lines)}")


def _message(primitive: Primitive, inputs: Sequence[Any], output: Tensor, lines: dict) -> str:
    values = backend.to_numpy(output._data)
    kind = "NaN" if (values != values).any() else "an infinity"
    shapes = ", ".join(str(x.shape) if isinstance(x, Tensor) else repr(x) for x in inputs)
    what = f"{primitive.name} of {shapes} produced {kind}"
    comma = "," if mode.differentiating is None else ""
    return f"{what}{comma} {_place(output, lines)}"


def _place(output: Tensor, lines: dict) -> str:
    """Where in the user's code a result was asked for: itself, or what it is the derivative of."""
    source = mode.differentiating
    if source is None:
        return f"called at {lines[id(output)][1]}"
    line = lines.get(id(source), (None, "an unknown line"))[1]
    derivative = f"in the derivative of {source.node.primitive.name}, result shape {source.shape}"
    return f"{derivative}, whose forward call is at {line}"


def calling_line() -> str:
    """File, line and text of the nearest frame outside the engine and the compiler."""
    frame = sys._getframe(1)
    while frame.f_back is not None and os.path.dirname(frame.f_code.co_filename) in _SKIPPED:
        frame = frame.f_back
    text = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
    return f"{frame.f_code.co_filename}:{frame.f_lineno}: {text}"
