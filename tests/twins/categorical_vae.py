"""The VAE with categorical latent variables, from Jang, Gu & Poole 2017, Eq. 1 and 2, and Sec. 4.3."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch.distributions import Categorical, kl_divergence
from torch.nn.functional import one_hot

from .twin import Draws, Phase, Twin, Weights, decoded, network, ramp


class CategoricalVAE(Twin):
    """D of the relaxed sample plus the KL of the categorical q; what is reported beside it has the one-hot sample."""

    member = "categorical-vae"
    cases: Mapping[str, Mapping[str, Any]] = {
        "two categories": {"num_categories": 2},
        "70 categories": {"num_categories": 70, "variables": 2},
        "one variable": {"variables": 1},
        "as many variables as categories": {"variables": 4, "num_categories": 4},
        "two categories of one variable": {"variables": 1, "num_categories": 2},
        "cold": {"at": 0.9},
        "half way to cold, in minibatches": {"at": 0.5, "samples": 3, "temperature_steps": 1000},
        "colder": {"at": 1.0, "final_temperature": 0.3, "temperature_steps": 0.25},
        "nearly certain codes": {"scale": 3.0, "num_categories": 2, "samples": 4},
        "nearly uniform codes": {"scale": 0.05, "samples": 5},
    }

    def phases(self, w: Weights, x: torch.Tensor, context: Any, draws: Draws, options: Any) -> list[Phase]:
        variables, categories = options["variables"], options["num_categories"]
        logits = network(w, "encoder", x, options["activation"]).unflatten(-1, (variables, categories))
        q = Categorical(logits=logits, validate_args=False)
        uniform = draws.uniform(options["samples"], len(x), variables * categories)
        gumbel = -(-uniform.log()).log()
        perturbed = q.logits + gumbel.unflatten(-1, (variables, categories))
        relaxed = (perturbed / w["temperature"]).softmax(-1).flatten(-2)
        discrete = one_hot(perturbed.argmax(-1), categories).to(x).flatten(-2)
        prior = Categorical(logits=torch.zeros_like(logits), validate_args=False)
        kl = kl_divergence(q, prior).sum(-1).mean()
        relaxed_bound = decoded(w, relaxed, options).log_prob(x).mean() - kl
        reconstruction = decoded(w, discrete, options).log_prob(x).mean()
        terms = {
            "bound": reconstruction - kl,
            "reconstruction": reconstruction,
            "kl": kl,
            "relaxed_bound": relaxed_bound,
        }
        return [Phase(-relaxed_bound, terms, ["encoder", "decoder"])]

    def advance(self, w: Weights, step: int, total_steps: int, options: Any) -> None:
        """tau falls exponentially from 1 to its last value."""
        along = ramp(step, total_steps, options["temperature_steps"])
        w["temperature"].fill_(math.exp(along * math.log(options["final_temperature"])))
