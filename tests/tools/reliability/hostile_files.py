"""The files of ``hostile.py``: for each its format, its name, and what writes it."""

from __future__ import annotations

import gzip
import json
import os
import struct
import zlib
from itertools import zip_longest

import numpy as np

from minivae.files.npy import digest

from .formats import IMAGES, idx_bytes
from .hostile_bytes import (
    Write,
    archive,
    checkpoint,
    chunk,
    element,
    idx,
    mat,
    npy,
    npy_of,
    packed,
    pickled,
    plain,
    png,
    sparse,
    this,
    trapped,
    variable,
    zeros,
)

# ----------------------------------------------------------------- .npy, .npz

PAIR = ("images.npy", plain(IMAGES)), ("labels.npy", plain(np.arange(6)))
NPY: dict[str, Write] = {
    **{
        f"shape {shape!r:.30}": this(lambda shape=shape: npy_of(shape))
        for shape in (
            *(
                (2**31, 784),
                (2**31,),
                (2**63, 2**63),
                (2**64 + 6, 16),
                (-6, -16),
                (-1,),
                (6, -1),
                (0, 2**62),
                (2**62,) * 3,
            ),
            *([6, 16], 6.0, "6", None, (6.0, 16.0), ("6",), {6: 16}, (1,) * 65, (10**400,), ()),
        )
    },
    **{
        f"type {dtype!r:.30}": this(lambda dtype=dtype: npy_of((6, 16), dtype))
        for dtype in ("|V2147483647", "<U1000000000", "|O", "|V0", "<U0", "<c8", "<M8[s]", "|S1", "x", "", None, 3, [])
    },
    "type of 900 fields": this(lambda: npy_of((6,), [(f"f{i}", "|u1") for i in range(900)])),
    "type of arrays": this(lambda: npy_of((6,), [("x", "|u1", (2**31,))])),
    "type of objects in fields": this(lambda: npy_of((6,), [("x", "|O")])),
    "order that is none": this(lambda: npy_of((6, 16), order="C")),
    "code as a header": this(lambda: npy("__import__('os').mkdir('trap')")),
    "header without end": this(lambda: npy("(" * 9000)),
    "header of much text": this(lambda: npy("{" + " " * 60000)),
    "header that claims 4 GiB": this(lambda: b"\x93NUMPY\x02\0\xff\xff\xff\xff{"),
    "version 3": this(lambda: npy("{}", version=3)),
    "pickle": trapped(lambda data: data),
    "pickled objects": trapped(pickled),
    "infinite values": this(lambda: plain(np.full((6, 16), 1e300))),
    "a device without end": lambda path: (path.unlink(), os.symlink("/dev/zero", path)),
    "a pipe that nobody writes to": lambda path: (path.unlink(), os.mkfifo(path)),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}
ZIP: dict[str, Write] = {
    "4 GiB in 4 MB": this(lambda: archive(("images.npy", zeros(4095)), method=8, size=4095 << 20)),
    "1 GiB that says 1 KiB": this(lambda: archive(("images.npy", zeros(1024)), method=8, size=1024)),
    "1 GiB in many members": this(
        lambda: archive(*((f"{i}.npy", z) for z in [zeros(1)] for i in range(1024)), method=8, size=1 << 20)
    ),
    "stored, says 4 GiB": this(lambda: archive(*PAIR, size=2**32 - 2)),
    "a name twice": this(lambda: archive(*PAIR, PAIR[0])),
    "a name twice, without suffix": this(lambda: archive(*PAIR, ("images", PAIR[0][1]))),
    "encrypted": this(lambda: archive(*PAIR, flags=1)),
    "bzip2": this(lambda: archive(*PAIR, method=12)),
    "LZMA with a dictionary of 4 GiB": this(
        lambda: archive(("x.npy", b"\x09\x04\x05\0\x5d\xff\xff\xff\xff" + bytes(99)), method=14)
    ),
    "an unknown method": this(lambda: archive(*PAIR, method=99)),
    "no member": this(lambda: archive()),
    "names upwards and from the root": this(
        lambda: archive(("../../up.npy", b"x"), ("/tmp/root.npy", b"x"), ("C:\\x.npy", b"x"))
    ),
    "names upwards of whole arrays": this(lambda: archive(("../up.npy", PAIR[0][1]), ("/root.npy", PAIR[0][1]))),
    "a name of two lines, and a long one": this(lambda: archive(("a\nb.npy", PAIR[0][1]), ("c" * 60000, PAIR[0][1]))),
    "an archive in an archive": this(lambda: archive(("images.npy", archive(*PAIR)))),
    "a folder as a member": this(lambda: archive(("images/", b""))),
    "pickled objects": trapped(lambda data: archive(("images.npy", pickled(data)))),
    "a pickle": trapped(lambda data: archive(("images.npy", data))),
    "an array that claims 2^31 rows": this(lambda: archive(("images.npy", npy_of((2**31, 784))))),
}
CHECKPOINT: dict[str, Write] = {
    "meta nested without end": this(lambda: checkpoint("[" * 100_000)),
    "meta nested, with an end": this(lambda: checkpoint('{"a":' * 50_000 + "1" + "}" * 50_000)),
    "meta with a number of 5,000 digits": this(lambda: checkpoint("9" * 5000)),
    "meta with a number for a version": this(lambda: checkpoint({"format": "minivae-checkpoint", "version": 10**300})),
    "meta of two lines": this(lambda: checkpoint({"format": "a\nb" * 5000, "version": "\n"})),
    "meta that is a list": this(lambda: checkpoint([["format", "minivae-checkpoint"], ["version", 2]])),
    "meta of numbers": this(lambda: archive(("meta.npy", plain(np.zeros(3))))),
    "no meta, checksum right": this(lambda: archive(("sha256.npy", plain(np.array(digest({})))))),
}

# ---------------------------------------------------------------- text, IDX

CONFIG: dict[str, Write] = {
    "nested without end": this(lambda: b"[" * 100_000),
    "objects nested without end": this(lambda: b'{"a":' * 100_000),
    "a number of 5,000 digits": this(lambda: b'{"model": ' + b"9" * 5000 + b"}"),
    "a gigabyte": sparse(10**9),
    "not UTF-8": this(lambda: b'{"model": "\xff"}'),
    "a model of two lines": this(lambda: json.dumps({"model": "a\nb" * 1000}).encode()),
    "a name of code": this(lambda: b'{"model": "__import__"}'),
    "half a character": this(lambda: b'{"model": "\\ud800"}'),
}
HISTORY: dict[str, Write] = {
    "a line of a gigabyte": sparse(10**9),
    "a number of 2 MB": this(lambda: b"epoch\n" + b"1" * (2 << 20) + b"\n"),
    "zero bytes": this(lambda: b"epoch,test_bound\n1,\0\n"),
    "an exponent beyond all": this(lambda: b"epoch,test_bound\n1,-1e99999\n"),
    "an exponent of a thousand digits": this(lambda: b"epoch,test_bound\n1,1e" + b"9" * 1000 + b"\n"),
    "a quote that does not end": this(lambda: b'epoch,test_bound\n"' + b"1,2\n" * 100_000),
    "60,000 columns": this(lambda: b"a," * 60_000 + b"a\n1\n"),
    "words for numbers": this(lambda: b"epoch,test_bound\n1,infinity\n"),
    "a formula": this(lambda: b"epoch,test_bound\n1,=1+1\n"),
}

IDX: dict[str, Write] = {
    "2^31 rows": this(lambda: idx(2**31, 28, 28) + bytes(784)),
    "2^127 bytes": this(lambda: idx(2**32 - 1, 2**32 - 1, 2**32 - 1, 2**31)),
    "255 dimensions": this(lambda: idx(*[2] * 255)),
    "255 dimensions of 1": this(lambda: idx(*[1] * 255) + b"x"),
    "no rows": this(lambda: idx(0, 28, 28)),
    "pictures of nothing": this(lambda: idx(2**31, 0)),
    "not a number": this(lambda: idx(2, 1, kind=0x0D) + struct.pack(">ff", 1.0, float("nan"))),
    "a pickle": trapped(lambda data: b"\0\0" + data),
}
GZIP: dict[str, Write] = {
    "1 GiB as it says": this(lambda: zeros(1024, 31, before=idx(2**20, 1024))),
    "1 GiB that says 96 bytes": this(lambda: zeros(1024, 31, before=idx(6, 4, 4))),
    "2^31 rows": this(lambda: gzip.compress(idx(2**31, 28, 28))),
    "more than it says": this(lambda: gzip.compress(idx_bytes(IMAGES) + bytes(1 << 26))),
    "packed twice": this(lambda: gzip.compress(gzip.compress(idx_bytes(IMAGES)))),
    "a name without end": this(lambda: b"\x1f\x8b\x08\x08" + bytes(6) + b"a" * 1_000_000),
    "100,000 empty streams": this(lambda: gzip.compress(b"") * 100_000),
}

# ------------------------------------------------------------------ MATLAB

WHOLE = variable(6, 16, values=IMAGES.tobytes())
HUGE = variable(2**30, 1)[8:-8]  # without its own tag and that of its values
MAT: dict[str, Write] = {
    "1 GiB as it says": this(
        lambda: mat(packed(zeros(1024, 15, struct.pack("<II", 14, len(HUGE) + 8 + 2**30) + HUGE)))
    ),
    "1 GiB that says 96 bytes": this(lambda: mat(packed(zeros(1024, 15, struct.pack("<II", 14, 96))))),
    "47 MiB of bytes that are doubles": this(
        lambda: mat(packed(zlib.compress(variable(47 << 20, 1, kind=6, values=bytes(47 << 20)))))
    ),
    "four variables of 30 MiB": this(
        lambda: mat(
            *(packed(zlib.compress(variable(30 << 20, 1, name=b"%d" % i, values=bytes(30 << 20)))) for i in range(4))
        )
    ),
    "packed in packed": this(lambda: mat(packed(zlib.compress(packed(zlib.compress(WHOLE)))))),
    "2^31 x 2^31 of nothing": this(lambda: mat(variable(2**31 - 1, 2**31 - 1))),
    "negative sizes": this(lambda: mat(variable(-6, -16, values=IMAGES.tobytes()))),
    "sizes whose product is 2^64 times too much": this(
        lambda: mat(variable(2**30, 2**30, 16, 6, values=IMAGES.tobytes()))
    ),
    "no dimension": this(lambda: mat(variable(values=b"x"))),
    "300 dimensions": this(lambda: mat(variable(*[1] * 300, values=b"x"))),
    "an element of 4 GiB": this(lambda: mat(element(14, b"", size=2**32 - 1))),
    "a small element of 65,535 bytes": this(lambda: mat(struct.pack("<HH", 14, 65535) + bytes(4))),
    "100,000 empty elements": this(lambda: mat(element(14, b"") * 100_000)),
    "a variable twice": this(lambda: mat(WHOLE, WHOLE)),
    "a name that is no text": this(lambda: mat(variable(6, 16, name=b"\xff\xfe", values=IMAGES.tobytes()))),
    "two names of two lines": this(
        lambda: mat(*(variable(1, 1, name=b"a\n%d" % i * 9000, values=b"x") for i in range(2)))
    ),
    "a pickle": trapped(lambda data: mat(element(14, data))),
    "HDF5": this(lambda: b"MATLAB 7.3 MAT-file".ljust(512) + b"\x89HDF\r\n\x1a\n" + bytes(99)),
}

# --------------------------------------------------------------------- PNG

PIXELS = chunk(b"IDAT", zlib.compress(bytes(5) * 4))
PNG: dict[str, Write] = {
    "2^31 x 2^31": this(lambda: png(PIXELS, width=2**31 - 1, height=2**31 - 1)),
    "50,000 x 50,000 in full": this(lambda: png(chunk(b"IDAT", zeros(2385, 15)), width=50_000, height=50_000)),
    "12,000 x 12,000 of colour": this(lambda: png(PIXELS, width=12_000, height=12_000, depth=16, colour=6)),
    "a second, larger header": this(lambda: png(png(width=50_000, height=50_000)[8:33], PIXELS)),
    "no pixels": this(lambda: png(PIXELS, width=0, height=0)),
    "no data": this(lambda: png()),
    "1 GiB of data for 16 pixels": this(lambda: png(chunk(b"IDAT", zeros(1024, 15)))),
    "1 GiB of text": this(lambda: png(chunk(b"zTXt", b"a\0\0" + zeros(1024, 15)), PIXELS)),
    "1 GiB of a colour profile": this(lambda: png(chunk(b"iCCP", b"a\0\0" + zeros(1024, 15)), PIXELS)),
    "a chunk of 4 GiB": this(lambda: png(chunk(b"IDAT", b"", size=2**32 - 1))),
    "a wrong checksum": this(lambda: png(PIXELS[:-1] + b"x")),
    "an unknown depth": this(lambda: png(PIXELS, depth=7)),
    "an unknown colour": this(lambda: png(PIXELS, colour=5)),
    "text": this(lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
    "a GIF": this(lambda: b"GIF89a" + bytes(99)),
    "a pickle": trapped(lambda data: data),
}
OF_FORMAT = {
    "own .npy": NPY,
    "own .npz": ZIP,
    "checkpoint": ZIP | CHECKPOINT,
    "binarized MNIST, .npz": ZIP,
    "digits that ship": ZIP,
    "config.json": CONFIG,
    "history.csv": HISTORY,
    "own IDX": IDX,
    "own IDX.gz": GZIP,
    "MNIST, IDX.gz": GZIP,
    "own .mat": MAT,
    "Frey Face, .mat": MAT,
    "own PNG folder": PNG,
}
# One of each format, then the next of each, so that any number of them is of all formats.
HOSTILE = [
    (form, name, write)
    for row in zip_longest(*([(form, *item) for item in files.items()] for form, files in OF_FORMAT.items()))
    for form, name, write in filter(None, row)
]
HARMLESS = ("1 GiB of data for 16 pixels",)  # may be read, since no more is unpacked than the pixels
