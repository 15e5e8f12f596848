"""The command: measure, judge, and write the results, the tables and the plots."""

from __future__ import annotations

import argparse
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from . import cliffs, data, growth, images, machine, overhead, report, steady, steps, train
from .cases import CASES
from .contenders import CONTENDERS, INSTALL, missing
from .targets import tell
from .worker import WorkerError

PARTS = {
    "steps": steps.run,
    "train": train.run,
    "overhead": overhead.run,
    "growth": growth.run,
    "steady": steady.run,
    "cliffs": cliffs.run,
    "data": data.run,
    "images": images.run,
}
say = partial(print, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; its exit code. A missed target is a finding and no failure."""
    args = _checked(_parser(), arguments)
    out = args.out
    results = report.load_all(out) if out else {}
    for name, why in missing(CONTENDERS).items():
        say(f"left out: {CONTENDERS[name].label}; {why}: {INSTALL}")
    try:
        for part in args.only or PARTS:
            if part != "report":
                _measure(part, args, results)
                if out:
                    report.save_all(results, out)
    except WorkerError as error:
        print(f"{error.args[1]}python -m benchmarks: {error.args[0]}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    if args.quick:
        say("after so short a look the verdicts mean little:")
    tell(results, say)
    if out:
        _write(results, out)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only",
        nargs="+",
        choices=[*PARTS, "report"],
        help="measure these parts anew and keep the results of the others; 'report' measures nothing",
    )
    parser.add_argument("--cases", nargs="+", choices=CASES, help="of the part 'steps', these alone (default: all)")
    parser.add_argument("--quick", action="store_true", help="a look of seconds; too noisy to quote")
    parser.add_argument(
        "--out", type=Path, help="where results go (default: benchmarks/results; with --quick, nowhere)"
    )
    return parser


def _checked(parser: argparse.ArgumentParser, arguments: list[str] | None) -> argparse.Namespace:
    """The arguments, with the folder of the results there; wrong ones end the program before work starts."""
    args = parser.parse_args(arguments)
    if args.cases and args.only and "steps" not in args.only:
        parser.error(f"--cases is for the part 'steps', and --only names {', '.join(args.only)}")
    args.out = args.out or (None if args.quick else report.RESULTS)
    try:
        if args.out:
            args.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"--out {args.out}: {error.strerror}")
    return args


def _measure(part: str, args: argparse.Namespace, results: dict[str, Any]) -> None:
    """Measure a part and put what was found in the place of what ``results`` holds of it."""
    environment, start = machine.describe(), time.perf_counter()
    say(f"== {part}")
    options = {"names": args.cases} if part == "steps" and args.cases else {}
    results[part] = PARTS[part](args.quick, say, **options)
    results.setdefault("environments", {})[part] = environment
    say(f"   {time.perf_counter() - start:.0f} s")


def _write(results: dict[str, Any], out: Path) -> None:
    """The tables, in this folder's README if the results are this folder's, and the plots."""
    from . import plot  # after all measuring: children's peak memory starts from this process's

    tables = report.markdown(results)
    if out.resolve() == report.RESULTS:
        readme = report.RESULTS.parent / "README.md"
        readme.write_text(report.into(readme.read_text(), tables))
    else:
        (out / "cpu.md").write_text(tables)
    if "steps" in results:
        plot.steps(results["steps"], out / "steps.png")
    if "growth" in results:
        plot.growth(results["growth"], out / "growth.png")


if __name__ == "__main__":
    sys.exit(main())
