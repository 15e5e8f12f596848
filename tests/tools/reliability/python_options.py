"""Python's own options: without assertions and docstrings, in development mode, with every warning an error, isolated.

A small run is trained, gone on with, evaluated, sampled from and encoded by: every number, picture and word must be as
with plain Python, and nothing may be said on standard error.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from .campaign import RIGHT, campaign
from .environments import ROOT, SMALL, without_place

COMMANDS = (
    ("train", "--out", "run", *SMALL),
    ("train", "--resume", "run", "--epochs", "2"),
    ("evaluate", "run", "--importance-samples", "4", "--json"),
    ("sample", "run", "-n", "4", "--out", "four.png", "--json"),
    ("encode", "run", "--out", "codes.npz", "--json"),
)
# An isolated Python looks neither at PYTHONPATH nor at the folder that it is started in.
START = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
sys.argv[0] = "minivae"
from minivae.cli import main
sys.exit(main())
"""


class Way(NamedTuple):
    """Words of Python's own, and variables of its environment."""

    words: tuple[str, ...] = ()
    environment: Mapping[str, str] = {}


WAYS = (
    Way(("-OO",)),
    Way(("-X", "dev", "-W", "error")),
    Way(("-b", "-b")),
    Way(("-I",)),
    Way(("-W", "error")),
    Way(environment={"PYTHONOPTIMIZE": "2"}),
    Way(environment={"PYTHONDEVMODE": "1"}),
    Way(("-E", "-s", "-P")[: 3 if sys.version_info >= (3, 11) else 2]),
    Way(("-B", "-X", "frozen_modules=off")),
    Way(environment={"PYTHONHASHSEED": "1", "PYTHONUNBUFFERED": "1"}),
    Way(environment={"PYTHONMALLOC": "debug"}),
    Way(environment={"PYTHONUTF8": "1", "PYTHONTRACEMALLOC": "5"}),
)


def left(way: Way, folder: Path) -> dict[str, Any]:
    """What all commands together say and leave.

    Raises:
        AssertionError: one has failed, or said something on standard error.
    """
    said = {}
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    for command in COMMANDS:
        words = [sys.executable, *way.words, "-c", START, *command]
        environment = {**plain, "OPENBLAS_NUM_THREADS": "1", **way.environment}
        ended = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True)
        if ended.returncode or ended.stderr:
            raise AssertionError(f"{command[0]} ended with {ended.returncode}: {ended.stderr[-400:]}")
        said[" ".join(command)] = re.sub(r"\d+\.\d s\b|\d+ per second", "", ended.stdout)
    files = {name: (folder / name).read_bytes() for name in ("four.png", "codes.npz")}
    return {**said, **files, **without_place(folder / "run")}


@cache
def plainly() -> dict[str, Any]:
    """The same by plain Python."""
    with tempfile.TemporaryDirectory() as folder:
        return left(Way(), Path(folder))


@campaign("Python's own options", "every command's numbers, pictures and words, and no warning", len(WAYS), 1)
def python_options(folder: Path) -> Iterator[str]:
    """Each in a folder of its own."""
    for number, way in enumerate(WAYS):
        (folder / str(number)).mkdir()
        try:
            found, expected = left(way, folder / str(number)), plainly()
        except AssertionError as error:
            yield f"{way}: {error}"
            continue
        differing = [name for name in expected.keys() | found.keys() if found.get(name) != expected.get(name)]
        yield f"{way}: other {', '.join(sorted(differing))}" if differing else RIGHT
