"""What goes with the step of a run: the factor on the step size, and what the KL costs.

The KL's weight rises, once or in cycles, and its first nats may be free:

    minimises  D + w(t) sum_j max(lambda, mean R_j)    in the place of  D + R

The weight rises linearly from 0 to 1 (Bowman et al. 2016, arXiv 1511.06349; Sonderby et al. 2016, arXiv 1602.02282),
or does so in each of several cycles (Fu et al. 2019, arXiv 1903.10145): a decoder that has learnt nothing yet makes
little of z, and the full price would drive every code to the prior. Free bits (Kingma et al. 2016, arXiv 1606.04934,
Eq. 15) are nats for each latent dimension (of a categorical z: each variable), of the KL averaged over the minibatch,
below which a dimension costs the same as at them. Both change what is trained and nothing that is measured: the bound
is the true one, and evaluations have the model's own objective.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..autodiff import maximum, mean, sum
from ..checks import one_of
from ..distributions import kl_by_dimension
from ..errors import InputError
from ..models import Batch, Model, Phase

if TYPE_CHECKING:
    from .settings import Settings

# -------------------------------------------------------------------- the step size


def constant(step: int, total: int) -> float:
    """1: the step size as it was given."""
    return 1.0


def cosine(step: int, total: int) -> float:
    """Half a cosine from 1 at the first step towards 0 after the last (Loshchilov & Hutter 2017)."""
    return (1 + math.cos(math.pi * step / total)) / 2


def exponential(step: int, total: int) -> float:
    """Decays by a constant factor each step, from 1 to 1/100 over the run."""
    return 0.01 ** (step / total)


def warmup(step: int, total: int) -> float:
    """Rises linearly over the first 5% of the run, then stays at 1."""
    return min(1.0, (step + 1) / max(1, math.ceil(0.05 * total)))


SCHEDULES: dict[str, Callable[[int, int], float]] = {
    "constant": constant,
    "cosine": cosine,
    "exponential": exponential,
    "warmup": warmup,
}


def lr_factor(schedule: str, step: int, total: int, warmup: float = 0.0) -> float:
    """The factor on the step size: a linear rise to 1 over so many first steps, then the schedule over the others.

    Raises:
        InputError: there is no schedule of that name.
    """
    factor = SCHEDULES[one_of("schedule", schedule, SCHEDULES)]
    if step < warmup:
        return min(1.0, (step + 1) / warmup)
    begun = math.ceil(warmup)
    return factor(step - begun, total - begun)


# ----------------------------------------------------------------- what the KL costs

RISING = 0.5  # of a cycle, unless kl_warmup says (Fu et al. 2019)


class KLCost:
    """The phases of a model with what the KL costs at a step; the model's own where nothing is asked for.

    Args:
        model: what is trained.
        settings: ``kl_warmup``, ``kl_cycles`` and ``free_bits``.
        steps_per_epoch: of the run.

    Attributes:
        weight: w(t), 0-d, as recorded steps read it.

    Raises:
        InputError: it is asked for, and the model's loss has no KL whose cost could change; or a warm-up is longer
            than its cycle.
    """

    def __init__(self, model: Model, settings: Settings, steps_per_epoch: int) -> None:
        _require_kl(model, settings)
        cycle = settings.epochs / (settings.kl_cycles or 1)
        if settings.kl_cycles and settings.kl_warmup > cycle:
            raise InputError(f"kl_warmup is {settings.kl_warmup:g} epochs; expected at most a cycle, {cycle:g} epochs")
        self._model, self._free_bits, self._cycles = model, settings.free_bits, settings.kl_cycles or 1
        self._weighs = bool(settings.kl_warmup or settings.kl_cycles)
        self._rise = settings.kl_warmup * steps_per_epoch
        self.weight = model.scalar(1.0)

    def advance(self, step: int, total_steps: int) -> None:
        """w(t), before the step is taken or replayed."""
        if self._weighs:
            cycle = total_steps / self._cycles
            self.weight.data[...] = min(1.0, step % cycle / (self._rise or RISING * cycle))

    def phases(self, batch: Batch, noise: Any) -> list[Phase]:
        """The phases of a training step."""
        if not (self._weighs or self._free_bits):
            return self._model.phases(batch, noise)
        phases = self._model.phases_at(batch, noise, self.weight)
        return self._with_free_bits(phases, batch) if self._free_bits else phases

    def _with_free_bits(self, phases: list[Phase], batch: Batch) -> list[Phase]:
        first, *others = phases
        q, p = self._model.posterior(batch.x, batch.context), self._model.prior(batch.context)
        paid = sum(maximum(mean(kl_by_dimension(q, p), axis=0), self._free_bits))
        loss = first.loss + (paid - first.terms["kl"]) * (self.weight * self._model.kl_weight)
        return [first.with_loss(loss, objective=-loss), *others]


def _require_kl(model: Model, settings: Settings) -> None:
    refusals = {"free_bits": model.no_kl or model.no_free_bits, "kl_warmup": model.no_kl, "kl_cycles": model.no_kl}
    for name, why in refusals.items():
        if (value := getattr(settings, name)) and why:
            raise InputError(f"{name} is {value}, but {type(model).__name__} cannot have it: {why}")
