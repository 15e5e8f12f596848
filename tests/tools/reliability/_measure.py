"""Read one file, named with its format on the command line, and say what came of it, its seconds and its memory."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from minivae import backend, datasets
from minivae.nn import MLP, load_safetensors
from minivae.runs import load_checkpoint
from minivae.runs.config import read_config

from .files import outcome

READERS: dict[str, Callable[[Path], object]] = {
    "checkpoint": load_checkpoint,
    "config": read_config,
    "safetensors": lambda path: load_safetensors(MLP((2, 3), backend.generator(0)), path),
}


def peak() -> int:
    """The most memory that this process has held since :func:`main` began, in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) >> 10


def main() -> None:
    """Print ``seconds of the processor``, ``MiB`` and what became of it."""
    form, path = sys.argv[1], Path(sys.argv[2])
    for package in ("h5py", "PIL.Image", "safetensors.numpy"):  # what importing takes is not the file's
        with suppress(ImportError):
            importlib.import_module(package)
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    held, begun = peak(), time.process_time()
    result = outcome(path, READERS.get(form, datasets.load), lambda found: True, seconds=900)
    print(f"{time.process_time() - begun:.2f} {peak() - held} {result}")


if __name__ == "__main__":
    main()
