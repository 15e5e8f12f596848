"""``minivae encode``, ``reconstruct`` and ``interpolate``."""

import csv

import numpy as np
import pytest

from minivae import datasets
from minivae.datasets import Dataset, Split
from minivae.datasets.parts import part_of
from minivae.runs import Run


def table(path):
    """Header and rows of a CSV file."""
    with open(path, newline="") as file:
        header, *rows = csv.reader(file)
    return header, rows


def digits_and(run):
    """The test digits in their own units, and the run's model."""
    digits = datasets.load("digits")
    return digits.test.images / digits.scale, Run.open(run).load_model()


def test_codes_are_those_of_the_model_in_every_format(cli, trained):
    x, model = digits_and(trained)
    for suffix in ("csv", "npz", "npy"):
        assert cli("encode", trained, "--part", "test", "--out", f"codes.{suffix}").code == 0
    expected = model.encode(x).numpy()
    np.testing.assert_allclose(np.load("codes.npy"), expected, rtol=1e-5)
    with np.load("codes.npz") as arrays:
        np.testing.assert_array_equal(arrays["mean"], np.load("codes.npy"))
        np.testing.assert_allclose(arrays["log_var"], model.posterior(x).log_var.numpy(), rtol=1e-4, atol=1e-6)
        assert set(arrays["part"]) == {"test"}
    header, rows = table("codes.csv")
    assert header == ["row", "part", "label", "mean_1", "mean_2", "log_var_1", "log_var_2"]
    np.testing.assert_array_equal(np.array([row[3:5] for row in rows], np.float32), np.load("codes.npy"))
    assert [int(row[2]) for row in rows] == datasets.load("digits").test.labels.tolist()


def test_by_default_all_points_are_encoded_and_say_of_which_part_they_are(cli, trained):
    said = cli("encode", trained, "--out", "codes.npz", "--json").json
    assert (said["points"], said["part"], said["arrays"]["mean"]) == (1797, "all", [1797, 2])
    with np.load("codes.npz") as arrays:
        assert np.unique(arrays["part"], return_counts=True)[1].tolist() == [297, 1500]


@pytest.mark.usefixtures("no_figures")
def test_codes_of_a_file_are_in_its_own_order(cli, rng):
    values = rng.random((50, 9)).astype(np.float32)
    np.save("own.npy", values)
    assert cli("train", "--data", "own.npy", "--hidden", 8, "--epochs", 1, "--out", "run").code == 0
    assert cli("encode", "run", "--out", "codes.npz").code == 0
    with np.load("codes.npz") as arrays:
        np.testing.assert_allclose(arrays["mean"], Run.open("run").load_model().encode(values).numpy(), rtol=1e-5)
        test = datasets.load("own.npy").test.rows
        assert np.flatnonzero(arrays["part"] == "test").tolist() == sorted(test)


@pytest.mark.usefixtures("no_figures")
def test_discrete_codes_and_a_model_without_any(cli):
    for name, model in (("codes", "vq-vae"), ("none", "made")):
        assert cli("train", "--model", model, "--hidden", 8, "--epochs", 1, "--out", name, "--quiet").code == 0
    assert cli("encode", "codes", "--part", "test", "--out", "codes.npz").code == 0
    x, model = digits_and("codes")
    with np.load("codes.npz") as arrays:
        np.testing.assert_array_equal(arrays["code"], model.codes(x).numpy())
        assert "log_var" not in arrays
    for words in (("encode", "none"), ("reconstruct", "none"), ("interpolate", "none", 0, 1)):
        refused = cli(*words, "--out", "x.npy")
        assert (refused.code, "no latent variable" in refused.err) == (2, True)


def test_reconstructions_are_in_the_data_s_own_units(cli, trained):
    x, model = digits_and(trained)
    expected = model.reconstruct(x).numpy()
    for suffix in ("npy", "npz", "csv", "png"):
        assert cli("reconstruct", trained, "--out", f"r.{suffix}").code == 0
    np.testing.assert_allclose(np.load("r.npy"), expected, rtol=1e-4)
    header, rows = table("r.csv")
    assert header == ["row", "part", "label", *(f"x_{i}" for i in range(1, 65))]
    np.testing.assert_array_equal(np.array([row[3:] for row in rows], np.float32), np.load("r.npy"))


def test_interpolation_goes_straight_from_one_code_to_the_other(cli, trained, tmp_path):
    x, model = digits_and(trained)
    assert cli("interpolate", trained, 3, 8, "--steps", 5, "--out", "way.npz").code == 0
    with np.load("way.npz") as arrays:
        ends = model.encode(x[[3, 8]]).numpy()
        np.testing.assert_allclose(arrays["z"], np.linspace(*ends, 5), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(arrays["decoded"], model.decode(arrays["z"]).numpy(), rtol=1e-4)
    assert cli("interpolate", trained, 3, 8, "--out", "way.png").code == 0
    assert (tmp_path / "way.png").stat().st_size > 3000


def test_what_cannot_be_encoded_or_interpolated(refused, trained):
    assert ".csv" in refused("encode", trained, "--out", "codes.txt")
    assert "nowhere" in refused("encode", trained, "--out", "nowhere/codes.csv")
    assert "B is 297; expected the number of a point, 0 to 296" in refused(
        "interpolate", trained, 0, 297, "--out", "x.npy"
    )
    assert "steps is 1" in refused("interpolate", trained, 0, 1, "--steps", 1, "--out", "x.npy")


def test_columns_have_the_names_of_the_file(cli, no_figures, rng):
    from minivae import fit
    from minivae.models import VAE

    split = Split(rng.normal(size=(30, 2)).astype(np.float32), np.arange(30) % 2)
    data = Dataset("table", split, split, None, 1.0, "none", columns=("height", "weight"), class_names=("hen", "fox"))
    fit(VAE(2, 1, (4,), likelihood="gaussian"), data, run=Run.create("run"), epochs=1, batch_size=10, progress=False)
    np.savez("table.npz", train=split.images, y_train=split.labels, test=split.images, y_test=split.labels)
    assert cli("reconstruct", "run", "--data", "table.npz", "--out", "r.csv").code == 0
    header, rows = table("r.csv")
    assert header == ["row", "part", "label", "class", "height", "weight"]
    assert rows[1][3] == "fox"
    assert part_of(data, "train")[0] is split


def test_columns_that_are_called_as_ours_stay_apart(cli, tmp_path, rng):
    """A table whose columns are ``row``, ``part``, ``share``: no name comes twice, and what is written can be read."""
    names = ["row", "part", "label", "z_1", "share"]
    with open("x.csv", "w", newline="") as file:
        csv.writer(file).writerows([names, *rng.normal(size=(30, 5)).tolist()])
    assert cli("train", "--data", "x.csv", "--out", "r", "--latent", 2, "--hidden", 8, "--epochs", 1).code == 0
    written = {
        "rebuilt.csv": (["reconstruct", "r", "--out"], ["_row", "_part", *names]),
        "way.csv": (["interpolate", "r", "0", "1", "--out"], ["_share", "_z_1", "_z_2", *names]),
        "samples.csv": (["sample", "r", "--out"], names),
    }
    for path, (words, header) in written.items():
        assert cli(*words, path).code == 0
        assert table(path)[0] == header
    again = datasets.load("samples.csv", split="contiguous")
    assert again.columns == tuple(names)
    assert cli("encode", "r", "--data", "samples.csv", "--out", "codes.npy").code == 0
