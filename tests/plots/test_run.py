"""The pictures of a run: drawn alike under any style of the user's, and one that fails costs no other."""

import threading
import warnings

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

from minivae import Dataset, models
from minivae.datasets import Split, one_hot
from minivae.errors import InputError
from minivae.plots import run as plots_of_run
from minivae.plots import samples
from minivae.plots.canvas import own_style
from minivae.plots.run import draw_run
from minivae.runs import History
from minivae.training import Minibatches

# What a matplotlibrc, a style sheet or a program may have set, each enough to end or to change a picture.
SET_BY_THE_USER = {
    "tight": {"savefig.bbox": "tight"},
    "LaTeX": {"text.usetex": True, "text.latex.preamble": r"\usepackage{none}"},
    "no such font": {"font.family": ["None Such"], "font.size": 40.0},
    "one dot an inch": {"savefig.dpi": 1.0, "figure.dpi": 1.0},
    "interactive": {"interactive": True},
    "layouts": {"figure.constrained_layout.use": True, "figure.autolayout": True},
    "dark": {"figure.facecolor": "black", "savefig.facecolor": "black", "text.color": "white", "axes.grid": True},
    "sketched": {"path.sketch": (1.0, 100.0, 2.0), "savefig.transparent": True, "image.origin": "lower"},
    "no colours": {"axes.prop_cycle": matplotlib.cycler(color=["w"]), "image.cmap": "hsv", "lines.linewidth": 0.0},
}


@pytest.fixture(scope="module")
def model():
    return models.VAE(12, 2, (4,))


@pytest.fixture(scope="module")
def draw(model):
    """``draw(folder)`` draws all that there is of a model with two latent dimensions."""
    x = np.random.default_rng(0).random((20, 12), np.float32)
    test = Minibatches(Dataset.from_arrays(x).train, 1.0)
    history = History([{"samples_seen": n, "train_bound": -9.0 / n, "test_bound": -10.0 / n} for n in (1, 2)])
    return lambda folder: draw_run(model, test, None, (3, 4), history, folder)


@pytest.fixture(scope="module")
def expected(draw, tmp_path_factory):
    return content(draw(tmp_path_factory.mktemp("usual")))


def content(paths):
    return {path.name: path.read_bytes() for path in paths}


@pytest.mark.parametrize("parameters", SET_BY_THE_USER.values(), ids=SET_BY_THE_USER)
def test_pictures_of_a_run_are_the_same_whatever_the_user_has_set(draw, expected, tmp_path, parameters):
    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of deprecated parameters, which are Matplotlib's
        matplotlib.rcParams.update(parameters)
        before = dict(matplotlib.rcParams)
        assert content(draw(tmp_path)) == expected
        assert dict(matplotlib.rcParams) == before


def test_a_picture_that_a_program_asks_for_has_its_style_and_may_be_saved_tight(tmp_path):
    with matplotlib.rc_context({"savefig.bbox": "tight", "savefig.facecolor": "black"}):
        samples(np.full((4, 12), 0.5), (3, 4), tmp_path / "picture.png")
    assert matplotlib.image.imread(tmp_path / "picture.png")[0, 0, :3].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    "error", [ValueError("two\nlines"), MemoryError(), RuntimeError("x" * 1000), OSError(28, "full")]
)
def test_a_picture_that_fails_costs_that_picture(draw, expected, tmp_path, monkeypatch, error):
    def failing(*arguments):
        raise error

    monkeypatch.setattr(plots_of_run, "samples", failing)
    with pytest.raises(InputError, match=r"^not drawn: samples\.png: [^\n]{,400}$"):
        draw(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        name: picture for name, picture in expected.items() if name != "samples.png"
    }


def test_an_encoder_that_fails_costs_what_is_drawn_of_codes(draw, model, tmp_path, monkeypatch):
    monkeypatch.setattr(type(model), "encode", None)
    with pytest.raises(InputError, match=r"^not drawn: latent space: 'NoneType' object is not callable$"):
        draw(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"learning_curve.png", "samples.png"}


def test_all_that_failed_are_named_with_the_first_reason(draw, tmp_path, monkeypatch):
    monkeypatch.setattr(plots_of_run, "learning_curve", None)
    monkeypatch.setattr(plots_of_run, "manifold", None)
    with pytest.raises(InputError, match=r"not drawn: learning_curve\.png, manifold\.png, the first of them because: "):
        draw(tmp_path)


def test_threads_leave_the_parameters_as_they_were():
    before, started = dict(matplotlib.rcParams), threading.Barrier(8)

    def styled():
        started.wait()
        for _ in range(20):
            with own_style():
                assert not matplotlib.rcParams["text.usetex"]

    threads = [threading.Thread(target=styled) for _ in range(8)]
    with matplotlib.rc_context({"text.usetex": True}):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert matplotlib.rcParams["text.usetex"]
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize("kind", [models.CVAE, models.CMMA, models.LabelledAAE])
def test_of_a_model_that_is_told_a_label_the_manifold_is_of_its_prior_given_it(kind, tmp_path, monkeypatch):
    """Where p(z|y) is another Gaussian than N(0, I), its quantiles."""
    x, labels = np.random.default_rng(0).random((20, 12), np.float32), np.arange(20) % 3
    model = kind(12, 2, (4,), context_dim=3)
    for p in model.parameters():
        p.data[...] += 0.3
    test = Minibatches(Split(x, labels), 1.0, classes=3)
    places = np.array([[0.0, 0.0], [1.0, -2.0], [0.5, 0.25], [-3.0, 1.0]])

    def decoded(decode, shape, path):
        seen.append(decode(places))
        return Figure()

    seen = []
    monkeypatch.setattr(plots_of_run, "manifold", decoded)
    draw_run(model, test, labels, (3, 4), History([]), tmp_path)
    label = one_hot(labels[np.random.default_rng(0).permutation(20)[:1]], 3)
    p = model.prior(label)
    z = p.mean.numpy() + np.exp(np.broadcast_to(p.log_var.numpy(), (1, 2)) / 2) * places
    assert not np.allclose(z, places, atol=0.1)
    np.testing.assert_allclose(seen[0], model.decode(z, np.repeat(label, 4, axis=0)).numpy(), rtol=1e-4)


@pytest.mark.parametrize("kind", [models.HypersphericalVAE, models.FlowPriorVAE, models.FVAE])
def test_a_manifold_is_of_a_gaussian_prior_alone_and_pictures_of_directions_stay_on_the_sphere(kind, tmp_path):
    """Its points lie as the quantiles of N(0, I) do. What is no direction the hyperspherical VAE does not decode."""
    x = np.random.default_rng(0).random((20, 12), np.float32)
    test = Minibatches(Dataset.from_arrays(x).train, 1.0)
    drawn = draw_run(kind(12, 2, (4,)), test, None, (3, 4), History([]), tmp_path)
    expected = {"samples.png", "reconstructions.png", "latent.png", "interpolation.png", "traversals.png"}
    assert {path.name for path in drawn} == expected
