"""The files of a run's folder, and all of them in few lines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from . import found

TIMES = re.compile(r"seconds|us$|us_of|median$|lower$|upper$|samples$|ratios?$|targets$|met$|peak_memory|load_before$")


def file_of(folder: Path, checks: Iterable[str], name: str) -> Path:
    """The file of a check; numbers keep the order of the run."""
    return folder / f"{list(checks).index(name) + 1:02}-{name}.json"


def write(folder: Path, checks: Iterable[str]) -> dict[str, Any]:
    """Write ``summary.json``; what it holds."""
    result = about(folder) | {"checks": {n: of(found.read(file_of(folder, checks, n))) for n in checks}}
    found.write(folder / "summary.json", result)
    return result


def gathered(folder: Path, checks: Iterable[str]) -> dict[str, Any]:
    """All that a folder has, in one; of an emulation without times, which mean nothing there."""
    states = {name: found.read(file_of(folder, checks, name)) for name in checks}
    whole = about(folder) | {"checks": {name: of(state) | {"items": state["items"]} for name, state in states.items()}}
    return without_times(whole) if whole["emulated"] else whole


def without_times(value: Any) -> Any:
    """The same without what was timed, at any depth."""
    if isinstance(value, list):
        return [without_times(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {key: without_times(one) for key, one in value.items() if not TIMES.match(key)}


def about(folder: Path) -> dict[str, Any]:
    """Device, versions and machine, as the run began."""
    return json.loads((folder / "about.json").read_text())


def of(state: dict[str, Any]) -> dict[str, Any]:
    """A check in few words: passed, failed, or not finished; which items failed or were left out, and why."""
    items = state["items"]
    told = {word: {name: item[word] for name, item in items.items() if word in item} for word in ("failed", "left_out")}
    whole = {word: state[word] for word in ("failed", "not_run") if word in state}
    passed = len(items) - len(told["failed"]) - len(told["left_out"])
    return {
        "state": _state(state, told["failed"]),
        "seconds": state.get("seconds"),
        "passed": passed,
        **({"why": "; ".join(whole.values())} if whole else {}),
        **{word: reasons for word, reasons in told.items() if reasons},
        **({"missing": missing} if (missing := [n for n in state["planned"] if n not in items]) else {}),
    }


def _state(state: dict[str, Any], failed: dict[str, str]) -> str:
    if failed or "failed" in state:
        return "failed"
    return "passed" if state.get("ended") else "not finished" if state["items"] else "not run"


def line(state: dict[str, Any]) -> str:
    """A check on the screen."""
    result = of(state)
    reasons = [result["why"]] if "why" in result else []
    reasons += [f"{name}: {why}" for name, why in result.get("failed", {}).items()]
    return "\n   ".join([f"{result['state']}, {result['passed']} items passed", *(text[:300] for text in reasons)])


def in_words(result: dict[str, Any]) -> str:
    """All checks on the screen."""
    return ", ".join(f"{name} {check['state']}" for name, check in result["checks"].items())
