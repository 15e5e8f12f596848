"""A run is a folder: ``config.json``, ``history.csv``, ``model.npz`` and figures."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import InputError, one_of
from ..files import atomic_path, remove_leftovers
from ..locks import file_lock
from ..models import MODELS, Model
from .checkpoint import load_checkpoint, save_checkpoint, under
from .history import History
from .trainer import Trainer


class Run:
    """The folder of one training run.

    Args:
        folder: where it is, or will be.

    Attributes:
        config: what the run was asked for: model, data, settings; as JSON can hold it.
    """

    def __init__(self, folder: str | os.PathLike, config: dict[str, Any] | None = None) -> None:
        self.folder = Path(folder)
        self.config = config or {}
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
            InputError: there is none, or its ``config.json`` is damaged.
        """
        run = cls(folder)
        if not run.config_path.is_file():
            raise InputError(f"{folder} is not a run: it has no config.json")
        try:
            run.config = json.loads(run.config_path.read_text(encoding="utf-8"))
            one_of("model", run.config.get("model"), MODELS)
        except (OSError, ValueError, AttributeError) as error:
            raise InputError(f"{run.config_path} is damaged: {error}") from error
        return run

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """A ``with`` block in which nobody else trains in this folder. In one thread, blocks may be nested.

        What a killed process left half written is removed first. The lock of a killed
        process is none: see :func:`minivae.locks.file_lock`, and where there are no locks.

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
        with atomic_path(self.config_path) as temporary:
            temporary.write_text(json.dumps(self.config, indent=2) + "\n", encoding="utf-8")

    def save(self, trainer: Trainer) -> None:
        """Write the history and the checkpoint, each atomically."""
        arrays, meta = trainer.state()
        # The history first: whoever is stopped in between and goes on from the older checkpoint writes it
        # again, but a checkpoint of the last step would leave nothing to go on with.
        trainer.history.save(self.history_path)
        save_checkpoint(self.checkpoint_path, arrays, {"minivae": __version__, **meta})

    def restore(self, trainer: Trainer) -> None:
        """Put the checkpoint's state into a trainer made for the same run; without one it stays at its start."""
        if self.checkpoint_path.exists():
            trainer.load_state(*self._load())

    def load_model(self, **options: Any) -> Model:
        """The trained model. ``options`` are ``dtype`` and ``library`` of its constructor."""
        arrays, meta = self._load()
        model = MODELS[self.config["model"]](**meta["model"], **options)
        model.load_state_dict(under("model/", arrays))
        return model

    def load_history(self) -> History:
        """The history of the checkpoint."""
        return History(self._load()[1]["history"])

    def _load(self) -> tuple[dict, dict]:
        if not self.checkpoint_path.is_file():
            raise InputError(f"{self.folder} has no model.npz: nothing has been trained there yet")
        return load_checkpoint(self.checkpoint_path)
