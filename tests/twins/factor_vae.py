"""The FactorVAE, from Kim & Mnih 2018 (arXiv 1802.05983), Eq. 2 and 3 and Algorithms 1 and 2.

The encoder and the decoder minimise D + R + gamma TC, where TC = E_q(z) [l_0 - l_1] by the critic's two logits. The
critic minimises 1/2 CE(z -> 0) + 1/2 CE(z' -> 1), z' with each column permuted over its data points (Algorithm 1).
The two batches of Algorithm 2 are the two halves of one; in an odd one both have the data point in the middle.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from .twin import Draws, Phase, Twin, Weights, network
from .vae import terms_of


class FactorVAE(Twin):
    """The first code of each data point is the one that the critic sees, and it learns from codes that are held."""

    member = "factor-vae"
    cases: Mapping[str, Mapping[str, Any]] = {
        "gamma 0": {"gamma": 0.0},
        "gamma 100": {"gamma": 100.0},
        "a critic without hidden layers": {"critic_hidden": ()},
        "a deep critic": {"critic_hidden": (9, 8, 7, 6, 5)},
        "one data point": {"m": 3},  # (the columns of fewer have no other order)
        "33 data points": {"m": 33, "estimator": "A", "samples": 3},
        "40 data points": {"m": 40, "latent_dim": 6},
    }

    def phases(self, w: Weights, x: torch.Tensor, context: Any, draws: Draws, options: Any) -> list[Phase]:
        z, terms = terms_of(w, x, draws, options)
        logits = network(w, "critic", z[0], "leaky_relu")
        tc = (logits[:, 0] - logits[:, 1]).mean()
        loss = options["gamma"] * tc - terms["bound"]

        half = (len(x) + 1) // 2
        codes = z[0].detach()
        ranks = draws.uniform(half, codes.shape[1]).argsort(0).argsort(0)
        permuted = torch.gather(codes[-half:], 0, ranks)
        true, false = (network(w, "critic", c, "leaky_relu") for c in (codes[:half], permuted))
        labels = torch.zeros(half, dtype=torch.long)
        critic = (cross_entropy(true, labels) + cross_entropy(false, labels + 1)) / 2
        adam = partial(torch.optim.Adam, lr=options["critic_lr"], betas=(0.5, 0.9))
        return [
            Phase(loss, {"objective": -loss, **terms, "tc": tc}, ["encoder", "decoder"]),
            Phase(critic, {"critic": critic}, ["critic"], optimizer=adam),
        ]
