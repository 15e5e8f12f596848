"""A run that a command is about: its model, and what is known of its data."""

from __future__ import annotations

import argparse
import os
from typing import Any, NamedTuple

from ..errors import InputError
from ..models import Model
from ..runs import Run
from . import options
from .outputs import require_apart


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
        InputError: what is to be written is the file of the data, or in their folder, or a file of the run.
    """
    run = Run.open(args.run)
    own, likelihood = options.own_class(args.model), options.own_likelihood(args.likelihood)
    chosen = options.of_run(run, own)
    for option in ("out", "rows"):
        path = getattr(args, option, None)
        require_apart(option, path, chosen["data"], chosen["labels"], getattr(args, "data", None))
        _require_no_part(option, path, run)
    model = run.load_model(last=args.last, model_class=own, likelihood=likelihood)
    return Opened(run, chosen, model, run.facts, run.which_model(last=args.last) if run.best_path.is_file() else "")


def _require_no_part(option: str, path: str | None, run: Run) -> None:
    """Raise :class:`InputError` if what is to be written is what the run itself consists of."""
    for part in (run.config_path, run.history_path, run.checkpoint_path, run.best_path):
        if path is not None and os.path.exists(path) and part.exists() and os.path.samefile(path, part):
            raise InputError(f"--{option} is {path}, a part of the run; choose another file to write")


def open_with_codes(args: argparse.Namespace) -> Opened:
    """The same; raises :class:`InputError` if its model has no codes."""
    opened = open_run(args)
    if opened.model.no_codes:
        raise InputError(f"{args.run} is a model without codes: {opened.model.no_codes}; expected one that has some")
    return opened
