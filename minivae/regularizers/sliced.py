"""The sliced Wasserstein distance of two sets of as many draws: on lines, where it is known, averaged over lines.

    SW_2^2 = mean over directions theta of W_2^2(theta^T x, theta^T y),    W_2^2 of M numbers = mean_m (x_(m) - y_(m))^2

x_(m) is the m-th smallest: on a line the best transport keeps the order (Rabin et al. 2011; Kolouri et al. 2018, Eq. 9
and 14). Between two samples of one distribution it is above 0, and the more so the smaller they are; docs/family.md has
a table. The order of the draws on either side is of no importance.
"""

from __future__ import annotations

from typing import Any

from ..autodiff import Tensor, matmul, mean, sort, sqrt, square, standard_normal, sum
from ..autodiff.shape import shaped
from ..backend import Generator
from ..checks import instance, positive_integer
from ..errors import InputError


def sliced_wasserstein(x: Any, y: Any, directions: Any) -> Tensor:
    """SW_2^2 of draws ``(M, d)`` and ``(M, d)``, 0-d, in the square of their unit.

    Args:
        x, y: the draws, as many of each.
        directions: unit vectors ``(P, d)``, as :func:`random_directions` draws them.

    Raises:
        InputError: there are no draws, or not as many of both, or the lengths of vectors differ.
    """
    x = shaped("x", x, None, None, None)
    y = shaped("y", y, x, *x.shape)
    directions = shaped("directions", directions, x, None, x.shape[1])
    if not (x.size and directions.size):
        raise InputError(f"x has shape {x.shape}, directions {directions.shape}; expected at least one of each")
    on_lines = (sort(matmul(directions, points.T), axis=-1) for points in (x, y))
    return mean(square(next(on_lines) - next(on_lines)))


def random_directions(noise: Any, count: int, dim: int, like: Tensor) -> Tensor:
    """Unit vectors ``(count, dim)`` of every direction alike: standard normal draws, divided by their lengths.

    Args:
        noise: a generator, or the draws, ``(count, dim)``.
        count, dim: how many, in how many dimensions.
        like: a tensor whose dtype and backend they take.
    """
    count, dim = positive_integer("count", count), positive_integer("dim", dim)
    instance("like", like, Tensor, "a Tensor")
    if isinstance(noise, Generator):
        drawn = standard_normal(noise, (count, dim), like.dtype)
    else:
        drawn = shaped("noise", noise, like, count, dim)
    return drawn / sqrt(sum(square(drawn), axis=-1, keepdims=True))
