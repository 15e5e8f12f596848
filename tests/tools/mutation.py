"""Mutation check: is there a test that fails for each small mistake in the mathematics?

    python -m tests.tools.mutation                          # everything; writes tests/tools/mutation_results.json
    python -m tests.tools.mutation minivae/optim/adam.py    # some files, whose results it replaces there
    python -m tests.tools.mutation --sample 10              # a seeded sample; writes nothing

A mutant is one copy of the package with one expression changed: the sign of a derivative
rule turned, a factor or a term dropped, + and - exchanged, or an operation left out (the
sum that undoes broadcasting is one); in models and their parts also a gradient stopped, one
sample taken for many, another axis or constant. The test files that mirror the changed file
must fail, or else those of its folder of models, or those of its package; a mutant that they
pass has survived, and is listed.
Those that compute the same as the original are listed in :mod:`tests.tools.mutants` with the
reason, and left out; so is what stops a gradient where no test has one. The results of a
file are written when it is done, so that a run that is interrupted loses one file's.

Mutants are made in a temporary copy of ``minivae`` and ``tests``, never in the checkout.
Each is tested in a fork of a process that has imported the outside libraries already: the
imports would take longer than most tests. Tests that have found a mutant of the file, or have the name of what is
changed in theirs, come first.
"""

from __future__ import annotations

import argparse
import ast
import builtins
import compileall
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
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .mutants import EQUIVALENT, STOPPED, Mutant, mutants_of

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "tests" / "tools" / "mutation_results.json"
# Where the derivative rules are, and the formulas of the paper.
RULES = (
    *("backward", "contractions", "decompositions", "elementwise", "indexing", "joining", "linalg", "matrices"),
    *("reduce", "shape", "special", "gamma_series", "incomplete_beta", "incomplete_gamma", "scan"),
    *("transforms", "convolution", "depthwise", "patches", "pooling"),
)
# What decides whether a recorded step gives what the step gives.
COMPILER = ("analysis", "fuse", "memory", "placement", "regions", "script")
TARGETS = [
    *(f"minivae/autodiff/{name}.py" for name in RULES),
    *(f"minivae/compiler/{name}.py" for name in COMPILER),
    "minivae/distributions",
    "minivae/bounds.py",
    "minivae/optim",
    "minivae/models",
    "minivae/nn",
    "minivae/regularizers",
    "minivae/training/evaluate.py",
    "minivae/training/schedules.py",
    "minivae/inference",
]
# Of these: what is no mathematics. Classes found by their names; what is chosen for data, which a table of kinds tests.
LEFT_OUT = ("minivae/models/own.py", "minivae/models/automatic.py")
# Whose mutants nobody has run yet; the page says so.
NOT_YET = tuple(
    f"minivae/{folder}/{name}.py"
    for folder, names in {
        "autodiff": "convolution depthwise patches pooling",
        "distributions": "von_mises_fisher",
        "models/semi_supervised": "m2",
        "nn": "blocks convolution dropout masked_convolution normalization spectral weight_norm",
    }.items()
    for name in names.split()
)
# For what the test file of the same name lets pass: where the rows of a whole package are checked.
ALSO = {
    "minivae/autodiff": ["tests/autodiff/test_primitives.py"],
    "minivae/compiler": [
        *(f"tests/compiler/test_{name}.py" for name in ("step", "program", "baked", "results", "random_steps")),
    ],
    "minivae/distributions": [
        "tests/distributions/test_distribution_kl.py",
        "tests/distributions",
    ],  # the likeliest first
    "minivae/optim": ["tests/optim"],
    **{f"minivae/{room}": ["tests/twins"] for room in ("models", "regularizers")},
    "minivae/nn": ["tests/nn", "tests/twins"],
    "minivae/training": ["tests/twins", "tests/training"],
    "minivae": [
        *(f"tests/models/bound/test_{name}.py" for name in ("iwae", "iwae_gradients", "renyi")),
        *("tests/models/test_vae.py", "tests/twins"),
    ],
}
OUTCOMES = ("killed", "timeout", "survived", "without effect")
# Quick, and first: the losses of all members.
OF_LOSSES = ("minivae/models", "minivae/regularizers", "minivae/bounds", "minivae/inference/mcem")
QUICK = ["tests/twins/test_stored.py"]
TIMEOUT = 150  # seconds of processor time; the longest stage takes about 40
PRELOADED = ("pytest", "hypothesis", "hypothesis.extra.numpy", "numpy", "scipy.special", "scipy.stats", "torch")


def all_mutants(root: Path, paths: list[str]) -> list[Mutant]:
    """The mutants of every file at or below ``paths``, which are relative to ``root``."""
    files = []
    for path in paths:
        files += [root / path] if path.endswith(".py") else sorted((root / path).rglob("*.py"))
    files = [file for file in files if file.relative_to(root).as_posix() not in LEFT_OUT]
    mutants = (m for file in files for m in mutants_of(file.relative_to(root).as_posix(), file.read_bytes()))
    return list(dict.fromkeys(mutants))  # g * g without its first factor is g * g without its second


def stages_of(path: str) -> list[list[str]]:
    """The tests to run for a source file: its mirror, maybe in parts, or beside a twin; its room's; its package's."""
    file = Path(path)
    mirrors = sorted((ROOT / "tests").joinpath(*file.parts[1:-1]).glob(f"test_{file.stem}*.py"))
    mirrors += (ROOT / "tests" / "twins").glob(f"test_{file.stem}.py")
    stages = [QUICK if path.startswith(OF_LOSSES) else []]
    room = [Path("tests", *file.parts[1:-1]).as_posix()] if len(file.parts) > 3 else []  # of a folder in models
    stages += [[m.relative_to(ROOT).as_posix() for m in mirrors], room, ALSO.get("/".join(file.parts[:-1][:2]), [])]
    return [tests for tests in stages if tests]


# ------------------------------------------------------------ testing mutants


def copy_checkout(folder: Path) -> None:
    """Put in ``folder`` what the tests need of the repository."""
    for name in ("minivae", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "setup.cfg", folder)
    compileall.compile_dir(folder / "minivae", quiet=2)  # once, not in the run of every mutant


class LikeliestFirst:
    """A plugin of pytest: the order in which tests are tried.

    Args:
        finders: a file of the tests that have failed by a mutant, a line each; one that fails is added.
        names: of the function and the class that are changed.
    """

    def __init__(self, finders: Path, names: Sequence[str]) -> None:
        self._finders, self._names = finders, [name.lower() for name in names]

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Finders of several before those of one, then tests by name; the others stay as they are."""
        found = Counter(self._finders.read_text().splitlines() if self._finders.exists() else ())
        items.sort(key=lambda item: (-found[item.nodeid], not any(n in item.nodeid.lower() for n in self._names)))

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note who has failed."""
        if report.failed:
            with self._finders.open("a") as file:
                file.write(f"{report.nodeid}\n")


def names_around(source: bytes, line: int) -> list[str]:
    """The functions and classes that a line is in, and what is assigned there."""
    around = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.stmt) and n.lineno <= line <= n.end_lineno]  # pyright: ignore
    targets = [t.id for n in around if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Name)]
    return [*targets, *(n.name.strip("_") for n in around if isinstance(n, ast.FunctionDef | ast.ClassDef))]


def run_tests(folder: Path, tests: list[str], plugins: Sequence[Any] = ()) -> int:
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
        code = _pytest_main(folder, tests, plugins)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def _pytest_main(folder: Path, tests: list[str], plugins: Sequence[Any]) -> int:
    import hypothesis
    import pytest

    setattr(builtins, STOPPED, stopped_gradient(folder / "stopped"))
    sys.path[:] = [str(folder), *(p for p in sys.path if Path(p or ".").resolve() != ROOT)]
    for name in list(sys.modules):
        if name.partition(".")[0] in ("minivae", "tests"):
            del sys.modules[name]
    # Found is found: no simpler example is sought, and no slow one is a failure.
    phases = [hypothesis.Phase.explicit, hypothesis.Phase.generate]
    hypothesis.settings.register_profile("mutation", deadline=None, derandomize=True, database=None, phases=phases)
    options = ["-x", "-q", "-p", "no:cacheprovider", "--hypothesis-profile=mutation"]
    options += ["-W", "ignore:Module already imported"]
    return int(pytest.main([*options, *tests], plugins))


def stopped_gradient(mark: Path) -> Callable[[Any], Any]:
    """What a mutant calls: ``stop_gradient`` of a tensor that has a gradient; ``mark`` tells if it was recorded.

    With a number, it only tells, in a mark of that number.
    """

    def stop(x: Any, number: int | None = None) -> Any:
        from minivae.autodiff import Tensor, stop_gradient
        from minivae.autodiff.modes import mode

        if not (isinstance(x, Tensor) and x.requires_grad):
            return x
        if mode.taping:  # under no_grad a parameter has none to lose
            mark.with_name(f"{mark.name}{'' if number is None else number}").touch()
        return stop_gradient(x) if number is None else x

    return stop


def outcome(folder: Path, mutant: Mutant, tests: list[str]) -> str:
    """Test a mutant in a copy: "killed", "timeout", "survived" or "without effect"."""
    file, mark = folder / mutant.path, folder / "stopped"
    mark.unlink(missing_ok=True)
    source = file.read_bytes()
    Path(importlib.util.cache_from_source(str(file))).unlink(missing_ok=True)
    try:
        file.write_bytes(mutant.apply(source))
        finders = (_folder.parents[1] if _folder else folder) / f"finders of {file.stem}"
        code = run_tests(folder, tests, [LikeliestFirst(finders, names_around(source, mutant.line))])
    finally:
        file.write_bytes(source)
    if code not in (0, 1, 2, 4, -signal.SIGXCPU):  # 1: a test failed; 2, 4: one, or conftest.py, could not be imported
        raise RuntimeError(f"pytest ended with exit code {code} for {mutant}")
    if code == 0 and STOPPED in mutant.after and not mark.exists():
        return "without effect"
    return {0: "survived", -signal.SIGXCPU: "timeout"}.get(code, "killed")


def without_effect(folder: Path, stops: list[Mutant], tests: list[str]) -> list[Mutant]:
    """Of the mutants of a file that stop a gradient, those that have none to stop: one run of the tests tells."""
    if not stops:
        return []
    file, marks = folder / stops[0].path, [folder / f"stopped{i}" for i in range(len(stops))]
    for mark in marks:
        mark.unlink(missing_ok=True)
    source = file.read_bytes()
    Path(importlib.util.cache_from_source(str(file))).unlink(missing_ok=True)
    # An inner expression ends before an outer one, and begins after it.
    texts = [(m.end, 0, -m.start, f", {i})".encode()) for i, m in enumerate(stops)]
    texts += [(m.start, 1, -m.end, f"{STOPPED}(".encode()) for m in stops]
    try:
        told = source
        for position, *_, text in sorted(texts, reverse=True):
            told = told[:position] + text + told[position:]
        file.write_bytes(told)
        if run_tests(folder, tests):
            raise RuntimeError(f"with no gradient stopped:\n{(folder / 'log').read_text()}")
    finally:
        file.write_bytes(source)
    return [m for m, mark in zip(stops, marks, strict=True) if not mark.exists()]


_folder: Path | None = None  # of this worker


def _start_worker(original: Path) -> None:
    global _folder
    _folder = Path(tempfile.mkdtemp(dir=original.parent), "copy")
    shutil.copytree(original, _folder)
    sys.dont_write_bytecode = True  # a mutant's would be taken for its successor's


def _work(task: tuple[Mutant, list[str]]) -> tuple[Mutant, str]:
    return task[0], outcome(_folder, *task)


def _work_without_effect(stops: list[Mutant], tests: list[str]) -> list[Mutant]:
    return without_effect(_folder, stops, tests)


def run(original: Path, mutants: list[Mutant], workers: int) -> Iterator[tuple[str, dict[Mutant, str]]]:
    """File by file, the outcome of each of its mutants in the copy ``original``.

    Raises:
        RuntimeError: the tests fail without any change.
    """
    for name in PRELOADED:
        if importlib.util.find_spec(name.partition(".")[0]):
            importlib.import_module(name)
    passed = []  # the stages that the original is known to pass
    with multiprocessing.get_context("fork").Pool(workers, _start_worker, (original,)) as pool:
        for path in sorted({m.path for m in mutants}):
            found = {m: "survived" for m in mutants if m.path == path}
            for tests in (stages := stages_of(path)):
                alive = ("survived",) if tests is stages[-1] else ("survived", "without effect")
                left = [m for m, result in found.items() if result in alive]
                if left and tests not in passed:
                    if run_tests(original, tests):
                        raise RuntimeError(f"without any change:\n{(original / 'log').read_text()}")
                    passed.append(tests)
                idle = pool.apply(_work_without_effect, ([m for m in left if STOPPED in m.after], tests))
                found.update(dict.fromkeys(idle, "without effect"))
                found.update(pool.imap_unordered(_work, [(m, tests) for m in left if m not in idle]))
            yield path, found


# -------------------------------------------------------------------- results


def write_row(path: str, found: dict[Mutant, str]) -> None:
    """Put the counts and survivors of a file that was tested into the results file."""
    old = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"files": {}}
    files = {path: row for path, row in old["files"].items() if (ROOT / path).exists()}
    counts = {result: list(found.values()).count(result) for result in OUTCOMES}
    counts["equivalent"] = sum(key[0] == path for key in EQUIVALENT)
    survivors = [str(m) for m, result in found.items() if result == "survived"]
    files[path] = {**counts, "survivors": survivors, "date": f"{datetime.date.today()}"}
    total = {key: sum(row.get(key, 0) for row in files.values()) for key in counts}
    results = {"command": "python -m tests.tools.mutation", "versions": _versions(), "total": total}
    RESULTS.write_text(json.dumps({**results, "files": dict(sorted(files.items()))}, indent=1) + "\n")


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
    parser.add_argument("--workers", type=int, default=2, help="processes that test mutants (default: 2)")
    options = parser.parse_args()
    alive = 0
    with tempfile.TemporaryDirectory() as folder:
        copy_checkout(original := Path(folder, "original"))
        mutants = all_mutants(original, options.paths)
        if options.sample:
            mutants = random.Random(20131220).sample(mutants, options.sample)
        for path, found in run(original, mutants, options.workers):
            others = [f"  {result}: {m}" for m, result in found.items() if result not in ("killed", "without effect")]
            print(f"{path}: {len(found) - len(others)} of {len(found)} killed", *others, sep="\n", flush=True)
            alive += list(found.values()).count("survived")
            if not options.sample:
                write_row(path, found)
    return int(alive > 0)


if __name__ == "__main__":
    sys.exit(main())
