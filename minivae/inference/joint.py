"""log p(x, z) of a model as a function of z: what every sampler of the posterior p(z|x) walks on.

Such a sampler follows the gradient of a density of z. A model without z has none; and what lies
between the values of a discrete z is no z, though a network takes it. Both are refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autodiff import Tensor
from ..autodiff.arguments import shaped
from ..distributions import Distribution
from ..errors import InputError, instance
from ..models import Model


def log_joint(model: Model, x: Any, context: Any = None) -> Callable[[Tensor], Tensor]:
    """The function z -> log p(x|z) + log p(z), from ``(..., M, latent_dim)`` to ``(..., M)``, in nats.

    Args:
        model: gives the likelihood and the prior.
        x: ``(M, data_dim)``.
        context: what the model is told beside ``x``, a row for each of its rows.

    Raises:
        InputError: see :func:`explained`.
    """
    x = explained(model, x, context)

    def log_density(z: Tensor) -> Tensor:
        return model.likelihood(z, context).log_prob(x) + model.prior(context).log_prob(z)

    return log_density


def explained(model: Model, x: Any, context: Any = None) -> Tensor:
    """The data that a sampler of p(z|x) is to explain, as a tensor, ``(M, data_dim)``.

    Raises:
        InputError: the model has no density over z; ``x`` has another shape; ``context`` has another number of rows.
    """
    p = density_over_z(model, context)
    x = shaped("x", x, p.like, None, model.data_dim)
    if p.shape[:-1] not in ((), (len(x),)):
        raise InputError(f"context has {p.shape[0]} rows; expected {len(x)}, one for each data point")
    return x


def density_over_z(model: Model, context: Any = None) -> Distribution:
    """p(z), or p(z|context), of a model whose z has a density.

    Raises:
        InputError: the model has no z, or a discrete one.
    """
    instance("model", model, Model, "a Model")
    p = model.prior(context) if model.latent_dim else None
    if p is None or p.discrete:
        reason = "which has no latent variable z" if p is None else "whose z is discrete"
        raise InputError(
            f"model is a {type(model).__name__}, {reason}; expected one whose z has a density, "
            "along which Hamiltonian Monte Carlo can move"
        )
    return p
