"""The VAE with a flow for a prior, and the f-VAE: Dinh et al. 2017, Eq. 7 and 8; Su & Wu 2018."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch.distributions import Independent

from .twin import Draws, Phase, Twin, Weights, affine, decoded, encoded, network, normal, standard_normal


def gaussianized(w: Weights, z: torch.Tensor, options: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """F(z), the inverse of all couplings from the last on, and log |det dF/dz|."""
    total = torch.zeros_like(z[..., 0])
    kept = z.shape[-1] // 2
    for t in reversed(range(options["steps"])):
        name = f"flow.steps.{t}"
        z = z.flip(-1)
        first, second = z[..., :kept], z[..., kept:]
        seen = first if z.shape[-1] > 1 else torch.ones_like(z)
        hidden = network(w, f"{name}.hidden", seen, options["activation"], last=True)
        scale = torch.tanh(affine(w, f"{name}.log_scale", hidden))
        z = torch.cat([first, (second - affine(w, f"{name}.shift", hidden)) * torch.exp(-scale)], -1)
        total = total - scale.sum(-1)
    return z, total


class FlowPriorVAE(Twin):
    """-log p(x|z) + log q(z|x) - log N(F(z)) - log |det F'(z)|."""

    member = "flow-prior-vae"
    cases: Mapping[str, Mapping[str, Any]] = {
        "no flow": {"steps": 0},
        "one step": {"steps": 1},
        "latent 5": {"latent_dim": 5, "m": 3},
        "latent 5, one sample": {"latent_dim": 5, "samples": 1},
        "scales far from 0": {"scale": 1.5, "steps": 2},
        "weights of scale 3": {"scale": 3.0, "steps": 1},  # more of them lose float32's digits
        "no hidden layer in the flow": {"flow_hidden": ()},
        "several hidden layers in the flow": {"flow_hidden": (7, 4), "latent_dim": 4, "activation": "softplus"},
    }

    def posterior(self, w: Weights, x: torch.Tensor, options: Any) -> Independent:
        """q(z|x)."""
        return encoded(w, x, options)

    def phases(self, w: Weights, x: torch.Tensor, context: Any, draws: Draws, options: Any) -> list[Phase]:
        q = self.posterior(w, x, options)
        z = q.mean + q.stddev * draws.normal(options["samples"], *q.mean.shape)
        e, log_det = gaussianized(w, z, options)
        reconstruction = decoded(w, z, options).log_prob(x).mean()
        kl = (q.log_prob(z) - standard_normal(e).log_prob(e) - log_det).mean()
        bound = reconstruction - kl
        terms = {"bound": bound, "reconstruction": reconstruction, "kl": kl}
        return [Phase(-bound, terms, ["encoder", "decoder", "flow"])]


class FVAE(FlowPriorVAE):
    """The same with v = E(x) + sigma_1 u, one sigma_1."""

    member = "f-vae"

    def posterior(self, w: Weights, x: torch.Tensor, options: Any) -> Independent:
        hidden = network(w, "encoder.hidden", x, options["activation"], last=True)
        mean = affine(w, "encoder.mean", hidden)
        return normal(mean, w["encoder.log_var"].expand_as(mean))
