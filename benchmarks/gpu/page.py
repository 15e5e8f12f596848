"""Writes the table of the practice run into ``docs/gpu.md``: ``python -m benchmarks.gpu.page``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import Any

from .process import ROOT
from .runner import CHECKS

PAGE, PRACTICE = ROOT / "docs" / "gpu.md", ROOT / "benchmarks" / "results" / "gpu_practice.json"
BEGIN, END = "<!-- practice -->\n", "<!-- end of practice -->\n"
LONGEST = 160  # characters of a reason


def main(arguments: Sequence[str] | None = None) -> None:
    """Write it."""
    argparse.ArgumentParser(prog="python -m benchmarks.gpu.page", description=__doc__).parse_args(arguments)
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    whole = json.loads(PRACTICE.read_text(encoding="utf-8"))
    PAGE.write_text(f"{before}{BEGIN}{table(whole)}{END}{rest.partition(END)[2]}", encoding="utf-8")


def table(whole: dict[str, Any]) -> str:
    """Each check of a run in a row: how it ended, how many items passed, and what the others said."""
    lines = ["| check | looks at | ended | items passed | the others |", "| --- | --- | --- | ---: | --- |"]
    for name, check in whole["checks"].items():
        others = [
            f"{item}: {_short(why)}" for word in ("failed", "left_out") for item, why in check.get(word, {}).items()
        ]
        others += [_short(check["why"])] if "why" in check else []
        cells = [f"`{name}`", CHECKS[name].title, check["state"], str(check["passed"]), "; ".join(others)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _short(text: str) -> str:
    text = " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


if __name__ == "__main__":
    main()
