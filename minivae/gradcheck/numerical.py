"""Numerical derivatives of a function of tensors, and their comparison with analytic ones.

    J u  =  (f(x + h u) - f(x - h u)) / 2h  +  O(h^2)            central differences
    J u  =  Im f(x + i h u) / h  +  O(h^2)                       complex step

The first has a best step, about the cube root of the rounding unit (6e-6 in float64):
a larger one is wrong by the third derivative of f, a smaller one by its rounding. The
relative error is then near 1e-10. The second subtracts nothing, so that a step of 1e-30
leaves only rounding, near 1e-15; but f must be analytic, and computed in complex numbers.

How large the rounding of f is, its value tells only where nothing cancelled on the way to
it. Where a derivative seems wrong or missing, the rounding is therefore measured first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple

import numpy as np

from .. import backend
from ..autodiff import Primitive, Tensor, enable_grad, hooked, no_grad, stop_gradient, tensor
from ..autodiff.backward import sweep
from ..errors import GradientError, InputError

_EPSILON = float(np.finfo(np.float64).eps)
# The best step, then smaller ones for where f bends on a scale below 1 or a kink is near.
_STEPS = tuple(_EPSILON ** (1 / 3) * shrink for shrink in (1.0, 0.1, 0.01))
_COMPLEX_STEP = 1e-30  # its square vanishes beside 1, its product with a slope does not
_ROUNDING = 10 * _EPSILON  # the relative rounding error of a value of f: ten units in the last place
# Where rounding is measured: at steps so small that f is straight; and the bound, in standard deviations. The
# bend is a sum of three roundings (2.4 deviations), and the measure, from few numbers, at times a third of one.
_NOISE_STEP = 1e-9
_DEVIATIONS = 20


class Slopes(NamedTuple):
    """Numerical derivatives, element by element of the output.

    Attributes:
        central: their values.
        bend: how far the slopes to both sides differ.
        step: by which an error in the values of f is divided in them.
    """

    central: np.ndarray
    bend: np.ndarray
    step: float


class Map:
    """A function of tensors as a map between arrays on the host: its slopes and its pullback.

    Args:
        f: takes the variables, returns a float64 tensor.
        variables: leaves that require gradients, of float64.
        names: of the variables, for messages.
        complex_step: how :meth:`slopes` differentiates.

    Raises:
        InputError: f returns something else, is not finite, or not deterministic.
    """

    def __init__(self, f: Callable, variables: Sequence[Tensor], names: Sequence[str], complex_step: bool) -> None:
        self.f, self.variables, self.names, self.complex_step = f, variables, names, complex_step
        self.backend = backend.backend_of(*(x.data for x in variables)).name
        self.data = [x.data for x in variables]
        self.point = [x.numpy().copy("K") for x in variables]  # products depend on the order in memory
        with enable_grad():
            self.output = f(*variables)
        if not isinstance(self.output, Tensor) or self.output.dtype != np.float64:
            what = getattr(self.output, "dtype", type(self.output).__name__)
            raise InputError(f"f returned {what}; expected a Tensor computed in float64")
        self.value = self.output.numpy().ravel()
        if not np.isfinite(self.value).all():
            raise InputError("f is not finite at the inputs")
        if not np.array_equal(self._at(self.point), self.value):
            raise InputError("f gave two values at the same inputs; pass its noise in as a constant")

    def pullback(self, v: np.ndarray) -> list[np.ndarray]:
        """v^T J: the gradient by each variable.

        Raises:
            GradientError: it is not finite or has another shape, or a rule writes into its cotangent.
        """
        cotangent = tensor(v.reshape(self.output.shape).copy(), backend=self.backend)
        gradients = [g.numpy() for g in sweep(self.output, self.variables, cotangent, retain_graph=True)]
        if not np.array_equal(cotangent.numpy().ravel(), v):
            raise GradientError("a derivative rule writes into the cotangent that it was given")
        for name, x, g in zip(self.names, self.point, gradients, strict=True):
            if g.shape != x.shape:
                raise GradientError(f"the gradient by {name} has shape {g.shape}; expected {x.shape}")
            if not np.isfinite(g).all():
                raise GradientError(f"the gradient by {name} is not finite")
        return gradients

    def slopes(self, i: int, u: np.ndarray, v: np.ndarray | None, step: float) -> Slopes:
        """J u, or <v, J u>, where u perturbs variable i alone, by ``step`` times its typical size (at least 1)."""
        if self.complex_step:
            slope = np.imag(self._beside(i, 1j * _COMPLEX_STEP * u)) / _COMPLEX_STEP
            return Slopes(_project(slope, v), np.zeros(1), 1.0)
        h = step * self._typical_size(i)
        ahead = _project(self._beside(i, h * u) - self.value, v) / h
        behind = _project(self.value - self._beside(i, -h * u), v) / h
        return Slopes((ahead + behind) / 2, abs(ahead - behind), h)

    def rounding(self, v: np.ndarray | None) -> np.ndarray:
        """The rounding error in f, or in <v, f>, as far as its size tells."""
        return _ROUNDING * (abs(self.value) if v is None else np.atleast_1d(np.linalg.norm(v * self.value)))

    def measured_rounding(self, i: int, u: np.ndarray, v: np.ndarray | None) -> np.ndarray:
        """The same, measured: how far f is from linear between neighbours among points close together.

        Curvature shows less than rounding there. The points are not spaced evenly, since with an even
        step rounding may change as evenly. A kink is between two of them and spoils two differences,
        so the third largest is taken.
        """
        t = _NOISE_STEP * self._typical_size(i) * np.random.default_rng(0).uniform(0.5, 1.5, 12).cumsum()
        y = np.array([_project(self._beside(i, step * u) - self.value, v) for step in t]).T
        right = (t[1:-1] - t[:-2]) / (t[2:] - t[:-2])  # the weight of the neighbour to the right
        difference = y[:, 1:-1] - (1 - right) * y[:, :-2] - right * y[:, 2:]
        return _DEVIATIONS / math.sqrt(1.5) * np.sort(abs(difference))[:, -3]

    def _typical_size(self, i: int) -> float:
        return max(1.0, math.sqrt(np.mean(np.square(self.point[i]))))

    def _beside(self, i: int, shift: np.ndarray) -> np.ndarray:
        """The values of f with ``shift`` added to variable i."""
        return self._at([x + (shift if k == i else np.zeros((), shift.dtype)) for k, x in enumerate(self.point)])

    def _at(self, point: Sequence[np.ndarray]) -> np.ndarray:
        hook = hooked(_refuse_not_analytic) if self.complex_step else nullcontext()
        try:
            for x, values in zip(self.variables, point, strict=True):
                x.data = backend.asarray(np.array(values), backend=self.backend)
            with no_grad(), hook, np.errstate(all="ignore"):  # beside the point f may leave its domain
                return self.f(*self.variables).numpy().ravel()
        finally:
            for x, data in zip(self.variables, self.data, strict=True):
                x.data = data


def _refuse_not_analytic(primitive: Primitive, inputs: Sequence, attributes: dict, output: Tensor) -> None:
    """Refuse what drops the imaginary part, or moves it as no derivative would."""
    if any(isinstance(x, Tensor) and x.dtype.kind == "c" for x in inputs):
        kind = output.dtype.kind
        constant = not primitive.vjps and primitive is not stop_gradient  # that one is checked as f's own doing
        if kind == "f" or (kind == "c" and constant):
            raise InputError(f"complex_step needs an analytic f, and {primitive.name} is not")


def _project(difference: np.ndarray, v: np.ndarray | None) -> np.ndarray:
    return difference if v is None else np.atleast_1d(v @ difference)


class Comparison(NamedTuple):
    """Derivatives beside their numerical values.

    Attributes:
        analytic, numerical: what is compared.
        error: ``|analytic - numerical|`` over the larger magnitude of the two.
        apart: how far the slopes to both sides of a kink differ (of a jump: infinity); 0 where f is smooth.
    """

    analytic: np.ndarray
    numerical: np.ndarray
    error: np.ndarray
    apart: np.ndarray


def compare(
    f: Map, i: int, u: np.ndarray, v: np.ndarray | None, analytic: np.ndarray, size: float, tolerance: float
) -> Comparison:
    """Compare J u (or <v, J u>) by variable i with its numerical value.

    Smaller steps are tried where the first one does not do. ``size`` is a magnitude
    below which a number is small beside those it was summed from: errors are relative
    to at least that, and to what makes rounding pass at the first step.
    """
    slopes, rounding = f.slopes(i, u, v, _STEPS[0]), f.rounding(v)
    error, kink = _doubts(analytic, slopes, rounding, size, tolerance)
    if not f.complex_step and not _settled(error, kink, tolerance):
        rounding = np.fmax(rounding, f.measured_rounding(i, u, v))  # NaN where f left its domain
        error, kink = _doubts(analytic, slopes, rounding, size, tolerance)
    numerical, jump = slopes.central, np.ones(error.shape, bool)
    for step in _STEPS[1:]:
        if _settled(error, kink, tolerance):
            break
        before, slopes = slopes, f.slopes(i, u, v, step)
        again = _relative(analytic, slopes.central, size)
        numerical = np.where(again < error, slopes.central, numerical)
        error = np.fmin(error, again)
        # At a smooth point the slopes to both sides approach each other with the step;
        # across a jump they are its height over the step.
        kink &= (slopes.bend > 0.3 * before.bend) & (slopes.bend > rounding / slopes.step)
        jump &= abs(slopes.central) > 3 * abs(before.central) + rounding / slopes.step
    apart = np.where(jump & ~(error <= tolerance), np.inf, np.where(kink, slopes.bend, 0.0))
    return Comparison(analytic, numerical, error, apart)


def _doubts(
    analytic: np.ndarray, slopes: Slopes, rounding: np.ndarray, size: float, tolerance: float
) -> tuple[np.ndarray, np.ndarray]:
    """The relative errors at the first step, and where there may be a kink."""
    floor = rounding / slopes.step
    error = _relative(analytic, slopes.central, np.maximum(size, floor / tolerance))
    return error, slopes.bend > 1e-3 * abs(slopes.central)


def _settled(error: np.ndarray, kink: np.ndarray, tolerance: float) -> bool:
    return bool((error <= tolerance).all() and not kink.any())


def _relative(a: np.ndarray, n: np.ndarray, size: Any) -> np.ndarray:
    """|a - n| over the largest of |a|, |n| and ``size``; 0 where all are 0."""
    scale = np.maximum(np.maximum(abs(a), abs(n)), size)
    return abs(a - n) / np.where(scale == 0, 1.0, scale)
