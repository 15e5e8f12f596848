"""Damaged files: read as they were written, or refused in one line that names the file."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from minivae.errors import InputError
from minivae.runs import load_checkpoint

from .campaign import REFUSED, RIGHT, campaign
from .damage import damaged
from .formats import FORMATS, Format, same

SECONDS = 5  # within which a file is read or refused
CASES, QUICK = 7000, 20  # 2,800 bytes are flipped in turn, and as many lengths cut


class TooLong(BaseException):
    """What takes its time; no Exception, so that nothing makes a refusal of it."""


@contextmanager
def time_limit(seconds: int = SECONDS) -> Iterator[None]:
    """A ``with`` block that ends with TooLong after so many seconds."""

    def stop(number: int, frame: object) -> None:
        raise TooLong(f"it took more than {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def outcome(path: Path, load: Callable[[Path], Any], is_right: Callable[[Any], bool], seconds: int = SECONDS) -> str:
    """What becomes of reading one file."""
    try:
        with time_limit(seconds):
            found = load(path)
    except InputError as error:
        if _ran_out_of_memory(error):
            return "more memory was asked for than there may be"
        message = str(error)
        named = str(path) in message or str(path.parent) in message
        return REFUSED if named and "\n" not in message else f"the message is no line that names the file: {message!r}"
    except (Exception, TooLong, SystemExit) as error:
        return f"{type(error).__name__} instead of InputError: {error}"
    return RIGHT if is_right(found) else "another content was read than was written"


def _ran_out_of_memory(error: BaseException | None) -> bool:
    return error is not None and (isinstance(error, MemoryError) or _ran_out_of_memory(error.__context__))


def faults_of(form: Format, count: int) -> Callable[[Path], Iterator[str]]:
    """A campaign's faults: damage to the bytes of a file of this format."""

    def faults(folder: Path) -> Iterator[str]:
        with form.published():
            path = form.write(folder)
            whole, truth = path.read_bytes(), form.load(path)
            for content in damaged(whole, count):
                path.write_bytes(content)
                is_right = (lambda found: same(found, truth)) if form.says is None else _says(form, content)
                result = outcome(path, form.load, is_right)
                yield result if result in (RIGHT, REFUSED) else f"{result} ({_difference(whole, content)})"

    return faults


def _says(form: Format, content: bytes) -> Callable[[Any], bool]:
    return lambda found: form.says(content, found)


def _difference(whole: bytes, content: bytes) -> str:
    pairs = enumerate(zip(whole, content, strict=False))
    start = next((i for i, (a, b) in pairs if a != b), min(len(whole), len(content)))
    return f"{len(content)} bytes instead of {len(whole)}, others from byte {start} on"


for _name, _format in FORMATS.items():
    _promise = "what was written" if _format.says is None else "what the file says"
    campaign(f"files: {_name}, damaged", f"{_promise}, or one line", CASES, QUICK)(faults_of(_format, CASES))


@campaign("files: checkpoint, another content in a whole archive", "refused", 2000, 18)
def rewritten(folder: Path) -> Iterator[str]:
    """One bit of a value, a name, a shape or the metadata is another before the archive, with its sums, is written."""
    rng, path = np.random.default_rng(0), FORMATS["checkpoint"].write(folder)
    truth = load_checkpoint(path)
    with np.load(path) as file:
        members = dict(file)
    for _ in range(2000):
        np.savez(path, **_with_one_change(members, rng))
        yield outcome(path, load_checkpoint, lambda found: same(found, truth))


def _with_one_change(members: dict[str, np.ndarray], rng: np.random.Generator) -> dict[str, np.ndarray]:
    name = str(rng.choice(list(members)))
    array, kind = members[name], rng.integers(4)
    if kind == 0:
        return {other: value for other, value in members.items() if other != name}
    if kind == 1:
        return {(other + "x" if other == name else other): value for other, value in members.items()}
    if kind == 2 and array.dtype.kind != "U":
        return {**members, name: array.reshape(-1, *array.shape[::-1])}
    if array.dtype.kind == "U":
        text = str(array)
        place = int(rng.integers(len(text)))
        return {**members, name: np.array(text[:place] + chr(ord(text[place]) ^ 1) + text[place + 1 :])}
    values = np.array(array)
    values.reshape(-1).view(np.uint8)[rng.integers(values.nbytes)] ^= 1 << int(rng.integers(8))
    return {**members, name: values}
