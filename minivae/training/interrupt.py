"""Interrupts between steps, never inside one, so that a checkpoint can be written first."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ..signals import SIGNALS


class Interrupt:
    """Whether a signal has asked the run to stop.

    Attributes:
        signal: its number, or None.
    """

    def __init__(self) -> None:
        self.signal: int | None = None

    def handle(self, number: int, frame: object) -> None:
        """Remember the signal; a second one stops at once.

        Raises:
            KeyboardInterrupt: with the number of the second signal.
        """
        if self.signal is not None:
            raise KeyboardInterrupt(number)
        self.signal = number


@contextmanager
def deferred_interrupt() -> Iterator[Interrupt]:
    """A ``with`` block in which :data:`SIGNALS` are noted instead of raised.

    Outside the main thread signals cannot be caught, and nothing changes. A signal that
    is ignored (as ``nohup`` and background jobs have it) stays so, and so does one whose
    handler is none of Python's, which could not be put back.
    """
    interrupt = Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return
    numbers = [n for n in SIGNALS if signal.getsignal(n) not in (signal.SIG_IGN, None)]
    before = {number: signal.signal(number, interrupt.handle) for number in numbers}
    try:
        yield interrupt
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
