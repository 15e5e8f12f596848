"""Check 3: the tests marked gpu, by several processes; a skip for want of a GPU is a failure.

Warnings of other packages, which are of other versions than those that the tests are written with, fail nothing.
Tests that need a package that is not installed are left out, and named.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from . import standins
from .found import Context, Failure, LeftOut
from .process import ROOT
from .watch import VARIABLE

# What runs on CUDA alone comes first; then the rest.
GROUPS = {
    "compiler": ("tests/compiler", "tests/backend", "tests/doubles"),
    "training": ("tests/training", "tests/optim", "tests/nn"),
    "the others": ("tests",),
}
MOST_PROCESSES = 8  # each has a CUDA context and a pool of its own
MARGIN = 3.0  # seconds before the check's end
# What an emulation of a GPU does not have: it says so; CUDA's libraries for factors; batches of solutions; sorting.
LACKS = ("EMULATOR:", "Failure finding", "CUBLAS_STATUS_NOT_SUPPORTED", "failed inside CUB")
ABSENT = re.compile(r"No module named '(\w+)")


def items(context: Context) -> dict[str, Callable[[], dict[str, Any]]]:
    """Its items."""
    return {name: partial(run, context, name) for name in GROUPS}


def run(context: Context, group: str) -> dict[str, Any]:
    """Run a group's tests, as long as there is time.

    Raises:
        Failure: one fails, none ran, or the time ended before the last.
        LeftOut: pytest is not installed.
    """
    if find_spec("pytest") is None:
        raise LeftOut("pytest is not installed")
    lines = context.folder / f"tests-{group.replace(' ', '-')}.jsonl"
    lines.unlink(missing_ok=True)
    left = context.deadline - time.monotonic() - MARGIN
    share = 1 / (len(GROUPS) - list(GROUPS).index(group))
    code = _pytest(command(group), lines, left * max(share, 0.5))
    found = counted(read(lines), context.emulated) | {"processes": processes(), "stand-ins": standins.absent()}
    why = verdict(found, code)
    if why:
        raise Failure(why, found)
    return found


def command(group: str) -> list[str]:
    """pytest's command line."""
    others = [path for name in list(GROUPS)[: list(GROUPS).index(group)] for path in GROUPS[name]]
    return [
        *(sys.executable, "-m", "pytest", "-q", "-m", "gpu", "--tb=short", "--continue-on-collection-errors"),
        *("-p", "benchmarks.gpu.watch", "-p", "no:cacheprovider", "-o", "filterwarnings=default"),
        *(("-n", str(processes())) if processes() > 1 else ()),
        *GROUPS[group],
        *(f"--ignore={path}" for path in others),
    ]


def processes() -> int:
    """How many, where xdist is installed."""
    return min(MOST_PROCESSES, os.cpu_count() or 1) if find_spec("xdist") else 1


def _pytest(arguments: list[str], lines: Path, seconds: float) -> int | None:
    """Its exit code; None where its time was over."""
    environment = {**os.environ, "MINIVAE_REQUIRE_GPU": "1", VARIABLE: str(lines)}
    process = subprocess.Popen(arguments, cwd=ROOT, env=environment)
    try:
        return process.wait(max(seconds, 1))
    except subprocess.TimeoutExpired:
        process.terminate()
        try:
            process.wait(MARGIN / 2)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        return None


def read(lines: Path) -> list[dict[str, str]]:
    """The results that were written."""
    return [json.loads(line) for line in lines.read_text().splitlines()] if lines.exists() else []


def counted(results: list[dict[str, str]], emulated: bool = False) -> dict[str, Any]:
    """How many passed; which failed, were skipped, or need a package or what an emulation lacks, and why."""
    found: dict[str, Any] = {"passed": 0, "failures": {}, "skipped": {}, "need_a_package": {}, "not_emulated": 0}
    for result in results:
        missing = ABSENT.search(result["why"])
        if result["outcome"] == "passed":
            found["passed"] += 1
        elif "failed" not in result["outcome"]:
            found["skipped"][result["test"]] = result["why"]
        elif missing and missing[1] in standins.absent():
            found["need_a_package"][result["test"]] = missing[1]
        elif emulated and any(lack in result["why"] for lack in LACKS):
            found["not_emulated"] += 1
        else:
            found["failures"][result["test"]] = result["why"]
    found["skipped"] = dict(Counter(found["skipped"].values()))
    return found


def verdict(found: dict[str, Any], code: int | None) -> str | None:
    """What is wrong with a run of the tests; None if nothing is."""
    failed, passed = len(found["failures"]), found["passed"]
    if code is None:
        return f"the time was over: {passed} tests passed, {failed} failed by then"
    if failed or not passed:
        return f"{failed} tests failed, {passed} passed (pytest's exit code is {code})"
    return None
