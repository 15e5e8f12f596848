"""MADE, from Germain, Gregor, Murray & Larochelle 2015, Eq. 2, 3, 8, 9 (the masks; 12 and 13 for more layers)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from .twin import ACTIVATIONS, Draws, Phase, Twin, Weights


def degrees(units: int, inputs: int) -> torch.Tensor:
    """m(k) of hidden units: 1 to D - 1 in even shares, from the lowest up (where the paper draws them)."""
    return torch.tensor([1 + k * (inputs - 1) // units for k in range(units)])


def masked(
    w: Weights,
    name: str,
    x: torch.Tensor,
    activation: str,
    shift: torch.Tensor | None = None,
    numbers: int = 1,
    which: int = 0,
    direct: bool = False,
    width: int = 1,
) -> torch.Tensor:
    """The numbers ``(..., numbers, D)`` for each element of x, from the elements before it.

    Args:
        w: every weight, and the degrees that were drawn, if any were.
        name: of the network, whose layers are ``name.layers.0`` and so on.
        x: ``(..., D)``.
        activation: between the layers.
        shift: added to what the first layer gives.
        numbers: how many for each element.
        which: of the sets of degrees that were drawn.
        direct: the last layer also sees x (4.1: "direct connections").
        width: how many numbers an element of x is of.
    """
    inputs, given = x.shape[-1] // width, x
    count = sum(key.startswith(f"{name}.layers.") and key.endswith(".weight") for key in w)
    drawn = f"{name}.degrees.0" in w
    own = w[f"{name}.degrees.0"][which] if drawn else torch.arange(1, inputs + 1)
    seen = before = own.repeat_interleave(width)
    for i in range(count):
        weight, last = w[f"{name}.layers.{i}.weight"], i == count - 1
        if last and direct and count > 1:
            x, before = torch.cat([x, given], -1), torch.cat([before, seen])
        hidden = w[f"{name}.degrees.{i + 1}"][which] if drawn else degrees(weight.shape[1], inputs)
        after = own.repeat(numbers) if last else hidden
        allowed = after[None, :] > before[:, None] if last else after[None, :] >= before[:, None]
        x = x @ (weight * allowed) + w[f"{name}.layers.{i}.bias"]
        if i == 0 and shift is not None:
            x = x + shift
        if not last:
            x = ACTIVATIONS[activation](x)
        before = after
    return x.unflatten(-1, (numbers, inputs))


class MADE(Twin):
    """The cross-entropy of each element given those before it, Eq. 3, summed; there is no bound but log p(x)."""

    member = "made"
    cases: Mapping[str, Mapping[str, Any]] = {
        "one hidden unit": {"hidden": (1,)},
        "as many hidden units as degrees": {"hidden": (5,)},
        "more hidden units than inputs, in uneven shares": {"hidden": (13,)},
        "a layer that narrows": {"hidden": (9, 2), "activation": "softplus"},
        "a layer that widens": {"hidden": (2, 9), "activation": "leaky_relu"},
        "four layers": {"hidden": (6, 11, 4, 8), "m": 3},
        "steep": {"scale": 10.0},
        "direct": {"direct": True},
        "direct, without a hidden layer": {"direct": True, "hidden": ()},
        "an order that is drawn": {"random_orders": True},
        "several sets of masks": {"masks": 5, "hidden": (7, 4)},
        "direct, several orders": {"masks": 3, "random_orders": True, "direct": True},
    }

    def phases(self, w: Weights, x: torch.Tensor, context: Any, draws: Draws, options: Any) -> list[Phase]:
        which = int(draws.uniform() * options["masks"]) if options["masks"] > 1 else 0  # 4.2 and 4.3
        how = {"which": which, "direct": options["direct"]}
        logits = masked(w, "network", x, options["activation"], **how).squeeze(-2)
        log_p = -binary_cross_entropy_with_logits(logits, x, reduction="none").sum(-1).mean()
        return [Phase(-log_p, {"bound": log_p}, ["network"])]
