"""The VampPrior: the aggregate posterior where pseudo-inputs are the data, the clip, one component at a time."""

import numpy as np
import pytest
from scipy import special, stats

from minivae import backend
from minivae.autodiff import backward, mean, tensor
from minivae.datasets.domain import Domain
from minivae.distributions import Logistic, Normal, kl
from minivae.models.likelihoods import Likelihood

from ..members import DATA_DIM, Repeated, batch_for, member, shaken

N, K, L = 9, 7, 2


def made(**options):
    return shaken(member("vamp-vae", dtype="float64", **options))


def test_with_the_data_as_pseudo_inputs_it_is_the_aggregate_posterior(rng):
    model = made(components=N)
    x = rng.uniform(size=(N, DATA_DIM))
    model.inputs.data[...] = x
    q, z = model.posterior(x), rng.normal(size=(L, 4, 3)) * 2
    each = stats.norm(q.mean.numpy(), q.stddev.numpy()).logpdf(z[..., None, :]).sum(-1)
    expected = special.logsumexp(each, axis=-1) - np.log(N)
    np.testing.assert_allclose(model.prior().log_prob(z).numpy(), expected, rtol=1e-12)


def test_no_other_prior_is_better_for_its_encoder(rng):
    """E log p(z) over the aggregate posterior is largest for it itself, by KL(q(z) || p(z))."""
    model, vae = made(components=N), shaken(member("vae", dtype="float64"))
    x = rng.uniform(size=(N, DATA_DIM))
    model.inputs.data[...] = x
    draws = model.sample_prior(backend.generator(0), 20_000)
    gain = (model.prior().log_prob(draws) - vae.prior().log_prob(draws)).numpy()
    terms = {m: m.bound(x, backend.generator(1), samples=20_000) for m in (model, vae)}
    difference = (terms[model].value - terms[vae].value).numpy().mean() - (
        terms[model].reconstruction - terms[vae].reconstruction
    ).numpy().mean()
    assert difference > 0
    # (by estimator B the VAE's KL is exact; what is left is the noise of 20,000 draws)
    assert difference == pytest.approx(gain.mean(), abs=5 * gain.std() / np.sqrt(20_000) + 0.02)


class FromMinus2To6(Likelihood):
    """A logistic distribution of values with two ends."""

    heads = ("loc", "log_scale")
    domain = Domain("values from -2 to 6", -2.0, 6.0)

    def distribution(self, loc, log_scale):
        return Logistic(loc, log_scale)


@pytest.mark.parametrize(
    ("options", "low", "high"),
    [
        ({}, 0.0, 1.0),
        ({"likelihood": FromMinus2To6}, -2.0, 6.0),
        ({"likelihood": "gaussian", "sigmoid_mean": True}, 0.0, 1.0),
        ({"likelihood": "gaussian"}, -np.inf, np.inf),
        ({"likelihood": "poisson"}, 0.0, np.inf),
        ({"likelihood": "discretized-logistic"}, 0.0, 1.0),
        ({"likelihood": "categorical", "categories": 5}, 0.0, 4.0),
    ],
)
def test_pseudo_inputs_are_values_that_x_can_have(options, low, high, rng):
    model = member("vamp-vae", dtype="float64", components=K, **options)
    start = model.inputs.numpy().copy()
    np.testing.assert_array_equal(model.pseudo_inputs().numpy(), start)  # where no gradient is cut off
    assert len(np.unique(start)) == start.size
    if np.isfinite(high):  # of the middle half
        assert low + (high - low) / 4 < start.min() < low + 3 / 8 * (high - low)
        assert high - 3 / 8 * (high - low) < start.max() < high - (high - low) / 4
    moved = rng.normal(0, 6, start.shape)
    model.inputs.data[...] = moved
    np.testing.assert_array_equal(model.pseudo_inputs().numpy(), np.clip(moved, low, high))
    (gradient,) = backward(model.pseudo_inputs().sum(), [model.inputs])
    np.testing.assert_array_equal(gradient.numpy(), (moved >= low) & (moved <= high))
    assert np.isfinite(model.prior().log_prob(np.zeros(3)).numpy())


def test_the_kl_is_that_of_the_mixture(rng):
    """Of one component that of two Gaussians, which estimator A comes to."""
    model = made(components=1)
    x = batch_for(model, rng).x
    q, u = model.posterior(x), model.posterior(model.pseudo_inputs())
    exact = kl(q, Normal(u.mean[0], u.log_var[0])).numpy()
    n = 20_000
    z, log_q = q.sample_with_log_prob(backend.generator(0), n)
    spread = (log_q - model.prior().log_prob(z)).numpy().std(0)
    found = model.bound(x, backend.generator(0), samples=n).kl.numpy()
    assert (np.abs(found - exact) < 5 * spread / np.sqrt(n)).all()


def test_the_encoder_and_the_pseudo_inputs_are_trained_by_the_prior(rng):
    model, noise = made(), Repeated()
    (phase,) = model.phases(batch_for(model, rng), noise())
    assert any(p is model.inputs for p in phase.parameters)
    by_inputs, by_encoder = backward(
        mean(model.prior().log_prob(tensor(rng.normal(size=(4, 3))))), [model.inputs, model.encoder.mean.weight]
    )
    assert min(np.abs(g.numpy()).max() for g in (by_inputs, by_encoder)) > 1e-4


def test_a_draw_of_the_prior_is_of_one_component_in_all_elements():
    model = made(components=K)
    model.encoder.log_var.weight.data[...] = 0
    model.encoder.log_var.bias.data[...] = -30.0
    z = model.sample_prior(backend.generator(0), 500).numpy()
    means = model.posterior(model.pseudo_inputs()).mean.numpy()
    distance = np.abs(z[:, None] - means).max(-1)
    assert (distance.min(1) < 1e-4).all()
    assert len(np.unique(distance.argmin(1))) == K
