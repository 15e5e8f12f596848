"""What a compiled step asks of a GPU: its launches, and the bytes that they move. Counted, not measured.

    python -m benchmarks.counts [--backend cupy|strict] [case ...]

prints the table in README.md. No clock is looked at, so that the tests' double of a GPU (``strict``) has the same
counts; it needs a C compiler and pytest, and a checkout.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from minivae.backend import get_backend
from minivae.checks import one_of
from minivae.errors import BackendError, MinivaeError

from .cases import CASES, Case
from .contenders.ours import Contender

# Adam reads weights, gradient and two moments, and writes all but the gradient.
LEAST = 7
HEAD = """| | launches a step | MB moved | MB at least |
| --- | ---: | ---: | ---: |"""


def row(case: Case, backend: str) -> str:
    """The line of one case."""
    contender = Contender(case, "compiled", backend)
    contender.step(contender.array(case.minibatches()[0]))
    program = contender._update.program
    least = LEAST * sum(p.data.nbytes for p in contender.model.parameters())
    return f"| {case.name} | {program.launches} | {program.moved / 1e6:.1f} | {least / 1e6:.1f} |"


@contextmanager
def device(backend: str) -> Iterator[None]:
    """A ``with`` block in which arrays may live on the backend.

    Raises:
        BackendError: it cannot be used here.
    """
    if backend != "strict":
        get_backend(backend)
        yield
        return
    if shutil.which("cc") is None:
        raise BackendError("backend 'strict' needs a C compiler (cc), and there is none")
    import pytest

    from tests.doubles import fake_cuda

    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        fake_cuda.install(patch, Path(folder))
        yield


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.counts",
        description="Launches and bytes of a compiled step, counted and not measured.",
    )
    parser.add_argument("cases", nargs="*", metavar="case", help=f"of {', '.join(CASES)}; all by default")
    text = "where its arrays live: a GPU (cupy, the default), or the tests' double of one (strict)"
    parser.add_argument("--backend", choices=("cupy", "strict"), default="cupy", help=text)
    args = parser.parse_args(arguments)
    try:
        cases = [CASES[one_of("case", name, CASES)] for name in args.cases] or CASES.values()
        with device(args.backend):
            print(HEAD)
            for case in cases:
                print(row(case, args.backend))
    except MinivaeError as error:
        other = isinstance(error, BackendError) and args.backend == "cupy"
        parser.exit(2, f"{parser.prog}: {error}{'; without a GPU: --backend strict' if other else ''}\n")


if __name__ == "__main__":
    main()
