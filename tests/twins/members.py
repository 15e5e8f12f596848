"""The twin of each member, by the name on the command line: found by looking through the files of this folder."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

from minivae.models import MODELS

from .twin import Twin

NO_TWINS = ("test_", "members")  # how the names of files begin that hold none


def found() -> dict[str, type[Twin]]:
    """The classes that say whose twin they are."""
    classes: dict[str, type[Twin]] = {}
    for file in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if not file.name.startswith(NO_TWINS):
            module = importlib.import_module(f"{__package__}.{file.name}")
            own = [value for value in vars(module).values() if isinstance(value, type) and issubclass(value, Twin)]
            classes.update((twin.member, twin) for twin in own if twin.__module__ == module.__name__ and twin.member)
    return classes


_FOUND = found()
TWINS: dict[str, Twin] = {name: _FOUND[name]() for name in MODELS if name in _FOUND}
