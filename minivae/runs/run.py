"""A run is a folder: ``config.json``, ``history.csv``, ``model.npz`` and figures."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol, runtime_checkable

import numpy as np

from ..checks import instance, one_of, path_of
from ..errors import InputError, shown
from ..files import file_lock, remove_leftovers
from ..models import MODELS, Model
from ..models.own import is_own
from .checkpoint import as_json, load_checkpoint, save_checkpoint, stored_preparation, under
from .config import read_config, seal, write_config
from .history import History
from .meta import require_meta


@runtime_checkable
class _Resumable(Protocol):
    """What a run's folder asks of a trainer: ``Trainer`` has it, and so may another algorithm's."""

    history: History

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]: ...

    def load_state(self, arrays: dict[str, np.ndarray], meta: dict[str, Any]) -> None: ...


class Run:
    """The folder of one training run.

    Args:
        folder: where it is, or will be.

    Attributes:
        config: what the run was asked for: model, data, settings; as JSON can hold it.
    """

    def __init__(self, folder: str | os.PathLike, config: dict[str, Any] | None = None) -> None:
        self.folder = path_of("folder", folder)
        # A copy: what the caller does with his own later is not what the run was asked for.
        self.config = as_json(instance("config", {} if config is None else config, dict, "a dict, as JSON can hold it"))
        self._holder: int | None = None  # the thread that is in a block of exclusive()

    checkpoint_path = property(lambda self: self.folder / "model.npz", doc="Parameters and all that a resume needs.")
    history_path = property(lambda self: self.folder / "history.csv", doc="Bounds against samples seen.")
    config_path = property(lambda self: self.folder / "config.json", doc="What was asked for.")
    _lock_path = property(lambda self: self.folder / ".lock", doc="There while someone trains.")

    @classmethod
    def create(cls, folder: str | os.PathLike, config: dict[str, Any]) -> Run:
        """Make the folder and write ``config.json``.

        Raises:
            InputError: the folder cannot be written, or holds a run already.
        """
        run = cls(folder, config)
        try:
            run.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"cannot make the folder {folder}: {error.strerror}") from error
        with run.exclusive():
            if any(path.exists() for path in (run.config_path, run.history_path, run.checkpoint_path)):
                raise InputError(f"{folder} holds a run already; choose another folder, or resume it")
            run.save_config()
        return run

    @classmethod
    def open(cls, folder: str | os.PathLike) -> Run:
        """An existing run.

        Raises:
            InputError: there is none; its ``config.json`` was changed or is damaged; or its
                checkpoint, if there is one yet, is damaged or of another run.
        """
        run = cls(folder)
        if not run.config_path.is_file():
            raise InputError(f"{folder} is not a run: it has no config.json")
        run.config = read_config(run.config_path)
        if not is_own(run.config.get("model")):
            one_of(f"model in {run.config_path}", run.config.get("model"), MODELS)
        if run.checkpoint_path.exists():
            run._load()
        return run

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """A ``with`` block in which nobody else trains in this folder. In one thread, blocks may be nested.

        What a killed process left half written is removed first. The lock of a killed
        process is none: see :func:`minivae.files.locks.file_lock`, and where there are no locks.

        Raises:
            InputError: another process or thread trains there, or the folder cannot be written to.
        """
        if self._holder == threading.get_ident():
            yield
            return
        refusal = f"another process or thread is training in {self.folder}"
        with file_lock(self._lock_path, refusal) as held:
            if held:
                remove_leftovers(self.folder)
            self._holder = threading.get_ident()
            try:
                yield
            finally:
                self._holder = None

    def discard(self) -> None:
        """Remove the files of a run that is given up before its first checkpoint, and its folder.

        In a block of :meth:`exclusive`. Whatever else lies in the folder stays, and what
        cannot be removed.
        """
        with suppress(OSError):
            for path in (self.history_path, self.config_path, self._lock_path):
                path.unlink(missing_ok=True)
            self.folder.rmdir()

    def save_config(self) -> None:
        """Write ``config.json``."""
        write_config(self.config_path, self.config)

    def save(self, trainer: _Resumable) -> None:
        """Write the history and the checkpoint, each atomically."""
        instance("trainer", trainer, _Resumable, "a Trainer")
        arrays, meta = trainer.state()
        # The history first: whoever is stopped in between and goes on from the older checkpoint writes it
        # again, but a checkpoint of the last step would leave nothing to go on with.
        trainer.history.save(self.history_path)
        save_checkpoint(self.checkpoint_path, arrays, {**meta, "seal": seal(self.config)})

    def restore(self, trainer: _Resumable) -> None:
        """Put the checkpoint's state into a trainer made for the same run; without one it stays at its start."""
        instance("trainer", trainer, _Resumable, "a Trainer")
        if self.checkpoint_path.exists():
            arrays, meta = self._load()
            with self._naming_the_checkpoint():
                trainer.load_state(arrays, meta)

    def model_class(self, own: type[Model] | None = None) -> type[Model]:
        """The class of the run's model.

        Args:
            own: the class, if it is the user's own: a run's files never make code run, so it is not looked for.

        Raises:
            InputError: it is the user's own and was not given; or another class was.
        """
        name = self.config["model"]
        if own is None and is_own(name):
            raise InputError(
                f"{self.folder} is of a model of your own, whose code a run does not start; name it again: "
                f"--model {name}, in Python load_model(model_class={name.rpartition(':')[2]})"
            )
        kind = MODELS.get(name)
        if own is not None and not (own is kind or (is_own(name) and own.__qualname__ == name.rpartition(":")[2])):
            raise InputError(f"model_class is {shown(own)}, but the model of {self.folder} is {name}")
        return own or MODELS[name]

    def load_model(self, *, model_class: type[Model] | None = None, **options: Any) -> Model:
        """The trained model.

        Args:
            model_class: the class, if it is the user's own.
            options: ``dtype`` and ``backend`` of its constructor.
        """
        arrays, meta = self._load("model")
        kind = self.model_class(model_class)
        with self._naming_the_checkpoint():
            model = kind(**meta["model"], **options)
            model.load_state_dict(under("model/", arrays))
            model.preparation = stored_preparation(arrays)
        return model

    def load_history(self) -> History:
        """The history of the checkpoint."""
        return History(self._load("history")[1]["history"])

    def _load(self, *fields: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """The checkpoint, if it is of this run; those fields of its metadata have been checked.

        Everything that the config says and that may not change is in its seal, which the checkpoint has, too:
        a checkpoint copied from another run, or a config written anew, is found by this one comparison.
        """
        if not self.checkpoint_path.is_file():
            raise InputError(f"{self.folder} has no model.npz: nothing has been trained there yet")
        arrays, meta = load_checkpoint(self.checkpoint_path)
        if meta.get("seal") != seal(self.config):
            raise InputError(
                f"{self.checkpoint_path} is of another run: its configuration was not that of {self.config_path.name}; "
                "put back the file that was changed, or begin another run: minivae train --out FOLDER"
            )
        if fields:
            with self._naming_the_checkpoint():
                require_meta(meta, *fields)
        return arrays, meta

    @contextmanager
    def _naming_the_checkpoint(self) -> Iterator[None]:
        """A ``with`` block whose errors are about what the checkpoint holds."""
        try:
            yield
        except (InputError, TypeError) as error:  # a TypeError: of arguments that the model has not
            raise InputError(f"{self.checkpoint_path} does not fit: {error!s:.400}") from error
