"""What a compiled step asks of a GPU: its launches, and the bytes that they move. Counted, not measured.

    python -m benchmarks.counts [--backend cupy] [case ...]

prints the table in README.md. No clock is looked at.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

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


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Launches and bytes of a compiled step, counted and not measured.")
    parser.add_argument("cases", nargs="*", metavar="case", help=f"of {', '.join(CASES)}; all by default")
    parser.add_argument("--backend", default="cupy", help="where its arrays live (cupy)")
    args = parser.parse_args(arguments)
    print(HEAD)
    for name in args.cases or CASES:
        print(row(CASES[name], args.backend))


if __name__ == "__main__":
    main()
