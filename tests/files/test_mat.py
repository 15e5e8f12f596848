import struct
import zlib

import numpy as np
import pytest
from scipy.io import savemat

from minivae.errors import InputError
from minivae.files.mat import read_mat

from ..datasets.conftest import count_refusals, peak_memory
from ..tools.reliability.hostile_bytes import element, mat, variable

IMAGES = np.random.default_rng(0).integers(256, size=(6, 12), dtype=np.uint8)


def write(path, compressed=False, **variables):
    """Write with SciPy, whose writer serves as the oracle of our reader."""
    savemat(path, variables, do_compression=compressed, appendmat=False)
    return path


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8", "?", "c16"])
def test_reads_what_scipy_wrote(tmp_path, dtype, compressed):
    values = (IMAGES % 2 if dtype == "?" else IMAGES % 100).astype(dtype)
    if dtype == "c16":
        values *= 1 + 2j
    path = write(tmp_path / "x.mat", compressed, a=values, longer_name_than_four=values[:3])
    arrays = read_mat(path)
    assert list(arrays) == ["a", "longer_name_than_four"]
    assert np.array_equal(arrays["a"], values)
    assert np.array_equal(arrays["longer_name_than_four"], values[:3])
    assert arrays["a"].dtype == ("u1" if dtype == "?" else dtype)


@pytest.mark.parametrize("shape", [(1, 1), (3, 1), (0, 4), (2, 3, 4), (2, 2, 2, 2)])
def test_shapes_and_column_major_order(tmp_path, shape):
    values = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    back = read_mat(write(tmp_path / "x.mat", x=values))["x"]
    assert back.shape == shape
    assert np.array_equal(back, values)


def test_doubles_stored_as_bytes_come_back_as_doubles_in_either_byte_order(tmp_path):
    for order, mark in (("<", b"IM"), (">", b"MI")):

        def element(kind, data, order=order):
            return struct.pack(f"{order}II", kind, len(data)) + data + bytes(-len(data) % 8)

        inside = (
            element(6, struct.pack(f"{order}II", 6, 0))  # class double
            + element(5, struct.pack(f"{order}ii", 2, 3))
            + element(1, b"pixels")
            + element(2, bytes([0, 1, 2, 3, 4, 255]))  # stored as uint8
        )
        header = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack(f"{order}H", 0x100) + mark
        (tmp_path / "x.mat").write_bytes(header + element(14, inside))
        pixels = read_mat(tmp_path / "x.mat")["pixels"]
        assert pixels.dtype == np.float64
        assert pixels.tolist() == [[0, 2, 4], [1, 3, 255]]


def test_passes_over_what_is_no_numeric_array(tmp_path):
    cell = np.empty(2, dtype=object)
    cell[:] = [1, "two"]
    path = write(tmp_path / "x.mat", True, note="a text", s={"field": 1}, cell=cell, x=IMAGES)
    assert list(read_mat(path)) == ["x"]


def test_matlab_7_3_says_how_to_save(tmp_path):
    (tmp_path / "x.mat").write_bytes(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(600))
    with pytest.raises(InputError, match="-v7"):
        read_mat(tmp_path / "x.mat")


@pytest.mark.parametrize(
    ("content", "message"), [(b"", "empty"), (b"text " * 99, "level 5"), (b"MATLAB 5.0", "level 5")]
)
def test_wrong_content(tmp_path, content, message):
    (tmp_path / "x.mat").write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_mat(tmp_path / "x.mat")
    with pytest.raises(InputError, match="no such file"):
        read_mat(tmp_path / "y.mat")


@pytest.mark.parametrize("compressed", [False, True])
def test_a_cut_file_is_refused(tmp_path, compressed):
    path = write(tmp_path / "x.mat", compressed, x=IMAGES)
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(InputError, match="not a whole MATLAB file"):
        read_mat(path)


@pytest.mark.parametrize("compressed", [False, True])
def test_damaged_files_raise_nothing_else(tmp_path, compressed):
    path = write(tmp_path / "x.mat", compressed, faces=IMAGES, text="abc", cell=np.array([1, "b"], dtype=object))
    assert count_refusals(path, path.read_bytes(), read_mat) > 50


def test_damage_inside_the_compression_raises_nothing_else(tmp_path):
    content = write(tmp_path / "x.mat", faces=IMAGES, s={"field": 1}).read_bytes()

    def load(path):
        body = zlib.compress(path.read_bytes()[128:])
        (tmp_path / "z.mat").write_bytes(content[:128] + struct.pack("<II", 15, len(body)) + body)
        return read_mat(tmp_path / "z.mat")

    assert count_refusals(tmp_path / "x.mat", content, load) > 50


def compressed_file(path, content, tag_size=None):
    """A file of one compressed variable, whose tag may lie about its size."""
    if tag_size is not None:
        content = content[:4] + struct.pack("<I", tag_size) + content[8:]
    body = zlib.compress(content)
    header = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H", 0x100) + b"IM"
    path.write_bytes(header + struct.pack("<II", 15, len(body)) + body)
    return path


@pytest.mark.parametrize("size", [65 << 20, 5 << 20, None])
def test_what_unpacks_to_more_than_it_says_or_may_is_refused_with_no_memory(tmp_path, size):
    content = write(tmp_path / "x.mat", x=np.zeros((9 << 20, 1))).read_bytes()[128:]
    path = compressed_file(tmp_path / "z.mat", content, size)

    def refuse():
        with pytest.raises(InputError, match=r"z\.mat (would unpack|is not a whole)"):
            read_mat(path)

    assert peak_memory(refuse) < 16 << 20


def test_bytes_that_become_doubles_are_counted_as_doubles(tmp_path):
    content = write(tmp_path / "x.mat", x=np.zeros((9 << 20, 1), np.uint8)).read_bytes()[128:]
    as_double = content[:16] + struct.pack("<I", 6) + content[20:]  # the class in the flags
    with pytest.raises(InputError, match="would unpack to more than 50331648 bytes"):
        read_mat(compressed_file(tmp_path / "z.mat", as_double))


def test_a_variable_that_comes_twice_is_refused(tmp_path):
    content = write(tmp_path / "x.mat", x=IMAGES).read_bytes()
    (tmp_path / "y.mat").write_bytes(content + content[128:])
    with pytest.raises(InputError, match="two variables have the name 'x'"):
        read_mat(tmp_path / "y.mat")


@pytest.mark.parametrize("parts", [{"name": b"x" * 70_000}, {"values": b"abcd", "more": 9}])
def test_a_variable_of_more_than_it_has_is_refused(tmp_path, parts):
    more = b"\1\0\0\0\0\0\0\0" * parts.pop("more", 0)
    content = variable(2, 2, **{"values": b"abcd", **parts})[8:] + more
    (tmp_path / "x.mat").write_bytes(mat(element(14, content)))
    with pytest.raises(InputError, match=r"x\.mat is not a whole MATLAB file: a variable "):
        read_mat(tmp_path / "x.mat")
