"""``compile``: a training step recorded once and replayed from then on.

The first call runs the step as usual while every call of ``apply`` is written down.
From that list :mod:`minivae.compiler.program` makes a straight-line program: fixed
buffers, no graph, dead results dropped, element-wise chains fused. Later calls copy their
inputs into the program's buffers and run it.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NoReturn
from weakref import WeakKeyDictionary, ref

import numpy as np

from .. import backend
from ..autodiff import Tensor, as_tensor
from ..autodiff.modes import mode
from ..checks import function
from ..errors import InputError
from . import numba
from .results import of_run
from .tracing import Guarded, Number, Wide, trace_step

MOST_PROGRAMS = 8  # of one step, for each thread; the one that was not used for longest is dropped
OFTEN = 20  # programs one after the other, before one line says that this is slow

logger = logging.getLogger("minivae")


def compile(step: Callable, fast: bool | None = None, check: bool = False) -> CompiledStep:
    """A function that does what ``step`` does, by replaying its program.

    Args:
        step: takes tensors (or arrays, numbers, None), also by name, and returns a tensor, or a list,
            tuple or dict of them. What it changes, it changes with ``assign`` (optimizers do); noise
            it draws with ``standard_normal`` or ``uniform`` and a
            :class:`~minivae.backend.Generator`. Python code in it runs only while recording: a number
            that changes from step to step must be an input, or live in a 0-d tensor whose array is
            written before the call.
        fast: compile arithmetic on large NumPy arrays to loops with Numba, which takes some
            seconds at the first call; by default where ``minivae[fast]`` is installed. The
            results are the same.
        check: run the step itself at every call and compare it with the program, which finds what
            was baked in; for finding a fault, as slow as the step.

    Returns:
        the compiled step. It is recorded anew for inputs of another shape, dtype or order in memory
        (the last ``MOST_PROGRAMS`` are kept), when a tensor that it uses has got another array, and
        when an attribute of a module has got another value. Its results are computed when they are
        read if nothing else needed them, so they are read before its next call. Each thread has
        programs of its own. A replay tells of no overflow and no invalid value as NumPy does of
        the step itself: look at the results, or train under :func:`~minivae.autodiff.detect_anomaly`.

    Raises:
        InputError: ``fast`` is True without Numba.
    """
    installed = numba.is_installed()
    if fast and not installed:
        raise InputError("fast is True, and Numba is not installed; install it with  pip install 'minivae[fast]'")
    if fast and not numba.usable():
        raise InputError("fast is True, and Numba cannot be imported; expected  python -c 'import numba'  to work")
    return CompiledStep(function("step", step), installed if fast is None else fast, check)


class CompiledStep:
    """A step and its programs, by the shapes and dtypes of the inputs. See :func:`compile`.

    Attributes:
        program: the program of this thread's last call; ``print`` shows what runs.
    """

    def __init__(self, step: Callable, fast: bool, check: bool = False) -> None:
        self.step, self._fast, self._check = step, fast, check
        self._own = _Own()
        self._of_owners: WeakKeyDictionary[Any, CompiledStep] = WeakKeyDictionary()

    @property
    def program(self) -> Any:
        """The program of this thread's last call; None before the first."""
        return self._own.last.program if self._own.last else None

    def __call__(self, *inputs: Any, **named: Any) -> Any:
        """Run the step on ``inputs``; unrecorded, as it is, while a hook (anomaly mode) watches, or layers collect."""
        if mode.hooks or mode.moved is not None:
            return self.step(*inputs, **named)
        if self._check:
            return self.checked(*inputs, **named)
        tensors = _as_tensors(inputs, named)
        guarded = self._find(tensors, named)
        if guarded is None:
            return self._record(tensors, named, None)
        guarded.run(tensors)
        return of_run(guarded.program, guarded.structure)

    def checked(self, *inputs: Any, **named: Any) -> Any:
        """Run the step itself on ``inputs``, and hold what it does against its program.

        Raises:
            InputError: it does something else; names the line of code.
        """
        if mode.hooks or mode.moved is not None:
            return self.step(*inputs, **named)
        tensors = _as_tensors(inputs, named)
        return self._record(tensors, named, self._find(tensors, named))

    def _find(self, tensors: Sequence[Tensor | None], named: dict[str, Any]) -> Guarded | None:
        """The program for such inputs, unless it is out of date."""
        own = self._own
        own.key = key = _signature(tensors), tuple(named), mode.taping
        guarded = own.kept.get(key)
        if guarded is None or guarded.is_stale():
            return None
        if guarded is not own.last:
            own.kept.move_to_end(key)
            own.last = guarded
        own.renewed = 0
        return guarded

    def _record(self, tensors: Sequence[Tensor | None], named: dict[str, Any], known: Guarded | None) -> Any:
        """Run the step, and keep its program; or, if one is ``known``, hold the step against that."""
        own, positional = self._own, len(tensors) - len(named)
        key = own.key  # (the step may call this one again)

        def run(inputs: Sequence[Tensor | None]) -> Any:
            return self.step(*inputs[:positional], **dict(zip(named, inputs[positional:], strict=True)))

        guarded, result = trace_step(run, tensors, self._fast, known)
        if known is None:
            own.renewed += key in own.kept
            own.kept[key] = own.last = guarded
            own.kept.move_to_end(key)
            if len(own.kept) > MOST_PROGRAMS:
                own.kept.popitem(last=False)
            if own.renewed == OFTEN:
                logger.warning(
                    "a compiled step was recorded anew %d times in a row, since attributes of modules or arrays of "
                    "tensors change between its calls; keep what changes in a 0-d tensor, or use compile=False",
                    OFTEN,
                )
        return result

    def __get__(self, owner: Any, kind: Any = None) -> Callable:
        """As a method, ``@compile`` in a class: a compiled step for each object."""
        if owner is None:
            return self
        if owner not in self._of_owners:
            step, this = self.step, ref(owner)  # (an object that held its step would never go)
            self._of_owners[owner] = CompiledStep(
                lambda *inputs, **named: step(this(), *inputs, **named), self._fast, self._check
            )
        return partial(_call_for, owner, self._of_owners[owner])

    def __reduce__(self) -> NoReturn:
        """Refused: a program works in arrays of its own process, and of its own parameters."""
        raise InputError("a compiled step cannot be copied or pickled; compile the step where it is to run")


class _Own(threading.local):
    """What each thread has of a compiled step: its programs, by signature, the latest one last."""

    def __init__(self) -> None:
        self.kept: OrderedDict[tuple, Guarded] = OrderedDict()
        self.last: Guarded | None = None
        self.key: Any = None
        self.renewed = 0  # how many programs in a row took the place of one that was out of date


def _call_for(owner: Any, compiled: CompiledStep, *inputs: Any, **named: Any) -> Any:
    """Call the step of an object, which lives as long as the call."""
    return compiled(*inputs, **named)


def _as_tensors(inputs: Sequence[Any], named: dict[str, Any]) -> list[Tensor | None]:
    tensors = [x if isinstance(x, Tensor) else _as_tensor(f"inputs[{i}]", x) for i, x in enumerate(inputs)]
    return [*tensors, *(_as_tensor(name, x) for name, x in named.items())] if named else tensors


def _as_tensor(name: str, x: Any) -> Tensor | None:
    if x is None:
        return None
    if isinstance(x, list | tuple) and any(isinstance(part, Tensor) or backend.is_array(part) for part in x):
        raise InputError(
            f"{name} is a {type(x).__name__} of tensors or arrays; expected each of them as an input by itself"
        )
    if isinstance(x, float):
        return Number(name, float(x))
    return Wide(name, x) if getattr(x, "dtype", None) == np.float64 else as_tensor(x, name=name)


def _signature(tensors: Sequence[Tensor | None]) -> tuple:
    """What a program is made for: shapes, dtypes, backends, orders of axes in memory, and what is differentiated."""
    return tuple([None if x is None else _kind(x) for x in tensors])


def _kind(x: Tensor) -> tuple:
    array, rounded = x._data, isinstance(x, Number) and not x.exact
    return array.shape, array.dtype, type(array), _order(array), x.requires_grad, rounded


def _order(array: Any) -> tuple[int, ...] | None:
    """How an array lies in memory, on which the rounding of sums depends: its strides; None for the order of C."""
    return None if array.flags.c_contiguous else array.strides
