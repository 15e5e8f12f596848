"""The VAE, from Kingma & Welling 2014, Eq. 6, 7 and 10."""

from __future__ import annotations

from typing import Any

import torch
from torch.distributions import kl_divergence

from .twin import Draws, Phase, Twin, Weights, decoded, encoded, standard_normal

Terms = dict[str, torch.Tensor]


def terms_of(w: Weights, x: torch.Tensor, draws: Draws, options: Any) -> tuple[torch.Tensor, Terms]:
    """z, ``(L, M, d)``, and the terms of estimator A or B, averaged over the minibatch."""
    q = encoded(w, x, options)
    z = q.mean + q.stddev * draws.normal(options["samples"], *q.mean.shape)
    reconstruction = decoded(w, z, options).log_prob(x).mean()
    if options["estimator"] == "A":
        kl = (q.log_prob(z) - standard_normal(z).log_prob(z)).mean()
    else:
        kl = kl_divergence(q, standard_normal(q.mean)).mean()
    return z, {"bound": reconstruction - kl, "reconstruction": reconstruction, "kl": kl}


class VAE(Twin):
    """Minus estimator A or B."""

    member = "vae"

    def phases(self, w: Weights, x: torch.Tensor, context: Any, draws: Draws, options: Any) -> list[Phase]:
        _, terms = terms_of(w, x, draws, options)
        return [Phase(-terms["bound"], terms, ["encoder", "decoder"])]
