"""Every model on the command line: trained on the digits with defaults alone, evaluated, sampled, refused."""

import numpy as np
import pytest

from minivae.cli.options import complete, of_model
from minivae.datasets import load
from minivae.errors import InputError
from minivae.models import MODELS
from minivae.runs import Run

from ..models.members import EVERY_MEMBER_BY_COMMANDS

# What makes a minute of critic a second; every other option is the default.
QUICK = dict.fromkeys(("factor-vae", "wae-gan", "aae", "labelled-aae", "gan"), ("--critic-hidden", 20))
EVERY_MODEL = pytest.mark.parametrize("name", MODELS)


@pytest.mark.usefixtures("no_figures")
@EVERY_MEMBER_BY_COMMANDS
def test_it_trains_with_defaults_goes_on_evaluates_and_samples(cli, name):
    said = cli("train", "--model", name, *QUICK.get(name, ()), "--epochs", 1, "--out", "run", "--json")
    assert (said.code, said.err) == (0, "")
    assert said.json["model"] == name
    assert cli("train", "--resume", "run", "--epochs", 2, "--quiet").code == 0
    model = Run.open("run").load_model()
    assert type(model) is MODELS[name]
    refused = bool(model.no_log_likelihood)
    evaluated = cli("evaluate", "run", "--importance-samples", 5, "--points", 20)
    assert (evaluated.code == 2) == (refused or not model.latent_dim)
    words = cli("evaluate", "run", "--points", 20)
    assert (words.code, ("log p(x|y)" if model.context_dim else "log p(x) ") in words.out) == (0, True)
    assert ("is not there" in words.out) == refused
    label = ("--label", 3) if model.context_dim else ()
    assert cli("sample", "run", "-n", 12, *label, "--out", "drawn.npy").code == 0
    assert np.load("drawn.npy").shape == (12, model.data_dim)


@pytest.mark.parametrize(
    ("name", "picture"),
    [("cvae", "samples.png"), ("vq-vae", "codebook.png"), ("vae", "traversals.png"), ("td-vae", "rollouts.png")],
)
def test_each_kind_of_picture_is_drawn(cli, tmp_path, name, picture):
    assert cli("train", "--model", name, "--epochs", 1, "--hidden", 8, "--out", "run").code == 0
    assert (tmp_path / "run" / picture).stat().st_size > 5000
    assert cli("plot", "run", "--out", "again").code == 0
    assert {path.name for path in (tmp_path / "again").iterdir()} < {p.name for p in (tmp_path / "run").iterdir()}


def test_models_lists_each_with_objective_and_source(cli):
    said = cli("models")
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    for name, model in MODELS.items():
        (at,) = (i for i, line in enumerate(lines) if line.split(" ")[0] == name)
        assert model.minimises in lines[at]
        assert model.source in lines[at + 1]
    assert max(map(len, lines)) <= 100
    assert cli("models", "--json").json.keys() == MODELS.keys()


def test_help_shows_the_options_of_every_model(cli):
    for name in MODELS:
        shown = cli("train", "--help", "--model", name).out
        for option in of_model(name):
            assert f"--{option.replace('_', '-')}" in shown


@pytest.mark.usefixtures("no_figures")
def test_options_reach_the_model(cli):
    words = ("--model", "miwae", "--groups", 2, "--samples", 3, "--hidden", 9, "--latent", 4)
    assert cli("train", *words, "--epochs", 1, "--out", "run").code == 0
    config = Run.open("run").load_model().config
    assert (config["groups"], config["samples"], config["hidden"], config["latent_dim"]) == (2, 3, [9], 4)


@pytest.mark.usefixtures("no_figures")
def test_a_label_is_the_condition(cli):
    assert cli("train", "--model", "cvae", "--hidden", 30, "--epochs", 20, "--out", "run").code == 0
    cli("sample", "run", "-n", 50, "--label", 0, "--out", "zeros.npy")
    cli("sample", "run", "-n", 50, "--label", 1, "--out", "ones.npy")
    cli("sample", "run", "-n", 20, "--out", "all.npy")
    zeros, ones, each = (np.load(f"{name}.npy") for name in ("zeros", "ones", "all"))
    digits = load("digits").train
    means = [digits.images[digits.labels == k].mean(0) / 16 for k in (0, 1)]
    for drawn, own, other in ((zeros, *means), (ones, *means[::-1])):
        assert np.abs(drawn.mean(0) - own).mean() < 0.5 * np.abs(drawn.mean(0) - other).mean()
    assert np.abs(each[0] - means[0]).mean() < np.abs(each[0] - means[1]).mean()  # the labels in order


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("--beta", 4), "--beta is not an option of --model vae; it belongs to beta-vae"),
        (("--model", "made", "--latent", 3), "--latent is not an option of --model made"),
        (("--model", "beta-vae", "--beta", -1), "beta is -1.0"),
        (("--model", "iwae", "--samples", 0), "samples is 0"),
        (("--model", "iwae", "--estimator", "A"), "--estimator is not an option of --model iwae"),
        (("--model", "info-vae", "--alpha", 2), "alpha is 2.0"),
        (("--model", "vq-vae", "--decay", 1), "decay is 1.0"),
        (("--model", "factor-vae", "--gamma", "nan"), "gamma is nan"),
        (("--model", "info-vae", "--batch-size", 1), "at least 2"),
        (("--model", "gain"), "did you mean 'gan'"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused_in_one_line(refused, words, part):
    assert part in refused("train", *words, "--epochs", 1)


def test_data_without_labels_are_refused(refused, rng):
    np.save("own.npy", rng.integers(0, 255, (40, 16)).astype(np.uint8))
    for name in ("cvae", "cmma", "ivae", "m2", "m1-m2"):
        assert "own.npy has no labels" in refused("train", "--model", name, "--data", "own.npy", "--epochs", 1)


@pytest.mark.usefixtures("no_figures")
def test_data_that_are_no_sequences_are_refused_and_a_file_may_say_that_its_are(cli, refused, rng):
    np.save("own.npy", rng.random((40, 6, 2)).astype(np.float32))
    for data in ("digits", "own.npy"):
        said = refused("train", "--model", "td-vae", "--data", data, "--epochs", 1)
        assert f"{data} is no sequences" in said
        assert "--data moving-digits" in said
        assert "--sequence-length T" in said
    small = ("--model", "td-vae", "--data", "own.npy", "--hidden", 4, "--units", 4, "--epochs", 1, "--out", "run")
    assert "sequence_length is 5; expected an integer that divides 12" in refused(
        "train", *small, "--sequence-length", 5
    )
    assert cli("train", *small, "--sequence-length", 6).code == 0
    run = Run.open("run")
    assert (run.load_model().sequence_length, run.config["options"]["sequence_length"]) == (6, 6)
    assert cli("train", "--resume", "run", "--epochs", 2).code == 0
    assert cli("evaluate", "run", "--importance-samples", 2).code == 0


@pytest.mark.usefixtures("no_figures")
def test_labels_and_importance_samples_are_refused_where_there_are_none(cli, trained):
    for words, part in (
        (("sample", trained, "--label", 3, "--out", "x.npy"), "takes no labels"),
        (("train", "--resume", trained, "--epochs", 3, "--beta", 2), "--beta"),
    ):
        outcome = cli(*words)
        assert (outcome.code, outcome.err.count("\n")) == (2, 1)
        assert part in outcome.err
    assert cli("train", "--model", "cvae", "--hidden", 5, "--epochs", 1, "--out", "run").code == 0
    for label in (10, -1, 10**30, "two", "1.0", "²", ""):
        outcome = cli("sample", "run", f"--label={label}")
        assert (outcome.code, outcome.err.count("\n")) == (2, 1)
        assert f"--label is {label}; expected an integer from 0 to 9" in outcome.err


def test_a_model_s_own_defaults_come_before_those_of_the_data():
    digits = load("digits")
    assert complete({"model": "iwae"}, digits)["samples"] == 5
    assert complete({"model": "vae"}, digits)["samples"] == 1
    assert complete({"model": "wae-mmd"}, digits)["latent"] == 8
    assert "latent" not in complete({"model": "made"}, digits)
    assert "likelihood" not in complete({"model": "ivae"}, digits)
    with pytest.raises(InputError, match="--beta"):
        complete({"beta": 2.0}, digits)


def test_the_command_line_says_what_a_gan_lacks(cli, refused):
    words = ("--hidden", 8, "--critic-hidden", 8, "--latent", 2, "--epochs", 1, "--out", "run", "--quiet")
    assert cli("train", "--model", "gan", *words).code == 0
    for command in ("encode", "reconstruct"):
        assert "it has no encoder" in refused(command, "run", "--out", "codes.npy")
    assert "a GAN has no encoder" in refused("evaluate", "run", "--importance-samples", 5)
    drawn = cli("plot", "run", "--json").json
    assert {name.rpartition("/")[2] for name in drawn["figures"]} == {
        "learning_curve.png",
        "samples.png",
        "manifold.png",
    }
