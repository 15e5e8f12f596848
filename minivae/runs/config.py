"""``config.json``: what a run was asked for, with a checksum, so that no setting changes unseen."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..files import atomic_path

FORMAT = "minivae-run of version 2"  # the first version had no format and no checksum
# What the first version held; the other lines, where an example wrote it.
NAMES = {"minivae", "model", "model_config", "options", "backend", "data", "split", "settings"}
NAMES |= {"epochs", "batch_size", "binarize", "optimizer", "lr", "schedule", "weight_prior", "patience"}
NAMES |= {"report_every", "seed", "compile"}
NAMES |= {"skip_nonfinite", "detect_anomaly", "optimizer_options"}
# What a resumed run may ask for anew: how long it trains, and what is done where numbers end.
MAY_CHANGE = ("epochs", "patience", "compile", "skip_nonfinite", "detect_anomaly")
MOST_BYTES = 1 << 20  # a config is some kilobytes; more is not read into memory


def write_config(path: Path, config: dict[str, Any]) -> None:
    """Write ``config`` and the SHA-256 of it, atomically.

    Raises:
        InputError: the file cannot be written.
    """
    sealed = {"format": FORMAT, **config, "sha256": _digest(config)}
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(sealed, indent=2) + "\n", encoding="utf-8")


def read_config(path: Path) -> dict[str, Any]:
    """What :func:`write_config` wrote, or a file of the first version, which has no checksum.

    Raises:
        InputError: the file cannot be read, holds no JSON object, or another one than was written.
    """
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(MOST_BYTES + 1)
        if len(text) > MOST_BYTES:
            raise InputError(f"it has more than {MOST_BYTES} characters")
        config = json.loads(text)
        if not isinstance(config, dict):
            raise InputError(f"it holds a {type(config).__name__}; expected an object")
        found = config.pop("format", None), config.pop("sha256", None)
        # A seal whose names are damaged is no missing one: what is left of it has a name that is unknown.
        of_first_version = found == (None, None) and config.keys() <= NAMES
        if not of_first_version and found != (FORMAT, _digest(config)):
            raise InputError(
                f"its format and sha256 are not those of what it holds; expected {FORMAT!r} as it was written "
                "(who changes a setting by hand removes both)"
            )
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} is damaged: {error!s:.300}") from error
    return config


def _digest(config: dict[str, Any]) -> str:
    return sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()
