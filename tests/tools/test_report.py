"""The page ``docs/validation.md`` lists what exists, and the report refuses what it should.

What is committed is looked at before a release (``-m release``): a component can come before it was measured.
"""

import pkgutil
import re

import numpy as np
import pytest

import minivae
from minivae import autodiff
from minivae.optim import OPTIMIZERS

from .report import page as report
from .report.__main__ import PAGE, SECTIONS
from .report.page import Row, Section, error, listed, table, z_of_cdf, z_of_mean

EVERY_SECTION = pytest.mark.parametrize("section", SECTIONS, ids=[section.title for section in SECTIONS])


@pytest.fixture(scope="module")
def page():
    return PAGE.read_text(encoding="utf-8")


def section_of(measures, components="a"):
    return Section("Title", "text", {"column": 1.0}, lambda: set(components), measures)


# ------------------------------------------------------------ the committed page


@pytest.mark.release
@EVERY_SECTION
def test_the_page_lists_the_components_that_exist(section, page):
    assert listed(page)[section.title] == section.components(), "run  python -m tests.tools.report"


@pytest.mark.release
@EVERY_SECTION
def test_every_component_has_a_measure(section):
    assert section.components() == section.measures.keys()
    assert section.components()


@pytest.mark.release
def test_the_page_has_no_other_components(page):
    assert listed(page).keys() == {section.title for section in SECTIONS}


@pytest.mark.release
@EVERY_SECTION
def test_the_page_has_the_columns_and_limits_of_now(section, page):
    body = page.split(f"## {section.title}\n")[1].split("\n## ")[0]
    assert section.text in body
    assert f"| component | cases | {' | '.join(section.limits)} |" in body
    assert f"| *limit* | | {' | '.join(f'*{limit:.2g}*' for limit in section.limits.values())} |" in body


@pytest.mark.release
def test_the_pictures_of_the_page_are_there(page):
    pictures = re.findall(r"!\[.+\]\((.+)\)", page)
    assert len(pictures) == 2
    for path in pictures:
        assert (PAGE.parent / path).read_bytes().startswith(b"\x89PNG")


@EVERY_SECTION
def test_one_row_of_each_table_can_be_measured_again(section):
    """The quickest rows; all of them are measured by the report itself."""
    quick = {"Functions made of primitives": "squeeze", "Primitives": "take", "Distributions": "Normal"}
    if section.title in ("Random programs", "Models", "Optimizers", "Members beside their twins"):
        pytest.skip("seconds long; their tests are elsewhere")
    if section.title in ("Primitives", "Functions made of primitives", "Layers", "Schedules"):
        from ..doubles.oracle import torch  # noqa: F401 (skips where it is missing)
    name = quick.get(section.title, next(iter(section.measures)))
    row = section.measures[name]()
    assert row.cases > 0
    for found, limit in zip(row.errors, section.limits.values(), strict=True):
        assert found is None or 0 <= found <= limit
    assert any(found is not None for found in row.errors)


# What each package holds: the sections of its components, or why it has none.
PACKAGES = {
    "autodiff": {"Primitives", "Functions made of primitives", "Random programs"},
    "compiler": "recorded steps, bit for bit against the steps",
    "gradcheck": "what checks; it is tested with wrong gradients",
    "nn": {"Layers", "Activations", "Initializers"},
    "distributions": {"Distributions", "Kullback-Leibler divergences"},
    "optim": {"Optimizers"},
    "regularizers": {"Regularizers"},
    "models": {"Models", "Members beside their twins"},
    "inference": {"Inference"},
    "training": {"Schedules"},
    "backend": "arrays and noise, of NumPy or of CuPy",
    "files": "files",
    "datasets": "files",
    "runs": "files",
    "plots": "pictures",
    "cli": "commands",
}


@pytest.mark.release
def test_every_package_has_its_sections():
    assert {module.name for module in pkgutil.iter_modules(minivae.__path__) if module.ispkg} == PACKAGES.keys()
    sections = [title for titles in PACKAGES.values() if not isinstance(titles, str) for title in titles]
    sections += ["Bounds and estimators"]  # of bounds.py
    assert sorted(sections) == sorted(section.title for section in SECTIONS)


# -------------------------------------------------------------- what is refused


def test_a_new_component_is_noticed(monkeypatch):
    monkeypatch.setitem(autodiff.PRIMITIVES, "new", None)
    monkeypatch.setitem(OPTIMIZERS, "new", None)
    for title in ("Primitives", "Optimizers"):
        (found,) = (section for section in SECTIONS if section.title == title)
        with pytest.raises(ValueError, match=r"measured and existing components differ: \{'new'\}"):
            list(table(found))


def test_an_error_above_its_limit_is_refused():
    assert any("| `a` | 3 | 0.5 |" in line for line in table(section_of({"a": lambda: Row(3, (0.5,))})))
    for wrong in (2.0, np.nan):
        with pytest.raises(ValueError, match=f"a, column: {wrong:.3g}, above the limit of 1"):
            list(table(section_of({"a": lambda wrong=wrong: Row(3, (wrong,))})))


def test_what_is_written_is_read_back():
    measures = {"b": lambda: Row(1, (1e-9,)), "a": lambda: Row(2, (None,)), "c": "no gradient: a constant"}
    text = "\n".join(table(section_of(measures, components="abc")))
    assert listed(text) == {"Title": {"a", "b", "c"}}
    assert "| `b` | 1 | 1e-09 |" in text
    assert f"| `a` | 2 | {report.DASH} |" in text
    assert "no gradient: a constant" in text


# ----------------------------------------------------------------- the measures


@pytest.mark.parametrize(
    ("found", "expected", "size"),
    [
        ([1.0, 2.0], [1.0, 2.0], 0),
        ([0.01], [0.02], 0.01),
        ([110.0], [100.0], 0.1),
        ([np.nan, np.inf], [np.nan, np.inf], 0),
        ([], [], 0),
    ],
)
def test_errors_are_relative_and_below_1_absolute(found, expected, size):
    assert error(found, expected) == pytest.approx(size)


def test_errors_that_are_no_numbers_are_above_every_limit():
    for found, expected in (([np.nan], [1.0]), ([np.inf], [1.0]), ([1.0], [np.inf])):
        assert not error(found, expected) <= 1e300
    with pytest.raises(AssertionError, match="shape"):
        error([1.0], 1.0)


def test_z_scores_notice_a_shift(rng):
    draws = rng.normal(size=(10_000, 3))
    shifted = draws + np.array([0, 0, 0.1])
    assert z_of_mean(draws, 0) < 4 < 8 < z_of_mean(shifted, 0) < 13
    assert z_of_cdf(draws.T, "norm") < 4 < z_of_cdf(shifted.T, "norm")
    assert z_of_mean(np.full((5, 2), 0.1), 0.1) < 1
    assert z_of_mean(np.full((5, 2), 0.1), 0.1001) > 1e6
