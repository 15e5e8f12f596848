"""Starts a check's process, watches it, ends it when its time is over, and starts another for what is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from . import found

ROOT = Path(__file__).resolve().parents[2]
POLL = 0.1  # seconds
LEAST = 1.0  # seconds that are worth starting a process for
FIRST = 0.6  # of the time that is left is an item's, if it is not the last: one that hangs leaves time for the others
TAIL = 2_000  # characters of a log that are kept where a process could not begin


def attend(module: str, path: Path, limit: float, emulated: bool) -> None:
    """Run a check until all its items have run or its time is over; what is missing is said in its file."""
    state = found.read(path)
    for word in ("failed", "not_run", "running", "ended"):  # of a run that was stopped
        state.pop(word, None)
    start, before = time.monotonic(), state.get("seconds", 0)
    while not state.get("ended"):
        left = limit - (time.monotonic() - start)
        if left < LEAST:
            state["not_run"] = f"no time was left of {max(limit, 0):.0f} s"
            break
        known = len(state["items"])
        found.write(path, state)
        why = _one_process(module, path, left, emulated)
        state = found.read(path)
        item = state.pop("running", None)
        if item:
            state["items"][item] = {"failed": why}
        elif not state.get("ended") and len(state["items"]) == known:
            state["failed"] = f"{why}; {_tail(path)}"
            break
        if state["planned"] and state["items"].keys() >= set(state["planned"]):
            state["ended"] = True
    state["seconds"] = round(before + time.monotonic() - start, 1)
    found.write(path, state)


def _one_process(module: str, path: Path, left: float, emulated: bool) -> str:
    """Run a process to its end, or until its time is over; why it ended."""
    command = [sys.executable, "-m", "benchmarks.gpu.child", module, str(path.resolve()), "--seconds", f"{left:.1f}"]
    with open(path.with_suffix(".log"), "ab") as log:
        process = subprocess.Popen(
            [*command, *(["--emulated"] if emulated else [])],
            **{"cwd": ROOT, "stdout": log, "stderr": log, "stdin": subprocess.DEVNULL},
            start_new_session=True,  # so that what it starts ends with it
        )
    try:
        return _watch(process, path, time.monotonic() + left)
    finally:
        _end(process)


def _watch(process: subprocess.Popen, path: Path, deadline: float) -> str:
    item, since, limit = None, time.monotonic(), deadline - time.monotonic()
    while process.poll() is None:
        state, now = found.read(path), time.monotonic()
        if state.get("running") != item:
            item, since = state.get("running"), now
            more = len(state["planned"]) - len(state["items"]) > 1
            limit = (deadline - now) * (FIRST if more else 1)
        if now > min(since + limit, deadline):
            return f"stopped: it took more than {now - since:.0f} s"
        time.sleep(POLL)
    code = process.returncode
    name = f" ({signal.Signals(-code).name})" if code < 0 else ""
    return f"its process ended with exit code {code}{name}"


def _end(process: subprocess.Popen) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _tail(path: Path) -> str:
    log = path.with_suffix(".log")
    return " ".join(log.read_text(errors="replace")[-TAIL:].split()) if log.exists() else "no log"
