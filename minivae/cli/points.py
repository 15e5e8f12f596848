"""The data points that a command takes: those of the run, or others, brought into its units and order."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from .. import backend
from ..datasets import Dataset
from ..datasets.parts import part_of
from ..errors import InputError
from ..training import Minibatches
from ..training.own_units import log_jacobian
from ..training.validation import with_validation
from . import options
from .matching import with_classes, with_columns, with_units
from .opened import Opened

CHUNK = 500  # data points at a time
SAID = ("array", "points_axis", "labels", "header")  # how --data are read, where the command line says it


class Points:
    """Data points as the doors of a model take them: ``encode``, ``bound``, ``log_likelihood``, ``reconstruct``.

    Args:
        opened: the run; its binarization counts here, too.
        dataset: the data.
        part: which of them, one of ``datasets.parts.PARTS``.
        note: what there is to be said of them, if they are not the run's.

    Attributes:
        split: the data points.
        parts: of which part each is, ``(N,)``; "all" of other data in one piece, of which none was kept from training.
        minibatches: the same for :func:`minivae.training.evaluate`.

    Raises:
        InputError: the model is for data of another length, or is told labels, and the data have none.
    """

    def __init__(self, opened: Opened, dataset: Dataset, part: str, note: str = "") -> None:
        self.dataset, self.part, self.note = dataset, part, note
        self.split, self.parts = part_of(dataset, part)
        if note and self.split.rows is not None:
            self.parts = np.repeat("all", len(self.split))
        self.model = opened.model
        self._binarized = opened.options["binarize"] != "none"
        if self.model.partly_told and self.split.labels is None:
            self.split = replace(self.split, labels=np.full(len(self.split), -1))
        if self.model.context_dim and self.split.labels is None:
            folder = opened.run.folder
            raise InputError(f"{dataset.name} has no labels, but the model of {folder} is told one for each x")
        of_run = {"binarize": opened.options["binarize"], "dtype": opened.options["dtype"]}
        of_run |= {"preparation": self.model.preparation, "classes": self.model.context_dim}
        of_run |= {"partly": self.model.partly_told}
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
    def origin(self) -> dict[str, Any]:
        """Which data, which part of them and, if they are not the run's, that: for JSON."""
        found = {"data": self.dataset.name, "part": self.part}
        return found | ({"data_differ": self.note} if self.note else {})

    @property
    def rows(self) -> np.ndarray:
        """The number of each point, ``(N,)``: in the file where it came in one piece, else in order here."""
        return np.arange(len(self)) if self.split.rows is None else self.split.rows

    @cached_property
    def log_jacobian(self) -> np.ndarray | None:
        """:func:`~minivae.training.own_units.log_jacobian` of the points, ``(N,)``, or None."""
        return log_jacobian(self.model, self.split, self.dataset.scale)

    def at(self, rows: np.ndarray, generator: backend.Generator, complete: bool = False) -> tuple[Any, Any]:
        """The points at ``rows`` in their own units, ``(M, data_dim)``, and what the model is told beside them.

        The generator draws bits, where the run was trained on such. With ``complete`` a label that is missing is the
        likeliest, where a model can say which.
        """
        batch = self.minibatches.batch(rows, generator)
        # float64: beside a large value the last digits may be all that varies.
        x = batch.x if self._binarized else self.split.images[rows] / np.float64(self.dataset.scale)
        return x, self.model.completed(x, batch.context) if complete else batch.context

    @property
    def told(self) -> np.ndarray:
        """The places of the points of which a model has been told all that it is told: not those without a label."""
        labels = self.split.labels
        return np.flatnonzero(labels >= 0) if self.model.partly_told and labels is not None else np.arange(len(self))

    def chunks(self, seed: int = 0, complete: bool = False) -> Iterator[tuple[Any, Any]]:
        """All points in order, some at a time, with bits of a seed; see :meth:`at`."""
        generator = backend.generator(seed, self.minibatches.backend)
        for start in range(0, len(self), CHUNK):
            yield self.at(np.arange(start, min(start + CHUNK, len(self))), generator, complete)


# --------------------------------------------------------------- which they are


def load_points(opened: Opened, args: argparse.Namespace, usual: str = "test") -> Points:
    """The points that ``--data`` and ``--part`` ask for: by default the part ``usual`` of the run's data.

    Of data that are not the run's no row was kept from its training by the run: they are taken whole, or one of the
    parts that they come in.

    Raises:
        InputError: they cannot be read, are of another length, have no such part, or others than the run's no such
            part of their own.
    """
    said = {name: value for name in SAID if (value := getattr(args, name)) is not None}
    dataset = _of_run(opened, said) if args.data is None else _elsewhere(opened, os.path.expanduser(args.data), said)
    if dataset.data_dim != opened.model.data_dim:
        raise InputError(
            f"{dataset.name} has {dataset.data_dim} columns, "
            f"but the model of {opened.run.folder} has {opened.model.data_dim}"
        )
    if note := opened.run.differs(dataset):
        part = args.part or "all"
        return Points(opened, dataset, part, f"{note}; {_taken(dataset, part)}")
    if opened.options["patience"] is not None:  # which has set rows apart
        dataset = with_validation(dataset, opened.options["seed"], opened.model.least_points)
    return Points(opened, dataset, args.part or usual)


def _taken(dataset: Dataset, part: str) -> str:
    """Which points of other data are taken, in words."""
    own = [name for name, split in dataset.parts.items() if split.rows is None]
    if part not in (*own, "all"):
        raise InputError(
            f"part is {part!r}, but {dataset.name} is not what the run was trained on, and comes without such a part; "
            f"expected {' or '.join([*own, 'all'])}"
        )
    split, _ = part_of(dataset, part)
    told = "" if split.labels is None else ", with labels"
    told += f" by number: {called}" if (called := dataset.account.get("labels_by_number")) else ""
    return f"{counted(len(split), part)} of it are taken{told}"


def counted(number: int, part: str) -> str:
    """So many points of a part, in words."""
    return f"all {number} points" if part == "all" else f"{number} {part} points"


def _of_run(opened: Opened, said: Mapping[str, Any]) -> Dataset:
    try:
        return _matched(opened, {**opened.options, **said})
    except InputError as error:
        elsewhere = f"if the data of {opened.run.folder} lie elsewhere, say where: --data FILE"
        raise InputError(f"{error}; {elsewhere}") from error


def _elsewhere(opened: Opened, data: str, said: Mapping[str, Any]) -> Dataset:
    """The run's data in another place, or others.

    How the run's were parted, and the file that their labels are in, is nothing that counts for others. The names of
    arrays and columns do where others have them, too; else what is read goes by the usual rules.
    """
    as_run = {**opened.options, "data": data, **said}
    found = _tried(opened, as_run)
    if found is not None and not opened.run.differs(found):
        return found
    labels = as_run["labels"] if "labels" in said or not os.path.isfile(as_run["labels"] or "") else None
    as_other = {**as_run, "split": None, "validation": None, "labels": labels, "labelled": None}
    if as_other != as_run:
        found = _tried(opened, as_other)
    return found or _matched(opened, {**as_other, **dict.fromkeys(options.READING), **said})


def _tried(opened: Opened, reading: Mapping[str, Any]) -> Dataset | None:
    try:
        return _matched(opened, reading)
    except InputError:
        return None


def _matched(opened: Opened, reading: Mapping[str, Any]) -> Dataset:
    """Data as they are read by these options, in the run's units and the order of its columns and classes."""
    dataset = with_units(options.load_data(reading), opened.facts)
    dataset = with_columns(dataset, opened.facts.get("columns"))
    return with_classes(dataset, opened.facts.get("class_names"), opened.model.context_dim)
