"""Six compiled steps of a small model, for compute-sanitizer: recorded, warm, captured, launched three times."""

from __future__ import annotations

import argparse
import sys

from ..cases import Case
from ..contenders import Entry, make

CASE = Case("six steps", 784, (50,), 5, 20, rows=400)
STEPS = 6


def main() -> int:
    """Train; the exit code is 1 where the step was not captured."""
    argparse.ArgumentParser(prog="python -m benchmarks.gpu.six_steps", description=__doc__).parse_args()
    import cupy

    cupy.cuda.set_allocator(None)  # each array for itself: inside a pool's block nothing is out of bounds
    contender = make(Entry("minivae", "gpu_minivae", {"mode": "compiled"}), CASE)
    for rows in CASE.minibatches()[:STEPS]:
        contender.step(contender.array(rows))
    print(f"loss {contender.loss():.3f}", *contender.log)
    return 1 if contender.log else 0


if __name__ == "__main__":
    sys.exit(main())
