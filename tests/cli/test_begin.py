"""``minivae train --init-from`` and ``--config``; runs made by a program are runs like any other."""

import json

import numpy as np
import pytest

import minivae as mv
from minivae import datasets
from minivae.cli.options import of_model
from minivae.models import MODELS, VAE
from minivae.models.registry import arguments
from minivae.runs import Run

from ..models.members import EVERY_MEMBER_BY_COMMANDS

pytestmark = pytest.mark.usefixtures("no_figures")


def options_of(folder):
    return Run.open(folder).config["options"]


def test_another_run_begins_with_the_weights_and_options_of_the_first(cli, trained):
    words = ("--init-from", trained, "--lr", 1e-30, "--optimizer", "sgd", "--epochs", 1)
    assert cli("train", *words, "--out", "second", "--quiet").code == 0
    first, second = (Run.open(folder).load_model().state_dict() for folder in (trained, "second"))
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])
    changed = {name for name in options_of("second") if options_of("second")[name] != options_of(trained)[name]}
    assert changed == {"lr", "optimizer", "epochs"}
    assert Run.open("second").config["init_from"] == str(trained)
    assert len(Run.open("second").load_history()) == 1


def test_another_model_begins_with_the_weights_where_they_fit(cli, trained):
    assert cli("train", "--init-from", trained, "--model", "beta-vae", "--out", "beta", "--quiet").code == 0
    assert (options_of("beta")["model"], options_of("beta")["hidden"]) == ("beta-vae", [12])


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("--hidden", 13), "encoder.hidden.layers.0.weight; expected shape (64, 13)"),
        (("--latent", 3), "encoder.mean.weight; expected shape (12, 3)"),
        (("--likelihood", "gaussian"), "expected shape"),
        (("--resume", "run"), "expected no --config or --init-from"),
    ],
    ids=str,
)
def test_weights_that_do_not_fit_are_refused_by_the_first_name(refused, run, words, part):
    line = refused("train", "--init-from", run, *words, "--out", "new")
    assert part in line
    assert line.count("encoder") + line.count("decoder") <= 1


def test_a_run_s_config_is_taken_back_and_what_is_said_comes_first(cli, trained):
    words = ("--config", trained / "config.json", "--latent", 3)
    assert cli("train", *words, "--out", "again", "--quiet").code == 0
    assert options_of("again") == {**options_of(trained), "latent": 3}


def test_a_config_of_one_s_own(cli, tmp_path):
    (tmp_path / "mine.json").write_text(json.dumps({"hidden": [9], "batch-size": 50, "epochs": 1, "lr": None}))
    assert cli("train", "--config", "mine.json", "--out", "run", "--quiet").code == 0
    found = options_of("run")
    assert (found["hidden"], found["batch_size"], found["epochs"], found["lr"]) == ([9], 50, 1, None)


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ('{"hiden": [9]}', "did you mean 'hidden'?"),
        ('{"model": "vea"}', "did you mean 'vae'?"),
        ('{"model": "vae", "beta": 3}', "--beta is not an option of --model vae"),
        ('{"beta": 3}', "--beta is not an option of --model vae"),
        ('{"epochs": "many"}', "epochs is 'many'"),
        ('{"hidden": 9}', "hidden is 9"),
        ('{"data": 3}', "data is 3"),
        ('{"dtype": "int8"}', "dtype"),
        ('{"backend": "abacus"}', "abacus"),
        ("[1, 2]", "expected an object"),
        ("{", "mine.json is damaged"),
        ('{"epochs": 1, "lr": 0.1, "epochs": 2}', "'epochs' twice"),
    ],
)
def test_a_config_that_makes_no_sense_is_refused_in_one_line(refused, tmp_path, content, part):
    (tmp_path / "mine.json").write_text(content)
    assert part in refused("train", "--config", "mine.json", "--out", "run")


def test_where_data_may_have_moved_to_is_asked_for(cli, refused, tmp_path, rng):
    np.save("own.npy", rng.normal(size=(40, 3)))
    words = ("--hidden", 4, "--latent", 2, "--epochs", 1, "--quiet")
    assert cli("train", "--data", "own.npy", *words, "--out", "run").code == 0
    (tmp_path / "own.npy").rename("moved.npy")
    # (a run that goes on notes where its data are now)
    for begin in (("--init-from", "run"), ("--config", "run/config.json"), ("--resume", "run", "--epochs", 2)):
        out = () if begin[0] == "--resume" else ("--out", begin[0].strip("-"))
        assert "if they have moved, say where to: --data FILE" in refused("train", *begin, *out)
        assert cli("train", *begin, *out, "--data", "moved.npy", "--quiet").code == 0
    assert "moved" not in refused("train", "--data", "own.npy", *words, "--out", "other")


def test_a_config_that_is_not_there(refused):
    assert "gone.json" in refused("train", "--config", "gone.json")


# ------------------------------------------------------- runs of a program


@EVERY_MEMBER_BY_COMMANDS
def test_every_command_opens_a_run_of_a_program(cli, name):
    digits = datasets.load("digits")
    options = {"critic_hidden": (20,), "context_dim": 10, "sequence_length": 8}
    options = {key: value for key, value in options.items() if key in arguments(MODELS[name])}
    model = MODELS[name](64, hidden=(8,), **options)
    mv.fit(model, digits, run=Run.create("run"), epochs=1, report_every=1, seed=3, progress=False)
    assert Run.open("run").config["model"] == name
    assert cli("evaluate", "run", "--points", 3).code == 0
    assert cli("sample", "run", "-n", 2, "--out", "s.npy").code == 0
    assert cli("info", "run").code == 0
    if not model.no_codes:
        assert cli("encode", "run", "--out", "c.npy").code == 0
    assert {*of_model(name)} <= {*cli("info", "run", "--json").json["options"]}


def test_a_run_of_a_program_is_resumed_by_the_command_line_and_the_other_way_round(cli, tmp_path, rng):
    np.save("own.npy", rng.random((60, 16)))
    own = datasets.load("own.npy", split="contiguous", seed=5)
    model = VAE(16, 2, (8,))
    mv.fit(model, own, run=Run.create("run"), epochs=2, report_every=2, batch_size=10, progress=False)
    assert cli("evaluate", "run", "--json").json["bound"] == Run.open("run").load_history().rows[-1]["test_bound"]
    assert cli("train", "--resume", "run", "--epochs", 4, "--quiet").code == 0
    assert len(Run.open("run").load_history()) == 2
    words = {"epochs": 6, "report_every": 2, "batch_size": 10, "progress": False}
    history = mv.fit(VAE(16, 2, (8,)), own, run=Run.open("run"), resume=True, **words)
    assert [row["epoch"] for row in history.rows] == [2, 4, 6]


def test_what_a_program_says_of_its_run_stays(tmp_path):
    run = Run.create(tmp_path / "run", {"note": "mine", "options": {"label": 3}})
    mv.fit(VAE(64, 2, (4,)), datasets.load("digits"), run=run, epochs=1, progress=False)
    config = Run.open(tmp_path / "run").config
    assert (config["note"], config["options"]["label"], config["model"]) == ("mine", 3, "vae")
    before = run.config_path.read_bytes()
    mv.fit(VAE(64, 2, (4,)), datasets.load("digits"), run=run, resume=True, epochs=2, progress=False)
    assert run.config_path.read_bytes() == before


def test_data_of_a_program_are_asked_for_and_taken_from_a_file(cli, rng):
    images = rng.random((40, 6)).astype(np.float32)
    split = datasets.Split(images)
    mv.fit(
        VAE(6, 2, (4,)),
        datasets.Dataset("made here", split, split, None, 1.0, "none"),
        run=Run.create("run"),
        epochs=1,
        batch_size=10,
        progress=False,
    )
    said = cli("evaluate", "run")
    assert (said.code, "made here" in said.err, "--data FILE" in said.err) == (2, True, True)
    np.savez("file.npz", train=images, test=images)
    assert "data_differ" not in cli("evaluate", "run", "--data", "file.npz", "--json").json
