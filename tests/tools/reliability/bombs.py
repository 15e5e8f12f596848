"""Small files whose content is large or of many parts: what reading one may take is bounded (docs/data.md).

Each is read by a process of its own, whose processor time and peak memory are looked at.
"""

from __future__ import annotations

import gzip
import io
import json
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minivae.files.npy import MAP_ABOVE, digest

from .campaign import REFUSED, RIGHT, campaign
from .hostile_bytes import checkpoint, element, idx, mat, npy, packed, variable

ROOT = Path(__file__).parents[3]
MOST_SECONDS, MOST_MIB = 20, 640  # of a file of MOST_KIB; 2 to 4 times what was measured
MOST_KIB = 160
MOST_OF_TEXT = 64  # MiB, of checkpoints, configurations and safetensors, which are never packed
OF_A_POINT, SECONDS_OF_A_POINT = 12, 0.2e-6  # bytes and time of the processor for its place in the parts
MIB = 1 << 20


class Bomb(NamedTuple):
    """A file.

    Attributes:
        form: its format.
        name: what is said of it.
        write: what writes it.
        points: so many that its places in the parts are allowed for beside the limits of all; then it may be long.
    """

    form: str
    name: str
    write: Callable[[Path], object]
    points: int = 0


def bytes_of(make: Callable[[], bytes]) -> Callable[[Path], object]:
    """Writes these bytes."""
    return lambda path: path.write_bytes(make())


def npz(write: Callable = np.savez_compressed, **arrays: np.ndarray) -> bytes:
    """An archive as NumPy writes it."""
    stream = io.BytesIO()
    write(stream, **arrays)
    return stream.getvalue()


def full(*shape: int, dtype: Any = np.uint8) -> np.ndarray:
    """Zeros."""
    return np.zeros(shape, dtype)


def packed_mat(*elements: bytes) -> bytes:
    """A file of one packed variable with these parts."""
    return mat(packed(zlib.compress(element(14, b"".join(elements)))))


FLAGS, SHAPE, NAME, VALUE = (
    *(element(6, struct.pack("<II", 9, 0)), element(5, struct.pack("<ii", 1, 1))),
    *(element(1, b"x"), element(2, b"y")),
)
LISTS = {"format": "minivae-checkpoint", "version": 1, "minivae": "0", "lists": [[]] * 6000}


def packed_checkpoint() -> bytes:
    """A checkpoint of 2.5 million lists, which are 196 MiB, with a right checksum."""
    members = {"meta": np.array(json.dumps(LISTS | {"lists": [[]] * 2_500_000}))}
    return npz(**members, sha256=np.array(digest(members)))


def hdf5(dtype: str, **options: Any) -> Callable[[Path], object]:
    """A file of one data set."""

    def write(path: Path) -> None:
        import h5py

        with h5py.File(path, "w") as file:
            file.create_dataset("images", dtype=h5py.string_dtype() if dtype == "text" else dtype, **options)

    return write


def pictures(folder: Path) -> None:
    """Forty of as many pixels as one may have."""
    from PIL import Image

    folder.mkdir()
    for i in range(40):
        Image.new("L", (1448, 1448)).save(folder / f"{i}.png")


def safetensors(header: bytes, size: int | None = None) -> bytes:
    """A file of this header, which may lie about its length."""
    return struct.pack("<Q", len(header) if size is None else size) + header


def tensors(count: int, size: int) -> bytes:
    """A header that names so many tensors of so many bytes."""
    named = {str(i): {"dtype": "U8", "shape": [size], "data_offsets": [0, size]} for i in range(count)}
    return json.dumps(named).encode()


def of_bytes(form: str, **files: Callable[[], bytes]) -> list[Bomb]:
    """Bombs of one format."""
    return [Bomb(form, name.replace("_", " "), bytes_of(make)) for name, make in files.items()]


BOMBS = (
    of_bytes(
        ".mat",
        rows_of_one_value=lambda: packed_mat(variable(46 * MIB, 1, values=bytes(46 * MIB))[8:]),
        parts_without_end=lambda: packed_mat(FLAGS, SHAPE, NAME, VALUE, element(1, b"") * (46 * MIB // 8)),
        a_name_without_end=lambda: packed_mat(FLAGS, SHAPE, element(1, b"x" * (46 * MIB)), VALUE),
        dimensions_without_end=lambda: packed_mat(
            FLAGS, element(5, struct.pack("<i", 1) * (46 * MIB // 4)), NAME, VALUE
        ),
    ),
    of_bytes(
        ".idx.gz",
        rows_of_one_value=lambda: gzip.compress(idx(46 * MIB, 1) + bytes(46 * MIB)),
        pictures_of_one_grey=lambda: gzip.compress(idx(46 << 10, 32, 32) + bytes(46 * MIB)),
    ),
    of_bytes(
        ".npz",
        rows_of_one_value=lambda: npz(images=full(46 * MIB, 1)),
        with_labels=lambda: npz(images=full(20 * MIB, 1), labels=full(20 * MIB)),
        labels_of_text=lambda: npz(images=full(MIB, 1), labels=np.full(MIB, "abcdefghi")),
        arrays_of_one_value=lambda: npz(np.savez, **{str(i): full(1) for i in range(500)}),
    ),
    of_bytes(".npy", claims=lambda: npy({"descr": "|u1", "fortran_order": False, "shape": (1 << 40, 1)}, bytes(99))),
    of_bytes(".idx", claims=lambda: idx(1 << 31, 1) + bytes(99)),
    of_bytes(
        ".csv",
        lines_of_two_values=lambda: b"0,1\n" * (MOST_KIB << 8),
        one_line=lambda: b"0," * (MOST_KIB << 9),
        quotes=lambda: b'"' * (MOST_KIB << 10),
    ),
    of_bytes(
        ".csv.gz",
        lines_of_two_values=lambda: gzip.compress(b"0,1\n" * (2 * MIB)),
        as_much_as_may_be=lambda: gzip.compress(b"0,1\n" * (11 * MIB)),
        empty_lines=lambda: gzip.compress(b"0,1\n1,0\n" + b"\n" * (9 * MIB)),
        one_line=lambda: gzip.compress(b"0," * (2 * MIB) + b"0\n" + b"1," * (2 * MIB) + b"1\n"),
    ),
    of_bytes(
        "checkpoint",
        lists=lambda: checkpoint(LISTS),
        lists_within_lists=lambda: checkpoint('{"a":' + "[" * 18_000 + "]" * 18_000 + "}"),
        packed_lists=packed_checkpoint,
    ),
    of_bytes(
        "config",
        lists=lambda: b'{"format": [' + b"[]," * 50_000 + b"[]]}",
        lists_within_lists=lambda: b'{"format": ' + b"[" * 70_000,
    ),
    of_bytes(
        "safetensors",
        a_header_that_claims=lambda: safetensors(b"{}", 1 << 40),
        lists_within_lists=lambda: safetensors(b'{"a": ' + b"[" * 70_000),
        a_tensor_that_claims=lambda: safetensors(
            b'{"a":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}'
        ),
        tensors_of_nothing=lambda: safetensors(
            json.dumps({f"{i}": {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]} for i in range(2500)}).encode()
        ),
    ),
    [
        Bomb(".h5", "rows of one value", hdf5("u1", data=full(46 * MIB, 1), compression="gzip", chunks=(MIB, 1))),
        Bomb(".h5", "claims", hdf5("u1", shape=(1 << 40,), chunks=(MIB,))),
        Bomb(".h5", "text that claims", hdf5("text", shape=(1 << 28,), chunks=(MIB,))),
    ],
    [Bomb("pictures", "of one grey", pictures)],
)


def column(path: Path, count: int) -> None:
    """One value for each point, all of them 0: a hole in the disk."""
    np.lib.format.open_memmap(path, "w+", np.uint8, (count, 1))


COLUMNS = [
    Bomb(".npy", "one column that is read", partial(column, count=MAP_ABOVE - 128), MAP_ABOVE),
    Bomb(".npy", "one column that stays in its file", partial(column, count=MAP_ABOVE), MAP_ABOVE),
]
# One of each format, then the next of each, so that any number of them is of all formats.
IN_TURN = [*(bomb for row in zip_longest(*BOMBS) for bomb in row if bomb), *COLUMNS]


def read(bomb: Bomb, path: Path) -> str:
    """What becomes of reading it."""
    words = [sys.executable, "-m", "tests.tools.reliability._measure", bomb.form, str(path)]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    if ended.returncode or ended.stderr:
        return f"it ended with {ended.returncode}: {ended.stderr[-300:]}"
    seconds, memory, result = ended.stdout.rstrip("\n").split(" ", 2)
    most = MOST_MIB if bomb.form.startswith(".") or bomb.form == "pictures" else MOST_OF_TEXT
    places = bomb.points * OF_A_POINT / MIB
    if float(seconds) > MOST_SECONDS + bomb.points * SECONDS_OF_A_POINT or int(memory) > most + places:
        return f"it took {seconds} s and {memory} MiB"
    return result


@campaign(
    "files: bombs",
    f"read or one line, within {MOST_MIB} MiB and {MOST_SECONDS} s of the processor, beside the places of points",
    len(IN_TURN),
    6,
)
def bombs(folder: Path) -> Iterator[str]:
    """Each is at most :data:`MOST_KIB` long, but those of very many points; forty pictures are so together."""
    for case, bomb in enumerate(IN_TURN):
        path = folder / f"{case}{bomb.form if bomb.form.startswith('.') else ''}"
        bomb.write(path)
        long = sum(file.stat().st_size for file in ([path] if path.is_file() else path.iterdir()))
        result = read(bomb, path) if bomb.points or long <= MOST_KIB << 10 else f"is {long} bytes long"
        if bomb.points:
            path.unlink()
        yield result if result in (RIGHT, REFUSED) else f"{bomb.form}, {bomb.name}: {result}"
