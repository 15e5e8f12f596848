"""Arrays out of HDF5 files (.h5, and MATLAB's .mat from version 7.3 on), with the extra ``hdf5``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from ..optional import import_optional
from .reading import Room, reading, require_file

MAGIC = b"\x89HDF\r\n\x1a\n"
MAT_73 = b"MATLAB 7.3"


def read_hdf5(path: Path, passed_over: list[str], map_above: int) -> dict[str, np.ndarray]:
    """Return the arrays of numbers and of text by their names, ``group/name`` within groups.

    MATLAB's have their axes as MATLAB shows them. An array of more than ``map_above`` bytes
    that lies in one piece stays in the file (``np.memmap``).

    Args:
        passed_over: gets what is no plain array.

    Raises:
        InputError: h5py is not installed, or the file is missing, damaged or unpacks to far more than its size.
    """
    matlab = path.suffix.lower() == ".mat"
    advice = "; or save it with the option -v7" if matlab else ""
    try:
        h5py = import_optional("h5py", "File", "Dataset", "check_string_dtype")
    except ImportError as error:
        needs = f"{path} is an HDF5 file, for which h5py is needed ({error}): pip install 'minivae[hdf5]'"
        raise InputError(needs + advice) from None
    arrays: dict[str, np.ndarray] = {}
    with reading(path, "HDF5 file" + (" (MATLAB 7.3, or save it with the option -v7)" if matlab else "")):
        room = Room(require_file(path))
        with h5py.File(path, "r") as file:

            def visit(name: str, node: Any) -> None:
                if isinstance(node, h5py.Dataset) and not name.startswith("#"):  # MATLAB's own
                    array = _read(path, node, room, map_above)
                    if array is None:
                        passed_over.append(f"{name} (no plain array)")
                    else:
                        arrays[name] = array.T if matlab else array

            file.visititems(visit)
    return arrays


def _read(path: Path, node: Any, room: Room, map_above: int) -> np.ndarray | None:
    """The values of a dataset; None if they are no numbers or strings."""
    import h5py  # pyright: ignore[reportMissingImports]

    if node.shape is None:
        return None
    if h5py.check_string_dtype(node.dtype):
        return _read_text(node, room)
    if node.dtype.kind not in "biuf":
        return None
    if node.nbytes > map_above and (start := node.id.get_offset()) is not None:
        return np.memmap(path, node.dtype, "r", start, node.shape)
    room.take(node.nbytes)
    return node[...]


def _read_text(node: Any, room: Room) -> np.ndarray:
    """Strings, all as wide as the longest."""
    room.take(node.nbytes)
    text = node.asstr()[...]
    room.take(4 * node.size * max(map(len, np.ravel(text)), default=0))
    return np.asarray(text, str)
