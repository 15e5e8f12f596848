"""IWAE and MIWAE: values on bench P, gradients by shares, and their signal-to-noise ratios."""

import itertools

import numpy as np
import pytest

from minivae.autodiff import backward, mean, tensor
from minivae.bounds import importance_weighted
from minivae.errors import InputError

from ..linear_gaussian import LinearGaussian
from .bench import on_bench
from .members import M, Repeated, batch_for, member, shaken


def weights_of(rng, samples, points=3):
    return [tensor(rng.normal(size=(samples, points))) for _ in range(3)]


# ------------------------------------------------------------------- the bound


def test_the_bound_is_the_log_of_the_mean_weight(rng):
    terms = weights_of(rng, 6)
    log_w = terms[0].numpy() + terms[1].numpy() - terms[2].numpy()
    np.testing.assert_allclose(importance_weighted(*terms).value.numpy(), np.log(np.exp(log_w).mean(0)), rtol=1e-12)
    grouped = importance_weighted(*terms, groups=2).value.numpy()
    expected = np.log(np.exp(log_w.reshape(2, 3, 3)).mean(1)).mean(0)  # two groups of three samples
    np.testing.assert_allclose(grouped, expected, rtol=1e-12)


def test_far_weights_do_not_overflow():
    log_w = tensor(np.array([[1000.0, -1000.0], [-1000.0, -2000.0]]))
    zero = log_w * 0.0
    np.testing.assert_allclose(
        importance_weighted(log_w, zero, zero).value.numpy(), np.array([1000, -1000]) - np.log(2)
    )


def test_groups_that_do_not_divide_are_refused(rng):
    with pytest.raises(InputError, match="groups is 4"):
        importance_weighted(*weights_of(rng, 6), groups=4)


def test_k_1_is_estimator_a(rng):
    """And K = 1 in M groups is estimator A with L = M."""
    for name, samples in (("iwae", {"samples": 1}), ("miwae", {"samples": 1, "groups": 5})):
        ours = shaken(member(name, dtype="float64", **samples))
        vae = shaken(member("vae", estimator="A", samples=samples.get("groups", 1), dtype="float64"))
        x, _ = batch_for(vae, rng)
        for found, expected in zip(ours.bound(x, Repeated()()), vae.bound(x, Repeated()()), strict=True):
            np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-12)


def test_one_group_is_iwae(rng):
    ours = shaken(member("miwae", groups=1, samples=5, dtype="float64"))
    iwae = shaken(member("iwae", samples=5, dtype="float64"))
    x, _ = batch_for(iwae, rng)
    np.testing.assert_array_equal(ours.bound(x, Repeated()()).value.numpy(), iwae.bound(x, Repeated()()).value.numpy())


def test_groups_are_samples_that_follow_each_other(rng):
    model = shaken(member("miwae", dtype="float64"))
    iwae = shaken(member("iwae", samples=3, dtype="float64"))
    x, _ = batch_for(iwae, rng)
    noise = rng.normal(size=(6, M, 3))
    each = [iwae.bound(x, noise[first : first + 3]).value.numpy() for first in (0, 3)]
    np.testing.assert_allclose(model.bound(x, noise).value.numpy(), np.mean(each, axis=0), rtol=1e-12)


def test_the_gradient_weights_each_sample_by_its_share(rng):
    """sum_k w_k / sum w * grad log w_k (Burda et al., Eq. 14): the best sample counts most."""
    model = shaken(member("iwae", samples=5, dtype="float64"))
    x, _ = batch_for(model, rng)
    noise = rng.normal(size=(5, M, 3))
    found = backward(mean(model.bound(x, noise).value), model.parameters())
    likelihood, prior, posterior = model.terms(x, noise)
    log_w = likelihood + prior - posterior
    share = np.exp(log_w.numpy() - log_w.numpy().max(0))
    expected = backward(log_w, model.parameters(), share / share.sum(0) / M)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-9, atol=1e-13)


# ---------------------------------------------------------------------- bench P


def test_the_bound_rises_with_k_as_computed(rng):
    """For one latent dimension, E log mean_K w by quadrature in K dimensions."""
    bench = LinearGaussian(rng, data=3, latent=1, orthogonal=True)
    x = bench.data(rng, 1)
    shift, log_var = 0.4, -1.2  # of a posterior that is not the best one
    nodes, weights = np.polynomial.hermite_e.hermegauss(24)
    weights = weights / weights.sum()
    z = (bench.posterior_mean(x)[0, 0] + shift) + np.exp(log_var / 2) * nodes
    log_w = -0.5 * ((x - z[:, None] * bench.weight[:, 0]) ** 2 / bench.sigma**2).sum(-1)
    log_w += -1.5 * np.log(2 * np.pi * bench.sigma**2) - 0.5 * z**2 + 0.5 * nodes**2 + log_var / 2
    bounds = []
    for samples in (1, 2, 3):
        grid = np.array(list(itertools.product(range(24), repeat=samples)))
        exact = weights[grid].prod(1) @ np.log(np.exp(log_w[grid]).mean(1))
        model = on_bench("iwae", bench, samples=samples)
        encoder = model.encoder
        for parameter in encoder.parameters():
            parameter.data[...] = 0
        encoder.mean.bias.data[...] = bench.posterior_mean(x)[0] + shift
        encoder.log_var.bias.data[...] = log_var
        noise = nodes[grid].T[:, :, None]
        found = model.bound(np.repeat(x, len(grid), axis=0), noise).value.numpy()
        assert weights[grid].prod(1) @ found == pytest.approx(exact, abs=1e-10)
        bounds.append(exact)
    assert bounds[0] == pytest.approx(bench.bound(x, bench.posterior_mean(x) + shift, np.array([[log_var]]))[0])
    assert bounds[0] < bounds[1] - 0.05 < bounds[2] - 0.08 < bench.log_marginal(x)[0] - 0.1


# ------------------------------------------------------- signal-to-noise ratios

DIM, DRAWS = 20, 20_000


def toy_gradients(rng, samples, groups):
    """Of Rainforth et al. (2018), section 4.3: p(z) = N(mu, I), p(x|z) = N(z, I), q(z|x) = N(A x + b, 2/3 I).

    A = I / 2, mu and b are a little off the best ones. Gradients of the bound of one x by mu
    and by b, each ``(DRAWS, DIM)``, from our bound by backpropagation.
    """
    x = np.sqrt(2) * rng.normal(size=DIM)
    mu, b = np.full(DIM, 0.05), np.full(DIM, 0.05)
    shape = (groups * samples, DRAWS, DIM)
    theta, phi = (tensor(np.tile(v, (DRAWS, 1)), requires_grad=True) for v in (mu, b))
    z = phi + x / 2 + tensor(rng.normal(size=shape)) * np.sqrt(2 / 3)
    log_likelihood = ((z - x) ** 2).sum(-1) * -0.5
    log_prior = ((z - theta) ** 2).sum(-1) * -0.5
    log_posterior = ((z - (phi + x / 2)) ** 2).sum(-1) * -0.75
    value = importance_weighted(log_likelihood, log_prior, log_posterior, groups).value
    found = backward(value, [theta, phi], np.ones(DRAWS))
    return [g.numpy() for g in found]


def ratios(rng, samples, groups=1):
    """|mean| / standard deviation, of all 20 components together; less what chance adds to the square."""
    found = toy_gradients(rng, samples, groups)
    return [np.sqrt(max(((g.mean(0) ** 2) / g.var(0)).mean() - 1 / DRAWS, 0)) for g in found]


def test_more_samples_help_the_decoder_and_hurt_the_encoder():
    """The decoder's ratio grows as sqrt(K), the encoder's falls as 1 / sqrt(K) (Theorem 1)."""
    few, many, grouped = (ratios(np.random.default_rng(5), *sizes) for sizes in ((1, 1), (16, 1), (1, 16)))
    assert 0.02 < few[1] < 0.1
    assert many[0] / few[0] == pytest.approx(4, rel=0.25)
    assert many[1] < 0.6 * few[1]
    # Groups help both, as sqrt(M).
    assert np.divide(grouped, few) == pytest.approx(4, rel=0.25)


@pytest.mark.parametrize(
    ("name", "options"), [("iwae", {"samples": 0}), ("miwae", {"groups": 0}), ("miwae", {"samples": -1})]
)
def test_what_makes_no_sense_is_refused(name, options):
    with pytest.raises(InputError, match=f"{next(iter(options))} is"):
        member(name, **options)
