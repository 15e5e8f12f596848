"""The aggregate posterior q(z) = (1/N) sum_n q(z|x_n) at draws from a minibatch, and the parts of the KL that it makes.

    log q(z_i) ~ log sum_j w_ij q(z_i|x_j),    i, j of a minibatch of B of the N data points, z_i from q(z|x_i)

The weights of i = j and of the others, by the name that a term of a model ends in:

- ``mss``, stratified sampling: 1/N and (N-1)/(N(B-1)). A row sums to 1, and the sum's mean over minibatches is
  q(z_i). Chen et al. 2018 (App. C.2) give one of the others a smaller weight, 1/B and so on; this is the mean over
  which one that is, and what Esmaeili et al. 2019 take (App.: the factor (N-1)/(B-1)).
- ``mws``, weighted sampling: 1/(NB) for all (Chen et al. 2018, Eq. 5). A row sums to 1/N, so that each log q is
  too low, by as much as log N where the q(z|x_j) overlap, and a total correlation of d dimensions too high by
  as much as (d - 1) log N.
- ``loo``, leave one out: 0 and 1/(B-1), the first for N without end. To measure with, not to train: where no other
  posterior reaches it has no lower end.

None is without bias: the logarithm of a mean that varies is too low. docs/family.md has a table.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, NamedTuple

from ..autodiff import Tensor, concatenate, exp, expand_dims, eye, log, logsumexp, maximum, square, sum
from ..autodiff.shape import shaped
from ..checks import instance, layer_sizes, one_of, positive_integer
from ..distributions import Distribution, ExpConcrete, Normal, Product
from ..errors import InputError

WEIGHTINGS = ("mss", "mws", "loo")
# log 0 as far as exp can tell. Minus infinity would stop a search for the first number that is not finite.
LOG_0 = -1e30


class Split(NamedTuple):
    """log q(z|x) - log p(z) of each draw in parts, each ``(L, B)``, in nats; they sum to it whatever the weights.

    Attributes:
        information: log q(z|x) - log q(z), between x and z.
        between: log q(z) - sum_g log q(z_g), the total correlation of the groups of dimensions; of all
            dimensions where each is a group.
        within: sum_g (log q(z_g) - sum_{j in g} log q(z_j)), those inside of the groups.
        dimensions: sum_j log q(z_j) - log p(z).
    """

    information: Tensor
    between: Tensor
    within: Tensor
    dimensions: Tensor


def log_weights(batch: int, data_points: Any, weighting: str, like: Tensor) -> Tensor:
    """log w_ij, ``(B, B)``.

    Args:
        batch: B, at least 2.
        data_points: N, a number or 0-d; B if it is less, as before a training.
        weighting: one of :data:`WEIGHTINGS`.
        like: a tensor whose dtype and backend the weights take.

    Raises:
        InputError: there is one data point alone, or no such weighting.
    """
    one_of("weighting", weighting, WEIGHTINGS)
    instance("like", like, Tensor, "a Tensor")
    if positive_integer("batch", batch) < 2:
        raise InputError(f"batch is {batch}; expected at least 2 data points, to average q(z|x) over")
    n, log_b, log_rest = shaped("data_points", data_points, like), math.log(batch), math.log(batch - 1)
    n = maximum(n, float(batch))
    if weighting == "mss":
        own, others = -log(n), log(n - 1.0) - log(n) - log_rest
    elif weighting == "mws":
        own = others = -log(n) - log_b
    else:
        own, others = LOG_0, -log_rest
    itself = eye(batch, like=n)
    return itself * own + (1.0 - itself) * others


def log_ratios(q: Distribution, z: Any) -> Tensor:
    """log q(z_ik|x_j) - log q(z_ik|x_i) of each variable k: each draw under every posterior, ``(L, B, B, d)``.

    The variables are the dimensions of a Gaussian; a relaxed categorical variable is one.

    Args:
        q: q(z|x_n), a :class:`~minivae.distributions.Normal` or an :class:`~minivae.distributions.ExpConcrete` over
            ``(B, event)``, or a :class:`~minivae.distributions.Product` of such.
        z: draws ``(L, B, event)``, of z_i from q(z|x_i).
    """
    if isinstance(q, Product):
        pieces = zip(q.parts, q.pieces(z), strict=True)
        return concatenate([log_ratios(part, piece) for part, piece in pieces], axis=-1)
    if isinstance(q, ExpConcrete):
        z = shaped("z", z, q.like, None, *_batch_of(q))
        ratios = q.log_prob(expand_dims(z, -2)) - expand_dims(q.log_prob(z), -1)
        return expand_dims(ratios, -1)
    return _of_dimensions(instance("q", q, Normal, "a Normal, an ExpConcrete or a Product"), z)


def _batch_of(q: Distribution) -> tuple[int, ...]:
    if len(q.shape) != 2:
        raise InputError(f"q is over {q.shape}; expected (B, event), of a minibatch")
    return q.shape


def _of_dimensions(q: Normal, z: Any) -> Tensor:
    """Beside its own the densities keep their digits, which far out and of large variances they would lose."""
    mean, log_var = q.mean, q.log_var
    z = shaped("z", z, mean, None, *_batch_of(q))
    precision = exp(-log_var)
    own = square(z - mean) * precision + log_var
    return (square(expand_dims(z, -2) - mean) * precision + log_var - expand_dims(own, -2)) * -0.5


def log_aggregate(ratios: Tensor, log_w: Tensor) -> Tensor:
    """log q(z_i) - log q(z_i|x_i) of k groups of dimensions, ``(L, B, k)``.

    Args:
        ratios: log q(z_i|x_j) - log q(z_i|x_i) of each, ``(L, B, B, k)``.
        log_w: ``(B, B)``, see :func:`log_weights`.
    """
    ratios = shaped("ratios", ratios, None, None, None, None, None)
    log_w = shaped("log_w", log_w, ratios, *ratios.shape[1:3])
    return logsumexp(ratios + expand_dims(log_w, -1), axis=-2)


def split_kl(
    q: Distribution,
    z: Any,
    log_q: Any,
    log_p: Any,
    *,
    data_points: Any,
    weighting: str = "mss",
    group_sizes: Sequence[int] | None = None,
) -> Split:
    """What information, dependence and the dimensions by themselves have in log q(z|x) - log p(z).

    Memory and time are as L B^2 d.

    Args:
        q, z: see :func:`log_ratios`.
        log_q, log_p: log q(z|x) and log p(z), ``(L, B)``.
        data_points, weighting: see :func:`log_weights`.
        group_sizes: how many variables each group has, one after the other; each is a group if None.

    Raises:
        InputError: shapes or sizes do not go together, or ``weighting`` is none.
    """
    ratios = log_ratios(q, z)
    samples, batch, _, dim = ratios.shape
    log_q, log_p = (shaped(n, t, ratios, samples, batch) for n, t in (("log_q", log_q), ("log_p", log_p)))
    log_w = log_weights(batch, data_points, weighting, ratios)
    joint = log_aggregate(sum(ratios, axis=-1, keepdims=True), log_w)[..., 0]
    each = sum(log_aggregate(ratios, log_w), axis=-1)
    groups = each
    if group_sizes is not None:
        groups = sum(log_aggregate(_by_group(ratios, group_sizes, dim), log_w), axis=-1)
    return Split(-joint, joint - groups, groups - each, log_q + each - log_p)


def _by_group(ratios: Tensor, group_sizes: Sequence[int], dim: int) -> Tensor:
    """Those of groups, sums of those of their dimensions: ``(..., d)`` -> ``(..., G)``."""
    sizes = require_groups(group_sizes, dim)
    ends = zip(accumulate(sizes), sizes, strict=True)
    return concatenate([sum(ratios[..., end - n : end], axis=-1, keepdims=True) for end, n in ends], axis=-1)


def require_groups(group_sizes: Any, dim: int) -> list[int]:
    """Return the sizes as a list, or raise :class:`InputError` if they are none, or do not make ``dim`` dimensions."""
    sizes = layer_sizes("group_sizes", group_sizes)
    if (total := builtins.sum(sizes)) != dim:
        raise InputError(f"group_sizes is {sizes}, {total} dimensions in all; expected {dim} of them")
    return sizes
