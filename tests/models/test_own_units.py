"""People put in and get out their own units: whatever these are, the model is the same."""

import numpy as np
import pytest

import minivae as mv
from minivae import backend
from minivae.autodiff import tensor
from minivae.datasets import Dataset, Split
from minivae.errors import InputError
from minivae.inference import density_log_likelihood, log_likelihood
from minivae.models import MODELS, VAE
from minivae.runs import Run

COLUMNS, UNITS = 12, 10.0 ** np.linspace(-6, 6, 12)


def table(rng, rows=300):
    return rng.normal(size=(rows, 3)) @ rng.normal(size=(3, COLUMNS)) + 0.1 * rng.normal(size=(rows, COLUMNS))


def dataset(x, kind="standardize", rows=250):
    return Dataset("x", Split(x[:rows]), Split(x[rows:]), None, 1.0, "").prepared(kind)


def trained(data, epochs=20, **options):
    model = VAE(COLUMNS, 3, (32,), likelihood="gaussian", **options)
    return model, mv.fit(model, data, epochs=epochs, batch_size=50, lr=0.005, progress=False)


def test_units_change_nothing_but_the_jacobian(rng):
    raw = table(rng)
    standard = (raw - raw[:250].mean(axis=0)) / raw[:250].std(axis=0)
    plain, of_plain = trained(dataset(standard, "none"))
    ours, history = trained(dataset(raw * UNITS + 5 * UNITS))
    assert history.rows[-1]["test_bound"] == pytest.approx(of_plain.rows[-1]["test_bound"], abs=1e-3 * COLUMNS)
    mine, theirs = (raw * UNITS + 5 * UNITS)[250:], standard[250:]
    np.testing.assert_allclose(ours.encode(mine).numpy(), plain.encode(theirs).numpy(), atol=0.01)
    rebuilt = ours.reconstruct(mine).numpy()
    explained = 1 - ((mine - rebuilt) ** 2).sum(axis=0) / ((mine - mine.mean(axis=0)) ** 2).sum(axis=0)
    assert np.median(explained) > 0.8
    np.testing.assert_allclose(
        rebuilt / UNITS,
        plain.reconstruct(theirs).numpy() * raw[:250].std(axis=0) + raw[:250].mean(axis=0) + 5,
        atol=0.05,
    )


def test_every_door_is_in_own_units(rng):
    raw = table(rng) * UNITS
    model, _ = trained(dataset(raw), epochs=2, dtype="float64")
    x = model.preparation.apply(raw[:6])
    bare = VAE(COLUMNS, 3, (32,), likelihood="gaussian", dtype="float64")
    bare.load_state_dict(model.state_dict())
    for call in (
        lambda m, x: m.encode(x),
        lambda m, x: m.bound(x, backend.generator(0)).value,
        lambda m, x: log_likelihood(m, x, backend.generator(0), 5).value,
        lambda m, x: density_log_likelihood(m, x, backend.generator(0), draws=12, warmup=3).value,
    ):
        np.testing.assert_allclose(call(model, raw[:6]).numpy(), call(bare, x).numpy(), rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(model.preparation.apply(model.reconstruct(raw[:6]).numpy()), bare.reconstruct(x).numpy())
    drawn = model.sample(backend.generator(1), 4).numpy()
    np.testing.assert_allclose(model.preparation.apply(drawn), bare.sample(backend.generator(1), 4).numpy())
    np.testing.assert_allclose(model.encode(tensor(raw[:6])).numpy(), model.encode(raw[:6]).numpy(), rtol=1e-9)


def test_there_and_back_is_the_same(rng):
    """Results fed back in: a reconstruction is data in the same units."""
    model, _ = trained(dataset(table(rng) * UNITS), epochs=2)
    drawn = model.sample(backend.generator(1), 5).numpy()
    np.testing.assert_allclose(model.raw(model.prepared(drawn)).numpy(), drawn, rtol=1e-5, atol=1e-9)
    assert model.reconstruct(model.reconstruct(drawn)).shape == drawn.shape


def test_a_run_keeps_the_preparation(tmp_path, rng):
    data = dataset(table(rng) * UNITS)
    model = VAE(COLUMNS, 3, (32,), likelihood="gaussian")
    run = Run.create(tmp_path / "run", {"model": "vae"})
    mv.fit(model, data, run=run, epochs=1, progress=False)
    again = Run.open(tmp_path / "run").load_model()
    assert again.preparation == model.preparation
    raw = data.test.images[:5]
    np.testing.assert_array_equal(again.reconstruct(raw).numpy(), model.reconstruct(raw).numpy())
    other = data.prepared("unit")
    fresh = VAE(COLUMNS, 3, (32,), likelihood="gaussian")
    with pytest.raises(InputError, match="the data were prepared otherwise"):
        mv.fit(fresh, other, run=Run.open(tmp_path / "run"), resume=True, epochs=2, progress=False)


def test_a_model_is_not_trained_on_data_prepared_otherwise(rng):
    model, _ = trained(dataset(table(rng)), epochs=1)
    with pytest.raises(InputError, match="prepared otherwise than the data that the model was trained on"):
        mv.fit(model, dataset(table(rng) * 3), epochs=1, progress=False)


def test_bits_are_not_prepared(rng):
    data = Dataset("x", Split(rng.random((20, 4))), Split(rng.random((9, 4))), None, 1.0, "").prepared("unit")
    with pytest.raises(InputError, match="binarize is 'dynamic' and the data are prepared by 'unit'"):
        mv.fit(VAE(4, 2, (5,)), data, epochs=1, binarize="dynamic", progress=False)


@pytest.mark.parametrize("door", ["encode", "reconstruct", "bound"])
@pytest.mark.parametrize(("value", "message"), [(1.5, "from 0.5 to 1.5; expected values in"), (np.nan, "a NaN")])
def test_values_that_the_likelihood_does_not_have_are_refused_at_every_door(door, value, message, rng):
    for name in ("vae", "iwae", "categorical-vae", "full-covariance-vae", "info-vae"):
        model = MODELS[name](4, hidden=(5,))
        x = np.array([[0.5, 0.5, 0.5, value]])
        with pytest.raises(InputError, match=message):
            model.bound(x, backend.generator(0)) if door == "bound" else getattr(model, door)(x)


def test_a_plain_array_is_learned_in_any_units_also_a_second_time(rng):
    raw = table(rng) * UNITS + 1e3 * UNITS
    model = VAE(COLUMNS, 3, (32,), likelihood="gaussian")
    history = mv.fit(model, raw, epochs=30, batch_size=50, lr=0.005, progress=False)
    errors, spread = raw - model.reconstruct(raw).numpy(), raw - raw.mean(axis=0)
    assert np.median(1 - (errors**2).sum(axis=0) / (spread**2).sum(axis=0)) > 0.8
    before = model.preparation
    again = mv.fit(model, raw[:200], epochs=1, batch_size=50, progress=False)
    assert model.preparation is before
    assert again.rows[0]["train_bound"] > history.rows[0]["train_bound"]
    bits = VAE(4, 2, (5,))
    mv.fit(bits, rng.random((40, 4)), epochs=1, batch_size=10, progress=False)
    assert bits.preparation is None


@pytest.mark.parametrize(
    ("likelihood", "columns"), [("gaussian", 36), ("bernoulli", 36), ("discretized-logistic", 36), ("poisson", 16)]
)
def test_bytes_in_an_array_are_their_own_units(likelihood, columns, rng):
    """What is given to fit is what the trained model takes and gives, pixels too."""
    latent = rng.normal(size=(200, 2))
    raw = np.clip(128 + 60 * latent @ rng.normal(size=(2, columns)), 0, 255).round().astype(np.uint8)
    model = VAE(columns, 2, (32,), likelihood=likelihood)
    mv.fit(model, raw, epochs=60, batch_size=20, lr=0.01, progress=False)
    assert np.ptp(model.encode(raw).numpy(), axis=0).min() > 0.5
    rebuilt = model.reconstruct(raw).numpy()
    assert np.corrcoef(rebuilt.ravel(), raw.ravel())[0, 1] > 0.8
    assert 20 < rebuilt.mean() < 240
    assert model.reconstruct(rebuilt.round() if likelihood != "gaussian" else rebuilt).shape == raw.shape
