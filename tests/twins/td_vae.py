"""The temporal difference VAE, from Gregor et al. 2019 (arXiv 1806.03107), section 4."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch.distributions import Independent

from .twin import Draws, Phase, Twin, Weights, affine, decoded, network, normal


class TDVAE(Twin):
    """log p_D(x_2|z_2) + log p_B(z_1|b_1) + log p_T(z_2|z_1) - log p_B(z_2|b_2) - log q(z_1|z_2, b_1, b_2)."""

    member = "td-vae"
    cases: Mapping[str, Mapping[str, Any]] = {
        "a step at a time": {"jumps": 1},
        "as far as there are steps": {"jumps": 9, "m": 30},
        "one step": {"sequence_length": 1, "state_dim": 1},
        "every step a number": {"sequence_length": 6, "jumps": 4, "m": 30},
        "every default": {"state_dim": 12, "units": 50, "jumps": 1, "hidden": (200,), "samples": 10},
    }

    def phases(self, w: Weights, x: torch.Tensor, context: Any, draws: Draws, options: Any) -> list[Phase]:
        steps, d, samples = options["sequence_length"], options["state_dim"], options["samples"]
        most = min(options["jumps"], steps)
        times, noise = draws.uniform(samples, len(x), 2), draws.normal(samples, len(x), 2 * d)
        frames = x.reshape(len(x), steps, -1)
        b = self.beliefs(w, frames, options)
        drawn = [[(1 + int(u * most), v) for u, v in row] for row in times.tolist()]
        delta = torch.tensor([[k for k, _ in row] for row in drawn])
        first = torch.tensor([[int(v * (steps - k + 1)) for k, v in row] for row in drawn])
        n, jump = torch.arange(len(x)), torch.nn.functional.one_hot(delta - 1, most).to(x.dtype)
        b1, b2 = b[n, first], b[n, first + delta]
        told = torch.cat([b1, b2, jump], -1)
        belief_2 = block(w, "belief", b2)
        z2 = belief_2.mean + belief_2.stddev * noise[..., :d]
        q = block(w, "smoothing", torch.cat([z2, told], -1))
        z1 = q.mean + q.stddev * noise[..., d:]
        p = block(w, "transition", torch.cat([z1, jump], -1))
        values = (
            decoded(w, z2, options).log_prob(frames[n, first + delta - 1]),
            q.log_prob(z1) - block(w, "belief", b1).log_prob(z1),
            belief_2.log_prob(z2) - p.log_prob(z2),
        )
        names = ("reconstruction", "smoothing", "transition")
        terms = {name: each.mean() for name, each in zip(names, values, strict=True)}
        loss = terms["smoothing"] + terms["transition"] - terms["reconstruction"]
        trained = ["before_memory", "memory", "belief", "smoothing", "transition", "decoder"]
        return [Phase(loss, {"objective": -loss, **terms}, trained)]

    def beliefs(self, w: Weights, frames: torch.Tensor, options: Any) -> torch.Tensor:
        """b_0 = 0, and the outputs of PyTorch's LSTM."""
        h = network(w, "before_memory", frames, options["activation"], last=True)
        own = {name.removeprefix("memory."): value for name, value in w.items() if name.startswith("memory.")}
        memory = torch.nn.LSTM(h.shape[-1], options["units"], batch_first=True, dtype=h.dtype)
        b, _ = torch.func.functional_call(memory, own, (h,))
        return torch.cat([torch.zeros_like(b[:, :1]), b], 1)


def block(w: Weights, name: str, h: torch.Tensor) -> Independent:
    """App. B: mean and log-variance are linear in tanh(W h + c) * sigmoid(V h + d)."""
    h = torch.tanh(affine(w, f"{name}.value", h)) * torch.sigmoid(affine(w, f"{name}.gate", h))
    return normal(affine(w, f"{name}.mean", h), affine(w, f"{name}.log_var", h))
