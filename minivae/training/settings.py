"""What a run is asked for, checked before any work starts."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..checks import instance, integer_from_zero, number_from_zero, one_of, positive_integer, positive_number, switch
from ..datasets import Dataset, require_domain, require_finite
from ..datasets.domain import REAL, UNIT
from ..errors import InputError, shown
from ..models import Model
from ..optim import OPTIMIZERS
from .minibatches import BINARIZE
from .schedules import SCHEDULES

logger = logging.getLogger("minivae")
LARGE = 100.0


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
        lr_warmup: epochs, before the schedule begins, in which the step size rises linearly to ``lr``.
        weight_prior: MAP with a prior N(0, I) over the weights (section 5).
        kl_warmup: epochs in which the weight on the KL rises linearly from 0 to 1; see :class:`KLCost`.
        kl_cycles: it does so in each of so many cycles of the run, for half of a cycle unless ``kl_warmup`` says.
        free_bits: nats of KL for each latent dimension, averaged over a minibatch, below which none is saved.
        patience: stop early when the validation bound has not risen for so many reports. Data without a
            validation part have a tenth of the training rows set apart for one.
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
    lr_warmup: float = 0.0
    kl_warmup: float = 0.0
    kl_cycles: int | None = None
    free_bits: float = 0.0
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
        for name in ("lr_warmup", "kl_warmup", "free_bits"):
            number_from_zero(name, getattr(self, name))
        for name in ("patience", "kl_cycles"):
            if getattr(self, name) is not None:
                positive_integer(name, getattr(self, name))
        if self.lr is not None:
            positive_number("lr", self.lr)
        one_of("binarize", self.binarize, BINARIZE)
        one_of("optimizer", self.optimizer, OPTIMIZERS)
        one_of("schedule", self.schedule, SCHEDULES)
        if self.lr_warmup and self.schedule == "warmup":
            raise InputError(f"lr_warmup is {self.lr_warmup:g} with the schedule warmup; expected one of the two")
        integer_from_zero("seed", self.seed)
        instance("optimizer_options", self.optimizer_options, Mapping, "options by name")


def require_fit(model: Model, dataset: Dataset, settings: Settings) -> None:
    """Check that model, data and settings go together.

    Raises:
        InputError: they do not, or the data are out of the likelihood's range or not finite.
    """
    instance("model", model, Model, "a Model")
    instance("dataset", dataset, Dataset, "a Dataset")
    instance("settings", settings, Settings, "a Settings")
    if dataset.data_dim != model.data_dim:
        raise InputError(
            f"{dataset.name} has {dataset.data_dim} columns, but this model was built for data_dim={model.data_dim}"
        )
    if model.context_dim and dataset.classes != model.context_dim:
        found = f"labels from 0 to {dataset.classes - 1}" if dataset.classes else "no labels"
        raise InputError(f"{dataset.name} has {found}, but this model was built for context_dim={model.context_dim}")
    if model.partly_told and not dataset.train.labelled:
        raise InputError(f"{dataset.name} has no labels of training points; expected some to learn from")
    model.require_points("batch_size", settings.batch_size)
    for name, part in dataset.parts.items():
        model.require_points(f"the number of {name} rows", len(part))
    require_finite(dataset, model.parameters()[0].dtype)
    if settings.binarize != "none" and dataset.preparation is not None:
        raise InputError(
            f"binarize is {shown(settings.binarize)} and the data are prepared by {dataset.preparation.kind!r}; "
            "expected one of the two to be 'none'"
        )
    require_domain(dataset, UNIT if settings.binarize != "none" else model.domain)
    if model.domain is REAL and dataset.preparation is None:
        _tell_of_far_values(dataset)
    if model.preparation not in (None, dataset.preparation):
        raise InputError(
            f"{dataset.name} is prepared otherwise than the data that the model was trained on; "
            "expected dataset.preparation to be model.preparation"
        )


def _tell_of_far_values(dataset: Dataset) -> None:
    """One line in the log where real values are far from the size that weights and step sizes are made for."""
    size = max(map(abs, dataset.value_range))
    if size > LARGE or 0 < size < 1 / LARGE:
        low, high = dataset.value_range
        logger.warning(
            "%s has values from %g to %g, and the model sees them as they are; it learns such data better "
            'standardized: dataset.prepared("standardize"), or --prepare standardize',
            *(dataset.name, low, high),
        )


def require_terms(terms: Iterable[str], settings: Settings) -> None:
    """Check that among a model's terms is one that ``patience`` can wait for, if any is asked for.

    Raises:
        InputError: there is neither a bound nor an objective.
    """
    if settings.patience is not None and {"bound", "objective"}.isdisjoint(terms):
        found = ", ".join(terms)
        raise InputError(f"patience is {settings.patience}, but the terms are {found}; expected bound or objective")
