"""The experiments of the paper: their tables and pictures, and that every script runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

PAPER = Path(__file__).resolve().parents[1] / "examples" / "paper"
SCRIPTS = sorted(path.stem for path in PAPER.glob("*.py") if "--quick" in path.read_text(encoding="utf-8"))


@pytest.fixture
def paper(monkeypatch):
    """The modules that the scripts share."""
    monkeypatch.syspath_prepend(str(PAPER))
    import curves
    import experiment

    yield experiment, curves
    for script in PAPER.glob("*.py"):
        sys.modules.pop(script.stem, None)


def test_points_are_spaced_evenly_on_a_log_axis(paper):
    experiment, _ = paper
    points = experiment.log_spaced(10_000, 10**7)
    assert (points[0], points[-1], len(points)) == (10_000, 10**7, 25)
    assert all(point % experiment.BATCH_SIZE == 0 for point in points)
    np.testing.assert_allclose(np.diff(np.log10(points)), 1 / 8, atol=2e-3)


def test_the_papers_settings_are_those_of_a_run(paper):
    experiment, _ = paper
    from minivae.datasets import Dataset, Split

    split = Split(np.random.default_rng(0).integers(0, 256, (600, 560), dtype=np.uint8))
    data = Dataset("frey", split, split, (28, 20), 256.0, "made")
    curve = experiment.Curve("frey", 5, "wake_sleep", 1000)
    trainer = experiment.make_trainer(curve, data)
    assert curve.name == "frey-5-wake_sleep"
    assert trainer.settings.batch_size == 100
    assert trainer.total_steps * 100 >= 1000
    assert trainer.model.config["hidden"] == [200]
    assert trainer.model.config["init"] == "paper"
    assert trainer.model.config["sigmoid_mean"]
    assert {(o.lr, o.warmup) for o in trainer.optimizers} == {(0.01, 100)}
    assert trainer.settings.weight_prior
    larger = curve._replace(batch_size=500)
    assert larger.name == "frey-5-wake_sleep_500"
    assert experiment.make_trainer(larger, data).settings.batch_size == 500
    assert all(point % 500 == 0 for point in experiment.points_of(larger))


def test_a_curve_that_was_stopped_goes_on(paper, tmp_path):
    """Its history and weights are those of one that was not."""
    experiment, _ = paper
    from minivae.datasets import Dataset, Split

    split = Split(np.random.default_rng(0).integers(0, 256, (200, 784), dtype=np.uint8))
    data = Dataset("mnist", split, split, (28, 28), 255.0, "made")

    def make():
        return experiment.make_trainer(experiment.Curve("mnist", 2, "aevb", 12_000), data, hidden=(5,))

    whole, begun, resumed = make(), make(), make()
    points = (500, 1000, 12_000)
    experiment.train_curve(whole, tmp_path / "whole", points, experiment.bounds(whole))
    experiment.train_curve(begun, tmp_path / "parts", points[:2], experiment.bounds(begun))
    experiment.train_curve(resumed, tmp_path / "parts", points, experiment.bounds(resumed))
    for name, value in whole.model.state_dict().items():
        np.testing.assert_array_equal(resumed.model.state_dict()[name], value)
    rows = [[{**row, "seconds": 0} for row in run.history.rows] for run in (whole, resumed)]
    assert rows[0] == rows[1]
    assert [row["samples_seen"] for row in rows[0]] == list(points)


def test_a_run_that_was_stopped_before_its_first_point_is_no_part_of_the_tables(paper, tmp_path):
    experiment, curves = paper
    import figure2

    rows = [{"samples_seen": 100, "seconds": 1, "train_bound": -2.0, "test_bound": -3.0, "test_kl": 0.5}]
    for latent_dim, history in ((2, []), (5, rows)):
        folder = tmp_path / f"frey-{latent_dim}-aevb"
        folder.mkdir()
        experiment.History(history).save(folder / "history.csv")
    assert experiment.rows_of(tmp_path / "frey-2-aevb") == experiment.rows_of(tmp_path / "none") == []
    figure2.collect(figure2.CURVES, tmp_path, tmp_path)
    assert {row["latent_dim"] for row in curves.read_table(tmp_path / "figure2.csv")} == {5}


def test_a_step_that_passes_several_points_has_one_row(paper, tmp_path):
    """As those of Monte Carlo EM, which go over all of the data."""
    experiment, _ = paper
    from minivae.datasets import Dataset, Split

    split = Split(np.random.default_rng(0).integers(0, 256, (200, 784), dtype=np.uint8))
    data = Dataset("mnist", split, split, (28, 28), 255.0, "made")
    trainer = experiment.make_trainer(experiment.Curve("mnist", 2, "aevb", 1000), data, hidden=(5,))
    experiment.train_curve(trainer, tmp_path / "run", (30, 60, 250), experiment.bounds(trainer))
    assert [row["samples_seen"] for row in trainer.history.rows] == [100, 300]


def test_log_p_by_quadrature_is_that_of_the_estimators(paper):
    import figure3
    import marginal_likelihood

    import minivae as mv
    from minivae.inference import log_joint, log_likelihood
    from minivae.models import VAE

    generator = mv.backend.generator(0)
    model = VAE(6, figure3.LATENT_DIM, (5,), seed=0)
    x = mv.tensor((np.arange(18).reshape(3, 6) % 5 < 2).astype(np.float32))
    z = model.prior().sample(generator, 4)
    one_by_one = [log_joint(model, x)(mv.tensor(np.tile(row, (3, 1)))).numpy() for row in z.numpy()]
    np.testing.assert_allclose(figure3.log_joint_table(model, x, z), np.transpose(one_by_one), rtol=1e-5)

    exact = marginal_likelihood.quadrature(model, x, 41).value.numpy()
    np.testing.assert_allclose(marginal_likelihood.quadrature(model, x, 61).value.numpy(), exact, atol=1e-5)
    for found in (figure3.estimate(model, x), log_likelihood(model, x, generator, 5000)):
        np.testing.assert_array_less(np.abs(found.value.numpy() - exact), 5 * found.stderr.numpy())


def test_where_a_curve_of_the_paper_begins_is_found(paper):
    """Straight lines on a log axis, read at other samples than those of their ends."""
    import first_points

    ends = np.log10([500, 280_000, 560_000]), [-526.0, 560.0, 570.0]
    samples = 10 ** np.arange(3.5, 5.8, 0.125)
    read = [*zip(samples, np.interp(np.log10(samples), *ends), strict=True)]
    line = first_points.beginning(read, 0.2)
    assert line.points == np.sum(samples <= 280_000)
    np.testing.assert_allclose([line.reaches(-526.0), line.end], [500, 280_000], rtol=1e-6)
    np.testing.assert_allclose(line.at(280_000), 560.0)


def test_the_papers_curves_begin_after_a_step_of_so_many_samples(paper):
    """Of 100 on MNIST, of 500 on Frey Face, within 2 percent: what reading the figure loses."""
    experiment, curves = paper
    import first_points

    untrained = {"mnist": -784 * np.log(2), "frey": -526.3}  # the second measured
    found: dict[str, list[float]] = {"mnist": [], "frey": []}
    table = curves.read_table(experiment.REFERENCE / "aevb_figure2.csv")
    for (data, *_), rows in curves.grouped(table, ("dataset", "latent_dim", "algorithm")).items():
        lines = first_points.beginnings(data, rows)
        if lines["test"].points >= first_points.LEAST_POINTS:
            found[data].append(lines["test"].reaches(untrained[data]))
        if data == "frey":
            np.testing.assert_allclose(lines["train"].end, lines["test"].end, rtol=1e-3)
    assert len(found["frey"]) == 8
    np.testing.assert_allclose(found["frey"], 500, rtol=0.02)
    assert len(found["mnist"]) == 7
    np.testing.assert_allclose(found["mnist"], 100, rtol=0.02)


def test_only_the_dreams_are_of_softplus_units(paper):
    import assumptions

    import minivae as mv
    from minivae.models import Batch

    usual, slip = (
        kind(6, 2, (5,), likelihood="gaussian", sigmoid_mean=True, seed=0)
        for kind in (assumptions.WakeSleep, assumptions.SoftplusDreams)
    )
    batch = Batch(mv.tensor(np.linspace(0, 1, 18, dtype=np.float32).reshape(3, 6)))
    (wake, sleep), (same_wake, other_sleep) = (
        [phase.loss.item() for phase in model.phases(batch, mv.backend.generator(0))] for model in (usual, slip)
    )
    assert same_wake == wake
    assert other_sleep != sleep
    assert slip.decoder.hidden.activation is usual.decoder.hidden.activation


def test_a_table_keeps_what_is_not_replaced(paper, tmp_path):
    _, curves = paper
    path, keys = tmp_path / "table.csv", ("name", "size")
    curves.update_table(path, [{"name": "b", "size": 10, "value": 1.5}, {"name": "a", "size": 2, "value": -3}], keys)
    rows = curves.update_table(path, [{"name": "b", "size": 10, "value": 7.0}], keys)
    assert (
        rows
        == curves.read_table(path)
        == [
            {"name": "a", "size": 2, "value": -3},
            {"name": "b", "size": 10, "value": 7.0},
        ]
    )
    assert curves.read_table(tmp_path / "none.csv") == []


@pytest.mark.parametrize("figure", ["figure2", "figure3"])
def test_results_have_the_columns_and_the_kinds_of_the_papers_numbers(figure, paper):
    _, curves = paper
    reference = curves.read_table(PAPER / "reference" / f"aevb_{figure}.csv")
    ours = curves.read_table(PAPER / "results" / f"{figure}.csv")
    if not ours:
        pytest.skip(f"no results of {figure} yet")
    assert ours[0].keys() == reference[0].keys()
    for column in ("algorithm", "split"):
        assert {row[column] for row in ours} - {"aevb_adam", "aevb_500"} <= {row[column] for row in reference}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_says_how_it_is_used(name):
    done = subprocess.run(
        [sys.executable, "-W", "error", PAPER / f"{name}.py", "--help"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "--quick" in done.stdout


def test_every_script_is_in_run_all(paper, monkeypatch):
    import run_all

    assert {*run_all.SCRIPTS, "run_all"} == set(SCRIPTS)


NEEDS_DATA = pytest.mark.skipif(
    not os.environ.get("MINIVAE_DATA"), reason="MINIVAE_DATA is not set; it names the data's folder"
)


@pytest.mark.slow
@NEEDS_DATA
def test_every_changed_assumption_makes_a_run_that_trains(paper):
    import assumptions

    for changes in assumptions.CHANGES.values():
        for make in changes.values():
            trainer = make()
            trainer.train_step()
            assert np.isfinite(list(trainer.running_terms().values())).all()


@pytest.mark.slow
@NEEDS_DATA
def test_every_script_runs_quickly_and_leaves_its_figures(tmp_path):
    run = [sys.executable, "-W", "error", PAPER / "run_all.py", "--quick", "--out", tmp_path]
    done = subprocess.run(run, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    left = {path.name for path in tmp_path.glob("*/*.*")}
    pictures = {"figure2", "figure2_adam", "figure3", "figure4_frey", "figure4_mnist", "figure5"}
    assert {f"{name}.png" for name in pictures | {"estimator_variance", "full_vb"}} <= left
    assert {"figure2.csv", "figure3.csv", "step_size.csv", "full_vb.csv"} <= left
