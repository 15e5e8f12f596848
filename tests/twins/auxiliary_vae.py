"""The VAE with an auxiliary variable, from Maaløe et al. 2016, Eq. 3 to 5."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from .twin import Draws, Phase, Twin, Weights, decoded, gaussian, normal, standard_normal


class AuxiliaryVAE(Twin):
    """log p(a, x, z) / q(a, z|x), averaged over draws of a and z."""

    member = "auxiliary-vae"
    cases: Mapping[str, Mapping[str, Any]] = {
        "weights of scale 3": {"scale": 3.0, "auxiliary": 1},  # of more float32 has no digits left
        "one auxiliary number": {"auxiliary": 1},
        "more of a than of z": {"auxiliary": 5, "latent_dim": 2, "samples": 3},
        "every default": {"auxiliary": 20},
    }

    def phases(self, w: Weights, x: torch.Tensor, context: Any, draws: Draws, options: Any) -> list[Phase]:
        samples, length, d = options["samples"], options["auxiliary"], options["latent_dim"]
        activation = options["activation"]
        noise_a, noise_z = draws.normal(samples, len(x), length + d).split((length, d), -1)
        data = x.expand(samples, *x.shape)
        q_a = normal(*gaussian(w, "encoder.first", data, activation))
        a = q_a.mean + q_a.stddev * noise_a
        q_z = normal(*gaussian(w, "encoder.second", torch.cat([a, data], -1), activation))
        z = q_z.mean + q_z.stddev * noise_z
        p_a = normal(*gaussian(w, "encoder.back", torch.cat([z, data], -1), activation))
        reconstruction = decoded(w, z, options).log_prob(x).mean()
        log_q = q_a.log_prob(a) + q_z.log_prob(z)
        kl = (log_q - standard_normal(z).log_prob(z) - p_a.log_prob(a)).mean()
        bound = reconstruction - kl
        return [Phase(-bound, {"bound": bound, "reconstruction": reconstruction, "kl": kl}, ["encoder", "decoder"])]
