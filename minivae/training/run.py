"""A run is a folder: ``config.json``, ``history.csv``, ``model.npz`` and figures."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import InputError, one_of
from ..files import atomic_path
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

    checkpoint_path = property(lambda self: self.folder / "model.npz", doc="Parameters and all that a resume needs.")
    history_path = property(lambda self: self.folder / "history.csv", doc="Bounds against samples seen.")
    config_path = property(lambda self: self.folder / "config.json", doc="What was asked for.")

    @classmethod
    def create(cls, folder: str | os.PathLike, config: dict[str, Any]) -> Run:
        """Make the folder and write ``config.json``.

        Raises:
            InputError: the folder cannot be written, or holds a run already.
        """
        run = cls(folder, config)
        if any(path.exists() for path in (run.config_path, run.history_path, run.checkpoint_path)):
            raise InputError(f"{folder} holds a run already; choose another folder, or resume it")
        try:
            run.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"cannot make the folder {folder}: {error.strerror}") from error
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

    def save_config(self) -> None:
        """Write ``config.json``."""
        with atomic_path(self.config_path) as temporary:
            temporary.write_text(json.dumps(self.config, indent=2) + "\n", encoding="utf-8")

    def save(self, trainer: Trainer) -> None:
        """Write the checkpoint and the history, each atomically."""
        arrays, meta = trainer.state()
        save_checkpoint(self.checkpoint_path, arrays, {"minivae": __version__, **meta})
        trainer.history.save(self.history_path)

    def restore(self, trainer: Trainer) -> None:
        """Put the checkpoint's state into a trainer made for the same run."""
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
