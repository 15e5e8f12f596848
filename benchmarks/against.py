"""Whether a training step got slower: this checkout against another one, by turns, in one run.

    git worktree add ../before main
    python -m benchmarks.against --before ../before

Every case of :mod:`benchmarks.cases` by each of minivae's own contenders, once here and once there. The two work in
processes that import ``minivae`` and ``benchmarks`` each from its own checkout, which may differ inside: what is asked
of both are ``CASES``, ``CONTENDERS``, ``harness.Session`` and ``worker._serve``.

They take turns as the contenders do in :mod:`benchmarks.harness`, and the ratio is that of neighbours. The processes
are started anew several times, as one is a little faster or slower than its twin for as long as it lives, by where its
arrays happen to lie: how much the starts differ gives the error. Seconds are those of the processor for a process on
one BLAS thread, which what else runs on the machine hardly changes; with ``--wall`` those of the clock, on all threads.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from itertools import product
from math import sqrt
from multiprocessing import Pipe
from pathlib import Path
from statistics import fmean, median, stdev
from typing import Any, NamedTuple

from . import machine, report
from .cases import CASES
from .contenders import CONTENDERS, missing
from .harness import Plan, require_agreement
from .worker import Remote, WorkerError

HERE = Path(__file__).absolute().parent.parent
OURS = tuple(name for name, entry in CONTENDERS.items() if entry.module == "ours")
AT_MOST = 1.03
# Many short turns. A round is one of each.
FULL = Plan(warm_up=0.2, rounds=8, lead_in=0.05, turn=0.1, samples=3, steps=1)
QUICK = Plan(warm_up=0.05, rounds=2, lead_in=0.01, turn=0.02, samples=2, steps=1)
STARTS, QUICK_STARTS = (5, 15), (2, 2)  # at least, when the verdict is "met" by then, and at most
SERVE = """
import sys, time
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace
import minivae
from benchmarks import cases, contenders, harness, worker
for module in (minivae, worker):
    if Path.cwd() not in Path(module.__file__).absolute().parents:
        sys.exit(f"{module.__name__} comes from {module.__file__}, not from {Path.cwd()}")
descriptor, clock, entry, case = sys.argv[1:]
harness.time = SimpleNamespace(perf_counter=getattr(time, clock))
worker._serve(Connection(int(descriptor)), harness.Session, (contenders.CONTENDERS[entry], cases.CASES[case]))
"""
say = partial(print, flush=True)


class Way(NamedTuple):
    """How a row is measured: the rounds of a pair of processes, how many pairs (see ``STARTS``), and by which clock.

    ``wall``: the clock on the wall, on as many threads as BLAS uses by itself; else the process's own seconds on one.
    """

    plan: Plan
    least: int
    most: int
    wall: bool = False


class Command:
    """A running program, with the methods of multiprocessing's processes."""

    def __init__(self, popen: subprocess.Popen) -> None:
        self._popen, self.kill = popen, popen.kill

    def join(self, timeout: float | None = None) -> None:
        with suppress(subprocess.TimeoutExpired):
            self._popen.wait(timeout)

    def is_alive(self) -> bool:
        return self._popen.poll() is None

    @property
    def exitcode(self) -> int | None:
        return self._popen.returncode


class Elsewhere(Remote):
    """A :class:`benchmarks.harness.Session` in a process that imports everything from a checkout.

    Args:
        checkout: its folder.
        entry, case: names of a contender and a case there.
        wall: see :class:`Way`.
    """

    def __init__(self, checkout: Path, entry: str, case: str, wall: bool = False) -> None:
        self._connection, theirs = Pipe()
        clock, threads = ("perf_counter", {}) if wall else ("process_time", {"OPENBLAS_NUM_THREADS": "1"})
        command = [sys.executable, "-c", SERVE, str(theirs.fileno()), clock, entry, case]
        environment = {**os.environ, **threads, "PYTHONPATH": str(checkout)}
        self._process = Command(subprocess.Popen(command, cwd=checkout, env=environment, pass_fds=[theirs.fileno()]))
        theirs.close()


def compare(checkouts: Mapping[str, Path], entry: str, case: str, way: Way) -> dict[str, Any]:
    """How long a step takes in the checkout ``new`` against ``old``.

    Returns:
        ``ratio``, the median over the starts of each one's median, and ``error``, twice the standard error between
        the starts; ``starts``, their ratios; ``new`` and ``old``, the median seconds a step.

    Raises:
        WorkerError: one of them cannot run, or they do not compute the same.
    """
    starts: list[list[dict[str, float]]] = []
    found: dict[str, Any] = {}
    while len(starts) < way.least or (len(starts) < way.most and verdict(found) != "met"):
        starts.append(_start(checkouts, entry, case, way, reverse=bool(len(starts) % 2)))
        found = summary(starts) if len(starts) > 1 else {}
    return found


def summary(starts: Sequence[Sequence[Mapping[str, float]]]) -> dict[str, Any]:
    """What :func:`compare` returns, from the seconds of both in each round of each start."""
    ratios = [median(turn["new"] / turn["old"] for turn in turns) for turns in starts]
    seconds = {name: median(turn[name] for turns in starts for turn in turns) for name in ("new", "old")}
    return {"ratio": median(ratios), "error": 2 * stdev(ratios) / sqrt(len(ratios)), "starts": ratios, **seconds}


def _start(checkouts: Mapping[str, Path], entry: str, case: str, way: Way, reverse: bool) -> list[dict[str, float]]:
    """The rounds of one pair of processes: in each the seconds a step of both."""
    plan, names = way.plan, sorted(checkouts, reverse=reverse)
    with ExitStack() as stack:
        running = {name: stack.enter_context(Elsewhere(checkouts[name], entry, case, way.wall)) for name in names}
        first = {name: remote.call("warm_up", plan.warm_up) for name, remote in running.items()}
        require_agreement(CASES[case], {name: loss for name, (loss, _) in first.items()})
        sizes = plan.sizes(fmean(seconds for _, seconds in first.values()))
        orders = [names[:: -1 if number % 2 else 1] for number in range(plan.rounds)]
        return [{name: median(running[name].call("turn", plan.lead_in, *sizes)) for name in order} for order in orders]


def verdict(found: Mapping[str, Any]) -> str:
    """Whether a ratio is at most ``AT_MOST``: "met" or "missed" where the error leaves no doubt, else "unclear"."""
    if found["ratio"] + found["error"] <= AT_MOST:
        return "met"
    return "missed" if found["ratio"] - found["error"] > AT_MOST else "unclear"


def describe(checkout: Path) -> dict[str, Any]:
    """Its folder's name, its commit, and whether files differ from it; of no git repository only the name."""
    git = partial(subprocess.run, cwd=checkout, capture_output=True, text=True)
    commit = git(["git", "rev-parse", "HEAD"])
    if commit.returncode:
        return {"folder": checkout.name}
    changed = bool(git(["git", "status", "--porcelain"]).stdout)
    return {"folder": checkout.name, "commit": commit.stdout.strip(), "changed": changed}


# ----------------------------------------------------------------- command


def main(arguments: list[str] | None = None) -> int:
    """Run the command; its exit code. A missed target is a finding and no failure."""
    args = _checked(arguments)
    checkouts = {"new": HERE, "old": args.before}
    results: dict[str, Any] = {
        "environment": machine.describe(),
        "wall": args.wall,
        "checkouts": {name: describe(path) for name, path in checkouts.items()},
        "rows": [],
    }
    absent = missing({name: CONTENDERS[name] for name in args.contenders})
    for name, why in absent.items():
        say(f"left out: {CONTENDERS[name].label}; {why}")
    way = Way(QUICK if args.quick else FULL, *args.starts, args.wall)
    try:
        for case, entry in product(args.cases, (name for name in args.contenders if name not in absent)):
            row = {"case": case, "contender": entry, **compare(checkouts, entry, case, way)}
            results["rows"].append(row)
            _tell(row)
            if args.out:
                report.save(results, args.out)
    except WorkerError as error:
        print(f"{error.args[1]}python -m benchmarks.against: {error.args[0]}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    _tell_worst(results["rows"])
    return 0


def _checked(arguments: list[str] | None) -> argparse.Namespace:
    """The arguments; wrong ones end the program before work starts."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.against", description=__doc__.split("\n")[0])
    parser.add_argument("--before", type=Path, required=True, help="the folder of the other checkout")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES), help="these alone (default: all)")
    parser.add_argument("--contenders", nargs="+", choices=OURS, default=OURS, help="these alone (default: all)")
    parser.add_argument("--starts", type=int, help="pairs of processes for each row; else as many as it takes")
    parser.add_argument("--wall", action="store_true", help="by the clock on the wall, for an idle machine")
    parser.add_argument("--quick", action="store_true", help="a short look; too noisy to quote")
    parser.add_argument(
        "--out", type=Path, help="the file to write (default: benchmarks/results/against.json; with --quick, none)"
    )
    args = parser.parse_args(arguments)
    args.before = args.before.absolute()
    args.out = args.out or (None if args.quick else report.RESULTS / "against.json")
    if not (args.before / "benchmarks" / "harness.py").is_file():
        parser.error(f"--before {args.before}: it has no benchmarks/harness.py; expected a checkout of minivae")
    if args.starts is not None and args.starts < 2:
        parser.error(f"--starts {args.starts}: expected at least 2, as their differences give the error")
    args.starts = (args.starts,) * 2 if args.starts else QUICK_STARTS if args.quick else STARTS
    return args


def _tell(row: Mapping[str, Any]) -> None:
    times = f"{row['old'] * 1e3:8.3f} ms before, {row['new'] * 1e3:8.3f} now"
    ratio = f"{row['ratio']:.3f} +- {row['error']:.3f}"
    say(f"{row['case']:10} {CONTENDERS[row['contender']].label:33} {times}: {ratio}  {verdict(row)}")


def _tell_worst(rows: list[dict[str, Any]]) -> None:
    worst = max(rows, key=lambda row: row["ratio"])
    words = [verdict(row) for row in rows]
    counts = ", ".join(f"{words.count(word)} {word}" for word in ("met", "unclear", "missed"))
    say(f"at most {AT_MOST:g}: {counts}; the highest is {worst['ratio']:.3f} ({worst['case']}, {worst['contender']})")


if __name__ == "__main__":
    sys.exit(main())
