"""A run that a command is about: its model, what is known of its data, and the data points themselves."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from .. import backend
from ..datasets import Dataset
from ..datasets.parts import part_of
from ..errors import InputError
from ..models import Model
from ..runs import Run
from ..training import Minibatches
from ..training.own_units import log_jacobian
from . import options
from .matching import with_classes, with_columns, with_units

CHUNK = 500  # data points at a time


class Opened(NamedTuple):
    """A run, its options, its model, and the facts of its data (:func:`minivae.runs.description.facts`).

    Attributes:
        taken: which model of the run it is, in a line, where there are two; else empty.
    """

    run: Run
    options: dict[str, Any]
    model: Model
    facts: dict[str, Any]
    taken: str = ""

    @property
    def image_shape(self) -> tuple[int, ...] | None:
        """Of the data, where it is known."""
        shape = self.facts.get("image_shape")
        return None if shape is None else tuple(shape)

    @property
    def columns(self) -> list[str]:
        """The names of the values of a data point: the file's own, or x_1 to x_D."""
        return self.facts.get("columns") or [f"x_{i + 1}" for i in range(self.model.data_dim)]


def open_run(args: argparse.Namespace) -> Opened:
    """The run that a command names, with its model.

    Raises:
        InputError: what is to be written is the file of the data.
    """
    run = Run.open(args.run)
    own, likelihood = options.own_class(args.model), options.own_likelihood(args.likelihood)
    chosen = options.of_run(run, own)
    _require_apart(args, chosen["data"])
    model = run.load_model(last=args.last, model_class=own, likelihood=likelihood)
    return Opened(run, chosen, model, run.facts, run.which_model(last=args.last) if run.best_path.is_file() else "")


def _require_apart(args: argparse.Namespace, data: str) -> None:
    sources = [source for source in (data, getattr(args, "data", None)) if source and os.path.exists(source)]
    for option in ("out", "rows"):
        path = getattr(args, option, None)
        if path and os.path.exists(path) and any(os.path.samefile(path, source) for source in sources):
            raise InputError(f"--{option} is {path}, which holds the data; choose another file to write")


def open_with_codes(args: argparse.Namespace) -> Opened:
    """The same; raises :class:`InputError` if its model has no latent variable."""
    opened = open_run(args)
    if not opened.model.latent_dim:
        raise InputError(f"the model of {args.run} has no latent variable; expected one that has codes")
    return opened


class Points:
    """Data points as the doors of a model take them: ``encode``, ``bound``, ``log_likelihood``, ``reconstruct``.

    Args:
        opened: the run; its binarization counts here, too.
        dataset: the data.
        part: which of them, one of ``datasets.parts.PARTS``.

    Attributes:
        split: the data points.
        parts: of which part each is, ``(N,)``.
        minibatches: the same for :func:`minivae.training.evaluate`.
        note: what there is to be said of the data, or empty.

    Raises:
        InputError: the model is for data of another length, or is told labels, and the data have none.
    """

    def __init__(self, opened: Opened, dataset: Dataset, part: str, note: str = "") -> None:
        self.dataset, self.part, self.note = dataset, part, note
        self.split, self.parts = part_of(dataset, part)
        self.model = opened.model
        self._binarized = opened.options["binarize"] != "none"
        if self.model.context_dim and self.split.labels is None:
            folder = opened.run.folder
            raise InputError(f"{dataset.name} has no labels, but the model of {folder} is told one for each x")
        of_run = {"binarize": opened.options["binarize"], "dtype": opened.options["dtype"]}
        of_run |= {"preparation": self.model.preparation, "classes": self.model.context_dim}
        self.minibatches = Minibatches(self.split, dataset.scale, **of_run)

    def __len__(self) -> int:
        return len(self.split)

    def decoder(self, context: Any = None) -> Callable[[np.ndarray], np.ndarray]:
        """From codes ``(N, latent_dim)`` to data in their own units, in company of the first row of ``context``."""

        def decode(z: np.ndarray) -> np.ndarray:
            told = None if context is None else context[np.zeros(len(z), int)]
            return self.model.decode(z, told).numpy()

        return decode

    def said(self, text: str) -> str:
        """``text`` below what there is to be said of the data."""
        return f"{self.note}\n{text}" if self.note else text

    @property
    def rows(self) -> np.ndarray:
        """The number of each point, ``(N,)``: in the file where it came in one piece, else in order here."""
        return np.arange(len(self)) if self.split.rows is None else self.split.rows

    @cached_property
    def log_jacobian(self) -> np.ndarray | None:
        """:func:`~minivae.training.own_units.log_jacobian` of the points, ``(N,)``, or None."""
        return log_jacobian(self.model, self.split, self.dataset.scale)

    def at(self, rows: np.ndarray, generator: backend.Generator) -> tuple[Any, Any]:
        """The points at ``rows`` in their own units, ``(M, data_dim)``, and what the model is told beside them.

        The generator draws bits, where the run was trained on such.
        """
        batch = self.minibatches.batch(rows, generator)
        # float64: beside a large value the last digits may be all that varies.
        x = batch.x if self._binarized else self.split.images[rows] / np.float64(self.dataset.scale)
        return x, batch.context

    def chunks(self, seed: int = 0) -> Iterator[tuple[Any, Any]]:
        """All points in order, some at a time; see :meth:`at`."""
        generator = backend.generator(seed, self.minibatches.backend)
        for start in range(0, len(self), CHUNK):
            yield self.at(np.arange(start, min(start + CHUNK, len(self))), generator)


def load_points(opened: Opened, args: argparse.Namespace, usual: str = "test") -> Points:
    """The points that ``--data`` and ``--part`` ask for.

    By default those of the run, of them the part ``usual``; of other data than the run's all.
    """
    dataset = with_units(_load(opened, args.data), opened.facts)
    dataset = with_columns(dataset, opened.facts.get("columns"))
    dataset = with_classes(dataset, opened.facts.get("class_names"), opened.model.context_dim)
    if dataset.data_dim != opened.model.data_dim:
        raise InputError(
            f"{dataset.name} has {dataset.data_dim} columns, "
            f"but the model of {opened.run.folder} has {opened.model.data_dim}"
        )
    note = opened.run.differs(dataset)
    other = "all" if args.data and note else usual
    return Points(opened, dataset, args.part or other, note)


def _load(opened: Opened, data: str | None) -> Dataset:
    chosen = opened.options
    if data is not None:
        return options.load_data({**chosen, "data": os.path.expanduser(data)})
    try:
        return options.load_data(chosen)
    except InputError as error:
        elsewhere = f"if the data of {opened.run.folder} lie elsewhere, say where: --data FILE"
        raise InputError(f"{error}; {elsewhere}") from error
