"""KL balancing: what the levels of a hierarchy pay for their KL while that is made cheap (warm-up).

    gamma_l = (mean KL_l + 0.01) / alpha_l,  over their mean

Vahdat & Kautz 2020, "NVAE", arXiv 2007.03898, App. A, with the 0.01 of the authors' code, which keeps it from 0 / 0. A
level that says little pays little for each nat, so that no level is given up before the decoder has learnt to use it;
alpha_l, the size of a level, has large ones say more. The mean of all gamma_l is 1, and no gradient passes through.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..autodiff import Tensor, absolute, mean, stop_gradient
from ..autodiff.shape import shaped

LEAST = 0.01  # nats


def kl_balance(kl: Any, sizes: Sequence[float]) -> Tensor:
    """gamma_l, ``(L,)``.

    Args:
        kl: the mean KL of each level, ``(L,)``, in nats.
        sizes: alpha_l.
    """
    kl = shaped("kl", kl, None, None)
    weights = stop_gradient(absolute(kl) + LEAST) / shaped("sizes", sizes, kl, len(kl))
    return weights / mean(weights)
