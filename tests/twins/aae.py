"""The adversarial auto-encoder, from Makhzani et al. 2016 (arXiv 1511.05644), section 2.

In each minibatch a reconstruction phase, in which encoder and decoder minimise the reconstruction error, and a
regularization phase: the critic learns to tell draws of the prior from codes, and the encoder to confuse it, by
-log D(z).
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.functional import logsigmoid

from .twin import Draws, Phase, Twin, Weights, decoded, network
from .wae_gan import CASES, adam, critic, logit


class AAE(Twin):
    """Three phases."""

    member = "aae"
    cases = CASES

    def phases(self, w: Weights, x: torch.Tensor, context: Any, draws: Draws, options: Any) -> list[Phase]:
        z = network(w, "encoder", x, options["activation"])
        prior = draws.normal(*z.shape)
        reconstruction = decoded(w, z, options).log_prob(x).mean()
        adversarial = -logsigmoid(logit(w, z)).mean()
        terms = {"objective": reconstruction, "reconstruction": reconstruction, "adversarial": adversarial}
        return [
            Phase(-reconstruction, terms, ["encoder", "decoder"]),
            critic(w, prior, z, options),
            Phase(adversarial, {"adversarial": adversarial}, ["encoder"], optimizer=adam(options)),
        ]
