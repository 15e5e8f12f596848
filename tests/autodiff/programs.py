"""Random programs of the engine's operations, to be run here and in PyTorch.

A program is a list of steps; each takes results of earlier ones, so that many are used
more than once. While one is drawn it is also run, and a step that does not suit the
values it would get is not taken: outside the domain, beside a kink (where one-sided
derivatives differ and either is right), too large.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

import minivae.autodiff as ad

from .fuzz_arguments import (
    axes,
    axis,
    diagonal,
    index,
    mask,
    none,
    number,
    order,
    positions,
    sizes,
    to_broadcast,
    widths,
)

LEAVES, LONGEST = 4, 30
LARGEST, MOST_ELEMENTS = 10.0, 60
KINK = 1e-3  # how far from a kink a value must be
DOMAIN = 0.2  # the smallest argument of a logarithm, a root, a power and a denominator
TRIES = 150  # operands drawn for an operation before another one is


def _always(*_: Any) -> bool:
    return True


class Operation(NamedTuple):
    """What a step may do.

    Attributes:
        ours: of tensors, and then the arguments.
        twin: the same in PyTorch: ``twin(torch, *tensors, *arguments)``.
        operands: how many tensors it takes.
        arguments: ``(rng, *arrays)`` -> what else it takes, or None where there is nothing fit.
        suits: whether the arrays are in the domain, away from kinks.
        elementwise: whether it takes two tensors that broadcast against each other.
    """

    ours: Callable
    twin: Callable
    operands: int = 1
    arguments: Callable = none
    suits: Callable[..., bool] = _always
    elementwise: bool = False


class Step(NamedTuple):
    """One line of a program: ``operands`` are positions among the leaves and the results before."""

    name: str
    operands: tuple[int, ...]
    arguments: tuple


class Program(NamedTuple):
    """``leaves`` are the arrays to differentiate by."""

    leaves: list[np.ndarray]
    steps: list[Step]

    def __str__(self) -> str:
        lines = [f"v{i} = leaf{leaf.shape}" for i, leaf in enumerate(self.leaves)]
        for i, (name, operands, arguments) in enumerate(self.steps, len(lines)):
            lines.append(f"v{i} = {name}({', '.join([*(f'v{j}' for j in operands), *map(repr, arguments)])})")
        return "\n".join([*lines, f"results: {', '.join(f'v{i}' for i in self.unused())}"])

    def unused(self) -> list[int]:
        """The results that no step takes."""
        used = {j for step in self.steps for j in step.operands}
        return [i for i in range(len(self.leaves) + len(self.steps)) if i not in used]

    def run(self, leaves: Sequence[Any], call: Callable[[Step, list], Any]) -> list:
        """The results that no step takes, with each step done by ``call``."""
        values = list(leaves)
        for step in self.steps:
            values.append(call(step, [values[j] for j in step.operands]))
        return [values[i] for i in self.unused()]


def ours(step: Step, operands: list) -> ad.Tensor:
    """A step by the engine."""
    return OPERATIONS[step.name].ours(*operands, *step.arguments)


@functools.cache
def random_program(seed: int) -> Program:
    """A program of 5 to 30 steps, the same for the same seed."""
    rng = np.random.default_rng(seed)
    leaves = [rng.uniform(0.3 if i % 2 else -1.5, 1.5, rng.integers(1, 4, rng.integers(0, 4))) for i in range(LEAVES)]
    values, steps = list(leaves), []
    length = rng.integers(5, LONGEST + 1)
    while len(steps) < length:
        name = str(rng.choice(list(OPERATIONS)))
        for _ in range(TRIES):
            step = _draw(rng, name, values)
            y = step and _value(step, values)
            if y is not None:
                steps.append(step)
                values.append(y)
                break
    return Program(leaves, steps)


def _draw(rng: np.random.Generator, name: str, values: list) -> Step | None:
    """The operation with random operands and arguments, if they go together."""
    operation = OPERATIONS[name]
    # Half of the operands come from the latest results, for depth.
    first = (0 if rng.random() < 0.5 else max(0, len(values) - 4) for _ in range(operation.operands))
    operands = tuple(int(rng.integers(i, len(values))) for i in first)
    arrays = [values[j] for j in operands]
    if operation.elementwise and not _broadcast(*(array.shape for array in arrays)):
        return None
    arguments = operation.arguments(rng, *arrays)
    if arguments is None or not operation.suits(*arrays, *arguments):
        return None
    return Step(name, operands, arguments)


def _broadcast(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return all(m == n or 1 in (m, n) for m, n in zip(a[::-1], b[::-1], strict=False))


def _value(step: Step, values: list) -> np.ndarray | None:
    y = ours(step, [ad.tensor(values[j]) for j in step.operands]).numpy()
    return y if 0 < y.size <= MOST_ELEMENTS and np.abs(y).max() <= LARGEST else None


# ---------------------------------------------------------- what suits whom


def _positive(x: np.ndarray, *_: Any) -> bool:
    return x.min() > DOMAIN


def _positive_second(a: np.ndarray, b: np.ndarray) -> bool:
    return _positive(b)


def _not_zero(x: np.ndarray) -> bool:
    return np.abs(x).min() > KINK


def _no_ties(a: np.ndarray, b: np.ndarray) -> bool:
    return _not_zero(a - b)


def _not_at_ends(x: np.ndarray, low: float, high: float) -> bool:
    return _no_ties(x, low) and _no_ties(x, high)


def _inside(x: np.ndarray) -> bool:
    return _positive(1 - np.abs(x))


def _no_jump(a: np.ndarray, b: np.ndarray) -> bool:
    return _positive(np.abs(b)) and _not_zero(a / b - np.round(a / b))


def _all_apart(x: np.ndarray, axis: int) -> bool:
    return np.diff(np.sort(x, axis), axis=axis).min(initial=np.inf) > KINK


def _one_largest(x: np.ndarray, axis: tuple[int, ...], keepdims: bool) -> bool:
    return ((x > x.max(axis, keepdims=True) - KINK).sum(axis) == 1).all()


def _one_smallest(x: np.ndarray, axis: tuple[int, ...], keepdims: bool) -> bool:
    return _one_largest(-x, axis, keepdims)


def _multiplies(a: np.ndarray, b: np.ndarray) -> bool:
    inner = min(a.ndim, b.ndim) > 0 and a.shape[-1] == b.shape[max(b.ndim - 2, 0)]
    return inner and _broadcast(a.shape[:-2], b.shape[:-2])


def _is_linear(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> bool:
    return x.ndim > 0 and weight.ndim == 2 and x.shape[-1] == len(weight) and bias.shape == weight.shape[1:]


def _joins(a: np.ndarray, b: np.ndarray, axis: int) -> bool:
    return a.ndim == b.ndim and np.delete(a.shape, axis).tolist() == np.delete(b.shape, axis).tolist()


def _same_shape(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape


def _same_rows(a: np.ndarray, b: np.ndarray) -> bool:
    return min(a.ndim, b.ndim) > 0 and len(a) == len(b) and _broadcast(a.shape[1:], b.shape[1:])


def _is_square(x: np.ndarray) -> bool:
    return x.ndim > 1 and x.shape[-1] == x.shape[-2]


def _solves(a: np.ndarray, b: np.ndarray) -> bool:
    fits = _is_square(a) and b.ndim > 1 and a.shape[-1] == b.shape[-2]
    return fits and _broadcast(a.shape[:-2], b.shape[:-2])


def _regular(x: Any) -> Any:
    """Matrices with an inverse: their elements are at most ``LARGEST``, but are not here."""
    n = x.shape[-1]
    eye = ad.eye(n, like=x) if isinstance(x, ad.Tensor) else x.new_ones(n).diag()
    return x * (1 / LARGEST) + eye * 4


def _index_twin(T: Any, x: Any, where: tuple) -> Any:
    return x[tuple(T.tensor(i) if isinstance(i, np.ndarray) else i for i in where)]


def _pad_twin(T: Any, x: Any, widths: list[tuple[int, int]]) -> Any:
    return T.nn.functional.pad(x, [n for pair in widths[::-1] for n in pair])


def _pairwise(
    ours: Callable, twin: Callable, suits: Callable[..., bool] = _always, arguments: Callable = none
) -> Operation:
    return Operation(ours, twin, 2, arguments, suits, elementwise=True)


OPERATIONS: dict[str, Operation] = {
    "negative": Operation(ad.negative, lambda T, x: -x),
    "square": Operation(ad.square, lambda T, x: T.square(x)),
    "sqrt": Operation(ad.sqrt, lambda T, x: T.sqrt(x), suits=_positive),
    "exp": Operation(ad.exp, lambda T, x: T.exp(x)),
    "expm1": Operation(ad.expm1, lambda T, x: T.expm1(x)),
    "log": Operation(ad.log, lambda T, x: T.log(x), suits=_positive),
    "log1p": Operation(ad.log1p, lambda T, x: T.log1p(x), suits=_positive),
    "sin": Operation(ad.sin, lambda T, x: T.sin(x)),
    "cos": Operation(ad.cos, lambda T, x: T.cos(x)),
    "tanh": Operation(ad.tanh, lambda T, x: T.tanh(x)),
    "log2": Operation(ad.log2, lambda T, x: T.log2(x), suits=_positive),
    "log10": Operation(ad.log10, lambda T, x: T.log10(x), suits=_positive),
    "tan": Operation(ad.tan, lambda T, x: T.tan(x), suits=lambda x: _positive(np.abs(np.cos(x)))),
    "sinh": Operation(ad.sinh, lambda T, x: T.sinh(x)),
    "cosh": Operation(ad.cosh, lambda T, x: T.cosh(x)),
    "arcsin": Operation(ad.arcsin, lambda T, x: T.arcsin(x), suits=_inside),
    "arccos": Operation(ad.arccos, lambda T, x: T.arccos(x), suits=_inside),
    "arctan": Operation(ad.arctan, lambda T, x: T.arctan(x)),
    "arcsinh": Operation(ad.arcsinh, lambda T, x: T.arcsinh(x)),
    "arccosh": Operation(ad.arccosh, lambda T, x: T.arccosh(x), suits=lambda x: _positive(x - 1)),
    "arctanh": Operation(ad.arctanh, lambda T, x: T.arctanh(x), suits=_inside),
    "erf": Operation(ad.erf, lambda T, x: T.erf(x)),
    "erfinv": Operation(ad.erfinv, lambda T, x: T.erfinv(x), suits=_inside),
    "ndtr": Operation(ad.ndtr, lambda T, x: T.special.ndtr(x)),
    "log_ndtr": Operation(ad.log_ndtr, lambda T, x: T.special.log_ndtr(x)),
    "sigmoid": Operation(ad.sigmoid, lambda T, x: T.sigmoid(x)),
    "softplus": Operation(ad.softplus, lambda T, x: T.nn.functional.softplus(x)),
    "log_sigmoid": Operation(ad.log_sigmoid, lambda T, x: T.nn.functional.logsigmoid(x)),
    "relu": Operation(ad.relu, lambda T, x: T.relu(x), suits=_not_zero),
    "absolute": Operation(ad.absolute, lambda T, x: T.abs(x), suits=_not_zero),
    "clip": Operation(ad.clip, lambda T, x, a, b: T.clip(x, a, b), 1, lambda rng, x: (-0.5, 0.7), _not_at_ends),
    "number plus": Operation(lambda x, c: c + x, lambda T, x, c: c + x, 1, number),
    "number minus": Operation(lambda x, c: c - x, lambda T, x, c: c - x, 1, number),
    "number times": Operation(lambda x, c: c * x, lambda T, x, c: c * x, 1, number),
    "number over": Operation(lambda x, c: c / x, lambda T, x, c: c / x, 1, number, _positive),
    "to the number": Operation(lambda x, c: x**c, lambda T, x, c: x**c, 1, number, _positive),
    "add": _pairwise(ad.add, lambda T, a, b: a + b),
    "subtract": _pairwise(ad.subtract, lambda T, a, b: a - b),
    "multiply": _pairwise(ad.multiply, lambda T, a, b: a * b),
    "divide": _pairwise(ad.divide, lambda T, a, b: a / b, _positive_second),
    "power": _pairwise(ad.power, lambda T, a, b: a**b, _positive),
    "maximum": _pairwise(ad.maximum, lambda T, a, b: T.maximum(a, b), _no_ties),
    "minimum": _pairwise(ad.minimum, lambda T, a, b: T.minimum(a, b), _no_ties),
    "mod": _pairwise(ad.mod, lambda T, a, b: T.remainder(a, b), _no_jump),
    "logaddexp": _pairwise(ad.logaddexp, lambda T, a, b: T.logaddexp(a, b)),
    "arctan2": _pairwise(ad.arctan2, lambda T, a, b: T.arctan2(a, b), _positive_second),
    "where": _pairwise(
        lambda a, b, c: ad.where(ad.tensor(c), a, b), lambda T, a, b, c: T.where(T.tensor(c), a, b), arguments=mask
    ),
    "matmul": Operation(ad.matmul, lambda T, a, b: T.matmul(a, b), 2, none, _multiplies),
    "linear": Operation(ad.linear, lambda T, x, w, b: x @ w + b, 3, none, _is_linear),
    "sum": Operation(ad.sum, lambda T, x, a, keep: T.sum(x, a, keep), 1, axes),
    "mean": Operation(ad.mean, lambda T, x, a, keep: T.mean(x, a, keep), 1, axes),
    "var": Operation(ad.var, lambda T, x, a, keep: T.var(x, a, correction=0, keepdim=keep), 1, axes),
    "std": Operation(
        lambda x, a, keep: ad.std(x, a, keep, ddof=1),
        lambda T, x, a, keep: T.std(x, a, correction=1, keepdim=keep),
        1,
        axes,
        lambda x, a, keep: math.prod(x.shape[i] for i in a) > 1 and _positive(np.std(x, a)),
    ),
    "norm": Operation(
        ad.norm,
        lambda T, x, a, keep: T.linalg.vector_norm(x, dim=a, keepdim=keep),
        1,
        axes,
        lambda x, a, keep: _positive(np.sum(x * x, a)),
    ),
    "prod": Operation(lambda x, a: ad.prod(x, a), lambda T, x, a: T.prod(x, a), 1, axis),
    "cumsum": Operation(ad.cumsum, lambda T, x, a: T.cumsum(x, a), 1, axis),
    "cumprod": Operation(ad.cumprod, lambda T, x, a: T.cumprod(x, a), 1, axis),
    "sort": Operation(ad.sort, lambda T, x, a: T.sort(x, dim=a)[0], 1, axis, _all_apart),
    "logsumexp": Operation(ad.logsumexp, lambda T, x, a, keep: T.logsumexp(x, a, keep), 1, axes),
    "max": Operation(ad.max, lambda T, x, a, keep: T.amax(x, a, keep), 1, axes, _one_largest),
    "min": Operation(ad.min, lambda T, x, a, keep: T.amin(x, a, keep), 1, axes, _one_smallest),
    "softmax": Operation(ad.softmax, lambda T, x, a: T.softmax(x, a), 1, axis),
    "log_softmax": Operation(ad.log_softmax, lambda T, x, a: T.log_softmax(x, a), 1, axis),
    "reshape": Operation(ad.reshape, lambda T, x, shape: x.reshape(shape), 1, sizes),
    "transpose": Operation(ad.transpose, lambda T, x, order: x.permute(order), 1, order),
    "broadcast_to": Operation(ad.broadcast_to, lambda T, x, shape: x.expand(shape), 1, to_broadcast),
    "expand_dims": Operation(ad.expand_dims, lambda T, x, a: x.unsqueeze(a), 1, axis),
    "getitem": Operation(ad.getitem, _index_twin, 1, index),
    "take": Operation(ad.take, lambda T, x, i, a: T.index_select(x, a, T.tensor(i)), 1, positions),
    "pad": Operation(ad.pad, _pad_twin, 1, widths),
    "concatenate": Operation(
        lambda a, b, axis: ad.concatenate([a, b], axis), lambda T, a, b, axis: T.cat([a, b], axis), 2, axis, _joins
    ),
    "flip": Operation(ad.flip, lambda T, x, a: T.flip(x, (a,)), 1, axis),
    "tril": Operation(ad.tril, lambda T, x, k: T.tril(x, k), 1, diagonal),
    "triu": Operation(ad.triu, lambda T, x, k: T.triu(x, k), 1, diagonal),
    "diagonal": Operation(ad.diagonal, lambda T, x, k: T.diagonal(x, k), 1, diagonal),
    "outer": Operation(ad.outer, lambda T, a, b: T.outer(a.reshape(-1), b.reshape(-1)), 2),
    "einsum": Operation(
        lambda a, b: ad.einsum("i...,i...->...", a, b),
        lambda T, a, b: T.einsum("i...,i...->...", a, b),
        2,
        none,
        _same_rows,
    ),
    "inv": Operation(lambda x: ad.inv(_regular(x)), lambda T, x: T.linalg.inv(_regular(x)), 1, none, _is_square),
    "solve": Operation(
        lambda a, b: ad.solve(_regular(a), b), lambda T, a, b: T.linalg.solve(_regular(a), b), 2, none, _solves
    ),
    "solve_triangular": Operation(
        lambda a, b: ad.solve_triangular(_regular(a), b, lower=True),
        lambda T, a, b: T.linalg.solve_triangular(T.tril(_regular(a)), b, upper=False),
        2,
        none,
        _solves,
    ),
    "cholesky": Operation(
        lambda x: ad.cholesky(_regular(x @ x.swapaxes(-1, -2))),
        lambda T, x: T.linalg.cholesky(_regular(x @ x.mT)),
        1,
        none,
        _is_square,
    ),
    "slogdet": Operation(
        lambda x: ad.slogdet(_regular(x)).logabsdet, lambda T, x: T.linalg.slogdet(_regular(x))[1], 1, none, _is_square
    ),
    "stack": Operation(lambda a, b: ad.stack([a, b]), lambda T, a, b: T.stack([a, b]), 2, none, _same_shape),
}
