"""The conditional VAE, from Sohn et al. 2015, Eq. 4, and CMMA, from Pandey & Dukkipati 2017.

With p(z) = N(0, I) the CVAE is that of Kingma et al. 2014 (semi-supervised learning), Eq. 6.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch.distributions import Independent, kl_divergence

from .twin import Draws, Phase, Twin, Weights, decoded, gaussian, normal, standard_normal


class CVAE(Twin):
    """Minus E[log p(x|z, y)] - KL(q(z|x, y) || p(z|y)), y beside x in the encoder and beside z in the decoder."""

    member = "cvae"
    cases: Mapping[str, Mapping[str, Any]] = {
        "prior N(0, I)": {"learned_prior": False},
        "prior N(0, I), estimator A": {"learned_prior": False, "estimator": "A", "samples": 3},
        "a y that never changes": {"context_dim": 1},
        "70 classes": {"context_dim": 70, "m": 9},
        "as many classes as latent dimensions": {"context_dim": 4, "latent_dim": 4, "samples": 5},
        "gaussian, prior N(0, I)": {"likelihood": "gaussian", "learned_prior": False},
        "weights of scale 1, one data point": {"m": 1, "scale": 1.0, "samples": 1},
    }

    def phases(self, w: Weights, x: torch.Tensor, context: Any, draws: Draws, options: Any) -> list[Phase]:
        q = normal(*gaussian(w, "encoder", torch.cat([x, context], -1), options["activation"]))
        p = self.prior(w, context, q.mean, options)
        z = q.mean + q.stddev * draws.normal(options["samples"], *q.mean.shape)
        reconstruction = self.decoded(w, z, context, options).log_prob(x).mean()
        kl = (q.log_prob(z) - p.log_prob(z)).mean() if options["estimator"] == "A" else kl_divergence(q, p).mean()
        bound = reconstruction - kl
        trained = ["encoder", "decoder", "prior_network"]
        return [Phase(-bound, {"bound": bound, "reconstruction": reconstruction, "kl": kl}, trained)]

    def prior(self, w: Weights, y: torch.Tensor, like: torch.Tensor, options: Any) -> Independent:
        """p(z|y), or p(z), of the shape of ``like``."""
        if options["learned_prior"]:
            return normal(*gaussian(w, "prior_network", y, options["activation"]))
        return standard_normal(like)

    def decoded(self, w: Weights, z: torch.Tensor, y: torch.Tensor, options: Any) -> Independent:
        """p(x|z, y)."""
        return decoded(w, torch.cat([z, y.expand(len(z), *y.shape)], -1), options)


class CMMA(CVAE):
    """The same with p(x|z): what y says of x goes through z."""

    member = "cmma"

    def decoded(self, w: Weights, z: torch.Tensor, y: torch.Tensor, options: Any) -> Independent:
        return decoded(w, z, options)
