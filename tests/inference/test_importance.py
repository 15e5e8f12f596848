"""Importance-sampled log p(x), on a model whose log p(x) and posterior are known."""

import numpy as np
import pytest
from scipy import stats

from minivae import backend
from minivae.autodiff import as_tensor
from minivae.autodiff import tensor as make_tensor
from minivae.distributions import Normal, StandardNormal
from minivae.errors import InputError
from minivae.inference import Annealing, density_log_likelihood, importance, log_likelihood
from minivae.models import MODELS, VAE, Model

from ..chance import assert_mean
from ..doubles.strict_device import strict

DATA, LATENT, NOISE = 5, 2, 0.6


class LinearGaussian(Model):
    """z ~ N(0, I), x ~ N(W z, NOISE^2 I), where the columns of W are orthogonal.

    Then the posterior is N(S W^T x / NOISE^2, S), with the diagonal S = (I + W^T W / NOISE^2)^-1.

    Args:
        shift, widen: added to the posterior's means and log-variances; 0 leaves it exact.
    """

    data_dim, latent_dim = DATA, LATENT

    def __init__(self, shift=0.0, widen=0.0, dtype="float64", backend=None):
        columns = np.linalg.qr(np.random.default_rng(3).normal(size=(DATA, LATENT)))[0] * [1.5, 0.7]
        variance = 1 / (1 + (columns**2).sum(0) / NOISE**2)
        self.exact = stats.multivariate_normal(np.zeros(DATA), columns @ columns.T + NOISE**2 * np.eye(DATA))
        self.posterior_variance = variance
        self.weight, self.gain = (
            make_tensor(array, dtype, backend) for array in (columns.T, columns * variance / NOISE**2)
        )
        self.log_var = np.log(variance) + widen
        self.shift = shift

    def posterior(self, x, context=None):
        mean = as_tensor(x, self.gain) @ self.gain + self.shift
        return Normal(mean, make_tensor(self.log_var, mean.dtype, backend.backend_of(mean.data).name))

    def likelihood(self, z, context=None):
        return Normal(z @ self.weight, 2 * np.log(NOISE))

    def prior(self, context=None):
        return StandardNormal(LATENT, self.weight)


def drawn(model, rows, seed=0):
    return model.exact.rvs(rows, np.random.default_rng(seed)).reshape(rows, DATA)


def estimate(model, x, samples, seed=0, **options):
    found = log_likelihood(model, x, backend.generator(seed), samples, **options)
    assert (found.samples, found.side) == (samples, "below")
    return [part.numpy() for part in found[:3]]


WRONG = {"shift": 0.2, "widen": 0.4}


# ---------------------------------------------------------- exact posterior


@pytest.mark.parametrize("samples", [2, 7, 100])
def test_with_the_exact_posterior_every_weight_is_p_of_x(samples):
    model = LinearGaussian()
    x = drawn(model, 20)
    value, stderr, effective = estimate(model, x, samples)
    np.testing.assert_allclose(value, model.exact.logpdf(x), rtol=1e-12)
    np.testing.assert_allclose(stderr, 0, atol=1e-6)
    np.testing.assert_allclose(effective, samples if samples >= 10 else np.nan, rtol=1e-10)


@pytest.mark.parametrize(("samples", "known"), [(1, False), (9, False), (10, True)])
def test_fewer_than_ten_samples_do_not_tell_how_many_are_effective(samples, known):
    model = LinearGaussian(**WRONG)
    assert np.isfinite(estimate(model, drawn(model, 3), samples)[2]).tolist() == [known] * 3


def test_an_estimate_says_what_it_is_of_from_how_many_draws_and_where_it_lies():
    x, generator = np.zeros((4, DATA)), backend.generator(0)
    found = log_likelihood(LinearGaussian(), x, generator, 12)
    assert (found.quantity, found.told) == ("log p(x)", False)
    assert "log p(x) of 4 points: " in str(found)
    assert "with K = 12 draws of z for each point, which lies below in expectation" in str(found)
    model = MODELS["cvae"](DATA, 2, (3,), context_dim=3)
    told = log_likelihood(model, x, generator, 12, context=np.eye(3)[[0, 1, 2, 0]])
    assert "log p(x|y) of 4 points" in str(told)
    exact = log_likelihood(MODELS["made"](DATA, (3,)), x, generator, 12)
    assert (exact.samples, exact.side) == (0, "exact")
    assert str(exact).endswith("on average, exact")


def test_without_z_it_has_no_error_and_no_samples_to_count():
    model, x = MODELS["made"](DATA, (3,)), np.eye(DATA)[:3]
    found = log_likelihood(model, x, backend.generator(0), 12)
    np.testing.assert_array_equal(found.value.numpy(), model.log_prob(x).numpy())
    np.testing.assert_array_equal(found.stderr.numpy(), np.zeros(3))
    np.testing.assert_array_equal(found.effective_samples.numpy(), np.full(3, np.nan))


def test_where_every_weight_is_0_so_is_the_estimate_of_p_of_x():
    found = importance.of_weights(make_tensor(np.array([[-np.inf, 0.0], [-np.inf, 1.0]])), told=False)
    np.testing.assert_allclose(found.value.numpy(), [-np.inf, np.log((1 + np.e) / 2)], rtol=1e-12)
    assert np.isnan(found.stderr.numpy()).tolist() == [True, False]


def test_one_sample_cannot_tell_its_own_error():
    model = LinearGaussian()
    x = drawn(model, 3)
    value, stderr, effective = estimate(model, x, 1)
    np.testing.assert_allclose(value, model.exact.logpdf(x), rtol=1e-12)
    assert np.isnan(stderr).all()
    assert np.isnan(effective).all()


# ---------------------------------------------------------- other proposals


def test_the_estimate_of_p_of_x_has_no_bias():
    model = LinearGaussian(**WRONG)
    x = drawn(model, 1)
    values = np.array([estimate(model, x, 5, seed=seed)[0] for seed in range(2000)])
    assert_mean(np.exp(values - model.exact.logpdf(x)), 1.0)


def test_the_estimate_is_within_its_standard_error():
    """Over many data points the errors, in units of the standard error, are N(0, 1)."""
    model = LinearGaussian(**WRONG)
    x = drawn(model, 1000)
    value, stderr, effective = estimate(model, x, 1000)
    z = (value - model.exact.logpdf(x)) / stderr
    assert_mean(z, 0.0)
    assert_mean(z**2, 1.0)
    assert (effective > 100).all()
    assert (effective < 1000).all()


def test_from_one_sample_the_expectation_is_the_bound():
    model = LinearGaussian(**WRONG)
    x = drawn(model, 1)
    log_p, kl = model.exact.logpdf(x), kl_to_posterior(model)
    values = estimate(model, np.repeat(x, 20000, 0), 1)[0]
    assert_mean(values, log_p - kl)


def kl_to_posterior(model):
    """KL(q || posterior): what the lower bound loses."""
    variance = model.posterior_variance
    ratio = np.exp(model.log_var) / variance
    return 0.5 * (ratio - np.log(ratio) - 1 + model.shift**2 / variance).sum()


def test_the_expectation_lies_below_log_p_of_x_and_rises_with_the_samples():
    model = LinearGaussian(**WRONG)
    x = drawn(model, 1)
    means = [estimate(model, np.repeat(x, 20000, 0), samples)[0].mean() for samples in (1, 4, 16)]
    # Measured: 0.289, 0.052 and 0.014 below, with standard errors of 0.006, 0.002 and 0.001.
    assert means[0] + 0.02 < means[1]
    assert means[1] + 0.02 < means[2]
    assert means[2] + 0.005 < model.exact.logpdf(x)


def test_the_parts_are_those_of_the_weights():
    """The same noise, the weights themselves in NumPy, and the textbook formulas."""
    model = LinearGaussian(**WRONG)
    x = drawn(model, 4)
    eps = backend.generator(0).standard_normal((30, 4, LATENT), "float64")
    q = model.posterior(x)
    z = q.mean.numpy() + q.stddev.numpy() * eps
    weights = np.exp(
        stats.norm(z @ model.weight.numpy(), NOISE).logpdf(x).sum(-1)
        + stats.norm().logpdf(z).sum(-1)
        - stats.norm(q.mean.numpy(), q.stddev.numpy()).logpdf(z).sum(-1)
    )
    value, stderr, effective = estimate(model, x, 30)
    np.testing.assert_allclose(value, np.log(weights.mean(0)), rtol=1e-12)
    np.testing.assert_allclose(effective, weights.sum(0) ** 2 / (weights**2).sum(0), rtol=1e-10)
    np.testing.assert_allclose(stderr, weights.std(0, ddof=1) / np.sqrt(30) / weights.mean(0), rtol=1e-10)


@pytest.mark.parametrize("chunk", [1, 7, 30, 31, 1000])
def test_how_many_samples_are_held_at_once_does_not_matter(chunk):
    model = LinearGaussian(**WRONG)
    x = drawn(model, 3)
    for found, expected in zip(estimate(model, x, 30, chunk=chunk), estimate(model, x, 30), strict=True):
        assert found.shape == (3,)
        np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_no_more_samples_than_the_chunk_are_held():
    held = []

    class Watched(LinearGaussian):
        def likelihood(self, z, context=None):
            held.append(z.shape[0])
            return super().likelihood(z, context)

    estimate(Watched(), np.zeros((1, DATA)), 10, chunk=4)
    assert held == [4, 4, 2]


def test_weights_far_below_the_smallest_float_are_no_trouble():
    model = LinearGaussian(**WRONG, dtype="float32")
    x = np.full((1, DATA), 60.0)  # log p(x) is thousands of nats below zero
    value, stderr, effective = estimate(model, x, 50)
    assert value[0] < -1000
    assert np.isfinite([value, stderr, effective]).all()


# ------------------------------------------------------- models and backends


def test_one_sample_of_a_vae_is_estimator_a():
    model = VAE(6, 2, (8,), estimator="A", dtype="float64")
    x = np.random.default_rng(0).random((10, 6))
    bound = model.bound(x, backend.generator(4), samples=1).value.numpy()
    np.testing.assert_allclose(estimate(model, x, 1, seed=4)[0], bound, rtol=1e-12)


def test_the_context_reaches_every_part():
    seen = []

    class Told(LinearGaussian):
        def posterior(self, x, context=None):
            seen.append(("posterior", context))
            return super().posterior(x)

        def likelihood(self, z, context=None):
            seen.append(("likelihood", context))
            return super().likelihood(z)

        def prior(self, context=None):
            seen.append(("prior", context))
            return super().prior()

    estimate(Told(), np.zeros((1, DATA)), 2, context="told")
    assert {part for part, _ in seen} == {"posterior", "likelihood", "prior"}
    assert {context for _, context in seen} == {"told"}


def test_float64_data_stay_with_a_float32_model():
    model = VAE(6, 2, (8,))
    assert [part.dtype for part in estimate(model, np.full((3, 6), 0.5), 4)] == [np.float32] * 3


def test_on_the_device_nothing_waits_moves_or_widens(monkeypatch):
    """Once the data have been looked at, which takes a transfer."""
    monkeypatch.setattr(importance, "data_for", lambda model, x, context: as_tensor(x, model.parameters()[0]))
    model = VAE(6, 2, (8,), backend="strict")
    x = backend.asarray(np.full((3, 6), 0.5, np.float32), backend="strict")
    generator = backend.generator(0, "strict")
    with (
        strict.counter.forbid_synchronization(),
        strict.counter.forbid_transfers(),
        strict.counter.forbid_dtype("float64"),
    ):
        found = log_likelihood(model, x, generator, 20, chunk=7)
    expected = estimate(VAE(6, 2, (8,)), np.full((3, 6), 0.5), 20, chunk=7)
    for part, value in zip(found[:3], expected, strict=True):
        np.testing.assert_allclose(part.numpy(), value, rtol=1e-4)


def test_nothing_is_recorded():
    assert not any(
        part.requires_grad for part in log_likelihood(VAE(6, 2, (8,)), np.ones((1, 6)), backend.generator(0), 3)[:3]
    )


# ---------------------------------------------------------- as people use it


@pytest.mark.parametrize("variance", [1e-3, 2.5e-5, 1e-6])
def test_equal_weights_are_all_effective_however_large_their_logarithms(variance):
    """Their logarithms are of 1e5 nats and more: a rounding of one is whole nats in float32."""
    model = VAE(560, 2, (4,), likelihood="gaussian", variance=variance)
    for parameter in model.parameters():
        parameter.data[...] = 0  # q(z|x) is the prior, and the decoder does not see z
    x = np.random.default_rng(0).random((4, 560)).astype(np.float32)
    found = log_likelihood(model, x, backend.generator(0), 500)
    rounding = np.abs(found.value.numpy()) * np.finfo(np.float32).eps  # of each weight, which is a sum
    assert (found.effective_samples.numpy() <= 500).all()
    assert (found.effective_samples.numpy() >= 500 * np.exp(-4 * rounding)).all()
    assert (found.stderr.numpy() <= np.maximum(rounding, 1e-3)).all()


BITS, BAD = np.ones((3, 6), np.float32), np.full((3, 6), np.nan, np.float32)
ESTIMATES = {
    "importance": lambda model, x, context=None: log_likelihood(model, x, backend.generator(0), 20, context=context),
    "annealing": lambda model, x, context=None: Annealing(
        model, x, backend.generator(0), context=context, temperatures=3
    ).lower(10),
    "density": lambda model, x, context=None: density_log_likelihood(
        model, x, backend.generator(0), 20, context=context
    ),
}
every_estimate = pytest.mark.parametrize("estimate", ESTIMATES.values(), ids=ESTIMATES)


@every_estimate
@pytest.mark.parametrize(
    ("x", "message"),
    [
        (BITS * 3, r"x has values from 3 to 3; expected values in \[0, 1\]"),
        (BITS - 5, r"x has values from -4 to -4; expected values in \[0, 1\]"),
        (BAD, "x has a NaN or an infinity"),
        (BITS[:0], r"x has shape \(0, 6\); expected at least one"),
    ],
)
def test_data_that_the_likelihood_has_not_are_refused(estimate, x, message):
    with pytest.raises(InputError, match=message):
        estimate(VAE(6, 2, (4,)), x)


def test_real_data_are_none_of_these():
    log_likelihood(VAE(6, 2, (4,), likelihood="gaussian"), BITS * 3, backend.generator(0), 20)


@every_estimate
def test_a_context_for_a_model_that_takes_none_is_passed_over(estimate):
    assert not estimate(VAE(6, 2, (4,)), BITS, np.ones((7, 2))).told


@every_estimate
@pytest.mark.parametrize(
    ("context", "message"),
    [
        (np.eye(3)[:2], "context has 2 rows; expected 3"),
        (np.eye(3)[:1], "context has 1 rows; expected 3"),
        (np.array([0.0, 1.0, 2.0]), r"context has shape \(3,\); expected \(any, 3\)"),
        (np.full((3, 3), np.nan), "context is an array with a NaN"),
    ],
)
def test_another_context_than_one_row_for_each_point_is_refused(estimate, context, message):
    with pytest.raises(InputError, match=message):
        estimate(MODELS["cvae"](6, 2, (4,), context_dim=3), BITS, context)
