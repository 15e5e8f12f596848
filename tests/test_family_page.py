"""``docs/family.md``: a section for every model, whose file is where it says and whose row is the committed one.

Looked at before a release (``-m release``), so that a model can come before its measurements.
"""

import csv
import importlib
import re
from pathlib import Path

import numpy as np
import pytest

from minivae.models import MODELS

pytestmark = pytest.mark.release

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "family.md").read_text(encoding="utf-8")
RESULTS = ROOT / "examples" / "results" / "family"
SECTIONS = dict(re.findall(r"^## `([\w-]+)`\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
HEAD = "| | bound | reconstruction | KL | log p(x) | active units |"
COLUMNS = {"bound": ".2f", "reconstruction": ".2f", "kl": ".2f", "log_likelihood": ".2f", "active_units": ".1f"}


def measured(name: str) -> str:
    """The row of a model: means over the seeds of the committed table."""
    with open(RESULTS / "digits" / "family.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["model"] == name]
    assert {row["seed"] for row in rows} == {"0", "1", "2"}
    cells = []
    for column, form in COLUMNS.items():
        values = [float(row[column]) for row in rows if row[column]]
        cells.append(format(np.mean(values), form).replace("-", "−") if values else "–")
    return f"| `{name}` | {' | '.join(cells)} |"


def test_every_model_has_a_section_and_nothing_else_has():
    assert list(SECTIONS) == list(MODELS)


@pytest.mark.parametrize("name", MODELS)
def test_a_section_has_maths_file_parts_and_the_measured_row(name):
    section = SECTIONS.get(name, "")
    assert "$$" in section
    assert "**Swaps**" in section
    module = MODELS[name].__module__.replace(".", "/")
    (path,) = re.findall(r"\*\*File\*\*\s\[`([\w/.]+)`\]\(\.\./([\w/.]+)\)", section)
    assert path == (f"{module}.py",) * 2
    assert HEAD in section
    assert measured(name) in section, "run  python examples/family.py --seeds 0 1 2  and copy its means"
    assert name == "vae" or measured("vae") in section


def test_pictures_and_tables_are_there():
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", PAGE):
        assert (ROOT / "docs" / target).exists(), target


def test_the_biases_are_the_committed_measurement(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    with open(RESULTS / "aggregate_bias.csv", newline="") as file:
        assert importlib.import_module("aggregate_bias").table(list(csv.DictReader(file))) in PAGE


def test_what_is_said_of_identifiability_is_the_committed_measurement():
    with open(RESULTS / "identifiability.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    medians = {}
    for name in ("ivae", "vae"):
        values = [float(row["mcc"]) for row in rows if row["model"] == name]
        assert len(values) == 5
        assert ", ".join(f"{value:.2f}" for value in values) in " ".join(SECTIONS["ivae"].split())
        medians[name] = np.median(values)
        assert f"{medians[name]:.2f}" in SECTIONS["ivae"]
    assert medians["ivae"] > medians["vae"] + 0.1
