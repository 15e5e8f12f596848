"""``config.json``: what a run was asked for, with a checksum, so that no setting changes unseen."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from ..errors import InputError, shown
from ..files import atomic_path
from ..slips import nearest
from ..version import __version__

FORMAT = "minivae-run of version 1"
# What may differ when a run goes on: who goes on with it, how long and with which step size it trains, what is done
# where numbers end, and the list of all these changes. (Where the data are may change, what they are may not: a run
# has their digest.)
MAY_CHANGE = ("minivae", "data", "epochs", "patience", "lr", "compile", "skip_nonfinite", "detect_anomaly", "changes")
BEFORE_FORMATS = "0.1."  # how the versions of minivae begin whose configs have neither format nor checksum
WHAT_TO_DO = "put the file back as it was, or begin another run: minivae train --out FOLDER"
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
    """What :func:`write_config` wrote.

    Raises:
        InputError: the file cannot be read, holds no JSON object, another one than was written, or
            one of another format; says what to do.
    """
    try:
        config = read_object(path)
    except InputError as error:
        raise InputError(f"{error}; {WHAT_TO_DO}") from error
    found, checksum = config.pop("format", None), config.pop("sha256", None)
    _require_format(path, found, checksum, config.get("minivae"))
    if found is None or checksum != _digest(config):
        raise InputError(
            f"{path} was changed since minivae wrote it (its sha256 is not that of what it holds); {WHAT_TO_DO}"
        )
    return config


def _require_format(path: Path, found: Any, checksum: Any, writer: Any) -> None:
    """Before the checksum is asked for, which another format may have otherwise, or not at all."""
    if found is None and checksum is None and str(writer).startswith(BEFORE_FORMATS):
        what = "is"
    elif found not in (None, FORMAT):
        what = f"is a {found!r:.60},"
    else:
        return
    wrote = " ".join(str(writer).split())
    raise InputError(
        f"{path} {what} of minivae {wrote:.20}; this is minivae {__version__}, which reads {FORMAT!r}: "
        "use the run with the minivae that wrote it, or train it again: minivae train --out FOLDER"
    )


def meant_run(folder: Path) -> str:
    """What was meant by a folder that is no run, as the end of a message: that of a file in a run, or one beside it."""
    if (folder.parent / "config.json").is_file():
        return f"; did you mean {str(folder.parent)!r}?"
    beside = [path.parent.name for path in folder.parent.glob("*/config.json")]
    meant = nearest(folder.name, beside)
    return "" if meant is None else f"; did you mean {str(folder.parent / meant)!r}?"


def seal(config: dict[str, Any]) -> str:
    """The SHA-256 of all that may not change when a run goes on: a checkpoint says by it whose it is."""
    return _digest(_fixed(config))


def _fixed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {name: _fixed(inner) for name, inner in value.items() if name not in MAY_CHANGE}


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file; raises :class:`InputError` if it cannot be read, or holds something else."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(MOST_BYTES + 1)
        if len(text) > MOST_BYTES:
            raise InputError(f"it has more than {MOST_BYTES} characters")
        config = json.loads(text, object_pairs_hook=_of_different_names)
        if not isinstance(config, dict):
            raise InputError(f"it holds a {type(config).__name__}; expected an object")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is damaged: {error!s:.300}") from error
    return config


def _of_different_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON, in which a name that comes twice would be two readings."""
    names = [name for name, _ in pairs]
    if twice := sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []:
        raise InputError(f"it has {shown(twice[0])} twice; expected each name once")
    return dict(pairs)


def _digest(config: dict[str, Any]) -> str:
    return sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()
