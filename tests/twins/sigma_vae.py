"""The sigma-VAE with the optimal sigma, from Rybkin et al. 2021, Eq. 4 and 5."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch.distributions import Normal, kl_divergence

from .twin import Draws, Phase, Twin, Weights, affine, encoded, network, standard_normal


class SigmaVAE(Twin):
    """-log N(x; mu(z), s) with s the mean square of the errors in the minibatch, and KL; the bound has a running mean.

    s is not below the variance of rounding to 256 steps, (1/256)^2 / 12.
    """

    member = "sigma-vae"
    cases: Mapping[str, Mapping[str, Any]] = {
        "under way": {"used": True},
        "under way, estimator A, means in (0, 1)": {"used": True, "estimator": "A", "sigmoid_mean": True},
        "no memory": {"decay": 0.0, "used": True, "scale": 3.0},
        "one point, 70 samples": {"m": 1, "samples": 70},
    }

    def phases(self, w: Weights, x: torch.Tensor, context: Any, draws: Draws, options: Any) -> list[Phase]:
        q, floor = encoded(w, x, options), 1 / (256**2 * 12)
        z = q.mean + q.stddev * draws.normal(options["samples"], *q.mean.shape)
        found = affine(w, "decoder.mean", network(w, "decoder.hidden", z, options["activation"], last=True))
        found = torch.sigmoid(found) if options["sigmoid_mean"] else found
        errors = ((x - found) ** 2).mean()
        if options["estimator"] == "A":
            kl = (q.log_prob(z) - standard_normal(z).log_prob(z)).mean()
        else:
            kl = kl_divergence(q, standard_normal(q.mean)).mean()

        def reconstruction(variance: torch.Tensor) -> torch.Tensor:
            return Normal(found, variance.sqrt(), validate_args=False).log_prob(x).sum(-1).mean()

        seen = float(w["weight"]) > 0
        known = (w["errors"] / w["weight"]).clamp(min=floor) if seen else torch.ones_like(errors)
        objective = reconstruction(errors.clamp(min=floor)) - kl
        terms = {"objective": objective, "bound": reconstruction(known) - kl}
        terms |= {"reconstruction": reconstruction(known), "kl": kl}
        decay = options["decay"]
        assigned = {
            "errors": decay * w["errors"] + (1 - decay) * errors.detach(),
            "weight": decay * w["weight"] + (1 - decay),
        }
        assert math.isfinite(float(objective.detach()))
        return [Phase(-objective, terms, ["encoder", "decoder"], assigned)]
