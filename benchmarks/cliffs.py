"""Part "cliffs": where minivae once fell far behind: many small tensors, odd shapes, long recordings.

    python -m benchmarks.cliffs

Each row of ``ROWS`` is written once and computed by minivae and by PyTorch, both eager, by turns in one process
(A B A B ...). Reported are seconds, and the ratio of the two neighbours of each turn. Seconds are those of the
processor for the process, with one thread for each library, which what else runs on the machine hardly changes; with
``--wall`` those of the clock, with the threads that each library uses by itself.

Each row of ``RECORDINGS`` is minivae alone: what the first two calls of a step under ``minivae.compile`` take longer
than the step itself does. Two, with their results read, as some of the work may be put off to the second.
"""

from __future__ import annotations

import argparse
import gc
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from . import machine
from .harness import statistics
from .worker import Remote, WorkerError

PAIRS, QUICK_PAIRS = (3, 31), (3, 3)  # at least and at most so many pairs of turns
PATIENCE = 6.0  # seconds, after which the least number of pairs is enough
TURN = 2  # runs in a turn, the faster of which counts: the first finds the caches as the other library left them
RECORDED = 3  # times that each step is recorded
GIVE_UP = 60.0  # seconds of the processor: a recording that takes longer is stopped
TOLERANCE = 1e-3  # between the two results, by their largest element: all is computed in float32
Work = Callable[[], Any]  # what is timed; returns what it computed


class Ours:
    """What the rows need of minivae."""

    def __init__(self) -> None:
        import minivae as mv

        self.constant, self.parameter, self.gradients = mv.tensor, mv.Parameter, mv.backward
        self.concatenate, self.split, self.digamma = mv.concatenate, mv.split, mv.digamma
        self.conv2d, self.conv_transpose2d = mv.conv2d, mv.conv_transpose2d
        self._adam = mv.optim.Adam

    def adam(self, parameters: list, gradients: list) -> Callable[[], None]:
        """A function that takes a step of Adam."""
        return partial(self._adam(parameters).step, gradients)

    def images(self, array: Any) -> Any:
        """Images with channels last in memory, as they are in a network."""
        return array.transpose(0, 2, 3, 1).copy().transpose(0, 3, 1, 2)

    def array(self, x: Any) -> Any:
        return x.numpy()


class PyTorch:
    """The same of PyTorch.

    Args:
        threads: how many it may use; by default as many as it does by itself.
    """

    def __init__(self, threads: int | None) -> None:
        import torch

        if threads:
            torch.set_num_threads(threads)
        self.constant, self.gradients = torch.from_numpy, torch.autograd.grad
        self.concatenate, self.digamma, self.threads = torch.cat, torch.digamma, torch.get_num_threads
        self.conv2d, self.conv_transpose2d = torch.nn.functional.conv2d, torch.nn.functional.conv_transpose2d
        self._adam, self._version = torch.optim.Adam, str(torch.__version__)

    def versions(self) -> dict[str, str]:
        return {"torch": self._version}

    def parameter(self, array: Any) -> Any:
        return self.constant(array.copy()).requires_grad_()

    def images(self, array: Any) -> Any:
        return array

    def split(self, x: Any, sections: int) -> Any:
        return x.split(len(x) // sections)

    def adam(self, parameters: list, gradients: list) -> Callable[[], None]:
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
        return self._adam(parameters).step

    def array(self, x: Any) -> Any:
        return x.detach().numpy()


# ------------------------------------------------------------------- rows
# Each gets a library and a size, and returns a function that prepares, untimed, what is then timed.


def concatenate(backend: Any, size: int) -> Callable[[], Work]:
    """``size`` tensors of four numbers, the sum of squares of all, and the gradient by each."""
    inputs = [backend.parameter(row) for row in _normal(size, 4)]

    def work() -> Sequence[Any]:
        whole = backend.concatenate(inputs)
        return backend.gradients((whole * whole).sum(), inputs)

    return lambda: work


def split(backend: Any, size: int) -> Callable[[], Work]:
    """A matrix of ``size`` rows split into them, a loss from each, and back."""
    x = backend.parameter(_normal(size, 500))
    return lambda: lambda: backend.gradients(_loss(backend.split(x, size)), [x])


def iterate(backend: Any, size: int) -> Callable[[], Work]:
    """The same in a ``for`` loop over the matrix."""
    x = backend.parameter(_normal(size, 500))
    return lambda: lambda: backend.gradients(_loss(x), [x])


def matmul(backend: Any, size: int) -> Callable[[], Work]:
    """A stack of ``size`` rows, each a matrix of its own, times one matrix, and back."""
    a, b = backend.parameter(_normal(size, 1, 40)), backend.parameter(_normal(40, 50))
    g = backend.constant(_normal(size, 1, 50))
    return lambda: lambda: backend.gradients(a @ b, [a, b], g)


def adam(backend: Any, size: int) -> Callable[[], Work]:
    """Adam made anew over ``size`` parameters of ten numbers, and three steps; its parameters are new each time."""
    start, gradients = _normal(size, 10), [backend.constant(row) for row in _normal(size, 10)]

    def prepare() -> Work:
        parameters = [backend.parameter(row.copy()) for row in start]

        def work() -> Sequence[Any]:
            step = backend.adam(parameters, gradients)
            for _ in range(3):
                step()
            return parameters

        return work

    return prepare


def digamma(backend: Any, size: int) -> Callable[[], Work]:
    """psi of ``size`` numbers between 0.1 and 20."""
    x = backend.constant(_positive(size))
    return lambda: lambda: [backend.digamma(x)]


def digamma_back(backend: Any, size: int) -> Callable[[], Work]:
    """The same and its gradient, psi'."""
    x, g = backend.parameter(_positive(size)), backend.constant(_normal(size))
    return lambda: lambda: backend.gradients(backend.digamma(x), [x], g)


def _loss(terms: Any) -> Any:
    total = 0.0
    for part in terms:
        total = total + (part * part).sum()
    return total


def _normal(*shape: int) -> Any:
    import numpy as np  # here: the parent of the workers stays small

    return np.random.default_rng(0).standard_normal(shape, "float32")


def _positive(size: int) -> Any:
    import numpy as np

    return np.random.default_rng(0).uniform(0.1, 20, size).astype("float32")


# -------------------------------------------------------------- recordings


def chain(size: int) -> tuple[Callable, Any]:
    """A step of ``size`` element-wise operations, each on the result of the one before; and its input."""
    import minivae as mv

    def step(x: Any) -> Any:
        for _ in range(size // 3):
            x = mv.tanh(x * 0.9 + 0.1)
        return [x]

    return step, mv.tensor(_normal(100))


def recurrent(size: int) -> tuple[Callable, Any]:
    """A recurrent net of ``size`` steps, h <- tanh(x W + h U + b), with the gradients of a loss; and its first h."""
    import minivae as mv

    parameters = [mv.Parameter(_normal(*shape) / 10) for shape in ((10, 32), (32, 32), (32,))]
    inputs = [mv.tensor(x) for x in _normal(size, 20, 10)]

    def step(h: Any) -> Any:
        w, u, b = parameters
        for x in inputs:
            h = mv.tanh(x @ w + h @ u + b)
        return mv.backward((h * h).mean(), parameters)

    return step, mv.tensor(_normal(20, 32))


class Row(NamedTuple):
    """What is computed: in words, with its size in them; the function above; the size, and that of a quick look.

    ``at_most`` is its limit: times PyTorch's time, or seconds.
    """

    words: str
    make: Callable
    size: int
    quick_size: int
    at_most: float | None = 3.0

    def title(self, size: int | None = None) -> str:
        return self.words.format(self.size if size is None else size)


ROWS = {
    "concatenate": Row("concatenate {:,} tensors and go back", concatenate, 10_000, 500),
    "split": Row("split a matrix into {:,} rows and go back", split, 2_000, 200),
    "iterate": Row("iterate over {:,} rows and go back", iterate, 2_000, 200),
    "matmul": Row("({}, 1, 40) @ (40, 50) and back", matmul, 3_000, 300),
    "adam": Row("three steps of Adam over {:,} small parameters", adam, 5_000, 200),
    "digamma": Row("digamma of {:,} elements", digamma, 1_000_000, 100_000),
    "digamma_back": Row("digamma of {:,} elements and back", digamma_back, 1_000_000, 100_000),
}
RECORDINGS = {
    "chain": Row("record {:,} element-wise operations", chain, 3_000, 300, 2.0),
    "long chain": Row("record {:,} element-wise operations", chain, 20_000, 600, None),
    "recurrent": Row("record {:,} steps of a recurrent net with its backward", recurrent, 200, 20, None),
}


# ------------------------------------------------------------- measurement


class Session:
    """Both libraries at work; lives in a worker. ``rows`` are those that it knows.

    Args:
        wall: time by the clock, not by the processor; see above.
        torch: whether PyTorch is there.
    """

    rows = ROWS

    def __init__(self, wall: bool, torch: bool) -> None:
        self._clock = time.perf_counter if wall else time.process_time
        if not wall:
            os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before NumPy is imported
        self._backends = [Ours(), *([PyTorch(None if wall else 1)] if torch else [])]
        gc.collect()
        gc.freeze()  # so that collecting before each run does not walk through the libraries

    def compare(self, name: str, quick: bool) -> dict[str, Any]:
        """Statistics of seconds of a row, of both, and of their ratios.

        Raises:
            WorkerError: the two do not compute the same.
        """
        row, (least, most) = self.rows[name], QUICK_PAIRS if quick else PAIRS
        size = row.quick_size if quick else row.size
        both = [(backend, row.make(backend, size)) for backend in self._backends]
        require_equal(row.title(size), *([backend.array(y) for y in prepare()()] for backend, prepare in both))
        pairs, end = [], time.perf_counter() + PATIENCE
        while len(pairs) < least or (len(pairs) < most and time.perf_counter() < end):
            pairs.append([min(self._seconds(prepare()) for _ in range(TURN)) for _, prepare in both])
        ours, theirs = zip(*pairs, strict=True)
        ratio = statistics([a / b for a, b in pairs])
        return {"size": size, "minivae": statistics(ours), "torch": statistics(theirs), "ratio": ratio}

    def record(self, name: str, quick: bool) -> dict[str, Any]:
        """Seconds that two calls of a compiled step of ``RECORDINGS`` take more than two of the step itself.

        Each is the median of several; ``stopped`` says that one took more than ``GIVE_UP``, which then stands for it.
        """
        row = RECORDINGS[name]
        size = row.quick_size if quick else row.size
        step, x = row.make(size)
        eager = median(self._seconds(partial(twice, step, x)) for _ in range(RECORDED))
        found: list[float] = []
        try:
            with at_most(GIVE_UP):
                while len(found) < RECORDED:
                    found.append(self._first_calls(row.title(size), step, x) - eager)
        except TimeoutError:
            pass  # what was found before that counts
        stopped = not found
        return {"size": size, "eager": eager / 2, "seconds": GIVE_UP if stopped else median(found), "stopped": stopped}

    def _first_calls(self, title: str, step: Callable, x: Any) -> float:
        import minivae as mv

        compiled = mv.compile(step)
        taken = self._seconds(partial(twice, compiled, x))
        require_equal(title, read(compiled(x)), read(step(x)))
        return taken

    def _seconds(self, work: Work) -> float:
        """How long it takes, without clearing away what it made and what was made before it."""
        gc.collect()
        start = self._clock()
        kept = work()
        end = self._clock()
        del kept
        return end - start

    def describe(self) -> dict[str, Any]:
        """Versions, and the threads of each library."""
        from .contenders.ours import describe

        found = describe()
        for backend in self._backends[1:]:
            found["versions"] |= backend.versions()
            found["torch_threads"] = backend.threads()
        return found


def twice(step: Callable, x: Any) -> None:
    """Two calls, whose results are read."""
    for _ in range(2):
        read(step(x))


def read(results: Sequence[Any]) -> list[Any]:
    return [x.numpy() for x in results]


def require_equal(title: str, ours: Sequence[Any], theirs: Sequence[Any]) -> None:
    """Check that two lists of arrays are the same but for rounding.

    Raises:
        WorkerError: they are not.
    """
    for number, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        if a.shape != b.shape or not abs(a - b).max() <= TOLERANCE * (abs(b).max() + 1e-30):
            raise WorkerError(f"{title}: the two do not do the same work; result {number} differs")


@contextmanager
def at_most(limit: float) -> Iterator[None]:
    """A ``with`` block, of the main thread, that is left with TimeoutError after so many seconds of the processor."""

    def stop(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, limit)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def run(quick: bool, say: Callable[[str], None], wall: bool = False) -> dict[str, Any]:
    """``rows`` and ``recordings``, each by name, the clock, versions and threads; with ``quick`` all in small.

    Without PyTorch there are no ``rows``.
    """
    torch = find_spec("torch") is not None
    found: dict[str, Any] = {"wall": wall, "rows": {}, "recordings": {}}
    with Remote(Session, wall, torch) as remote:
        for name, row in ROWS.items() if torch else ():
            one = found["rows"][name] = remote.call("compare", name, quick)
            ours, theirs, ratio = (one[key]["median"] for key in ("minivae", "torch", "ratio"))
            times = f"{ours * 1e3:8.1f} ms, PyTorch {theirs * 1e3:8.1f} ms, ratio {ratio:6.2f}"
            say(f"  {row.title(one['size']):54} {times}")
        for name, row in RECORDINGS.items():
            one = found["recordings"][name] = remote.call("record", name, quick)
            over = "over " if one["stopped"] else ""
            say(f"  {row.title(one['size']):54} {over}{one['seconds']:.3f} s, eager {one['eager']:.4f} s")
        return found | remote.call("describe")


# ----------------------------------------------------------------- command


def main(arguments: list[str] | None = None) -> int:
    """Run the command; its exit code. A missed target is a finding and no failure."""
    from . import report, targets  # here: both know this module's rows

    parser = argparse.ArgumentParser(prog="python -m benchmarks.cliffs", description=__doc__.split("\n")[0])
    parser.add_argument("--wall", action="store_true", help="by the clock on the wall, for an idle machine")
    parser.add_argument("--quick", action="store_true", help="a look of seconds, all in small; too noisy to quote")
    parser.add_argument(
        "--out", type=Path, help="the file to write (default: benchmarks/results/cliffs.json; with --quick, none)"
    )
    args = parser.parse_args(arguments)
    out = args.out or (None if args.quick else report.RESULTS / "cliffs.json")
    environment, say = machine.describe(), partial(print, flush=True)
    try:
        results = {"cliffs": run(args.quick, say, args.wall), "environments": {"cliffs": environment}}
    except WorkerError as error:
        print(f"{error.args[1]}python -m benchmarks.cliffs: {error.args[0]}", file=sys.stderr)
        return 1
    targets.tell(results, say)
    if out:
        report.save(results, out)
        say(f"wrote {out}; python -m benchmarks --only report  writes it into the README")
    return 0


if __name__ == "__main__":
    sys.exit(main())
