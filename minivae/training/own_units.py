"""Nats of the data's own units: what a bound on log p of prepared values lacks of one on log p of the raw ones."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..autodiff import no_grad
from ..datasets import Split
from ..datasets.mapped import blocks
from ..models import Model


def log_jacobian(model: Model, split: Split, scale: float) -> np.ndarray | None:
    """log |dx / draw| of each data point, in nats, ``(N,)``: to be added to log p of its prepared values.

    0 where p(x|z) is of discrete values, whose probabilities no unit changes; None where nothing is prepared.

    Args:
        model: trained on prepared data, or not.
        split: the data points.
        scale: ``images / scale`` are the raw values.
    """
    if model.preparation is None:
        return None
    if _is_discrete(model):
        return np.zeros(len(split))
    rows = (split.images[block] / np.float64(scale) for block in blocks(split.images))
    return np.concatenate([model.preparation.log_jacobian(raw) for raw in rows])


def with_raw(terms: Mapping[str, float], jacobian: np.ndarray | None) -> dict[str, float]:
    """Terms on average over data points and, if there is a bound and a Jacobian ``(N,)``, ``bound_raw``."""
    if jacobian is None or "bound" not in terms:
        return dict(terms)
    return {**terms, "bound_raw": terms["bound"] + float(jacobian.mean())}


def _is_discrete(model: Model) -> bool:
    """Whether p(x|z) is of discrete values; without z, whether those that the model is for lie in an interval."""
    if not model.latent_dim:
        return model.domain.low > -np.inf
    told = np.eye(1, model.context_dim) if model.context_dim else None
    with no_grad():
        return model.likelihood(np.zeros((1, model.latent_dim)), told).discrete
