"""Stand-ins for small packages that a lent machine may not have, so that `minivae train` and the tests run there.

What is installed is used; what was put in its place is said in the results. A stand-in does what minivae asks
of the package, and no more.
"""

from __future__ import annotations

import fcntl
import inspect
import re
import sys
import time
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

WANTED = ("docstring_parser", "filelock", "matplotlib", "PIL", "platformdirs", "pooch", "requests", "shtab", "tqdm")


def absent() -> list[str]:
    """Which packages that minivae wants are not installed."""
    return [name for name in WANTED if name not in sys.modules and find_spec(name) is None]


def install() -> list[str]:
    """Put the stand-ins that there are in the places of absent packages; their names."""
    put = [name for name in absent() if name in STANDINS]
    for name in put:
        _module(name, STANDINS[name]())
    return put


def _module(name: str, content: dict[str, Any]) -> ModuleType:
    """A module that can be imported from now on."""
    module = ModuleType(name)
    module.__spec__ = ModuleSpec(name, None)
    vars(module).update(content)
    sys.modules[name] = module
    return module


def _docstring_parser() -> dict[str, Any]:
    """``google.parse``: of a class's docstring, what ``Args:`` says of each."""
    entry = re.compile(r"^ {4}(\w[\w, ]*): (.+(?:\n {5,}.+|\n(?=\n))*)", re.MULTILINE)

    def parse(text: str) -> SimpleNamespace:
        section = re.search(r"^Args:\n((?: .*\n?|\n)*)", inspect.cleandoc(text or ""), re.MULTILINE)
        found = entry.findall(section[1]) if section else []
        params = [SimpleNamespace(arg_name=name, description=said, args=["param", name]) for name, said in found]
        return SimpleNamespace(params=params)

    return {"ParseError": ValueError, "google": SimpleNamespace(parse=parse)}


class _FileLock:
    """A lock on a file, as Linux has it."""

    def __init__(self, path: Any, timeout: float = -1, **options: Any) -> None:
        self._path, self._timeout, self._file = path, timeout, None

    def acquire(self) -> None:
        """Wait as long as is allowed.

        Raises:
            TimeoutError: another one has it.
        """
        self._file, start = open(self._path, "a"), time.monotonic()  # noqa: SIM115
        while True:
            try:
                return fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if 0 <= self._timeout <= time.monotonic() - start:
                    self._file.close()
                    raise TimeoutError from None
                time.sleep(0.05)

    def release(self) -> None:
        """Give it back."""
        self._file.close()


def _filelock() -> dict[str, Any]:
    return {"FileLock": _FileLock, "Timeout": TimeoutError}


class _Bar:
    """A progress bar that shows nothing."""

    def __init__(self, **options: Any) -> None:
        pass

    def update(self, n: float = 1) -> None:
        """So many more are done."""

    def set_postfix_str(self, text: str, refresh: bool = True) -> None:
        """What stands behind it."""

    def close(self) -> None:
        """It is done."""

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _tqdm() -> dict[str, Any]:
    return {"auto": _module("tqdm.auto", {"tqdm": _Bar})}


def _platformdirs() -> dict[str, Any]:
    return {"user_cache_path": lambda name, **options: Path.home() / ".cache" / name}


STANDINS = {
    "docstring_parser": _docstring_parser,
    "filelock": _filelock,
    "platformdirs": _platformdirs,
    "tqdm": _tqdm,
}
