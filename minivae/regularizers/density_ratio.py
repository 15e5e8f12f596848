"""A ratio of two densities by a critic that tells draws of one from draws of the other.

    D(x) = P(x is from p) = p(x) / (p(x) + q(x)) for the best critic,    log p(x) / q(x) = log D(x) / (1 - D(x))

for as many draws of q as of p: Goodfellow et al. 2014, "Generative adversarial nets", Proposition 1; Kim & Mnih 2018,
"Disentangling by factorising", Eq. 3. The critic's two logits are l_0 for p and l_1 for q, so that log D / (1 - D) is
l_0 - l_1. Losses are in nats, averages over the draws.
"""

from __future__ import annotations

from typing import Any

from ..autodiff import Tensor, logsumexp, mean, softplus
from ..autodiff.shape import shaped
from ..errors import InputError


def density_ratio(logits: Tensor) -> Tensor:
    """l_0 - l_1, the critic's estimate of log p(x) / q(x), for each row: ``(M, 2)`` -> ``(M,)``."""
    logits = _logits("logits", logits)
    return logits[..., 0] - logits[..., 1]


def critic_loss(first: Tensor, second: Tensor) -> Tensor:
    """1/2 CE(draws of p -> 0) + 1/2 CE(draws of q -> 1), in nats; log 2 for a critic that knows nothing.

    It is half of -E_p log D - E_q log (1 - D), the loss of Goodfellow et al. 2014, Eq. 1.

    Args:
        first, second: the critic's logits of draws of p and of q, ``(M, 2)`` each.

    Raises:
        InputError: there are none of one kind.
    """
    first, second = _logits("first", first), _logits("second", second)
    first_error = mean(logsumexp(first, axis=-1) - first[..., 0])
    return (first_error + mean(logsumexp(second, axis=-1) - second[..., 1])) * 0.5


def fooling_loss(logits: Tensor) -> Tensor:
    """-log D of draws of q that are to be taken for draws of p, ``(M, 2)``: large gradients where none is taken so.

    The "non-saturating" loss of Goodfellow et al. 2014, section 3, in the place of log (1 - D).
    """
    return mean(softplus(-density_ratio(logits)))


def _logits(name: str, x: Any) -> Tensor:
    logits = shaped(name, x, None, None, 2)
    if not len(logits):
        raise InputError(f"{name} has shape {logits.shape}; expected at least 1 row")
    return logits
