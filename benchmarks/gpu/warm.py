"""Compiles the kernels of a check before it, by several processes: one after the other they would take its time.

CuPy keeps compiled kernels on the disk. What other processes have computed once needs no compiler afterwards.
"""

from __future__ import annotations

import importlib
import os
import queue
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

from ..worker import Remote, WorkerError
from .found import LeftOut

MOST_PROCESSES = 8
LEAST_CORES = 4

Job = tuple[str, str, tuple]  # module, function, arguments


class Caller:
    """Calls functions by name; lives in a worker."""

    def call(self, module: str, function: str, arguments: tuple) -> str:
        """Call one; what it raised, if anything: the check itself will tell."""
        try:
            getattr(importlib.import_module(module), function)(*arguments)
        except Exception as error:
            return type(error).__name__
        return ""


def kernels(jobs: Sequence[Job], seconds: float) -> dict[str, Any]:
    """Do the jobs, as many as there is time for; how many were done.

    Raises:
        LeftOut: there are too few cores for it to help.
    """
    count = min(MOST_PROCESSES, (os.cpu_count() or 1) // 2, len(jobs))
    if (os.cpu_count() or 1) < LEAST_CORES:
        raise LeftOut(f"there are {os.cpu_count()} cores: kernels are compiled by the items themselves")
    return by_processes(jobs, seconds, count)


def by_processes(jobs: Sequence[Job], seconds: float, count: int) -> dict[str, Any]:
    """The same by so many processes."""
    waiting: queue.SimpleQueue[Job] = queue.SimpleQueue()
    for job in jobs:
        waiting.put(job)
    start, remotes = time.monotonic(), [Remote(Caller) for _ in range(count)]
    try:
        with ThreadPoolExecutor(count) as pool:
            futures = [pool.submit(_work, remote, waiting) for remote in remotes]
            _, late = wait(futures, seconds)
            for remote in remotes if late else ():
                remote.kill()
            done = sum(future.result() for future in futures)
    finally:
        for remote in remotes:
            remote.close()
    return {"processes": count, "jobs": len(jobs), "done": done, "seconds_of_it": round(time.monotonic() - start, 2)}


def _work(remote: Remote, waiting: queue.SimpleQueue) -> int:
    done = 0
    while True:
        try:
            remote.call("call", *waiting.get_nowait())
        except (queue.Empty, WorkerError):  # none is left, or the time was over
            return done
        done += 1
