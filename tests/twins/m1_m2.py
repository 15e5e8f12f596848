"""M1+M2, from Kingma, Rezende, Mohamed & Welling 2014 (arXiv 1406.5298), section 2: a VAE, and M2 of its codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch.distributions import kl_divergence

from .m2 import M2
from .twin import Draws, Phase, Twin, Weights, decoded, encoded, ramp, standard_normal


class Held(Draws):
    """Noise that was drawn with other noise."""

    def __init__(self, noise: torch.Tensor) -> None:
        self._left = [("standard_normal", noise)]


class M1M2(Twin):
    """The bound of both: log p(x|z1) - log q(z1|x) of M1, and M2's in the place of log p(z1)."""

    member = "m1-m2"
    cases: Mapping[str, Mapping[str, Any]] = {
        "before M2 begins": {"at": 0.1},
        "M2 has begun": {"at": 0.3, "alpha": 2.0, "second_dim": 4},
        "after some steps": {"at": 0.1, "first_steps": 100},
        "one label": {"context_dim": 1},
    }

    def phases(self, w: Weights, x: torch.Tensor, context: Any, draws: Draws, options: Any) -> list[Phase]:
        q = encoded(w, x, options)
        count, rows, d = options["samples"], len(x), q.mean.shape[1]
        noise = draws.normal(count, rows, d + options["second_dim"])
        z, of_m2 = q.mean + q.stddev * noise[..., :d], Held(noise[..., d:].reshape(1, count * rows, -1))
        log_p = decoded(w, z, options).log_prob(x).mean()
        codes, labels = z.detach().flatten(0, 1), context.repeat(len(z), 1)
        own = {"latent_dim": options["second_dim"], "samples": 1, "estimator": "B", "likelihood": "gaussian"}
        own |= {"sigmoid_mean": False, "variance": None}
        part = {name.removeprefix("m2."): value for name, value in w.items() if name.startswith("m2.")}
        (m2,) = M2().phases(part, codes, labels, of_m2, {**options, **own})
        bound = log_p + q.entropy().mean() + m2.terms["bound"]
        m1 = kl_divergence(q, standard_normal(q.mean)).mean() - log_p
        terms = {"objective": -m1 - m2.loss.detach(), "bound": bound, "reconstruction": log_p, "kl": log_p - bound}
        terms["label"] = m2.terms["label"]
        loss = m1 + m2.loss.detach()
        return [Phase(loss, terms, ["encoder", "decoder"]), Phase(m2.loss * w["begun"], {}, ["m2."])]

    def advance(self, w: Weights, step: int, total_steps: int, options: Any) -> None:
        w["begun"].fill_(float(ramp(step, total_steps, options["first_steps"]) >= 1))
