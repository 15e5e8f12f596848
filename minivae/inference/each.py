"""What is estimated of each data point by itself: its bound, and what makes that up."""

from __future__ import annotations

from typing import Any

from ..autodiff import Tensor, no_grad
from ..models import VAE, Model
from .importance import Explicit


def bound_of_each(model: Model, x: Any, noise: Any, context: Any = None) -> dict[str, Tensor]:
    """Terms of each data point in nats of model values, ``(M,)`` each, by name; the first is the bound.

    Of a model without z that is log p(x) itself; one whose code is a point bounds nothing, and has what is lost in
    the reconstruction alone.

    Args:
        model: whose terms.
        x: ``(M, data_dim)``, in the data's own units.
        noise, context: see :meth:`minivae.models.VAE.bound`.

    Raises:
        InputError: ``x`` has another shape, or values that the likelihood has not.
    """
    with no_grad():
        if isinstance(model, Explicit):
            return {"bound": model.log_prob(model.prepared(x))}
        if model.no_log_likelihood or not isinstance(model, VAE):
            x = model.prepared(x)
            return {"reconstruction": model.likelihood(model.posterior(x, context).mean, context).log_prob(x)}
        bound = model.bound(x, noise, context)
        return {"bound": bound.value, "reconstruction": bound.reconstruction, "kl": bound.kl}
