"""Other data than a run's: columns and classes go by their names, and what is written is never the data."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import minivae as mv
from minivae.runs import Run

NAMES = ["a", "b", "c"]


def write(path, columns, classes, rng, rows=40):
    """A table whose class decides on column a, in any order of columns."""
    table = {name: rng.normal(size=rows).round(3) for name in NAMES}
    table["a"] = table["a"] + 5.0 * np.arange(rows)
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*columns, "class"])
        writer.writerows(zip(*(table[name] for name in columns), np.resize(classes, rows), strict=True))


def read(path):
    with open(path) as file:
        return list(csv.DictReader(file))


@pytest.fixture
def run(cli, no_figures, rng):
    write("mine.csv", NAMES, ["x", "y", "z"], np.random.default_rng(3))
    assert cli("train", "--data", "mine.csv", "--epochs", 2, "--hidden", 4, "--latent", 2, "--out", "run").code == 0
    return "run"


def test_columns_in_another_order_are_put_in_the_runs(cli, run):
    write("other.csv", NAMES[::-1], ["x", "y", "z"], np.random.default_rng(3))
    for data, out in (("mine.csv", "one.csv"), ("other.csv", "two.csv")):
        assert cli("encode", run, "--data", data, "--part", "all", "--out", out).code == 0
    assert read("one.csv") == read("two.csv")


def test_columns_of_other_names_are_refused(cli, run):
    write("other.csv", NAMES, ["x", "y", "z"], np.random.default_rng(3))
    other = Path("other.csv")
    other.write_text(other.read_text().replace("a,b,c,class", "a,b,q,class"))
    outcome = cli("encode", run, "--data", "other.csv", "--out", "one.csv")
    assert outcome.code == 2
    assert "other.csv has the columns a, b, q; expected a, b, c, as the data of the run" in outcome.err


@pytest.mark.parametrize(
    ("classes", "expected"),
    [(["y"], {("1", "y")}), (["z", "y"], {("1", "y"), ("2", "z")}), (["q"], {("0", "q")})],
)
def test_classes_have_the_labels_that_they_have_in_the_run(cli, run, classes, expected):
    write("other.csv", NAMES, classes, np.random.default_rng(3))
    assert cli("encode", run, "--data", "other.csv", "--out", "one.csv").code == 0
    assert {(row["label"], row["class"]) for row in read("one.csv")} == expected


def test_a_model_that_is_told_a_class_is_told_the_right_one_or_none(cli, no_figures):
    write("mine.csv", NAMES, [1, 2, 3], np.random.default_rng(3))
    words = "train", "--model", "cvae", "--data", "mine.csv", "--epochs", 2, "--hidden", 4, "--latent", 2
    assert cli(*words, "--out", "run").code == 0
    write("same.csv", NAMES, [3, 2], np.random.default_rng(3))
    assert cli("encode", "run", "--data", "same.csv", "--out", "one.csv").code == 0
    assert {(row["label"], row["class"]) for row in read("one.csv")} == {("1", "2"), ("2", "3")}
    write("other.csv", NAMES, [7], np.random.default_rng(3))
    outcome = cli("evaluate", "run", "--data", "other.csv")
    assert (outcome.code, "has the class '7'; expected 1, 2, 3, which the model knows" in outcome.err) == (2, True)


def test_numbers_in_the_place_of_names_are_said_to_be_their_places(cli, run):
    """Their writer may have numbered the classes in another order."""
    write("other.csv", NAMES, [0, 1, 2], np.random.default_rng(4))
    outcome = cli("encode", run, "--data", "other.csv", "--out", "one.csv")
    assert "are taken, with labels by number: 0 is x, 1 is y, 2 is z" in outcome.out
    assert {(row["label"], row["class"]) for row in read("one.csv")} == {("0", "x"), ("1", "y"), ("2", "z")}


@pytest.mark.parametrize(
    "words", [("encode", "--out"), ("reconstruct", "--out"), ("evaluate", "--rows"), ("sample", "--out")]
)
def test_the_data_are_never_written_over(cli, run, words):
    before = Path("mine.csv").read_text()
    command, option = words
    outcome = cli(command, run, option, "mine.csv")
    assert (outcome.code, f"{option} is mine.csv, which holds the data" in outcome.err) == (2, True)
    assert Path("mine.csv").read_text() == before


def test_bytes_in_a_square_number_of_columns_are_counts_for_a_likelihood_of_counts(cli, no_figures, rng):
    np.save("counts.npy", rng.poisson(3, (60, 16)).astype(np.uint8))
    for name in ("poisson", "categorical"):
        words = "train", "--data", "counts.npy", "--likelihood", name, "--epochs", 2, "--hidden", 4, "--out", name
        outcome = cli(*words)
        assert outcome.code == 0, outcome.err
        assert "as they are" in outcome.out.splitlines()[0]
        again = cli("evaluate", name, "--importance-samples", 5)
        assert (again.code, "other data" in again.out) == (0, False)


# ------------------------------------------------- whole numbers are in the run's units


def whole_numbers(largest, rows=60):
    """In 16 columns, a square: by its shape a file of 4 x 4 pictures, if no number is above 255."""
    return np.random.default_rng(3).integers(0, largest, (rows, 16))


@pytest.mark.parametrize("named", [{}, {"likelihood": "gaussian"}])
def test_other_whole_numbers_are_in_the_units_of_the_runs(cli, no_figures, named):
    """The run's go to 300 and are no pixels; so the others are none, though they stay below 256."""
    given = [word for name, value in named.items() for word in (f"--{name}", value)]
    np.save("mine.npy", whole_numbers(300))
    np.save("other.npy", whole_numbers(200))
    assert cli("train", "--data", "mine.npy", "--epochs", 2, "--hidden", 4, "--out", "run", *given).code == 0
    assert cli("encode", "run", "--data", "other.npy", "--part", "all", "--out", "codes.npy").code == 0
    np.testing.assert_allclose(
        np.load("codes.npy"), Run.open("run").load_model().encode(whole_numbers(200)).numpy(), rtol=1e-4, atol=1e-6
    )


def test_bytes_given_to_a_program_are_bytes_on_the_command_line(cli, no_figures):
    """:func:`minivae.fit` takes an array as it is; the same numbers in a file are in the same units."""
    points = whole_numbers(200).astype(np.uint8)
    model = mv.models.VAE(16, 2, (4,), likelihood="gaussian")
    mv.fit(model, points, epochs=2, batch_size=20, run=Run.create("run"), progress=False)
    np.save("same.npy", points)
    assert cli("encode", "run", "--data", "same.npy", "--part", "all", "--out", "codes.npy").code == 0
    np.testing.assert_allclose(np.load("codes.npy"), model.encode(points).numpy(), rtol=1e-4, atol=1e-6)


def test_pixels_stay_pixels(cli, no_figures):
    """Of a run on bytes, other bytes are parts of 255 too, however dark."""
    np.save("mine.npy", whole_numbers(256))
    np.save("dark.npy", whole_numbers(20))
    assert cli("train", "--data", "mine.npy", "--epochs", 1, "--hidden", 4, "--out", "run").code == 0
    assert cli("encode", "run", "--data", "dark.npy", "--part", "all", "--out", "codes.npy").code == 0
    expected = Run.open("run").load_model().encode(whole_numbers(20) / 255).numpy()
    np.testing.assert_allclose(np.load("codes.npy"), expected, rtol=1e-4, atol=1e-6)


DARK = {  # the run's levels, what they are parts of, and levels of darker pictures that came in the same way
    "16 bits": (lambda rng, n: rng.integers(0, 4096, (n, 5, 4)).astype(np.uint16), 4095, 5),
    "16 bits that fit 8": (lambda rng, n: rng.integers(0, 4096, (n, 5, 4)).astype(np.uint16), 4095, 20),
    "8 bits": (lambda rng, n: rng.integers(0, 256, (n, 5, 4)).astype(np.uint8), 255, 100),
}


@pytest.mark.parametrize("folder", [False, True])
@pytest.mark.parametrize("levels", DARK)
def test_darker_pictures_are_parts_of_what_the_runs_are_parts_of(cli, no_figures, rng, levels, folder):
    """By their own largest they would be brightened."""

    def write_pictures(name, pictures):
        if not folder:
            np.save(f"{name}.npy", pictures)
            return f"{name}.npy"
        Path(name).mkdir()
        for i, picture in enumerate(pictures):
            Image.fromarray(picture).save(f"{name}/{i}.png")
        return name

    make, scale, darker = DARK[levels]
    bright, dark = make(rng, 30), make(rng, 9) // darker
    data = write_pictures("bright", bright)
    assert cli("train", "--data", data, "--epochs", 1, "--hidden", 4, "--latent", 2, "--out", "run").code == 0
    np.save("parts.npy", dark / scale)
    for other, out in ((write_pictures("dark", dark), "one.npy"), ("parts.npy", "two.npy")):
        outcome = cli("encode", "run", "--data", other, "--out", out)
        assert outcome.code == 0, outcome.err
    np.testing.assert_allclose(np.load("one.npy"), np.load("two.npy"), rtol=1e-4, atol=1e-5)


def test_levels_that_may_be_parts_of_the_runs_or_black_and_white_are_refused(cli, no_figures, rng):
    np.save("mine.npy", rng.integers(0, 256, (30, 5, 4)).astype(np.uint8))
    assert cli("train", "--data", "mine.npy", "--epochs", 1, "--hidden", 4, "--latent", 2, "--out", "run").code == 0
    bits = rng.random((9, 5, 4)) < 0.5
    np.save("bits.npy", bits.astype(np.uint8))
    outcome = cli("encode", "run", "--data", "bits.npy", "--out", "codes.npy")
    assert outcome.code == 2
    assert "holds 0 and 1 alone, where the run's levels are parts of 255; expected" in outcome.err
    for clear in (bits, bits.astype(float), bits.astype(np.uint8) * 255):
        np.save("bits.npy", clear)
        assert cli("encode", "run", "--data", "bits.npy", "--out", f"{clear.dtype}.npy").code == 0
        np.testing.assert_array_equal(np.load(f"{clear.dtype}.npy"), np.load("bool.npy"))
