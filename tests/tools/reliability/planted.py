"""Planted faults: does a campaign notice when the package no longer keeps a promise?

    python -m tests.tools.reliability.planted            # all; writes planted.json and the table in docs/reliability.md
    python -m tests.tools.reliability.planted interrupt  # those whose name contains one of these words

Each fault is a change of the text of one file, in a temporary copy of ``minivae`` and ``tests``. A fault that
the campaign named beside it does not count as lost has survived. (The mathematics have a check like it:
``python -m tests.tools.mutation``.) Not a campaign itself.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from .planted_faults import FAULTS, Fault

ROOT = Path(__file__).parents[3]
RESULTS = Path(__file__).with_name("planted.json")
BEGIN, END = "<!-- planted -->\n", "<!-- end of planted -->\n"
SECONDS = 900  # after which a fault that keeps a campaign waiting counts as noticed


COUNT = """
import resource, sys, tempfile
from pathlib import Path
resource.setrlimit(resource.RLIMIT_AS, (8 << 30, resource.RLIM_INFINITY))  # some faults are without end
from tests.tools.reliability.campaign import CAMPAIGNS, all_campaigns
all_campaigns()
with tempfile.TemporaryDirectory() as folder:
    kept, lost = CAMPAIGNS[sys.argv[1]].run(int(sys.argv[2]), Path(folder))
print("lost", len(lost))
"""


def plant(fault: Fault, folder: Path) -> None:
    """Copy the package and its tests, with the fault in it.

    Raises:
        AssertionError: the text is not there, or more than once: the table is of another version of the package.
    """
    for name in ("minivae", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    path = folder / "minivae" / fault.file
    text = path.read_text(encoding="utf-8")
    if text.count(fault.old) != 1:
        raise AssertionError(f"{fault.name}: {fault.old!r} is {text.count(fault.old)} times in {fault.file}")
    path.write_text(text.replace(fault.old, fault.new), encoding="utf-8")


def noticed(fault: Fault) -> str | None:
    """How the campaign notices: cases lost, or that it fails; None if it does not."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plant(fault, folder)
        words = [sys.executable, "-c", COUNT, fault.campaign, str(fault.cases)]
        environment = {**os.environ, "PYTHONPATH": name}
        try:
            ended = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            return "comes to no end"
    lost = re.search(r"^lost (\d+)$", ended.stdout, re.MULTILINE)
    if lost is None:
        return "fails: " + ended.stderr.strip().splitlines()[-1][:80]
    return f"{lost[1]} of {fault.cases} lost" if int(lost[1]) else None


def table(results: dict[str, str | None]) -> str:
    """The faults and who noticed, as Markdown."""
    lines = ["| planted fault | campaign | noticed |", "| --- | --- | --- |"]
    planted = [f for f in FAULTS if f.name in results]
    lines += [f"| {f.name} | {f.campaign} | {results[f.name] or '**no**'} |" for f in planted]
    caught = sum(results[f.name] is not None for f in planted)
    later = f"; {len(FAULTS) - len(planted)} not planted yet" if len(planted) < len(FAULTS) else ""
    return "\n".join([*lines, f"| **all** | | **{caught} of {len(planted)}**{later} |"]) + "\n"


def main() -> int:
    """Plant the chosen faults one after the other; keep what came of all."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.tools.reliability.planted", description=__doc__.split("\n")[0]
    )
    parser.add_argument("words", nargs="*", help="plant faults whose name contains one of these")
    words = parser.parse_args().words
    chosen = [f for f in FAULTS if not words or any(word in f.name for word in words)]
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    for fault in chosen:
        results[fault.name] = noticed(fault)
        print(f"{fault.name}: {results[fault.name] or 'NOT NOTICED'}", flush=True)
        keep({fault.name: results[fault.name] for fault in FAULTS if fault.name in results})
    return 1 if any(results[fault.name] is None for fault in chosen) else 0


def keep(results: dict[str, str | None]) -> None:
    """Write the results, those of faults that were not planted now as they were, and the table in the page."""
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    page = ROOT / "docs" / "reliability.md"
    text = page.read_text(encoding="utf-8")
    new = re.sub(f"{BEGIN}.*?{END}", lambda _: BEGIN + table(results) + END, text, flags=re.DOTALL)
    page.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
