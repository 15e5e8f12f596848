"""The WAE-GAN, from Tolstikhin, Bousquet, Gelly & Schoelkopf 2018 (arXiv 1711.01558), Algorithm 1.

The critic ascends lambda/n sum_i [log D(z_i) + log(1 - D(z~_i))], z_i from the prior and z~_i = E(x_i); what is
compared is this without lambda and halved, the mean cross-entropy of telling both apart. Encoder and decoder descend
1/n sum_i [c(x_i, G(z~_i)) - lambda log D(z~_i)], c = -log p(x|z).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch.nn.functional import binary_cross_entropy_with_logits, logsigmoid

from .twin import Draws, Phase, Twin, Weights, decoded, network

CASES: Mapping[str, Mapping[str, Any]] = {
    "a critic without hidden layers": {"critic_hidden": ()},
    "a deep critic": {"critic_hidden": (9, 8, 7, 6, 5)},
    "33 data points": {"m": 33, "latent_dim": 6},
    "a critic that is sure": {"scale": 1.2, "critic_hidden": (20, 20)},
    "gaussian, weights of scale 2": {"likelihood": "gaussian", "scale": 2.0},
}


def logit(w: Weights, z: torch.Tensor) -> torch.Tensor:
    """log D / (1 - D), of two classes of which the first is the prior."""
    logits = network(w, "critic", z, "leaky_relu")
    return logits[:, 0] - logits[:, 1]


def critic(w: Weights, true: torch.Tensor, false: torch.Tensor, options: Any) -> Phase:
    """The critic's phase: binary cross-entropies by its logit, of held draws."""
    t, f = logit(w, true.detach()), logit(w, false.detach())
    bce = binary_cross_entropy_with_logits
    loss = (bce(t, torch.ones_like(t)) + bce(f, torch.zeros_like(f))) / 2
    return Phase(loss, {"critic": loss}, ["critic"], optimizer=adam(options))


def adam(options: Any) -> Any:
    """The critic's optimizer."""
    return partial(torch.optim.Adam, lr=options["critic_lr"], betas=(0.5, 0.999))


class WAEGAN(Twin):
    """Two phases."""

    member = "wae-gan"
    cases: Mapping[str, Mapping[str, Any]] = {
        **CASES,
        "a critic of no weight": {"critic_weight": 0.0},
        "weight 100": {"critic_weight": 100.0},
    }

    def phases(self, w: Weights, x: torch.Tensor, context: Any, draws: Draws, options: Any) -> list[Phase]:
        z = network(w, "encoder", x, options["activation"])
        prior = draws.normal(*z.shape)
        cost = -decoded(w, z, options).log_prob(x).mean()
        adversarial = -logsigmoid(logit(w, z)).mean()
        loss = cost + options["critic_weight"] * adversarial
        terms = {"objective": -loss, "reconstruction": -cost, "adversarial": adversarial}
        return [Phase(loss, terms, ["encoder", "decoder"]), critic(w, prior, z, options)]
