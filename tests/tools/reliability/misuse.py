"""Hostile objects as arguments of the public functions, one at a time, by the tables of ``tests/misuse``."""

from __future__ import annotations

import os
import random
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

from minivae.errors import MinivaeError

from ...misuse import distributions, engine, estimator, inference, models, pictures, small, training  # noqa: F401
from ...misuse.hostile import ENDLESS, HOSTILE, THEIR_OWN, Trouble
from ...misuse.process import import_libraries
from ...misuse.subject import SUBJECTS, Subject
from .campaign import REFUSED, RIGHT, campaign
from .files import SECONDS, TooLong, time_limit

CASES = 20_000
SEED = 19
LONGEST = 2000  # characters of a message, but for names of files that are longer
PACKAGE = os.sep + "minivae" + os.sep


def tried(subject: Subject, parameter: str, name: str) -> str:
    """What becomes of one call: work that takes more than a second has been taken on, but what has no end."""
    given = {**subject.good, parameter: HOSTILE[name]()}
    try:
        with time_limit(SECONDS if name in ENDLESS else 1):
            subject.call(**given)
    except MinivaeError as error:
        return _fault(str(error)) or REFUSED
    except TooLong:
        return "it comes to no end" if name in ENDLESS else RIGHT
    except Exception as error:
        their_own = name == "everything" or (isinstance(error, Trouble | ZeroDivisionError) and name in THEIR_OWN)
        return REFUSED if their_own or not _in_the_package(error) else f"{type(error).__name__}: {error!s:.200}"
    return RIGHT


def _fault(message: str) -> str | None:
    if len(message.splitlines()) != 1:
        return f"not one line: {message!r:.200}"
    return f"{len(message)} characters: {message:.200}" if len(message.replace("x" * 5000, "")) > LONGEST else None


def _in_the_package(error: BaseException) -> bool:
    """Whether minivae, or what it called, raised it: not the table, nor the checks of scikit-learn."""
    files, step = [], error.__traceback__
    while step is not None:
        files.append(step.tb_frame.f_code.co_filename)
        step = step.tb_next
    return any(PACKAGE in file for file in files) and not any("sklearn" in file for file in files)


@contextmanager
def working_in(folder: Path) -> Iterator[None]:
    """A ``with`` block in another folder."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


@campaign("misuse: hostile objects as arguments", "taken, or one line", CASES, 300)
def hostile(folder: Path) -> Iterator[str]:
    """Seeded: a public function, one of its arguments, an object."""
    import_libraries()
    arguments = [(subject, parameter) for subject in SUBJECTS for parameter in subject.wrong]
    choices, names = random.Random(SEED), list(HOSTILE)
    with working_in(folder), open(os.devnull, "w") as nothing, redirect_stdout(nothing), redirect_stderr(nothing):
        for _ in range(CASES):
            (subject, parameter), name = choices.choice(arguments), choices.choice(names)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                result = tried(subject, parameter, name)
            yield result if result in (RIGHT, REFUSED) else f"{subject.label}({parameter}) of {name}: {result}"
