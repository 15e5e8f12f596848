"""What is trained when the options do not say, and the user's own files by path, end to end."""

import gzip
import os
import struct

import numpy as np
import pytest

from minivae import datasets
from minivae.cli.options import COMMON, USUAL, USUAL_OF_MODEL, complete, of_model
from minivae.runs import Run


@pytest.fixture
def pixels(rng):
    """Thirty images of 5 x 6, bright on the left."""
    return (rng.integers(0, 128, (30, 5, 6)) + np.linspace(127, 0, 6)).astype(np.uint8)


def write_idx(path, pixels):
    header = struct.pack(f">HBB{pixels.ndim}I", 0, 8, pixels.ndim, *pixels.shape)
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wb") as file:
        file.write(header + pixels.tobytes())


def write_mat(path, pixels):
    from scipy.io import savemat

    savemat(path, {"images": pixels})


def write_pngs(path, pixels):
    from matplotlib.image import imsave

    path.mkdir()
    for i, image in enumerate(pixels):
        imsave(path / f"{i:03}.png", np.stack([image] * 3, axis=-1))  # a colour map would round


FORMATS = {
    "own.npy": np.save,
    "own.npz": lambda path, pixels: np.savez(path, images=pixels, labels=np.arange(len(pixels)) % 3),
    "own.mat": write_mat,
    "own-idx3-ubyte": write_idx,
    "own-idx3-ubyte.gz": write_idx,
    "pictures": write_pngs,
}


@pytest.mark.parametrize("name", FORMATS)
def test_own_images_train_and_evaluate_the_same_in_every_format(cli, tmp_path, pixels, name, no_figures):
    FORMATS[name](tmp_path / name, pixels)
    said = cli("train", "--data", name, "--epochs", 2, "--hidden", 8, "--out", "run", "--json")
    assert (said.code, said.err) == (0, "")
    assert said.json["likelihood"] == "bernoulli"
    assert said.json["samples_seen"] == 2 * 27
    np.save("same.npy", pixels)
    same = cli("train", "--data", "same.npy", "--epochs", 2, "--hidden", 8, "--out", "same", "--json")
    assert said.json["test_bound"] == same.json["test_bound"]
    evaluated = cli("evaluate", "run", "--importance-samples", 3, "--json")
    assert evaluated.json["bound"] == said.json["test_bound"]


def test_real_valued_data_get_a_gaussian_likelihood_and_figures(cli, tmp_path, rng):
    np.save("table.npy", rng.standard_normal((40, 7)) * 3)
    said = cli("train", "--data", "table.npy", "--epochs", 2, "--hidden", 8, "--latent", 2, "--out", "run", "--json")
    assert (said.code, said.err) == (0, "")
    assert said.json["likelihood"] == "gaussian"
    assert (tmp_path / "run" / "manifold.png").exists()
    assert cli("sample", "run", "-n", 3, "--out", "drawn.npy").code == 0
    assert np.load("drawn.npy").shape == (3, 7)


@pytest.mark.usefixtures("no_figures")
def test_few_rows_need_no_options(cli):
    np.save("two.npy", np.eye(2, 6))
    said = cli("train", "--data", "two.npy", "--epochs", 1, "--out", "run", "--json")
    assert (said.code, said.json["samples_seen"]) == (0, 1)
    evaluated = cli("evaluate", "run", "--points", 1, "--json").json
    assert evaluated["points"] == 1


@pytest.mark.usefixtures("no_figures")
def test_a_run_finds_its_data_from_another_folder(cli, tmp_path, pixels, monkeypatch):
    np.save("own.npy", pixels)
    assert cli("train", "--data", "own.npy", "--epochs", 1, "--hidden", 8, "--out", "run").code == 0
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert cli("evaluate", "../run", "--importance-samples", 2).code == 0
    resumed = cli("train", "--resume", "../run", "--data", "../own.npy", "--epochs", 2)
    assert (resumed.code, resumed.err) == (0, "")


@pytest.mark.usefixtures("no_figures")
def test_a_path_from_the_home_folder(cli, tmp_path, pixels, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    np.save("own.npy", pixels)
    said = cli("train", "--data=~/own.npy", "--epochs", 1, "--hidden", 8, "--out", "run", "--json")
    assert said.json["data"] == os.path.abspath("own.npy")


@pytest.mark.usefixtures("no_figures")
def test_the_split_of_own_data_can_be_chosen(cli, pixels):
    np.save("own.npy", pixels)
    for split in ("random", "contiguous"):
        said = cli(
            "train", "--data", "own.npy", "--split", split, "--epochs", 1, "--hidden", 8, "--out", split, "--json"
        )
        assert split in said.json["split"]
        assert cli("evaluate", split, "--importance-samples", 2, "--json").json["bound"] == said.json["test_bound"]


def test_every_named_data_set_has_usual_options():
    assert USUAL.keys() == set(datasets.names())


@pytest.mark.usefixtures("no_figures")
def test_what_is_usual_for_a_model_with_some_data_is_an_option_of_it_and_can_be_said_otherwise():
    digits = datasets.load("digits")
    for (data, model), usual in USUAL_OF_MODEL.items():
        assert data in USUAL
        assert usual.keys() <= {*of_model(model), *USUAL[data]}
        assert complete({"model": model, "data": data}, digits).items() >= usual.items()
        for name in usual:
            elsewhere = of_model(model)[name].default if name in of_model(model) else {**COMMON, **USUAL["mnist"]}[name]
            assert complete({"model": model, "data": data, name: 1.5}, digits)[name] == 1.5
            assert complete({"model": model, "data": "mnist"}, digits)[name] == elsewhere


def test_an_argument_comes_before_the_environment(cli, monkeypatch):
    monkeypatch.setenv("MINIVAE_BACKEND", "nonsense")
    words = ("--epochs", 1, "--hidden", 8, "--backend", "numpy", "--out", "run")
    assert cli("train", *words).code == 0
    assert Run.open("run").config["options"]["backend"] == "numpy"
