"""The generative adversarial network, from Goodfellow et al. 2014 (arXiv 1406.2661), Algorithm 1 and section 3.

The critic ascends 1/m sum_i [log D(x_i) + log(1 - D(G(z_i)))], compared halved: the mean cross-entropy. The generator
ascends log D(G(z)) instead of descending log(1 - D(G(z))).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch.nn.functional import logsigmoid

from .twin import Draws, Phase, Twin, Weights, network
from .wae_gan import critic, logit


class GAN(Twin):
    """The generator's phase and the critic's, of the same draws."""

    member = "gan"
    cases: Mapping[str, Mapping[str, Any]] = {
        "linear": {"sigmoid_output": False},
        "linear, weights of scale 1": {"sigmoid_output": False, "scale": 1.0, "latent_dim": 7},
        "a critic without hidden layers": {"critic_hidden": ()},
        "a deep critic": {"critic_hidden": (9, 8, 7, 6, 5)},
        "33 data points": {"m": 33, "latent_dim": 6},
        "tanh": {"activation": "tanh"},
    }

    def phases(self, w: Weights, x: torch.Tensor, context: Any, draws: Draws, options: Any) -> list[Phase]:
        made = network(w, "generator", draws.normal(len(x), options["latent_dim"]), options["activation"])
        made = torch.sigmoid(made) if options["sigmoid_output"] else made
        adversarial = -logsigmoid(logit(w, made)).mean()
        terms = {"objective": -adversarial, "adversarial": adversarial}
        return [Phase(adversarial, terms, ["generator"]), critic(w, x, made, options)]
