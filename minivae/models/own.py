"""Classes of the user's own, by name: ``file.py:Class``, ``package.module:Class`` or an entry point's name.

To find one is to run its file. So a name is looked up when a user says it, never because a file has it.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from ..errors import InputError, shown
from ..slips import did_you_mean

Kind = TypeVar("Kind")


def is_own(name: object) -> bool:
    """Whether a name says where code of the user's own is."""
    return isinstance(name, str) and ":" in name


def meant_by(name: str) -> str | None:
    """How a class would be said by a word that only says where it is: ``file.py``, ``module.Class``; else None."""
    place, _, wanted = name.rpartition(":")
    if wanted.endswith(".py"):  # on Windows with the letter of a drive before it
        return f"{name}:Class"
    if not wanted:
        return f"{name.rstrip(':')}:Class" if name.strip(":") else None
    module, _, kind = name.rpartition(".")
    dotted = not place and module and all(part.isidentifier() for part in name.split("."))
    return f"{module}:{kind}" if dotted and kind[:1].isupper() else None


def installed(group: str) -> dict[str, str]:
    """What installed packages offer in a group of entry points: ``package.module:Class`` by name; nothing is run."""
    from importlib.metadata import entry_points  # slow to import

    return {entry.name: entry.value for entry in entry_points(group=group)}


def name_in(listed: Mapping[str, type], kind: type) -> str:
    """The name of a class among those listed; else where it is, ``module:Class``, of one from a file its path."""
    return next((name for name, known in listed.items() if known is kind), f"{kind.__module__}:{kind.__qualname__}")


def is_same(name: object, other: object) -> bool:
    """Whether two names are of one class: of the user's own by the class's name, as its file may have moved."""
    if isinstance(name, str) and isinstance(other, str) and is_own(name) and is_own(other):
        return name.rpartition(":")[2] == other.rpartition(":")[2]
    return name == other


def require_named(run: str, what: str, name: object, given: object, listed: Mapping[str, type], argument: str) -> None:
    """Check that the class of a run is the one given, which it must be where it is the user's own.

    Args:
        run: its folder, for messages.
        what: the option that names such a class, ``argument`` that of ``Run.load_model``.
        name: which class the run says that it is.
        given: a class, or None.
        listed: the package's own classes by name.

    Raises:
        InputError: it is the user's own and was not given, or another class was.
    """
    if given is None and is_own(name):
        raise InputError(
            f"{run} is of a {what} of your own, whose code a run does not start; name it again: "
            f"--{what} {name}, in Python load_model({argument}={str(name).rpartition(':')[2]})"
        )
    if given is not None and not (isinstance(given, type) and is_same(name_in(listed, given), name)):
        raise InputError(f"{argument} is {shown(given)}, but the {what} of {run} is {name}")


def find_class(
    argument: str, name: str, listed: Mapping[str, type[Kind]], base: type[Kind], group: str
) -> tuple[str, type[Kind]]:
    """The class of a name, and the name that a run stores: with a file's whole path.

    Args:
        argument: what messages call it.
        name: one of ``listed``, or of the user's own.
        listed: the package's own classes by name.
        base: what the class has to derive from.
        group: of entry points that are names, too.

    Raises:
        InputError: there is no such name, file, module or class; its code fails, with the line; or it is none
            of ``base``.
    """
    if name in listed:
        return name, listed[name]
    full = name if is_own(name) else installed(group).get(name)
    meant = None if full != name and full is not None else meant_by(name)
    if full is None or meant is not None:
        names = [*listed, *installed(group)]
        own = "or your own, file.py:Class or package.module:Class"
        hint = did_you_mean(name, names) if meant is None else f"; did you mean {meant!r}?"
        raise InputError(f"{argument} is {str.__repr__(name)}; expected one of {', '.join(names)}, {own}{hint}")
    place, _, wanted = full.rpartition(":")
    if place.endswith(".py") or os.sep in place:
        path = Path(os.path.realpath(os.path.expanduser(place)))  # pathlib raises where links go in a circle
        full = f"{path}:{wanted}"
        module = _module_of_file(argument, path)
    else:
        module = _module(argument, place)
    kind = _class_in(module, argument, full, wanted, base)
    return next((known for known, value in listed.items() if value is kind), full), kind


@cache
def _module_of_file(argument: str, path: Path) -> ModuleType:
    if not path.is_file():
        raise InputError(f"{argument} is in {path}; expected a file, and there is none")
    spec = importlib.util.spec_from_file_location(str(path), path)
    if spec is None or spec.loader is None:
        raise InputError(f"{argument} is in {path}; expected a Python file, its name ending in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses and pickle look
    with _naming_the_line(argument, str(path)), _folder_on_the_path(path.parent):
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[spec.name]
            raise
    return module


def _module(argument: str, name: str) -> ModuleType:
    with _naming_the_line(argument, name):
        return importlib.import_module(name)


@contextmanager
def _folder_on_the_path(folder: Path) -> Iterator[None]:
    """A ``with`` block in which a file finds those beside it, as a script does."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        with suppress(ValueError):  # the file's own code may have taken it out
            sys.path.remove(str(folder))  # and nothing else: other threads have entries, too


@contextmanager
def _naming_the_line(argument: str, place: str) -> Iterator[None]:
    """A ``with`` block that runs the user's code, and says in one line where it fails."""
    try:
        yield
    except (Exception, SystemExit) as error:
        frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == place]
        line = error.lineno if isinstance(error, SyntaxError) else frames[-1].lineno if frames else None
        where = f"{place}, line {line}," if line else place
        raise InputError(
            f"{argument} is in {where} which fails: {type(error).__name__}: {error!s:.200}; "
            "expected a file or module that can be imported"
        ) from error


def _class_in(module: ModuleType, argument: str, full: str, wanted: str, base: type[Kind]) -> type[Kind]:
    found = {name: v for name, v in vars(module).items() if inspect.isclass(v) and issubclass(v, base)}
    value = getattr(module, wanted, None)
    if wanted in found and value is not base:
        return found[wanted]
    what = "there is no such class" if value is None else f"that is {shown(value)}"
    there = [name for name, kind in found.items() if kind.__module__ == module.__name__]
    expected = f"expected a class that derives from {base.__module__}.{base.__name__}"
    raise InputError(f"{argument} is {full}, but {what}; {expected}{did_you_mean(wanted, there)}")
