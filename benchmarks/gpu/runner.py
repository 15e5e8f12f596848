"""The command: each check in a process of its own, with its share of the time; results after each.

    python -m benchmarks.gpu --out FOLDER --minutes 8
    python -m benchmarks.gpu --out FOLDER --only steps      # that one anew; the others stay as they are

writes ``FOLDER/NN-name.json`` and ``NN-name.log`` for each check and ``FOLDER/summary.json``. Called again, it
goes on where it was stopped, and runs nothing that has ended unless it is named. The exit code is 0; 1 if
something failed or had no time; 2 without a usable GPU.
"""

from __future__ import annotations

import argparse
import sys
import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

from minivae.errors import MinivaeError

from . import describe, found, summary
from .process import attend

say = partial(print, flush=True)


class Check(NamedTuple):
    """A row of the list.

    Attributes:
        module: of this package, has ``items(context)``, functions by name.
        share: of the time, beside the shares of the others.
        title: what it looks at.
    """

    module: str
    share: float
    title: str


# What decides about the rest comes first.
CHECKS = {
    "device": Check("benchmarks.gpu.device", 3, "versions, one kernel, one reduction, how long they compile"),
    "micro": Check("benchmarks.gpu.micro", 12, "what capture needs, each replayed three times against float64"),
    "tests": Check("benchmarks.gpu.suite", 20, "the tests marked gpu, by several processes"),
    "models": Check("benchmarks.gpu.models", 10, "every model: eager, compiled, resumed, used"),
    "agreement": Check("benchmarks.gpu.agreement", 8, "CPU against GPU, 100 steps of each case"),
    "steps": Check("benchmarks.gpu.steps", 29, "seconds a step, against PyTorch and JAX"),
    "program": Check("benchmarks.gpu.program", 4, "each item of a step's program by events"),
    "train": Check("benchmarks.gpu.train", 8, "`minivae train`: cold and warm cache, resumed after SIGKILL"),
    "sanitizer": Check("benchmarks.gpu.sanitizer", 6, "compute-sanitizer on six steps"),
}


def main(arguments: list[str] | None = None) -> int:
    """Run the command; its exit code."""
    args = _parser().parse_args(arguments)
    try:
        if args.gather:
            found.write(args.gather, summary.gathered(args.out, CHECKS))
            return 0
        about = describe.everything()
        args.out.mkdir(parents=True, exist_ok=True)
        about["minutes"] = args.minutes
        found.write(args.out / "about.json", about)  # now, so that a bad folder is found before the work
    except (MinivaeError, OSError) as error:
        print(f"python -m benchmarks.gpu: {error}", file=sys.stderr)
        return 2
    try:
        _run(args, about["emulated"])
    finally:
        result = summary.write(args.out, CHECKS)
    say(f"wrote {args.out / 'summary.json'}: " + summary.in_words(result))
    chosen = [result["checks"][name] for name in args.only or CHECKS]
    return 0 if all(check["state"] == "passed" for check in chosen) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__.split("\n\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="the folder to write to")
    parser.add_argument("--minutes", type=float, default=8.0, help="for all checks together (default: 8)")
    parser.add_argument("--only", nargs="+", choices=CHECKS, metavar="CHECK", help=f"anew: {', '.join(CHECKS)}")
    parser.add_argument("--gather", type=Path, help="run nothing; write all that FOLDER has to this one file")
    return parser


def _run(args: argparse.Namespace, emulated: bool) -> None:
    end = time.monotonic() + 60 * args.minutes
    todo = []
    for name in CHECKS:
        path = summary.file_of(args.out, CHECKS, name)
        if args.only and name in args.only:
            path.unlink(missing_ok=True)
            path.with_suffix(".log").unlink(missing_ok=True)
            todo.append(name)
        elif not args.only and not found.read(path).get("ended"):
            todo.append(name)
    while todo:
        left, shares = end - time.monotonic(), sum(CHECKS[name].share for name in todo)
        name = todo.pop(0)
        limit = left * CHECKS[name].share / shares  # what one leaves over the others have
        say(f"== {name}: {CHECKS[name].title} (at most {max(limit, 0):.0f} s)")
        path = summary.file_of(args.out, CHECKS, name)
        attend(CHECKS[name].module, path, limit, emulated)
        summary.write(args.out, CHECKS)
        say("   " + summary.line(found.read(path)))
