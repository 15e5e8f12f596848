"""``minivae evaluate``, ``sample``, ``plot`` and ``info``."""

import numpy as np
import pytest

from minivae import __version__, autodiff, datasets
from minivae.runs import Run

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
    for part in ("test bound", "reconstruction", "KL", "log p(x)", "+-", "nats", "K = 7", "50 points", "z drawn once"):
        assert part in said.out
    assert "fewer than 10, too few to say how many are effective" in said.out
    assert "in expectation it lies below log p(x), the nearer the larger K" in said.out
    few, enough = (cli("evaluate", trained, "--importance-samples", k, "--points", 50, "--json").json for k in (9, 10))
    assert (few["effective_samples"], few["log_likelihood_side"]) == (None, "below")
    assert 1 <= enough["effective_samples"] <= 10


@pytest.mark.usefixtures("no_figures")
@pytest.mark.parametrize(
    ("model", "options", "says"),
    [
        ("cvae", (), ("a bound on log p(x|y)", "log p(x|y)   -", "lies below log p(x|y)")),
        ("miwae", ("--groups", 2, "--samples", 3), ("z drawn 6 times for each", "log p(x)     -")),
        ("wae-mmd", (), ("no z drawn", "log p(x)     is not there")),
        ("made", (), ("no z drawn", "exact, mean over 5 points")),
    ],
)
def test_evaluate_says_of_what_and_from_how_many_draws(cli, model, options, says):
    assert cli("train", "--model", model, *options, "--epochs", 1, "--hidden", 8, "--out", "run", "--quiet").code == 0
    said = cli("evaluate", "run", "--points", 5)
    assert said.code == 0
    for part in says:
        assert part in said.out
    if model == "cvae":
        found = cli("evaluate", "run", "--points", 5, "--importance-samples", 12, "--json").json
        assert (found["log_likelihood_quantity"], found["importance_samples"]) == ("log p(x|y)", 12)


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
    assert result["backend"]["backend"] == "numpy"
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
