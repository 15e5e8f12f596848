"""The GPU in one command: its tests, CPU against GPU, and the time of a step against PyTorch and JAX.

    python -m benchmarks.gpu --out FILE

writes one JSON file with the device, the versions, and for each part what was found, or why it
failed. The exit code is 0; 1 if a part failed (a missed target is a finding and no failure); 2 without
a usable GPU.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from minivae import backend
from minivae.errors import MinivaeError
from minivae.files import atomic_path

from . import gpu_runs, harness, machine
from .cases import CASES
from .worker import WorkerError

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("minivae", "numpy", "cupy-cuda12x", "cupy-cuda13x", "torch", "jax", "jaxlib")
say = partial(print, flush=True)


class Failure(RuntimeError):
    """A part ran and found what must not be. Its second argument holds what was found."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command; its exit code."""
    args = _parser().parse_args(arguments)
    try:
        results: dict[str, Any] = {"device": describe_device(), "versions": versions(), "machine": machine.describe()}
        _write(results, args.out)  # now, so that a bad path is found before the work
    except MinivaeError as error:
        print(f"python -m benchmarks.gpu: {error}", file=sys.stderr)
        return 2
    for name, part in PARTS.items():
        if name in args.only:
            say(f"== {name}")
            results[name] = _guarded(part, args)
            _write(results, args.out)
    failed = [name for name in args.only if "failed" in results[name]]
    say(f"wrote {args.out}" + (f"; failed: {', '.join(failed)}" if failed else ""))
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__.split("\n\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="the JSON file to write")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="these parts alone")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES), help="the sizes to time and compare")
    parser.add_argument("--quick", action="store_true", help="a look of seconds; too noisy to quote")
    return parser


def _guarded(part: Callable[[argparse.Namespace], dict[str, Any]], args: argparse.Namespace) -> dict[str, Any]:
    """What a part found; what it raised is written down, and the other parts still run."""
    try:
        return part(args)
    except Failure as failure:
        reason, found = failure.args
    except Exception as error:
        reason, found = f"{type(error).__name__}: {error}", {}
    say(f"   FAILED: {reason}")
    return {**found, "failed": reason}


def _write(results: dict[str, Any], path: Path) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(results, indent=1) + "\n")


# ----------------------------------------------------------------- device


def describe_device() -> dict[str, Any]:
    """The GPU in use: name, memory, compute capability, driver and CUDA.

    Raises:
        BackendError: there is none that CuPy can use.
    """
    xp = backend.get_backend("cupy").xp
    runtime, device = xp.cuda.runtime, xp.cuda.Device()
    properties = runtime.getDeviceProperties(device.id)
    return {
        "name": properties["name"].decode(),
        "memory_mib": properties["totalGlobalMem"] >> 20,
        "compute_capability": device.compute_capability,
        "driver": runtime.driverGetVersion(),
        "cuda": runtime.runtimeGetVersion(),
        "count": runtime.getDeviceCount(),
    }


def versions() -> dict[str, str]:
    """Of what is installed."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


# ------------------------------------------------------------------ tests


def run_tests(args: argparse.Namespace) -> dict[str, Any]:
    """The tests marked gpu, where a skip for want of a GPU is a failure.

    Raises:
        Failure: one fails, or none ran.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-m", "gpu", f"--junitxml={report}"]
        environment = {**os.environ, "MINIVAE_REQUIRE_GPU": "1"}
        done = subprocess.run(command, cwd=ROOT, env=environment, text=True, capture_output=True)
        if not report.exists():
            raise Failure(f"pytest ended with exit code {done.returncode}", {"output": done.stdout + done.stderr})
        found = read_report(ElementTree.parse(report).getroot())
    say(f"   {found['passed']} passed, {len(found['failures'])} failed, {len(found['skipped'])} skipped")
    if done.returncode or found["failures"] or not found["passed"]:
        raise Failure(f"{len(found['failures'])} tests failed, {found['passed']} passed", found)
    return found


def read_report(root: ElementTree.Element) -> dict[str, Any]:
    """How many tests passed, and which failed or were skipped, and why, from pytest's JUnit XML."""
    found: dict[str, Any] = {"passed": 0, "failures": {}, "skipped": {}}
    for case in root.iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}"
        problems = {child.tag: child.get("message", "") for child in case}
        if problems.keys() & {"failure", "error"}:
            found["failures"][name] = problems.get("failure", problems.get("error"))
        elif "skipped" in problems:
            found["skipped"][name] = problems["skipped"]
        else:
            found["passed"] += 1
    return found


# ------------------------------------------------------------------- runs


def compare(args: argparse.Namespace) -> dict[str, Any]:
    """Losses and parameters of the same steps on the CPU and on the GPU.

    Raises:
        Failure: they differ by more than rounding, or no graph was captured.
    """
    found, failures = {}, []
    for name in args.cases:
        try:
            found[name] = result = gpu_runs.agreement(CASES[name], "numpy", "cupy")
        except WorkerError as error:
            failures.append(f"{name}: {error.args[0]}")
            continue
        say(f"   {name:12}" + ", ".join(f"{what} {value:.1e}" for what, value in result["differences"].items()))
        failures += [f"{name}: {line}" for line in result["log"]]
        failures += [] if result["agrees"] else [f"{name}: CPU and GPU differ by more than rounding"]
    return _unless(failures, found)


def time_steps(args: argparse.Namespace) -> dict[str, Any]:
    """Seconds a step of every contender on every case, and the ratios of minivae's to each.

    Raises:
        Failure: a contender that is installed failed, or minivae's graph was not captured.
    """
    plan = harness.QUICK if args.quick else harness.FULL
    cases, failures = {}, []
    for name in args.cases:
        try:
            cases[name] = case = gpu_runs.measure(CASES[name], gpu_runs.CONTENDERS, plan)
        except WorkerError as error:
            failures.append(f"{name}: {error.args[0]}")
            continue
        for who, result in case["contenders"].items():
            say(f"   {name:12}{gpu_runs.CONTENDERS[who].label:45}{result['median'] * 1e3:9.4f} ms a step")
            failures += [f"{name}: {who}: {line}" for line in result.get("log", ())]
        failures += [f"{name}: {who}: {why}" for who, why in case["failed"].items()]
    return _unless(failures, {"cases": cases, "targets": list(gpu_runs.verdicts(cases))})


def _unless(failures: list[str], found: dict[str, Any]) -> dict[str, Any]:
    if failures:
        raise Failure("; ".join(failures), found)
    return found


PARTS = {"tests": run_tests, "agreement": compare, "steps": time_steps}

if __name__ == "__main__":
    sys.exit(main())
