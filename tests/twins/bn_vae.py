"""BN-VAE, from Zhu et al. 2020 (arXiv 2004.12585), in training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch.distributions import kl_divergence

from .twin import Draws, Phase, Twin, Weights, decoded, gaussian, normal, standard_normal

# All but gamma, and the bias before the layer, which takes it away again.
TRAINED = ("encoder.hidden", "encoder.mean.weight", "encoder.log_var", "decoder", "norm.bias")


class BNVAE(Twin):
    """Eq. 6, written out: in single precision the gradients of PyTorch's own layer have 50 times the rounding."""

    member = "bn-vae"
    cases: Mapping[str, Mapping[str, Any]] = {
        "one data point": {"m": 3},  # of one there is no variance, and of two all means are beta +- gamma
        "gamma 0.3": {"gamma": 0.3},
        "gamma 0": {"gamma": 0.0},
        "running means under way": {"used": True, "m": 5},
    }

    def phases(self, w: Weights, x: torch.Tensor, context: Any, draws: Draws, options: Any) -> list[Phase]:
        m, log_var = gaussian(w, "encoder", x, options["activation"])
        centred = m - m.mean(0)
        mu = w["norm.weight"] * centred / ((centred**2).mean(0) + 1e-5).sqrt() + w["norm.bias"]
        q = normal(mu, log_var)
        z = mu + q.stddev * draws.normal(options["samples"], *mu.shape)
        p = standard_normal(mu)
        kl = (q.log_prob(z) - p.log_prob(z)) if options["estimator"] == "A" else kl_divergence(q, p)
        terms = {"reconstruction": decoded(w, z, options).log_prob(x).mean(), "kl": kl.mean()}
        terms = {"bound": terms["reconstruction"] - terms["kl"], **terms}
        seen = {"norm.running_mean": m.mean(0), "norm.running_var": m.var(0, correction=1)}
        moved = {name: 0.9 * w[name] + 0.1 * value for name, value in seen.items()}
        return [Phase(-terms["bound"], terms, TRAINED, moved)]
