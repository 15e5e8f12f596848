"""Every file that is run as a program answers ``--help``, and starts no work."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("benchmarks", "examples", "minivae", "tests")
PROGRAMS = sorted(
    path.relative_to(ROOT).as_posix()
    for room in ROOMS
    for path in (ROOT / room).rglob("*.py")
    if path.name == "__main__.py" or '\nif __name__ == "__main__":' in path.read_text(encoding="utf-8")
)
# Those that others start, or that are no programs to begin with.
STARTED_BY_OTHERS = {
    "tests/tools/reliability/_reader.py": "the campaign on files starts it, with two arguments",
    "tests/tools/reliability/_measure.py": "the campaign on bombs starts it, with two arguments",
    "tests/compiler/test_random_steps.py": "shrinks the program of a seed that a failing test has named",
}


def helped(program: str, folder: Path) -> subprocess.CompletedProcess:
    """``--help`` of a program, in an empty folder: by its path if it is an example, else by its module."""
    name = program.removesuffix(".py").removesuffix("/__main__").replace("/", ".")
    how = [str(ROOT / program)] if program.startswith("examples") else ["-m", name]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100"}
    return subprocess.run([sys.executable, *how, "--help"], cwd=folder, env=environment, capture_output=True, text=True)


def test_programs_are_found():
    assert STARTED_BY_OTHERS.keys() < set(PROGRAMS)
    assert {"benchmarks/counts.py", "examples/mnist.py", "minivae/__main__.py", "tests/twins/stored.py"} < set(PROGRAMS)


@pytest.mark.parametrize("program", [program for program in PROGRAMS if program not in STARTED_BY_OTHERS])
def test_a_program_says_how_it_is_used_and_does_nothing_else(program, tmp_path):
    done = helped(program, tmp_path)
    if "No module named 'torch'" in done.stderr:
        pytest.skip("needs PyTorch")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("usage: ")
    assert list(tmp_path.iterdir()) == []
