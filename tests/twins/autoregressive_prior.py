"""The prior of codes, from van den Oord, Vinyals & Kavukcuoglu 2017, Sec. 3.3, as a MADE (Germain et al. 2015)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch.distributions import Categorical
from torch.nn.functional import cross_entropy, one_hot

from .categorical_vae import CategoricalVAE
from .made import masked
from .twin import Draws, Phase, Twin, Weights, decoded, network
from .vq_vae import VQVAE

# What a first stage has where nothing is said.
USUAL = {
    **{"activation": "tanh", "likelihood": "bernoulli", "sigmoid_mean": False, "variance": None, "samples": 1},
    **{"commitment": 0.25, "ema": True, "decay": 0.99, "revival": 0.05},
    **{"final_temperature": 0.5, "temperature_steps": 1.0},
}
LIST = {"model": "vq-vae", "num_codes": 3, "entries": 5, "code_dim": 2, "hidden": (5,)}
VALUES = {"model": "categorical-vae", "variables": 3, "num_categories": 4, "hidden": (5,)}


class AutoregressivePrior(Twin):
    """The cross-entropy of codes that are drawn from q(z|x), each given those before it; and the first stage's loss."""

    member = "autoregressive-prior"
    cases: Mapping[str, Mapping[str, Any]] = {
        "a VQ-VAE that is held": {"first": {**LIST, "held": True}},
        "one code": {"first": {**LIST, "num_codes": 1}},
        "one entry": {"first": {**LIST, "entries": 1}},
        "a list that is trained by gradient": {"first": {**LIST, "ema": False}, "hidden": (9, 4)},
        "a list that is used": {"used": True, "m": 20},
        "held, direct": {"first": {**LIST, "held": True, "num_codes": 7}, "direct": True, "hidden": (11,)},
        "as many codes as entries": {"first": {**LIST, "num_codes": 4, "entries": 4, "code_dim": 4}, "hidden": (4,)},
        "a categorical VAE": {"first": VALUES},
        "a categorical VAE that is held": {"first": {**VALUES, "held": True, "samples": 3}},
        "a categorical VAE, colder": {"first": {**VALUES, "samples": 2}, "at": 0.7, "direct": True},
        "of real data": {"first": {**VALUES, "likelihood": "gaussian", "held": True}, "activation": "relu"},
    }

    def phases(self, w: Weights, x: torch.Tensor, context: Any, draws: Draws, options: Any) -> list[Phase]:
        first = {"model": "vq-vae", "held": False, **USUAL, **(options["first"] or {})}
        own = {key.removeprefix("first."): value for key, value in w.items() if key.startswith("first.")}
        kind = {"vq-vae": VQVAE, "categorical-vae": CategoricalVAE}[first["model"]]()
        k, z, entropy = (listed if first["model"] == "vq-vae" else drawn)(own, x, draws, first)
        values = k.shape[-1]
        how = {"numbers": values, "direct": options["direct"], "width": values}
        logits = masked(w, "network", k.flatten(-2), options["activation"], **how)  # (L, M, K, codes)
        cost = cross_entropy(logits.movedim(-2, 1), k.argmax(-1), reduction="none").sum(-1).mean()
        reconstruction, kl = decoded(own, z, first).log_prob(x).mean(), cost - entropy
        loss, trained, assigned = cost, ["network"], {}
        if not first["held"]:
            [alone] = kind.phases(own, x, context, draws, first)
            loss = cost + alone.loss
            trained += [f"first.{name}" for name in alone.trained]
            assigned = {f"first.{name}": value for name, value in alone.assigned.items()}
        terms = {"bound": reconstruction - kl, "reconstruction": reconstruction, "kl": kl, "cross_entropy": cost}
        return [Phase(loss, {"objective": -loss, **terms}, trained, assigned)]

    def advance(self, w: Weights, step: int, total_steps: int, options: Any) -> None:
        first = {**USUAL, **(options["first"] or {})}
        if first.get("model") == "categorical-vae" and not first.get("held"):
            CategoricalVAE().advance({"temperature": w["first.temperature"]}, step, total_steps, first)


def listed(w: Weights, x: torch.Tensor, draws: Draws, options: Any) -> tuple[torch.Tensor, torch.Tensor, float]:
    """Eq. 1: the nearest entries, ``(1, M, codes, K)``, end to end as z; nothing is drawn."""
    entries = w["codebook.entries"]
    z = network(w, "encoder", x, options["activation"]).unflatten(-1, (-1, entries.shape[1]))
    k = one_hot((z.unsqueeze(-2) - entries).norm(dim=-1).argmin(-1), len(entries)).to(x).unsqueeze(0)
    return k, (k @ entries).flatten(-2), 0.0


def drawn(w: Weights, x: torch.Tensor, draws: Draws, options: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Draws of q(z|x) by Gumbel's largest, ``(L, M, variables, K)``, and its entropy, averaged over the points."""
    logits = network(w, "encoder", x, options["activation"])
    noise = draws.uniform(options["samples"], *logits.shape)
    split = (-1, options["num_categories"])
    perturbed = (logits - (-noise.log()).log()).unflatten(-1, split)
    k = one_hot(perturbed.argmax(-1), options["num_categories"]).to(x)
    q = Categorical(logits=logits.unflatten(-1, split), validate_args=False)
    return k, k.flatten(-2), q.entropy().sum(-1).mean()
