"""docs/own-data.md: its commands are those that the example runs, its numbers and figures what they left."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from minivae.datasets.preparation import PREPARATIONS
from minivae.models.vae import DECODERS

from .test_examples import OWN

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "own-data.md").read_text(encoding="utf-8")
RESULTS = ROOT / "examples" / "results" / "own_data"
NUMBERS = json.loads((RESULTS / "results.json").read_text(encoding="utf-8"))
FIGURES = sorted(set(re.findall(r"examples/results/own_data/([\w.]+\.png)", PAGE)))


def commands(text: str) -> list[str]:
    """Those of ``minivae`` in the blocks of a page, a line each."""
    blocks = re.findall(r"^```bash\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.startswith("minivae ")]


def test_the_commands_are_those_that_the_example_runs(monkeypatch):
    """Which tests/test_examples.py runs quickly, and the gate too."""
    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    import own_data

    walks = [walk.strip().splitlines() for walk in own_data.WALKS.values()]
    assert commands(PAGE) == [command for walk in walks for command in walk]
    sections = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    assert [found for section in sections if (found := commands(section))] == walks
    for walk in walks:
        verbs = [command.split()[1] for command in walk]
        assert {"train", "evaluate", "sample", "encode"} <= set(verbs)


def said(value: float) -> str:
    """As the page writes it."""
    return f"{value:.2f}".replace("-", "−")


@pytest.mark.parametrize("run", [name for name in NUMBERS if "bound" in NUMBERS[name]])
def test_the_numbers_are_those_of_the_results(run):
    found = NUMBERS[run]
    row = re.search(rf"^\| [^|]*`{run}`[^|]*\|(.*)\|$", PAGE, re.MULTILINE)
    assert row
    cells = [cell.strip() for cell in row[1].split("|")]
    raw = [said(found[f"{name}_raw"]) if f"{name}_raw" in found else "" for name in ("bound", "log_likelihood")]
    assert cells == [said(found["bound"]), said(found["log_likelihood"]), *raw]


def test_the_table_reaches_what_its_copy_without_units_does():
    units = NUMBERS["units"]
    assert units["difference_in_nats_a_column"] < 0.05
    assert units["median_r2"] > 0.95
    assert f"R² {units['median_r2']:.3f}" in PAGE
    assert f"differ by {units['difference_in_nats_a_column']:.4f} nats a column" in PAGE
    assert said(units["bound_of_copy_in_raw_nats"]) in PAGE
    assert "--quick" not in NUMBERS["command"]
    assert f"`{NUMBERS['command']}`" in PAGE


def test_figures_and_results_are_kept_and_shown():
    assert {path.name for path in RESULTS.iterdir()} == {*FIGURES, "results.json"}
    assert len(FIGURES) >= 8
    assert set(FIGURES) <= OWN


def test_every_preparation_and_likelihood_is_on_the_page():
    for name in (*PREPARATIONS, *DECODERS):
        assert f"`{name}`" in PAGE
