"""A prior over codes: exact, and worth what it gains; the first stage stays what it was."""

import itertools

import numpy as np
import pytest

from minivae import backend, fit
from minivae.autodiff import jacobian, tensor
from minivae.datasets import Dataset, Split, load
from minivae.datasets.preparation import Preparation
from minivae.distributions import Autoregressive, Entries
from minivae.errors import InputError
from minivae.gradcheck import check_gradients
from minivae.inference import log_likelihood
from minivae.models import VQVAE, AutoregressivePrior, Batch, CategoricalVAE
from minivae.training import Minibatches, evaluate

from ...chance import assert_mean
from ...markov_chain import ENTROPY, PIXELS, chains, log_prob
from ..members import shaken

D, C, K, M = 6, 3, 4, 5
EVERY = np.eye(K)[list(itertools.product(range(K), repeat=C))].reshape(-1, C * K)
FIRST = {
    "vq-vae": lambda **o: VQVAE(D, (5,), num_codes=C, entries=K, code_dim=2, **o),
    "categorical-vae": lambda **o: CategoricalVAE(D, (5,), variables=C, num_categories=K, samples=2, **o),
}
EVERY_FIRST = pytest.mark.parametrize("name", FIRST)


def made(name, hidden=(7,), **options):
    """A prior over the codes of a first stage that is held, with weights of which every term counts."""
    first = shaken(FIRST[name](dtype="float64"))
    return first, shaken(AutoregressivePrior(D, hidden, first=first, dtype="float64", **options), seed=1)


def held(name, **options):
    """The same, its first stage as it was given."""
    first, model = made(name, **options)
    model.load_state_dict({**model.state_dict(), **{f"first.{key}": v for key, v in first.state_dict().items()}})
    return first, model


@EVERY_FIRST
@pytest.mark.parametrize("options", [{}, {"hidden": ()}, {"direct": True, "hidden": (9, 4)}])
def test_the_probabilities_of_all_codes_sum_to_one_and_samples_have_them(name, options):
    _, model = held(name, **options)
    p = np.exp(model.code_prior().log_prob(EVERY).numpy())
    assert p.sum() == pytest.approx(1, abs=1e-12)
    draws = model.code_prior().sample(backend.generator(3), 20_000).numpy()
    assert_mean(draws @ EVERY.T == C, p)


def test_a_code_depends_on_those_before_it_alone(rng):
    _, model = held("vq-vae", hidden=(20, 15))
    found = jacobian(model.network.together)(tensor(rng.normal(size=C * K))).numpy().reshape(C, K, C, K)
    depends = (found != 0).any(axis=(1, 3))
    np.testing.assert_array_equal(depends, np.tril(np.ones((C, C), bool), -1))


@EVERY_FIRST
def test_the_prior_is_over_what_the_decoder_sees(name):
    first, model = held(name)
    p = model.prior()
    assert isinstance(p, Entries if name == "vq-vae" else Autoregressive)
    k = model.code_prior().sample(backend.generator(3), 9).numpy().reshape(9, C, K)
    z = (k @ first.codebook.entries.numpy() if name == "vq-vae" else k).reshape(9, -1)
    np.testing.assert_array_equal(model.sample_prior(backend.generator(3), 9).numpy(), z)
    np.testing.assert_array_equal(model.sample(backend.generator(3), 9).numpy(), first.decode(z).numpy())


def test_of_a_vq_vae_the_bound_counts_the_codes_by_their_probability(rng):
    """D + (-log p(k)) in the place of D + num_codes log K; with enough terms it is below log p(x)."""
    first, model = held("vq-vae")
    x = rng.uniform(size=(M, D))
    (before,), (after,) = first.phases(Batch(x), None), model.phases(Batch(x), None)
    k = np.eye(K)[first.codes(x).numpy()].reshape(M, -1)
    cost = -model.code_prior().log_prob(k).numpy().mean()
    assert float(after.terms["kl"]) == float(after.terms["cross_entropy"]) == pytest.approx(cost, rel=1e-12)
    assert float(after.terms["reconstruction"]) == pytest.approx(float(before.terms["reconstruction"]), rel=1e-12)
    gain = float(after.terms["bound"]) - float(before.terms["bound"])
    assert gain == pytest.approx(C * np.log(K) - cost, rel=1e-9)
    z = (EVERY.reshape(-1, C, K) @ first.codebook.entries.numpy()).reshape(-1, 1, 2 * C)
    joint = first.likelihood(z).log_prob(x).numpy() + model.code_prior().log_prob(EVERY).numpy()[:, None]
    assert float(after.terms["bound"]) < np.log(np.exp(joint).sum(0)).mean()


def test_of_a_categorical_vae_the_bound_is_that_of_all_codes(rng):
    """E_q[log p(x|z) + log p(z) - log q(z|x)], summed over all z; log p(x) is estimated with the learned prior."""
    _, model = held("categorical-vae")
    x = rng.uniform(size=(M, D))
    z = EVERY[:, None]
    log_q = model.posterior(x).log_prob(z).numpy()
    joint = model.likelihood(z).log_prob(x).numpy() + model.prior().log_prob(z).numpy()
    exact = (np.exp(log_q) * (joint - log_q)).sum(0)
    draws = [model.bound(x, backend.generator(seed), samples=1000).value.numpy() for seed in range(20)]
    assert_mean(np.array(draws), exact)
    u = backend.generator(0)
    terms = [float(model.phases(Batch(np.repeat(x, 200, 0)), u)[0].terms["bound"]) for _ in range(20)]
    assert_mean(np.array(terms)[:, None], exact.mean()[None])
    found = log_likelihood(model, x, backend.generator(0), 4000)
    error = (found.value.numpy() - np.log(np.exp(joint).sum(0))) / found.stderr.numpy()
    assert np.abs(error).max() < 5


def test_the_bound_has_the_gradient_of_its_value(rng):
    """By the weights of both stages: those of the prior, and the encoder's, whose entropy is part of it."""
    first = {"model": "categorical-vae", "hidden": (5,), "variables": C, "num_categories": K}
    model = shaken(AutoregressivePrior(D, (7,), first=first, dtype="float64"), seed=2)
    batch, noise = Batch(rng.uniform(size=(M, D))), rng.uniform(size=(1, M, C * K))
    check_gradients(lambda *_: model.phases(batch, noise)[0].terms["bound"], model.parameters(), mode="directions")


@EVERY_FIRST
def test_it_draws_as_often_as_the_first_stage(name):
    first, model = held(name)
    assert (model.draws, model.samples) == (first.draws, first.samples)
    assert first.samples == (2 if name == "categorical-vae" else 1)


@EVERY_FIRST
def test_the_first_stage_is_held(name):
    first, digits = FIRST[name](), load("digits")
    first = VQVAE(64, (9,), num_codes=2, entries=4) if name == "vq-vae" else CategoricalVAE(64, (9,), variables=3)
    fit(first, digits, epochs=2, progress=False)
    before = first.state_dict()
    model = AutoregressivePrior(64, (9,), first=first)
    minibatches = Minibatches(digits.test, digits.scale)
    start = evaluate(model, minibatches)
    fit(model, digits, epochs=3, progress=False)
    for key, value in before.items():
        np.testing.assert_array_equal(model.state_dict()[f"first.{key}"], value)
    end, alone = evaluate(model, minibatches), evaluate(first, minibatches)
    assert end["cross_entropy"] < start["cross_entropy"]
    assert end["bound"] > alone["bound"]
    assert end["reconstruction"] == pytest.approx(alone["reconstruction"], rel=1e-5)


@pytest.mark.parametrize("name", ["vq-vae", "categorical-vae"])
def test_one_that_is_trained_along_is_trained_as_if_alone(name):
    """The losses share no weights. (A categorical VAE draws noise, and so do the codes: then it is another stream.)"""
    sizes = {"num_codes": 2, "entries": 4} if name == "vq-vae" else {"variables": 3, "num_categories": 4}
    kind = {"vq-vae": VQVAE, "categorical-vae": CategoricalVAE}[name]
    alone = kind(64, (9,), **sizes, seed=4)
    model = AutoregressivePrior(64, (9,), first={"model": name, "hidden": (9,), **sizes}, seed=4)
    assert not model.held
    for each in (alone, model):
        fit(each, load("digits"), epochs=2, lr=0.01, seed=1, progress=False)
    for key, value in alone.state_dict().items():
        found = model.state_dict()[f"first.{key}"]
        if name == "vq-vae":
            np.testing.assert_array_equal(found, value, err_msg=key)
        elif key == "temperature":
            assert found == value < 0.6


def chain_codes(name):
    """A first stage whose codes are the bits of x: code i is the entry, or the value, nearest to x_i."""
    if name == "vq-vae":
        first = VQVAE(PIXELS, (), num_codes=PIXELS, entries=2, code_dim=1)
        weights = {"encoder.layers.0.weight": np.eye(PIXELS), "codebook.entries": [[0.0], [1.0]]}
    else:
        first = CategoricalVAE(PIXELS, (), variables=PIXELS, num_categories=2)
        logits = np.kron(np.eye(PIXELS), [[-100.0, 100.0]])
        bias = np.tile([50.0, -50.0], PIXELS)
        weights = {"encoder.layers.0.weight": logits, "encoder.layers.0.bias": bias}
    first.load_state_dict(first.state_dict() | {key: np.asarray(v, np.float32) for key, v in weights.items()})
    return first


@pytest.mark.parametrize("name", ["vq-vae", pytest.param("categorical-vae", marks=pytest.mark.slow)])
def test_it_finds_the_entropy_of_a_markov_chain(name, rng):
    """5.569 nats of 16 bits, where uniform codes cost 11.09: 8.03 bits and not 16."""
    train, test = Split(chains(rng, 4000)), Split(chains(rng, 4000))
    first = chain_codes(name)
    np.testing.assert_array_equal(first.codes(test.images).numpy(), test.images)
    model = AutoregressivePrior(PIXELS, (64,), first=first)
    fit(model, Dataset("chains", train, test, None, 1.0, "made"), epochs=25, lr=0.01, schedule="cosine", progress=False)
    found = evaluate(model, Minibatches(test, 1.0))["cross_entropy"]
    assert -0.01 < found + log_prob(test.images).mean() < 0.05
    assert found == pytest.approx(ENTROPY, abs=0.15)  # whose own test rows have it to 0.03 or so


def test_data_that_are_prepared_otherwise_are_refused(rng):
    first = VQVAE(4, (3,), likelihood="gaussian", num_codes=2, entries=3)
    first.preparation = Preparation("standardize", np.zeros(4), np.ones(4))
    model = AutoregressivePrior(4, (3,), first=first)
    assert model.preparation == first.preparation
    x = rng.normal(size=(20, 4))
    np.testing.assert_array_equal(model.codes(x).numpy(), first.codes(x).numpy())
    data = Dataset.from_arrays(x).prepared("standardize")
    with pytest.raises(InputError, match="preparation"):
        fit(model, data, epochs=1, progress=False)
