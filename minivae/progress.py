"""A progress bar: one of the notebook in a notebook, of the terminal elsewhere."""

from __future__ import annotations

import importlib
import sys
import warnings
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tqdm.auto import tqdm

_IMPORT = Lock()


def progress_bar(**options: Any) -> tqdm:
    """A bar of tqdm on standard error; ``options`` are tqdm's, which is slow to import."""
    with _IMPORT:  # once, as the filters of warnings are those of all threads
        if "tqdm.auto" not in sys.modules:
            with warnings.catch_warnings():  # a notebook without ipywidgets gets a terminal's bar, and need not say so
                warnings.simplefilter("ignore")
                importlib.import_module("tqdm.auto")
    from tqdm.auto import tqdm

    if sys.stderr is None:  # a process without standard error
        options["disable"] = True
    return tqdm(**options)
