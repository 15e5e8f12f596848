"""The standard streams of a process of its own: what they lack is made up for."""

from __future__ import annotations

import os
import sys
from contextlib import suppress


def complete() -> None:
    """Open closed standard streams on nothing, and have text that an encoding lacks written with backslashes.

    A file that is opened while a stream is closed would get its number, and what C code says there.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "r" if name == "stdin" else "w", encoding="utf-8", closefd=False))  # noqa: SIM115
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None and sys.stdout.errors in ("strict", "surrogateescape"):
        reconfigure(errors="backslashreplace")


def say(line: str) -> None:
    """Print a line to standard error, unless that has gone, as with a terminal that was closed."""
    if sys.stderr is None:  # for print that is standard output
        return
    with suppress(OSError, ValueError):
        print(line, file=sys.stderr, flush=True)
