"""A check for the runner's tests, which does what its folder's file ``plan.json`` says, item by item."""

from __future__ import annotations

import json
import os
import signal
import time
from functools import partial

from benchmarks.gpu.found import Context, Failure, LeftOut


def items(context: Context):
    plan = json.loads((context.folder / "plan.json").read_text())
    if plan == "broken":
        raise ImportError("no such check")
    return {name: partial(do, context, name, what) for name, what in plan.items()}


def do(context: Context, name: str, what: str):
    with open(context.folder / "ran.txt", "a") as file:
        file.write(f"{name}\n")
    if what == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if what == "exit":
        os._exit(7)
    if what == "hang":
        time.sleep(600)
    if what == "raise":
        raise ZeroDivisionError("by zero")
    if what == "fail":
        raise Failure("two things differ", {"difference": 2})
    if what == "absent":
        raise LeftOut("no such tool")
    if what == "lack":
        raise RuntimeError("EMULATOR: there is none")
    if what == "child":
        start_a_child(context)
        time.sleep(600)
    return {"found": name}


def start_a_child(context: Context):
    """One that outlives its parent, unless the runner ends both."""
    pid = os.fork()
    if pid == 0:
        time.sleep(600)
        os._exit(0)
    (context.folder / "child.txt").write_text(str(pid))
