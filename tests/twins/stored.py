"""The twins' numbers in a table, so that whoever has no PyTorch compares with them as well.

    python -m tests.twins.stored          # writes stored.json; needs PyTorch

Of each phase its loss, its terms, and of every gradient and every new value of state its length and its product
with a fixed vector, which together tell a wrong array from the right one.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

FILE = Path(__file__).with_suffix(".json")
TITLES = ("usual", "one data point", "estimator A", "gaussian", "weights of scale 3")  # of the cases of all members


def phase(loss: Any, terms: dict[str, Any], gradients: dict[str, Any], assigned: dict[str, Any]) -> dict[str, float]:
    """The numbers of a phase, by what they are, from arrays."""
    arrays = {f"gradient of {k}": v for k, v in gradients.items()} | {f"new {k}": v for k, v in assigned.items()}
    return {"loss": float(loss), **{k: float(v) for k, v in terms.items()}, **digests(arrays)}


def digests(arrays: dict[str, Any]) -> dict[str, float]:
    """Two numbers for each array."""
    found = {}
    for name, array in arrays.items():
        x = np.asarray(array, np.float64)
        found[name] = float(np.linalg.norm(x))
        found[f"{name}, product"] = float(np.cos(np.arange(1, x.size + 1)) @ x.ravel())
    return found


def table() -> dict[str, dict[str, dict[str, Any]]]:
    """What is in the file: options and phases, by member and case."""
    return json.loads(FILE.read_text())


def write(rows: Iterable[tuple[str, str, dict[str, Any], list[dict[str, float]]]]) -> None:
    """Write the file from member, case, options and phases of each row."""
    made: dict[str, dict[str, dict[str, Any]]] = {}
    for name, title, options, phases in rows:
        short = [{key: float(f"{value:.12g}") for key, value in numbers.items()} for numbers in phases]
        made.setdefault(name, {})[title] = {"options": options, "phases": short}
    lines = []  # one for each case
    for name, titles in made.items():
        inner = ",\n".join(f"{json.dumps(title)}: {json.dumps(row)}" for title, row in titles.items())
        lines.append(f"{json.dumps(name)}: {{\n{inner}\n}}")
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    argparse.ArgumentParser(
        prog="python -m tests.twins.stored", description=(__doc__ or "").partition("\n")[0]
    ).parse_args()
    from . import test_full_vb, test_mcem, test_twins

    write(row for module in (test_twins, test_full_vb, test_mcem) for row in module.stored_rows())
