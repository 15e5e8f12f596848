"""Check 9: compute-sanitizer on six compiled steps: memory out of bounds, not initialised, races, barriers."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from .found import Context, Failure, LeftOut
from .process import ROOT

NAME = "compute-sanitizer"
TOOLS = ("memcheck", "initcheck", "racecheck", "synccheck")
SUMMARY = re.compile(r"(?:ERROR|RACECHECK) SUMMARY: (\d+)")
LAST = 1_500  # characters of the output that are kept


def items(context: Context) -> dict[str, Callable[[], dict[str, Any]]]:
    """Its items: the steps by themselves, which compiles their kernels, then each tool."""
    return {"the six steps alone": alone, **{tool: partial(checked, context, tool) for tool in TOOLS}}


def alone() -> dict[str, Any]:
    """The steps, without a tool.

    Raises:
        Failure: they do not run, or are not captured.
    """
    done = subprocess.run(_steps(), cwd=ROOT, capture_output=True, text=True)
    found = {"output": done.stdout.strip()[-LAST:]}
    if done.returncode:
        raise Failure(f"exit code {done.returncode}: {done.stderr.strip()[-LAST:]}", found)
    return found


def checked(context: Context, tool: str) -> dict[str, Any]:
    """The steps under a tool.

    Raises:
        LeftOut: it is not installed.
        Failure: it found something, or could not run.
    """
    where = sanitizer()
    if where is None:
        raise LeftOut(f"{NAME} is not installed")
    limit = max(context.deadline - time.monotonic() - 1, 1)
    command = [str(where), "--tool", tool, *_steps()]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=limit)
    except subprocess.TimeoutExpired as error:
        raise Failure(f"it took more than {limit:.0f} s") from error
    return judged(done.returncode, done.stdout + done.stderr)


def judged(code: int, output: str) -> dict[str, Any]:
    """How many errors a tool counted.

    Raises:
        Failure: one or more, or none were counted at all.
    """
    counts = [int(number) for number in SUMMARY.findall(output)]
    found = {"errors": sum(counts), "output": output.strip()[-LAST:]}
    if not counts:
        raise Failure(f"it gave no count; exit code {code}", found)
    if sum(counts):
        raise Failure(f"{sum(counts)} errors", found)
    return found


def sanitizer() -> Path | None:
    """The tool: on the path, or with CUDA."""
    return next((Path(path) for path in _places() if path and Path(path).is_file()), None)


def _places() -> Iterator[str | Path | None]:
    yield shutil.which(NAME)
    roots = [os.environ.get(name) for name in ("CUDA_PATH", "CUDA_HOME")]
    for root in [*filter(None, roots), *sorted(Path("/usr/local").glob("cuda*"), reverse=True)]:
        yield Path(root, "bin", NAME)
        yield Path(root, NAME, NAME)
    for root in sys.path:
        yield from Path(root).glob(f"nvidia/*/bin/{NAME}")


def _steps() -> list[str]:
    return [sys.executable, "-m", "benchmarks.gpu.six_steps"]
