"""minivae.estimator: scikit-learn's own checks, its compositions, and what is said of units, rows and randomness."""

import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from minivae import backend
from minivae.errors import InputError
from minivae.estimator import VAE
from minivae.inference import log_likelihood
from minivae.models import MODELS

RNG = np.random.default_rng(0)
Z = RNG.normal(size=(300, 2))
UNITS = np.array([1e-6, 1.0, 1e3, 1e6, 10.0])
TABLE = (Z @ RNG.normal(size=(2, 5)) + 0.1 * RNG.normal(size=(300, 5))) * UNITS + 3 * UNITS
SMALL = {"latent_dim": 2, "hidden": (8,), "epochs": 3, "random_state": 0}


def small(**options):
    return VAE(**{**SMALL, **options})


# A list: up to scikit-learn 1.6 they are a generator, which pytest takes no more.
CHECKS = parametrize_with_checks([VAE(), small(patience=1, epochs=4)])


@pytest.mark.parametrize(CHECKS.args[0], [*CHECKS.args[1]], **CHECKS.kwargs)
def test_scikit_learn_s_own_checks(estimator, check):
    check(estimator)


def test_minivae_is_imported_without_scikit_learn():
    code = "import sys, minivae, minivae.cli; assert not {'sklearn', 'minivae.estimator'} & sys.modules.keys()"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_without_scikit_learn_one_line_says_what_to_do():
    code = "import sys; sys.modules['sklearn'] = None; sys.modules['sklearn.base'] = None; import minivae.estimator"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.splitlines()[-1].startswith("ImportError: minivae.estimator needs scikit-learn")
    assert "pip install 'minivae[sklearn]'" in done.stderr


# ---------------------------------------------------------------- units


def test_a_table_of_columns_in_many_units_is_learned_and_given_back_in_them():
    vae = VAE(latent_dim=2, hidden=(32,), lr=0.01, epochs=150, random_state=0).fit(TABLE)
    assert vae.choice_.startswith("gaussian likelihood, preparation standardize, as the values are real numbers")
    back = vae.inverse_transform(vae.transform(TABLE))
    explained = 1 - (back - TABLE).var(axis=0) / TABLE.var(axis=0)
    assert (explained > 0.95).all()
    drawn = vae.sample(2000, random_state=0)
    assert np.abs((drawn.mean(axis=0) - TABLE.mean(axis=0)) / TABLE.std(axis=0)).max() < 0.3


@pytest.mark.parametrize("prepare", ["standardize", "unit"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("unit", [1024.0, 1e-6, 3e7, np.array([1e9, 1e-9, 7.0, 1e3, 0.1])])
def test_a_score_is_in_nats_of_the_data_s_own_units(prepare, dtype, unit):
    """A density of values in another unit differs by the logarithm of the unit: of each row, which has its noise."""
    options = {"prepare": prepare, "likelihood": "gaussian"}
    x, y = TABLE.astype(dtype), (TABLE.astype(dtype) * unit).astype(dtype)
    scores = small(**options).fit(x).score_samples(x)
    scaled = small(**options).fit(y).score_samples(y) + np.log(np.broadcast_to(unit, 5)).sum()
    if dtype == "float64":
        np.testing.assert_allclose(scaled, scores, rtol=1e-6)
    else:  # of a few rows a last digit falls otherwise, and with it their noise
        assert np.mean(np.isclose(scaled, scores, rtol=1e-2)) > 0.9


def test_other_rows_have_other_noise_however_small_their_unit():
    noise = small(prepare="none", likelihood="gaussian").fit(TABLE * 1e-9)._noise(TABLE * 1e-9, 1).numpy()
    assert len(np.unique(noise)) == noise.size


def test_a_score_is_a_bound_on_log_p_of_x():
    vae = VAE(latent_dim=2, hidden=(16,), epochs=60, lr=0.01, random_state=0).fit(TABLE)
    nearer = log_likelihood(vae.model_, TABLE, backend.generator(0), 200).value.numpy()
    raw = nearer + vae.model_.preparation.log_jacobian(TABLE)
    below = raw.mean() - vae.score(TABLE)
    assert 0 < below < 2
    assert vae.score(TABLE) == pytest.approx(vae.score_samples(TABLE).mean())


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (RNG.poisson(3, (60, 4)), "negative-binomial likelihood, preparation none"),
        (RNG.integers(0, 2, (60, 4)), "bernoulli likelihood, preparation none"),
        (RNG.random((60, 16)), "gaussian likelihood, preparation standardize"),
    ],
)
def test_what_is_left_open_is_chosen_by_the_values(values, said):
    vae = small().fit(values)
    assert vae.choice_.startswith(said)
    assert np.isfinite(vae.score_samples(values)).all()


def test_what_is_said_is_done():
    vae = small(likelihood="laplace", prepare="unit", options={"activation": "relu"}, settings={"optimizer": "sgd"})
    vae.fit(TABLE)
    assert vae.model_.preparation.kind == "unit"
    assert {"likelihood": "laplace", "activation": "relu", "hidden": [8]}.items() <= vae.model_.config.items()


# ---------------------------------------------------------------- rows


@settings(max_examples=20, deadline=None)
@given(order=st.permutations(range(12)), cut=st.integers(1, 11))
def test_a_row_s_score_is_its_own_in_whatever_company(order, cut):
    vae = test_a_row_s_score_is_its_own_in_whatever_company.fitted
    whole, order = vae.score_samples(TABLE[:12]), np.array(order)
    apart = np.concatenate([vae.score_samples(TABLE[order[:cut]]), vae.score_samples(TABLE[order[cut:]])])
    np.testing.assert_allclose(apart, whole[order], rtol=1e-10)


test_a_row_s_score_is_its_own_in_whatever_company.fitted = small().fit(TABLE)


def test_a_score_of_more_draws_has_the_same_mean(monkeypatch):
    """Whatever an objective takes: one draw, or a group of importance samples."""
    for options in ({}, {"model": "iwae", "options": {"samples": 4}}):
        vae = small(**options).fit(TABLE)
        few = vae.score(TABLE)
        monkeypatch.setattr("minivae.estimator.DRAWS", 200)
        assert vae.score(TABLE) == pytest.approx(few, abs=0.5)
        monkeypatch.undo()


def test_noise_of_different_rows_is_not_the_same():
    noise = small().fit(TABLE)._noise(TABLE[:50], 10).numpy()
    assert noise.shape == (10, 50, 2)
    assert np.abs(np.corrcoef(noise[:, :, 0].T)[np.triu_indices(50, 1)]).mean() < 0.4  # of 10 draws: 0.27 by chance
    assert len(np.unique(noise)) == noise.size


def test_more_rows_than_are_taken_at_a_time():
    many = np.tile(TABLE, (4, 1))
    vae = small().fit(TABLE)
    assert vae.transform(many).shape == (1200, 2)
    np.testing.assert_allclose(vae.score_samples(many)[-300:], vae.score_samples(TABLE), rtol=1e-10)


# ------------------------------------------------- randomness, copies


def test_one_random_state_is_one_model():
    first, again, other = small().fit(TABLE), small().fit(TABLE), small(random_state=1).fit(TABLE)
    np.testing.assert_array_equal(first.transform(TABLE), again.transform(TABLE))
    np.testing.assert_array_equal(first.score_samples(TABLE), again.score_samples(TABLE))
    assert np.abs(first.transform(TABLE) - other.transform(TABLE)).max() > 0.01
    np.testing.assert_array_equal(first.sample(3, random_state=1), again.sample(3, random_state=1))
    assert not np.array_equal(first.sample(3, random_state=1), first.sample(3, random_state=2))
    state = small(random_state=np.random.RandomState(0)).fit(TABLE)
    assert np.isfinite(state.transform(TABLE)).all()


def test_a_copy_out_of_a_pickle_is_the_same_and_goes_on_in_the_same_way():
    vae = small(model="iaf-vae", options={"flow_hidden": (4,), "features": 2}).fit(TABLE)
    copy = pickle.loads(pickle.dumps(vae))
    np.testing.assert_array_equal(copy.score_samples(TABLE), vae.score_samples(TABLE))
    np.testing.assert_array_equal(copy.partial_fit(TABLE).transform(TABLE), vae.partial_fit(TABLE).transform(TABLE))


def test_a_clone_has_the_arguments_and_no_model():
    copy = clone(small(options={"init": "paper"}).fit(TABLE))
    assert copy.get_params()["options"] == {"init": "paper"}
    assert not hasattr(copy, "model_")


# ---------------------------------------------------------- pass by pass


def test_passes_one_after_the_other_train_as_one_training_does():
    vae = small(lr=0.01)
    scores = [vae.partial_fit(TABLE).score(TABLE) for _ in range(30)]
    assert scores[-1] > scores[0] + 1
    assert vae.n_iter_ == 30
    whole = small(lr=0.01, epochs=30).fit(TABLE)
    assert whole.n_iter_ == 30
    assert scores[-1] == pytest.approx(whole.score(TABLE), abs=0.5)


def test_a_pass_goes_on_with_weights_moments_and_preparation():
    vae = small().fit(TABLE)
    before, preparation, moments = vae.model_.state_dict(), vae.model_.preparation, vae._moments[0]
    vae.partial_fit(TABLE[:150] * 1.1)
    assert vae.model_.preparation is preparation
    steps = [name for name in moments if np.ndim(moments[name]) == 0]
    assert any(vae._moments[0][name] > moments[name] for name in steps)
    moved = max(np.abs(vae.model_.state_dict()[name] - before[name]).max() for name in before)
    assert 0 < moved < 0.02  # one step of Adam


def test_a_pass_over_fewer_rows_than_a_minibatch():
    assert small().partial_fit(TABLE[:7]).partial_fit(TABLE[:1]).n_iter_ == 2


def test_a_value_that_the_likelihood_does_not_have_is_refused_later_too():
    vae = small().fit(RNG.poisson(3, (60, 4)))
    for call in (vae.partial_fit, vae.transform, vae.score_samples):
        with pytest.raises(InputError, match="whole numbers"):
            call(np.full((5, 4), 0.5))


def test_fit_begins_anew():
    vae = small()
    first = vae.fit(TABLE).transform(TABLE)
    np.testing.assert_array_equal(vae.fit(TABLE).transform(TABLE), first)
    assert vae.fit(TABLE[:, :3]).transform(TABLE[:, :3]).shape == (300, 2)


def test_patience_ends_a_training():
    vae = small(patience=1, epochs=400, lr=0.05).fit(TABLE)
    assert 1 < vae.n_iter_ < 400


# -------------------------------------------------- in company of others


def test_in_a_pipeline_and_a_grid_search():
    pipeline = make_pipeline(PCA(3), small())
    assert pipeline.fit_transform(TABLE / UNITS).shape == (300, 2)
    assert np.isfinite(cross_val_score(pipeline, TABLE / UNITS, cv=2)).all()
    grid = {"latent_dim": [1, 2], "prepare": ["standardize", "unit"]}
    search = GridSearchCV(small(hidden=(16,), likelihood="gaussian", lr=0.02, epochs=80), grid, cv=2).fit(TABLE)
    scores = dict(zip(map(str, search.cv_results_["params"]), search.cv_results_["mean_test_score"], strict=True))
    assert search.best_params_["latent_dim"] == 2, scores  # there are two


def test_data_frames_have_names():
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = pandas.DataFrame(TABLE, columns=["mass", "length", "charge", "age", "price"])
    vae = small().set_output(transform="pandas").fit(frame)
    assert list(vae.feature_names_in_) == list(frame.columns)
    assert list(vae.get_feature_names_out()) == ["vae0", "vae1"]
    codes = vae.transform(frame)
    assert list(codes.columns) == ["vae0", "vae1"]
    np.testing.assert_array_equal(codes, small().fit(TABLE).transform(TABLE))
    with pytest.raises(ValueError, match="feature names should match"):
        vae.transform(frame[["length", "mass", "charge", "age", "price"]])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_codes_are_of_the_type_of_the_rows(dtype):
    x = (TABLE / UNITS).astype(dtype)
    assert small().fit(x).transform(x).dtype == dtype


# ------------------------------------------------------------- every model

NOT_HERE = {"made": "no latent variable", "cvae": "told labels", "cmma": "told labels", "ivae": "told labels"}
NOT_HERE |= {"gan": "it has no encoder", "td-vae": "it is for sequences"}
NOT_HERE |= dict.fromkeys(("m2", "m1-m2", "labelled-aae"), "told labels")
WITHOUT_LENGTH = ("categorical-vae", "joint-vae", "vq-vae", "m1-m2")
NOT_HERE |= {"autoregressive-prior": "expected values in .0, 1."}
UNBOUNDED = ("wae-mmd", "swae", "wae-gan", "aae", "vq-vae")


@pytest.mark.parametrize("name", MODELS)
def test_every_model_is_fitted_or_refused_in_words(name):
    vae = small(model=name, latent_dim=None if name in WITHOUT_LENGTH else 2)
    if name in NOT_HERE:
        with pytest.raises(InputError, match=NOT_HERE[name]):
            vae.set_params(latent_dim=None).fit(TABLE)
        return
    codes = vae.fit(TABLE).transform(TABLE)
    assert codes.shape == (300, vae.model_.latent_dim)
    assert vae.inverse_transform(codes).shape == TABLE.shape
    assert vae.sample(4).shape == (4, 5)
    if name in UNBOUNDED:
        with pytest.raises(InputError, match="expected one that bounds"):
            vae.score(TABLE)
    else:
        assert np.isfinite(vae.score_samples(TABLE)).all()


def test_a_class_of_one_s_own():
    class Mine(MODELS["vae"]):
        """Mine."""

    assert isinstance(small(model=Mine).fit(TABLE).model_, Mine)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"model": "vae2"}, "model is 'vae2'; expected one of"),
        ({"model": 3}, "model is 3; expected a name, or a class"),
        ({"model": "vq-vae"}, "latent_dim is no argument of VQVAE"),
        ({"likelihood": "gausian"}, "did you mean 'gaussian'"),
        ({"likelihood": None}, "likelihood is None"),
        ({"prepare": "standardise"}, "did you mean 'standardize'"),
        ({"options": {"activaton": "relu"}}, "did you mean 'activation'"),
        ({"options": 3}, "options is 3; expected arguments by name"),
        ({"settings": {"epochs": 3}}, "epochs is no argument of settings"),
        ({"settings": {"shedule": "cosine"}}, "did you mean 'schedule'"),
        ({"settings": []}, r"settings is \[\]; expected settings by name"),
        ({"random_state": -1}, "random_state is -1; expected"),
        ({"latent_dim": 0}, "latent_dim is 0"),
        ({"hidden": 5}, "hidden is 5"),
        ({"epochs": 0}, "epochs is 0"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"lr": -1.0}, "lr is -1.0"),
        ({"patience": 0}, "patience is 0"),
    ],
)
def test_what_is_wrong_is_said_by_fit(options, said):
    with pytest.raises(InputError, match=said):
        small(**options).fit(TABLE)


def test_codes_of_another_length_are_refused():
    with pytest.raises(InputError, match="X has 3 columns; expected 2, the length of a code"):
        small().fit(TABLE).inverse_transform(np.zeros((4, 3)))


@pytest.mark.filterwarnings("ignore:scipy.optimize:DeprecationWarning")  # of an older scikit-learn with a newer SciPy
def test_the_page_s_example_runs(capsys):
    page = (Path(__file__).resolve().parents[1] / "docs" / "scikit-learn.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    there: dict = {}
    exec(block, there)
    assert (there["codes"].shape, there["back"].shape, there["drawn"].shape) == ((150, 2), (150, 4), (10, 4))
    assert there["classify"].score(there["x"], there["species"]) > 0.8
    assert capsys.readouterr().out.startswith("gaussian likelihood, preparation standardize, as the values are real")
