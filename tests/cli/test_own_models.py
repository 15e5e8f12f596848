"""Models of the user's own on the command line, from training to samples; a run's files make no code run."""

import numpy as np
import pytest

from minivae.errors import InputError
from minivae.models.registry import named
from minivae.runs import Run

MINE = """
import pathlib
from minivae.models import VAE
pathlib.Path("was-run").touch()

class Mine(VAE):
    '''Mine.

    Args:
        price: of it, in nats.
    '''

    minimises = "D + price R"

    def __init__(self, data_dim: int, latent_dim: int = 2, hidden: list[int] = (8,), *, price: float = 0.5,
                 whole: int = 3, **others):
        super().__init__(data_dim, latent_dim, hidden, **others)
        self.remember(price=price, whole=whole)

class Other(Mine): pass

class Clashing(VAE):
    def __init__(self, data_dim: int, epochs: int = 3): pass

class Bare(VAE):
    def __init__(self, data_dim: int):
        super().__init__(data_dim, 2, (4,))

class Double(VAE):
    def __init__(self, data_dim: int, latent_dim: int = 2):
        super().__init__(data_dim, latent_dim, (4,), dtype="float64")

class Unannotated(VAE):
    def __init__(self, data_dim: int, price=1.0): pass
"""
pytestmark = pytest.mark.usefixtures("no_figures")


@pytest.fixture
def own(tmp_path):
    """The name of the model, in a file of its own folder."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "mine.py").write_text(MINE)
    return "code/mine.py:Mine"


@pytest.fixture
def trained_own(cli, own):
    said = cli("train", "--model", own, "--price", 0.25, "--epochs", 1, "--out", "run", "--json")
    assert (said.code, said.err) == (0, "")
    return said.json


def test_it_trains_and_every_command_opens_the_run_when_the_model_is_named_again(cli, own, trained_own, tmp_path):
    assert trained_own["model"] == f"{tmp_path / 'code' / 'mine.py'}:Mine"
    assert Run.open("run").config["options"]["price"] == 0.25
    again = cli("evaluate", "run", "--model", own, "--importance-samples", 3, "--json")
    assert (again.code, again.json["bound"]) == (0, trained_own["test_bound"])
    assert cli("sample", "run", "--model", own, "-n", 3, "--out", "drawn.npy").code == 0
    assert np.load("drawn.npy").shape == (3, 64)
    assert cli("plot", "run", "--model", own, "--out", "figures").code == 0
    assert cli("train", "--resume", "run", "--model", own, "--epochs", 2).code == 0
    assert cli("info", "run").code == 0


def test_the_file_may_move(cli, own, trained_own, tmp_path):
    (tmp_path / "code" / "mine.py").rename(tmp_path / "moved.py")
    assert cli("evaluate", "run", "--model", "moved.py:Mine", "--importance-samples", 3).code == 0
    assert cli("train", "--resume", "run", "--model", "moved.py:Mine", "--epochs", 2).code == 0


def test_a_run_s_files_make_no_code_run(cli, trained_own, tmp_path):
    (tmp_path / "was-run").unlink()
    for words in (["evaluate", "run"], ["sample", "run"], ["plot", "run"], ["train", "--resume", "run", "--epochs", 2]):
        refused = cli(*words)
        assert (refused.code, refused.err.count("\n")) == (2, 1)
        assert "run is of a model of your own, whose code a run does not start" in refused.err
        assert f"--model {trained_own['model']}" in refused.err
    with pytest.raises(InputError, match=r"load_model\(model_class=Mine\)"):
        Run.open("run").load_model()
    assert not (tmp_path / "was-run").exists()


def test_a_run_is_opened_with_its_own_class_alone(cli, own, trained_own):
    for name in ("vae", "code/mine.py:Other"):
        refused = cli("evaluate", "run", "--model", name)
        assert refused.code == 2
        assert "but the model of run is" in refused.err
        assert cli("train", "--resume", "run", "--model", name, "--epochs", 2).code == 2
    other = named("code/mine.py:Other")[1]
    with pytest.raises(InputError, match="model_class is <class"):
        Run.open("run").load_model(model_class=other)


def test_in_python_a_run_is_opened_with_the_class(own, trained_own):
    model = Run.open("run").load_model(model_class=named(own)[1])
    assert model.config["price"] == 0.25


def test_a_listed_model_needs_no_class_and_takes_no_other(cli, trained, own):
    assert cli("evaluate", trained, "--model", "vae", "--importance-samples", 2).code == 0
    refused = cli("evaluate", trained, "--model", own)
    assert (refused.code, "is vae" in refused.err) == (2, True)


def test_a_model_without_options_of_its_own(cli, own):
    assert cli("train", "--model", "code/mine.py:Bare", "--epochs", 1, "--out", "run").code == 0
    assert cli("evaluate", "run", "--model", "code/mine.py:Bare", "--importance-samples", 3).code == 0


def test_a_dtype_that_the_class_decides_on_is_that_of_the_run(cli, own):
    name = "code/mine.py:Double"
    assert cli("train", "--model", name, "--epochs", 1, "--out", "run").code == 0
    assert Run.open("run").config["options"]["dtype"] == "float64"
    said = cli("evaluate", "run", "--model", name, "--importance-samples", 3, "--json").json
    assert said["bound"] == Run.open("run").load_history().rows[-1]["test_bound"]
    model = Run.open("run").load_model(model_class=named(name)[1])
    assert model.parameters()[0].dtype == np.float64
    with pytest.raises(InputError, match="dtype is dtype\\('float32'\\), but Double takes none; expected None"):
        Run.open("run").load_model(model_class=named(name)[1], dtype="float32")
    for words in (("--model", name, "--dtype", "float32"), ("--model", "code/mine.py:Bare", "--dtype", "float64")):
        refused = cli("train", *words, "--epochs", 1, "--out", "other")
        assert (refused.code, "takes no dtype: its weights are" in refused.err) == (2, True)


def test_help_shows_its_options(cli, own):
    shown = cli("train", "--help", "--model", own).out
    assert "--price X" in shown
    assert "of it, in nats (default: 0.5)" in shown
    assert "--whole N" in shown
    assert "--groups" not in shown
    assert "--price" not in cli("train", "--help").out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--model", "code/mine.py:Mien"), "did you mean 'Mine'?"),
        (("--model", "code/mien.py:Mine"), "there is none"),
        (("--model", "code/mine.py:Unannotated"), "argument price of Unannotated has no annotation"),
        (("--model", "code/mine.py:Clashing"), "call the argument of the model something else"),
        (("--model", "code/mine.py:Mine", "--prize", "3"), "did you mean --price?"),
        (("--model", "code/mine.py:Mine", "--beta", "3"), "--beta is not an option of --model"),
        (("--price", "3"), "--price"),
    ],
)
def test_what_is_wrong_with_it_is_said_in_one_line_and_breaks_nothing_else(cli, own, words, said):
    refused = cli("train", *words, "--epochs", 1)
    assert (refused.code, refused.out, refused.err.count("\n")) == (2, "", 1)
    assert said in refused.err
    assert cli("train", "--help").code == cli("models").code == cli("info").code == 0


CALLBACK = """
from minivae.training.callbacks import Callback

class Counted(Callback):
    def on_report(self, trainer, row):
        with open("counted", "a") as file:
            file.write(f"{row['epoch']} ")

class Needy(Callback):
    def __init__(self, path):
        self.path = path

class Nothing:
    pass

class Plain:  # derives from nothing
    def on_end(self, trainer):
        with open("counted", "a") as file:
            file.write("end")

class Misspelt:
    def on_reports(self, trainer, row):
        pass
"""


def test_a_callback_of_ones_own_is_called_and_one_that_is_none_is_refused(cli, tmp_path):
    (tmp_path / "mine.py").write_text(CALLBACK)
    words = "train", "--hidden", 4, "--epochs", 2, "--quiet", "--out", "run"
    assert cli(*words, "--callback", "mine.py:Counted").code == 0
    assert (tmp_path / "counted").read_text() == "1 2 "
    assert cli(*words, "--callback", "mine.py:Plain", "--out", "plain").code == 0
    assert (tmp_path / "counted").read_text() == "1 2 end"
    for name, message in {
        "mine.py:Needy": "cannot be made without arguments",
        "mine.py:Nothing": "Nothing",
        "mine.py:Misspelt": "did you mean 'on_report'?",
        "mine.py:Counter": "Counted",
        "csv": "expected file.py:Class or package.module:Class",
    }.items():
        outcome = cli("train", "--hidden", 4, "--out", "other", "--callback", name)
        assert (outcome.code, message in outcome.err) == (2, True), outcome.err
        assert not (tmp_path / "other").exists()
