"""Algorithm 1: minibatches, noise, gradients, updates, until convergence."""

from __future__ import annotations

import inspect
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..checks import instance, known_names, switch
from ..datasets import Dataset
from ..datasets.domain import REAL
from ..datasets.preparation import Preparation
from ..errors import InputError
from ..models import Model
from ..progress import progress_bar
from ..runs.description import description
from ..runs.history import History
from ..runs.run import Run
from .callbacks import Callbacks, in_short
from .interrupt import Interrupt, deferred_interrupt
from .settings import Settings
from .trainer import Trainer

if TYPE_CHECKING:
    from tqdm.auto import tqdm

# How often the running bound is read. Reading makes the host wait for a GPU, so it is
# done once in so many steps and not in each.
STEPS_PER_READING = 100


def fit(
    model: Model,
    dataset: Dataset | Any,
    *,
    run: Run | None = None,
    resume: bool = False,
    progress: bool = True,
    callbacks: Sequence[Any] = (),
    **settings: Any,
) -> History:
    """Train a model.

    Args:
        model: changes in place. With a validation part it ends as the best one by it, else as the last one.
        dataset: from ``datasets.load``, or made with ``Dataset``; or an array ``(N, D)``, as
            ``Dataset.from_arrays`` takes it, whose columns are standardized where p(x|z) is a density of real numbers.
        run: a folder for history and checkpoints, as ``Run.create("runs/mine")`` makes it, which every command
            opens afterwards; nothing is written without one.
        resume: go on from the checkpoint in ``run``, or from the start if there is none yet, exactly:
            the result equals that of an uninterrupted run bit for bit on NumPy. With more ``epochs`` than before,
            what is a share of the run (a schedule, a temperature, a capacity) goes on by the new length.
        progress: show a bar with epoch, bounds and KL, on standard error.
        callbacks: objects with some of the methods of :class:`~minivae.training.Callback`.
        settings: see :class:`Settings`.

    Returns:
        the history, a row for each ``report_every`` epochs.

    Raises:
        InputError: arguments, data and model do not fit together, or another process trains in
            the folder of ``run``, or it has a checkpoint and ``resume`` is not True; before work starts; a setting of
            another name, with the nearest. Or a file there cannot be written.
        NonFiniteError: the bound, a parameter or a moment became NaN or infinite; found by the
            next report, and named; the last good checkpoint stays.
        KeyboardInterrupt: SIGINT or SIGTERM came; a checkpoint was written first.
    """
    switch("resume", resume)
    switch("progress", progress)
    if resume and run is None:
        raise InputError("resume is True without a run; expected the folder of the run to resume")
    Callbacks(callbacks)
    data = _as_dataset(model, dataset)
    trainer = Trainer(model, data, _settings(settings))
    # What is refused is refused before anything is touched.
    if run is not None and instance("run", run, Run, "a Run").checkpoint_path.exists():
        if not resume:
            raise InputError(f"{run.folder} holds a checkpoint; expected resume=True, to go on, or another folder")
        run.require_data(data)
        run.restore(trainer)
    with _exclusive(run):
        if run is not None:
            run.describe(description(model, data, vars(trainer.settings), trainer.dataset))
            if resume:
                run.restore(trainer)
        history = run_to_end(trainer, run, progress, callbacks)
    trainer.take_best()
    return history


def _as_dataset(model: Model, data: Any) -> Any:
    """An array as a data set in its own units, whatever these are: as the model's data were prepared; or standardized,
    for a density of real numbers; or bytes of pictures as parts of 255.
    """
    if isinstance(data, Dataset) or not hasattr(data, "shape") or not isinstance(model, Model):
        return data
    made = Dataset.from_arrays(data)
    found = made.as_stored()
    if model.preparation is not None:
        return replace(found, preparation=model.preparation)
    if model.domain is REAL:
        return found.prepared("standardize")
    if made.scale == 1 or model.domain.step == 1:
        return found
    return replace(found, preparation=Preparation("unit", *np.outer([0.0, made.scale], np.ones(made.data_dim))))


def _settings(given: dict[str, Any]) -> Settings:
    arguments = [p.name for p in inspect.signature(fit).parameters.values() if p.kind is not p.VAR_KEYWORD]
    known_names("fit", given, [*(field.name for field in fields(Settings)), *arguments])
    return Settings(**given)


def run_to_end(
    trainer: Trainer, run: Run | None = None, progress: bool = True, callbacks: Sequence[Any] = ()
) -> History:
    """Train until all epochs are done or patience runs out. See :func:`fit`.

    Saved is at the first report, then at the first one after each ``run.pace.seconds``, at an interrupt, before the
    error of a callback, and at the end; so what saving costs for each epoch does not grow with the history. The
    trainer's model ends as the last one, so that it could go on; :meth:`Trainer.take_best` has the best one.
    """
    instance("trainer", trainer, Trainer, "a Trainer")
    called = Callbacks(callbacks)
    # A run that diverges ends in one NonFiniteError; NumPy's warnings on the way there say less.
    quiet = np.errstate(all="ignore")
    ending = _ending(called, trainer)
    with _exclusive(run), quiet, ending, deferred_interrupt() as interrupt, _bar(trainer, progress) as bar:
        keep = _Keeper(run, trainer)
        while trainer.step < trainer.total_steps and not trainer.out_of_patience():
            if _train_until_report(trainer, bar, interrupt, called):
                row = trainer.report()
                keep.if_due()
                with keep.at_an_error():
                    called.call("on_report", trainer, row)
            if interrupt.signal is not None:
                keep.now()
                raise KeyboardInterrupt(interrupt.signal)
        keep.now()
    return trainer.history


class _Keeper:
    """Saves a trainer in its run, if there is one, and nothing twice."""

    def __init__(self, run: Run | None, trainer: Trainer) -> None:
        self._run, self._trainer, self._step = run, trainer, trainer.step or None

    def now(self) -> None:
        """Save what is not saved yet."""
        if self._run is not None and self._step != self._trainer.step:
            self._run.save(self._trainer)
            self._step = self._trainer.step

    def if_due(self) -> None:
        """The same, if it is time."""
        if self._run is not None and self._run.pace.is_due():
            self.now()

    @contextmanager
    def at_an_error(self) -> Iterator[None]:
        """A ``with`` block whose error costs nothing that was trained."""
        try:
            yield
        except Exception:
            self.now()
            raise


def _exclusive(run: Run | None) -> AbstractContextManager[None]:
    return nullcontext() if run is None else instance("run", run, Run, "a Run").exclusive()


@contextmanager
def _ending(called: Callbacks, trainer: Trainer) -> Iterator[None]:
    """A ``with`` block after which callbacks are told of the end, whatever it was."""
    try:
        yield
    finally:
        called.call("on_end", trainer)


def _train_until_report(trainer: Trainer, bar: tqdm, interrupt: Interrupt, called: Callbacks) -> bool:
    """Steps up to the next row of the history; whether an interrupt did not come first."""
    per_report = trainer.settings.report_every * trainer.steps_per_epoch
    end = min((trainer.step // per_report + 1) * per_report, trainer.total_steps)
    start = time.perf_counter()
    while trainer.step < end and interrupt.signal is None:
        terms = trainer.train_step()
        bar.update(trainer.settings.batch_size)
        called.call("on_step", trainer, terms)
        if trainer.step % STEPS_PER_READING == 0:
            bar.set_postfix_str(_standing(trainer), refresh=False)
    trainer.running_terms()  # waits for the device, so that the seconds are those of finished work
    trainer.seconds += time.perf_counter() - start
    return trainer.step == end


def _standing(trainer: Trainer) -> str:
    """What the bar says beside how far it is. Waits for the device."""
    rows = trainer.history.rows
    words = in_short(trainer.running_terms(), rows[-1] if rows else {})
    return f"epoch {min(trainer.epoch + 1, trainer.settings.epochs)}" + (words and f", {words}")


def _bar(trainer: Trainer, progress: bool) -> tqdm:
    return progress_bar(
        total=trainer.total_steps * trainer.settings.batch_size,
        initial=trainer.samples_seen,
        unit="sample",
        unit_scale=True,
        disable=not progress,
    )
