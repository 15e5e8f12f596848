"""Categorical VAE: its two bounds, its KL, and the temperature."""

import numpy as np
import pytest

from minivae.autodiff import tensor
from minivae.models import Batch

from ..members import M, batch_for, member, shaken


@pytest.fixture
def model():
    return shaken(member("categorical-vae", dtype="float64"))


def test_the_kl_is_that_to_uniform_categories(model, rng):
    x, _ = batch_for(model, rng)
    logits = model.encoder(x).numpy().reshape(M, 3, 4)
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    expected = (p * np.log(p)).sum(axis=(1, 2)) + 3 * np.log(4)
    np.testing.assert_allclose(model.bound(x, rng.uniform(size=(1, M, 12))).kl.numpy(), expected, rtol=1e-12)


def test_both_bounds_are_reported_and_each_is_what_it_says(model, rng):
    """The loss is minus the relaxed one; ``bound`` is that of one-hot codes drawn from the same noise."""
    x, _ = batch_for(model, rng)
    noise = tensor(rng.uniform(size=(2, M, 12)))
    (phase,) = model.phases(Batch(x), noise)
    terms = {name: float(value) for name, value in phase.terms.items()}
    q = model.posterior(x)
    for z, name in ((q.sample(noise), "bound"), (q.relax(noise, model.temperature), "relaxed_bound")):
        reconstruction = model.likelihood(z).log_prob(x).numpy().mean()
        assert terms[name] == pytest.approx(reconstruction - terms["kl"], rel=1e-12)
    assert float(phase.loss) == -terms["relaxed_bound"]
    assert abs(terms["bound"] - terms["relaxed_bound"]) > 1e-3


def test_the_bounds_meet_as_the_temperature_falls(model, rng):
    x, _ = batch_for(model, rng)
    noise = tensor(rng.uniform(size=(2, M, 12)))
    model.temperature.data[...] = 1e-3
    terms = model.phases(Batch(x), noise)[0].terms
    assert float(terms["relaxed_bound"]) == pytest.approx(float(terms["bound"]), rel=1e-6)


def test_the_temperature_falls_over_the_run_by_the_same_factor_at_each_step(model):
    found = []
    for step in range(5):
        model.advance(step, 4)
        found.append(float(model.temperature))
    assert found == pytest.approx([1, 0.5**0.25, 0.5**0.5, 0.5**0.75, 0.5])


def test_codes_are_the_most_likely_values(model, rng):
    x, _ = batch_for(model, rng)
    np.testing.assert_array_equal(model.codes(x).numpy(), model.encoder(x).numpy().reshape(M, 3, 4).argmax(-1))


def test_the_least_temperature_is_one_that_logits_can_be_divided_by():
    assert member("categorical-vae", final_temperature=1e-30).final_temperature == 1e-30
