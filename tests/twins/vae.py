"""The VAE, from Kingma & Welling 2014, Eq. 6, 7 and 10."""

from __future__ import annotations

from typing import Any

import torch
from torch.distributions import kl_divergence

from .twin import Draws, Phase, Twin, Weights, decoded, encoded, standard_normal


class VAE(Twin):
    """Minus estimator A or B, averaged over the minibatch."""

    def phases(self, w: Weights, x: torch.Tensor, context: Any, draws: Draws, options: Any) -> list[Phase]:
        q = encoded(w, x, options)
        z = q.mean + q.stddev * draws.normal(options["samples"], *q.mean.shape)
        reconstruction = decoded(w, z, options).log_prob(x).mean(0)
        if options["estimator"] == "A":
            kl = (q.log_prob(z) - standard_normal(z).log_prob(z)).mean(0)
        else:
            kl = kl_divergence(q, standard_normal(q.mean))
        bound = (reconstruction - kl).mean()
        terms = {"bound": bound, "reconstruction": reconstruction.mean(), "kl": kl.mean()}
        return [Phase(-bound, terms, ["encoder", "decoder"])]
