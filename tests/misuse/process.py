"""What belongs to the whole process, and so to its user: no call may leave it otherwise."""

from __future__ import annotations

import csv
import decimal
import gc
import importlib
import locale
import logging
import os
import random
import signal
import sys
import warnings
from contextlib import suppress
from typing import Any

import matplotlib
import numpy as np
from PIL import Image

LIBRARIES = (
    *("torch", "sklearn.base", "safetensors.numpy", "numba", "h5py", "tqdm.auto", "pooch"),
    *("matplotlib.figure", "matplotlib.backends.backend_agg"),
)


def import_libraries() -> None:
    """Import what functions import when they need it.

    What a library does to the process when it is imported for the first time is not ours; nor is what is left of one
    whose import was stopped, by a limit of time, say.
    """
    for name in LIBRARIES:
        with suppress(ImportError):
            importlib.import_module(name)


def state() -> dict[str, Any]:
    """All of it, by name; to be asked for while no other thread runs."""
    mask = os.umask(0)
    os.umask(mask)
    return {
        "filters of warnings": [*warnings.filters],
        "warnings.showwarning": warnings.showwarning,
        "NumPy's errors": np.geterr(),
        "NumPy's printing": np.get_printoptions(),
        "NumPy's random state": str(np.random.get_state()),  # noqa: NPY002
        "the random state": random.getstate(),
        "Matplotlib's settings": dict(matplotlib.rcParams.copy()),
        "signals": {number: signal.getsignal(number) for number in signal.valid_signals()},
        "locale": locale.setlocale(locale.LC_ALL),
        "folder": os.getcwd(),
        "umask": mask,
        "environment": dict(os.environ),
        "sys.path": [*sys.path],
        "hooks": (sys.excepthook, sys.displayhook, sys.unraisablehook, sys.gettrace(), sys.getprofile()),
        "streams": (sys.stdin, sys.stdout, sys.stderr),
        "limits": (sys.getrecursionlimit(), sys.getswitchinterval(), sys.get_int_max_str_digits()),
        "logging": (logging.root.level, [*logging.root.handlers]),
        "decimal": repr(decimal.getcontext()),
        "collection of garbage": (gc.isenabled(), gc.get_threshold()),
        "csv's longest field": csv.field_size_limit(),
        "Pillow's largest picture": Image.MAX_IMAGE_PIXELS,
    }


def changed(before: dict[str, Any]) -> list[str]:
    """The names of what is not as it was."""
    return [name for name, value in state().items() if value != before[name]]
