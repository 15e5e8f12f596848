"""Part "data": how many samples a second training takes from each named data set and each file format.

Minibatches are taken from rows as a loader left them in memory, and nothing of where they came from
shall be felt: among data of one shape the slowest is to have nine tenths of the fastest's rate. A run of
each, with a model so small that the minibatch counts, is in one process; they take turns of a few
steps. The seconds are the processor's, on one thread, so that a busy machine can measure it.
"""

from __future__ import annotations

import os
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from .harness import statistics
from .worker import Remote

SHAPE, QUICK_SHAPE = (10_000, 28, 28), (200, 28, 28)  # images in the files
BATCH, STEPS = 100, 20  # data points in a minibatch; steps in a turn
ROUNDS, QUICK_ROUNDS = 24, 6
MAPPED = ".npy, left in its file"


def png(image: Any) -> bytes:
    """A grey picture ``(rows, columns)`` of bytes as a PNG file."""
    rows, columns = image.shape
    lines = b"".join(b"\0" + line.tobytes() for line in image)
    chunks = (
        (b"IHDR" + struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)),
        b"IDAT" + zlib.compress(lines, 0),
        b"IEND",
    )
    body = b"".join(struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in chunks)
    return b"\x89PNG\r\n\x1a\n" + body


def write_files(folder: Path, images: Any) -> dict[str, Path]:
    """The images ``(N, rows, columns)`` in every format; where each lies."""
    import numpy as np
    from scipy.io import savemat

    columns = np.asfortranarray(images.reshape(len(images), -1))
    held_out = len(images) // 10  # rows that are not drawn from others keep the order that a file has them in
    terms = {"train": columns[:-held_out].copy("F"), "test": columns[-held_out:].copy("F")}
    np.save(folder / "rows.npy", images)
    np.save(folder / "columns.npy", columns)
    np.savez(folder / "rows.npz", images=images)
    np.savez(folder / "columns.npz", **terms)
    savemat(folder / "x.mat", {"images": images})
    savemat(folder / "parts.mat", terms)
    (folder / "x.idx").write_bytes(struct.pack(">BBBB3I", 0, 0, 8, 3, *images.shape) + images.tobytes())
    (folder / "pictures").mkdir()
    for i, image in enumerate(images):
        (folder / "pictures" / f"{i:06}.png").write_bytes(png(image))
    return {
        ".npy": folder / "rows.npy",
        ".npy, column-major": folder / "columns.npy",
        MAPPED: folder / "rows.npy",
        ".npz": folder / "rows.npz",
        ".npz, two parts, column-major": folder / "columns.npz",
        ".mat": folder / "x.mat",
        ".mat, two parts": folder / "parts.mat",
        "IDX": folder / "x.idx",
        "folder of PNGs": folder / "pictures",
    }


class Session:
    """A run of every data set that is there, ready to go on; lives in a worker.

    Args:
        shape: of the images in the files.
    """

    def __init__(self, shape: tuple[int, int, int]) -> None:
        os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before NumPy is imported
        import numpy as np

        from minivae import datasets
        from minivae.files import npy

        self.trainers = {n: _trainer(datasets.load(n)) for n in datasets.names() if _there(n)}
        self._folder = TemporaryDirectory()
        images = np.random.default_rng(0).integers(256, size=shape, dtype=np.uint8)
        limit = npy.MAP_ABOVE
        for name, path in write_files(Path(self._folder.name), images).items():
            npy.MAP_ABOVE = 0 if name == MAPPED else limit
            self.trainers[name] = _trainer(datasets.load(path))
        npy.MAP_ABOVE = limit

    def shapes(self) -> dict[str, str]:
        """Rows and columns of each training part, once its first steps are recorded."""
        for name in self.trainers:
            self.turn(name)
        return {name: f"{len(t.train)} x {t.dataset.data_dim}" for name, t in self.trainers.items()}

    def turn(self, name: str) -> float:
        """Seconds of the processor for a sample, over some steps."""
        trainer, start = self.trainers[name], time.process_time()
        for _ in range(STEPS):
            trainer.train_step()
        return (time.process_time() - start) / (STEPS * BATCH)

    def describe(self) -> dict[str, Any]:
        """Versions and threads; and the files go."""
        from .contenders.ours import describe

        self._folder.cleanup()
        return describe()


def _there(name: str) -> bool:
    from minivae import datasets

    return datasets.available()[name] is not None


def _trainer(dataset: Any) -> Any:
    from minivae.models import VAE
    from minivae.training import Settings, Trainer

    bits = 0 <= dataset.value_range[0] <= dataset.value_range[1] <= 1
    model = VAE(dataset.data_dim, 2, hidden=(20,), likelihood="bernoulli" if bits else "gaussian")
    return Trainer(model, dataset, Settings(batch_size=BATCH, epochs=1_000_000))


def run(quick: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """``sets``: of each its shape, seconds a sample, and the rate over the fastest's of its shape; versions.

    The rates are compared within each round, and the median over rounds is told. Named data sets that
    would have to be downloaded are left out.
    """
    with Remote(Session, QUICK_SHAPE if quick else SHAPE) as remote:
        shapes = remote.call("shapes")
        samples: dict[str, list[float]] = {name: [] for name in shapes}
        for number in range(QUICK_ROUNDS if quick else ROUNDS):
            for name in list(shapes)[:: -1 if number % 2 else 1]:
                samples[name].append(remote.call("turn", name))
        found = {"sets": judged(shapes, samples), **remote.call("describe")}
    for name, one in found["sets"].items():
        rate = 1 / one["seconds"]["median"]
        say(f"  {name:30} {one['shape']:12} {rate:10,.0f} samples a second, {one['rate']:.2f} of the fastest's")
    return found


def judged(shapes: dict[str, str], samples: dict[str, list[float]]) -> dict[str, Any]:
    """Statistics of each, and its rate over that of the fastest of its shape."""
    found = {}
    for name, shape in shapes.items():
        alike = [samples[other] for other in shapes if shapes[other] == shape]
        reference = [median(times) for times in zip(*alike, strict=True)]  # of a round, whoever it is
        ratio = median(own / usual for own, usual in zip(samples[name], reference, strict=True))
        found[name] = {"shape": shape, "seconds": statistics(samples[name]), "rate": 1 / ratio}
    for shape in set(shapes.values()):
        alike = [one for one in found.values() if one["shape"] == shape]
        fastest = max(one["rate"] for one in alike)
        for one in alike:
            one["rate"] /= fastest
    return found
