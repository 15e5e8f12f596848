"""Likelihoods of the user's own: in Python, on the command line, in runs; a run's files make no code run."""

from importlib.metadata import EntryPoint

import numpy as np
import pytest

import minivae as mv
from minivae.datasets import Dataset
from minivae.datasets.domain import COUNTS
from minivae.distributions import Logistic, Poisson
from minivae.errors import InputError
from minivae.models import MODELS, VAE, registry
from minivae.models.automatic import for_own
from minivae.models.likelihoods import LaplaceMLP, Likelihood
from minivae.models.registry import named_likelihood
from minivae.runs import Run

MINE = """
import pathlib
from minivae.distributions import Logistic
from minivae.models.likelihoods import Likelihood
pathlib.Path("was-run").touch()

class Mine(Likelihood):
    heads = ("loc", "log_scale")

    def distribution(self, loc, log_scale):
        return Logistic(loc, self.kept_above(log_scale))

class Other(Mine): pass

class Headless(Likelihood): pass
"""
pytestmark = pytest.mark.usefixtures("no_figures")
DIGITS = mv.datasets.load("digits")
TABLE = np.random.default_rng(0).normal(size=(60, 5)) * 1e3


class Mine(Likelihood):
    """Logistic."""

    heads = ("loc", "log_scale")

    def distribution(self, loc, log_scale):
        return Logistic(loc, self.kept_above(log_scale))


class Counting(Likelihood):
    """For counts."""

    heads, domain = ("log_rate",), COUNTS

    def distribution(self, log_rate):
        return Poisson(log_rate)


# --------------------------------------------------------------- in Python


@pytest.mark.parametrize("name", [n for n, kind in MODELS.items() if registry.options(kind).get("likelihood")])
def test_every_model_with_a_likelihood_takes_a_class(name, rng):
    known, of_data = registry.arguments(MODELS[name]), {"context_dim": 2, "sequence_length": 5}
    sizes = {"hidden": (4,), **{key: value for key, value in of_data.items() if key in known}}
    model = MODELS[name](5, likelihood=Mine, **sizes)
    assert isinstance(model.decoder, Mine)
    assert model.config["likelihood"] == f"{__name__}:Mine"
    labels = np.arange(60) % 2 if "context_dim" in sizes else None
    history = mv.fit(model, Dataset.from_arrays(TABLE / 1e3, labels=labels), epochs=1, batch_size=20, progress=False)
    assert np.isfinite(list(history.rows[-1].values())).all()


def test_a_listed_class_goes_by_its_name():
    assert VAE(5, likelihood=LaplaceMLP).config["likelihood"] == "laplace"


def test_the_floor_of_the_scale_is_the_models():
    model = VAE(5, 2, (4,), likelihood=Mine, log_var_floor=-4.0)
    model.decoder.log_scale.bias.data[...] = -50
    assert (model.likelihood(np.zeros((1, 2))).log_scale.numpy() >= -2).all()


@pytest.mark.parametrize(
    ("kind", "values", "prepare"), [(Mine, TABLE, "standardize"), (Counting, np.abs(TABLE) // 1, "none")]
)
def test_the_preparation_suits_its_domain(kind, values, prepare):
    found = for_own(Dataset.from_arrays(values), {"likelihood": kind})
    assert (found["likelihood"], found["prepare"]) == (kind, prepare)
    assert f"{__name__}:{kind.__name__} likelihood, preparation {prepare}" in found["why"]


def made(**attributes):
    return type("Made", (Likelihood,), {"__module__": __name__, **attributes})


def distribution(self, loc):
    return Logistic(loc, 0.0)


def demanding(self, inputs, hidden, outputs, generator, *, df, **options):
    pass


@pytest.mark.parametrize(
    ("likelihood", "said"),
    [
        (int, "expected a name, or a class that derives from minivae.models.likelihoods.Likelihood"),
        (Logistic, "expected a name, or a class that derives from"),
        (Likelihood, "expected heads ="),
        (made(heads=("loc",)), "expected heads = .* and distribution"),
        (made(distribution=distribution), "expected heads ="),
        (made(heads="loc", distribution=distribution), "expected heads ="),
        (made(heads=("loc",), distribution=distribution, domain="real"), "whose domain is 'real'"),
        (made(heads=("loc",), distribution=distribution, __init__=demanding), "missing a required .*argument: 'df'"),
        ("some.module:Class", "code of your own, which only you can start; .* --likelihood some.module:Class"),
        ("logistic", "expected one of bernoulli"),
        (None, "likelihood is None"),
    ],
)
def test_what_is_no_likelihood_is_refused_before_anything_is_made(likelihood, said):
    with pytest.raises(InputError, match=said) as found:
        VAE(5, 2, (4,), likelihood=likelihood)
    assert "\n" not in str(found.value)


def test_a_run_is_opened_with_the_class(tmp_path):
    model, run = VAE(64, 2, (8,), likelihood=Mine), Run.create(tmp_path / "run")
    mv.fit(model, DIGITS, run=run, epochs=1, progress=False)
    with pytest.raises(InputError, match=r"run is of a likelihood of your own.*load_model\(likelihood=Mine\)"):
        Run.open(tmp_path / "run").load_model()
    for wrong in (Counting, "Mine", LaplaceMLP):
        with pytest.raises(InputError, match=r"likelihood is .* but the likelihood of .*run is"):
            Run.open(tmp_path / "run").load_model(likelihood=wrong)
    again = Run.open(tmp_path / "run").load_model(likelihood=Mine)
    x = DIGITS.test.images[:4] / 16
    np.testing.assert_array_equal(again.reconstruct(x).numpy(), model.reconstruct(x).numpy())


def test_an_entry_point_goes_by_where_it_is(own, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path / "code")
    entries = [EntryPoint("mine", "likely:Mine", "minivae.likelihoods")]
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: entries if "likelihoods" in group else [])
    assert named_likelihood("mine")[0] == "likely:Mine"
    with pytest.raises(InputError, match="did you mean 'mine'"):
        named_likelihood("mien")


# ------------------------------------------------------ on the command line


@pytest.fixture
def own(tmp_path):
    """The name of the likelihood, in a file of its own folder."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "likely.py").write_text(MINE)
    return "code/likely.py:Mine"


@pytest.fixture
def trained_own(cli, own):
    said = cli("train", "--likelihood", own, "--hidden", 8, "--epochs", 1, "--out", "run", "--json")
    assert (said.code, said.err) == (0, "")
    return said.json


def test_it_trains_and_every_command_opens_the_run_when_it_is_named_again(cli, own, trained_own, tmp_path):
    assert trained_own["likelihood"] == f"{tmp_path / 'code' / 'likely.py'}:Mine"
    again = cli("evaluate", "run", "--likelihood", own, "--importance-samples", 3, "--json")
    assert (again.code, again.json["bound"]) == (0, trained_own["test_bound"])
    assert cli("sample", "run", "--likelihood", own, "-n", 3, "--out", "drawn.npy").code == 0
    assert np.load("drawn.npy").shape == (3, 64)
    assert cli("plot", "run", "--likelihood", own, "--out", "figures").code == 0
    assert cli("encode", "run", "--likelihood", own, "--out", "codes.csv").code == 0
    assert cli("train", "--resume", "run", "--likelihood", own, "--epochs", 2).code == 0
    further = ("--likelihood", own, "--hidden", 8, "--lr", 0.001, "--epochs", 1, "--out", "further")
    assert cli("train", "--init-from", "run", *further).code == 0
    shown = cli("info", "run", "--json")
    assert (shown.code, shown.json["options"]["likelihood"]) == (0, trained_own["likelihood"])


def test_the_file_may_move(cli, own, trained_own, tmp_path):
    (tmp_path / "code" / "likely.py").rename(tmp_path / "moved.py")
    moved = ("--likelihood", "moved.py:Mine")
    assert cli("evaluate", "run", *moved, "--importance-samples", 3).code == 0
    assert cli("train", "--resume", "run", *moved, "--epochs", 2).code == 0
    assert cli("evaluate", "run", *moved, "--importance-samples", 3).code == 0
    assert cli("train", "--resume", "run", *moved, "--epochs", 3).code == 0


def test_a_run_s_files_make_no_code_run(cli, trained_own, tmp_path):
    (tmp_path / "was-run").unlink()
    for words in (
        ["evaluate", "run"],
        ["sample", "run"],
        ["plot", "run"],
        ["train", "--resume", "run", "--epochs", 2],
        ["train", "--init-from", "run", "--out", "further"],
        ["train", "--config", "run/config.json", "--out", "further"],
    ):
        refused = cli(*words)
        assert (refused.code, refused.err.count("\n")) == (2, 1), words
        assert "of your own" in refused.err
        assert f"--likelihood {trained_own['likelihood']}" in refused.err
    assert not (tmp_path / "was-run").exists()
    assert not (tmp_path / "further").exists()


def test_a_run_goes_on_with_its_own_likelihood_alone(cli, own, trained_own, trained):
    for name in ("gaussian", "code/likely.py:Other"):
        assert cli("evaluate", "run", "--likelihood", name).code == 2
        assert cli("train", "--resume", "run", "--likelihood", name, "--epochs", 2).code == 2
    refused = cli("evaluate", trained, "--likelihood", own)
    assert (refused.code, "is bernoulli" in refused.err) == (2, True)
    assert cli("evaluate", trained, "--likelihood", "bernoulli", "--importance-samples", 2).code == 0


def test_for_data_of_one_s_own_the_preparation_suits_it(cli, own):
    np.save("table.npy", TABLE)
    said = cli("train", "--data", "table.npy", "--likelihood", own, "--epochs", 1, "--out", "run", "--json")
    assert said.code == 0
    assert "likely.py:Mine likelihood, preparation standardize" in said.json["account"]["choice"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("code/likely.py:Mien", "did you mean 'Mine'?"),
        ("code/likly.py:Mine", "there is none"),
        ("code/likely.py:Logistic", "expected a class that derives from minivae.models.likelihoods.Likelihood"),
        ("code/likely.py:Headless", 'expected heads = ("name", ...)'),
        ("gausian", "did you mean 'gaussian'?"),
    ],
)
def test_what_is_wrong_with_it_is_said_in_one_line(cli, own, name, said):
    refused = cli("train", "--likelihood", name, "--epochs", 1, "--out", "run")
    assert (refused.code, refused.out, refused.err.count("\n")) == (2, "", 1)
    assert said in refused.err


def test_help_says_that_it_may_be_one_s_own(cli):
    assert "class of your own" in " ".join(cli("train", "--help").out.split())
