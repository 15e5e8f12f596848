"""log p(x, z) of a model as a function of z: what every sampler of the posterior p(z|x) walks on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autodiff import Tensor
from ..autodiff.arguments import shaped
from ..errors import instance
from ..models import Model


def log_joint(model: Model, x: Any, context: Any = None) -> Callable[[Tensor], Tensor]:
    """The function z -> log p(x|z) + log p(z), from ``(..., M, latent_dim)`` to ``(..., M)``, in nats.

    Args:
        model: gives the likelihood and the prior.
        x: ``(M, data_dim)``.
        context: what the model is told beside ``x``.
    """
    instance("model", model, Model, "a Model")
    x = shaped("x", x, model.prior(context).like, None, model.data_dim)

    def log_density(z: Tensor) -> Tensor:
        return model.likelihood(z, context).log_prob(x) + model.prior(context).log_prob(z)

    return log_density
