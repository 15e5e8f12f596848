"""How often a model that guesses labels is right, of the data points that have one."""

from __future__ import annotations

from collections.abc import Mapping

from ..autodiff import Tensor, mean, one_hot_of_largest, sum


def guesses(given: Tensor, log_q: Tensor) -> dict[str, Tensor]:
    """Averages over data points from which :func:`error_of` makes the error.

    Args:
        given: labels, one-hot, or a row of zeros where one is missing, ``(M, K)``.
        log_q: log q(y|x) of each label, ``(M, K)``.

    Returns:
        ``told``, the share of the points that have a label; ``right``, of those whose label is the likeliest, too.
    """
    return {"told": mean(sum(given, axis=-1)), "right": mean(sum(given * one_hot_of_largest(log_q), axis=-1))}


def error_of(means: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """``error``: of the points that have a label, the share of those of which another is likelier; none of none."""
    return {"error": 1.0 - means["right"] / means["told"]} if float(means["told"]) else {}
