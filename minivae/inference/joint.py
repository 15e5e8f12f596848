"""log p(x, z) of a model as a function of z: what every sampler of the posterior p(z|x) walks on.

Such a sampler follows the gradient of a density of z. A model without z has none; and what lies
between the values of a discrete z, or off a sphere, is no z, though a network takes it. All are refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autodiff import Tensor, all, as_tensor, isfinite
from ..autodiff.shape import shaped
from ..checks import instance
from ..distributions import Distribution
from ..errors import InputError
from ..models import Model


def log_joint(model: Model, x: Any, context: Any = None) -> Callable[[Tensor], Tensor]:
    """The function z -> log p(x|z) + log p(z), from ``(..., M, latent_dim)`` to ``(..., M)``, in nats.

    Args:
        model: gives the likelihood and the prior.
        x: ``(M, data_dim)``, model values (``model.prepared`` of data in their own units).
        context: what the model is told beside ``x``, a row for each of its rows.

    Raises:
        InputError: the model has no density over z; ``x`` has another shape; ``context`` has another number of rows.
    """
    x = shaped("x", x, density_over_z(model, context).like, None, model.data_dim)
    if is_told(model, context):
        require_rows(model, x, context)

    def log_density(z: Tensor) -> Tensor:
        return model.likelihood(z, context).log_prob(x) + model.prior(context).log_prob(z)

    return log_density


def explained(model: Model, x: Any, context: Any = None) -> Tensor:
    """The data that a sampler of p(z|x) is to explain, as a tensor, ``(M, data_dim)``.

    Raises:
        InputError: the model has no density over z, or see :func:`data_for`.
    """
    density_over_z(model, context)
    return data_for(model, x, context)


def is_told(model: Model, context: Any) -> bool:
    """Whether a context makes log p(x) one of log p(x|y): models that take none pass it over."""
    return context is not None and model.context_dim > 0


def require_rows(model: Model, x: Tensor, context: Any) -> None:
    """A context has a row for each data point.

    Raises:
        InputError: it has others.
    """
    context = shaped("context", context, x, None, model.context_dim)
    if len(context) != len(x):
        raise InputError(f"context has {len(context)} rows; expected {len(x)}, one for each data point")


def data_for(model: Model, x: Any, context: Any = None) -> Tensor:
    """Data of which a model has a probability, as model values, ``(M, data_dim)``: they are looked at.

    Raises:
        InputError: ``x`` has another shape, no rows, or values that the likelihood has not; ``context`` has
            another number of rows; or a number is not finite.
    """
    x = shaped("x", model.prepared(x), None, None, model.data_dim)
    if not len(x):
        raise InputError(f"x has shape {x.shape}; expected at least one data point")
    if is_told(model, context):
        require_rows(model, x, context)
        if not bool(all(isfinite(as_tensor(context, x)))):
            raise InputError("context is an array with a NaN or an infinity; expected finite numbers")
    return x


def density_over_z(model: Model, context: Any = None) -> Distribution:
    """p(z), or p(z|context), of a model whose z has a density over R^d.

    Raises:
        InputError: the model has no z, a discrete one, or one on a sphere, which straight moves would leave; or
            p(x|z) has no density.
    """
    instance("model", model, Model, "a Model")
    p = model.prior(context) if model.latent_dim else None
    if p is None or p.discrete or p.on_sphere or model.no_density:
        kind = "whose z is discrete" if p and p.discrete else "whose z lies on a sphere" if p and p.on_sphere else ""
        reason = "which has no latent variable z" if p is None else kind or model.no_density
        raise InputError(
            f"model is a {type(model).__name__}, {reason}; expected one whose z has a density, "
            "along which Hamiltonian Monte Carlo can move"
        )
    return p
