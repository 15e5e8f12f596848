"""Files as people have them: of each what is read, or the one line that refuses it.

A row makes a file or folder and says what must come of it: the shape of a point, how many there are, the
scale, the range of the stored values, classes, their names, names of columns, words of the account.
"""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import scipy.io
from PIL import Image

from minivae import Dataset
from minivae.datasets import load
from minivae.errors import InputError

RNG = np.random.default_rng(0)
N = 30
GREY = RNG.integers(256, size=(N, 8, 6), dtype=np.uint8)
GREY[0, 0, :2] = 0, 255
COLOUR = np.stack([GREY, 255 - GREY, GREY // 2], axis=-1)
ROWS = RNG.normal(size=(N, 5))
COUNTS = RNG.poisson(3, size=(N, 5))
CLASS = np.arange(N) % 3
NAMES = np.array(["cat", "dog", "eel"])[CLASS]


class Read(NamedTuple):
    """What is read; None where it is not looked at."""

    shape: tuple[int, ...]
    points: int = N
    scale: float | None = None
    value_range: tuple[float, float] | None = None
    classes: int | None = None
    class_names: tuple[str, ...] | None = None
    columns: tuple[str, ...] | None = None
    parts: tuple[int, ...] | None = None
    says: tuple[str, ...] = ()
    options: dict[str, Any] = {}  # noqa: RUF012


class Refused(NamedTuple):
    """The words of the refusal."""

    words: str
    options: dict[str, Any] = {}  # noqa: RUF012


ROW: dict[str, tuple[Callable[[Path], Path], Read | Refused]] = {}


def row(name: str, make: Callable[[Path], Path], expected: Read | Refused) -> None:
    assert name not in ROW
    ROW[name] = make, expected


# ------------------------------------------------------------ arrays


def npz(**arrays: Any) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        np.savez(folder / "x.npz", **arrays)
        return folder / "x.npz"

    return make


def npy(array: np.ndarray) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        np.save(folder / "x.npy", array)
        return folder / "x.npy"

    return make


def mat(**arrays: Any) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        scipy.io.savemat(folder / "x.mat", arrays)
        return folder / "x.mat"

    return make


row("colour npy", npy(COLOUR), Read((8, 6, 3), scale=255, value_range=(0, 255)))
row("colour, channels first", npy(np.moveaxis(COLOUR, 3, 1)), Read((8, 6, 3), scale=255))
row("one channel", npy(GREY[..., None]), Read((8, 6), scale=255))
row("one channel first", npy(GREY[:, None]), Read((8, 6), scale=255))
row("bits", npy(GREY > 99), Read((8, 6), scale=1, value_range=(0, 1)))
row("sixteen bits", npy(GREY.astype(np.uint16) * 16), Read((8, 6), scale=4095, value_range=(0, 4080)))
row("counts", npy(COUNTS), Read((5,), scale=1, says=("as they are",)))
row("counts beyond bytes", npy(COUNTS * 100), Read((5,), scale=1, says=("as they are",)))
row("reals", npy(ROWS), Read((5,), scale=1))
row("a square of values", npy(np.tile(ROWS, 5)), Read((5, 5), says=("taken to be square",)))
row("dSprites", npz(imgs=GREY > 99, latents_values=ROWS, latents_classes=COUNTS, metadata=np.array({}, object)),
    Read((8, 6), scale=1, classes=0, says=("imgs", "latents_values", "metadata' (pickled)")))  # fmt: skip
row("ORL", npz(trainX=GREY[:20], trainY=CLASS[:20], testX=GREY[20:], testY=CLASS[20:]),
    Read((8, 6), parts=(20, 10), classes=3, says=("trainX, testX",)))  # fmt: skip
row("MedMNIST", npz(train_images=GREY[:15], train_labels=CLASS[:15, None], val_images=GREY[15:20],
    val_labels=CLASS[15:20, None], test_images=GREY[20:], test_labels=CLASS[20:, None]),
    Read((8, 6), parts=(15, 5, 10), classes=3))  # fmt: skip
row("train and val alone", npz(x_train=GREY[:20], x_val=GREY[20:]), Read((8, 6), parts=(18, 10, 2)))
row("keras", npz(x_train=GREY, y_train=CLASS, x_test=GREY, y_test=CLASS), Read((8, 6), 2 * N, parts=(N, N), classes=3))
row("only arrays without names", npz(arr_0=ROWS), Read((5,), says=("arr_0",)))
row("a signal with its rate", npz(signal=ROWS, rate=np.array(1000.0)), Read((5,), says=("'rate' ()",)))
row("two arrays", npz(a=ROWS, b=ROWS), Refused(r"holds the arrays a \(30, 5\), b .*--array"))
row("two arrays, one named", npz(a=ROWS, b=GREY), Read((8, 6), options={"array": "b"}, says=("from b", "'a' (30, 5)")))
row("an array that is not there", npz(a=ROWS), Refused("array is 'c'; expected one of .*: a", {"array": "c"}))
row("an array of a plain file", npy(ROWS), Refused("array is 'c', but .* holds one array", {"array": "c"}))
row("two known names", npz(images=GREY, data=ROWS), Refused("--array"))
row(
    "a part by its name",
    npz(x_train=GREY, y_train=CLASS, x_test=ROWS),
    Read((8, 6), classes=3, options={"array": "x_train"}),
)
row("parts of two sizes", npz(train=ROWS, test=ROWS[:, :4]), Refused("differ in image size .*--points-axis"))
row("no part to train", npz(val=ROWS, test=ROWS), Refused("validation and test; expected a part to train"))
row("labels as one-hot", npz(x=GREY, y=np.eye(3)[CLASS]), Read((8, 6), classes=3))
row("labels as names", npz(X=GREY, y=NAMES), Read((8, 6), classes=3, class_names=("cat", "dog", "eel")))
row("labels as bytes", npz(X=GREY, y=NAMES.astype("S")), Read((8, 6), classes=3, class_names=("cat", "dog", "eel")))
row("labels from 1", npz(x=GREY, y=CLASS + 1), Read((8, 6), classes=3, class_names=("1", "2", "3")))
row("labels of -1 and 1", npz(x=GREY, y=np.sign(CLASS - 0.5)), Read((8, 6), classes=2, class_names=("-1", "1")))
row(
    "labels partly missing",
    npz(x=GREY, y=np.where(CLASS, CLASS, np.nan)),
    Read((8, 6), classes=0, says=("10 of 30 are missing",)),
)
row(
    "names partly missing",
    npz(x=GREY, y=np.where(CLASS > 0, NAMES, "")),
    Read((8, 6), classes=0, says=("10 of 30 are missing",)),
)
row("several labels each", npz(x=GREY, y=np.ones((N, 4))), Read((8, 6), classes=0, says=("several for each point",)))
row("real labels", npz(x=GREY, y=ROWS[:, 0]), Read((8, 6), classes=0, says=("real numbers",)))
row("labels not wanted", npz(x=GREY, y=CLASS), Read((8, 6), classes=0, options={"labels": "none"}))
row("labels of another name", npz(x=GREY, kind=CLASS), Read((8, 6), classes=3, options={"labels": "kind"}))
row("labels that are not there", npz(x=GREY), Refused("labels is 'kind'; expected one of", {"labels": "kind"}))
row("labels of another length", npz(x=GREY, y=CLASS[:9]), Refused(r"of shape \(9,\); expected 30"))
row("COIL20", mat(fea=np.tile(ROWS, 5), gnd=CLASS[:, None] + 1), Read((5, 5), classes=3, class_names=("1", "2", "3")))
row("mnist-original", mat(data=COUNTS.T, label=CLASS[None].astype(float)),
    Read((5,), classes=3, says=("axis 1 is the points",)))  # fmt: skip
row("SVHN", mat(X=np.moveaxis(COLOUR, 0, 3), y=CLASS[:, None]), Read((8, 6, 3), classes=3, scale=255))
row("columns without labels", mat(spectra=np.tile(ROWS, 9)), Refused("more columns than rows.*--points-axis N"))
row("columns as asked", mat(spectra=np.tile(ROWS, 9)), Read((N,), 45, options={"points_axis": 1}))
row("rows as asked", mat(spectra=np.tile(ROWS, 9)), Read((45,), options={"points_axis": 0}))
row("parts of the same columns", mat(train=ROWS[:4].T[:, :3].T, test=ROWS[:2]), Read((5,), 5, parts=(3, 2)))
row("parts of the same rows", mat(train=ROWS.T, test=ROWS[:4].T), Read((5,), 34, parts=(30, 4)))
row("as many as both axes", mat(x=np.ones((6, 6)), y=np.arange(6) % 2), Refused("as long as the labels.*--points-axis"))
row("a stack along the last axis", npz(stack=np.moveaxis(np.repeat(GREY, 3, 0), 0, 2)), Refused("last axis looks like"))
row("a stack as asked", npz(stack=np.moveaxis(GREY, 0, 2)), Read((8, 6), options={"points_axis": 2}))
row("no such axis", npz(x=ROWS), Refused("points_axis is 2; expected an axis", {"points_axis": 2}))
row("a signal in MATLAB", mat(spectra=np.vstack([ROWS] * 2), fs=1000.0), Read((5,), 2 * N, says=("'fs' (1, 1)",)))
row("text in MATLAB", mat(x=ROWS, title="a run"), Read((5,), says=("'title'",)))


# ------------------------------------------------------------ tables


def table(text: str | bytes, name: str = "x.csv") -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return folder / name

    return make


def lines(rows: Any, sep: str = ",", head: str = "", more: Any = None) -> str:
    body = [sep.join(map(str, [*r, *([] if more is None else [more[i]])])) for i, r in enumerate(rows)]
    return "\n".join([*([head] if head else []), *body]) + "\n"


FIVE = ("SO4", "NO3", "NH4", "OM", "BC")
HEAD = ",".join(FIVE)
row("CSV with names", table(lines(ROWS, head=HEAD)), Read((5,), columns=FIVE, scale=1))
row("CSV without", table(lines(ROWS)), Read((5,), scale=1, says=("line of names no",)))
row("TSV", table(lines(ROWS, "\t", "\t".join(FIVE)), "x.tsv"), Read((5,), columns=FIVE))
row("semicolons", table(lines(ROWS, ";", ";".join(FIVE))), Read((5,), columns=FIVE))
row("decimal commas", table(lines(ROWS, ";").replace(".", ",")), Refused("text; expected numbers|decimal point"))
row("blanks", table(lines(ROWS, "  "), "x.txt"), Read((5,)))
row("as NumPy saves it", table("# " + lines(ROWS, head=HEAD)), Read((5,), columns=FIVE))
row("remarks above the names", table("# by hand\n# a,b,c,d,e\n" + lines(ROWS, head=HEAD)), Read((5,), columns=FIVE))
row("a sparse matrix", npz(data=CLASS, indices=CLASS, indptr=CLASS), Refused("holds a sparse matrix"))
row("a byte-order mark", table("\ufeff" + lines(ROWS, head=HEAD)), Read((5,), columns=FIVE))
row("UTF-16", table(lines(ROWS, head=HEAD).encode("utf-16")), Read((5,), columns=FIVE))
row("Windows' ends of lines", table(lines(ROWS, head=HEAD).replace("\n", "\r\n")), Read((5,), columns=FIVE))
row("empty lines", table(lines(ROWS, head=HEAD).replace("\n", "\n\n") + "\n\n"), Read((5,), columns=FIVE))
row("quoted", table(lines(ROWS, head='"a","b, c","d","e","f"')), Read((5,), columns=("a", "b, c", "d", "e", "f")))
row("packed", table(gzip.compress(lines(ROWS, head=HEAD).encode()), "x.csv.gz"), Read((5,), columns=FIVE))
row("whole numbers", table(lines(COUNTS)), Read((5,), scale=1, says=("as they are",)))
row("an index of pandas", table(lines([[i, *r] for i, r in enumerate(ROWS)], head="," + HEAD)),
    Read((5,), columns=FIVE, says=("passed over: column ''",)))  # fmt: skip
row(
    "names of rows",
    table(lines([[f"gene{i}", *r] for i, r in enumerate(ROWS)], head="," + HEAD)),
    Read((5,), columns=FIVE),
)
row("Kaggle's MNIST", table(lines([[c, *r] for c, r in zip(CLASS, GREY[:, :6].reshape(N, -1), strict=True)],
    head="label," + ",".join(f"pixel{i}" for i in range(36)))), Read((6, 6), scale=255, classes=3))  # fmt: skip
row(
    "16 columns with names are no picture",
    table(lines(np.tile(ROWS[:, :4], 4), head=",".join("abcdefghijklmnop"))),
    Read((16,), columns=tuple("abcdefghijklmnop")),
)
row("iris", table(lines(ROWS, head=HEAD + ",species", more=NAMES)),
    Read((5,), columns=FIVE, classes=3, class_names=("cat", "dog", "eel")))  # fmt: skip
row("iris without names", table(lines(ROWS, more=NAMES)), Refused("column 5 holds text; .*--labels 5 .*--labels none"))
row("iris, its column by number", table(lines(ROWS, more=NAMES)),
    Read((5,), class_names=("cat", "dog", "eel"), options={"labels": "5"}))  # fmt: skip
row(
    "a column of text",
    table(lines(ROWS, head=HEAD + ",site", more=NAMES)),
    Refused("column 'site' holds text; .*--labels site"),
)
row("a column of text as labels", table(lines(ROWS, head=HEAD + ",site", more=NAMES)),
    Read((5,), columns=FIVE, class_names=("cat", "dog", "eel"), options={"labels": "site"}))  # fmt: skip
row("a column of text left out", table(lines(ROWS, head=HEAD + ",site", more=NAMES)),
    Read((5,), columns=FIVE, classes=0, options={"labels": "none"}, says=("column 'site'",)))  # fmt: skip
row("no such column", table(lines(ROWS, head=HEAD)), Refused("labels is 'x'; expected a column of", {"labels": "x"}))
row("a missing value", table("a,b\n1,2\n3,\n5,6\n"), Refused(r"row 1 \(line 3\), column 'b' is missing"))
row("NA", table("a,b\n1,2\n3,4\nNA,6\n"), Refused(r"row 2 \(line 4\), column 'a' is missing \('NA'\)"))
row("nan", table("a,b\n1,2\n3,nan\n5,6\n"), Refused("row 1, column 'b' is missing"))
row("a wrong value", table("a,b\n1,2\n3,x4\n5,6\n"), Refused("row 1 .*column 'b' holds 'x4'; expected a number"))
row("a long line", table("a,b\n1,2\n3,4,5\n5,6\n"), Refused("line 3 has 3 fields; expected 2"))
row("an empty table", table("\n\n"), Refused("without a line"))
row("names alone", table("a,b\n"), Refused("expected"))
row("text alone", table("a,b\nx,y\nz,w\n"), Refused("expected"))
row("far from zero", table(lines(1e9 + ROWS * 1e-3)), Read((5,), scale=1))


# ------------------------------------------------------------ IDX, pictures


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


def idx_folder(below: str, *names: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / "idx" / below).mkdir(parents=True)
        for name in names:
            content = idx(GREY if "image" in name else CLASS)
            (folder / "idx" / below / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return folder / "idx"

    return make


TWO_PARTS = Read((8, 6), 2 * N, scale=255, classes=3, parts=(N, N))
MNIST = [f"{part}-{what}-ubyte" for part in ("train", "t10k") for what in ("images-idx3", "labels-idx1")]
row("IDX of MNIST", idx_folder(".", *MNIST), TWO_PARTS)
row("IDX packed", idx_folder(".", *(f"{name}.gz" for name in MNIST)), TWO_PARTS)
row("IDX with dots", idx_folder(".", *(name.replace("-idx", ".idx") for name in MNIST)), TWO_PARTS)
row("IDX of EMNIST", idx_folder(".", *(f"emnist-letters-{n.replace('t10k', 'test')}.gz" for n in MNIST)), TWO_PARTS)
row("IDX below", idx_folder("MNIST/raw", *MNIST), TWO_PARTS)
row("IDX without a test part", idx_folder(".", *MNIST[:2]), Read((8, 6), classes=3, parts=(27, 3)))


def pictures(arrays: Any = GREY, name: str = "{i}.png", **options: Any) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        for i, array in enumerate(arrays):
            path = folder / "pictures" / name.format(i=i, c=i % 12, part="train" if i < 20 else "test")
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(array).save(path, **options)
        (folder / "pictures" / ".DS_Store").write_bytes(b"x")
        return folder / "pictures"

    return make


TWELVE = tuple(map(str, range(12)))
for suffix in ("png", "bmp", "tif", "webp", "jpg"):
    row(f"grey {suffix}", pictures(name="{i}." + suffix), Read((8, 6), scale=255, says=("pictures in grey",)))
    row(f"colour {suffix}", pictures(COLOUR, "{i}." + suffix), Read((8, 6, 3), scale=255, says=("pictures in rgb",)))
row("colour as grey", pictures(COLOUR), Read((8, 6), options={"colour": "grey"}))
row("grey as colour", pictures(), Read((8, 6, 3), options={"colour": "rgb"}))
row("resized", pictures(), Read((4, 4), options={"size": (4, 4)}, says=("resized 30 pictures",)))
row("16 bits", pictures(GREY.astype(np.uint16) * 16), Read((8, 6), scale=4095, value_range=(0, 4080)))
row(
    "classes", pictures(name="{c}/{i}.png"), Read((8, 6), classes=12, class_names=TWELVE, says=("(0, 1, 2,", "10, 11)"))
)
row("two parts", pictures(name="{part}/{i}.png"), Read((8, 6), classes=0, parts=(20, 10)))
row(
    "classes in parts",
    pictures(name="{part}/{c}/{i}.png"),
    Read((8, 6), classes=12, class_names=TWELVE, parts=(20, 10)),
)
row("two sizes", pictures([GREY[0], GREY[1].T]), Refused("mixes image sizes.*--size"))
row("a size for an array", npy(GREY), Refused("size is .* is no folder of pictures", {"size": (4, 4)}))


@pytest.mark.parametrize("name", ROW)
def test_what_is_read(tmp_path, name):
    make, expected = ROW[name]
    path = make(tmp_path)
    if isinstance(expected, Refused):
        with pytest.raises(InputError, match=expected.words) as raised:
            load(path, **expected.options)
        assert "\n" not in str(raised.value)
        assert "/" in str(raised.value)  # the file is named
        return
    data = load(path, **expected.options)
    check(data, expected)


def check(data: Dataset, expected: Read) -> None:
    parts = [len(part) for part in data.parts.values()]
    assert tuple(data.account["shape"]) == expected.shape
    assert data.data_dim == np.prod(expected.shape)
    assert sum(parts) == data.account["points"] == expected.points
    assert expected.parts in (None, tuple(parts))
    assert expected.scale in (None, data.scale)
    assert expected.value_range in (None, tuple(data.account["range"]))
    assert expected.classes in (None, data.classes)
    assert data.class_names == expected.class_names
    assert data.columns == expected.columns or (expected.columns is None and len(expected.shape) > 1)
    line = data.describe()
    assert "\n" not in line
    assert [word for word in (*expected.says, f"{expected.points} points") if word not in line] == []


def test_there_are_enough_of_them():
    assert len(ROW) >= 100
