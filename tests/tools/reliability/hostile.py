"""Files made to hurt: that claim too much memory, unpack without end, carry code, or name paths outside.

They are read by another process (``_reader.py``), which may take no more than :data:`MEMORY` beyond
what it holds at the start and the file's own size, and five seconds for each.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from .campaign import REFUSED, RIGHT, campaign
from .formats import FORMATS
from .hostile_files import HARMLESS, HOSTILE

MEMORY = 64 << 20
ROOT = Path(__file__).parents[3]


def reader(folder: Path) -> subprocess.Popen:
    """A process that reads files."""
    words = [sys.executable, "-m", "tests.tools.reliability._reader", str(folder / "whole"), str(MEMORY)]
    # What is freed goes back to the system at once, or what one file needed would count for the next.
    once = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_MMAP_THRESHOLD_": "131072"}
    environment = {**os.environ, **once}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    process = subprocess.Popen(words, cwd=ROOT, env=environment, **pipes)
    process.stdout.readline()  # it is ready
    return process


def answer(process: subprocess.Popen, form: str, path: Path) -> str:
    """What became of one file, in the words of the process."""
    try:
        process.stdin.write(f"{form}\t{path}\n")
        process.stdin.flush()
        return process.stdout.readline().rstrip("\n") or f"the reader ended with {process.wait()}"
    except BrokenPipeError:
        return f"the reader had ended with {process.wait()}"


@campaign("files: made to hurt", "one line, no code run, 64 MiB at most", len(HOSTILE), 26)
def hostile(folder: Path) -> Iterator[str]:
    """Each is refused, and nothing but the file is there afterwards."""
    with reader(folder) as process:
        for case, (form, name, content) in enumerate(HOSTILE):
            place = folder / str(case)
            place.mkdir()
            path = FORMATS[form].write(place)
            content(path)
            before = sorted(folder.rglob("*"))
            result = answer(process, form, path)
            if sorted(folder.rglob("*")) != before:
                result = "files were made"
            as_promised = result == REFUSED or (result == RIGHT and name in HARMLESS)
            yield result if as_promised else f"{form}, {name}: {result}"
        process.stdin.close()
