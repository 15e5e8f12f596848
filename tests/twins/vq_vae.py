"""The vector-quantised VAE, from van den Oord, Vinyals & Kavukcuoglu 2017, Eq. 1 to 3, and App. A.1, Eq. 6 to 8."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch.distributions import Categorical
from torch.nn.functional import mse_loss, one_hot

from .twin import Draws, Phase, Twin, Weights, decoded, network

LAPLACE = 1e-5
OWN: dict[str, dict[str, Any]] = {
    "every default": {},
    "one entry": {"entries": 1},
    "70 entries": {"entries": 70, "m": 9},
    "one code": {"num_codes": 1},
    "one code of one data point": {"num_codes": 1, "m": 1},
    "seven codes": {"num_codes": 7, "code_dim": 3},
    "codes of one number": {"code_dim": 1},
    "as many codes as entries as numbers": {"num_codes": 4, "entries": 4, "code_dim": 4},
    "no commitment": {"commitment": 0.0},
    "commitment of 30": {"commitment": 30.0},
    "nothing remembered": {"decay": 0.0},
    "no entry begins anew": {"revival": 0.0, "used": True},
    "most begin anew": {"revival": 0.9, "used": True, "entries": 9},
    "a list that is used": {"used": True, "m": 20},
    "half remembered": {"decay": 0.5, "m": 20},
    "codes far from the data": {"scale": 10.0},
    "gaussian, by both": {"likelihood": "gaussian", "hidden": ()},
}


class VQVAE(Twin):
    """Eq. 3; without its second term where the list follows running means."""

    member = "vq-vae"
    cases: Mapping[str, Mapping[str, Any]] = {
        title + (", by gradient" if not ema else ""): {**options, "ema": ema}
        for ema in (True, False)
        for title, options in OWN.items()
    }

    def phases(self, w: Weights, x: torch.Tensor, context: Any, draws: Draws, options: Any) -> list[Phase]:
        num_codes, dim, entries = options["num_codes"], options["code_dim"], w["codebook.entries"]
        ema, count = options["ema"], len(entries)
        z = network(w, "encoder", x, options["activation"]).unflatten(-1, (num_codes, dim))
        nearest = one_hot((z.unsqueeze(-2) - entries).norm(dim=-1).argmin(-1), count).to(x)  # (M, codes, K), Eq. 1
        e = nearest @ entries
        codebook = mse_loss(e, z.detach(), reduction="sum") / len(x)
        commitment = mse_loss(z, e.detach(), reduction="sum") / len(x)
        passed = z + (e - z).detach()  # straight through
        reconstruction = decoded(w, passed.flatten(-2), options).log_prob(x).mean()
        kl = x.new_tensor(num_codes * math.log(count))
        loss = -reconstruction + options["commitment"] * commitment + (0.0 if ema else codebook)
        usage = nearest.mean((0, 1))
        terms = {
            "objective": -loss,
            "bound": reconstruction - kl,
            "reconstruction": reconstruction,
            "kl": kl,
            "codebook": codebook,
            "commitment": commitment,
            "code_entropy": Categorical(probs=usage, validate_args=False).entropy(),
        }
        if not ema:
            return [Phase(loss, terms, ["encoder", "decoder", "codebook.entries"])]
        return [
            Phase(
                loss,
                terms,
                ["encoder", "decoder"],
                self.means(w, z.detach(), nearest, options["decay"], options["revival"]),
            )
        ]

    def means(
        self, w: Weights, z: torch.Tensor, nearest: torch.Tensor, decay: float, revival: float
    ) -> dict[str, torch.Tensor]:
        """Eq. 6 to 8, the counts with Laplace smoothing where they divide; entries that few are near begin anew.

        So do all at the first step, when nothing is counted: with vectors of the minibatch, evenly over its codes.
        """
        counts = decay * w["codebook.counts"] + (1 - decay) * nearest.sum((0, 1))
        sums = decay * w["codebook.sums"] + (1 - decay) * torch.einsum("mpk,mpd->kd", nearest, z)
        share = counts.mean()
        few = (
            torch.full_like(counts, True, dtype=torch.bool)
            if not w["codebook.counts"].any()
            else counts < share * revival
        )
        picked = z.transpose(0, 1).flatten(0, 1)[
            [k * z.shape[0] * z.shape[1] // len(counts) for k in range(len(counts))]
        ]
        counts, sums = torch.where(few, share, counts), torch.where(few[:, None], picked * share, sums)
        total = counts.sum()
        smoothed = (counts + LAPLACE) / (total + len(counts) * LAPLACE) * total
        return {"codebook.counts": counts, "codebook.sums": sums, "codebook.entries": sums / smoothed[:, None]}
