"""Part "steps": milliseconds a training step, every contender on every case."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

from .cases import CASES, Case
from .contenders import CONTENDERS, Entry
from .harness import FULL, QUICK, measure

QUICK_CASES = ("digits",)
SLOW_TO_START = ("torch-compile",)  # half a minute of compilation; left out of --quick


def run(quick: bool, say: Callable[[str], None], names: Sequence[str] = ()) -> dict[str, Any]:
    """Measure the cases ``names``; if there are none, all of them, or with ``quick`` a few.

    Returns:
        for each case what :func:`benchmarks.harness.measure` returns, and its description.
    """
    who = {name: entry for name, entry in CONTENDERS.items() if not (quick and name in SLOW_TO_START)}
    names = names or (QUICK_CASES if quick else tuple(CASES))
    return {name: _measure(CASES[name], who, quick, say) for name in names}


def _measure(case: Case, who: Mapping[str, Entry], quick: bool, say: Callable[[str], None]) -> dict[str, Any]:
    say(f"{case.name}: {case}")
    result = {"title": str(case), **measure(case, who, QUICK if quick else FULL)}
    for name, found in result["contenders"].items():
        middle, lower, upper = (found[part] * 1e3 for part in ("median", "lower", "upper"))
        say(f"  {CONTENDERS[name].label:52} {middle:8.3f} ms a step  ({lower:.3f} to {upper:.3f})")
    return result


def ours(contenders: Container[str]) -> str:
    """The one of minivae that others are compared with: its fastest way among ``contenders``."""
    return next(name for name in ("minivae-fast", "minivae-compiled", "minivae-eager") if name in contenders)
