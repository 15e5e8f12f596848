"""The semi-supervised model M2, from Kingma, Rezende, Mohamed & Welling 2014 (arXiv 1406.5298), Eq. 6 to 9.

-L(x, y) = E_q(z|x,y) [log p(x|y, z) + log p(z) - log q(z|x, y)] + log p(y) for each label y; for a data point without
one -U(x) = sum_y q(y|x) (-L(x, y)) + H(q(y|x)). The objective is the sum of both and alpha times the log-likelihood of
q(y|x), here per data point: alpha N / N_l for each that has a label. log p(y) = -log K of a given label is left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch.distributions import Categorical, kl_divergence

from .twin import Draws, Phase, Twin, Weights, decoded, gaussian, network, normal, standard_normal


class M2(Twin):
    """A data point at a time, by loops over the labels; a row of zeros is a missing label."""

    member = "m2"
    cases: Mapping[str, Mapping[str, Any]] = {
        "no classifier's term": {"alpha": 0.0},
        "alpha 10": {"alpha": 10.0},
        "a y that never changes": {"context_dim": 1},
        "20 classes": {"context_dim": 20, "m": 9},
        "gaussian, estimator A, 3 samples": {"likelihood": "gaussian", "estimator": "A", "samples": 3},
    }

    def phases(self, w: Weights, x: torch.Tensor, context: Any, draws: Draws, options: Any) -> list[Phase]:
        d, count, rows = options["latent_dim"], context.shape[1], len(x)
        noise = draws.normal(options["samples"], rows, d)
        q_y = Categorical(logits=network(w, "classifier", x, options["activation"]))
        parts: dict[str, list[torch.Tensor]] = {"bound": [], "reconstruction": [], "kl": [], "label": []}
        for i in range(rows):
            given = bool(context[i].sum() > 0)
            labels = [int(context[i].argmax())] if given else range(count)
            shares = [torch.ones((), dtype=x.dtype)] if given else list(q_y.probs[i])
            reconstruction = kl = torch.zeros((), dtype=x.dtype)
            for y, share in zip(labels, shares, strict=True):
                r, k = self.terms(w, x[i], torch.eye(count, dtype=x.dtype)[y], noise[:, i], options)
                reconstruction, kl = reconstruction + share * r, kl + share * k
            bound = reconstruction - kl
            if not given:
                bound = bound - math.log(count) + q_y.entropy()[i]
            said = q_y.logits[i, labels[0]] if given else torch.zeros((), dtype=x.dtype)
            values = (bound, reconstruction, kl, said)
            for kept, value in zip(parts.values(), values, strict=True):
                kept.append(value)
        terms = {name: torch.stack(values).mean() for name, values in parts.items()}
        objective = terms["bound"] + options["alpha"] / w["share"] * terms["label"]
        return [Phase(-objective, {"objective": objective, **terms}, ["encoder", "decoder", "classifier"])]

    def terms(self, w: Weights, x: torch.Tensor, y: torch.Tensor, noise: torch.Tensor, options: Any) -> Any:
        """E log p(x|y, z) and the KL of one data point with one label."""
        q = normal(*gaussian(w, "encoder", torch.cat([x, y]), options["activation"]))
        z = q.mean + q.stddev * noise
        p = decoded(w, torch.cat([z, y.expand(len(z), len(y))], -1), options)
        if options["estimator"] == "A":
            return p.log_prob(x).mean(), (q.log_prob(z) - standard_normal(z).log_prob(z)).mean()
        return p.log_prob(x).mean(), kl_divergence(q, standard_normal(q.mean))
