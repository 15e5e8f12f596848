"""Mutation check: is there a test that fails for each small mistake in the mathematics?

    python -m tests.mutation                          # everything; writes tests/mutation_results.json
    python -m tests.mutation minivae/optim/adam.py    # some files, whose results it replaces there
    python -m tests.mutation --sample 10              # a seeded sample; writes nothing

A mutant is one copy of the package with one expression changed: the sign of a derivative
rule turned, a factor or a term dropped, + and - exchanged, or an operation left out (the
sum that undoes broadcasting is one). The test files that mirror the changed file must
fail; a mutant that they pass has survived, and is listed. Those that compute the same as
the original are listed in :mod:`tests.mutants` with the reason, and left out.

Mutants are made in a temporary copy of ``minivae`` and ``tests``, never in the checkout.
Each is tested in a fork of a process that has imported the outside libraries already: the
imports would take longer than most tests.
"""

from __future__ import annotations

import argparse
import datetime
import importlib
import importlib.util
import json
import multiprocessing
import os
import platform
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from .mutants import EQUIVALENT, Mutant, mutants_of

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "tests" / "mutation_results.json"
# Where the derivative rules are, and the formulas of the paper.
RULES = ("backward", "elementwise", "linalg", "reduce", "shape", "special")
TARGETS = [
    *(f"minivae/autodiff/{name}.py" for name in RULES),
    "minivae/distributions",
    "minivae/bounds.py",
    "minivae/optim",
]
# Beside the test file of the same name: where the rows of a whole package are checked.
ALSO = {
    "minivae/autodiff": ["tests/autodiff/test_primitives.py"],
    "minivae/distributions": ["tests/distributions"],
    "minivae/optim": ["tests/optim"],
}
WORKERS = 2
TIMEOUT = 100  # seconds of processor time; the longest selection takes about 25
PRELOADED = ("pytest", "hypothesis", "hypothesis.extra.numpy", "numpy", "scipy.special", "scipy.stats", "torch")


def all_mutants(root: Path, paths: list[str]) -> list[Mutant]:
    """The mutants of every file at or below ``paths``, which are relative to ``root``."""
    files = []
    for path in paths:
        files += [root / path] if path.endswith(".py") else sorted((root / path).rglob("*.py"))
    mutants = (m for file in files for m in mutants_of(file.relative_to(root).as_posix(), file.read_bytes()))
    return list(dict.fromkeys(mutants))  # g * g without its first factor is g * g without its second


def selection_of(path: str) -> list[str]:
    """The test files to run for a source file: its mirror, maybe in parts, then where its package is checked."""
    file = Path(path)
    mirrors = sorted((ROOT / "tests").joinpath(*file.parts[1:-1]).glob(f"test_{file.stem}*.py"))
    return [m.relative_to(ROOT).as_posix() for m in mirrors] + ALSO.get(file.parent.as_posix(), [])


# ------------------------------------------------------------ testing mutants


def copy_checkout(folder: Path) -> None:
    """Put in ``folder`` what the tests need of the repository."""
    for name in ("minivae", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "setup.cfg", folder)


def run_tests(folder: Path, tests: list[str]) -> int:
    """pytest's exit code in a fork that works in ``folder``; that of SIGXCPU, negative, after TIMEOUT."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 70
    resource.setrlimit(resource.RLIMIT_CPU, (TIMEOUT, TIMEOUT + 10))
    try:
        os.chdir(folder)
        with open("log", "w") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        code = _pytest_main(folder, tests)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def _pytest_main(folder: Path, tests: list[str]) -> int:
    import hypothesis
    import pytest

    sys.path[:] = [str(folder), *(p for p in sys.path if Path(p or ".").resolve() != ROOT)]
    for name in list(sys.modules):
        if name.partition(".")[0] in ("minivae", "tests"):
            del sys.modules[name]
    # Found is found: no simpler example is sought, and no slow one is a failure.
    phases = [hypothesis.Phase.explicit, hypothesis.Phase.generate]
    hypothesis.settings.register_profile("mutation", deadline=None, derandomize=True, database=None, phases=phases)
    options = ["-x", "-q", "-p", "no:cacheprovider", "--hypothesis-profile=mutation"]
    options += ["-W", "ignore:Module already imported"]
    return int(pytest.main([*options, *tests]))


def outcome(folder: Path, mutant: Mutant) -> str:
    """Test a mutant in a copy: "killed", "timeout" or "survived"."""
    file = folder / mutant.path
    source = file.read_bytes()
    Path(importlib.util.cache_from_source(str(file))).unlink(missing_ok=True)
    try:
        file.write_bytes(mutant.apply(source))
        code = run_tests(folder, selection_of(mutant.path))
    finally:
        file.write_bytes(source)
    if code not in (0, 1, 2, -signal.SIGXCPU):  # 1: a test failed; 2: one could not be imported
        raise RuntimeError(f"pytest ended with exit code {code} for {mutant}")
    return {0: "survived", -signal.SIGXCPU: "timeout"}.get(code, "killed")


_folder: Path | None = None  # of this worker


def _start_worker(original: Path) -> None:
    global _folder
    _folder = Path(tempfile.mkdtemp(dir=original.parent), "copy")
    shutil.copytree(original, _folder)
    sys.dont_write_bytecode = True  # a mutant's would be taken for its successor's


def _work(mutant: Mutant) -> tuple[Mutant, str]:
    return mutant, outcome(_folder, mutant)


def run(original: Path, mutants: list[Mutant]) -> dict[Mutant, str]:
    """The outcome of each mutant of the copy ``original``, tested by WORKERS processes.

    Raises:
        RuntimeError: the tests fail without any change.
    """
    for name in PRELOADED:
        if importlib.util.find_spec(name.partition(".")[0]):
            importlib.import_module(name)
    tests = sorted({test for m in mutants for test in selection_of(m.path)})
    if any(run_tests(original, [test]) for test in tests):
        raise RuntimeError(f"without any change some test fails:\n{(original / 'log').read_text()}")
    found = {}
    with multiprocessing.get_context("fork").Pool(WORKERS, _start_worker, (original,)) as pool:
        for mutant, result in pool.imap_unordered(_work, mutants):
            found[mutant] = result
            print(f"{len(found)}/{len(mutants)}", end="\r", file=sys.stderr, flush=True)
            if result != "killed":
                print(f"{result}: {mutant}", flush=True)
    return found


# -------------------------------------------------------------------- results


def write_results(found: dict[Mutant, str], seconds: float) -> None:
    """Put the counts and survivors of the files that were tested into the results file."""
    old = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"files": {}}
    files = {path: row for path, row in old["files"].items() if (ROOT / path).exists()}
    for path in {m.path for m in found}:
        mine = {m: result for m, result in found.items() if m.path == path}
        counts = {result: list(mine.values()).count(result) for result in ("killed", "timeout", "survived")}
        survivors = [str(m) for m, result in mine.items() if result == "survived"]
        skipped = sum(key[0] == path for key in EQUIVALENT)
        files[path] = {**counts, "equivalent": skipped, "survivors": survivors, "date": f"{datetime.date.today()}"}
    total = {key: sum(row[key] for row in files.values()) for key in ("killed", "timeout", "survived", "equivalent")}
    results = {"command": "python -m tests.mutation", "versions": _versions(), "total": total}
    RESULTS.write_text(json.dumps({**results, "files": dict(sorted(files.items()))}, indent=1) + "\n")
    print(f"{total} after {seconds:.0f} s")


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for name in ("numpy", "scipy", "torch", "hypothesis", "pytest"):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "not installed"
    return versions


def main() -> int:
    """Exit code 1 if a mutant survived."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("paths", nargs="*", default=TARGETS, help="files or folders to mutate")
    parser.add_argument("--sample", type=int, help="test so many mutants, drawn with a fixed seed")
    options = parser.parse_args()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        copy_checkout(original := Path(folder, "original"))
        mutants = all_mutants(original, options.paths)
        if options.sample:
            mutants = random.Random(20131220).sample(mutants, options.sample)
        found = run(original, mutants)
    if not options.sample:
        write_results(found, time.perf_counter() - began)
    return int("survived" in found.values())


if __name__ == "__main__":
    sys.exit(main())
