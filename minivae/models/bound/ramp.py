"""How far along something is that changes while a model is trained, such as a temperature or a capacity.

It moves from its first value to its last over a length of the run, and stays there. The length is
a share of the run if it is at most 1, so that it suits runs of any length, or else a number of
minibatches. A run that is resumed with more epochs is a longer run: a share is one of all of it.
"""

from __future__ import annotations

from typing import Any

from ...checks import positive_number
from ...errors import InputError, shown


def ramp_length(name: str, value: Any) -> float:
    """``value`` if it is a share of a run, in (0, 1], or a whole number of minibatches.

    Raises:
        InputError: it is neither; names it.
    """
    length = positive_number(name, value)
    if length > 1 and not length.is_integer():
        raise InputError(
            f"{name} is {shown(value)}; expected a share of the run, up to 1, or a whole number of minibatches"
        )
    return length


def progress(step: int, total_steps: int, length: float) -> float:
    """From 0 at the first step to 1 after so much of the run (see :func:`ramp_length`), and 1 from then on."""
    return min(1.0, step / (length if length > 1 else length * total_steps))
