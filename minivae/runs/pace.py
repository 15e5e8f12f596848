"""When to write again what takes the longer, the longer a run already is."""

from __future__ import annotations

import math
import time

from ..checks import number_from_zero

SECONDS = 10.0  # so much of a run a kill may cost, beside what came since the last report


class Pace:
    """Whether so many seconds have gone by since something was last done; so its cost for each report stays the same.

    Args:
        seconds: 0 for each time.
    """

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds, self._done = number_from_zero("seconds", seconds), -math.inf

    def is_due(self) -> bool:
        """Whether it is time, or it was never done."""
        return time.monotonic() - self._done >= self.seconds

    def done(self) -> None:
        """It is done by now."""
        self._done = time.monotonic()
