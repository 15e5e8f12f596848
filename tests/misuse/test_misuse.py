"""No wrong argument passes, and each is named, with what came and what was expected; and no argument is left out."""

from __future__ import annotations

import pytest

from . import engine  # noqa: F401  (the tables)
from .public import not_covered
from .subject import SUBJECTS, cases, complaint

ROWS = [pytest.param(*case, id=f"{case[0].label}-{case[1]}-{case[2]!r:.20}") for case in cases()]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.label)
def test_good_arguments_are_taken(subject):
    subject.call(**subject.good)


@pytest.mark.parametrize(("subject", "parameter", "value"), ROWS)
def test_a_wrong_argument_is_named_with_what_came_and_what_was_expected(subject, parameter, value):
    fault = complaint(subject, parameter, value)
    assert fault is None, f"{subject.label}, {parameter}={value!r:.60}: {fault}"


def test_every_argument_of_every_public_callable_is_in_a_table():
    assert not_covered(SUBJECTS) == []
