"""Student's t in d dimensions, at location 0 and scale 1: what its families in one and in many share."""

from __future__ import annotations

import math

from ..autodiff import Tensor, digamma, exp, gammaln, log1p


def student_t_log_density(log_df: Tensor, squared: Tensor, d: int = 1) -> Tensor:
    """log p(0) - (df + d) / 2 log(1 + |z|^2 / df), where ``squared`` is |z|^2."""
    df = exp(log_df)
    return _log_height(log_df, d) - log1p(squared / df) * (df + d) * 0.5


def student_t_entropy(log_df: Tensor, d: int = 1) -> Tensor:
    """(df + d) / 2 (psi((df + d) / 2) - psi(df / 2)) - log p(0), in nats."""
    df = exp(log_df)
    half = (df + d) * 0.5
    return (digamma(half) - digamma(df * 0.5)) * half - _log_height(log_df, d)


def _log_height(log_df: Tensor, d: int) -> Tensor:
    """log p(0) = log Gamma((df + d) / 2) - log Gamma(df / 2) - d / 2 log(pi df)."""
    df = exp(log_df)
    return gammaln((df + d) * 0.5) - gammaln(df * 0.5) - (log_df + math.log(math.pi)) * (d / 2)
