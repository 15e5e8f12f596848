"""The identifiable VAE, from Khemakhem et al. 2020, Eq. 7: CMMA's bound, for independent sources told by u."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch.distributions import Independent

from .cvae import CMMA
from .twin import Weights, decoded, network, normal


class IVAE(CMMA):
    """p(z|u) = N(0, diag exp(network(u))) and p(x|z) = N(f(z), v I), v fixed."""

    member = "ivae"
    cases: Mapping[str, Mapping[str, Any]] = {
        "a u that never changes": {"context_dim": 1},
        "70 segments": {"context_dim": 70, "m": 9},
        "as many segments as latent dimensions": {"context_dim": 4, "latent_dim": 4, "samples": 5},
        "variance 1": {"variance": 1.0},
        "variance 1e-6": {"variance": 1e-6},
        "variance 100, estimator A": {"variance": 100.0, "estimator": "A", "samples": 3},
        "another activation": {"activation": "leaky_relu", "hidden": (6, 5)},
    }

    def prior(self, w: Weights, y: torch.Tensor, like: torch.Tensor, options: Any) -> Independent:
        return normal(torch.zeros_like(like), network(w, "prior_network", y, options["activation"]))

    def decoded(self, w: Weights, z: torch.Tensor, y: torch.Tensor, options: Any) -> Independent:
        return decoded(w, z, {**options, "likelihood": "gaussian", "sigmoid_mean": False})
