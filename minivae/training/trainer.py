"""The state of a training run, and one step of Algorithm 1."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any, NoReturn

import numpy as np

from .. import backend
from ..autodiff import Tensor, assign, backward, no_grad
from ..bounds import weight_log_prior
from ..checks import instance
from ..compiler import CompiledStep, compile
from ..datasets import Dataset
from ..errors import InputError
from ..models import Model, Phase
from ..nn import training_mode
from ..optim import OPTIMIZERS, Optimizer
from ..runs.checkpoint import put_under, stored_preparation, under
from ..runs.history import History
from ..runs.meta import require_meta
from .evaluate import Evaluation
from .finite import Guard, Watch
from .minibatches import Minibatches
from .resuming import identity, require_same, require_sums
from .schedules import KLCost, lr_factor
from .settings import Settings, require_fit, require_terms
from .validation import Judge, with_validation

# So many minibatches between two reports, or all if there are fewer than twice as many, have
# their bound read: the value of the bound is all that a step computes beside its gradient.
READINGS = 100


class Trainer:
    """A run: model, data, optimizers, noise, and the place in the data.

    Args:
        model: what to train; its parameters change in place.
        dataset: the data, train, test and maybe validation; see :attr:`Settings.patience` where it is needed.
        settings: how.

    Attributes:
        dataset: the data with the parts that the run has.
        step: minibatches seen.
        seconds: time spent in training, kept by the caller.
        history: the rows reported so far.
        best: the model's state at the best report, where there is a validation part; None before the first.

    Raises:
        InputError: model and data do not fit, the data are out of the likelihood's
            range or not finite, or a minibatch is larger than the data.
    """

    def __init__(self, model: Model, dataset: Dataset, settings: Settings) -> None:
        require_fit(model, dataset, settings)
        if settings.patience is not None:
            dataset = with_validation(dataset, settings.seed, model.least_points)
        self.model, self.dataset, self.settings = model, dataset, settings
        weight = model.parameters()[0]
        model.preparation = dataset.preparation
        model.begin(len(dataset.train), dataset.train.labelled)
        options = {
            "preparation": dataset.preparation,
            "binarize": settings.binarize,
            "dtype": weight.dtype,
            "backend": backend.backend_of(weight._data).name,
            "classes": model.context_dim,
            "partly": model.partly_told,
        }
        minibatches = {name: Minibatches(part, dataset.scale, **options) for name, part in dataset.parts.items()}
        self.train, self.test, self.validation = (
            minibatches["train"],
            minibatches["test"],
            minibatches.get("validation"),
        )
        self.generator = backend.generator(settings.seed, self.train.backend)
        self.step, self.seconds, self.history = 0, 0.0, History()
        self.best: dict[str, np.ndarray] | None = None
        self._judge = Judge(self.history.rows)
        self.running: dict[str, Tensor] = {}  # sums of the terms read since the last report
        self.running_steps = 0  # how many minibatches are in them
        self.order = self._shuffled(0)
        self._kl_cost = KLCost(model, settings, self.steps_per_epoch)
        self.optimizers = self._make_optimizers()
        measured = {name: minibatches[name] for name in ("validation", "test") if name in minibatches}
        self._evaluations = {name: Evaluation(model, f, compile=settings.compile) for name, f in measured.items()}
        self._watch = Watch(model, self.optimizers, {"training": self.train, **measured})
        self._guard = Guard(self._update_eagerly, self._watch.changed) if settings.skip_nonfinite else None
        update = self._guard or self._update_eagerly
        self._update = compile(update) if settings.compile else update

    @property
    def steps_per_epoch(self) -> int:
        """How many whole minibatches the training data have."""
        return len(self.order)

    @property
    def epoch(self) -> int:
        """Whole passes over the data so far."""
        return self.step // self.steps_per_epoch

    @property
    def total_steps(self) -> int:
        """How many minibatches the run has in all."""
        return self.settings.epochs * self.steps_per_epoch

    @property
    def samples_seen(self) -> int:
        """Training samples seen, the x axis of the paper's figures."""
        return self.step * self.settings.batch_size

    @property
    def is_checked(self) -> bool:
        """Whether the next step is one of those that run as written, and are compared with what is replayed.

        They are the second of the run, the last before each report, and one of many in between, so that
        what comes and goes with the epochs is seen as well. They depend on the step alone: a resumed run has the same.
        """
        interval = self.settings.report_every * self.steps_per_epoch
        report, index = divmod(self.step, interval)
        between = interval >= READINGS and index == report * 7919 % interval
        return self.step == 1 or index == interval - 1 or between or self.step + 1 == self.total_steps

    @property
    def _steps_per_reading(self) -> int:
        return max(1, self.settings.report_every * self.steps_per_epoch // READINGS)

    def _make_optimizers(self) -> list[Optimizer]:
        """One for each phase of the model's step, found out with a first minibatch and noise of its own."""
        noise = backend.generator(0, self.train.backend)
        with no_grad():
            phases = self._kl_cost.phases(self.train.batch(self.order[0], noise), noise)
        require_terms(phases[0].terms, self.settings)
        options = dict(self.settings.optimizer_options)
        if self.settings.lr is not None:
            options["lr"] = self.settings.lr
        usual = self.settings.optimizer, options
        chosen = [(phase.parameters, *(phase.optimizer or usual)) for phase in phases]
        try:
            return [OPTIMIZERS[name](p, **{"compile": self.settings.compile, **options}) for p, name, options in chosen]
        except TypeError as error:
            raise InputError(f"optimizer_options do not suit {self.settings.optimizer}: {error}") from error

    def _shuffled(self, epoch: int) -> Tensor | np.ndarray:
        """The rows of each minibatch of an epoch."""
        return self.train.shuffled(self.settings.batch_size, self.settings.seed, epoch)

    def train_step(self) -> dict[str, Tensor]:
        """One turn of Algorithm 1's loop.

        Returns:
            the named terms of the bound, in nats per data point; valid until the next step.
            With ``skip_nonfinite`` also ``skipped``: 1 if the step was taken back, else 0.

        Raises:
            NonFiniteError: with ``detect_anomaly``, where the first NaN or infinity arose.
            InputError: with ``compile``, in a step that :attr:`is_checked`: the model does something else than
                when its step was recorded; names the line of code.
        """
        epoch, index = divmod(self.step, self.steps_per_epoch)
        if index == 0:
            self.order = self._shuffled(epoch)
        warmup = self.settings.lr_warmup * self.steps_per_epoch
        factor = lr_factor(self.settings.schedule, self.step, self.total_steps, warmup)
        for optimizer in self.optimizers:
            optimizer.advance(factor)
        self.model.advance(self.step, self.total_steps)
        self._kl_cost.advance(self.step, self.total_steps)
        update = self._update
        if isinstance(update, CompiledStep) and self.is_checked:
            update = update.checked  # or what changes with the step would stay as it was at the first one
        with self._watch.anomaly(self.step) if self.settings.detect_anomaly else nullcontext():
            terms = update(*self.train.inputs(self.order[index]))
        if self.step % self._steps_per_reading == 0:
            self.running_steps += 1
            with no_grad():
                self.running |= {name: part + self.running.get(name, 0.0) for name, part in terms.items()}
        self.step += 1
        return terms

    def _update_eagerly(self, rows: Tensor, *stored: Tensor) -> dict[str, Tensor]:
        """Minibatch, bound, gradients and updates for the data points ``rows``: what is compiled."""
        batch = self.train.batch(rows, self.generator, *stored)
        with training_mode() as moved:
            phases = self._kl_cost.phases(batch, self.generator)
        # All gradients before the first update: phases may share a graph.
        gradients = [backward(self._loss(phase), phase.parameters, retain_graph=len(phases) > 1) for phase in phases]
        for optimizer, gradient in zip(self.optimizers, gradients, strict=True):
            optimizer.apply(gradient)
        for target, value in [*moved, *(pair for phase in phases for pair in phase.assignments)]:
            assign(target, value.detach())
        return {name: part.detach() for phase in phases for name, part in phase.terms.items()}

    def _loss(self, phase: Phase) -> Tensor:
        if not self.settings.weight_prior:
            return phase.loss
        # The loss is an average per data point, so the prior counts 1/N (section 5 with Eq. 8).
        return phase.loss - weight_log_prior(phase.parameters) * (1 / len(self.train))

    def running_terms(self) -> dict[str, float]:
        """The averages of the terms read since the last report; empty if there were none. Waits for the device.

        Raises:
            NonFiniteError: one is NaN or infinite; names the step and the terms.
        """
        totals = {name: float(total) for name, total in self.running.items()}
        counted = self.running_steps - totals.pop("skipped", 0.0)
        if not counted:
            return {}
        terms = {name: total / counted for name, total in totals.items()}
        return self._watch.require_terms(terms, "training", self.step)

    def report(self) -> dict[str, float]:
        """Evaluate on the validation and test parts, add a row to the history and return it.

        Raises:
            NonFiniteError: the bound is NaN or infinite, in training or on one of them; or a
                parameter or a moment is; or all steps were skipped. Names what is not finite.
        """
        train = self.running_terms()
        if self.running_steps and not train:
            raise self._watch.error(f"all of the last {self.running_steps} steps read were skipped", self.step)
        row = {"epoch": self.epoch, "samples_seen": self.samples_seen, "seconds": self.seconds}
        row |= put_under("train_", train)
        for name, evaluation in self._evaluations.items():
            row |= put_under(f"{name}_", self._watch.require_terms(evaluation(), name, self.step))
        self._watch.require_state(self.step)
        if self._guard:
            row["skipped"] = self.skipped
        self.history.append(**row)
        self.running, self.running_steps = {}, 0
        if self.is_best:
            self.best = self.model.state_dict()
        return row

    @property
    def is_best(self) -> bool:
        """Whether the model is as it was at the last report, which was the best by the validation part."""
        rows = self.history.rows
        reported = bool(rows) and rows[-1].get("samples_seen") == self.samples_seen
        return self.validation is not None and reported and self._judged().best() == len(rows) - 1

    def _judged(self) -> Judge:
        if self._judge.rows is not self.history.rows:  # a checkpoint's, or another one
            self._judge = Judge(self.history.rows)
        return self._judge

    def take_best(self) -> None:
        """Put the model back to the best report, where there is a validation part; training does not go on then."""
        if self.best is not None:
            self.model.load_state_dict(self.best)

    @property
    def skipped(self) -> int:
        """How many steps were taken back because they left something NaN or infinite. Waits for the device."""
        return int(self._guard.skipped) if self._guard else 0

    def out_of_patience(self) -> bool:
        """Whether the validation bound (or the objective in its place) has not risen for ``patience`` reports."""
        return self._judged().out_of_patience(self.settings.patience)

    # ---------------------------------------------------------- checkpoints

    def __reduce__(self) -> NoReturn:
        """Refused: a copy would train the same parameters with the same moments, beside the original."""
        raise InputError("a Trainer cannot be copied or pickled; make another and give it the state() of this one")

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Everything that :meth:`load_state` needs to go on exactly: arrays, and what JSON can hold.

        Raises:
            NonFiniteError: something in it is NaN or infinite; named.
        """
        self._watch.require_state(self.step)  # or it would take the place of the last good one
        self.running_terms()  # the same of these
        arrays = self._of_model(self.model.state_dict())
        for i, optimizer in enumerate(self.optimizers):
            arrays |= put_under(f"optimizer/{i}/", optimizer.state_dict())
        arrays |= put_under("running/", {name: total.numpy() for name, total in self.running.items()})
        if self._guard:
            arrays["skipped"] = self._guard.skipped.numpy()
        meta = {
            **identity(self),
            "step": self.step,
            "seconds": self.seconds,
            "running_steps": self.running_steps,
            "generator": self.generator.state,
            "history": self.history.rows,
        }
        return arrays, meta

    def best_state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """The model at the best report, and the history up to it."""
        rows = self.history.rows[: self._judged().best() + 1]
        return self._of_model(self.best or {}), {**identity(self), "history": rows}

    def _of_model(self, state: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """A state of the model with the preparation of its data, by the names in a checkpoint."""
        prepared = {} if self.model.preparation is None else self.model.preparation.state()
        return {**put_under("model/", state), **put_under("preparation/", prepared)}

    def load_state(self, arrays: dict[str, np.ndarray], meta: Mapping[str, Any]) -> None:
        """Put back what :meth:`state` gave.

        Raises:
            InputError: it is from another model, other data, or a run with other settings
                (only how long to train, and the step size, may differ); or something is missing or of a wrong kind.
        """
        require_meta(meta)
        instance("arrays", arrays, Mapping, "arrays by name")
        require_same(identity(self), meta)
        require_sums(arrays, len(self.optimizers), meta["running_steps"])
        if stored_preparation(arrays) != self.model.preparation:
            raise InputError("the data were prepared otherwise in the run to resume; expected the same data")
        self.generator.state = meta["generator"]
        self.model.load_state_dict(under("model/", arrays))
        for i, optimizer in enumerate(self.optimizers):
            optimizer.load_state_dict(under(f"optimizer/{i}/", arrays))
        self.running = {
            name: Tensor(backend.asarray(total, backend=self.train.backend))
            for name, total in under("running/", arrays).items()
        }
        if self._guard:
            self._guard.skipped.data[...] = float(arrays.get("skipped", 0))
        self.step, self.seconds, self.running_steps = meta["step"], meta["seconds"], meta["running_steps"]
        self.history = History(meta["history"])
        self.order = self._shuffled(self.epoch)
