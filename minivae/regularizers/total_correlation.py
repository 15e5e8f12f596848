"""Total correlation: draws of the product of the marginals, beside which a critic finds it.

    TC = KL(q(z) || prod_j q(z_j)) = E_q(z) log q(z) / prod_j q(z_j)

of which a critic estimates the ratio (:mod:`.density_ratio`) from draws of both, as Kim & Mnih 2018, "Disentangling by
factorising", Eq. 3 and Algorithm 1, do it.
"""

from __future__ import annotations

from typing import Any

from ..autodiff import Tensor, arange, astype, equal, expand_dims, less, sum, take, uniform, where
from ..autodiff.shape import shaped
from ..backend import Generator
from ..errors import InputError


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
