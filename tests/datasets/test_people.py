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
import scipy.sparse
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
    Read((8, 6), classes=2, class_names=("1", "2"), says=("10 of 30 are missing", "2 classes")),
)
row(
    "names partly missing",
    npz(x=GREY, y=np.where(CLASS > 0, NAMES, "")),
    Read((8, 6), classes=2, class_names=("dog", "eel"), says=("10 of 30 are missing", "2 classes")),
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
row("a stack along the last axis of an array without a name", npy(RNG.integers(256, size=(8, 6, 90), dtype=np.uint8)),
    Refused("the last axis looks like that of the points; expected --points-axis N"))  # fmt: skip
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
row("two columns of labels", table(lines(ROWS, head=f"{HEAD},class,label", more=[f"{c},{c}" for c in CLASS])),
    Refused("2 columns named as labels; expected --labels class or --labels label, or --labels none"))  # fmt: skip
row("one of two columns of labels", table(lines(ROWS, head=f"{HEAD},class,label", more=[f"{c},{c}" for c in CLASS])),
    Read((6,), classes=3, columns=(*FIVE, "class"), options={"labels": "label"}))  # fmt: skip
row("CSV without", table(lines(ROWS)), Read((5,), scale=1, says=("line of names no",)))
row("TSV", table(lines(ROWS, "\t", "\t".join(FIVE)), "x.tsv"), Read((5,), columns=FIVE))
row("semicolons", table(lines(ROWS, ";", ";".join(FIVE))), Read((5,), columns=FIVE))
row("decimal commas", table(lines(ROWS, ";").replace(".", ",")), Read((5,), says=("decimals with a comma",)))
row(
    "decimal commas between tabs",
    table(lines(ROWS, "\t", "\t".join(FIVE)).replace(".", ","), "x.tsv"),
    Read((5,), columns=FIVE),
)
WITH_WHOLES = lines([[i, *r] for i, r in enumerate(ROWS.round(1))], ";").replace(".", ",")
row("decimal commas beside whole columns", table(WITH_WHOLES), Read((6,), says=("decimals with a comma",)))
COMMAS = lines(ROWS.round(2)).replace(",", " ").replace(".", ",")  # 0,25 -1,5
row(
    "decimal commas between blanks",
    table(COMMAS, "x.txt"),
    Refused("a number with a comma; .*decimal points, or semicolons"),
)
row(
    "decimal commas between commas",
    table(lines([[f"{v:.2f}" for v in r] for r in ROWS]).replace(".", ",")),
    Refused("looks like a number with a decimal comma"),
)
row("decimal commas below names", table(HEAD + "\n" + lines([[f"{v:.2f}" for v in r] for r in ROWS]).replace(".", ",")),
    Refused("line 1 has 5 fields, and most below it 10, as where decimals have a comma"))  # fmt: skip
row(
    "a column with decimal commas",
    table("a\n" + "".join(f"{v:.2f}\n" for v in ROWS[:, 0]).replace(".", ",")),
    Refused("decimals have a comma"),
)
row(
    "decimal commas and points",
    table("a;b\n1,5;2.5\n2,5;3.5\n"),
    Refused("'1,5' and '2.5'; expected decimal points alone"),
)
row("decimal commas in quotes", table('a,b\n"1,5","2,5"\n"0,5","7,25"\n'), Refused("'1,5', a number with a comma"))
row(
    "a point below decimal commas",
    table("a;b\n" + "1,5;2,5\n" * 300 + "1.5;2,5\n"),
    Refused("row 300 .*decimal comma, as above it"),
)
THOUSANDS = [[f"{v:,.0f}" for v in r] for r in ROWS * 1e5]
row("thousands with commas", table(lines(THOUSANDS, ";")), Refused("12600 or 12.600|[0-9]+ or [0-9.]+[?]"))
row(
    "thousands with commas, in quotes",
    table(lines([[f'"{v}"' for v in r] for r in THOUSANDS])),
    Refused("a number with a comma"),
)
row("thousands with commas and decimals", table(lines([[f'"{v:,.2f}"' for v in r] for r in ROWS * 1e7], head=HEAD)),
    Refused("column 'SO4' holds .*no sign between thousands", {"labels": "none"}))  # fmt: skip
row(
    "thousands with points",
    table(lines(THOUSANDS, ";").replace(",", ".")),
    Refused("beside .*no point between thousands"),
)
row("thousands with points and decimals", table("a;b\n" + "1.234,5;2\n" * 9), Refused("column 'a' holds '1.234,5'"))
row(
    "thousands with points, far down",
    table("a,b\n" + "999,1\n" * 700 + "1.000,1\n1.234,1\n"),
    Refused("'1.000' beside"),
)
row(
    "thousands with blanks",
    table(lines(THOUSANDS, ";", ";".join(FIVE)).replace(",", " ")),
    Refused("column 'SO4' holds|no sign between"),
)
row(
    "thousands with hard blanks",
    table(lines(THOUSANDS, ";", ";".join(FIVE)).replace(",", "\xa0")),
    Refused("no sign between thousands"),
)
row("three decimals", table("a;b\n" + "1.234;2.500\n" * 9), Read((2,), 9, columns=("a", "b"), value_range=(1.234, 2.5)))
row(
    "prices",
    table("a,price\n1,$5\n2,$7\n3,$9\n"),
    Refused("column 'price' holds '[$]5'; .*no unit", {"labels": "none"}),
)
row(
    "percentages",
    table("a,share\n1,5%\n2,7.5%\n3,9%\n"),
    Refused("column 'share' holds '5%'; .*no unit", {"labels": "none"}),
)
row("base 16", table("a,b\n1,0x1f\n2,0x2f\n"), Refused("column 'b' holds '0x1f'", {"labels": "none"}))
row("a typographer's minus", table("a,b\n1,\u22122.5\n2,3\n4,5\n"), Refused("column 'b' holds .*such as 1234.5"))
INTEGERS = COUNTS + np.arange(5) % 2
YEARS = "2019,2020,2021,2022,2023"
row("years above reals", table(lines(ROWS, head=YEARS)), Read((5,), columns=tuple(YEARS.split(","))))
row(
    "years above counts",
    table(lines(INTEGERS, head=YEARS)),
    Refused("line 1 .2019, 2020.* may be names or values; expected --header or --no-header"),
)
row(
    "years above counts, said",
    table(lines(INTEGERS, head=YEARS)),
    Read((5,), columns=tuple(YEARS.split(",")), options={"header": True}),
)
row(
    "years that are values, said",
    table(lines(INTEGERS, head=YEARS)),
    Read((5,), N + 1, value_range=(0, 2023), options={"header": False}),
)
row(
    "pairs of years",
    table("1990,1995\n" + "".join(f"{1970 + i},{1980 + i}\n" for i in range(N - 1))),
    Read((2,), value_range=(1970, 2008)),
)
row("pandas' names above reals", table(lines(ROWS, head="0,1,2,3,4")), Read((5,), columns=tuple("01234")))
row("pandas' names above counts", table(lines(COUNTS, head="0,1,2,3,4")), Refused("--header or --no-header"))
row(
    "pandas' names and index",
    table(lines([[i, *r] for i, r in enumerate(COUNTS)], head=",0,1,2,3,4")),
    Read((5,), columns=tuple("01234")),
)
row("wavelengths", table(lines(ROWS, head="400.5,401.0,401.5,402.0,402.5")), Refused("--header or --no-header"))
row("names of 100 above digits", table(lines(COUNTS, head="100,250,300,700,900")), Refused("--header or --no-header"))
row("whole numbers alone above reals", table("5,3,1\n" + lines(ROWS[:, :3])), Refused("--header or --no-header"))
row("steps in every row", table(lines(np.arange(5 * N).reshape(N, 5))), Read((5,), value_range=(0, 149)))
row("zeros at first", table("0,0,0\n" + lines(ROWS[:, :3])), Read((3,), N + 1))
row("countries by years", table(lines([[NAMES[i], *r] for i, r in enumerate(ROWS)], head="country," + YEARS)),
    Read((5,), columns=tuple(YEARS.split(",")), class_names=tuple(sorted(set(NAMES))),
    options={"labels": "country"}))  # fmt: skip
row("16 years are no picture", table(lines(np.tile(ROWS[:, :4], 4), head=",".join(map(str, range(2001, 2017))))),
    Read((16,), columns=tuple(map(str, range(2001, 2017)))))  # fmt: skip
row("a line of names for an array", npy(ROWS), Refused("header is True, but .* is no table", {"header": True}))
row(
    "a line of names for a folder",
    lambda folder: pictures()(folder),
    Refused("header is False, but .* is no table", {"header": False}),
)
OF_R = lines([[f'"r{i}"', *r] for i, r in enumerate(ROWS)], " ", '"a" "b" "c" "d" "e"')
row("R's table", table(OF_R, "x.txt"), Read((5,), columns=tuple("abcde"), says=("passed over: column ''",)))
row("bars", table(lines(ROWS, "|", "|".join(FIVE))), Read((5,), columns=FIVE))
row("a separator at the end", table(lines(ROWS, head=HEAD).replace("\n", ",\n")), Read((5,), columns=FIVE))
row("a separator at the end of rows", table(HEAD + "\n" + lines(ROWS).replace("\n", ",\n")), Read((5,), columns=FIVE))
row(
    "something behind the end",
    table(lines(ROWS).replace("\n", ",\n") * 20 + "1,2,3,4,5,6\n"),
    Refused("has 6 fields; expected 5"),
)
row("a title above", table("Table 3\n\n" + lines(ROWS, head=HEAD)), Refused("line 1 has 1 fields, and most below it 5"))
row(
    "units below the names",
    table(HEAD + "\nm,s,kg,K,A\n" + lines(ROWS)),
    Refused("row 0 .line 2., column 'SO4' holds 'm'"),
)
row("names twice", table(lines(ROWS, head="a,b,a,a.1,a")), Read((5,), columns=("a", "b", "a.2", "a.1", "a.3")))
row("a name missing", table(lines(ROWS, head="a,b,,d,e")), Read((5,), columns=("a", "b", "x_3", "d", "e")))
row("labels as reals", table(lines(np.c_[ROWS, CLASS], head=HEAD + ",label")), Read((5,), columns=FIVE, classes=3))
row("old Mac's ends of lines", table(lines(ROWS, head=HEAD).replace("\n", "\r")), Read((5,), columns=FIVE))
row("Latin-1", table(lines(ROWS, head="a,b,c,d,größe").encode("latin-1")), Refused("no text in UTF-8.*0xf6"))
row("UTF-16 without a mark", table(lines(ROWS).encode("utf-16-le")), Refused("zero bytes.*UTF-8"))
row("UTF-32", table(lines(ROWS).encode("utf-32")), Refused("zero bytes.*UTF-8"))
row("an infinity", table(lines(ROWS) + "1,inf,2,3,4\n"), Refused("row 30, column 1 is infinite"))
row("truths", table(lines(ROWS > 0, head=HEAD)), Refused("column 0 holds text|'SO4'"))
row("blanks", table(lines(ROWS, "  "), "x.txt"), Read((5,)))
row("as NumPy saves it", table("# " + lines(ROWS, head=HEAD)), Read((5,), columns=FIVE))
row("remarks above the names", table("# by hand\n# a,b,c,d,e\n" + lines(ROWS, head=HEAD)), Read((5,), columns=FIVE))
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
row("iris without names", table(lines(ROWS, more=NAMES)), Refused("column 5 holds text .*--labels 5 .*--labels none"))
row("iris, its column by number", table(lines(ROWS, more=NAMES)),
    Read((5,), class_names=("cat", "dog", "eel"), options={"labels": "5"}))  # fmt: skip
row(
    "a column of text",
    table(lines(ROWS, head=HEAD + ",site", more=NAMES)),
    Refused("column 'site' holds text .*--labels site"),
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


# ------------------------------------------------------------ sparse matrices

SPARSE = scipy.sparse.csr_matrix(np.where(COUNTS > 3, COUNTS, 0))
DENSE = Read((5,), scale=1, value_range=(0, float(COUNTS.max())), says=("a sparse matrix: 0.", "made dense"))


def save_npz(kind: str, matrix: Any = SPARSE) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        scipy.sparse.save_npz(folder / "x.npz", matrix.asformat(kind))
        return folder / "x.npz"

    return make


def matrix_market(matrix: Any) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        scipy.io.mmwrite(folder / "x.mtx", matrix)
        return folder / "x.mtx"

    return make


for kind in ("csr", "csc", "coo", "bsr", "dia"):
    row(f"sparse as {kind}", save_npz(kind), DENSE)
row("a sparse array", save_npz("coo", scipy.sparse.coo_array(SPARSE)), DENSE)
row("sparse reals", save_npz("csr", SPARSE * 0.5), Read((5,), scale=1))
row("sparse, stored the other way", save_npz("csr", SPARSE.T), Read((5,), options={"points_axis": 1}))
row(
    "sparse and too large",
    save_npz("csr", scipy.sparse.csr_matrix((1 << 20, 1 << 20))),
    Refused("[0-9]+ bytes with its zeros"),
)
row(
    "sparse in HDF5's names", npz(data=CLASS, indices=CLASS, indptr=CLASS), Refused("holds a sparse matrix; .*save_npz")
)
row("a sparse matrix as an object", npz(x=np.array(SPARSE, object)), Refused("passed over: 'x' .pickled."))
row("sparse in MATLAB", mat(fea=SPARSE.astype(float), gnd=CLASS[:, None]), Read((5,), classes=3, says=("from fea",)))
row(
    "labels of what is no array",
    mat(fea={"a": 1}, gnd=CLASS[:, None]),
    Refused("passed over: 'fea' .no array of numbers"),
)
row("Matrix Market", matrix_market(SPARSE), Refused("--points-axis 0 if rows are points"))
row("Matrix Market by rows", matrix_market(SPARSE), DENSE._replace(options={"points_axis": 0}))
row("Matrix Market by columns", matrix_market(SPARSE.T), DENSE._replace(options={"points_axis": 1}))
row("Matrix Market, all values", matrix_market(ROWS), Read((5,), options={"points_axis": 0}))


# ------------------------------------------------------------ IDX, pictures


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


def idx_file(*names: str) -> Callable[[Path], Path]:
    """The first of some files in a folder."""
    return lambda folder: idx_folder(".", *names)(folder) / names[0]


def idx_folder(below: str, *names: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        for name in names:
            (folder / "idx" / below / name).parent.mkdir(parents=True, exist_ok=True)
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
row("IDX packed with dots", idx_folder("raw", *(f"{n.replace('-idx', '.idx')}.gz" for n in MNIST)), TWO_PARTS)
row("IDX in a folder each", idx_folder(".", *(f"{name}/{name}" for name in MNIST)), TWO_PARTS)
row(
    "IDX in folders of parts",
    idx_folder(".", *(f"{p}/{w}-ubyte" for p in ("train", "test") for w in ("images-idx3", "labels-idx1"))),
    TWO_PARTS,
)
row("IDX without a part", idx_folder(".", "images.idx3-ubyte", "labels.idx1-ubyte"), Read((8, 6), classes=3))
row(
    "IDX of two sets",
    idx_folder(".", *(f"{s}/raw/{n}" for s in ("MNIST", "KMNIST") for n in MNIST)),
    Refused("several folders .KMNIST/raw, MNIST/raw.; expected one of those"),
)
row(
    "IDX of two prefixes",
    idx_folder(".", *(f"emnist-{s}-{n}" for s in ("digits", "letters") for n in MNIST)),
    Refused("two IDX files .*path of one"),
)
for ending in ("", ".gz"):
    for name in (MNIST[0], MNIST[2].replace("-idx", ".idx"), "emnist-letters-train-images-idx3-ubyte"):
        beside = name.replace("images", "labels").replace("idx3", "idx1") + ending
        row(f"IDX file {name}{ending}", idx_file(name + ending, beside), Read((8, 6), classes=3, says=(beside,)))
row("IDX file without its labels", idx_file(*MNIST[:2]), Read((8, 6), classes=0, options={"labels": "none"}))
row("IDX file among others' labels", idx_file(MNIST[0], MNIST[3]), Read((8, 6), classes=0))
row("IDX file of labels", idx_file(MNIST[1]), Refused("shape .30,.; expected"))
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


def spoiled(make: Callable[[Path], Path], *names: str) -> Callable[[Path], Path]:
    """Some files in a folder cut, emptied, and written over with text in turn."""

    def spoil(folder: Path) -> Path:
        whole = make(folder)
        for i, name in enumerate(names):
            content = (whole / name).read_bytes()
            (whole / name).write_bytes([content[: len(content) // 2], b"", b"no picture"][i % 3])
        return whole

    return spoil


row("three damaged pictures", spoiled(pictures(), "0.png", "3.png", "7.png"),
    Read((8, 6), 27, says=("passed over: 3 damaged (0.png, 3.png, 7.png), 1 hidden",)))  # fmt: skip
row(
    "damaged photographs",
    spoiled(pictures(name="{i}.jpg"), "1.jpg", "2.jpg"),
    Read((8, 6), 28, says=("2 damaged (1.jpg, 2.jpg)",)),
)
row(
    "damaged pictures of a class",
    spoiled(pictures(name="{c}/{i}.png"), "3/3.png"),
    Read((8, 6), 29, class_names=TWELVE, says=("1 damaged (3/3.png)",)),
)
row(
    "a class of damaged pictures",
    spoiled(pictures(name="{c}/{i}.png"), "3/3.png", "3/15.png", "3/27.png"),
    Refused("3 pictures of which 3 are damaged"),
)
row(
    "a part of damaged pictures",
    spoiled(pictures(name="{part}/{i}.png"), *(f"test/{i}.png" for i in range(20, 26))),
    Refused("10 pictures of which 6 are damaged"),
)
row(
    "damaged pictures alone",
    spoiled(pictures(GREY[:3]), "0.png", "1.png", "2.png"),
    Refused("3 pictures of which 3 are damaged"),
)
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
    assert len(ROW) >= 190
