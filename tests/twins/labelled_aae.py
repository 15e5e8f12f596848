"""The adversarial auto-encoder with labels, from Makhzani et al. 2016 (arXiv 1511.05644), section 2.3.

The critic sees, beside a code or a draw of the prior, its label one-hot, with one more class for points that have none.
A draw beside a label is of that label's Gaussian, and beside none of the mixture.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch.distributions import Normal
from torch.nn.functional import logsigmoid

from .twin import Draws, Phase, Twin, Weights, decoded, network
from .wae_gan import CASES, adam, critic, logit


class LabelledAAE(Twin):
    """Three phases, a data point at a time."""

    member = "labelled-aae"
    cases: Mapping[str, Mapping[str, Any]] = {
        **CASES,
        "latent 1": {"latent_dim": 2},  # the fewest
        "one class": {"context_dim": 1},
        "20 classes, far apart": {"context_dim": 20, "m": 33, "radius": 9.0, "spread": 0.05},
    }

    def phases(self, w: Weights, x: torch.Tensor, context: Any, draws: Draws, options: Any) -> list[Phase]:
        rows, count = context.shape
        z = network(w, "encoder", x, options["activation"])
        noise = draws.normal(rows, 1 + z.shape[1])
        prior, label = torch.zeros_like(z), torch.zeros((rows, count + 1), dtype=x.dtype)
        for i in range(rows):
            of_number = min(int(count * Normal(0.0, 1.0).cdf(noise[i, 0])), count - 1)
            given = bool(context[i].sum() > 0)
            label[i, int(context[i].argmax()) if given else count] = 1
            mean, sd = gaussian_of(int(context[i].argmax()) if given else of_number, z, options)
            prior[i] = mean + sd * noise[i, 1:]
        true, false = torch.cat([prior, label], 1), torch.cat([z, label], 1)
        reconstruction = decoded(w, z, options).log_prob(x).mean()
        adversarial = -logsigmoid(logit(w, false)).mean()
        terms = {"objective": reconstruction, "reconstruction": reconstruction, "adversarial": adversarial}
        return [
            Phase(-reconstruction, terms, ["encoder", "decoder"]),
            critic(w, true, false, options),
            Phase(adversarial, {"adversarial": adversarial}, ["encoder"], optimizer=adam(options)),
        ]


def gaussian_of(y: int, like: torch.Tensor, options: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """The mean and the standard deviations of p(z|y)."""
    mean, sd = torch.zeros_like(like[0]), torch.ones_like(like[0])
    angle = 2 * math.pi * y / options["context_dim"]
    mean[0], mean[1] = options["radius"] * math.cos(angle), options["radius"] * math.sin(angle)
    sd[:2] = options["spread"]
    return mean, sd
