"""Categorical variables: probabilities of draws, the relaxation, and the helpers for one-hot vectors."""

import numpy as np
import pytest

from minivae import backend
from minivae.autodiff import argmax, one_hot_of_largest, tensor
from minivae.compiler import compile
from minivae.distributions import Categorical, kl
from minivae.errors import InputError
from minivae.gradcheck import check_gradients

from ..chance import assert_mean
from ..doubles.strict_device import strict

VARIABLES, K, M = 3, 4, 2


@pytest.fixture
def q(rng):
    return Categorical(2 * rng.normal(size=(M, VARIABLES * K)), K)


def by_variable(x):
    return x.reshape(*x.shape[:-1], VARIABLES, K)


def test_draws_are_one_hot_with_the_probabilities_of_the_softmax(q):
    draws = by_variable(q.sample(backend.generator(1), 20_000).numpy())
    assert set(np.unique(draws)) == {0, 1}
    assert (draws.sum(-1) == 1).all()
    assert_mean(draws, by_variable(q.mean.numpy()))


@pytest.mark.parametrize("temperature", [0.1, 0.5, 1.0, 5.0])
def test_the_largest_of_a_relaxed_draw_is_the_draw_at_any_temperature(q, temperature):
    noise = q.draw_noise(backend.generator(2), (50,))
    soft = by_variable(q.relax(noise, temperature).numpy())
    np.testing.assert_allclose(soft.sum(-1), 1, rtol=1e-12)
    np.testing.assert_array_equal(soft.argmax(-1), by_variable(q.sample(noise).numpy()).argmax(-1))


def test_a_low_temperature_makes_one_hot_draws(q):
    noise = q.draw_noise(backend.generator(2), (50,))
    np.testing.assert_allclose(q.relax(noise, 1e-4).numpy(), q.sample(noise).numpy(), atol=1e-6)


def test_log_prob_entropy_and_kl(q, rng):
    p = Categorical(rng.normal(size=VARIABLES * K), K)
    ours, theirs = by_variable(q.mean.numpy()), by_variable(p.mean.numpy())
    np.testing.assert_allclose(ours.sum(-1), 1, rtol=1e-12)
    np.testing.assert_allclose(q.entropy().numpy(), -(ours * np.log(ours)).sum(axis=(1, 2)), rtol=1e-12)
    np.testing.assert_allclose(kl(q, p).numpy(), (ours * np.log(ours / theirs)).sum(axis=(1, 2)), rtol=1e-10)
    x = q.sample(backend.generator(1), 5)
    expected = (by_variable(x.numpy()) * np.log(ours)).sum(axis=(-2, -1))
    np.testing.assert_allclose(q.log_prob(x).numpy(), expected, rtol=1e-12)
    assert (kl(q, q).numpy() == 0).all()


SOFT = {
    "a relaxed draw": lambda q, noise: q.relax(noise, 0.5),
    "a relaxed draw at a low temperature": lambda q, noise: q.relax(noise, 0.02),
    "all of a variable": lambda q, noise: q.sample(noise) * 0.0 + 1.0,
    "none of a variable": lambda q, noise: q.sample(noise) * 0.0,
    "a number that is none": lambda q, noise: q.sample(noise) * np.nan,
    "twice": lambda q, noise: q.sample(noise) * 2.0,
}
EVERY_SOFT = pytest.mark.parametrize("soft", SOFT.values(), ids=SOFT)


@EVERY_SOFT
def test_what_is_not_one_hot_is_not_scored(soft, q):
    x = soft(q, q.draw_noise(backend.generator(2), (5,)))
    with pytest.raises(InputError, match="x is not one-hot, 1 at one of 4 places"):
        q.log_prob(x)


def test_one_soft_variable_among_hard_ones_is_refused(q):
    x = q.sample(backend.generator(2), 5).numpy()
    x[3, 1, 4:8] = 0.25
    with pytest.raises(InputError, match="not one-hot"):
        q.log_prob(x)


@EVERY_SOFT
@pytest.mark.parametrize("where", ["numpy", "strict"])
def test_where_nobody_looks_it_has_no_probability(soft, where, rng):
    """In a replay, and on a device, which is not waited for."""
    logits = tensor(rng.normal(size=(M, VARIABLES * K)), "float32", where)
    log_prob = compile(lambda x: Categorical(logits, K).log_prob(x))
    q = Categorical(logits, K)
    noise = q.draw_noise(backend.generator(2, where), (5,))
    hard = q.sample(noise)
    np.testing.assert_array_equal(log_prob(hard).numpy(), q.log_prob(hard).numpy())
    x = soft(q, noise)
    with strict.counter.forbid_synchronization(), strict.counter.forbid_transfers():
        found = [log_prob(x), *([q.log_prob(x)] if where == "strict" else [])]
    for values in found:
        assert (values.numpy() == -np.inf).all()


def test_a_constant_added_to_the_logits_changes_nothing(q, rng):
    logits = rng.normal(size=(M, VARIABLES, K))
    moved = logits + rng.normal(size=(M, VARIABLES, 1)) * 100
    one, other = (Categorical(x.reshape(M, -1), K).mean.numpy() for x in (logits, moved))
    np.testing.assert_allclose(one, other, rtol=1e-10)


def test_gradients_of_relaxed_draws(rng):
    noise, logits = rng.uniform(0.05, 0.95, size=(2, M, VARIABLES * K)), rng.normal(size=(M, VARIABLES * K))
    check_gradients(lambda x: Categorical(x, K).relax(noise, 0.7), [logits], tolerance=1e-6)


def test_of_equal_elements_the_first_is_the_largest():
    x = tensor(np.array([[1.0, 3.0, 3.0, 0.0], [-np.inf, -np.inf, 5.0, 5.0], [2.0, 1.0, 0.0, 2.0]]))
    np.testing.assert_array_equal(argmax(x, -1).numpy(), [1, 2, 0])
    np.testing.assert_array_equal(one_hot_of_largest(x).numpy(), np.eye(4)[[1, 2, 0]])


def test_logits_that_make_no_whole_variables_are_refused():
    with pytest.raises(InputError, match="num_categories is 4; expected a multiple"):
        Categorical(np.zeros((2, 10)), 4)
