"""What a table of misuse is made of, and what a message must say.

A subject is a public callable with arguments that it takes, and wrong values of each of
them. The good arguments are tried as well, so that no row passes for another fault.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from minivae import backend
from minivae.autodiff import Tensor, tensor
from minivae.errors import MinivaeError

from ..doubles import strict_device  # noqa: F401  (adds the backend "strict")


class Says(NamedTuple):
    """A wrong value whose message says something else than its shape, dtype, backend or representation.

    ``name`` is what it calls the argument, where that is something else: a file goes by its path.
    """

    value: Any
    words: str
    name: str = ""


class Subject(NamedTuple):
    """A callable of the package and what is tried with it.

    Attributes:
        of: the public callable, whose signature is to be covered.
        call: takes the arguments by name.
        good: arguments that it accepts.
        wrong: by the name of an argument, values that it must refuse.
        label: its name in reports.
    """

    of: Callable
    call: Callable
    good: Mapping[str, Any]
    wrong: Mapping[str, Sequence[Any]]
    label: str


SUBJECTS: list[Subject] = []


def misuse(
    of: Callable, good: Mapping[str, Any], *, call: Callable | None = None, label: str | None = None, **wrong: Sequence
) -> None:
    """Add a subject; ``call`` where the callable takes its arguments otherwise than by name."""
    name = label or getattr(of, "__qualname__", None) or of.name
    SUBJECTS.append(Subject(of, call or of, good, wrong, name))


# What else an argument may be called: noise comes in place of a generator.
ALIASES = {
    "source": "noise",
    "generator": "noise",
    "backend": "backend",
    "name": "backend",
    "batch": "x",
    "arrays": "state",
    "name_or_path": "data",
    "classes": "labels",
    "rows": "indices",
    "lambd": "lambda",
    "kind": "prepare",
}
# A file that is not there, and a width that is not the model's, say by themselves what was expected.
EXPECTED = ("expect", "was built for", "o such file", "has no config.json", "the data have only")


def complaint(subject: Subject, parameter: str, value: Any) -> str | None:
    """What is wrong with how the package takes a wrong argument; None if all is right."""
    given = value.value if isinstance(value, Says) else value
    try:
        found = subject.call(**{**subject.good, parameter: given})
    except MinivaeError as error:
        return _fault(str(error), parameter, value)
    except Exception as error:
        return f"raised {type(error).__name__}: {error}"
    return f"was accepted, and gave {found!r:.80}"


def _fault(message: str, parameter: str, value: Any) -> str | None:
    names = {
        parameter,
        ALIASES.get(parameter, parameter),
        value.name if isinstance(value, Says) and value.name else parameter,
    }
    if "\n" in message:
        return f"several lines: {message}"
    if not any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", message) for name in names):
        return f"does not name the argument: {message}"
    if not any(said in message for said in renderings(value)):
        return f"does not say what came: {message}"
    if not any(words in message for words in EXPECTED):
        return f"does not say what was expected: {message}"
    return None


def renderings(value: Any) -> list[str]:
    """What a message may say of a value, one of which is enough."""
    if isinstance(value, Says):
        return [value.words]
    array = value.data if isinstance(value, Tensor) else value
    if backend.is_array(array):
        return [" ".join(repr(value).split())[:20], str(array.shape), str(array.dtype), backend.backend_of(array).name]
    if value is None or isinstance(value, int | float | complex):
        return [repr(value), "()"]
    terms = [repr(part) for part in value] if isinstance(value, list | tuple | str) else []
    return [repr(value)[:60], *terms, *(["empty"] if terms == [] and value is not None else [])]


# ------------------------------------------------- wrong values of common kinds

COUNTS = (0, -1, 2.5, "3", None, True, math.nan)
NO_SWITCHES = (0, 1, "yes", None)
NUMBERS_FROM_0 = (-1e-9, math.nan, math.inf, "1", None, True)
NUMBERS_ABOVE_0 = (0, *NUMBERS_FROM_0)
FLAGS_OF_NUMBERS = (math.nan, "1", None)
NO_TENSORS = ("three", None, {1.0}, 1j, [[1.0], [1.0, 2.0]], np.array(["a"]), np.array([None]))
GENERATORS = (None, 7, np.random.default_rng(0), "seed")
DTYPES = ("int32", "floot", np.float16, 3)
BACKENDS = ("tpu", "Numpy", 3)
SHAPES = ("ab", 2.5, None, (2, -1), (1.5,))
SEQUENCES_OF_SIZES = ("500", 500, (0,), (2.5,), None, [[3]])


def strict(*shape: int) -> Tensor:
    """A tensor on another device."""
    return tensor(np.ones(shape, np.float32), backend="strict")


def ones(*shape: int) -> Tensor:
    """A tensor of a shape."""
    return tensor(np.ones(shape, np.float32))
