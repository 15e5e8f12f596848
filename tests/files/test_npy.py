import io
import pickle
import warnings
import zipfile

import numpy as np
import pytest

from minivae.errors import InputError
from minivae.files.npy import digest, read_npy, read_npz

from ..datasets.conftest import count_refusals, peak_memory

IMAGES = np.random.default_rng(0).integers(256, size=(6, 12), dtype=np.uint8)


def npy_bytes(array, **options) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, **options)
    return stream.getvalue()


def write_npz(path):
    np.savez_compressed(path, train=IMAGES, labels=np.arange(6))


@pytest.mark.parametrize("array", [IMAGES, np.asfortranarray(IMAGES), IMAGES.astype(">f8"), IMAGES[0, 0], IMAGES[:0]])
@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
def test_npy_round_trip(tmp_path, array, version):
    (tmp_path / "x.npy").write_bytes(npy_bytes(array, version=version))
    back = read_npy(tmp_path / "x.npy")
    assert back.dtype == array.dtype
    assert np.array_equal(back, array)


def test_npz_gives_arrays_by_name(tmp_path):
    write_npz(tmp_path / "x.npz")
    arrays = read_npz(tmp_path / "x.npz")
    assert np.array_equal(arrays["train"], IMAGES)
    assert arrays["labels"].tolist() == [0, 1, 2, 3, 4, 5]


class Trap:
    """Unpickling this would end the test run."""

    def __reduce__(self):
        return exit, (1,)


def test_pickles_are_refused_unread(tmp_path):
    objects = np.array([Trap(), None], dtype=object)
    np.save(tmp_path / "x.npy", objects, allow_pickle=True)
    with pytest.raises(InputError, match="pickled Python objects"):
        read_npy(tmp_path / "x.npy")
    np.savez(tmp_path / "x.npz", x=objects)
    with pytest.raises(InputError, match="pickled Python objects"):
        read_npz(tmp_path / "x.npz")
    (tmp_path / "raw.npy").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(InputError, match=r"not a whole \.npy file"):
        read_npy(tmp_path / "raw.npy")


@pytest.mark.parametrize(
    ("shape", "message"),
    [(shape, "header promises") for shape in ((2**40, 12), (7, 12), (5, 12), (2**63, 2**63))]
    + [((-6, -12), "not a whole")],
)
def test_a_header_that_lies_is_refused(tmp_path, shape, message):
    true = b"(6, 12), }" + b" " * 50  # the header is filled up with spaces
    content = npy_bytes(IMAGES).replace(true, f"{shape}, }}".encode().ljust(len(true)))
    (tmp_path / "x.npy").write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_npy(tmp_path / "x.npy")


@pytest.mark.parametrize("read", [read_npy, read_npz])
@pytest.mark.parametrize(
    ("content", "message"), [(b"", "empty"), (b"x", "not a whole"), (b"text " * 99, "not a whole")]
)
def test_wrong_content(tmp_path, read, content, message):
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(InputError, match=message):
        read(tmp_path / "x")


@pytest.mark.parametrize("read", [read_npy, read_npz])
def test_missing_file(tmp_path, read):
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path / "x")


def test_npz_with_something_else_inside(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("readme.txt", "not an array")
    with pytest.raises(InputError, match=r"not a whole \.npz file"):
        read_npz(tmp_path / "x.npz")


@pytest.mark.parametrize("name", ["x.npy", "x.npz"])
def test_damaged_files_raise_nothing_else(tmp_path, name):
    path = tmp_path / name
    if name == "x.npy":
        path.write_bytes(npy_bytes(IMAGES))
    else:
        write_npz(path)
    read = read_npy if name == "x.npy" else read_npz
    assert count_refusals(path, path.read_bytes(), read) > 50


def npz_of(path, *members, method=zipfile.ZIP_STORED):
    """Write an archive of (name, content) as they are."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile's, of a name that comes twice
        with zipfile.ZipFile(path, "w", method) as archive:
            for name, content in members:
                archive.writestr(name, content)
    return path


@pytest.mark.parametrize("second", ["x", "x.npy"])
def test_a_name_that_comes_twice_is_refused(tmp_path, second):
    path = npz_of(tmp_path / "x.npz", ("x.npy", npy_bytes(IMAGES)), (second, npy_bytes(IMAGES + 1)))
    with pytest.raises(InputError, match=r"x\.npz holds two arrays of the name 'x'"):
        read_npz(path)


def test_a_directory_that_hides_an_array_is_refused(tmp_path):
    write_npz(tmp_path / "x.npz")
    content = bytearray((tmp_path / "x.npz").read_bytes())
    first = content.index(b"PK\1\2")
    second = content.index(b"PK\1\2", first + 1)
    content[first + 32 : first + 34] = (content.index(b"PK\5\6") - second).to_bytes(2, "little")  # a long comment
    (tmp_path / "x.npz").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "x.npz") as archive:
        assert archive.namelist() == ["train.npy"]
    with pytest.raises(InputError, match="its directory does not list as many arrays as it says"):
        read_npz(tmp_path / "x.npz")


def test_another_compression_is_refused(tmp_path):
    path = npz_of(tmp_path / "x.npz", ("x.npy", npy_bytes(IMAGES)), method=zipfile.ZIP_LZMA)
    with pytest.raises(InputError, match="another method than NumPy's"):
        read_npz(path)


def test_what_unpacks_to_the_memory_s_end_is_refused_before_it_is_unpacked(tmp_path):
    path = npz_of(tmp_path / "x.npz", ("x.npy", bytes(49 << 20)), method=zipfile.ZIP_DEFLATED)

    def refuse():
        with pytest.raises(InputError, match="would unpack to more than 50331648 bytes"):
            read_npz(path)

    assert peak_memory(refuse) < 1 << 20


def test_a_member_that_is_longer_than_it_says_is_not_unpacked(tmp_path):
    content = npy_bytes(IMAGES)
    path = npz_of(tmp_path / "x.npz", ("x.npy", content + bytes(32 << 20)), method=zipfile.ZIP_DEFLATED)
    true, lie = ((len(content) + more).to_bytes(4, "little") for more in (32 << 20, 0))
    path.write_bytes(path.read_bytes().replace(true, lie))

    def refuse():
        with pytest.raises(InputError, match=r"not a whole \.npz file"):
            read_npz(path)

    assert peak_memory(refuse) < 1 << 20


def test_the_digest_is_of_names_types_shapes_and_values_and_of_nothing_else():
    arrays = {"x": IMAGES, "n": np.arange(3.0)}
    first = digest(arrays)
    assert len(first) == 64
    assert digest({"n": np.arange(3.0), "x": np.asfortranarray(IMAGES)}) == first
    others = [{"y": IMAGES, "n": np.arange(3.0)}, {"x": IMAGES}, {"x": IMAGES, "n": np.arange(3.0, dtype=">f8")}]
    others += [{"x": IMAGES.T, "n": np.arange(3.0)}, {"x": IMAGES ^ 1, "n": np.arange(3.0)}, {**arrays, "z": IMAGES}]
    assert len({first, *map(digest, others)}) == 1 + len(others)
