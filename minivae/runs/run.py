"""A run is a folder: ``config.json``, ``history.csv``, ``model.npz``, maybe ``best.npz``, and figures."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from ..backend import float_dtype, get_backend
from ..checks import instance, one_of, path_of, switch
from ..datasets import Dataset
from ..datasets.digest import digest
from ..errors import InputError
from ..files import file_lock, is_temporary, make_folder, remove_leftovers, require_only
from ..models import MODELS, Model
from ..models.own import is_own, require_named
from ..models.vae import DECODERS
from .checkpoint import as_json, load_checkpoint, save_checkpoint, under
from .config import WHAT_TO_DO, meant_run, read_config, seal, write_config
from .history import History
from .loading import loaded, require_same_shapes
from .meta import require_meta
from .pace import Pace
from .resumable import Judged, Resumable


class Run:
    """The folder of one training run.

    Args:
        folder: where it is, or will be.

    Attributes:
        config: what the run was asked for: model, data, settings; as JSON can hold it.
        pace: when a training that reports saves again; ``run.pace = Pace(0)`` for each report.
    """

    def __init__(self, folder: str | os.PathLike, config: dict[str, Any] | None = None) -> None:
        self.folder = path_of("folder", folder)
        # A copy: what the caller does with his own later is not what the run was asked for.
        self.config = as_json(instance("config", {} if config is None else config, dict, "a dict, as JSON can hold it"))
        self.pace = Pace()
        self._holder: int | None = None  # the thread that is in a block of exclusive()
        self._best: Any = None  # what the file of the best report holds, as the trainer has it

    checkpoint_path = property(lambda self: self.folder / "model.npz", doc="Parameters and all that a resume needs.")
    best_path = property(lambda self: self.folder / "best.npz", doc="The model at the best report, if one was judged.")
    history_path = property(lambda self: self.folder / "history.csv", doc="Bounds against samples seen.")
    config_path = property(lambda self: self.folder / "config.json", doc="What was asked for.")
    _lock_path = property(lambda self: self.folder / ".lock", doc="There while someone trains.")

    @classmethod
    def create(cls, folder: str | os.PathLike, config: dict[str, Any] | None = None) -> Run:
        """Make the folder and write ``config.json``.

        Args:
            folder: where it will be.
            config: what is to stand in ``config.json``. :func:`minivae.fit` adds all that a command asks of a run
                (:func:`~minivae.runs.description`), so that a program need say nothing.

        Raises:
            InputError: the folder cannot be written, or holds a run already, or other files.
        """
        run = cls(folder, config)
        run.config.setdefault("id", secrets.token_hex(8))  # a checkpoint is of this run, and not of one like it
        run._require_room()  # before anything is touched
        make_folder(run.folder)
        with run.exclusive():
            run._require_room()  # another process may have been here
            run.save_config()
        return run

    def _require_room(self) -> None:
        paths = self.config_path, self.history_path, self.checkpoint_path, self.best_path
        if any(path.exists() for path in paths):
            raise InputError(f"{self.folder} holds a run already; choose another folder, or resume it")
        ours = (self._lock_path.name,)
        require_only(self.folder, lambda name: name in ours or is_temporary(name), "a new or empty folder")

    @classmethod
    def open(cls, folder: str | os.PathLike) -> Run:
        """An existing run.

        Raises:
            InputError: there is none; its ``config.json`` was changed or is damaged; or its
                checkpoint, if there is one yet, is damaged or of another run.
        """
        run = cls(folder)
        if not run.config_path.is_file():
            if run.checkpoint_path.exists():
                raise InputError(f"{folder} has model.npz but no config.json; {WHAT_TO_DO}")
            raise InputError(f"{folder} is not a run: it has no config.json{meant_run(run.folder)}")
        run.config = read_config(run.config_path)
        if not is_own(run.config.get("model")):
            one_of(f"model in {run.config_path}", run.config.get("model"), MODELS)
        if run.checkpoint_path.exists():
            run._load(run.checkpoint_path)
        return run

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """A ``with`` block in which nobody else trains in this folder. In one thread, blocks may be nested.

        What a killed process left half written is removed first, and nothing that a living one
        is writing, which may be drawing figures here. The lock of a killed process is none: see
        :func:`minivae.files.locks.file_lock`, and where there are no locks.

        Raises:
            InputError: another process or thread trains there, or the folder cannot be written to.
        """
        if self._holder == threading.get_ident():
            yield
            return
        refusal = f"another process or thread is training in {self.folder}"
        with file_lock(self._lock_path, refusal):
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
            for path in (self.history_path, self.config_path, self.best_path, self._lock_path):
                path.unlink(missing_ok=True)
            self.folder.rmdir()

    def save_config(self) -> None:
        """Write ``config.json``."""
        write_config(self.config_path, self.config)

    def describe(self, description: Mapping[str, Any]) -> None:
        """Add what a run is to its config and write it; what else stands there stays.

        Of a run that has a checkpoint nothing is changed: it said so when it began.
        """
        instance("description", description, Mapping, "values by name")
        if not self.checkpoint_path.exists():
            said = self.config.get("options")
            options = {**(said if isinstance(said, dict) else {}), **description.get("options", {})}
            self.config = as_json({**self.config, **description, "options": options})
            self.save_config()

    @property
    def facts(self) -> dict[str, Any]:
        """What is known of the run's data (:func:`minivae.runs.description.facts`); empty if the run does not say."""
        found = self.config.get("dataset")
        return found if isinstance(found, dict) else {}

    def differs(self, dataset: Dataset) -> str:
        """What to say if ``dataset`` is not what the run was trained on; empty if it is, or if the run does not say."""
        instance("dataset", dataset, Dataset, "a Dataset")
        known = self.facts.get("digest")
        if known in (None, digest(dataset)):
            return ""
        return f"{dataset.name} holds other data, or in other parts, than {self.folder} was trained on"

    def require_data(self, dataset: Dataset) -> None:
        """Raise :class:`InputError` if ``dataset`` is not what the run was trained on: it would not go on, but mix."""
        if said := self.differs(dataset):
            raise InputError(f"{said}; put them back, or begin another run: minivae train --init-from {self.folder}")

    def save(self, trainer: Resumable) -> None:
        """Write the history, the model of the best report if it is a new one, and the checkpoint, each atomically."""
        instance("trainer", trainer, Resumable, "a Trainer")
        arrays, meta = trainer.state()
        meta["seal"] = seal(self.config)
        # The history first: whoever is stopped in between and goes on from the older checkpoint writes it
        # again, but a checkpoint of the last step would leave nothing to go on with.
        trainer.history.save(self.history_path)
        # Then the best, for the same reason: after the other it would be missed by whoever goes on from there.
        if isinstance(trainer, Judged) and trainer.best is not self._best:
            best, about = trainer.best_state()
            save_checkpoint(self.best_path, best, {**about, "seal": meta["seal"]})
            self._best = trainer.best
        save_checkpoint(self.checkpoint_path, arrays, meta)
        self.pace.done()

    def restore(self, trainer: Resumable) -> None:
        """Put the checkpoint's state into a trainer made for the same run; without one it stays at its start."""
        instance("trainer", trainer, Resumable, "a Trainer")
        if self.checkpoint_path.exists():
            arrays, meta = self._load(self.checkpoint_path)
            best = under("model/", self._load(self.best_path)[0]) if self.best_path.is_file() else None
            with _naming(self.checkpoint_path):
                trainer.load_state(arrays, meta)
            if isinstance(trainer, Judged):
                trainer.best = self._best = best

    def model_class(self, own: type[Model] | None = None) -> type[Model]:
        """The class of the run's model.

        Args:
            own: the class, if it is the user's own: a run's files never make code run, so it is not looked for.

        Raises:
            InputError: it is the user's own and was not given; or another class was.
        """
        require_named(str(self.folder), "model", self.config["model"], own, MODELS, "model_class")
        return own or MODELS[self.config["model"]]

    @property
    def has_own_code(self) -> bool:
        """Whether its model or its likelihood is the user's own, whose code a run does not start."""
        arguments = self.config.get("model_config")
        likelihood = arguments.get("likelihood") if isinstance(arguments, dict) else None
        return is_own(self.config["model"]) or is_own(likelihood)

    def load_model(
        self,
        *,
        last: bool = False,
        model_class: type[Model] | None = None,
        likelihood: type | None = None,
        dtype: Any = None,
        backend: str | None = None,
    ) -> Model:
        """The trained model: the best by the validation part where there is one, else the last.

        Args:
            last: the last one in any case.
            model_class: the class, if it is the user's own.
            likelihood: the class of its likelihood, if that is the user's own.
            dtype: of its weights; the one that it was trained in if None.
            backend: where they live; the default backend if None, as a run of a GPU is opened where there is none.

        Raises:
            InputError: a class of the user's own was not given, or another one was; or nothing has been trained yet.
        """
        path = self._model_path(last)
        arrays, meta = self._load(path, "model")
        kind, arguments = self.model_class(model_class), meta["model"]
        require_named(str(self.folder), "likelihood", arguments.get("likelihood"), likelihood, DECODERS, "likelihood")
        dtype = None if dtype is None else float_dtype(dtype)
        backend = None if backend is None else get_backend(backend).name
        own = {} if likelihood is None else {"likelihood": likelihood}
        with _naming(path):
            return loaded(kind, arguments | own, arrays, dtype=dtype, backend=backend)

    def initialize(self, model: Model) -> None:
        """Begin with the run's weights: copy them into another model, whose weights must have the same shapes.

        Raises:
            InputError: one does not fit; names the first.
        """
        asked, found = instance("model", model, Model, "a Model").state_dict(), self.load_weights()
        require_same_shapes(self.folder, found, asked)
        model.load_state_dict(found)

    def load_weights(self, *, last: bool = False) -> dict[str, np.ndarray]:
        """The arrays of the model that :meth:`load_model` takes, by name: its parameters, and its state beside them."""
        return under("model/", self._load(self._model_path(last))[0])

    def which_model(self, *, last: bool = False) -> str:
        """What :meth:`load_model` takes, in words: of which epoch, and whether it is the best or the last."""
        path = self._model_path(last)
        rows = self._load(path, "history")[1]["history"]
        kind = "the last" if path == self.checkpoint_path else "the best by the validation part"
        return f"{kind}, of epoch {rows[-1].get('epoch')}" if rows else kind

    def load_history(self) -> History:
        """The history of the checkpoint."""
        return History(self._load(self.checkpoint_path, "history")[1]["history"])

    def _model_path(self, last: bool) -> Path:
        switch("last", last)
        return self.best_path if self.best_path.is_file() and not last else self.checkpoint_path

    def _load(self, path: Path, *fields: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """A checkpoint, if it is of this run; those fields of its metadata have been checked.

        Everything that the config says and that may not change is in its seal, which the checkpoint has, too:
        a checkpoint copied from another run, or a config written anew, is found by this one comparison.
        """
        if not path.is_file():
            raise InputError(
                f"{self.folder} has no {path.name}: nothing has been trained there yet; "
                f"minivae train --resume {self.folder} begins"
            )
        try:
            arrays, meta = load_checkpoint(path)
        except InputError as error:
            raise InputError(f"{error}; {WHAT_TO_DO}") from error
        if meta.get("seal") != seal(self.config):
            raise InputError(
                f"{path} is of another run: its configuration was not that of {self.config_path.name}; {WHAT_TO_DO}"
            )
        if fields:
            with _naming(path):
                require_meta(meta, *fields)
        return arrays, meta


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """A ``with`` block whose errors are about what the checkpoint at ``path`` holds."""
    try:
        yield
    except (InputError, TypeError) as error:  # a TypeError: of arguments that the model has not
        raise InputError(f"{path} does not fit: {error!s:.400}") from error
