"""Damaged runs, resuming what cannot go on, and divergence: one line, exit code 2, nothing written."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from minivae.runs import Run, load_checkpoint, save_checkpoint
from minivae.runs.config import read_config, write_config
from minivae.training import SCHEDULES

from .conftest import SMALL, run_main, tree

COMMANDS = {
    "evaluate": ("evaluate",),
    "sample": ("sample",),
    "plot": ("plot",),
    "resume": ("train", "--epochs", "3", "--resume"),
}


def configured(**changes):
    """A function that changes ``config.json`` with a checksum that is right: dotted names, None to remove."""

    def change(run):
        config = read_config(run / "config.json")
        for dotted, value in changes.items():
            *parents, name = dotted.split("__")
            section = config
            for parent in parents:
                section = section[parent]
            section[name] = value
            if value is None:
                del section[name]
        write_config(run / "config.json", config)

    return change


def put(name, data):
    """A function that writes a file of the run."""
    return lambda run: (run / name).write_bytes(data)


def replaced(old, new):
    """A function that changes ``config.json`` as damage does."""

    def change(run):
        text = (run / "config.json").read_text()
        assert old in text
        (run / "config.json").write_text(text.replace(old, new))

    return change


def saved(change):
    """A function that changes what the checkpoint holds, with a checksum that is right."""

    def save(run):
        arrays, meta = load_checkpoint(run / "model.npz")
        change(arrays, meta)
        save_checkpoint(run / "model.npz", arrays, meta)

    return save


def cut(size):
    return lambda run: (run / "model.npz").write_bytes((run / "model.npz").read_bytes()[:size])


def other_run(run):
    """The checkpoint of a model of another shape."""
    other = run.parent / "other"
    assert run_main("train", "--hidden", 9, "--latent", 3, "--epochs", 2, "--out", other, "--json") == 0
    (other / "model.npz").replace(run / "model.npz")


def plain_npz(run):
    np.savez(run / "model.npz", weight=np.zeros(3))


def unsealed(run):
    """``config.json`` as a person would write it."""
    (run / "config.json").write_text(json.dumps(read_config(run / "config.json")))


TO_DO = "put the file back as it was, or begin another run: minivae train --out FOLDER"
BY_HAND = f"config.json was changed since minivae wrote it (its sha256 is not that of what it holds); {TO_DO}"
OTHER_RUN = "model.npz is of another run"
DAMAGES = {
    "no folder": (lambda run: run.rename(run.with_name("moved")), "is not a run"),
    "no config.json": (lambda run: (run / "config.json").unlink(), "no config.json"),
    "config.json empty": (put("config.json", b""), "damaged"),
    "config.json not JSON": (put("config.json", b"hidden = 12\n"), "damaged"),
    "config.json not text": (put("config.json", b"\xff\xfe\0"), "damaged"),
    "config.json a list": (put("config.json", b"[1, 2]"), "damaged"),
    "config.json without its checksum": (unsealed, BY_HAND),
    "config.json without model": (configured(model=None), "model in "),
    "config.json with an unknown model": (configured(model="gain"), "'gain'"),
    "config.json without options": (configured(options=None), OTHER_RUN),
    "options a list": (configured(options=[1]), OTHER_RUN),
    "options without data": (configured(options__data=None), "lacks options: data"),  # where they are may change
    "options with a wrong dtype": (configured(options__dtype="int8"), OTHER_RUN),
    "another seed in options": (configured(options__seed=1), OTHER_RUN),
    "a model_config of another shape": (configured(model_config__hidden=[9]), OTHER_RUN),
    "a digit of config.json": (replaced('"batch_size": 100', '"batch_size": 101'), BY_HAND),
    "more epochs in config.json": (replaced('"epochs": 2', '"epochs": 3'), BY_HAND),
    "a letter of config.json": (replaced('"seed"', '"sead"'), BY_HAND),
    "no model.npz": (lambda run: (run / "model.npz").unlink(), "model.npz"),
    "model.npz empty": (put("model.npz", b""), "model.npz"),
    "model.npz truncated": (cut(1000), "model.npz"),
    "model.npz cut by a byte": (cut(-1), "model.npz"),
    "model.npz not a zip": (put("model.npz", b"<html>not found</html>"), "model.npz"),
    "model.npz not a checkpoint": (plain_npz, "checkpoint"),
    "model.npz of another run": (other_run, OTHER_RUN),
    "model.npz without a weight": (saved(lambda arrays, meta: arrays.pop("model/encoder.mean.bias")), "mean.bias"),
    "model.npz without a model": (
        saved(lambda arrays, meta: meta.pop("model")),
        "meta has no model; expected settings",
    ),
    "model.npz with a model of no size": (
        saved(lambda _, meta: meta.update(model={"data_dim": None})),
        "does not",
    ),
}


# What is wrong there no damage does, but whoever makes files with checksums that are right; and there may be no run.
SAYS_WHAT_IS_EXPECTED = (
    *("no folder", "config.json without model", "config.json with an unknown model", "model.npz without a weight"),
    *("model.npz without a model", "model.npz with a model of no size", "options without data"),
)


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.usefixtures("no_figures")
def test_runs_that_cannot_be_used(refused, run, damage):
    break_it, part = DAMAGES[damage]
    break_it(run)
    for name, words in COMMANDS.items():
        if (name, damage) != ("resume", "no model.npz"):  # that one begins anew
            line = refused(*words, run, "--json")
            assert part in line
            assert ("minivae train --" in line) is (damage not in SAYS_WHAT_IS_EXPECTED)


@pytest.mark.parametrize("damage", ["no folder", "config.json a list", "no model.npz", "model.npz truncated"])
def test_info_on_runs_that_cannot_be_used(refused, run, damage):
    break_it, part = DAMAGES[damage]
    break_it(run)
    assert part in refused("info", run, "--json")


@pytest.mark.usefixtures("no_figures")
def test_data_that_changed_since(refused, cli):
    images = np.arange(40 * 16, dtype=np.uint8).reshape(40, 4, 4)
    np.save("own.npy", images)
    assert cli("train", "--data", "own.npy", *SMALL, "--out", "run").code == 0
    np.save("own.npy", images[:, 1:])
    line = refused("evaluate", "run")
    assert "12" in line
    assert "16" in line
    assert "own.npy holds other data" in refused(*COMMANDS["resume"], "run")
    Path("own.npy").unlink()
    for name in ("evaluate", "resume"):
        assert "own.npy" in refused(*COMMANDS[name], "run")


@pytest.mark.parametrize(
    "words",
    [("--latent", 3), ("--hidden", 12, 12), ("--seed", 1), ("--data", "mnist"), ("--kl-cycles", 1), ("--lr-warmup", 1)],
    ids=lambda words: words[0],
)
def test_resuming_with_another_option(refused, run, words):
    line = refused("train", "--resume", run, "--epochs", 3, *words)
    assert words[0] in line


def test_patience_cannot_begin_where_no_rows_were_set_apart(refused, run):
    line = refused("train", "--resume", run, "--epochs", 3, "--patience", 2)
    assert "validation_rows is 150; the run to resume has 0 (patience has rows set apart only from the start" in line


# --------------------------------------------------------------- divergence


def test_a_loss_that_turns_non_finite_at_once_leaves_nothing(refused):
    line = refused("train", *SMALL, "--optimizer", "sgd", "--lr", "1e10", "--json")
    for part in ("step 15", "bound", "reconstruction", "kl", "lower --lr"):
        assert part in line


@pytest.mark.parametrize("more", [(), ("--detect-anomaly",)])
def test_what_is_advised_are_options_of_the_command_and_no_names_of_python(cli, more):
    line = cli("train", *SMALL, "--optimizer", "sgd", "--lr", "1e30", *more).err
    advised = set(re.findall(r"--[a-z-]+", line))
    assert {"--lr", "--skip-nonfinite", "--detect-anomaly"} <= advised
    assert advised <= set(re.findall(r"--[a-z-]+", cli("train", "--help").out))
    assert not re.search(r"\b(max_norm|skip_nonfinite|detect_anomaly)\b", line)


@pytest.mark.usefixtures("no_figures")
def test_a_loss_that_turns_non_finite_later_keeps_the_last_good_checkpoint(cli, monkeypatch):
    monkeypatch.setitem(SCHEDULES, "constant", lambda step, total: 1.0 if step < 20 else 1e30)
    words = ("--optimizer", "sgd", "--lr", "1e-3", "--epochs", "3", "--hidden", "8", "--latent", "2")
    outcome = cli("train", *words, "--out", "run", "--json")
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert "step 30" in outcome.err
    assert "run keeps its checkpoint: the last, of epoch 1" in outcome.err
    assert cli("info", "run", "--json").json["last"]["epoch"] == 1
    assert np.isfinite(cli("evaluate", "run", "--importance-samples", 2, "--json").json["bound"])


LATER = ("--optimizer", "sgd", "--lr", "1e-3", "--epochs", "3", "--hidden", "8", "--latent", "2")


@pytest.mark.usefixtures("no_figures")
def test_anomaly_mode_goes_on_from_the_last_good_checkpoint_and_names_the_operation(cli, monkeypatch):
    monkeypatch.setitem(SCHEDULES, "constant", lambda step, total: 1.0 if step < 20 else 1e45)
    assert "train --resume run --detect-anomaly goes on" in cli("train", *LATER, "--out", "run", "--json").err
    before = tree(Path("run"))
    outcome = cli("train", "--resume", "run", "--detect-anomaly", "--json")
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert "arose at step 20: multiply of (1156,), () produced NaN, called at " in outcome.err
    assert "sgd.py:" in outcome.err
    assert outcome.err.endswith("run keeps its checkpoint: the last, of epoch 1\n")
    assert tree(Path("run")) == before


@pytest.mark.usefixtures("no_figures")
@pytest.mark.parametrize("first", [[], ["--skip-nonfinite"]])
def test_steps_that_are_not_finite_can_be_skipped_from_the_start_or_later(cli, monkeypatch, first):
    monkeypatch.setitem(SCHEDULES, "constant", lambda step, total: 1e45 if step in (20, 33, 34) else 1.0)
    outcome = cli("train", *LATER, "--out", "run", *first, "--json")
    if not first:
        assert outcome.code == 2
        outcome = cli("train", "--resume", "run", "--skip-nonfinite", "--json")
    assert outcome.json["skipped"] == 3
    assert np.isfinite(outcome.json["test_bound"])
    rows = Run.open("run").load_history().rows
    assert [row.get("skipped") for row in rows] == [0 if first else None, 1, 3]
    text = cli("train", "--resume", "run", "--epochs", "4").out
    assert "3 steps skipped: they left something that is not finite" in text


@pytest.mark.usefixtures("no_figures")
@pytest.mark.parametrize(("steps", "said"), [((), None), ((20,), "1 step skipped: it left something that is not fin")])
def test_none_and_one_step_skipped(cli, monkeypatch, steps, said):
    monkeypatch.setitem(SCHEDULES, "constant", lambda step, total: 1e45 if step in steps else 1.0)
    text = cli("train", *LATER, "--out", "run", "--skip-nonfinite").out
    assert said in text if said else "skipped" not in text


@pytest.mark.usefixtures("no_figures")
def test_a_run_that_another_program_made_is_named(refused, tmp_path):
    for folder, config in {"one": {"options": {"seed": 3}}, "none": {}}.items():
        Run.create(tmp_path / folder, {"model": "vae", **config})
        for words in COMMANDS.values():
            line = refused(*words, folder)
            assert f"{folder}/config.json lacks options: activation, backend, batch_size, " in line
            assert "; expected a run of minivae train or minivae.fit" in line
