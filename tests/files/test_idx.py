import gzip
import struct

import numpy as np
import pytest

from minivae.errors import InputError
from minivae.files.idx import read_idx

from ..datasets.conftest import count_refusals, peak_memory

IMAGES = np.random.default_rng(0).integers(256, size=(7, 5, 4), dtype=np.uint8)


def idx_bytes(array: np.ndarray, code: int = 0x08) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, code, array.ndim, *array.shape) + array.tobytes()


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_reads_what_was_written(tmp_path, pack):
    path = tmp_path / "images"
    path.write_bytes(pack(idx_bytes(IMAGES)))
    assert np.array_equal(read_idx(path), IMAGES)


@pytest.mark.parametrize(("code", "dtype"), [(0x09, "i1"), (0x0B, ">i2"), (0x0C, ">i4"), (0x0D, ">f4"), (0x0E, ">f8")])
def test_reads_every_type(tmp_path, code, dtype):
    values = np.array([[1, -2, 3], [4, 5, -6]], dtype)
    (tmp_path / "x").write_bytes(idx_bytes(values, code))
    assert read_idx(tmp_path / "x").tolist() == values.tolist()


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_reading_takes_little_memory_beside_the_values(tmp_path, pack):
    (tmp_path / "x").write_bytes(pack(idx_bytes(np.zeros((1 << 13, 1 << 10), np.uint8))))
    assert peak_memory(lambda: read_idx(tmp_path / "x")) < 1.5 * 2**23


BROKEN = {
    "empty": (b"", "empty"),
    "cut in the magic": (b"\0\0", "magic"),
    "wrong magic": (b"\x01\0\x08\x01" + bytes(20), "wrong magic number 0x01000801"),
    "unknown type": (b"\0\0\x0a\x01" + bytes(20), "wrong magic"),
    "no dimension": (b"\0\0\x08\0" + bytes(20), "wrong magic"),
    "cut in the header": (b"\0\0\x08\x03\0\0\0\x01", "ends within its header"),
    "cut in the values": (idx_bytes(IMAGES)[:-1], "promises 140 bytes"),
    "too long": (idx_bytes(IMAGES) + b"x", "there are more"),
    "cut gzip": (gzip.compress(idx_bytes(IMAGES))[:-9], "not a whole IDX file"),
    "gzip of a cut file": (gzip.compress(idx_bytes(IMAGES)[:-1]), "only 139"),
    "more dimensions than there can be": (
        struct.pack(">HBB255I", 0, 8, 255, *[1] * 255) + b"x",
        "not a whole IDX file",
    ),
    "wrong sum in gzip": (gzip.compress(idx_bytes(IMAGES))[:-8] + bytes(8), "not a whole IDX file"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_says_what_is_broken(tmp_path, name):
    content, message = BROKEN[name]
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(InputError, match=message) as error:
        read_idx(tmp_path / "x")
    assert str(tmp_path / "x") in str(error.value)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("sizes", [(2**32 - 1,) * 4, (2**31, 28, 28), (10**6, 1)])
def test_a_header_that_claims_too_much_is_refused_before_memory_is_asked_for(tmp_path, pack, sizes):
    (tmp_path / "x").write_bytes(pack(struct.pack(f">HBB{len(sizes)}I", 0, 8, len(sizes), *sizes)))
    with pytest.raises(InputError, match=r"header promises|would unpack to more than 50331648 bytes"):
        read_idx(tmp_path / "x")


def test_missing_file_and_folder(tmp_path):
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(InputError, match="no such file"):
            read_idx(path)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_damaged_files_raise_nothing_else(tmp_path, pack):
    assert count_refusals(tmp_path / "x", pack(idx_bytes(IMAGES)), read_idx) > 100
