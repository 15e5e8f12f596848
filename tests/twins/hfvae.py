"""The HFVAE, from Esmaeili et al. 2019 (arXiv 1804.02086): the beta-TCVAE's parts, the dependence split by groups."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch.distributions import Categorical, Normal
from torch.distributions.relaxed_categorical import ExpRelaxedCategorical
from torch.nn.functional import one_hot

from .beta_tcvae import BetaTCVAE, weights
from .twin import Draws, Phase, Weights, affine, decoded, network


class HFVAE(BetaTCVAE):
    """The reconstruction and four prices."""

    member = "hfvae"
    cases: Mapping[str, Mapping[str, Any]] = {
        "one data point": {"m": 2},  # (an aggregate needs two)
        "groups of one, the beta-TCVAE": {"group_sizes": (1, 1, 1), "data_points": 60},
        "one group": {"group_sizes": (3,), "within": 2.0, "data_points": 60},
        "one and two": {"group_sizes": (1, 2), "beta": 3.0, "within": 0.3, "data_points": 60, "weighting": "mss"},
        "all weights 1, the VAE": {"beta": 1.0, "data_points": 60, "weighting": "mss"},
        "latent 7": {"latent_dim": 7, "group_sizes": (2, 4, 1), "within": 0.0, "data_points": 1000},
        "33 data points": {"m": 33, "samples": 3, "data_points": 60_000, "weighting": "mss"},
        "a discrete variable": {"latent_dim": 6, "discrete": (3,), "data_points": 60},
        "three, in groups": {"latent_dim": 11, "discrete": (3, 2, 4), "group_sizes": (1, 2, 2), "weighting": "mss"},
        "one group of both, cold": {"latent_dim": 5, "discrete": (4,), "group_sizes": (2,), "temperature": 0.1},
        "nearly certain codes": {"latent_dim": 6, "discrete": (5,), "scale": 3.0, "samples": 4, "data_points": 900},
        "1000 data points, hot": {"latent_dim": 4, "discrete": (2,), "temperature": 3.0, "data_points": 1000},
    }

    def phases(self, w: Weights, x: torch.Tensor, context: Any, draws: Draws, options: Any) -> list[Phase]:
        return (
            self.mixed(w, x, draws, options) if options["discrete"] else super().phases(w, x, context, draws, options)
        )

    def mixed(self, w: Weights, x: torch.Tensor, draws: Draws, options: Any) -> list[Phase]:
        """With discrete variables: each variable's log-densities, of draw i by posterior j, ``(L, B, B)``."""
        h = network(w, "encoder.hidden", x, options["activation"], last=True)
        loc, log_var = (affine(w, f"encoder.{head}", h) for head in ("mean", "log_var"))
        samples, points, tau = options["samples"], len(x), torch.tensor(options["temperature"], dtype=x.dtype)
        gaussian = Normal(loc, (log_var / 2).exp())
        z = loc + gaussian.scale * draws.normal(samples, points, loc.shape[1])
        each, prior = [*gaussian.log_prob(z[:, :, None]).unbind(-1)], Normal(0.0, 1.0).log_prob(z).sum(-1)
        hard, soft = [z], [z]
        hard_q, hard_p = gaussian.log_prob(z).sum(-1), prior
        for logits in affine(w, "encoder.logits", h).split(tuple(options["discrete"]), dim=-1):
            q, k = Categorical(logits=logits), logits.shape[-1]
            perturbed = q.logits - (-draws.uniform(samples, points, k).log()).log()
            value, log_y = perturbed.argmax(-1), (perturbed / tau).log_softmax(-1)
            relaxed, even = (ExpRelaxedCategorical(tau, logits=a) for a in (q.logits, torch.zeros(k, dtype=x.dtype)))
            each.append(relaxed.log_prob(log_y[:, :, None]))
            prior = prior + even.log_prob(log_y)
            soft.append(log_y.exp())
            hard.append(one_hot(value, k).to(x))
            hard_q, hard_p = hard_q + q.log_prob(value), hard_p - math.log(k)
        shares = weights(points, float(w["data_points"]), options["weighting"], x.dtype).log()

        def log_q(chosen: list[int]) -> torch.Tensor:
            return torch.logsumexp(sum(each[j] for j in chosen) + shares, -1)

        own = sum(each).diagonal(dim1=1, dim2=2)
        d = len(each)
        joint, single = log_q([*range(d)]), sum(log_q([j]) for j in range(d))
        of_groups = sum(log_q(group) for group in self.groups(d, options))
        parts = {"information": own - joint, "between": joint - of_groups, "within": of_groups - single}
        parts["dimensions"] = single - prior
        priced = {f"{k}_{options['weighting']}": (p, v.mean()) for k, (p, v) in self.priced(parts, options).items()}
        relaxed, true = (decoded(w, torch.cat(codes, -1), options).log_prob(x).mean() for codes in (soft, hard))
        loss, kl = sum(price * part for price, part in priced.values()) - relaxed, (hard_q - hard_p).mean()
        terms = {"objective": -loss, "bound": true - kl, "reconstruction": true, "kl": kl}
        terms["relaxed_bound"] = relaxed - (own - prior).mean()
        return [Phase(loss, {**terms, **{k: part for k, (_, part) in priced.items()}}, ["encoder", "decoder"])]

    def groups(self, d: int, options: Any) -> list[list[int]]:
        c = d - len(options["discrete"])
        sizes = options["group_sizes"] or [math.ceil(c / 2), math.floor(c / 2), *[1] * (d - c)]
        numbers = iter(range(d))
        return [[next(numbers) for _ in range(size)] for size in sizes if size]

    def priced(self, parts: dict[str, torch.Tensor], options: Any) -> dict[str, tuple[float, torch.Tensor]]:
        return {**super().priced(parts, options), "tc_within": (options["within"], parts["within"])}
