"""The WAE-MMD, from Tolstikhin, Bousquet, Gelly & Schoelkopf 2018 (arXiv 1711.01558), Algorithm 2 and section 4.

minimises c(x, G(E(x))) + lambda MMD^2, where c = -log p(x|z), E has no noise, and MMD^2 is Algorithm 2's unbiased
estimate between the codes of a minibatch and as many draws of N(0, I). The kernel is section 4's inverse
multiquadratic C / (C + |z - z'|^2), summed over C = 2 d s for the scales s of the authors' code, .1 to 10.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from .info_vae import mmd
from .twin import Draws, Phase, Twin, Weights, decoded, network

SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


def multiquadratic(squared: torch.Tensor, d: int) -> torch.Tensor:
    """The sum of the kernels, of a squared distance between vectors of length d."""
    c = 2 * d * torch.tensor(SCALES, dtype=squared.dtype)
    return (c / (c + squared[..., None])).sum(-1)


class WAE(Twin):
    """The cost of the reconstruction and the weighted discrepancy."""

    member = "wae-mmd"
    cases: Mapping[str, Mapping[str, Any]] = {
        "one data point": {"m": 2},  # (a U-statistic needs two)
        "no discrepancy": {"mmd_weight": 0.0},
        "weight 1000": {"mmd_weight": 1000.0},
        "latent 12": {"latent_dim": 12},
        "33 data points": {"m": 33},
        "gaussian, weights of scale 2": {"likelihood": "gaussian", "scale": 2.0},
    }

    def phases(self, w: Weights, x: torch.Tensor, context: Any, draws: Draws, options: Any) -> list[Phase]:
        z = network(w, "encoder", x, options["activation"])
        discrepancy = mmd(z, draws.normal(*z.shape), lambda squared: multiquadratic(squared, z.shape[-1]))
        reconstruction = decoded(w, z, options).log_prob(x).mean()
        loss = -reconstruction + options["mmd_weight"] * discrepancy
        terms = {"objective": -loss, "reconstruction": reconstruction, "mmd": discrepancy}
        return [Phase(loss, terms, ["encoder", "decoder"])]
