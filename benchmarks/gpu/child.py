"""The process of one check: its items in turn, what each found written down before the next begins.

An item that raises is written down and the next one runs. After a failure the device is tried: where it does
not answer any more (a kernel out of bounds leaves no context that works), the process ends, and the runner
starts another one for the items that are left, as it does when an item takes the process with it.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .found import Context, Failure, LeftOut, read, write

LACK = "EMULATOR:"  # what an emulation says of what it does not have
LOST = 3  # the exit code of a process whose device does not answer


def main(arguments: list[str] | None = None) -> int:
    """Run the items that have not run yet; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu.child")
    parser.add_argument("module")
    parser.add_argument("file", type=Path)
    parser.add_argument("--seconds", type=float, required=True, help="until the check has to end")
    parser.add_argument("--emulated", action="store_true")
    args = parser.parse_args(arguments)
    context = Context(args.file.parent, time.monotonic() + args.seconds, args.emulated)
    items, state = importlib.import_module(args.module).items(context), read(args.file)
    state["planned"] = list(items)
    for name, item in items.items():
        if name not in state["items"]:
            write(args.file, state | {"running": name})
            state["items"][name] = result = _guarded(item, context)
            write(args.file, state)
            _say(name, result)
            if "failed" in result and not _device_answers():
                return LOST
    write(args.file, state | {"ended": True})
    return 0


def _guarded(item: Callable[[], dict[str, Any]], context: Context) -> dict[str, Any]:
    start, more = time.perf_counter(), {}
    try:
        found = item()
    except (Failure, LeftOut) as told:
        reason, *rest = told.args
        found = rest[0] if rest else {}
        more = {"failed" if isinstance(told, Failure) else "left_out": reason}
    except Exception as error:
        traceback.print_exc()  # into the log of the check
        found, more = {}, {"failed": f"{type(error).__name__}: {' '.join(str(error).split())}"}
    if context.emulated and LACK in more.get("failed", ""):  # nothing that a GPU would not do
        more = {"left_out": more["failed"]}
    return {**found, "seconds": round(time.perf_counter() - start, 3), **more}


def _say(name: str, result: dict[str, Any]) -> None:
    how = next((f"{word}: {result[word]}" for word in ("failed", "left_out") if word in result), "passed")
    print(f"{name}: {how}", flush=True)


def _device_answers() -> bool:
    """Whether the device still works in this process; true where it has not been used."""
    if "cupy" not in sys.modules:
        return True
    try:
        sys.modules["cupy"].ones(3).sum().get()
    except Exception as error:
        print(f"the device does not answer any more: {error}", flush=True)
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
