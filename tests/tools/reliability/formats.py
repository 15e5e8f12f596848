"""The files that minivae reads: one small whole file of each format, how it is read, and what may come of damage.

Formats with checksums must give what was written, bit for bit, or refuse. The others (``.npy``, IDX
and ``.mat`` that are not compressed, ``history.csv``) have nothing by which another pixel or digit
could be noticed: there, whatever is accepted must be what the damaged file itself says.
"""

from __future__ import annotations

import gzip
import io
import math
import struct
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
from matplotlib.image import imsave
from scipy.io import savemat

from minivae import datasets
from minivae.datasets import binarized_mnist, digits, frey_faces, mnist
from minivae.datasets.choices import Choices
from minivae.datasets.image_folder import read_picture_folder
from minivae.files.idx import read_idx
from minivae.files.mat import STORED, read_mat
from minivae.files.npy import read_npy, read_npz
from minivae.runs import History, Run, load_checkpoint, save_checkpoint
from minivae.runs.config import seal, write_config

_RNG = np.random.default_rng(0)
IMAGES = _RNG.integers(256, size=(6, 4, 4), dtype=np.uint8)
LABELS = np.arange(6) % 3


class Format(NamedTuple):
    """One format.

    Attributes:
        write: makes a whole file in a folder and returns its path.
        load: what is read from a path; raises InputError.
        says: whether the bytes of a file say what was read from them, for a format without checksums;
            None if what is read must be what was written.
        published: a context in which the file is the published one, whose checksum the code knows.
    """

    write: Callable[[Path], Path]
    load: Callable[[Path], Any]
    says: Callable[[bytes, Any], bool] | None = None
    published: Callable[[], AbstractContextManager] = nullcontext


def same(a: Any, b: Any) -> bool:
    """Whether two results are equal, arrays bit for bit."""
    if isinstance(a, np.ndarray):
        return (a.shape, a.dtype, a.tobytes()) == (b.shape, b.dtype, b.tobytes())
    if isinstance(a, dict | list | tuple):
        keys = a.keys() if isinstance(a, dict) else range(len(a))
        return type(a) is type(b) and len(a) == len(b) and all(k in keys and same(a[k], b[k]) for k in _keys(b))
    return type(a) is type(b) and a == b


def _keys(value: Any) -> Any:
    return value.keys() if isinstance(value, dict) else range(len(value))


# ------------------------------------------------------------------ runs

ARRAYS = {
    "model/encoder.weight": _RNG.normal(size=(3, 2)).astype(np.float32),
    "optimizer/0/count": np.array(17),
    "running/kl": np.array(2.5, np.float32),
}
CONFIG = {"model": "vae", "model_config": {"hidden": [12], "variance": None}, "options": {"data": "größe", "lr": 0.01}}
META = {"step": 3, "seconds": 0.5, "history": [{"bound": -100.1}], "seal": seal(CONFIG)}
ROWS = [{"epoch": i, "samples_seen": 1500 * i, "test_bound": -30.5 / i, "test_kl": 2.0**-i} for i in range(1, 9)]


def _checkpoint(folder: Path) -> Path:
    save_checkpoint(folder / "model.npz", ARRAYS, META)
    return folder / "model.npz"


def _config(folder: Path) -> Path:
    write_config(folder / "config.json", CONFIG)
    return folder / "config.json"


def _history(folder: Path) -> Path:
    History(ROWS).save(folder / "history.csv")
    return folder / "history.csv"


def _is_history(content: bytes, rows: list[dict[str, float]]) -> bool:
    """Every line, split at its commas, is what was read; numbers are finite or NaN."""
    if not content.endswith(b"\n"):
        return False
    names, *lines = [line.replace('"', "").split(",") for line in content.decode().split() if line]
    said = [dict(zip(names, map(float, line), strict=True)) for line in lines]
    return repr(said) == repr(rows) and not any(math.isinf(value) for row in rows for value in row.values())


# --------------------------------------------------------- the user's own data


def _own(read: Callable[[Path], Any]) -> Callable[[Path], Any]:
    """Read, and make a data set of it, too, which may refuse what cannot be one."""

    def load(path: Path) -> Any:
        found = read(path)
        datasets.load(path.parent if path.suffix == ".png" else path)
        return found

    return load


def idx_bytes(array: np.ndarray) -> bytes:
    """An IDX file of bytes."""
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def written(name: str, content: Callable[[], bytes]) -> Callable[[Path], Path]:
    """What writes a file of this name and content."""

    def write(folder: Path) -> Path:
        (folder / name).write_bytes(content())
        return folder / name

    return write


def _npy() -> bytes:
    stream = io.BytesIO()
    np.save(stream, IMAGES)
    return stream.getvalue()


def _npz(folder: Path) -> Path:
    np.savez_compressed(folder / "own.npz", train=IMAGES, train_labels=LABELS, test=IMAGES[:3])
    return folder / "own.npz"


MAT_ARRAYS = {"images": IMAGES, "labels": LABELS[None] + 0.0}


def _mat(compressed: bool) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        savemat(folder / "own.mat", MAT_ARRAYS, do_compression=compressed)
        return folder / "own.mat"

    return write


def _png(folder: Path) -> Path:
    (folder / "pictures").mkdir(exist_ok=True)
    for name in ("a.png", "b.png"):
        imsave(folder / "pictures" / name, np.dstack([IMAGES[0]] * 3))
    return folder / "pictures" / "b.png"


def _pictures(path: Path) -> dict[str, np.ndarray]:
    return read_picture_folder(path.parent, Choices())["arrays"]


def _npy_says(content: bytes, found: np.ndarray) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy's, of headers that are almost right
        return same(np.load(io.BytesIO(content), allow_pickle=False), found)


def _idx_says(content: bytes, found: np.ndarray) -> bool:
    sizes = struct.pack(f">{found.ndim}I", *found.shape)
    return content[:2] == b"\0\0" and content[4:] == sizes + found.tobytes()


def _mat_says(content: bytes, found: dict[str, np.ndarray]) -> bool:
    """Each array's numbers lie somewhere in the file, in one of the ways of storing them."""
    with np.errstate(all="ignore"):
        stored = [
            [a.astype(order + code).tobytes("F") for code in STORED.values() for order in "<>"] for a in found.values()
        ]
    return all(any(numbers in content for numbers in ways) for ways in stored)


def _mat_part(content: bytes, found: dict[str, np.ndarray]) -> bool:
    """What is there is as it was written: a file cut between two variables is a whole one with fewer."""
    return same(found, {name: array for name, array in MAT_ARRAYS.items() if name in found})


# ------------------------------------------------------- published by checksum

_BITS = {
    part: _RNG.integers(2, size=(rows, 784), dtype=np.uint8) for part, rows in (("train", 3), ("valid", 1), ("test", 1))
}
_PACKED = {part: np.packbits(rows, axis=1) for part, rows in _BITS.items()}
_FACES = np.resize(IMAGES, (1965, 560))
_MNIST = "t10k-labels-idx1-ubyte"


def _sha256(array: np.ndarray) -> str:
    from hashlib import sha256

    return sha256(np.ascontiguousarray(array)).hexdigest()


def _amat(folder: Path) -> Path:
    text = "".join(" ".join(map(str, row)) + "\n" for row in _BITS["test"].tolist())
    (folder / "test.amat").write_text(text)
    return folder / "test.amat"


def _packed(folder: Path) -> Path:
    np.savez_compressed(folder / "binarized_mnist.npz", **_PACKED)
    return folder / "binarized_mnist.npz"


def _faces(folder: Path) -> Path:
    savemat(folder / "faces.mat", {"ff": np.ascontiguousarray(_FACES.T)}, do_compression=True)
    return folder / "faces.mat"


def _publish_bits() -> AbstractContextManager:
    contents = {part: (len(rows), _sha256(rows)) for part, rows in _PACKED.items()}
    return mock.patch.object(binarized_mnist, "CONTENT", contents)


def _publish_faces() -> AbstractContextManager:
    return mock.patch.object(frey_faces, "SHA256", _sha256(_FACES))


def _publish_mnist() -> AbstractContextManager:
    return mock.patch.object(mnist, "CONTENT", {_MNIST: ((96,), _sha256(IMAGES.reshape(-1)))})


def _digits(path: Path) -> list[np.ndarray]:
    with mock.patch.object(digits, "FILE", path):
        data = digits.load()
    return [data.train.images, data.train.labels, data.test.images, data.test.labels]


FORMATS = {
    "checkpoint": Format(_checkpoint, load_checkpoint),
    "config.json": Format(_config, lambda path: Run.open(path.parent).config),
    "history.csv": Format(_history, lambda path: History.load(path).rows, _is_history),
    "digits that ship": Format(written("digits.npz", digits.FILE.read_bytes), _digits),
    "MNIST, IDX.gz": Format(
        written("x.gz", lambda: gzip.compress(idx_bytes(IMAGES.reshape(-1)))),
        lambda path: mnist._read(_MNIST, path),
        published=_publish_mnist,
    ),
    "Frey Face, .mat": Format(_faces, frey_faces.read, published=_publish_faces),
    "binarized MNIST, .amat": Format(
        _amat, lambda path: binarized_mnist.read_amat("test", path), published=_publish_bits
    ),
    "binarized MNIST, .npz": Format(_packed, binarized_mnist._read_packed, published=_publish_bits),
    "own IDX": Format(written("own.idx", lambda: idx_bytes(IMAGES)), _own(read_idx), _idx_says),
    "own IDX.gz": Format(written("own.gz", lambda: gzip.compress(idx_bytes(IMAGES))), _own(read_idx)),
    "own .npy": Format(written("own.npy", _npy), _own(read_npy), _npy_says),
    "own .npz": Format(_npz, _own(read_npz)),
    "own .mat": Format(_mat(False), _own(read_mat), _mat_says),
    "own .mat, compressed": Format(_mat(True), _own(read_mat), _mat_part),
    "own PNG folder": Format(_png, _own(_pictures)),
}
