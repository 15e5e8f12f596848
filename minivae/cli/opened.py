"""A run that a command is about: its model, and what is known of its data."""

from __future__ import annotations

import argparse
import os
from typing import Any, NamedTuple

from ..errors import InputError
from ..models import Model
from ..runs import Run
from . import options


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
