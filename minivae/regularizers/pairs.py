"""Sums of a kernel over all pairs of two sets of vectors, in memory that is linear in their number.

    S = sum_i sum_j k(|x_i - y_j|^2)

All pairs at once are an array (N, M, d), and backward keeps several of its size. Where there
are many pairs their sum is one operation instead, which goes through blocks of rows and keeps
nothing: its derivative by x_i, F_i = sum_j dk/dx_i, goes through them again (and is that by y_j
with the sets exchanged, for k depends on the distance alone).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autodiff import Tensor, apply, constant_like, enable_grad, expand_dims, grad, primitive, square, sum
from ..autodiff.modes import set_mode, tracing
from ..errors import InputError, shown

Kernel = Callable[[Tensor, int], Tensor]
ELEMENTS = 1 << 21  # of the differences x_i - y_j that are held at once: 8 MiB in float32

# What an operation computes on its way is no operation of the step: nobody is told, and nothing is kept.
_unseen = set_mode(hooks=(), tracer=None, taping=False)


def sum_over_pairs(x: Tensor, y: Tensor, kernel: Kernel) -> Tensor:
    """S of draws ``(N, d)`` and ``(M, d)``, 0-d. A kernel that is itself differentiated gets all pairs at once."""
    if len(x) <= _rows_at_once(y) or _has_own_tensors(kernel, x):
        return _at_once(x, y, kernel)
    return apply(_pair_sum, x, y, kernel=kernel)


def _at_once(x: Tensor, y: Tensor, kernel: Kernel) -> Tensor:
    """By differences: by products, rounding would leave some distances below 0."""
    squared = sum(square(expand_dims(x, 1) - expand_dims(y, 0)), axis=-1)
    return sum(values_of(kernel, squared, x.shape[1]))


def values_of(kernel: Kernel, squared: Tensor, dim: int) -> Tensor:
    """k of each distance.

    Raises:
        InputError: a kernel of the user's gives something else.
    """
    found = kernel(squared, dim)
    if not isinstance(found, Tensor) or found.shape != squared.shape:
        raise InputError(f"kernel(squared, dim) is {shown(found)}; expected a Tensor of shape {squared.shape}")
    return found


def _has_own_tensors(kernel: Kernel, like: Tensor) -> bool:
    """Whether the kernel may hold tensors: parameters, whose gradient the blocks would not give, or some of a
    step that is recorded, which a replay would not have.
    """
    if tracing() and getattr(kernel, "__closure__", True):
        return True
    with enable_grad():
        return values_of(kernel, constant_like(like, 0.0, (1,)), like.shape[1]).requires_grad


def _rows_at_once(y: Any) -> int:
    return max(1, ELEMENTS // y.size)


def _blocks(x: Any, y: Any) -> list[slice]:
    rows = _rows_at_once(y)
    return [slice(start, start + rows) for start in range(0, len(x), rows)]


def _sum_value(xp: Any, x: Any, y: Any, kernel: Kernel) -> Any:
    with _unseen:
        parts = [_at_once(Tensor(x[rows]), Tensor(y), kernel)._data for rows in _blocks(x, y)]
    return xp.sum(xp.stack(parts))


def _force_value(xp: Any, x: Any, y: Any, kernel: Kernel) -> Any:
    force = grad(lambda rows: _at_once(rows, Tensor(y), kernel))
    with _unseen:
        return xp.concatenate([force(Tensor(x[rows]))._data for rows in _blocks(x, y)])


def _force_rule(argument: int) -> Callable:
    """The product of a cotangent with F's Jacobian, by x or y: all pairs at once, for second derivatives are rare."""

    def rule(g: Tensor, _: Tensor, x: Tensor, y: Tensor, kernel: Kernel) -> Tensor:
        def along(x: Tensor, y: Tensor) -> Tensor:
            return sum(g * grad(lambda x: _at_once(x, y, kernel))(x))

        return grad(along, argnums=argument)(x, y)

    return rule


_pair_sum = primitive(
    "pair_sum",
    "the sum of a kernel over all pairs of rows, by blocks",
    _sum_value,
    lambda g, _, x, y, kernel: g * apply(_pair_force, x, y, kernel=kernel),
    lambda g, _, x, y, kernel: g * apply(_pair_force, y, x, kernel=kernel),
)
_pair_force = primitive(
    "pair_force",
    "the derivative of pair_sum by each row of its first operand, by blocks",
    _force_value,
    _force_rule(0),
    _force_rule(1),
)
