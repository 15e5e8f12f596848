"""The relaxed categorical variable, by logarithms: density against an integral and PyTorch, draws, extremes."""

import numpy as np
import pytest
from scipy import integrate, special, stats

from minivae import backend
from minivae.autodiff import tensor
from minivae.distributions import Categorical, ExpConcrete
from minivae.errors import InputError
from minivae.gradcheck import check_gradients

from ..chance import assert_mean
from ..doubles.strict_device import strict
from .extremes import assert_finite_gradients

K, M, L = 4, 5, 3


@pytest.mark.parametrize("temperature", [0.1, 0.67, 1.0, 5.0])
def test_log_prob_against_pytorch(temperature, rng):
    torch = pytest.importorskip("torch")
    logits, w = rng.normal(0, 2, (M, K)), special.log_softmax(rng.normal(0, 3, (L, M, K)), -1)
    theirs = torch.distributions.relaxed_categorical.ExpRelaxedCategorical
    expected = theirs(torch.tensor(temperature, dtype=torch.float64), logits=torch.tensor(logits))
    ours = ExpConcrete(logits + 3.0, temperature)
    assert (ours.shape, ours.noise_shape) == ((M, K), (M, K))
    np.testing.assert_allclose(ours.log_prob(w).numpy(), expected.log_prob(torch.tensor(w)).numpy(), rtol=1e-10)


@pytest.mark.parametrize("temperature", [0.4, 1.5])
def test_of_two_values_it_integrates_to_1_and_draws_follow_it(temperature):
    """By the first element, below 0; the second is what is left, and divides the density."""
    p = ExpConcrete(np.array([0.8, -0.3]), temperature)

    def density(first):
        second = np.log(-np.expm1(first))
        return np.exp(p.log_prob(np.stack([first, second], axis=-1)).numpy() - second)

    assert integrate.quad(lambda a: float(density(np.array(a))), -60, -1e-14, limit=500)[0] == pytest.approx(
        1, abs=1e-6
    )
    w = p.sample(backend.generator(0), 20_000).numpy()
    np.testing.assert_allclose(special.logsumexp(w, axis=-1), 0, atol=1e-12)
    below = integrate.quad(lambda a: float(density(np.array(a))), -60, -0.7, limit=500)[0]
    assert_mean(w[:, 0] < -0.7, below)
    # P(the first is the larger) = softmax(logits), at any temperature.
    assert_mean(w[:, 0] > w[:, 1], special.expit(1.1))


def test_draws_are_the_logarithms_of_the_categorical_s_relaxed_ones(rng):
    logits = rng.normal(size=(M, K))
    p, u = ExpConcrete(logits, 0.5), Categorical(logits).draw_noise(backend.generator(1), (L,))
    w, log_p = p.sample_with_log_prob(u)
    np.testing.assert_allclose(np.exp(w.numpy()), Categorical(logits).relax(u, 0.5).numpy(), rtol=1e-12)
    np.testing.assert_allclose(log_p.numpy(), p.log_prob(w).numpy(), rtol=1e-12)
    np.testing.assert_array_equal(p.draw_noise(backend.generator(1), (L,)).numpy(), u.numpy())


def test_its_kl_is_that_of_a_density_by_any_other_measure(rng):
    """E_q[log q - log p] of two of the same temperature, by draws, against the densities of y."""
    logits, others, tau = rng.normal(size=K), rng.normal(size=K), 0.7
    q, p = (ExpConcrete(x, tau) for x in (logits, others))
    w = q.sample(backend.generator(2), 100)

    def of_y(x):  # Maddison et al. 2017, Eq. 10
        y, pi = np.exp(w.numpy()), special.softmax(x)
        terms = np.log(pi) - (tau + 1) * np.log(y)
        common = special.gammaln(K) + (K - 1) * np.log(tau)
        return common + terms.sum(-1) - K * np.log((pi * y**-tau).sum(-1))

    found = (q.log_prob(w) - p.log_prob(w)).numpy()
    np.testing.assert_allclose(found, of_y(logits) - of_y(others), rtol=1e-9, atol=1e-9)


def test_gradients(rng):
    logits, u = rng.normal(size=(2, K)), rng.uniform(0.05, 0.95, (2, K))
    w = special.log_softmax(rng.normal(size=(2, K)), -1)
    check_gradients(lambda x, w: ExpConcrete(x, 0.6).log_prob(w), [logits, w], order=2, mode="jacobian")
    check_gradients(lambda x: ExpConcrete(x, 0.6).sample_with_log_prob(u)[1], [logits], order=2, mode="jacobian")


def test_cold_and_sure_ones_are_finite_in_float32():
    """Where the elements of y themselves would be 0."""
    logits = tensor(np.array([0.0, -80.0, 40.0]), "float32", requires_grad=True)
    for temperature in (0.05, 1e-6):
        w, log_p = ExpConcrete(logits, temperature).sample_with_log_prob(backend.generator(0), 50)
        assert np.isfinite(w.numpy()).all()
        assert (np.exp(w.numpy()) == 0).any()
        assert np.isfinite(log_p.numpy()).all()
        assert_finite_gradients(log_p.sum(), [logits])


def test_noise_is_uniform_and_nothing_waits_for_the_device():
    logits = tensor(np.zeros((M, K)), "float32", "strict")
    with strict.counter.forbid_synchronization(), strict.counter.forbid_transfers():
        p = ExpConcrete(logits, 0.5)
        p.log_prob(p.sample(backend.generator(0, "strict"), L))
    u = p.draw_noise(backend.generator(0, "strict"), (500,)).numpy()
    assert stats.kstest(u.ravel(), "uniform").pvalue > 1e-6


@pytest.mark.parametrize("temperature", [0.0, -1.0, np.inf, "hot", 1e-31])
def test_what_is_no_temperature_is_refused(temperature):
    with pytest.raises(InputError, match=r"temperature is .*; expected a finite number of at least 1e-30"):
        ExpConcrete(np.zeros(3), temperature)


def test_what_it_has_not_is_refused():
    with pytest.raises(InputError, match="a ExpConcrete, which has no entropy"):
        ExpConcrete(np.zeros(3), 0.5).entropy()
