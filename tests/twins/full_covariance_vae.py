"""The VAE with a full covariance in its posterior, from Kingma & Welling 2019, section 2.5.1 (Algorithm 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch.distributions import MultivariateNormal, kl_divergence

from .twin import Draws, Phase, Twin, Weights, affine, decoded, network


class FullCovarianceVAE(Twin):
    """The VAE with q(z|x) = N(mu, L L^T): L is lower triangular, and its diagonal the exponential of an output."""

    member = "full-covariance-vae"
    cases: Mapping[str, Mapping[str, Any]] = {
        "latent 2": {"latent_dim": 2},
        "latent 7": {"latent_dim": 7, "samples": 3},
        "latent 7, estimator A": {"latent_dim": 7, "samples": 3, "estimator": "A"},
        "weights of scale 1, one data point": {"m": 1, "scale": 1.0},
    }

    def phases(self, w: Weights, x: torch.Tensor, context: Any, draws: Draws, options: Any) -> list[Phase]:
        d = options["latent_dim"]
        h = network(w, "encoder.hidden", x, options["activation"], last=True)
        mean, outputs = affine(w, "encoder.mean", h), affine(w, "encoder.factor", h)
        rows, columns = torch.tril_indices(d, d)  # (outputs in the order of rows)
        entries = torch.where(rows == columns, outputs.exp(), outputs)
        places = torch.arange(len(x))[:, None], rows, columns
        factor = torch.zeros(len(x), d, d, dtype=x.dtype).index_put(places, entries)
        q = MultivariateNormal(mean, scale_tril=factor, validate_args=False)
        prior = MultivariateNormal(torch.zeros_like(mean), torch.eye(d, dtype=x.dtype), validate_args=False)
        noise = draws.normal(options["samples"], *mean.shape)
        z = mean + torch.einsum("mij,lmj->lmi", factor, noise)
        reconstruction = decoded(w, z, options).log_prob(x).mean()
        sampled = options["estimator"] == "A"
        kl = (q.log_prob(z) - prior.log_prob(z)).mean() if sampled else kl_divergence(q, prior).mean()
        bound = reconstruction - kl
        return [Phase(-bound, {"bound": bound, "reconstruction": reconstruction, "kl": kl}, ["encoder", "decoder"])]
