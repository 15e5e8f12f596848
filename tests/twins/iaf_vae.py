"""The VAE with inverse autoregressive flow, from Kingma et al. 2016, Algorithm 1, Eq. 10 to 14, and 15 (free bits)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch.nn.functional import logsigmoid

from .made import masked
from .twin import Draws, Phase, Twin, Weights, affine, decoded, network, normal


def log_standard_normal(z: torch.Tensor) -> torch.Tensor:
    """log N(z_j; 0, 1) of each element."""
    return torch.distributions.Normal(0.0, 1.0, validate_args=False).log_prob(z)


class IAFVAE(Twin):
    """D and, of each dimension, the KL averaged over the minibatch, which costs lambda at least."""

    member = "iaf-vae"
    cases: Mapping[str, Mapping[str, Any]] = {
        "no flow": {"steps": 0},
        "one step": {"steps": 1},
        "three steps": {"steps": 3},
        "six steps": {"steps": 6, "latent_dim": 2},
        "no free bits": {"free_bits": 0.0, "samples": 9},
        "no free bits, one sample": {"free_bits": 0.0, "samples": 1},
        "all bits free": {"free_bits": 50.0},
        "some bits free": {"free_bits": 0.3, "latent_dim": 5, "m": 3},
        "the free bits of one data point": {"free_bits": 0.3, "m": 1, "samples": 1},
        "one feature": {"features": 1},
        "no hidden layer in the flow": {"flow_hidden": ()},
        "one hidden unit in the flow": {"flow_hidden": (1,)},
        "several hidden layers in the flow": {"flow_hidden": (7, 4), "latent_dim": 4, "activation": "softplus"},
        "no hidden layer at all": {"flow_hidden": (), "hidden": ()},
        "gates far from 1": {"scale": 1.5, "steps": 3},
    }

    def phases(self, w: Weights, x: torch.Tensor, context: Any, draws: Draws, options: Any) -> list[Phase]:
        activation = options["activation"]
        hidden = network(w, "encoder.hidden", x, activation, last=True)
        q = normal(affine(w, "encoder.mean", hidden), affine(w, "encoder.log_var", hidden)).base_dist
        h = affine(w, "encoder.features", hidden)
        noise = draws.normal(options["samples"], *q.mean.shape)
        z = q.mean + q.stddev * noise
        log_q = q.log_prob(z)  # of each element
        for t in range(options["steps"]):
            name = f"encoder.steps.{t}"
            m, s = masked(w, name, z, activation, affine(w, f"{name}.context", h), numbers=2).unbind(-2)
            gate = torch.sigmoid(s + 2)
            z = (gate * z + (1 - gate) * m).flip(-1)  # reversed after every step, the last one too
            log_q = (log_q - logsigmoid(s + 2)).flip(-1)
        reconstruction = decoded(w, z, options).log_prob(x).mean()
        kl = (log_q - log_standard_normal(z)).mean((0, 1))  # of each dimension, over samples and the minibatch
        free = options["free_bits"]  # 0 leaves the bound: an estimate may be below 0, where the KL is not
        objective = reconstruction - (kl.clamp(min=free) if free > 0 else kl).sum()
        bound = reconstruction - kl.sum()
        terms = {"objective": objective, "bound": bound, "reconstruction": reconstruction, "kl": kl.sum()}
        return [Phase(-objective, terms, ["encoder", "decoder"])]
