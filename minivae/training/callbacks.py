"""What is called while a model is trained: after each step, at each report, at the end."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..autodiff import Tensor
from ..checks import path_of, sequence
from ..errors import InputError, shown
from ..models.own import find_class, is_own
from ..optional import import_optional
from ..runs.checkpoint import under
from ..runs.pace import SECONDS, Pace
from ..slips import did_you_mean

if TYPE_CHECKING:
    from .trainer import Trainer

ARGUMENTS = {"on_step": ("trainer", "terms"), "on_report": ("trainer", "row"), "on_end": ("trainer",)}


class _ByItsMethods(type):
    """Of :class:`Callback`: a class counts as derived if it has such a method, or one that may have been meant so."""

    def __subclasscheck__(cls, kind: type) -> bool:
        return super().__subclasscheck__(kind) or (cls is Callback and bool(_methods(kind)))


class Callback(metaclass=_ByItsMethods):
    """A base that does nothing; any object with one of these methods is a callback, whatever it derives from."""

    def on_step(self, trainer: Trainer, terms: dict[str, Tensor]) -> None:
        """After each step. ``terms`` are of its minibatch, 0-d, until the next step; to read one waits for a GPU."""

    def on_report(self, trainer: Trainer, row: dict[str, float]) -> None:
        """After each report, with the new row of the history; what it raises ends the run when all has been saved."""

    def on_end(self, trainer: Trainer) -> None:
        """When training ends, in whatever way: all epochs done, patience gone, an interrupt or an error."""


class CSVLogger(Callback):
    """Writes the history as CSV, atomically; for training without a run's folder, which has one.

    Args:
        path: of the file.
        seconds: it is written at the first report after so many, and at the end; 0 for each report.
    """

    def __init__(self, path: str | os.PathLike, seconds: float = SECONDS) -> None:
        self.path, self._pace, self._rows = path_of("path", path), Pace(seconds), 0

    def on_report(self, trainer: Trainer, row: dict[str, float]) -> None:
        """Write all rows, if it is time."""
        if self._pace.is_due():
            self._write(trainer)

    def on_end(self, trainer: Trainer) -> None:
        """Write all rows, if some are not written yet."""
        if len(trainer.history) != self._rows:
            self._write(trainer)

    def _write(self, trainer: Trainer) -> None:
        trainer.history.save(self.path)
        self._rows = len(trainer.history)
        self._pace.done()


class TensorBoard(Callback):
    """Writes each report's numbers for TensorBoard, against the training samples seen.

    A column ``validation_bound`` is the scalar ``validation/bound``. Needs tensorboardX, or PyTorch with tensorboard.

    Args:
        folder: where event files go.

    Raises:
        InputError: neither is installed.
    """

    def __init__(self, folder: str | os.PathLike) -> None:
        self.folder = path_of("folder", folder)
        self._make, self._writer = _summary_writer(), None

    def on_report(self, trainer: Trainer, row: dict[str, float]) -> None:
        """A scalar for each column but the one that they are drawn against."""
        self._writer = self._writer or self._make(str(self.folder))
        for name, value in row.items():
            if name != "samples_seen":
                self._writer.add_scalar(name.replace("_", "/", 1), value, trainer.samples_seen)
        self._writer.flush()

    def on_end(self, trainer: Trainer) -> None:
        """Close the file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _summary_writer() -> Any:
    reasons = []
    for name in ("tensorboardX", "torch.utils.tensorboard"):
        try:
            return import_optional(name, "SummaryWriter").SummaryWriter
        except ImportError as error:
            reasons.append(str(error))
    raise InputError(f"TensorBoard needs tensorboardX ({reasons[0]}): pip install 'minivae[tensorboard]'")


class Callbacks:
    """All callbacks of a training as one.

    Args:
        callbacks: a list of objects with methods of :class:`Callback`.

    Raises:
        InputError: one of them has none of the methods, one that is none of them (``on_epoch``), or one that does
            not take what it is called with; names the nearest right thing.
    """

    def __init__(self, callbacks: Sequence[Any] = ()) -> None:
        self._all = list(sequence("callbacks", callbacks, "a list of callbacks"))
        for i, callback in enumerate(self._all):
            _require_callback(f"callbacks[{i}]", callback)

    def call(self, method: str, *arguments: Any) -> None:
        """``on_step``, ``on_report`` or ``on_end`` of each that has it, in order."""
        for callback in self._all:
            if hasattr(callback, method):
                getattr(callback, method)(*arguments)


def _methods(callback: Any) -> list[str]:
    """The names that methods of a callback have, or nearly."""
    return [name for name in dir(callback) if name.startswith("on_")]


def _require_callback(name: str, callback: Any) -> None:
    if isinstance(callback, type):
        raise InputError(
            f"{name} is the class {callback.__name__}; expected an object, such as {callback.__name__}(...)"
        )
    found = _methods(callback)
    for method in found:
        if method not in ARGUMENTS:
            hint = did_you_mean(method, ARGUMENTS)
            raise InputError(f"{name} has a method {method}; expected {', '.join(ARGUMENTS)}{hint}")
        try:
            inspect.signature(getattr(callback, method)).bind(*ARGUMENTS[method])
        except TypeError as error:
            expected = ", ".join(ARGUMENTS[method])
            raise InputError(f"{name} has a method {method} that does not take ({expected}): {error}") from error
    if not found:
        raise InputError(f"{name} is {shown(callback)}; expected an object with {', '.join(ARGUMENTS)}")


def of_names(names: Sequence[str]) -> list[Callback]:
    """An object of each class of the user's own, by name: ``file.py:Class`` or ``package.module:Class``.

    Raises:
        InputError: there is no such class, its code fails, it is no :class:`Callback`, or it needs arguments.
    """
    made = []
    for name in names:
        if not is_own(name):
            raise InputError(f"callback is {shown(name)}; expected file.py:Class or package.module:Class")
        _, kind = find_class("callback", name, {}, Callback, "minivae.callbacks")
        try:
            made.append(kind())
        except TypeError as error:
            raise InputError(f"callback is {name}, which cannot be made without arguments: {error}") from error
    Callbacks(made)
    return made


def in_short(terms: Mapping[str, float], row: Mapping[str, float]) -> str:
    """Where a training stands, in a few words: the train bound, the validation (or test) bound of a row, the KL."""
    held = "validation" if any(name.startswith("validation_") for name in row) else "test"
    words = [f"{split} {_first(part)}" for split, part in (("train", terms), (held, under(f"{held}_", row))) if part]
    if "kl" in terms:
        words.append(f"KL {terms['kl']:.2f}")
    return ", ".join(words)


def _first(terms: Mapping[str, float]) -> str:
    name, value = next(iter(terms.items()))
    return f"{name.replace('_', ' ')} {value:.2f}"


class Lines(Callback):
    """A line for each report, where there is no terminal to draw a bar on."""

    def on_report(self, trainer: Trainer, row: dict[str, float]) -> None:
        """Print it, at once."""
        where = f"epoch {trainer.epoch} of {trainer.settings.epochs}"
        print(f"{where}: {in_short(under('train_', row), row)}, {row['seconds']:.1f} s", flush=True)
