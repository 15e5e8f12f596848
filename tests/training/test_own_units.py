"""What raw values add to nats of prepared ones: against a density written out, and only where there is a density."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minivae import backend
from minivae.datasets import Dataset, Split
from minivae.datasets.mapped import MappedRows
from minivae.models import MODELS, VAE
from minivae.training.own_units import log_jacobian, with_raw

KINDS = ("unit", "standardize", "log1p")


def model_for(data, name="vae", **options):
    model = MODELS[name](data_dim=data.data_dim, hidden=(4,), **options)
    model.preparation = data.preparation
    return model


def dataset(raw, kind, scale=1.0):
    return Dataset("x", Split(raw), Split(raw[:3]), None, scale, "").prepared(kind)


@given(st.sampled_from(KINDS), st.floats(-6, 6), st.sampled_from([1.0, 255.0]), st.integers(0, 2**32))
def test_the_density_of_raw_values_is_that_of_prepared_ones_and_the_jacobian(kind, exponent, scale, seed):
    """A decoder whose p(x|z) is N(0, 1), whatever z: that of x is known in either unit."""
    raw = np.random.default_rng(seed).gamma(2, 10.0**exponent, (20, 3))
    data = dataset(raw * scale, kind, scale)
    model = model_for(data, likelihood="gaussian", variance=1.0, dtype="float64")
    for p in model.parameters():
        p._data[...] = 0
    ours = model.bound(raw, backend.generator(0)).reconstruction.numpy() + log_jacobian(model, data.train, scale)
    x, slope = data.preparation.apply(raw), 1 / (1 + raw) if kind == "log1p" else 1 / data.preparation.scale
    written_out = (-0.5 * np.log(2 * np.pi) - x**2 / 2 + np.log(slope)).sum(axis=-1)
    np.testing.assert_allclose(ours, written_out, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_in_a_file_are_read_in_blocks(kind, tmp_path, rng, monkeypatch):
    raw = rng.gamma(2, 3, (50, 4))
    np.save(tmp_path / "x.npy", raw)
    monkeypatch.setattr("minivae.datasets.mapped.BLOCK", 100)
    data = dataset(raw, kind)
    mapped = Split(MappedRows(np.load(tmp_path / "x.npy", mmap_mode="r"), np.float64))
    model = model_for(data, likelihood="gaussian")
    np.testing.assert_array_equal(log_jacobian(model, mapped, 1.0), log_jacobian(model, data.train, 1.0))


@pytest.mark.parametrize(
    ("name", "options", "discrete"),
    [
        *[("vae", {"likelihood": name}, False) for name in ("gaussian", "laplace", "student-t")],
        ("vae", {"likelihood": "gaussian", "sigmoid_mean": True}, False),
        *[("vae", {"likelihood": name}, True) for name in ("bernoulli", "poisson", "discretized-logistic")],
        ("vae", {"likelihood": "categorical", "categories": 2}, True),
        ("cvae", {"likelihood": "gaussian", "context_dim": 3}, False),
        ("ivae", {"context_dim": 3}, False),
        ("vq-vae", {"likelihood": "gaussian"}, False),
        ("categorical-vae", {"likelihood": "bernoulli"}, True),
        ("made", {}, True),
    ],
)
def test_probabilities_have_no_unit_and_densities_have_one(name, options, discrete, rng):
    data = dataset(rng.normal(size=(20, 4)), "unit")
    found = log_jacobian(model_for(data, name, **options), data.train, 1.0)
    assert found.shape == (20,)
    assert (found == 0).all() == discrete


def test_nothing_is_said_where_nothing_is_prepared(rng):
    raw = rng.normal(size=(20, 4))
    assert log_jacobian(VAE(4, 2, (3,)), Split(raw), 1.0) is None
    assert with_raw({"bound": -2.0}, None) == {"bound": -2.0}


def test_a_bound_is_said_of_raw_values_and_an_objective_is_not():
    assert with_raw({"bound": -2.0, "kl": 1.0}, np.array([1.0, 2.0])) == {"bound": -2.0, "kl": 1.0, "bound_raw": -0.5}
    assert with_raw({"objective": -2.0}, np.ones(2)) == {"objective": -2.0}
