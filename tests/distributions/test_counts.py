"""Counts: Poisson, negative binomial, and with more zeros, against SciPy; samples, gradients, and what is no count."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

import minivae.distributions as d
from minivae import backend
from minivae.autodiff import backward, tensor
from minivae.errors import InputError
from minivae.gradcheck import check_gradients

from ..chance import assert_mean
from ..doubles.strict_device import strict

SHAPE = (3, 4)


class Inflated:
    """The oracle with extra zeros."""

    def __init__(self, counts, pi):
        self.counts, self.pi = counts, pi

    def logpmf(self, x):
        missed = np.where(x == 0, self.pi + (1 - self.pi) * self.counts.pmf(0), 0)
        with np.errstate(divide="ignore"):
            return np.where(x == 0, np.log(missed), np.log1p(-self.pi) + self.counts.logpmf(x))

    def ppf(self, u):
        return np.where(u <= self.pi, 0.0, self.counts.ppf(np.maximum(u - self.pi, 0) / (1 - self.pi)))

    def mean(self):
        return (1 - self.pi) * self.counts.mean()


def negative_binomial(log_mean, log_concentration):
    return stats.nbinom(np.exp(log_concentration), special.expit(log_concentration - log_mean))


FAMILIES = {
    d.Poisson: (1, lambda log_rate: stats.poisson(np.exp(log_rate))),
    d.NegativeBinomial: (2, negative_binomial),
    d.ZeroInflatedNegativeBinomial: (3, lambda a, b, c: Inflated(negative_binomial(a, b), special.expit(c))),
}
EVERY = pytest.mark.parametrize("family", FAMILIES)


def made(family, rng, dtype="float64", where="numpy"):
    count, oracle = FAMILIES[family]
    arrays = [rng.normal(0, 1.5, SHAPE) for _ in range(count)]
    return family(*(tensor(a, dtype, where) for a in arrays)), oracle(*arrays), arrays


@EVERY
def test_probabilities_mean_and_quantiles_are_scipys(family, rng, backend_name):
    ours, oracle, _ = made(family, rng, where=backend_name)
    x = rng.poisson(rng.gamma(1, 4, (5, *SHAPE))).astype(float)
    np.testing.assert_allclose(
        ours.log_prob(tensor(x, backend=backend_name)).numpy(), oracle.logpmf(x).sum(-1), rtol=1e-11
    )
    np.testing.assert_allclose(ours.mean.numpy(), oracle.mean(), rtol=1e-12)
    u = rng.uniform(size=(50, *SHAPE))
    found = ours.sample(tensor(u, backend=backend_name)).numpy()
    np.testing.assert_array_equal(found, oracle.ppf(u))


# Means far above the tail's length and far below it, tails as of a Poisson variable and much longer, many zeros.
EXTREMES = {
    d.Poisson: [(9.0,), (-3.0,), (0.0,)],
    d.NegativeBinomial: [(9.0, 14.0), (4.0, -3.0), (0.0, 14.0), (-3.0, 2.0)],
    d.ZeroInflatedNegativeBinomial: [(9.0, 14.0, 3.0), (4.0, -3.0, 0.0), (0.0, 14.0, -2.0)],
}


@EVERY
def test_samples_lie_where_scipys_do_however_far_that_is_from_the_mean(family):
    oracle = FAMILIES[family][1]
    u = np.array([1e-12, 0.3, 0.5, 0.96, 0.999, 1 - 1e-6, 1 - 1e-12])[:, None]
    for parameters in EXTREMES[family]:
        arrays = [np.full(1, value) for value in parameters]
        found = family(*map(tensor, arrays)).sample(u).numpy()
        expected = oracle(*arrays).ppf(u)
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=0.1 if expected.max() < 1e3 else 1)


@EVERY
def test_probabilities_sum_to_one_and_the_ends_of_the_noise_give_counts(family, rng):
    ours, _, _ = made(family, rng)
    counts = np.arange(20_000.0)[:, None, None] * np.ones(SHAPE)
    total = np.exp(ours.log_density(tensor(counts)).numpy()).sum(axis=0)
    np.testing.assert_allclose(total, 1, rtol=1e-9)
    lowest, highest = (ours.sample(np.full(SHAPE, u)).numpy() for u in (0.0, 1.0))
    assert (lowest == 0).all()
    assert np.isfinite(highest).all() and (highest == np.rint(highest)).all()  # noqa: PT018
    assert (highest >= ours.mean.numpy() - 1).all()


@EVERY
def test_what_is_no_count_has_no_probability_and_no_gradient(family, rng):
    _, _, arrays = made(family, rng)
    parameters = [tensor(a, requires_grad=True) for a in arrays]
    for wrong in (-1.0, 0.5, 3.999):
        log_p = family(*parameters).log_prob(np.full(SHAPE, wrong))
        assert (log_p.numpy() == -np.inf).all()
        assert all((g.numpy() == 0).all() for g in backward(log_p.sum(), parameters))


@EVERY
@pytest.mark.parametrize("order", [1, 2])
def test_gradients(family, order, rng):
    _, _, arrays = made(family, rng)
    x = rng.integers(0, 20, (2, *SHAPE)).astype(float)
    check_gradients(lambda *p: family(*p).log_prob(x), arrays, order=order, mode="jacobian")
    check_gradients(lambda *p: family(*p).mean, arrays, order=order, mode="jacobian", allow_zero=True)


@EVERY
@given(
    log_mean=st.floats(-12, 12),
    log_concentration=st.floats(-12, 25),
    logit=st.floats(-12, 12),
    x=st.one_of(st.integers(0, 3), st.integers(0, 1_000_000)),
)
def test_float32_is_accurate_over_the_whole_range(family, log_mean, log_concentration, logit, x):
    count, _ = FAMILIES[family]
    values = np.array([log_mean, log_concentration, logit][:count], np.float32)
    ours = family(*(tensor(v[None]) for v in values)).log_prob(np.array([x], np.float32)).item()
    exact = family(*(tensor(v[None].astype(np.float64)) for v in values)).log_prob(np.array([float(x)])).item()
    # A parameter's own rounding is worth as much: x log mu, with log mu to 1e-7 of 25.
    assert ours == pytest.approx(exact, rel=1e-5, abs=1e-5 * (1 + x))


@EVERY
def test_samples_and_log_prob_belong_together(family, rng):
    ours, _, _ = made(family, rng)
    draws = ours.sample(backend.generator(13), 20_000)
    assert draws.shape == (20_000, *SHAPE)
    assert not draws.requires_grad
    assert_mean(draws.numpy(), ours.mean.numpy())


@EVERY
def test_there_is_no_entropy_and_that_is_said(family, rng):
    ours, _, _ = made(family, rng)
    assert ours.discrete
    with pytest.raises(InputError, match=f"a {family.__name__}, which has no entropy"):
        ours.entropy()


@EVERY
def test_nothing_waits_or_widens_on_a_device(family, rng):
    counter = strict.counter
    ours, _, _ = made(family, rng, "float32", "strict")
    x = tensor(rng.integers(0, 9, SHAPE), "float32", "strict")
    with counter.forbid_synchronization(), counter.forbid_transfers(), counter.forbid_dtype("float64"):
        ours.log_prob(x)
        ours.mean  # noqa: B018
        ours.sample(backend.generator(0, "strict"), 2)


def test_a_large_concentration_is_poissons():
    log_rate = tensor(np.array([3.0, 0.0], "float32"))
    x = np.array([22.0, 0.0], "float32")
    many = d.NegativeBinomial(log_rate, tensor(np.array([20.0, 20.0], "float32")))
    np.testing.assert_allclose(many.log_prob(x).numpy(), d.Poisson(log_rate).log_prob(x).numpy(), rtol=1e-5)
