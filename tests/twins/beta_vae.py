"""The beta-VAE, from Higgins et al. 2017, Eq. 4: the VAE with a weight on its KL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .twin import Draws, Phase, Weights
from .vae import VAE


class BetaVAE(VAE):
    """Minus E[log p(x|z)] - beta KL(q(z|x) || p(z)), beside the bound without the weight."""

    member = "beta-vae"
    cases: Mapping[str, Mapping[str, Any]] = {
        "beta 0": {"beta": 0.0},
        "beta 1": {"beta": 1.0},
        "beta 0.01, estimator A": {"beta": 0.01, "estimator": "A", "samples": 5},
        "beta 1000": {"beta": 1000.0},
    }

    def phases(self, w: Weights, x: Any, context: Any, draws: Draws, options: Any) -> list[Phase]:
        [vae] = super().phases(w, x, context, draws, options)
        objective = vae.terms["reconstruction"] - options["beta"] * vae.terms["kl"]
        return [Phase(-objective, {**vae.terms, "objective": objective}, vae.trained)]
