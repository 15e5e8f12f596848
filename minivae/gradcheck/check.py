"""``check_gradients``: the engine's derivatives against numerical ones.

A derivative rule that is wrong still trains, only worse. So no rule is believed until
its Jacobian J, as backpropagation gives it, equals what differences of f itself say
(:mod:`minivae.gradcheck.numerical`): element by element, or, where J is too large for
that, in random directions u and v by the identity <v, J u> = <J^T v, u>.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np

from .. import backend
from ..autodiff import Tensor, as_tensor, concatenate, enable_grad, reshape, tensor
from ..autodiff.backward import sweep
from ..checks import function, one_of, positive_number, sequence
from ..errors import GradientError, InputError, shown
from .numerical import Comparison, Map, compare

# Up to this many numbers in inputs and output together "auto" takes the whole Jacobian:
# two evaluations of f for each input element and one sweep for each output element.
_JACOBIAN_LIMIT = 300
_DIRECTIONS = 4  # pairs (u, v); a wrong element already shows in one, a second fault may hide it there


class GradientReport(NamedTuple):
    """What :func:`check_gradients` compared. (What is wrong is raised, not returned.)

    Attributes:
        mode: "jacobian" or "directions".
        order: the highest order of derivatives checked.
        comparisons: how many pairs of an analytic and a numerical number.
        largest_error: the largest relative error among them.
        tolerance: what it was held against.
    """

    mode: str
    order: int
    comparisons: int
    largest_error: float
    tolerance: float


def check_gradients(
    f: Callable[..., Tensor],
    inputs: Sequence[Any],
    *,
    order: int = 1,
    mode: str = "auto",
    complex_step: bool = False,
    tolerance: float | None = None,
    allow_zero: bool = False,
) -> GradientReport:
    """Compare the derivatives of ``f(*inputs)`` by backpropagation with numerical ones.

    Everything is computed in float64, and f must give the same value each time: pass
    noise in as a constant. Two numbers agree if their difference is at most
    ``tolerance`` times the larger of them, or is what rounding of f explains.

    Args:
        f: takes tensors and returns one, of any shape.
        inputs: arrays, numbers or tensors. A leaf that requires gradients (a
            ``Parameter``) is varied in place and put back, so that f need not take it
            from its arguments:
            ``check_gradients(lambda *_: loss(model), model.parameters())``.
        order: 1, or 2 to check the derivatives of (x, v) -> v^T J(x) as well.
        mode: "jacobian" compares every element and names the one at fault;
            "directions" compares <v, J u> with <J^T v, u> for random u and v, for each
            input by itself; "auto" takes the first for small f, the second for large.
        complex_step: differentiate numerically along the imaginary axis, which is
            exact to rounding, instead of by differences; for analytic f.
        tolerance: 1e-6 by default, 1e-12 under ``complex_step``.
        allow_zero: accept an input whose gradient is zero throughout, or that there is
            no element to compare.

    Raises:
        GradientError: a gradient is wrong, not finite, or zero throughout; f has a kink
            or a jump at the inputs; a derivative rule writes into its cotangent; or
            there is nothing to compare.
        InputError: an argument cannot be used; or f is not finite, not deterministic,
            not computed in float64, or not analytic under ``complex_step``.

    The default tolerances lie between what right and wrong rules give. Measured on every
    primitive, at both orders: right ones err by at most 7e-8, most below 1e-10; under
    ``complex_step`` by at most 3e-13, most below 1e-15. Of 10^4 elements, a single one
    wrong by a factor of 1.01 gives about 5e-5 in random directions.
    """
    one_of("mode", mode, ("auto", *_MODES))
    if not isinstance(order, Integral) or order not in (1, 2):
        raise InputError(f"order is {shown(order)}; expected 1 or 2")
    function("f", f)
    tolerance = positive_number("tolerance", (1e-12 if complex_step else 1e-6) if tolerance is None else tolerance)
    with _variables(inputs) as x:
        names = [f"inputs[{i}]" for i in range(len(x))]
        first = Map(f, x, names, complex_step)
        report = _check(first, mode, tolerance, allow_zero, [("output", first.output.shape)])
        if order == 1 or not x:
            return report._replace(order=order)
        v = tensor(_random(first.output.shape), np.float64, first.backend, requires_grad=True)
        second = Map(_pullback(f), [*x, v], [*names, "v"], complex_step)
        sides = [(f"(v^T d output / d {name})", variable.shape) for name, variable in zip(names, x, strict=True)]
        # Zero second derivatives are no fault: f may be linear. They have been compared.
        again = _check(second, mode, tolerance, True, sides)
    largest = max(report.largest_error, again.largest_error)
    return GradientReport(again.mode, 2, report.comparisons + again.comparisons, largest, tolerance)


@contextmanager
def _variables(inputs: Sequence[Any]) -> Iterator[list[Tensor]]:
    """The inputs as float64 leaves that require gradients; given leaves get their data back afterwards."""
    tensors = [_float64(f"inputs[{i}]", x) for i, x in enumerate(sequence("inputs", inputs, "a list of arrays"))]
    for i, x in enumerate(tensors):
        if x.dtype.kind != "f":
            raise InputError(f"inputs[{i}] has dtype {x.dtype}; expected floating point")
    leaves = [x if x.requires_grad and x.node is None else Tensor(x.data, requires_grad=True) for x in tensors]
    before = [x.data for x in leaves]
    try:
        for x in leaves:
            x.data = x.data.astype(np.float64)
        yield leaves
    finally:
        for x, data in zip(leaves, before, strict=True):
            x.data = data


def _float64(name: str, x: Any) -> Tensor:
    """``x`` as a tensor; numbers and lists, by way of NumPy, are float64 from the start."""
    known = backend.is_array(x) or isinstance(x, Tensor) or not isinstance(x, int | float | list | tuple)
    return as_tensor(x if known else backend.asarray(x, np.float64, name=name), name=name)


def _pullback(f: Callable) -> Callable:
    """(x, v) -> v^T J(x), all gradients in one row: its derivatives are the second ones of f."""

    def gradients(*arguments: Tensor) -> Tensor:
        *x, v = arguments
        with enable_grad():
            found = sweep(f(*x), x, v, create_graph=True)
            return concatenate([reshape(g, -1) for g in found])

    return gradients


def _check(f: Map, mode: str, tolerance: float, allow_zero: bool, outputs: list) -> GradientReport:
    """Check one order. ``outputs`` are names and shapes of the arrays that make up the output."""
    size = sum(x.size for x in f.point)
    if not allow_zero and not (size and f.value.size):
        raise GradientError(f"nothing to check: the inputs have {size} elements, the output {f.value.size}")
    if mode == "auto":
        mode = "jacobian" if size + f.value.size <= _JACOBIAN_LIMIT else "directions"
    worst, count = 0.0, 0
    for i, found in _MODES[mode](f, tolerance):
        _judge(found, tolerance, _Labels(f.names[i], f.point[i].shape, outputs if mode == "jacobian" else None))
        if not allow_zero and not found.analytic.any():
            raise GradientError(f"the gradient by {f.names[i]} is zero throughout; allow it with allow_zero=True")
        worst, count = max(worst, found.error.max(initial=0.0)), count + found.error.size
    return GradientReport(mode, 1, count, float(worst), tolerance)


def _jacobian(f: Map, tolerance: float) -> Iterator[tuple[int, Comparison]]:
    """For each variable the whole Jacobian: a column for each of its elements, a row for each of the output's."""
    rows = [f.pullback(v) for v in np.eye(f.value.size)]
    for i, x in enumerate(f.point):
        columns = np.array([row[i] for row in rows]).reshape(f.value.size, x.size).T
        found = [
            compare(f, i, u.reshape(x.shape), None, column, 0.0, tolerance)
            for u, column in zip(np.eye(x.size), columns, strict=True)
        ]
        yield i, _joined(found)


def _directions(f: Map, tolerance: float) -> Iterator[tuple[int, Comparison]]:
    """For each variable <v, J u> in random directions; errors are relative to its typical size, |J^T v * u|."""
    sweeps = [(v, f.pullback(v)) for v in (_random((f.value.size,), seed) for seed in range(_DIRECTIONS))]
    for i, x in enumerate(f.point):
        found = []
        for seed, (v, gradients) in enumerate(sweeps if x.size else ()):
            u = _random(x.shape, _DIRECTIONS + seed)
            terms = (gradients[i] * u).ravel()
            found.append(compare(f, i, u, v, terms.sum(keepdims=True), float(np.linalg.norm(terms)), tolerance))
        yield i, _joined(found)


def _joined(found: list[Comparison]) -> Comparison:
    return Comparison(*(np.array(field) for field in zip(*found, strict=True))) if found else _NOTHING


_NOTHING = Comparison(*np.zeros((4, 0)))
_MODES = {"jacobian": _jacobian, "directions": _directions}


def _random(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Random signs times numbers between 1/2 and 3/2: no element is too small to count."""
    rng = np.random.default_rng(seed)
    return rng.choice([-1.0, 1.0], shape) * rng.uniform(0.5, 1.5, shape)


class _Labels(NamedTuple):
    """Names what was differentiated by what.

    Attributes:
        name, shape: of the variable.
        outputs: names and shapes of the output's parts; None for random directions.
    """

    name: str
    shape: tuple[int, ...]
    outputs: list | None

    def __getitem__(self, at: int) -> str:
        if self.outputs is None:
            return f"<v, J u> by {self.name} (random direction {at}; mode='jacobian' names the element)"
        rows = [(name, shape, i) for name, shape in self.outputs for i in range(math.prod(shape))]
        column, row = divmod(at, len(rows))
        return f"d {_element(*rows[row])} / d {_element(self.name, self.shape, column)}"


def _element(name: str, shape: tuple[int, ...], at: int) -> str:
    return f"{name}[{', '.join(map(str, np.unravel_index(at, shape)))}]" if shape else name


def _judge(found: Comparison, tolerance: float, labels: _Labels) -> None:
    """Raise for the worst kink or the worst error."""
    if found.apart.any():
        at = int(found.apart.argmax())
        slopes = f"slopes to both sides differ by {found.apart.flat[at]:.6g}"
        raise GradientError(f"not differentiable at the inputs: for {labels[at]} the {slopes}")
    wrong = ~(found.error <= tolerance)  # also where it is NaN
    if wrong.any():
        at = int(np.where(wrong, np.nan_to_num(found.error, nan=np.inf), 0.0).argmax())
        raise GradientError(
            f"wrong gradient: {labels[at]} is {found.analytic.flat[at]:.10g} by backpropagation, "
            f"{found.numerical.flat[at]:.10g} numerically; relative error {found.error.flat[at]:.2g}, "
            f"tolerance {tolerance:.2g}; {wrong.sum()} of {wrong.size} are wrong"
        )
