"""``minivae evaluate``, ``sample``, ``plot`` and ``info``."""

import numpy as np
import pytest

from minivae import __version__, autodiff, datasets
from minivae.training import Run

KEYS = {"bound", "reconstruction", "kl", "log_likelihood", "log_likelihood_stderr", "importance_samples"}


def test_evaluate_gives_the_bound_of_training_and_a_larger_likelihood(cli, trained):
    result = cli("evaluate", trained, "--importance-samples", 50, "--json").json
    assert result.keys() >= KEYS
    assert result["bound"] == Run.open(trained).load_history().rows[-1]["test_bound"]
    assert result["bound"] == pytest.approx(result["reconstruction"] - result["kl"], rel=1e-5)
    assert (result["importance_samples"], result["points"]) == (50, 297)
    assert 0 < result["log_likelihood_stderr"] < 0.5
    assert result["log_likelihood"] > result["bound"] - 3 * result["log_likelihood_stderr"]


def test_evaluate_in_words(cli, trained):
    said = cli("evaluate", trained, "--importance-samples", 7, "--points", 50)
    assert said.code == 0
    for part in ("test bound", "reconstruction", "KL", "log p(x)", "+-", "nats", "K = 7", "50 points"):
        assert part in said.out


def test_the_standard_error_is_the_spread_over_seeds(cli, trained):
    """Over few points and few samples, both sources of error count."""
    results = [
        cli("evaluate", trained, "--importance-samples", 5, "--points", 60, "--seed", seed, "--json").json
        for seed in range(40)
    ]
    spread = np.std([r["log_likelihood"] for r in results], ddof=1)
    stated = np.mean([r["log_likelihood_stderr"] for r in results])
    # The standard deviation of 40 draws is itself known to 11%; 3.5 times that, and some bias.
    assert 0.55 < spread / stated < 1.5


def test_more_importance_samples_raise_the_estimate_and_lower_its_error(cli, trained):
    few, many = (cli("evaluate", trained, "--importance-samples", k, "--json").json for k in (2, 200))
    assert many["log_likelihood"] > few["log_likelihood"]
    assert many["log_likelihood_stderr"] < few["log_likelihood_stderr"]


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


def test_info_on_the_installation(cli):
    result = cli("info", "--json").json
    assert result["minivae"] == __version__
    assert result["backend"]["library"] == "numpy"
    assert result["backend"]["version"] == np.__version__
    assert result["data"].keys() == set(datasets.names())
    assert result["primitives"] == len(autodiff.PRIMITIVES)
    assert f"minivae{__version__:>20}".split() == cli("info").out.splitlines()[0].split()


def test_info_on_a_run(cli, trained):
    result = cli("info", trained, "--json").json
    config = Run.open(trained).config
    assert {name: result[name] for name in config} == config
    assert result["last"]["epoch"] == 2
    text = cli("info", trained).out
    assert "test_bound" in text
    assert "None" not in text
