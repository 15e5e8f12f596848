"""The SWAE, from Kolouri et al. 2019 (arXiv 1804.01947), Eq. 14 and Algorithm 1.

minimises c(x, G(E(x))) + lambda SW, c = -log p(x|z): codes of a minibatch and as many draws of N(0, I) are projected on
unit vectors; SW is the mean, over vectors and places, of the squared difference of what comes at a place in order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch.nn import functional

from .twin import Draws, Phase, Twin, Weights, decoded, network


class SWAE(Twin):
    """The cost of the reconstruction and the weighted distance."""

    member = "swae"
    cases: Mapping[str, Mapping[str, Any]] = {
        "no distance": {"sw_weight": 0.0},
        "weight 1000, one line": {"sw_weight": 1000.0, "projections": 1},
        "latent 12": {"latent_dim": 12, "projections": 50},
        "33 data points": {"m": 33},
        "gaussian, weights of scale 2": {"likelihood": "gaussian", "scale": 2.0},
    }

    def phases(self, w: Weights, x: torch.Tensor, context: Any, draws: Draws, options: Any) -> list[Phase]:
        z = network(w, "encoder", x, options["activation"])
        p = draws.normal(*z.shape)
        theta = functional.normalize(draws.normal(options["projections"], z.shape[1]), dim=1)
        places = [(points @ theta.T).sort(dim=0).values for points in (z, p)]
        distance = functional.mse_loss(*places)
        reconstruction = decoded(w, z, options).log_prob(x).mean()
        loss = -reconstruction + options["sw_weight"] * distance
        terms = {"objective": -loss, "reconstruction": reconstruction, "sw": distance}
        return [Phase(loss, terms, ["encoder", "decoder"])]
