"""Filter, smoother and log p(x) against the joint Gaussian of all states and observations, written out."""

import numpy as np
import pytest
from scipy import stats

from minivae.datasets import load
from minivae.datasets.linear_gaussian import MODEL, LinearGaussian
from minivae.errors import InputError

from ..chance import assert_moments

STEPS, STATE, SEEN = 4, 2, 3
FIRST = 0.3473937


def made(rng):
    """A model of which nothing is 0 or 1."""

    def cov(n):
        root = rng.normal(size=(n, n))
        return root @ root.T + 0.3 * np.eye(n)

    a, c = 0.7 * rng.normal(size=(STATE, STATE)), rng.normal(size=(SEEN, STATE))
    return LinearGaussian(a, c, cov(STATE), cov(SEEN), rng.normal(size=STATE), cov(STATE))


def joint(model, steps):
    """Mean and covariance of z_0, ..., z_T and x_1, ..., x_T in a row: all are linear in independent noise."""
    a, c = model.transition, model.emission
    parts = [model.initial_cov, *[model.transition_cov] * steps, *[model.emission_cov] * steps]
    sizes = [len(part) for part in parts]
    at = np.cumsum([0, *sizes])
    noise, size = np.zeros((at[-1], at[-1])), at[-1]
    for part, i in zip(parts, at, strict=False):
        noise[i : i + len(part), i : i + len(part)] = part
    rows = np.eye(size)
    states = [rows[: len(a)]]
    for t in range(1, steps + 1):
        states.append(a @ states[-1] + rows[at[t] : at[t + 1]])
    seen = [c @ states[t] + rows[at[steps + t] : at[steps + t + 1]] for t in range(1, steps + 1)]
    linear = np.concatenate([*states, *seen])
    return linear @ np.concatenate([model.initial_mean, np.zeros(size - len(a))]), linear @ noise @ linear.T


def conditional(mean, cov, wanted, given, value):
    """Of a Gaussian: mean and covariance of some numbers, given others."""
    gain = np.linalg.solve(cov[np.ix_(given, given)], cov[np.ix_(given, wanted)]).T
    return mean[wanted] + gain @ (value - mean[given]), cov[np.ix_(wanted, wanted)] - gain @ cov[np.ix_(given, wanted)]


def test_filter_smoother_and_likelihood_are_those_of_the_joint_gaussian(rng):
    model, x = made(rng), rng.normal(size=(5, STEPS, SEEN))
    mean, cov = joint(model, STEPS)
    first = STATE * (STEPS + 1)
    filtered, log_p = model.filter(x)
    smoothed = model.smooth(x)
    assert filtered.mean.shape == smoothed.mean.shape == (5, STEPS + 1, STATE)
    assert log_p.shape == (5, STEPS)
    for n in range(5):
        for t in range(STEPS + 1):
            state = np.arange(STATE * t, STATE * (t + 1))
            for found, until in ((filtered, t), (smoothed, STEPS)):
                seen = np.arange(first, first + SEEN * until)
                wanted = conditional(mean, cov, state, seen, x[n, :until].ravel())
                np.testing.assert_allclose(found.mean[n, t], wanted[0], rtol=1e-10, atol=1e-12)
                np.testing.assert_allclose(found.cov[t], wanted[1], rtol=1e-10, atol=1e-12)
        for t in range(STEPS):
            place = np.arange(first + SEEN * t, first + SEEN * (t + 1))
            at = conditional(mean, cov, place, np.arange(first, first + SEEN * t), x[n, :t].ravel())
            np.testing.assert_allclose(log_p[n, t], stats.multivariate_normal(*at).logpdf(x[n, t]), rtol=1e-10)
    whole = stats.multivariate_normal(mean[first:], cov[first:, first:]).logpdf(x.reshape(5, -1))
    np.testing.assert_allclose(model.log_likelihood(x), whole, rtol=1e-10)


def test_a_state_given_the_next_one(rng):
    model, x = made(rng), rng.normal(size=(STEPS, SEEN))
    mean, cov = joint(model, STEPS)
    filtered, _ = model.filter(x)
    j, rest = model.smoothing(filtered.cov)
    for t in range(STEPS):
        later, state = rng.normal(size=STATE), np.arange(STATE * t, STATE * (t + 1))
        given = np.concatenate([state + STATE, np.arange(STATE * (STEPS + 1), STATE * (STEPS + 1) + SEEN * t)])
        wanted = conditional(mean, cov, state, given, np.concatenate([later, x[:t].ravel()]))
        found = filtered.mean[t] + j[t] @ (later - model.transition @ filtered.mean[t])
        np.testing.assert_allclose(found, wanted[0], rtol=1e-10)
        np.testing.assert_allclose(rest[t], wanted[1], rtol=1e-10)


def test_draws_have_the_moments_of_the_joint_gaussian(rng):
    model = made(rng)
    z, x = model.sample(4000, STEPS, 3)
    mean, cov = joint(model, STEPS)
    rows = np.concatenate([z.reshape(4000, -1), x.reshape(4000, -1)], axis=1)
    assert_moments((rows - mean) / np.sqrt(np.diag(cov)), 0.0, 1.0)
    pairs = (rows - mean) @ np.linalg.inv(np.linalg.cholesky(cov)).T  # independent, if the covariance is right
    assert_moments(pairs[:, 1:] * pairs[:, :-1], 0.0, 1.0)
    np.testing.assert_array_equal(model.sample(5, 2, 1)[1], model.sample(5, 2, 1)[1])


def test_the_named_data_are_of_the_model_and_do_not_change():
    data = load("linear-gaussian-sequences", seed=3)
    assert (len(data.train), len(data.test), data.data_dim, data.sequence_length) == (2000, 500, 60, 20)
    assert data.image_shape is None
    x = np.concatenate([data.train.images, data.test.images]).reshape(-1, 20, 3)
    np.testing.assert_allclose(x, MODEL.sample(2500, 20, 0)[1], atol=1e-6)
    # The model's expectation of log p(x), minus the entropy, is its mean within 6 standard errors (chi-squared of 60).
    entropy = -MODEL.filter(np.zeros((20, 3)))[1].sum() + 60 / 2
    assert MODEL.log_likelihood(x).mean() == pytest.approx(-entropy, abs=6 * np.sqrt(60 / 2 / 2500))
    assert float(x[0, 0, 0]) == pytest.approx(FIRST, abs=1e-6)
    variance = MODEL.transition @ MODEL.transition.T + MODEL.transition_cov
    np.testing.assert_allclose(variance, MODEL.initial_cov, atol=1e-12)  # the same at every step


GOOD = {"transition": np.eye(2), "emission": np.ones((3, 2)), "transition_cov": np.eye(2), "emission_cov": np.eye(3)}
GOOD |= {"initial_mean": np.zeros(2), "initial_cov": np.eye(2)}
NO_COVARIANCES = (np.ones(2), np.diag([1.0, -1.0]), np.array([[1.0, 0.5], [0.0, 1.0]]), np.full((2, 2), np.nan), "x")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("transition", np.eye(3)),
        ("emission", np.ones((3, 3))),
        ("initial_mean", 0.0),
        *(("transition_cov", value) for value in NO_COVARIANCES),
        ("emission_cov", np.eye(2)),
        ("initial_cov", np.zeros((2, 2))),
    ],
)
def test_what_is_no_model_is_refused(name, value):
    with pytest.raises(InputError, match=f"^{name} is"):
        LinearGaussian(**{**GOOD, name: value})


@pytest.mark.parametrize("x", [np.ones((4, 2)), np.ones(3), np.ones((0, 3)), "x", np.full((4, 3), np.inf)])
def test_what_are_no_sequences_is_refused(x):
    with pytest.raises(InputError, match=r"^x (is|has)"):
        LinearGaussian(**GOOD).log_likelihood(x)
