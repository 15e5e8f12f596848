"""Slips and what is answered: generated ones of every name that people write, and those that people make."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minivae as mv
from minivae import datasets
from minivae.cli.options import of_models
from minivae.cli.parser import make_parser
from minivae.errors import InputError
from minivae.models import MODELS
from minivae.optim import OPTIMIZERS
from minivae.slips import did_you_mean, nearest
from minivae.training import SCHEDULES

from .cli.conftest import run_main

TRAIN = ("train",)
OPTIONS = [
    *("data", "split", "binarize", "model", "epochs", "batch-size", "optimizer", "lr", "schedule", "weight-prior"),
    *("patience", "seed", "backend", "dtype", "out", "resume", "compile", "skip-nonfinite", "detect-anomaly", "quiet"),
    *(name.replace("_", "-") for name in of_models()),
]
COMMANDS = ("train", "evaluate", "sample", "plot", "info", "models")
# Of an option with named values, those.
VALUES = {
    "--model": [*MODELS],
    "--optimizer": [*OPTIMIZERS],
    "--schedule": [*SCHEDULES],
    "--likelihood": ["bernoulli", "gaussian"],
    "--dtype": ["float32", "float64"],
    "--backend": ["numpy", "cupy"],
    "--init": ["glorot", "he", "paper"],
    "--activation": ["leaky_relu", "relu", "sigmoid", "softplus", "tanh"],
}
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def distance(a: str, b: str) -> int:
    """Letters to insert, delete, replace or swap with the next to make one word of the other (Damerau, restricted)."""
    rows = [[*range(len(b) + 1)]]
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            row.append(min(row[-1] + 1, rows[-1][j] + 1, rows[-1][j - 1] + (x != y)))
            if i > 1 and j > 1 and (x, a[i - 2]) == (b[j - 2], y):
                row[-1] = min(row[-1], rows[-2][j - 2] + 1)
        rows.append(row)
    return rows[-1][-1]


def typos(name: str, noise: random.Random) -> set[str]:
    """One letter left out, doubled, replaced, and two swapped."""
    i = noise.randrange(1, len(name))
    other = noise.choice(LETTERS)
    made = {name[:i] + name[i + 1 :], name[:i] + name[i] + name[i:], name[:i] + other + name[i + 1 :]}
    made.add(name[: i - 1] + name[i] + name[i - 1] + name[i + 1 :])
    return {typo for typo in made if typo[0].isalpha() and len(typo) > 1}


def generated(names: list[str], most: int) -> list[tuple[str, str]]:
    """Typos of names, with the name; none that is a name itself, or the beginning of one, which argparse takes."""
    noise = random.Random(0)
    found = [(typo, name) for name in names for typo in sorted(typos(name, noise))]
    found = [(typo, name) for typo, name in found if not any(other.startswith(typo) for other in [*names, "help"])]
    return found[:most]


SLIPS = [
    *(((*TRAIN, f"--{typo}", "1"), f"--{name}", typo, "option") for typo, name in generated(OPTIONS, 150)),
    *(((typo,), repr(name), typo, "command") for typo, name in generated([*COMMANDS], 20)),
    *(((*TRAIN, "--data", typo), repr(n), typo, "data") for typo, n in generated([*datasets.names()], 16)),
    *(
        ((*TRAIN, option, typo), repr(name), typo, "value")
        for option, values in VALUES.items()
        for typo, name in generated(values, 60)
    ),
]
# Slips that are no typos: another library's words, other ways to write ours, and what people expect to work.
BY_HAND = {
    "--learning-rate 0.1": "--lr",
    "--learning_rate 0.1": "--lr",
    "--step-size 0.1": "--lr",
    "-lr 0.1": "--lr",
    "--gpu": "--backend cupy",
    "--cuda": "--backend cupy",
    "--use-gpu": "--backend cupy",
    "--cpu": "--backend numpy",
    "--device cuda": "--backend",
    "--z-dim 3": "--latent",
    "--z_dim=3": "--latent",
    "--latent-size 3": "--latent",
    "--latent-dim 3": "--latent",
    "--latent_dims 3": "--latent",
    "--nz 3": "--latent",
    "--hidden-dim 3": "--hidden",
    "--hidden_size 3": "--hidden",
    "--layers 3": "--hidden",
    "--units 3": "--hidden",
    "--num-epochs 3": "--epochs",
    "--n_epochs 3": "--epochs",
    "--max-epochs 3": "--epochs",
    "--iterations 3": "--epochs",
    "--batch_size 3": "--batch-size",
    "--batchsize 3": "--batch-size",
    "--bs 3": "--batch-size",
    "--minibatch 3": "--batch-size",
    "--random-seed 3": "--seed",
    "--random_state 3": "--seed",
    "--dataset mnist": "--data",
    "--data-path x": "--data",
    "--input x": "--data",
    "--output x": "--out",
    "--output-dir x": "--out",
    "--logdir x": "--out",
    "--checkpoint x": "--resume",
    "--continue": "--resume",
    "--loss bce": "--likelihood",
    "--optimiser adam": "--optimizer",
    "--scheduler cosine": "--schedule",
    "--lr-scheduler cosine": "--schedule",
    "--early-stopping 3": "--patience",
    "--nonlinearity relu": "--activation",
    "--initializer he": "--init",
    "--precision float64": "--dtype",
    "--weight-decay 1": "--weight-prior",
    "--jit": "--compile",
    "--silent": "--quiet",
    "--kl-weight 2": "--beta",
    "--debug": "--detect-anomaly",
    "--arch iwae": "--model",
    "--network iwae": "--model",
    "--num-samples 3": "--samples",
    "--model beta_vae": "'beta-vae'",
    "--model BetaVAE": "'beta-vae'",
    "--model betavae": "'beta-vae'",
    "--model beta": "'beta-vae'",
    "--model VAE": "'vae'",
    "--model vqvae": "'vq-vae'",
    "--model VQ-VAE": "'vq-vae'",
    "--model conditional-vae": "'cvae'",
    "--model CVAE": "'cvae'",
    "--model autoencoder": "'vae'",
    "--model gumbel": "'categorical-vae'",
    "--model mmd_vae": "'info-vae'",
    "--model wae": "'wae-mmd'",
    "--model factorvae": "'factor-vae'",
    "--model IWAE": "'iwae'",
    "--data MNIST": "'mnist'",
    "--data Digits": "'digits'",
    "--data frey_face": "'frey'",
    "--data freyfaces": "'frey'",
    "--data binarized_mnist": "'binarized-mnist'",
    "--data binary-mnist": "'binarized-mnist'",
    "--likelihood normal": "'gaussian'",
    "--likelihood mse": "'gaussian'",
    "--likelihood BCE": "'bernoulli'",
    "--likelihood Gaussian": "'gaussian'",
    "--optimizer Adam": "'adam'",
    "--optimizer adamw": "'adam'",
    "--optimizer SGD": "'sgd'",
    "--backend gpu": "'cupy'",
    "--backend cuda": "'cupy'",
    "--backend cpu": "'numpy'",
    "--dtype double": "'float64'",
    "--dtype fp32": "'float32'",
    "--dtype float": "'float32'",
    "--dtype 64": "'float64'",
    "--init xavier": "'glorot'",
    "--init kaiming": "'he'",
    "--activation ReLU": "'relu'",
    "--activation leakyrelu": "'leaky_relu'",
    "--activation logistic": "'sigmoid'",
    "--binarize None": "'none'",
    "--schedule cos": "'cosine'",
    "--hidden 200,100": "200 100?",
    "--hidden [200,100]": "200 100?",
    "--hidden (200,)": "200?",
    "--hidden 200x100": "200 100?",
    "--hidden 500;": "500?",
    "--epochs 1e3": "1000?",
    "--epochs 10.0": "10?",
    "--latent 2.": "2?",
    "--lr 0,01": "0.01?",
}
OF_OTHER_COMMANDS = {
    "fit": "'train'",
    "eval": "'evaluate'",
    "test": "'evaluate'",
    "generate": "'sample'",
    "draw": "'plot'",
    "figures": "'plot'",
    "show": "'info'",
    "evaluate run --sed 3": "--seed",
    "evaluate run --samples 3": "--importance-samples",
    "sample run --num 3": None,  # the beginning of --number, which argparse takes: there is no run
    "sample run --count 3": "--number",
    "sample run --output x": "--out",
    "plot run --output-dir x": "--out",
    "info run --gpu": "--backend cupy",
}


def test_there_are_300():
    assert len(SLIPS) + len(BY_HAND) + len(OF_OTHER_COMMANDS) >= 300


def refusal(capsys: pytest.CaptureFixture, words: tuple[str, ...] | list[str]) -> str:
    capsys.readouterr()
    assert run_main(*words) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert "Traceback" not in said.err
    return said.err


@pytest.mark.parametrize("kind", ["option", "command", "data", "value"])
def test_a_typo_is_answered_with_what_was_meant(capsys, tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    faults = []
    for words, meant, typo, of in SLIPS:
        if of != kind:
            continue
        line = refusal(capsys, words)
        answer = line.partition("did you mean ")[2].partition("?")[0]
        plain, name = answer.strip("'-"), meant.strip("'-")
        if not answer or distance(typo, plain) > distance(typo, name):
            faults.append(f"{' '.join(words)}: {answer or line.strip()}; meant was {meant}")
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(("words", "meant"), BY_HAND.items(), ids=str)
def test_a_slip_of_train_is_answered_with_what_is_right_here(capsys, tmp_path, monkeypatch, words, meant):
    monkeypatch.chdir(tmp_path)
    line = refusal(capsys, ["train", *words.split()])
    assert f"did you mean {meant.removesuffix('?')}?" in line
    assert line.startswith("minivae train: ")
    assert "(see minivae train --help)" in line or "--data" in words


@pytest.mark.parametrize(("words", "meant"), OF_OTHER_COMMANDS.items(), ids=str)
def test_a_slip_elsewhere_is_answered_there(capsys, tmp_path, monkeypatch, words, meant):
    monkeypatch.chdir(tmp_path)
    line = refusal(capsys, words.split())
    assert meant is None or f"did you mean {meant}?" in line


@pytest.mark.parametrize(
    ("given", "meant"),
    {
        "learning_rate": "lr",
        "num_epochs": "epochs",
        "epoch": "epochs",
        "batchsize": "batch_size",
        "batch": "batch_size",
        "random_state": "seed",
        "early_stopping": "patience",
        "scheduler": "schedule",
        "optimiser": "optimizer",
        "optimizer_option": "optimizer_options",
        "jit": "compile",
        "reusme": "resume",
        "progres": "progress",
        "binarise": "binarize",
        "skip_non_finite": "skip_nonfinite",
        "debug": "detect_anomaly",
    }.items(),
)
def test_a_setting_of_fit_that_there_is_not(given, meant):
    data = mv.datasets.Split(np.eye(4, dtype=np.float32))
    dataset = mv.datasets.Dataset("mine", data, data, (2, 2), 1.0, "mine")
    with pytest.raises(InputError) as found:
        mv.fit(mv.models.VAE(4, 2, (3,)), dataset, **{given: 1})
    assert str(found.value).startswith(f"{given} is no argument of fit; expected one of ")
    assert str(found.value).endswith(f"did you mean '{meant}'?")


def test_nothing_is_meant_by_what_is_near_to_nothing():
    assert nearest("qqqqqq", OPTIONS) is None
    assert did_you_mean("qqqqqq", OPTIONS) == ""
    assert nearest("x", []) is None


@given(st.sampled_from([*OPTIONS, *MODELS]), st.data())
def test_other_letters_and_signs_change_nothing(name, data):
    """Capitals, and _ or nothing for -."""
    written = "".join(data.draw(st.sampled_from([c, c.upper()])) for c in name)
    written = written.replace("-", data.draw(st.sampled_from(["", "_", "-", " "])))
    assert nearest(written, [name, "something-else"]) == name


@given(st.text(), st.lists(st.text(min_size=1), max_size=4))
def test_any_word_is_answered_or_not(word, names):
    meant = nearest(word, names)
    assert meant is None or any(meant.startswith(name) for name in names)


def test_every_word_of_ours_is_one_that_there_is():
    """The table of others' words knows no option, value or command that has gone."""
    from minivae.slips import _OTHERS

    settings = mv.training.Settings.__dataclass_fields__
    known = {name.replace("-", "_") for name in OPTIONS} | {*settings, *COMMANDS, *datasets.names(), "latent_dim"}
    known |= {name for values in VALUES.values() for name in values} | {"number", "importance_samples"}
    assert {word for ours in _OTHERS for word in ours.split()} - known == set()
    make_parser()
