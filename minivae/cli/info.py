"""``minivae info``, ``runs`` and ``models``: what is installed, what a run is, which runs and models there are."""

from __future__ import annotations

import argparse
import os
import textwrap
from pathlib import Path
from typing import Any

from .. import autodiff, backend, datasets
from ..errors import InputError
from ..models import MODELS, registry
from ..models.own import installed
from ..runs import History, Run
from ..version import __version__
from . import options

# Of what a run says of its data, and what of the account of how they were read is said there already.
SHOWN = ("points", "data_dim", "image_shape", "scale", "split", "columns", "class_names", "digest")
SAID_ELSEWHERE = ("points", "shape", "scale", "parts", "train", "validation", "test", "classes", "columns")


def info(args: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    """The installation, or what a run is: each fact once."""
    if args.run is None:
        found = {name: str(path) if path else None for name, path in datasets.available().items()}
        result = {"minivae": __version__, "backend": backend.describe(), "processors": os.cpu_count()}
        result |= {"data": found, "primitives": len(autodiff.PRIMITIVES)}
    else:
        result = _of_run(Run.open(args.run))
    return "\n".join(_outline(result)), result


def _of_run(run: Run) -> dict[str, Any]:
    """Its configuration without what stands there twice, the number of its parameters, and its last measurements.

    Where model or likelihood is the user's own, whose code is not run for this: the options as they stand there, and
    the weights.
    """
    rows, own = run.load_history().rows, run.has_own_code
    chosen = run.config.get("options", {}) if own else options.of_run(run)
    result = {"run": str(run.folder), "minivae": run.config.get("minivae"), "model": run.config["model"]}
    if own:
        result["weights"] = sum(array.size for array in run.load_weights().values())
    else:
        result["parameters"] = sum(parameter.size for parameter in run.load_model().parameters())
    account = {name: value for name, value in (run.facts.get("account") or {}).items() if name not in SAID_ELSEWHERE}
    elsewhere = ("model", "backend", "split", *account, *(name for name in options.READING if chosen.get(name) is None))
    result["options"] = {name: value for name, value in chosen.items() if name not in elsewhere}
    result["dataset"] = {name: run.facts[name] for name in SHOWN if run.facts.get(name)} | account
    result |= {"backend": run.config.get("backend"), "last": rows[-1] if rows else None}
    known = {"run", "options", "dataset", "model_config", *result}
    return result | {name: value for name, value in run.config.items() if name not in known}


def runs(args: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    """A table of the runs in and below a folder; one that cannot be read has a line that says why."""
    folder = Path(args.folder)
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; expected one with runs in it")
    found, unreadable = [], {}
    for path in sorted(folder.rglob("config.json")):
        try:
            found.append(_row(Run.open(path.parent)))
        except InputError as error:
            unreadable[str(path.parent)] = " ".join(str(error).split())
    lines = _table(found) if found else [f"no runs in {folder}"]
    lines += [f"unreadable: {error}" for error in unreadable.values()]
    return "\n".join(lines), {"folder": str(folder), "runs": found, "unreadable": unreadable}


def _row(run: Run) -> dict[str, Any]:
    """What tells a run from others: data, model, and the last row of its history."""
    chosen = run.config.get("options")
    data = (chosen if isinstance(chosen, dict) else {}).get("data") or run.facts.get("name")
    rows = History.load(run.history_path).rows if run.history_path.exists() else []
    last = rows[-1] if rows else {}
    row = {"run": str(run.folder), "data": data, "model": run.config["model"]}
    for part in ("train", "validation", "test"):
        if part == "validation" and not any(name.startswith("validation_") for name in last):
            continue
        row[part] = last.get(f"{part}_bound", last.get(f"{part}_objective"))
    return row | {"epochs": last.get("epoch"), "seconds": last.get("seconds")}


def _table(rows: list[dict[str, Any]]) -> list[str]:
    """Rows under their names; numbers to the right."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    names.sort(key=["run", "data", "model", "train", "validation", "test", "epochs", "seconds"].index)
    cells = [names] + [[_cell(name, row.get(name)) for name in names] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    left = ("run", "data", "model")
    return [
        "  ".join(
            cell.ljust(width) if name in left else cell.rjust(width)
            for name, cell, width in zip(names, line, widths, strict=True)
        ).rstrip()
        for line in cells
    ]


def _cell(name: str, value: Any) -> str:
    if value is None:
        return "-"
    if name == "data":
        return Path(value).name
    return f"{value:.0f}" if name == "epochs" else f"{value:.2f}" if isinstance(value, float) else str(value)


def models(args: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    """Every model that can be trained, with its objective and source."""
    result = {name: {"minimises": model.minimises, "source": model.source} for name, model in MODELS.items()}
    rows = [f"{name:22} {model.minimises}\n{'':22} {model.source}" for name, model in MODELS.items()]
    legend = "minimised, in nats per data point: D is -log p(x|z), R is KL(q(z|x) || p(z)), w is p(x, z) / q(z|x)"
    rows += [f"{name:22} {value}, installed" for name, value in installed(registry.ENTRY_POINTS).items()]
    own = "your own: --model file.py:Class or package.module:Class; its options: train --help --model NAME"
    return "\n".join([*rows, "", *textwrap.wrap(legend, 100), own]), result


def _outline(result: dict[str, Any]) -> list[str]:
    lines = []
    for name, value in result.items():
        if isinstance(value, dict):
            absent = "not here, will be downloaded" if name == "data" else "-"
            lines.append(f"{name}:")
            lines += [f"  {key:20} {_said(item, absent)}" for key, item in value.items()]
        else:
            lines.append(f"{name:22} {_said(value)}")
    return lines


def _said(value: Any, absent: str = "-") -> str:
    """A value in words; of several, one after the other."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_said(item)}" for name, item in value.items()) or absent
    if isinstance(value, list):
        return ", ".join(map(_said, value)) or absent
    return absent if value is None else str(value)
