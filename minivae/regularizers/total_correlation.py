"""Total correlation by a density ratio: a critic that tells draws of q(z) from draws of prod_j q(z_j).

    TC = KL(q(z) || prod_j q(z_j)) = E_q(z) log D(z) / (1 - D(z))

for the best critic D(z) = P(z is from q(z)), as Kim & Mnih 2018, "Disentangling by
factorising", Eq. 3, estimate it. The critic's two logits are l_0 for q(z), l_1 for the product.
"""

from __future__ import annotations

from typing import Any

from ..autodiff import (
    Tensor,
    arange,
    astype,
    equal,
    expand_dims,
    less,
    logsumexp,
    mean,
    sum,
    take,
    uniform,
    where,
)
from ..autodiff.shape import shaped
from ..backend import Generator
from ..errors import InputError


def density_ratio(logits: Tensor) -> Tensor:
    """l_0 - l_1, the critic's estimate of log q(z) / prod_j q(z_j), for each row: ``(M, 2)`` -> ``(M,)``."""
    logits = _logits("logits", logits)
    return logits[..., 0] - logits[..., 1]


def critic_loss(joint: Tensor, product: Tensor) -> Tensor:
    """1/2 CE(draws of q(z) -> 0) + 1/2 CE(draws of the product -> 1), in nats; log 2 for a critic that knows nothing.

    Args:
        joint, product: the critic's logits of either kind of draws, ``(M, 2)``.

    Raises:
        InputError: there are none of one kind.
    """
    joint, product = _logits("joint", joint), _logits("product", product)
    joint_error = mean(logsumexp(joint, axis=-1) - joint[..., 0])
    return (joint_error + mean(logsumexp(product, axis=-1) - product[..., 1])) * 0.5


def _logits(name: str, x: Any) -> Tensor:
    logits = shaped(name, x, None, None, 2)
    if not len(logits):
        raise InputError(f"{name} has shape {logits.shape}; expected at least 1 row")
    return logits


def permute_columns(z: Tensor, noise: Any) -> Tensor:
    """Each column of ``(M, d)`` in an order of its own, so that rows are draws of prod_j q(z_j).

    Args:
        z: draws of q(z); no gradient is meant to flow through.
        noise: a generator, or uniform noise ``(M, d)``, whose ranks in each column are the order.

    Raises:
        InputError: there are fewer than 2 rows, which have one order only.
    """
    z = shaped("z", z, None, None, None)
    if len(z) < 2:
        raise InputError(f"z has shape {z.shape}; expected at least 2 rows to permute")
    u = uniform(noise, z.shape, z.dtype) if isinstance(noise, Generator) else shaped("noise", noise, z, *z.shape)
    m, d = z.shape
    above, below = expand_dims(u, 0), expand_dims(u, 1)
    # How many are smaller in the column; of equal ones, how many come first.
    row = arange(m, like=z)
    first = expand_dims(astype(less(row, expand_dims(row, -1)), z.dtype), -1)
    rank = sum(where(equal(above, below), first, astype(less(above, below), z.dtype)), axis=1)
    positions = rank * float(d) + arange(d, like=z)
    return take(z, astype(positions, "int64"))
