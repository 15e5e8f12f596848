"""docs/extending.md: each example is a whole file of under 40 lines, and runs as the page says."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from .cli.conftest import run_main

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
BLOCK = re.compile(r"^```(python|bash)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXAMPLES = {title: BLOCK.findall(text) for title, text in SECTIONS.items() if BLOCK.search(text)}


def test_there_is_one_of_each_kind():
    assert list(EXAMPLES) == ["A primitive", "A layer", "A likelihood", "A posterior", "A variant"]


@pytest.mark.parametrize("title", EXAMPLES)
def test_an_example_runs(title, tmp_path, monkeypatch):
    """As a script in a process of its own, where it adds to no table of this one; then its commands."""
    monkeypatch.chdir(tmp_path)
    for language, block in EXAMPLES[title]:
        if language == "python":
            assert len(block.splitlines()) < 40
            assert max(map(len, block.splitlines())) <= 120
            name = re.match(r"# (\w+\.py)\n", block)[1]
            (tmp_path / name).write_text(block)
            command, environment = [sys.executable, "-W", "error", name], {**os.environ, "PYTHONPATH": str(ROOT)}
            done = subprocess.run(command, env=environment, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            continue
        for line in block.splitlines():
            program, *words = shlex.split(line)
            assert (program, run_main(*words)) == ("minivae", 0), line
