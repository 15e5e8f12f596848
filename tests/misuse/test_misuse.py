"""No wrong argument passes, and each is named, with what came and what was expected; and no argument is left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import distributions, engine, estimator, images, inference, models, pictures, small, training  # noqa: F401  (the tables)
from .public import callables, not_covered
from .subject import SUBJECTS, complaint


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.label)
def test_wrong_arguments_are_named_with_what_came_and_what_was_expected(subject):
    subject.call(**subject.good)
    faults = [
        f"{parameter}={value!r:.60}: {fault}"
        for parameter, values in subject.wrong.items()
        for value in values
        if (fault := complaint(subject, parameter, value))
    ]
    assert not faults, "\n".join(faults)


def test_every_argument_of_every_public_callable_is_in_a_table():
    assert not_covered(SUBJECTS) == []


@pytest.mark.release
def test_the_page_has_the_counts():
    arguments = [values for subject in SUBJECTS for values in subject.wrong.values()]
    values = sum(len(list(of_one)) for of_one in arguments)
    page = (Path(__file__).parents[2] / "docs" / "reliability.md").read_text(encoding="utf-8")
    assert f"{len(SUBJECTS):,} subjects, {len(arguments):,} arguments of them, {values:,} wrong values" in page
    assert f"the {len(list(callables())):,} public functions, constructors and methods" in page
