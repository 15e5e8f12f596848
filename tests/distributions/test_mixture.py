"""A mixture of Gaussians: its density and its draws, of whole components; gradients, devices, refusals."""

import numpy as np
import pytest
from scipy import special, stats

from minivae import backend
from minivae.autodiff import tensor
from minivae.distributions import Mixture, Normal, StandardNormal, kl
from minivae.errors import InputError
from minivae.gradcheck import check_gradients

from ..chance import assert_cdf, assert_mean
from ..doubles.strict_device import strict
from .extremes import assert_finite_gradients

K, EVENT, M, L = 4, 3, 5, 2


def parameters(rng):
    return rng.normal(0, 2, (K, EVENT)), rng.normal(0, 1, (K, EVENT))


def mixture(mean, log_var, **options):
    return Mixture(Normal(*(tensor(a, **options) for a in (mean, log_var))))


def log_p(mean, log_var, x):
    each = stats.norm(mean, np.exp(log_var / 2)).logpdf(x[..., None, :]).sum(-1)
    return special.logsumexp(each, axis=-1) - np.log(len(mean))


@pytest.mark.parametrize("lead", [(), (M,), (L, M), (0,)])
def test_log_prob_against_scipy(lead, rng, backend_name):
    mean, log_var = parameters(rng)
    x = rng.normal(0, 2, (*lead, EVENT))
    found = mixture(mean, log_var, backend=backend_name).log_prob(tensor(x, backend=backend_name))
    assert found.shape == lead
    np.testing.assert_allclose(found.numpy(), log_p(mean, log_var, x), rtol=1e-12)


def test_one_component_is_the_gaussian(rng):
    mean, log_var = (a[:1] for a in parameters(rng))
    x, one = rng.normal(size=(M, EVENT)), mixture(mean, log_var)
    np.testing.assert_allclose(one.log_prob(x).numpy(), Normal(mean[0], log_var[0]).log_prob(x).numpy(), rtol=1e-13)
    noise = one.draw_noise(backend.generator(0), (M,))
    expected = Normal(mean[0], log_var[0]).transform(noise[..., 1:])
    np.testing.assert_allclose(one.sample(noise).numpy(), expected.numpy(), rtol=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_samples_have_its_distribution(dtype, rng, backend_name):
    mean, log_var = parameters(rng)
    ours = mixture(mean, log_var, dtype=dtype, backend=backend_name)
    draws = ours.sample(backend.generator(3, backend_name), 20_000)
    assert (draws.shape, draws.dtype) == ((20_000, EVENT), dtype)
    for j, column in enumerate(draws.numpy().T):
        each = stats.norm(mean[:, j], np.exp(log_var[:, j] / 2))
        assert_cdf(column, lambda x, each=each: each.cdf(np.asarray(x)[:, None]).mean(-1))
    np.testing.assert_allclose(ours.mean.numpy(), mean.mean(0), rtol=1e-6)


def test_a_sample_is_of_one_component_in_all_of_its_elements():
    """And each is as likely: a product of one-dimensional mixtures would mix them."""
    mean = np.arange(K)[:, None] * 100.0 + np.zeros(EVENT)
    draws = mixture(mean, np.zeros((K, EVENT))).sample(backend.generator(0), 20_000).numpy()
    which = np.rint(draws / 100)
    assert (which == which[:, :1]).all()
    assert_mean(which[:, :1] == np.arange(K), 1 / K)


def test_components_are_drawn_by_one_number_and_may_be_given(rng):
    """One variance for all, too."""
    mean, number, epsilon = rng.normal(size=(K, EVENT)), rng.normal(size=(L, M, 1)), rng.normal(size=(L, M, EVENT))
    ours = Mixture(Normal(tensor(mean, "float32"), 0.6))
    chosen = ours.components_drawn(number)
    which = np.floor(stats.norm.cdf(number[..., 0]) * K).astype(int)
    assert chosen.dtype == "float32"
    np.testing.assert_array_equal(chosen.numpy(), np.eye(K)[which])
    expected = mean[which] + np.exp(0.3) * epsilon
    np.testing.assert_allclose(ours.of_components(chosen, epsilon).numpy(), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(
        ours.sample(np.concatenate([number, epsilon], axis=-1)).numpy(), ours.of_components(chosen, epsilon).numpy()
    )
    for call, said in (
        (lambda: ours.components_drawn(epsilon), "number"),
        (lambda: ours.of_components(number, 0.0), "chosen"),
    ):
        with pytest.raises(InputError, match=f"{said} has shape"):
            call()


def test_gradients_by_the_parameters_by_points_and_by_noise(rng):
    mean, log_var = parameters(rng)
    x, noise = rng.normal(size=(M, EVENT)), rng.normal(size=(M, 1 + EVENT))
    check_gradients(lambda m, s, x: Mixture(Normal(m, s)).log_prob(x), [mean, log_var, x], order=2, mode="jacobian")
    drawn = lambda m, s: Mixture(Normal(m, s)).sample(noise)  # noqa: E731
    check_gradients(drawn, [mean, log_var], order=2, mode="jacobian")


def test_the_ends_of_the_noise_are_the_first_and_the_last_component():
    mean = np.arange(K)[:, None] * np.ones(EVENT)
    noise = np.zeros((3, 1 + EVENT), "float32")
    noise[:, 0] = -40, 40, 5.6  # (the last is 1 - 1e-8, in float32 1)
    drawn = mixture(mean.astype("float32"), np.zeros((K, EVENT), "float32")).sample(noise)
    np.testing.assert_array_equal(drawn.numpy()[:, 0], [0, K - 1, K - 1])


def test_far_out_in_float32_values_and_gradients_are_finite(rng):
    mean, log_var = (tensor(a, "float32", requires_grad=True) for a in parameters(rng))
    x = tensor(np.full(EVENT, 1e4), "float32", requires_grad=True)
    log_prob = Mixture(Normal(mean, log_var)).log_prob(x)
    assert np.isfinite(log_prob.numpy())
    assert_finite_gradients(log_prob, [mean, log_var, x])


def test_nothing_waits_for_the_device(rng):
    mean, log_var = (tensor(a, "float32", "strict") for a in parameters(rng))
    with strict.counter.forbid_synchronization(), strict.counter.forbid_transfers():
        ours = Mixture(Normal(mean, log_var))
        ours.log_prob(ours.sample(backend.generator(0, "strict"), M))
        assert ours.mean.shape == (EVENT,)


def test_other_components_and_what_it_cannot_tell_are_refused(rng):
    mean, log_var = parameters(rng)
    with pytest.raises(InputError, match=r"components is over \(3,\); expected \(K, event\), K at least 1"):
        Mixture(Normal(mean[0], log_var[0]))
    with pytest.raises(InputError, match=r"components is over \(0, 3\)"):
        Mixture(Normal(mean[:0], log_var[:0]))
    ours = mixture(mean, log_var)
    with pytest.raises(InputError, match="a Mixture, which has no entropy"):
        ours.entropy()
    with pytest.raises(InputError, match="no closed-form KL is known for q a StandardNormal, p a Mixture"):
        kl(StandardNormal(EVENT, tensor(mean)), ours)
