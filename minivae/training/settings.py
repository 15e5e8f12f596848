"""What a run is asked for, checked before any work starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..checks import instance, integer_from_zero, one_of, positive_integer, positive_number, switch
from ..optim import OPTIMIZERS
from .minibatches import BINARIZE
from .schedules import SCHEDULES


@dataclass(frozen=True)
class Settings:
    """How to train. Checked when made.

    Attributes:
        epochs: passes over the training data, in all.
        batch_size: M.
        binarize: "none", "threshold" or "dynamic"; see ``Minibatches``.
        optimizer: one of ``OPTIMIZERS``; ``optimizer_options`` are its own arguments.
        lr: the step size; the optimizer's default if None.
        schedule: one of ``SCHEDULES``, the factor on ``lr`` by step.
        weight_prior: MAP with a prior N(0, I) over the weights (section 5).
        patience: stop early when the test bound has not risen for so many reports.
        report_every: epochs between two rows of the history.
        seed: of the order of the data and of all noise in training.
        compile: record the step once and replay it; the numbers are the same without, only slower.
        skip_nonfinite: take a step back that leaves a parameter, a moment or the bound NaN or
            infinite, count it in the history's column ``skipped``, and go on; else the run stops.
        detect_anomaly: stop at the first operation that gives NaN or an infinity and name it,
            and the line that called it; slow, and nothing is skipped.

    Raises:
        InputError: a number out of its range, an unknown name, or something else than True or False.
    """

    epochs: int = 10
    batch_size: int = 100
    binarize: str = "none"
    optimizer: str = "adam"
    lr: float | None = None
    schedule: str = "constant"
    weight_prior: bool = False
    patience: int | None = None
    report_every: int = 1
    seed: int = 0
    compile: bool = True
    skip_nonfinite: bool = False
    detect_anomaly: bool = False
    optimizer_options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "report_every"):
            positive_integer(name, getattr(self, name))
        for name in ("weight_prior", "compile", "skip_nonfinite", "detect_anomaly"):
            switch(name, getattr(self, name))
        if self.patience is not None:
            positive_integer("patience", self.patience)
        if self.lr is not None:
            positive_number("lr", self.lr)
        one_of("binarize", self.binarize, BINARIZE)
        one_of("optimizer", self.optimizer, OPTIMIZERS)
        one_of("schedule", self.schedule, SCHEDULES)
        integer_from_zero("seed", self.seed)
        instance("optimizer_options", self.optimizer_options, Mapping, "options by name")
