"""``minivae train --codes-of``: a second stage on the codes of a run, which needs that run no more afterwards."""

import numpy as np
import pytest

from minivae.runs import Run

pytestmark = pytest.mark.usefixtures("no_figures")
SIZES = {"vq-vae": ("--num-codes", 2, "--entries", 4), "categorical-vae": ("--variables", 3, "--num-categories", 4)}
PRIOR = ("train", "--model", "autoregressive-prior", "--hidden", 9, "--quiet", "--epochs")


def first(cli, name="vq-vae", *words):
    assert cli("train", "--model", name, *SIZES[name], "--hidden", 7, "--epochs", 1, "--out", "first", *words).code == 0


@pytest.mark.parametrize("name", SIZES)
def test_a_prior_is_trained_on_the_codes_of_a_run_and_has_its_weights(cli, tmp_path, name):
    first(cli, name, "--seed", 3, "--validation", 0.2)
    assert cli(*PRIOR, 4, "--codes-of", "first", "--out", "whole").code == 0
    assert cli(*PRIOR, 2, "--codes-of", "first", "--out", "run").code == 0
    trained = Run.open("first").load_model().state_dict()
    (tmp_path / "first").rename("moved")
    assert cli("train", "--resume", "run", "--epochs", 4, "--quiet").code == 0
    whole, resumed = (Run.open(folder).load_model(last=True).state_dict() for folder in ("whole", "run"))
    for key, value in whole.items():
        np.testing.assert_array_equal(resumed[key], value)
        if key.startswith("first."):
            np.testing.assert_array_equal(value, trained[key.removeprefix("first.")])
    found, expected = Run.open("run").config, Run.open("moved").config
    assert found["dataset"]["digest"] == expected["dataset"]["digest"]  # of the split that seed 3 drew
    assert found["options"]["codes_of"] == str(tmp_path / "first")
    assert cli("sample", "run", "-n", 5, "--out", "x.npy").code == cli("evaluate", "run", "--points", 9).code == 0
    assert np.load("x.npy").shape == (5, 64)
    again = ("--init-from", "run", "--epochs", 1, "--lr", 1e-30, "--optimizer", "sgd", "--out", "again", "--quiet")
    assert cli("train", *again).code == 0
    for key, value in Run.open("again").load_model(last=True).state_dict().items():
        np.testing.assert_array_equal(value, Run.open("run").load_model().state_dict()[key])


def test_what_does_not_go_with_the_codes_is_refused_in_one_line(refused, cli, rng):
    first(cli)
    np.save("own.npy", rng.uniform(size=(30, 64)))
    for words, part in (
        (("--binarize", "dynamic"), "--binarize is 'dynamic', but --codes-of"),
        (("--validation", 0.3), "--validation is 0.3, but --codes-of"),
        (("--data", "own.npy"), "other data, or in other parts"),
        (("--model", "vae"), "--codes-of is not an option of --model vae; it belongs to autoregressive-prior"),
        (("--codes-of", "nowhere"), "nowhere is not a run"),
        (("--init-from", "first"), "--init-from is beside --codes-of; expected one of them"),
    ):
        assert part in refused(*PRIOR, 1, "--codes-of", "first", *words, "--out", "run")
    assert cli("train", "--epochs", 1, "--hidden", 5, "--out", "vae", "--quiet").code == 0
    assert "first is a VAE; expected a VQVAE or a CategoricalVAE" in refused(*PRIOR, 1, "--codes-of", "vae")
