"""Slips and what is answered: generated ones of every name that people write, and those that people make."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minivae as mv
from minivae import backend, datasets
from minivae.cli.options import of_models
from minivae.cli.parser import make_parser
from minivae.datasets import COLOURS, SPLITS
from minivae.datasets.preparation import PREPARATIONS
from minivae.errors import InputError
from minivae.models import MODELS, VAE, registry
from minivae.models.vae import DECODERS
from minivae.optim import OPTIMIZERS
from minivae.slips import did_you_mean, nearest
from minivae.training import SCHEDULES
from minivae.training.callbacks import ARGUMENTS

from .cli.conftest import run_main

TRAIN = ("train",)
OPTIONS = [
    *("data", "split", "binarize", "model", "epochs", "batch-size", "optimizer", "lr", "schedule", "weight-prior"),
    *("patience", "seed", "backend", "dtype", "out", "resume", "compile", "skip-nonfinite", "detect-anomaly", "quiet"),
    *(name.replace("_", "-") for name in of_models()),
]
COMMANDS = ("train", "evaluate", "sample", "plot", "info", "models")
OTHER_COMMANDS = ("encode", "reconstruct", "interpolate", "runs")
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
    "--data moving-mnist": "'moving-digits'",
    "--data linear-gaussian": "'linear-gaussian-sequences'",
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


# Where something is, which command it belongs to, and forms of words: what the line has to say.
ANSWERS = {
    # an option of one command given to another
    "evaluate run --lr 0.1": "--lr; it is an option of minivae train",
    "evaluate --epochs 3 run": "--epochs; it is an option of minivae train",
    "evaluate run --out x.csv": "it is an option of minivae train, encode, reconstruct, interpolate, sample, plot",
    "evaluate run --dtype float64": "--dtype; it is an option of minivae train",
    "encode run --rows x.csv": "--rows; it is an option of minivae evaluate",
    "encode run --importance-samples 3 --out x.csv": "it is an option of minivae evaluate",
    "encode run --points 3 --out x.csv": "--points; it is an option of minivae evaluate",
    "reconstruct run --number 5 --out x.png": "--number; it is an option of minivae sample",
    "reconstruct run --steps 5 --out x.png": "it is an option of minivae train, interpolate",
    "sample run --data digits": "--data; it is an option of minivae train, evaluate, encode",
    "sample run --part test": "--part; it is an option of minivae evaluate",
    "models --model vae": "--model; it is an option of minivae train",
    # singular and plural, underscores, =, and a slip before what is missing
    "sample run --labels 3": "did you mean --label?",
    "train --latents 4": "did you mean --latent?",
    "train --batch-sizes=4": "did you mean --batch-size?",
    "train --free_bits=x": "did you mean --free-bits?",
    "train --kl_cycles three": "did you mean --kl-cycles?",
    "train --data=mnst": "did you mean 'mnist'?",
    "encode run --output x.csv": "did you mean --out?",
    "evaluate run --datas x": "did you mean --data?",
    # what has no name, and what has one
    "train digits": "did you mean --data digits?",
    "train iwae": "did you mean --model iwae?",
    "train help": "did you mean --help?",
    "models vae": "did you mean train --help --model vae?",
    "info --run run": "RUN is said without a name: minivae info [RUN]",
    "evaluate --run run": "RUN is said without a name: minivae evaluate RUN",
    "runs --folder x": "FOLDER is said without a name: minivae runs [FOLDER]",
    "--train": "did you mean minivae train?",
    # the wrong order, and what is missing
    "sample 5 run": "run; expected minivae sample RUN",
    "interpolate 1 2 run --out x.png": "expected minivae interpolate RUN A B --out FILE",
    "interpolate run --out x.png": "are required: A, B; expected minivae interpolate RUN A B --out FILE",
    "interpolate run 1,2 --out x.png": "did you mean 1 2?",
    "encode run": "expected minivae encode RUN --out FILE",
    "runs a b": "b; expected minivae runs [FOLDER]",
    # commands of others
    "help": "did you mean '--help'?",
    "version": "did you mean '--version'?",
    "list": "did you mean 'runs'?",
    "resume run": "did you mean 'train'?",
    "transform run": "did you mean 'encode'?",
    "reconstruction run": "did you mean 'reconstruct'?",
    "traverse run": "did you mean 'interpolate'?",
    # values
    "train --likelihood student_t": "did you mean 'student-t'?",
    "train --likelihood zinb": "did you mean 'zero-inflated'?",
    "train --likelihood nb": "did you mean 'negative-binomial'?",
    "train --prepare normalize": "did you mean 'standardize'?",
    "train --prepare minmax": "did you mean 'unit'?",
    "train --split sequential": "did you mean 'contiguous'?",
    "train --validation 10%": "did you mean 0.1?",
    "train --validation-split 0.1": "did you mean --validation?",
    "train --colour grayscale": "did you mean 'grey'?",
    "train --size 28": "did you mean 28x28?",
    "train --size 28,32": "did you mean 28x32?",
    "train --kl-annealing 5": "did you mean --kl-warmup?",
    "train --warmup 5": "did you mean --lr-warmup?",
    "train --pretrained x": "did you mean --init-from?",
    "evaluate run --part val": "did you mean 'validation'?",
    "train --epochs x": "'x' is no whole number (see",
    "train --config x.json": "x.json cannot be read: No such file or directory",
    # code of one's own, and paths as Windows has them
    "train --model mine.py": "did you mean 'mine.py:Class'?",
    "train --model mine.Mine": "did you mean 'mine:Mine'?",
    "train --likelihood mine.py": "did you mean 'mine.py:Class'?",
    "train --model mine:": "did you mean 'mine:Class'?",
    r"train --model C:\code\mine.py": r"did you mean 'C:\\code\\mine.py:Class'?",
    r"train --model C:\code\mine.py:Mine": "expected a file, and there is none",
    r"train --data C:\me\own.csv": "expected a file or folder, and there is none",
    r"evaluate C:\runs\mine": r"C:\runs\mine is not a run: it has no config.json",
    # no word here is near to these
    "train --workers 4": "unrecognized arguments: --workers (see",
    "train --momentum 0.9": "unrecognized arguments: --momentum (see",
    "train --dropout 0.1": "unrecognized arguments: --dropout (see",
    "evaluate run --best": "unrecognized arguments: --best (see",
    "runs --sort test": "unrecognized arguments: --sort (see",
}


def test_there_are_300():
    assert len(SLIPS) + len(BY_HAND) + len(OF_OTHER_COMMANDS) >= 300
    assert len(ANSWERS) + len(IN_PYTHON) >= 80


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


@pytest.mark.parametrize(("words", "answer"), ANSWERS.items(), ids=str)
def test_what_else_is_meant_is_said(capsys, tmp_path, monkeypatch, words, answer):
    monkeypatch.chdir(tmp_path)
    assert answer in refusal(capsys, words.split())


def test_a_run_is_meant_by_a_file_in_it_and_by_a_name_like_its_own(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "mine").mkdir(parents=True)
    (tmp_path / "runs" / "mine" / "config.json").write_text("{}")
    assert "did you mean --resume runs/mine?" in refusal(capsys, ["train", "runs/mine"])
    for said in ("runs/mine/model.npz", "runs/mine/config.json", "runs/mien", "runs/Mine"):
        assert "is not a run: it has no config.json; did you mean 'runs/mine'?" in refusal(capsys, ["evaluate", said])
    assert "did you mean" not in refusal(capsys, ["evaluate", "runs/another"])
    (tmp_path / "own.csv").write_text("1,2\n")
    assert "did you mean --data own.csv?" in refusal(capsys, ["train", "own.csv"])


IN_PYTHON = {
    "'gaussian'": lambda: VAE(4, likelihood="guassian"),
    "'student-t'": lambda: VAE(4, likelihood="student_t"),
    "'negative-binomial'": lambda: VAE(4, likelihood="nbinom"),
    "'relu'": lambda: VAE(4, activation="ReLU"),
    "'glorot'": lambda: VAE(4, init="xavier"),
    "'float64'": lambda: VAE(4, dtype="fp64"),
    "'cupy'": lambda: VAE(4, backend="gpu"),
    "'numpy'": lambda: backend.get_backend("numpi"),
    "'mnist'": lambda: datasets.load("MNIST"),
    "'frey'": lambda: datasets.load("frey_faces"),
    "'random'": lambda: datasets.load("digits", split="shuffle"),
    "'standardize'": lambda: datasets.load("digits").prepared("standardise"),
    "'adam'": lambda: mv.training.Settings(optimizer="Adam"),
    "'cosine'": lambda: mv.training.Settings(schedule="cosin"),
    "'beta-vae'": lambda: registry.named("beta_vae"),
    "'normal:Class'": lambda: registry.named_likelihood("normal:"),
    "'mine.py:Class'": lambda: registry.named("mine.py"),
    "'on_report'": lambda: fit_small(callbacks=[type("Mine", (), {"on_epoch_end": print})()]),
    "'callbacks'": lambda: fit_small(callback=[]),
}


def fit_small(**options):
    split = mv.datasets.Split(np.eye(4, dtype=np.float32))
    return mv.fit(VAE(4, 2, (3,)), mv.datasets.Dataset("mine", split, split, (2, 2), 1.0, "mine"), **options)


@pytest.mark.parametrize("meant", IN_PYTHON)
def test_a_name_misspelt_in_python(meant):
    with pytest.raises(InputError) as found:
        IN_PYTHON[meant]()
    assert f"; did you mean {meant}?" in str(found.value)
    assert "\n" not in str(found.value)


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
    known |= {name for values in VALUES.values() for name in values} | {"number", "importance_samples", "size"}
    known |= {*OTHER_COMMANDS, *PREPARATIONS, *SPLITS, *COLOURS, *DECODERS, *ARGUMENTS, "validation", "init_from"}
    assert {word for ours in _OTHERS for word in ours.split()} - known == set()
    make_parser()
