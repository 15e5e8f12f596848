"""MADE: probabilities that sum to one, and bench M's entropy."""

import itertools

import numpy as np
import pytest

from minivae import backend, fit
from minivae.datasets import Dataset, Split
from minivae.errors import InputError
from minivae.inference import log_likelihood
from minivae.models import MODELS, Batch

from ..chance import assert_mean
from ..markov_chain import ENTROPY, PIXELS, chains, log_prob
from .members import member, shaken


@pytest.mark.parametrize(("pixels", "hidden"), [(1, (4,)), (5, ()), (9, (20,)), (12, (16, 12))])
def test_the_probabilities_of_all_images_sum_to_one(pixels, hidden):
    model = shaken(MODELS["made"](pixels, hidden, dtype="float64"))
    images = np.array(list(itertools.product([0.0, 1.0], repeat=pixels)))
    assert np.exp(model.log_prob(images).numpy()).sum() == pytest.approx(1, abs=1e-6)


def test_samples_have_the_probabilities_of_the_model():
    model = shaken(MODELS["made"](4, (10,), dtype="float64"))
    images = np.array(list(itertools.product([0.0, 1.0], repeat=4)))
    p = np.exp(model.log_prob(images).numpy())
    draws = model.sample(backend.generator(3), 20_000).numpy()
    number = draws @ [8, 4, 2, 1]
    assert_mean(number[:, None] == np.arange(16), p)


def test_it_finds_the_entropy_of_a_markov_chain(rng):
    assert pytest.approx(5.569, abs=5e-4) == ENTROPY
    train, test = Split(chains(rng, 4000)), Split(chains(rng, 4000))
    dataset = Dataset("chains", train, test, None, 1.0, "made")
    model = MODELS["made"](PIXELS, (64,))
    fit(model, dataset, epochs=25, lr=0.01, schedule="cosine", progress=False)
    excess = log_prob(test.images).mean() - model.log_prob(test.images).numpy().mean()
    assert -0.01 < excess < 0.05  # nats above the entropy


def test_log_p_is_exact(rng):
    model = shaken(member("made", dtype="float64"))
    x = (rng.uniform(size=(3, 6)) > 0.5).astype(float)
    found = log_likelihood(model, x, backend.generator(0), 7)
    np.testing.assert_array_equal(found.value.numpy(), model.log_prob(x).numpy())
    assert not found.stderr.numpy().any()
    (phase,) = model.objectives(Batch(x), backend.generator(0))
    assert float(phase.parts["bound"]) == pytest.approx(model.log_prob(x).numpy().mean())


@pytest.mark.parametrize("method", ["posterior", "likelihood", "prior", "encode", "reconstruct"])
def test_it_has_no_latent_variable(method, rng):
    with pytest.raises(InputError, match="no latent variable"):
        getattr(member("made"), method)(rng.uniform(size=(2, 6)))


def test_data_of_another_length_are_refused():
    with pytest.raises(InputError, match="data_dim=6"):
        member("made").log_prob(np.zeros((2, 5)))
