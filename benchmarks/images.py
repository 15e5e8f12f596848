"""Part "images": convolutions forward and backward beside PyTorch's, and the memory that they take.

Rows are computed and timed as those of :mod:`benchmarks.cliffs`: both libraries eager, by turns in one process, equal
results; seconds are the processor's, with one thread for each library. The images lie in memory as each library's own
results do: channels last here, channels first there. With

    python -m benchmarks.images --threads 2

seconds are those of the clock, and each library has two threads: on a machine that does nothing else.

The memory is the most that a process of its own had while it took some steps, less what it had before; on Linux alone.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from . import cliffs
from .cliffs import Row, Work, _normal
from .worker import Remote, WorkerError

CHANNELS = 32, 64, 14, 14  # of the images, of the results; their rows and columns
STEPS = 3  # that memory is measured over
PEAK = Path("/proc/self/clear_refs")  # Linux's, by which the most memory of a process is reset


def convolution(backend: Any, size: int, inputs: int = CHANNELS[0]) -> Callable[[], Work]:
    """Of ``size`` images, with the gradients by them and by the kernels."""
    _, outputs, *area = CHANNELS
    x = backend.parameter(backend.images(_normal(size, inputs, *area)))
    weight = backend.parameter(_normal(outputs, inputs, 3, 3) / 10)
    g = backend.constant(backend.images(_normal(size, outputs, *area)))
    return lambda: lambda: backend.gradients(backend.conv2d(x, weight, padding=1), [x, weight], g)


def transposed(backend: Any, size: int) -> Callable[[], Work]:
    """To images twice as large, with kernels of 4 x 4: a layer of a decoder."""
    outputs, inputs, *area = CHANNELS
    x = backend.parameter(backend.images(_normal(size, inputs, *area)))
    weight = backend.parameter(_normal(inputs, outputs, 4, 4) / 10)
    g = backend.constant(backend.images(_normal(size, outputs, *(2 * n for n in area))))
    layer = partial(backend.conv_transpose2d, stride=2, padding=1)
    return lambda: lambda: backend.gradients(layer(x, weight), [x, weight], g)


ROWS = {
    "convolution": Row("3 x 3, 32 to 64 channels, {:,} of 14 x 14, and back", convolution, 100, 4, 1.5),
    "wider": Row("3 x 3, 64 to 64 channels, {:,} of 14 x 14, and back", partial(convolution, inputs=64), 100, 4, 1.5),
    "transposed": Row("4 x 4, stride 2, 64 to 32 channels, {:,} of 14 x 14, and back", transposed, 100, 4, 1.5),
}
MEMORY = "convolution"  # whose memory is measured


class Session(cliffs.Session):
    """Both libraries at work on images; lives in a worker.

    Args:
        threads: how many each library has, with seconds of the clock; None for one, with seconds of the processor.
        torch: whether PyTorch is there.
    """

    rows = ROWS

    def __init__(self, threads: int | None, torch: bool) -> None:
        if threads:
            os.environ["OPENBLAS_NUM_THREADS"] = str(threads)  # before NumPy is imported
        super().__init__(bool(threads), torch)
        if threads and torch:
            import torch as library

            library.set_num_threads(threads)


class Memory:
    """One library alone in a worker."""

    def __init__(self, torch: bool) -> None:
        os.environ["OPENBLAS_NUM_THREADS"] = "1"
        self._backend = cliffs.PyTorch(1) if torch else cliffs.Ours()

    def taken(self, name: str, quick: bool) -> float:
        """MiB that some steps of a row take beside their inputs."""
        row = ROWS[name]
        prepare = row.make(self._backend, row.quick_size if quick else row.size)
        row.make(self._backend, 1)()()  # what a library sets up when it first computes is not counted
        PEAK.write_text("5")  # it is from now on
        before = _status("VmRSS")
        for _ in range(STEPS):
            prepare()()
        return max(0.0, _status("VmHWM") - before)


def _status(name: str) -> float:
    """What Linux tells of this process's memory, in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1]) / 1024


def run(quick: bool, say: Callable[[str], None], threads: int | None = None) -> dict[str, Any]:
    """``rows`` by name, the ``memory`` of each library, versions and threads; with ``quick`` all in small."""
    torch = find_spec("torch") is not None
    found: dict[str, Any] = {"wall": bool(threads), "rows": {}, "recordings": {}, "memory": {}}
    for who in ("minivae", *(["torch"] if torch else [])) if PEAK.exists() else ():
        with Remote(Memory, who == "torch") as remote:
            found["memory"][who] = remote.call("taken", MEMORY, quick)
        say(f"  {ROWS[MEMORY].title():62} {who}: {found['memory'][who]:.0f} MiB")
    with Remote(Session, threads, torch) as remote:
        for name, row in ROWS.items() if torch else ():
            one = found["rows"][name] = remote.call("compare", name, quick)
            ours, theirs, ratio = (one[key]["median"] for key in ("minivae", "torch", "ratio"))
            times = f"{ours * 1e3:8.1f} ms, PyTorch {theirs * 1e3:8.1f} ms, ratio {ratio:6.2f}"
            say(f"  {row.title(one['size']):62} {times}")
        return found | remote.call("describe")


def main(arguments: list[str] | None = None) -> int:
    """Run the command; its exit code. A missed target is a finding and no failure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.images", description=__doc__.split("\n")[0])
    parser.add_argument("--threads", type=int, help="of each library, by the clock, for an idle machine")
    parser.add_argument("--quick", action="store_true", help="a look of seconds, all in small; too noisy to quote")
    args = parser.parse_args(arguments)
    try:
        run(args.quick, partial(print, flush=True), args.threads)
    except WorkerError as error:
        print(f"{error.args[1]}python -m benchmarks.images: {error.args[0]}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
