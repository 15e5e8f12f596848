import gzip

import numpy as np
import pytest
from scipy.io import savemat

from minivae.datasets import load, require_domain
from minivae.datasets.domain import UNIT
from minivae.errors import InputError

from ..files.test_idx import idx_bytes
from .conftest import peak_memory
from .test_image_folder import write as write_png

GENERATOR = np.random.default_rng(0)
IMAGES = GENERATOR.integers(256, size=(40, 6, 5), dtype=np.uint8)
ROWS = IMAGES.reshape(40, 30)
LABELS = np.arange(40)


def save(path, array=None, **arrays):
    """Write an array, or several by name, in the format of the suffix."""
    if path.suffix == ".npy":
        np.save(path, array)
    elif path.suffix == ".npz":
        np.savez(path, **arrays)
    elif path.suffix == ".mat":
        savemat(path, arrays)
    else:
        path.write_bytes(gzip.compress(idx_bytes(array)))
    return path


def together(data):
    return np.concatenate([data.train.images, data.test.images])


@pytest.mark.parametrize("name", ["x.npy", "x.npz", "x.mat", "x-idx3-ubyte.gz", "x.idx"])
def test_every_format_gives_the_same(tmp_path, name):
    path = save(tmp_path / name, IMAGES, images=IMAGES)
    data = load(path, split="contiguous")
    assert np.array_equal(together(data), ROWS)
    assert (data.image_shape, data.scale, data.train.images.dtype) == ((6, 5), 255.0, np.uint8)
    assert (len(data.train), len(data.test)) == (36, 4)
    assert (data.name, data.split) == (str(path), "contiguous: the first 36 rows train, the last 4 test")


@pytest.mark.parametrize("split", ["contiguous", "random"])
@pytest.mark.parametrize("dtype", ["uint8", "float64", ">f4"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("name", ["x.npy", "x.npz", "x.mat", "x.idx", "parts.npz", "parts.mat"])
def test_rows_lie_one_after_the_other_however_a_file_has_them(tmp_path, name, order, dtype, split):
    """Of any other array NumPy copies all to take a few rows."""
    values = np.array(ROWS, dtype if name != "x.idx" else "uint8", order=order)
    if name.startswith("parts"):
        arrays, split = (
            {"train": np.asarray(values[:36], order=order), "test": np.asarray(values[36:], order=order)},
            None,
        )
    else:
        arrays = {"images": values}
    data = load(save(tmp_path / name, values, **arrays), split=split)
    for part in (data.train, data.test):
        assert part.images.flags.c_contiguous
        assert part.images.flags.aligned
        assert part.images.dtype.isnative
    if split != "random":
        np.testing.assert_array_equal(together(data), ROWS)


def test_train_and_test_are_not_copied(tmp_path):
    path = save(tmp_path / "x.npz", train=np.zeros((6000, 784), np.uint8), test=np.ones((1000, 784), np.uint8))
    assert peak_memory(lambda: load(path)) < 1.2 * 7000 * 784


def test_folder_of_pngs(tmp_path):
    for index in range(4):
        write_png(tmp_path / str(index % 2) / f"{index}.png", IMAGES[index])
    data = load(tmp_path, split="contiguous")
    assert np.array_equal(together(data), ROWS[[0, 2, 1, 3]])
    assert data.train.labels.tolist() == [0, 0, 1]


def test_folder_of_idx_files_named_as_those_of_mnist(tmp_path):
    for part, rows in (("train", slice(0, 30)), ("t10k", slice(30, 40))):
        (tmp_path / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx_bytes(IMAGES[rows])))
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(idx_bytes(LABELS[rows].astype(np.uint8)))
    data = load(tmp_path)
    assert np.array_equal(data.test.images, ROWS[30:])
    assert data.test.labels.tolist() == list(range(30, 40))
    assert data.split == "the file's own: 30 rows train, 10 test"


def test_held_out_rows_go_by_seed_and_keep_their_labels(tmp_path):
    path = save(tmp_path / "x.npz", X=IMAGES, Y=LABELS)
    data, again, other = load(path), load(path), load(path, seed=1)
    assert data.test.labels.tolist() == again.test.labels.tolist() != other.test.labels.tolist()
    for part in (data.train, data.test):
        assert np.array_equal(part.images, ROWS[part.labels])


@pytest.mark.parametrize(
    "names",
    [
        ("train_images", "train_labels", "test_images", "test_labels"),
        ("x_train", "y_train", "x_test", "y_test"),
        ("train_x", "train_y", "test_x", "test_y"),
        ("train", "train_labels", "test", "test_labels"),
        ("TRAIN_DATA", "y_train", "Test_data", "Y_test"),
    ],
)
@pytest.mark.parametrize("suffix", [".npz", ".mat"])
def test_arrays_of_both_parts_by_name(tmp_path, names, suffix):
    values = (IMAGES[:25], LABELS[:25], IMAGES[25:], LABELS[25:])
    data = load(save(tmp_path / f"x{suffix}", **dict(zip(names, values, strict=True))))
    assert np.array_equal(data.train.images, ROWS[:25])
    assert np.array_equal(data.test.images, ROWS[25:])
    assert data.train.labels.tolist() == list(range(25))
    assert data.test.labels.tolist() == list(range(25, 40))


@pytest.mark.parametrize("names", [("images", "labels"), ("x", "y"), ("data", "target")])
def test_arrays_of_all_rows_by_name(tmp_path, names):
    data = load(save(tmp_path / "x.npz", **{names[0]: ROWS, names[1]: LABELS, "extra": np.zeros((2, 2))}))
    assert np.array_equal(data.train.images, ROWS[data.train.labels])


def test_the_only_array_will_do_whatever_its_name(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, ROWS, LABELS)
    data = load(path, split="contiguous")
    assert np.array_equal(together(data), ROWS)
    assert data.train.labels is None


def test_which_array_is_asked_for_when_it_is_unclear(tmp_path):
    path = save(tmp_path / "x.npz", faces=ROWS, houses=ROWS)
    with pytest.raises(
        InputError, match=r"holds the arrays faces \(40, 30\), houses \(40, 30\); expected images.*--array NAME"
    ):
        load(path)


def test_labels_of_train_alone_are_left_out(tmp_path):
    data = load(save(tmp_path / "x.npz", train=ROWS, y_train=LABELS, test=ROWS))
    assert data.train.labels is data.test.labels is None


def test_one_row_to_train_on_and_one_to_test_will_do(tmp_path):
    data = load(save(tmp_path / "x.npz", train=ROWS[:1], test=ROWS[1:2]))
    assert (len(data.train), len(data.test)) == (1, 1)


def test_own_parts_allow_no_other_split(tmp_path):
    path = save(tmp_path / "x.npz", train=ROWS, test=ROWS)
    with pytest.raises(InputError, match="comes with its own train and test parts"):
        load(path, split="random")


@pytest.mark.parametrize(
    ("shape", "image_shape"),
    [
        ((4, 16), (4, 4)),
        ((4, 9), None),
        ((4, 30), None),
        ((4, 6, 5, 1), (6, 5)),
        ((4, 1, 6, 5), (6, 5)),
        ((4, 1), None),
    ],
)
def test_image_shape(tmp_path, shape, image_shape):
    data = load(save(tmp_path / "x.npy", np.zeros(shape, np.uint8)))
    assert data.image_shape == image_shape
    assert data.data_dim == np.prod(shape[1:])


@pytest.mark.parametrize(
    ("values", "dtype", "scale", "value_range"),
    [
        (np.array([[0, 1], [1, 1]], np.uint8), np.uint8, 1.0, (0, 1)),
        (np.array([[False, True], [True, True]]), np.uint8, 1.0, (0, 1)),
        (np.array([[0, 2], [1, 1]], np.int64), np.uint8, 1.0, (0, 2)),
        (np.array([[0, 255], [1, 1]], np.uint16), np.uint8, 1.0, (0, 255)),
        (np.array([[0, 256], [1, 1]], np.uint16), np.float32, 1.0, (0, 256)),
        (np.array([[-1, 3], [1, 1]], np.int8), np.float32, 1.0, (-1, 3)),
        (np.array([[2**25 + 1, 3], [1, 1]]), np.float64, 1.0, (1, 2**25 + 1)),
        (np.array([[0.0, 0.5], [0.25, 1.0]]), np.float64, 1.0, (0, 1)),
        (np.array([[0.0, 0.5], [0.25, 1.0]], np.float32), np.float32, 1.0, (0, 1)),
        (np.array([[1e9, 1e9 + 1e-6], [0.25, 1.0]]), np.float64, 1.0, (0.25, 1e9 + 1e-6)),
        (np.array([[0.0, 2.0], [0.25, -7.0]], np.float16), np.float32, 1.0, (-7, 2)),
        (np.array([[0.0, 2.0], [0.25, -7.0]], ">f8"), np.float64, 1.0, (-7, 2)),
    ],
)
def test_type_and_scale(tmp_path, values, dtype, scale, value_range):
    data = load(save(tmp_path / "x.npy", values))
    assert data.train.images.dtype == dtype
    assert data.scale == scale
    assert data.value_range == pytest.approx(value_range)
    if value_range[0] < 0 or value_range[1] > 1:
        with pytest.raises(InputError, match=r"x\.npy has values from"):
            require_domain(data, UNIT)
    else:
        require_domain(data, UNIT)


def with_value(value):
    values = np.zeros((4, 3))
    values[2, 1] = value
    return values


BAD_ARRAYS = {
    "NaN": (with_value(np.nan), "nan in row 2, value 1; expected finite"),
    "infinity": (with_value(-np.inf), "-inf in row 2"),
    "beyond float32": (with_value(1e300), r"1e\+300 in row 2"),
    "complex": (np.zeros((4, 3), complex), "type complex128"),
    "strings": (np.array([["a", "b"], ["c", "d"]]), "type <U1"),
    "dates": (np.zeros((4, 3), "M8[s]"), "type datetime64"),
    "records": (np.zeros((4, 3), [("a", "f4"), ("b", "i4")]), "type "),
    r"\(40, 30\) and \(0, 30\); expected": (np.zeros((0, 3)), r"shape \(0, 3\); expected at least 2 rows"),
    "1 row": (np.zeros((1, 3)), r"shape \(1, 3\); expected at least 2 rows"),
    "0 columns": (np.zeros((4, 0)), r"shape \(4, 0\).*at least 1 value"),
    "a number": (np.float64(3), r"shape \(\); expected"),
    "one dimension": (np.zeros(4), r"shape \(4,\); expected \(N, D\)"),
    "four channels": (np.zeros((4, 8, 8, 4), np.uint8), r"shape \(4, 8, 8, 4\); expected"),
    "five dimensions": (np.zeros((4, 1, 1, 8, 8)), "expected"),
}


@pytest.mark.parametrize("name", BAD_ARRAYS)
def test_bad_arrays(tmp_path, name):
    array, message = BAD_ARRAYS[name]
    path = save(tmp_path / "x.npy", array)
    with pytest.raises(InputError, match=message) as error:
        load(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.arange(39), r"shape \(39,\); expected 40, one for each point"),
        (np.zeros((8, 5), int), r"shape \(8, 5\); expected 40"),
        (np.int64(3), r"shape \(\); expected 40"),
    ],
)
def test_labels_that_are_not_as_many_as_points_are_refused(tmp_path, labels, message):
    with pytest.raises(InputError, match=message):
        load(save(tmp_path / "x.npz", images=ROWS, labels=labels))
    assert load(tmp_path / "x.npz", labels="none").train.labels is None


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (np.array(["b", "", "a", "NA"] * 10), ("a", "b")),
        (np.array([1.0, np.nan, 0.0, np.nan] * 10), None),
        (np.array(["7", "", "3", " "] * 10), ("3", "7")),
    ],
)
def test_a_missing_label_is_minus_one(tmp_path, labels, names):
    save(tmp_path / "x.npz", images=ROWS, labels=labels)
    data = load(tmp_path / "x.npz", labels="labels", split="contiguous")
    found = np.concatenate([data.train.labels, data.test.labels])
    np.testing.assert_array_equal(found, [1, -1, 0, -1] * 10)
    assert (data.classes, data.class_names) == (2, names)
    assert "2 classes (20 of 40 are missing) from labels" in data.account["labels"]


@pytest.mark.parametrize(
    ("labels", "why"),
    [
        (np.arange(40) + 0.5, "real numbers"),
        (np.full(40, np.nan), "40 of 40 are missing"),
        (np.full(40, 1e300), "real numbers"),
        (np.array([f"row{i}" for i in range(40)]), "another one for each point"),
        (np.array(["", " "] * 20), "40 of 40 are missing"),
        (np.where(np.arange(40) % 2, np.arange(40) + 0.5, np.nan), "real numbers"),
        (np.zeros((40, 10)), "several for each point"),
        (np.zeros((40, 3, 2)), "several for each point"),
        (np.zeros(40, "M8[s]"), "values of type datetime64"),
    ],
)
def test_labels_that_are_no_classes_are_passed_over_with_a_word(tmp_path, labels, why):
    save(tmp_path / "x.npz", images=ROWS, labels=labels)
    data = load(tmp_path / "x.npz")
    assert data.train.labels is data.test.labels is None
    assert why in data.account["labels"]
    assert why in data.describe()
    with pytest.raises(InputError, match=r"labels is 'labels': .*; expected a class for each point"):
        load(tmp_path / "x.npz", labels="labels")


def test_labels_as_matlab_writes_them(tmp_path):
    data = load(save(tmp_path / "x.mat", images=ROWS, labels=LABELS.astype(float).reshape(-1, 1)), split="contiguous")
    assert data.test.labels.tolist() == [36, 37, 38, 39]


@pytest.mark.parametrize(
    ("train", "test", "message"),
    [
        (ROWS, ROWS[:, :29], "differ in image size"),
        (ROWS, ROWS / 255, "uint8 .* and float64"),
        (ROWS, ROWS[:0], r"\(40, 30\) and \(0, 30\); expected"),
        (ROWS[:0], ROWS, r"\(0, 30\) and \(40, 30\); expected"),
    ],
)
def test_parts_that_do_not_fit(tmp_path, train, test, message):
    with pytest.raises(InputError, match=message):
        load(save(tmp_path / "x.npz", train=train, test=test))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.pdf", b"1,2,3\n", "unknown format; expected"),
        ("x.png", b"\x89PNG", "unknown format; expected"),
        ("x.csv", b"", "empty"),
        ("x.npz", b"", "empty"),
        ("x.npz", b"PK\x05\x06" + bytes(18), r"holds the arrays \(none\)"),
        ("x.gz", b"\x1f\x8b", "not a whole IDX file"),
    ],
)
def test_bad_files(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        load(tmp_path / name)


@pytest.mark.parametrize("name", ["x.npy", "x.npz", "x.mat", "x.idx", "folder"])
def test_no_permission_is_one_clear_line(tmp_path, name, monkeypatch):
    def refuse(*arguments, **options):
        raise PermissionError(13, "Permission denied")

    path = tmp_path / name
    path.mkdir() if name == "folder" else path.write_bytes(b"\0\0\x08\1")
    for function in ("builtins.open", "io.open", "pathlib.Path.read_bytes", "pathlib.Path.iterdir"):
        monkeypatch.setattr(function, refuse)
    with pytest.raises(InputError, match=r"cannot read .*: Permission denied"):
        load(path)


def test_names_of_arrays_stay_in_one_short_line(tmp_path):
    np.savez(tmp_path / "x.npz", **{"a\nb": ROWS, "c" * 5000: ROWS})
    with pytest.raises(InputError, match=r"holds the arrays a\\nb \(40, 30\), cccc") as raised:
        load(tmp_path / "x.npz")
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 600
