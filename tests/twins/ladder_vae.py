"""The ladder VAE, from Vahdat & Kautz 2020: the levels one by one, in absolute means and scales, by PyTorch's KL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch.distributions import kl_divergence

from .twin import Draws, Phase, Twin, Weights, affine, decoded, network, normal, standard_normal


def heads(w: Weights, name: str, h: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """A mean and a log-variance, linear in h."""
    return affine(w, f"{name}.mean", h), affine(w, f"{name}.log_var", h)


class LadderVAE(Twin):
    """D + sum_l KL_l + lambda sum_i s_i."""

    member = "ladder-vae"
    cases: Mapping[str, Mapping[str, Any]] = {
        "latent 1": {"latent_dim": 1, "levels": 1},
        "one level": {"levels": 1},
        "three levels, of different lengths": {"levels": 3, "latent_dim": 5},
        "no spectral regularization": {"spectral": 0.0},
        "much spectral regularization": {"spectral": 2.0},
        # Of larger weights float32 has no digits left: dmu^2 / sigma_p^2 is up to e^10 times a square.
        "weights of scale 3": {"scale": 1.0},
    }

    def phases(self, w: Weights, x: torch.Tensor, context: Any, draws: Draws, options: Any) -> list[Phase]:
        activation, total, count = options["activation"], options["latent_dim"], options["levels"]
        lengths = [(total + i) // count for i in range(count)]
        noise = draws.normal(options["samples"], len(x), total).split(lengths, -1)
        features = [network(w, "encoder.hidden", x, activation, last=True)]
        for i in range(count - 1):
            features.insert(0, features[0] + network(w, f"encoder.up.{i}", features[0], activation, last=True))
        known = state = x  # there is none above the top
        kls = []
        for i, epsilon in enumerate(noise):
            if i:
                mean, log_var = heads(w, f"down.heads.{i - 1}", state)
                p = normal(mean, 10 * torch.tanh(log_var / 10))
                h = torch.cat([state, features[i].expand(*state.shape[:-1], -1)], -1)
                shift, log_ratio = heads(w, f"encoder.heads.{i - 1}", h)
            else:
                shift, log_ratio = heads(w, "encoder", features[0])
                p = standard_normal(shift)
            q = normal(p.mean + shift, 2 * p.base_dist.scale.log() + log_ratio)
            kls.append(kl_divergence(q, p).mean())
            z = q.mean + q.stddev * epsilon
            known = z if not i else torch.cat([state, z], -1)
            if i < count - 1:
                new = network(w, f"down.down.{i}", known, activation, last=True)
                state = new if not i else state + new
        reconstruction, kl = decoded(w, known, options).log_prob(x).mean(), torch.stack(kls).sum()
        terms = {"bound": reconstruction - kl, "reconstruction": reconstruction, "kl": kl}
        terms |= {f"kl_{i + 1}": value for i, value in enumerate(kls)}
        loss, assigned = -terms["bound"], {}
        if options["spectral"]:
            total_norm, assigned = spectral(w)
            loss = loss + options["spectral"] * total_norm
            terms |= {"spectral": total_norm, "objective": -loss}
        return [Phase(loss, terms, ["encoder", "down", "decoder"], assigned)]


def spectral(w: Weights) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """The sum of the singular values, after one power iteration; and the vectors after it."""
    weights = [value for key, value in w.items() if key.endswith(".weight")]
    assigned, values = {}, []
    for i, matrix in enumerate(weights):
        with torch.no_grad():
            v = matrix @ w[f"norms.vectors.{i}"]
            v = v / v.norm()
            u = matrix.T @ v
            assigned[f"norms.vectors.{i}"] = u / u.norm()
        values.append(v @ matrix @ assigned[f"norms.vectors.{i}"])
    return torch.stack(values).sum(), assigned
