"""``minivae sample`` and ``plot``, which need no data."""

import csv

import numpy as np
import pytest

import minivae as mv
from minivae import datasets
from minivae.models import CVAE
from minivae.runs import Run


def test_sample_draws_a_picture_or_writes_an_array(cli, run):
    (run / "samples.png").unlink()
    assert cli("sample", run).code == 0
    assert (run / "samples.png").read_bytes().startswith(b"\x89PNG")

    said = cli("sample", run, "-n", 5, "--out", "drawn.npy", "--json")
    assert said.json == {"run": str(run), "path": "drawn.npy", "number": 5}
    images = np.load("drawn.npy")
    assert (images.shape, images.dtype) == ((5, 64), np.float32)
    assert 0 <= images.min() < images.max() <= 1


def test_sample_depends_on_the_seed_alone(cli, trained):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert cli("sample", trained, "-n", 4, "--seed", seed, "--out", f"{name}.npy").code == 0
    a, b, c = (np.load(f"{name}.npy") for name in "abc")
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)


def test_plot_draws_every_figure_again(cli, trained, tmp_path):
    said = cli("plot", trained, "--out", "figures/again", "--json")
    drawn = {path.name for path in (tmp_path / "figures" / "again").iterdir()}
    assert drawn == {path.name for path in trained.glob("*.png")}
    assert {path.rsplit("/")[-1] for path in said.json["figures"]} == drawn


@pytest.mark.usefixtures("no_figures")
def test_what_needs_no_data_works_where_there_are_none(cli, tmp_path, rng):
    np.save("own.npy", rng.random((60, 3, 4)))
    assert cli("train", "--data", "own.npy", "--hidden", 8, "--latent", 2, "--epochs", 1, "--out", "run").code == 0
    (tmp_path / "own.npy").unlink()
    for suffix in ("npy", "npz", "csv", "png"):
        assert cli("sample", "run", "-n", 5, "--out", f"drawn.{suffix}").code == 0
    assert np.load("drawn.npy").shape == np.load("drawn.npz")["x"].shape == (5, 12)
    with open("drawn.csv", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == [f"x_{i}" for i in range(1, 13)]
    np.testing.assert_array_equal(np.array(rows, np.float32), np.load("drawn.npy"))  # reads back exactly
    said = cli("plot", "run", "--out", "figures")
    assert said.code == 0
    assert "without what is drawn of data points: data is" in said.out
    assert {path.name for path in (tmp_path / "figures").iterdir()} == {
        *("learning_curve.png", "samples.png", "manifold.png"),
    }
    assert cli("plot", "run", "--data", "gone.npy", "--out", "figures").code == 2


@pytest.mark.usefixtures("no_figures")
def test_labels_are_drawn_as_often_as_the_training_data_have_them_or_as_said(cli, rng):
    labels = np.repeat([0, 1, 2], [30, 150, 20])
    np.savez("own.npz", images=rng.random((200, 16)), labels=labels)
    words = ("--data", "own.npz", "--model", "cvae", "--hidden", 8, "--epochs", 1)
    assert cli("train", *words, "--out", "run").code == 0
    drawn = np.array(cli("sample", "run", "-n", 2000, "--out", "s.csv", "--json").json["labels"]) / 2000
    np.testing.assert_allclose(drawn, Run.open("run").facts["label_shares"], atol=0.06)
    assert cli("sample", "run", "-n", 5, "--label", 2, "--out", "s.csv", "--json").json["labels"] == [0, 0, 5]
    refused = cli("sample", "run", "--label", "two", "--out", "s.csv")
    assert (refused.code, "--label is two; expected an integer from 0 to 2" in refused.err) == (2, True)


def test_a_label_may_be_said_by_its_name(cli, rng):
    split = datasets.Split(rng.random((40, 6)), np.arange(40) % 2)
    data = datasets.Dataset("pets", split, split, (2, 3), 1.0, "none", class_names=("cat", "dog"))
    run = Run.create("run")
    mv.fit(CVAE(6, 2, (8,), context_dim=2), data, run=run, epochs=1, batch_size=10, progress=False)
    assert cli("sample", "run", "-n", 3, "--label", "dog", "--out", "s.csv", "--json").json["labels"] == [0, 3]
    assert "did you mean 'cat'" in cli("sample", "run", "--label", "cta", "--out", "s.csv").err
