"""The VAE with a VampPrior, from Tomczak & Welling 2018, Eq. 9: PyTorch's mixture of its own posteriors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch.distributions import Categorical, MixtureSameFamily

from .twin import Draws, Phase, Twin, Weights, decoded, encoded


class VampVAE(Twin):
    """-log p(x|z) - log p(z) + log q(z|x), p(z) = mean_k q(z|u_k), u clipped to [0, 1] for data that are."""

    member = "vamp-vae"
    cases: Mapping[str, Mapping[str, Any]] = {
        "one component": {"components": 1},
        "70 components": {"components": 70, "scale": 1.0},
        "gaussian, 5 samples": {"likelihood": "gaussian", "samples": 5},
        "gaussian, means in (0, 1), 2 components": {"likelihood": "gaussian", "sigmoid_mean": True, "components": 2},
    }

    def phases(self, w: Weights, x: torch.Tensor, context: Any, draws: Draws, options: Any) -> list[Phase]:
        unit = options["likelihood"] == "bernoulli" or options["sigmoid_mean"]
        u = torch.nn.functional.hardtanh(w["inputs"], 0.0, 1.0) if unit else w["inputs"]
        which = Categorical(torch.ones(len(u), dtype=u.dtype, device=u.device), validate_args=False)
        prior = MixtureSameFamily(which, encoded(w, u, options), validate_args=False)
        q = encoded(w, x, options)
        z = q.mean + q.stddev * draws.normal(options["samples"], *q.mean.shape)
        reconstruction = decoded(w, z, options).log_prob(x).mean()
        kl = (q.log_prob(z) - prior.log_prob(z)).mean()
        terms = {"bound": reconstruction - kl, "reconstruction": reconstruction, "kl": kl}
        return [Phase(kl - reconstruction, terms, ["encoder", "decoder", "inputs"])]
