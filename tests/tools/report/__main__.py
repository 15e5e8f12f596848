"""``python -m tests.tools.report``: measure everything, write the page and its pictures."""

from __future__ import annotations

import argparse
import json
import platform
from pathlib import Path

import numpy as np
import scipy

import minivae
from minivae.files import atomic_path

from ..estimator_variance import IMAGES, REPEATS, SAMPLES, estimator_variances
from ..mutation import NOT_YET, RESULTS
from . import engine, family, inference, probability, training
from .page import SEED, table
from .pictures import draw_step_errors, draw_variances

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "validation.md"
SECTIONS = [*engine.SECTIONS, *probability.SECTIONS, *family.SECTIONS, *inference.SECTIONS, *training.SECTIONS]

HEAD = """# What was checked, and to what error

Written by `python -m tests.tools.report` (which needs PyTorch, `pip install 'minivae[test,oracle]'`), with
minivae {minivae}, Python {python}, NumPy {numpy}, SciPy {scipy} and PyTorch {torch}, on the CPU.
Random inputs come from the seed {seed}; operations and distributions have seeds made from their names.

One table for each kind of component and one row for each component; both are found by looking at what the package
has, and a component without a measure stops the report. A column is an oracle, and its number the **largest error**
among all cases:

- *error* of a value is |found − expected| / max(1, |expected|): relative, and absolute below 1.
- *differences* and *complex step* are numerical derivatives that `check_gradients` compares with backpropagation,
  relative to the larger of the two: of operations, first and second derivatives element by element; of everything
  else, the first element by element and the second in random directions. A small element next to large ones has the
  largest errors, which rounding of the differences makes.
- *z* is the distance of an average from what it should be, in standard errors, or the p-value of a
  Kolmogorov-Smirnov test as such a distance; the largest of all tests in the row, so 2 or 3 is usual.
- *limit*: no page is written while an error is above it. For z it is a false alarm in 10⁶ tests.
- – means that the oracle does not apply, such as a complex step where the function is not analytic.
"""

STEPS_TEXT = """## Gradient error against step size

![Relative error of numerical derivatives against the step](validation/step_size.png)

Numerical derivatives of five functions at 200 points in [0.5, 2] beside backpropagation in float64. Central
differences (solid) err by h² for large steps and by ε/h for small ones; the best step is near the cube root of ε
(dotted, vertical), where an error of about ε^⅔ is left: 10⁻¹¹ in float64, but 10⁻⁵ in float32, where a small mistake
in a rule would be lost. The complex step (dashed) subtracts nothing and reaches ε (dotted, horizontal; errors of 0 are
drawn at 10⁻¹⁷). `check_gradients` uses the first at its best step, and the second with h = 10⁻³⁰, in float64.
"""

VARIANCES_TEXT = """## Variance of the gradient estimators

![Variance of the gradient estimators against the number of samples](validation/estimator_variance.png)

E|g − E g|², summed over the encoder's weights, where g is the gradient of the mean bound of {images} digits on a
trained model, over {repeats} draws of the noise: of estimator A (Eq. 6), estimator B (Eq. 7) and the score function of
section 2.2. All three have the same expectation (*mean of draws* above); L samples divide the variance by L.

| L | {names} |
| ---: |{columns}
{rows}
"""

MUTATION_TEXT = """## Mutation check

Of {mutants} deliberate mistakes in the mathematics of {files} files, one at a time (a sign flipped; a factor, a term or
a sum dropped; in models and bounds also a gradient stopped, one sample for many, another axis or constant), the tests
noticed {noticed} and missed {survived}; {equivalent} more change no result and are left out (`tests/tools/mutants.py`
says why).{pending} Run by `python -m tests.tools.mutation`; file by file in
[mutation_results.json](../tests/tools/mutation_results.json).
"""


def versions() -> dict[str, object]:
    """What the numbers depend on."""
    import torch

    torch.set_num_threads(1)  # tiny arrays: more threads only wait for each other
    return {
        "minivae": minivae.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "torch": torch.__version__.split("+")[0],
        "seed": SEED,
    }


def variances(picture: Path) -> str:
    """The section on the estimators' variances; draws its picture."""
    found = estimator_variances()
    draw_variances(found, picture)
    rows = [f"| {L} | {' | '.join(f'{found[name][L]:.3g}' for name in found)} |" for L in SAMPLES]
    columns = " ---: |" * len(found)
    return VARIANCES_TEXT.format(
        images=IMAGES, repeats=REPEATS, names=" | ".join(found), columns=columns, rows="\n".join(rows)
    )


def mutation() -> str:
    """The section on the last run of the mutation check, if its results are there."""
    if not RESULTS.exists():
        return ""
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    total = results["total"]
    noticed, survived = total["killed"] + total["timeout"], total["survived"]
    return MUTATION_TEXT.format(
        files=len(results["files"]),
        mutants=noticed + survived,
        noticed=noticed,
        survived=survived,
        equivalent=total["equivalent"],
        pending=f" Not run yet: {', '.join(NOT_YET)}." if NOT_YET else "",
    )


def main() -> None:
    """Measure, draw, write."""
    argparse.ArgumentParser(prog="python -m tests.tools.report", description=__doc__).parse_args()
    pictures = PAGE.with_suffix("")
    pictures.mkdir(parents=True, exist_ok=True)
    terms = [HEAD.format(**versions())]
    terms += ["\n".join(table(section)) for section in SECTIONS]
    draw_step_errors(pictures / "step_size.png")
    terms += [STEPS_TEXT, variances(pictures / "estimator_variance.png"), mutation()]
    with atomic_path(PAGE) as temporary:
        temporary.write_text("\n".join(terms).rstrip() + "\n", encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
