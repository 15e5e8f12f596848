"""The errors that minivae raises on purpose.

Everything a user can mend derives from :class:`MinivaeError`; the command line
turns those, and only those, into one line and exit code 2.
"""

from __future__ import annotations

from typing import Any


class MinivaeError(Exception):
    """Base of every error that minivae raises on purpose."""


class InputError(MinivaeError, ValueError):
    """An argument, a file or a data set is not what was expected; said in one line."""

    def __init__(self, message: str = "") -> None:
        super().__init__(" ".join(message.splitlines()))  # other libraries' words, of which some quote, may have more


class MisuseError(InputError, TypeError, AttributeError):
    """A Tensor is used as it cannot be, though NumPy's arrays or PyTorch's tensors are used so."""


class BackendError(MinivaeError, RuntimeError):
    """A backend was asked for that cannot be used here."""


class OutOfMemoryError(BackendError, MemoryError):
    """An array does not fit into the memory of its device, or of this machine."""


class GradientError(MinivaeError, AssertionError):
    """A gradient is wrong, or a gradient check found nothing to check."""


class NonFiniteError(MinivaeError, ArithmeticError):
    """A NaN or an infinity appeared where only finite numbers make sense."""


def shown(value: Any) -> str:
    """A value as a message shows it: in one line, and not a long one."""
    try:
        text = repr(value)
    except Exception:  # an object's own fault, or an integer of thousands of digits
        text = f"of type {type(value).__name__}, which cannot be shown"
    return " ".join(text.split())[:60]
