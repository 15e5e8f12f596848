"""The disentangled beta-VAE, from Burgess et al. 2018, Eq. 8: the VAE with a capacity C that its KL is drawn to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .twin import Draws, Phase, Weights, ramp
from .vae import VAE


class DisentangledBetaVAE(VAE):
    """Minus E[log p(x|z)] - gamma |KL - C|, the KL that of the minibatch; C grows linearly from 0, then stays."""

    member = "disentangled-beta-vae"
    cases: Mapping[str, Mapping[str, Any]] = {
        "gamma 0": {"gamma": 0.0},
        "gamma 1": {"gamma": 1.0},
        "gamma 1000": {"gamma": 1000.0},
        "capacity 0": {"capacity": 0.0},
        "half of the capacity": {"at": 0.25},
        "all of the capacity": {"at": 0.5, "samples": 1},
        "capacity over 400 minibatches": {"at": 0.2, "capacity_steps": 400, "capacity": 3.0},
        "a sampled KL below the capacity": {"estimator": "A", "samples": 1, "scale": 0.1},
    }

    def phases(self, w: Weights, x: Any, context: Any, draws: Draws, options: Any) -> list[Phase]:
        [vae] = super().phases(w, x, context, draws, options)
        distance = (vae.terms["kl"] - w["now"]).abs()
        objective = vae.terms["reconstruction"] - options["gamma"] * distance
        return [Phase(-objective, {**vae.terms, "objective": objective}, vae.trained)]

    def advance(self, w: Weights, step: int, total_steps: int, options: Any) -> None:
        w["now"].fill_(options["capacity"] * ramp(step, total_steps, options["capacity_steps"]))
