"""Packages that are not required: imported where they are first needed, whatever becomes of that."""

from __future__ import annotations

import importlib
from typing import Any


def import_optional(name: str, *has: str) -> Any:
    """Import a package that may be missing, or there and unusable.

    Args:
        name: of the package, or of a module in it.
        has: what is needed of it; a folder that happens to have its name has none of that.

    Raises:
        ImportError: it cannot be imported, or lacks something; in one line, whatever it raised itself.
    """
    try:
        module = importlib.import_module(name)
        for attribute in has:
            getattr(module, attribute)
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:  # what is compiled against something else may raise anything, or ask to leave
        said = " ".join(str(error).split())
        kind = "" if isinstance(error, ImportError) else f"{type(error).__name__}: "
        raise ImportError(f"{kind}{said:.200}", name=name) from error
    return module
