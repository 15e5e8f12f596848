"""``minivae train``: what it leaves, what it says, each of its options, and going on."""

import csv
import json
import re
import weakref
from pathlib import Path

import numpy as np
import pytest

import minivae.cli.train
from minivae import datasets
from minivae.cli.options import COMMON, USUAL, of_model
from minivae.runs import Run
from minivae.training import Minibatches, Trainer, evaluate, run_to_end

from .conftest import SMALL, tree

FILES = {"config.json", "history.csv", "model.npz"}
DRAWN = ("learning_curve", "reconstructions", "samples", "latent", "interpolation", "traversals")
FIGURES = {f"{name}.png" for name in DRAWN}
KEYS = {"run", "data", "model", "train_bound", "test_bound", "samples_seen", "seconds", "backend"}


def parameters(folder):
    """The model's parameters as bytes."""
    with np.load(folder / "model.npz") as arrays:
        return {name: arrays[name].tobytes() for name in arrays.files if name.startswith("model/")}


def test_a_run_folder_holds_configuration_history_checkpoint_and_figures(trained):
    assert {path.name for path in trained.iterdir()} == FILES | FIGURES | {"manifold.png"}
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in trained.glob("*.png"))
    config = json.loads((trained / "config.json").read_text())
    assert config["model"] == "vae"
    assert config["backend"]["backend"] == "numpy"
    of_vae = {name: option.default for name, option in of_model("vae").items()}
    expected = {**COMMON, **of_vae, **USUAL["digits"], "data": "digits", "epochs": 2, "hidden": [12], "latent": 2}
    assert config["options"] == {**expected, "backend": "numpy"}


def test_without_arguments_it_trains_the_usual_model_on_the_digits(cli, tmp_path, monkeypatch):
    monkeypatch.setitem(USUAL["digits"], "epochs", 1)
    said = cli("train")
    assert (said.code, said.err) == (0, "")
    (folder,) = (tmp_path / "runs").iterdir()
    assert folder.name.startswith("digits-")
    assert {path.name for path in folder.iterdir()} == FILES | FIGURES
    assert "1500 training and 297 test points of 64 values" in said.out
    assert f"{USUAL['digits']['latent']} latent dimensions, bernoulli likelihood, float32 on numpy" in said.out
    assert "test bound" in said.out
    assert "nats per data point" in said.out
    assert said.out.rstrip().endswith(f"runs/{folder.name}")


def test_what_trained_is_let_go_before_the_pictures_are_drawn(cli, monkeypatch):
    """Pictures take memory of their own, and the peak of a run shall not be the sum of both."""
    made, alive = [], []

    class Noted(Trainer):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            made.extend(map(weakref.ref, (self, self.train, self.dataset.train, self.optimizers[0])))

    monkeypatch.setattr(minivae.cli.train, "Trainer", Noted)
    monkeypatch.setattr(minivae.cli.train, "draw_run", lambda *_: alive.extend(part() for part in made))
    assert cli("train", *SMALL).code == 0
    assert alive == [None] * 4


@pytest.mark.usefixtures("no_figures")
def test_two_runs_at_once_get_folders_of_their_own(cli, tmp_path, monkeypatch):
    monkeypatch.setattr("time.strftime", lambda _: "20131220-000000")
    folders = [cli("train", *SMALL, "--json").json["run"] for _ in range(3)]
    assert len(set(folders)) == 3


@pytest.mark.usefixtures("no_figures")
def test_json_is_all_that_is_printed_and_agrees_with_the_run(cli):
    said = cli("train", *SMALL, "--out", "run", "--json")
    assert (said.code, said.err, said.out.count("\n")) == (0, "", 1)
    result = said.json
    assert result.keys() >= KEYS
    assert (result["run"], result["data"], result["model"], result["backend"]) == ("run", "digits", "vae", "numpy")
    assert (result["samples_seen"], result["epochs"]) == (3000, 2)
    assert 0 < result["seconds"] < 600

    run = Run.open("run")
    with open("run/history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["samples_seen"]) for row in rows] == [1500, 3000]
    assert float(rows[-1]["test_bound"]) == result["test_bound"]
    assert float(rows[-1]["seconds"]) == result["seconds"]
    digits, model = datasets.load("digits"), run.load_model()
    for split in ("train", "test"):
        parts = evaluate(model, Minibatches(getattr(digits, split), digits.scale))
        for name in ("bound", "reconstruction", "kl"):
            assert result[f"{split}_{name}"] == pytest.approx(parts[name], rel=1e-6)
        assert result[f"{split}_bound"] == pytest.approx(parts["reconstruction"] - parts["kl"], rel=1e-5)


@pytest.mark.usefixtures("no_figures")
def test_the_text_says_what_json_says(cli):
    text = cli("train", *SMALL, "--out", "a").out
    result = cli("train", *SMALL, "--out", "b", "--json").json
    assert f"test bound     {result['test_bound']:.3f} nats" in text
    assert f"train bound    {result['train_bound']:.3f} nats" in text


@pytest.mark.usefixtures("no_figures")
@pytest.mark.parametrize(
    "words",
    [
        ("--hidden", 16, 8),
        ("--latent", 1),
        ("--likelihood", "gaussian"),
        ("--likelihood", "gaussian", "--sigmoid-mean"),
        ("--estimator", "A", "--samples", 3),
        ("--activation", "softplus", "--init", "he"),
        ("--init", "paper"),
        ("--binarize", "dynamic"),
        ("--binarize", "threshold"),
        ("--optimizer", "sgd", "--lr", 0.01),
        ("--optimizer", "adagrad", "--lr", 0.02),
        ("--optimizer", "adam", "--lr", 1e-3),
        ("--optimizer", "adamax", "--lr", 2e-3),
        ("--schedule", "cosine"),
        ("--schedule", "exponential"),
        ("--schedule", "warmup"),
        ("--weight-prior",),
        ("--batch-size", 37),
        ("--dtype", "float64"),
        ("--backend", "numpy", "--quiet"),
        ("--patience", 1),
    ],
    ids=lambda words: " ".join(map(str, words)),
)
def test_each_option_is_recorded_and_changes_the_run(cli, trained, words):
    options = {**dict(zip(SMALL[::2], SMALL[1::2], strict=True)), "--epochs": 1}
    flat = [word for name, value in options.items() if name not in words for word in (name, value)]
    said = cli("train", *flat, *words, "--out", "run", "--json")
    assert (said.code, said.err) == (0, "")
    assert np.isfinite([said.json["train_bound"], said.json["test_bound"]]).all()
    name = words[0].removeprefix("--").replace("-", "_")
    values = list(words[1:]) if name == "hidden" else True if len(words) == 1 else words[1]
    assert Run.open("run").config["options"][name] == values
    evaluated = cli("evaluate", "run", "--json", "--importance-samples", 5, "--points", 20)
    assert evaluated.json["bound"] == pytest.approx(said.json["test_bound"], rel=1e-6)


@pytest.mark.usefixtures("no_figures")
def test_float64_is_float64_throughout(cli):
    cli("train", *SMALL, "--dtype", "float64", "--out", "run")
    with np.load("run/model.npz") as arrays:
        kinds = {name: arrays[name].dtype for name in arrays.files if name.startswith(("model/", "optimizer/"))}
    assert {str(kind) for name, kind in kinds.items() if "count" not in name} == {"float64"}


@pytest.mark.usefixtures("no_figures")
def test_the_seed_alone_decides(cli, tmp_path):
    for folder, seed in (("a", 3), ("b", 3), ("c", 4)):
        assert cli("train", *SMALL, "--seed", seed, "--out", folder).code == 0
    assert parameters(tmp_path / "a") == parameters(tmp_path / "b")
    assert parameters(tmp_path / "a") != parameters(tmp_path / "c")


# ----------------------------------------------------------------- resuming


@pytest.mark.usefixtures("no_figures")
@pytest.mark.parametrize(
    "words", [("--resume", "two"), ("--resume", "--out", "two"), ("--resume", "two", "--out", "two")]
)
def test_resuming_gives_the_bits_of_an_uninterrupted_run(cli, tmp_path, words):
    small = ("--hidden", 12, "--latent", 2, "--binarize", "dynamic")
    straight = cli("train", *small, "--epochs", 4, "--out", "four", "--json").json
    assert cli("train", *small, "--epochs", 2, "--out", "two").code == 0
    resumed = cli("train", *words, "--epochs", 4, "--json").json
    assert parameters(tmp_path / "four") == parameters(tmp_path / "two")
    for name in ("train_bound", "test_bound", "samples_seen", "epochs"):
        assert straight[name] == resumed[name]
    four, two = Run.open("four"), Run.open("two")
    assert two.load_history().columns()["test_bound"] == four.load_history().columns()["test_bound"]
    assert two.config["options"] == four.config["options"]


@pytest.mark.usefixtures("no_figures")
def test_what_is_said_again_may_be_said_when_resuming(cli, run):
    assert cli("train", "--resume", run, "--hidden", 12, "--data", "digits", "--seed", 0, "--epochs", 3).code == 0


def test_resuming_draws_the_figures_anew(cli, run):
    before = (run / "learning_curve.png").read_bytes()
    assert cli("train", "--resume", run, "--epochs", 3).code == 0
    assert (run / "learning_curve.png").read_bytes() != before


@pytest.mark.usefixtures("no_figures")
def test_a_run_that_was_killed_before_its_first_checkpoint_begins_anew(cli):
    for folder in ("whole", "killed"):
        assert cli("train", *SMALL, "--out", folder).code == 0
    for name in ("model.npz", "history.csv"):
        Path("killed", name).unlink()
    said = cli("train", "--resume", "killed")
    assert "epochs 1 to 2 of" in said.out
    assert parameters(Path("killed")) == parameters(Path("whole"))


@pytest.mark.parametrize("words", [(), ("--epochs", 2), ("--epochs", 1), ("--lr", 0.5)])
def test_a_finished_run_says_so_and_stays_as_it_is(cli, run, words):
    before, evaluated = tree(run), cli("evaluate", run, "--importance-samples", 2, "--json").json
    said = cli("train", "--resume", run, *words)
    assert (said.code, said.err) == (0, "")
    assert f"{run} is finished: it has trained 2 epochs" in said.out
    assert "--epochs" in said.out
    assert f"test bound     {evaluated['bound']:.3f} nats" in said.out
    result = cli("train", "--resume", run, *words, "--json")
    assert (result.code, result.json["test_bound"]) == (0, evaluated["bound"])
    assert "is finished" in result.json["finished"]
    assert tree(run) == before


@pytest.mark.usefixtures("no_figures")
def test_a_run_out_of_patience_is_finished_unless_it_may_wait_for_longer(cli):
    flat = ("--optimizer", "sgd", "--lr", 1e-30, "--patience", 1)
    done = cli("train", *SMALL, *flat, "--out", "run", "--json")
    assert done.json["epochs"] == 2
    said = cli("train", "--resume", "run", "--epochs", 9)
    assert said.code == 0
    assert "run is finished: after 2 epochs its validation bound had not risen for 1" in said.out
    longer = cli("train", "--resume", "run", "--epochs", 9, "--patience", 2, "--json")
    assert longer.json["epochs"] == 3


@pytest.mark.usefixtures("no_figures")
def test_what_a_run_goes_on_with_is_listed_by_step(cli):
    cli("train", *SMALL, "--patience", 5, "--out", "run")
    assert cli("train", "--resume", "run", "--epochs", 3, "--lr", 0.0005).code == 0
    assert cli("train", "--resume", "run", "--epochs", 4, "--patience", 9).code == 0
    config = Run.open("run").config
    rows = [tuple(row.values()) for row in config["changes"]]
    assert all(row.keys() == {"step", "option", "before", "after"} for row in config["changes"])
    first, second = 2 * 13, 3 * 13  # of 1350 rows, 100 at a time
    assert sorted(rows[:2]) == [(first, "epochs", 2, 3), (first, "lr", 0.005, 0.0005)]
    assert sorted(rows[2:]) == [(second, "epochs", 3, 4), (second, "patience", 5, 9)]
    assert config["options"]["lr"] == 0.0005


# ---------------------------------------------------------- the best model


@pytest.mark.usefixtures("no_figures")
def test_the_best_model_by_the_validation_part_is_kept_and_taken_by_every_command(cli):
    """The last one of a run whose bound fell before patience ran out is no one's to use (keras-team/keras#20323)."""
    said = cli("train", "--epochs", 60, "--hidden", 32, "--lr", 0.05, "--patience", 4, "--out", "run", "--json").json
    with open("run/history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    bounds = [float(row["validation_bound"]) for row in rows]
    best, last = rows[bounds.index(max(bounds))], rows[-1]
    assert best is not last
    assert said["validation_bound"] == pytest.approx(max(bounds), rel=1e-6)
    assert said["test_bound"] == pytest.approx(float(best["test_bound"]), rel=1e-6)
    for words, row in (((), best), (("--last",), last)):
        found = cli("evaluate", "run", "--importance-samples", 2, "--json", *words).json
        assert found["bound"] == pytest.approx(float(row["test_bound"]), rel=1e-6)
        assert found["kept"].endswith(f"of epoch {row['epoch']}")
    text = cli("evaluate", "run", "--importance-samples", 2).out
    assert f"of the best by the validation part, of epoch {best['epoch']}" in text
    assert "of the last" in cli("sample", "run", "--out", "last.npy", "--last").out
    assert "of the best" in cli("sample", "run", "--out", "best.npy").out
    assert (np.load("last.npy") != np.load("best.npy")).any()


@pytest.mark.usefixtures("no_figures")
def test_where_the_validation_rows_come_from_is_said(cli):
    out = cli("train", *SMALL, "--patience", 3).out
    assert "1350 training, 150 validation (150 of 1500 training rows, drawn by seed 0) and 297 test points" in out


# ------------------------------------------------------- while it is trained


@pytest.mark.usefixtures("no_figures")
def test_without_a_terminal_there_is_a_line_for_each_report(cli):
    out = cli("train", *SMALL, "--epochs", 3, "--out", "run").out
    rows = Run.open("run").load_history().rows
    for row in rows:
        bounds = f"train bound {row['train_bound']:.2f}, test bound {row['test_bound']:.2f}, KL {row['train_kl']:.2f}"
        assert f"epoch {row['epoch']} of 3: {bounds}" in out
    assert "validation bound" in cli("train", *SMALL, "--patience", 2, "--out", "b").out
    assert "\nepoch 1 of" not in cli("train", *SMALL, "--quiet", "--out", "c").out


@pytest.mark.usefixtures("no_figures")
def test_on_a_terminal_the_bar_says_epoch_bounds_and_kl(cli, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setitem(run_to_end.__globals__, "STEPS_PER_READING", 5)
    said = cli("train", *SMALL, "--patience", 2)
    assert "\nepoch 1 of" not in said.out
    assert re.search(r"epoch 2, train bound -\d+\.\d+, validation bound -\d+\.\d+, KL \d", said.err)


# ------------------------------------------------------------- the KL's cost


@pytest.mark.usefixtures("no_figures")
@pytest.mark.parametrize(
    "words",
    [("--kl-warmup", 1), ("--kl-cycles", 2), ("--free-bits", 0.5), ("--lr-warmup", 1, "--schedule", "cosine")],
    ids=str,
)
def test_warm_ups_and_free_bits_are_settings_of_the_run(cli, words):
    said = cli("train", *SMALL, *words, "--out", "run", "--json")
    assert (said.code, said.err) == (0, "")
    plain = cli("train", *SMALL, "--out", "plain", "--json")
    assert said.json["test_bound"] != plain.json["test_bound"]
    assert Run.open("run").config["options"][words[0][2:].replace("-", "_")] == words[1]
    resumed = cli("train", "--resume", "run", "--epochs", 3, "--json")
    assert resumed.code == 0


@pytest.mark.usefixtures("no_figures")
def test_free_bits_of_a_model_that_has_its_own_are_its_own(cli):
    assert cli("train", *SMALL, "--model", "iaf-vae", "--free-bits", 0.5, "--out", "run").code == 0
    assert Run.open("run").load_model().free_bits == 0.5
    assert cli("train", *SMALL, "--model", "iaf-vae", "--out", "usual").code == 0
    assert Run.open("usual").load_model().free_bits == 0.25


def test_a_model_without_a_kl_refuses_in_words(refused):
    line = refused("train", *SMALL[:-2], "--model", "made", "--kl-warmup", 3)
    assert "kl_warmup is 3.0, but MADE cannot have it: it has no latent variable" in line
