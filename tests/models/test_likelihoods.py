"""Likelihoods beyond the paper's two: in every model, with gradients, trained, and for their own values alone."""

from typing import get_args, get_type_hints

import numpy as np
import pytest

import minivae as mv
from minivae import backend
from minivae.autodiff import Parameter, tensor
from minivae.datasets import Dataset, Split
from minivae.errors import InputError
from minivae.gradcheck import check_gradients
from minivae.models import MODELS, VAE, Batch
from minivae.models.likelihoods import LIKELIHOODS
from minivae.models.vae import DECODERS
from minivae.runs import Run

from ..tools.report.likelihoods import likelihood

EVERY = pytest.mark.parametrize("name", LIKELIHOODS)
OWN = {"categorical": {"categories": 3}}
DATA = {
    "laplace": lambda rng, shape: rng.normal(size=shape),
    "log-cosh": lambda rng, shape: rng.laplace(size=shape),
    "student-t": lambda rng, shape: rng.standard_t(3, size=shape),
    "poisson": lambda rng, shape: rng.poisson(3, shape),
    "negative-binomial": lambda rng, shape: rng.poisson(rng.gamma(1, 3, shape)),
    "zero-inflated": lambda rng, shape: rng.poisson(3, shape) * (rng.random(shape) < 0.5),
    "categorical": lambda rng, shape: rng.integers(0, 3, shape),
    "discretized-logistic": lambda rng, shape: rng.integers(0, 256, shape) / 255,
}


def model_of(name, kind="vae", **options):
    return MODELS[kind](5, 2, hidden=(4,), likelihood=name, **OWN.get(name, {}), **options)


def test_the_choices_are_the_likelihoods_that_there_are():
    choices = get_args(get_args(get_type_hints(VAE.__init__)["likelihood"])[0])
    assert list(choices) == list(DECODERS)
    assert DATA.keys() == LIKELIHOODS.keys()


@EVERY
def test_log_p_is_scipys_of_what_the_heads_of_these_names_give(name):
    value, gradient = likelihood(name).errors
    assert value < 1e-12
    assert gradient < 1e-6


@EVERY
def test_gradients_of_the_whole_model(name, rng):
    model, x = model_of(name, dtype="float64"), DATA[name](rng, (3, 5)).astype(float)
    noise = rng.normal(size=(1, 3, 2))
    report = check_gradients(lambda *_: model.phases(Batch(tensor(x)), noise)[0].loss, model.parameters())
    assert report.comparisons


@EVERY
@pytest.mark.parametrize("kind", ["beta-vae", "iwae", "categorical-vae", "vq-vae", "iaf-vae", "wae-mmd", "info-vae"])
def test_every_model_takes_them(name, kind, rng):
    options = {"latent_dim": 2} if kind not in ("categorical-vae", "vq-vae") else {}
    model = MODELS[kind](5, hidden=(4,), likelihood=name, **OWN.get(name, {}), **options)
    x = DATA[name](rng, (20, 5)).astype("float32")
    losses = [phase.loss.item() for phase in model.phases(Batch(tensor(x)), backend.generator(0))]
    assert np.isfinite(losses).all()


@EVERY
def test_training_raises_the_bound_and_a_run_keeps_it(name, rng, tmp_path):
    x = DATA[name](rng, (60, 5)).astype("float32")
    data = Dataset("x", Split(x[:50]), Split(x[50:]), None, 1.0, "")
    model, run = model_of(name), Run.create(tmp_path / "run", {"model": "vae"})
    history = mv.fit(model, data, run=run, epochs=30, batch_size=25, lr=0.01, progress=False)
    assert history.rows[-1]["train_bound"] > history.rows[0]["train_bound"] + 0.1
    again = Run.open(tmp_path / "run").load_model()
    np.testing.assert_array_equal(again.reconstruct(x[:4]).numpy(), model.reconstruct(x[:4]).numpy())


@EVERY
def test_what_is_drawn_and_decoded_is_of_numbers_however_heavy_the_tails(name, rng):
    """As they are of outliers, and of some columns before training: heads that are far from 0."""
    model, x = model_of(name), DATA[name](rng, (20, 5)).astype("float32")
    for head in model.decoder.heads:
        bias = rng.choice([-3.0, 3.0], 5 * model.decoder.width).astype("float32")
        getattr(model.decoder, head).bias = Parameter(bias)
    for values in (model.sample(backend.generator(0), 20), model.reconstruct(x)):
        assert np.isfinite(values.numpy()).all()


@EVERY
def test_other_values_are_refused_before_training_and_at_the_door(name, rng):
    wrong = {"laplace": np.nan, "log-cosh": np.nan, "student-t": np.inf, "categorical": 3.0}.get(name, -0.5)
    x = DATA[name](rng, (20, 5)).astype("float32")
    x[3, 2] = wrong
    message = "NaN or an infinity|expected|that are no"
    with pytest.raises(InputError, match=message):
        model_of(name).bound(x, backend.generator(0))
    with pytest.raises(InputError, match=message):
        mv.fit(model_of(name), Dataset("x", Split(x[:10]), Split(x[10:]), None, 1.0, ""), batch_size=5, progress=False)


def test_an_encoder_is_given_the_logarithms_of_counts(rng):
    """Of counts of a million it would be saturated."""
    model = model_of("poisson", dtype="float64")
    np.testing.assert_allclose(model.features(np.full((1, 5), 1e6)).numpy(), np.log1p(1e6))
    real = model_of("laplace", dtype="float64")
    np.testing.assert_array_equal(real.features(np.full((1, 5), 1e6)).numpy(), 1e6)


@pytest.mark.parametrize("name", ["laplace", "student-t"])
def test_the_logarithm_of_a_scale_is_kept_above_its_floor(name):
    floor = -3.0
    decoder = LIKELIHOODS[name](2, (3,), 4, backend.generator(0), log_scale_floor=floor, dtype="float64")
    for low in (-50.0, -3.0, 0.5):
        decoder.log_scale.weight.data[...], decoder.log_scale.bias.data[...] = 0.0, low
        expected = np.log1p(np.exp(low - floor)) + floor
        np.testing.assert_allclose(decoder(np.zeros((1, 2))).log_scale.numpy(), expected, rtol=1e-12)
