"""A plugin for pytest: each result is written as a line when it is there, so that a run that is stopped loses none.

    python -m pytest -p benchmarks.gpu.watch        # with the file's name in MINIVAE_WATCHED

It also puts the stand-ins for absent packages in place, before a test is imported.
"""

from __future__ import annotations

import json
import os
from typing import Any

from . import standins

PUT = standins.install()
VARIABLE = "MINIVAE_WATCHED"
LONGEST = 600  # characters of a reason


def pytest_runtest_logreport(report: Any) -> None:
    """One line for each test that has a result; of xdist's processes the first alone writes."""
    outcome = report.outcome
    if report.when != "call" and outcome == "passed":
        return
    _write(outcome, report.nodeid, report.longrepr if outcome != "passed" else "")


def pytest_collectreport(report: Any) -> None:
    """A file that cannot be imported, or skips itself."""
    if report.outcome != "passed":
        _write(f"not collected, {report.outcome}", report.nodeid, report.longrepr)


def _write(outcome: str, name: str, why: Any) -> None:
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    if isinstance(why, tuple):  # file, line and reason of a skip
        why = why[2]
    crash = getattr(why, "reprcrash", None)
    text = (crash.message if crash else str(why)).strip()
    with open(os.environ[VARIABLE], "a") as file:
        file.write(json.dumps({"outcome": outcome, "test": name, "why": text[-LONGEST:]}) + "\n")
