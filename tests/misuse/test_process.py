"""Every public callable leaves the process as it found it, also when it refuses, and in threads side by side."""

from __future__ import annotations

import threading
from contextlib import suppress

import pytest

from . import distributions, engine, estimator, inference, models, pictures, small, training  # noqa: F401  (the tables)
from .process import changed, import_libraries, state
from .subject import SUBJECTS, Says, Subject

THREADS = 8


@pytest.fixture(autouse=True, scope="module")
def _imported():
    import_libraries()


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def use(subject: Subject) -> None:
    """Its good arguments, and one wrong value of each."""
    with suppress(Exception):  # of what has made its file before, or of a model that is not for two threads
        subject.call(**subject.good)
    for parameter, values in subject.wrong.items():
        for value in values[:1]:
            with suppress(Exception):
                subject.call(**{**subject.good, parameter: value.value if isinstance(value, Says) else value})


def test_one_after_the_other():
    before, faults = state(), {}
    for subject in SUBJECTS:
        use(subject)
        if found := changed(before):
            faults[subject.label], before = found, state()
    assert not faults


def test_in_threads_side_by_side():
    before = state()

    def work(first: int) -> None:
        for subject in SUBJECTS[first::THREADS]:
            use(subject)

    threads = [threading.Thread(target=work, args=(first,)) for first in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert changed(before) == []
