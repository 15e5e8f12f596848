"""A progress bar: one of the notebook in a notebook, of the terminal elsewhere."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tqdm.auto import tqdm


def progress_bar(**options: Any) -> tqdm:
    """A bar of tqdm on standard error; ``options`` are tqdm's, which is slow to import."""
    with warnings.catch_warnings():  # a notebook without ipywidgets gets the bar of a terminal, and need not say so
        warnings.simplefilter("ignore")
        from tqdm.auto import tqdm
    return tqdm(**options)
