"""Signals that ask to stop, and what the command answers: from its first line on, one line.

A program that imports the package keeps its own answers: only ``minivae`` and ``python -m minivae`` get these.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable

# Control-C, kill, and a terminal that is closed (which Windows has not).
SIGNALS = (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))


def of_command() -> bool:
    """Whether this process was started as the command; by then a module's name is in ``sys.orig_argv`` alone."""
    (word,) = sys.orig_argv[-len(sys.argv) :][:1] or [""]
    return os.path.basename(word.removeprefix("-m")).removesuffix(".exe") == "minivae"


def leave(number: int, frame: object) -> None:
    """End the process at once: while modules are imported nothing can be lost, and an exception might be caught."""
    try:
        os.write(2, b"minivae: interrupted\n")
    finally:
        os._exit(128 + number)


class Interrupted(KeyboardInterrupt):
    """Its argument is the number of the signal.

    After a KeyboardInterrupt itself that came out of ``exec``, which makes named tuples and data classes, Python ends
    by SIGINT whatever the exit code, though it was caught (``_Py_UnhandledKeyboardInterrupt`` in CPython).
    """


def interrupt(number: int, frame: object) -> None:
    """Raise :class:`Interrupted`."""
    raise Interrupted(number)


def answer(handler: Callable[[int, object], None] | signal.Handlers) -> None:
    """Have this done at each of the signals in the command; one that is ignored, as with ``nohup``, stays so."""
    if of_command():
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, handler)


answer(leave)  # the first thing that the package does
