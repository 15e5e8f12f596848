"""What to say when memory runs out: what asked for how much, what is free, and what to lower."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..errors import OutOfMemoryError

if TYPE_CHECKING:
    from .numpy import Backend

TOO_BIG = ("array is too big", "Maximum allowed")  # NumPy's words
ADVICE = "lower batch_size, hidden or the number of samples"


def out_of_memory(what: str, backend: Backend, error: Exception) -> OutOfMemoryError:
    """The error for ``what`` (an operation, an array, a layer) that did not fit.

    How many bytes were asked for, and of NumPy the shape, is in the words of the backend's
    own error (CuPy's OutOfMemoryError is a MemoryError too).
    """
    said = " ".join(str(error).split()).rstrip(".") or "the system gave none"
    free = backend.free_memory()
    left = "" if free is None else f", and {free >> 20} MiB are free"
    return OutOfMemoryError(f"not enough memory on {backend.name} for {what}: {said}{left}; {ADVICE}")


@contextmanager
def memory_for(what: str, backend: Backend) -> Iterator[None]:
    """A ``with`` block in which running out of memory is an :class:`OutOfMemoryError` that says for what."""
    try:
        yield
    except OutOfMemoryError:  # says it more closely
        raise
    except MemoryError as error:
        raise out_of_memory(what, backend, error) from error
    except ValueError as error:  # of more bytes than there are addresses
        if not str(error).startswith(TOO_BIG):
            raise
        raise out_of_memory(what, backend, error) from error
