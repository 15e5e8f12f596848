"""What a check finds: how it is told, and the file that it is written to.

The file of a check, ``FOLDER/NN-name.json``, holds

``planned``
    the names of its items, in order;
``items``
    for each that has run, what it found, its ``seconds``, and ``failed`` or ``left_out`` with the reason;
``running``
    the item that runs now, or that its process died of;
``ended``
    true once all have run;
``failed``
    why the check as a whole could not run; ``not_run`` why items are missing.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NamedTuple


class Failure(RuntimeError):
    """An item ran and found what must not be: the reason; what was found, as second argument."""


class LeftOut(RuntimeError):
    """An item needs what this machine does not have: the reason; what was found all the same, as second argument."""


class Context(NamedTuple):
    """What an item may want to know.

    Attributes:
        folder: where results go; an item may write files there.
        deadline: ``time.monotonic()`` at which the check has to end.
        emulated: whether there is no GPU but an emulation of one, where times mean nothing and work is slow.
    """

    folder: Path
    deadline: float
    emulated: bool


def read(path: Path) -> dict[str, Any]:
    """What is written; a check that has not begun has no items."""
    if not path.exists():
        return {"planned": [], "items": {}}
    return json.loads(path.read_text())


def write(path: Path, state: dict[str, Any]) -> None:
    """Write it, so that the file is whole at any time. (Without minivae: a check's process starts with this.)"""
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_text(json.dumps(state, indent=1) + "\n")
    os.replace(temporary, path)


def unless(failures: list[str], found: dict[str, Any]) -> dict[str, Any]:
    """What was found.

    Raises:
        Failure: there are failures.
    """
    if failures:
        raise Failure("; ".join(failures), found)
    return found
