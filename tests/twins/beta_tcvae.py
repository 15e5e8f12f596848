"""The beta-TCVAE, from Chen, Li, Grosse & Duvenaud 2018 (arXiv 1802.04942), Eq. 2, 4 and 5, and the HFVAE's parts.

minimises D + alpha I + beta TC + gamma DW. log q(z) and each log q(z_j) are logarithms of weighted sums of the
posteriors of a minibatch. The weights: by Eq. 5 ("mws") 1 / (N B); stratified ("mss"), as in App. C.2 with an equal
share for all others, and as by the factor (N - 1) / (B - 1) of Esmaeili et al. 2019, 1/N and (N - 1) / (N (B - 1)).
Minibatches that hold all data, and those of a model without any yet, have N = B.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch.distributions import Independent

from .twin import Draws, Phase, Twin, Weights, decoded, encoded, standard_normal


def weights(batch: int, n: float, name: str, dtype: torch.dtype) -> torch.Tensor:
    """The weight of the posterior of data point j in q(z_i), one row for each i."""
    n = max(n, batch)
    if name == "mws":
        return torch.full((batch, batch), 1 / (n * batch), dtype=dtype)
    itself = torch.eye(batch, dtype=torch.bool)
    own, others = (torch.tensor(share, dtype=dtype) for share in (1 / n, (n - 1) / (n * (batch - 1))))
    return torch.where(itself, own, others)


def log_marginal(q: Independent, z: torch.Tensor, w: torch.Tensor, dims: Iterable[int]) -> torch.Tensor:
    """log q(z_g) of the dimensions of a group, ``(L, B)``."""
    dims = list(dims)
    densities = q.base_dist.log_prob(z[:, :, None])[..., dims].sum(-1)  # of draw i by posterior j
    return torch.logsumexp(densities + w.log(), -1)


class BetaTCVAE(Twin):
    """The reconstruction and three prices."""

    member = "beta-tcvae"
    cases: Mapping[str, Mapping[str, Any]] = {
        "one data point": {"m": 2},  # (an aggregate needs two)
        "1000 data points": {"data_points": 1000},
        "fewer data points than a minibatch": {"data_points": 3, "m": 5},
        "mss, 1000 data points": {"data_points": 1000, "weighting": "mss"},
        "mss": {"weighting": "mss"},
        "mss, two data points of 50": {"weighting": "mss", "data_points": 50, "m": 2},
        "all weights 1, the VAE": {"beta": 1.0, "data_points": 60},
        "no information, no dimensions": {"alpha": 0.0, "gamma": 0.0, "data_points": 60},
        "latent 12": {"latent_dim": 12, "data_points": 60},
        "33 data points": {"m": 33, "samples": 3, "data_points": 60_000},
    }

    def groups(self, d: int, options: Any) -> list[list[int]]:
        """Of dimensions, whose dependence on each other is paid for."""
        return [[j] for j in range(d)]

    def priced(self, parts: dict[str, torch.Tensor], options: Any) -> dict[str, tuple[float, torch.Tensor]]:
        """The parts of the KL by name, with their prices."""
        return {
            "information": (options["alpha"], parts["information"]),
            "tc": (options["beta"], parts["between"]),
            "dimensions": (options["gamma"], parts["dimensions"]),
        }

    def phases(self, w: Weights, x: torch.Tensor, context: Any, draws: Draws, options: Any) -> list[Phase]:
        q = encoded(w, x, options)
        z = q.mean + q.stddev * draws.normal(options["samples"], *q.mean.shape)
        reconstruction = decoded(w, z, options).log_prob(x).mean()
        prior = standard_normal(z)
        kl = (q.log_prob(z) - prior.log_prob(z)).mean()

        shares = weights(len(x), float(w["data_points"]), options["weighting"], x.dtype)
        d = z.shape[-1]
        joint = log_marginal(q, z, shares, range(d))
        of_groups = sum(log_marginal(q, z, shares, group) for group in self.groups(d, options))
        single = [log_marginal(q, z, shares, [j]) for j in range(d)]
        parts = {
            "information": q.log_prob(z) - joint,
            "between": joint - of_groups,
            "within": of_groups - sum(single),
            "dimensions": sum(single) - prior.log_prob(z),
        }
        priced = {f"{k}_{options['weighting']}": (p, v.mean()) for k, (p, v) in self.priced(parts, options).items()}
        loss = sum(price * part for price, part in priced.values()) - reconstruction
        terms = {"objective": -loss, "bound": reconstruction - kl, "reconstruction": reconstruction, "kl": kl}
        return [Phase(loss, {**terms, **{k: part for k, (_, part) in priced.items()}}, ["encoder", "decoder"])]
