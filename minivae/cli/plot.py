"""``minivae plot``: the figures of a run again."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..files import make_folder, require_only
from ..plots.run import NAMES, draw_run
from ..runs import Run
from .opened import open_run
from .points import SAID, load_points


def plot(args: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    """Draw a run's figures; where its data are not, those that need none, and say so."""
    opened = open_run(args)
    folder = Path(args.out or opened.run.folder)
    if not _is_run(folder):
        require_only(folder, NAMES.__contains__, "a run, figures of one, or a new or empty folder")
    make_folder(folder)
    note, test, labels, names, columns = "", None, None, None, None
    try:
        points = load_points(opened, args)
        note, test, labels = points.note, points.minibatches, points.split.labels
        names, columns = points.dataset.class_names, points.dataset.columns
    except InputError as error:
        if any(getattr(args, name) is not None for name in ("data", "part", *SAID)):
            raise  # these points were asked for
        note = f"without what is drawn of data points: {error}"
    history = opened.run.load_history()
    drawn = draw_run(opened.model, test, labels, opened.image_shape, history, folder, names, columns)
    paths = [str(path) for path in drawn]
    result = {"run": str(opened.run.folder), "figures": paths}
    if note:
        result["note"] = note
    return "\n".join(filter(None, [*paths, note])), result


def _is_run(folder: Path) -> bool:
    try:
        return bool(Run.open(folder))
    except InputError:
        return False
