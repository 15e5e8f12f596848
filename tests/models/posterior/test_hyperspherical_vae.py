"""Directions as codes: the KL by quadrature, kappa the same in training and evaluation, gradients with rejections."""

import numpy as np
import pytest
from scipy import integrate, special

from minivae import backend
from minivae.autodiff import backward
from minivae.errors import InputError
from minivae.models import Batch

from ...chance import CRITICAL_Z, assert_mean
from ..members import Repeated, batch_for, member, shaken


def made(**options):
    return shaken(member("hyperspherical-vae", dtype="float64", **options))


@pytest.mark.parametrize("latent_dim", [2, 3, 9])
def test_the_kl_is_that_of_kappa_softplus_and_1_by_quadrature(latent_dim, rng):
    """In what training minimises, in the bound, and in an evaluation of it."""
    model, m = made(latent_dim=latent_dim), latent_dim
    batch = batch_for(model, rng)
    h = model.encoder.concentration(model.encoder.hidden(batch.x)).numpy()[:, 0]
    kappa = np.logaddexp(0, h) + 1
    np.testing.assert_allclose(model.posterior(batch.x).concentration.numpy(), kappa, rtol=1e-12)

    def divergence(k):
        weight = lambda t: np.exp(k * (np.cos(t) - 1)) * np.sin(t) ** (m - 2)  # noqa: E731
        tilted, plain = (integrate.quad(f, 0, np.pi)[0] for f in (weight, lambda t: np.sin(t) ** (m - 2)))
        mean = integrate.quad(lambda t: np.cos(t) * weight(t), 0, np.pi)[0] / tilted
        return k * (mean - 1) - np.log(tilted / plain)

    expected = np.array([divergence(k) for k in kappa])
    np.testing.assert_allclose(model.bound(batch.x, Repeated()()).kl.numpy(), expected, rtol=1e-7)
    (phase,) = model.phases(batch, Repeated()())
    assert float(phase.terms["kl"]) == pytest.approx(expected.mean(), rel=1e-7)
    assert float(phase.loss) == pytest.approx(-float(phase.terms["bound"]), rel=1e-12)
    # With another kappa than in training, as published code evaluates, it would be another number.
    assert np.abs(np.array([divergence(k) for k in kappa - 1]) - expected).min() > 0.02


def test_codes_and_draws_are_of_length_1(rng):
    model = made(latent_dim=5)
    x = batch_for(model, rng).x
    z = model.bound_and_draws(x, backend.generator(0), samples=7)[1]
    for codes in (model.encode(x), z, model.sample_prior(backend.generator(0), 50)):
        np.testing.assert_allclose(np.linalg.norm(codes.numpy(), axis=-1), 1, rtol=1e-12)
    assert model.decode(model.encode(x)).shape == x.shape


def test_what_is_no_direction_is_not_decoded(rng):
    model = made()
    z = np.eye(3)
    z[1] *= 1.2
    with pytest.raises(InputError, match=r"z of a HypersphericalVAE has a row of length 1\.2; expected directions"):
        model.decode(z)
    z[1] *= 0.8 / 1.2
    with pytest.raises(InputError, match=r"a row of length 0\.8; expected"):
        model.decode(z)
    z[2] *= 1.1
    with pytest.raises(InputError, match=r"a row of length 0\.8; expected"):  # the farthest from 1
        model.decode(z)
    with pytest.raises(InputError, match="latent_dim is 1; expected at least 2: z is a direction"):
        member("hyperspherical-vae", latent_dim=1)


def test_the_bound_lies_below_log_p(rng):
    """On the circle, where log p(x) is a sum over angles."""
    model = made(latent_dim=2)
    x = batch_for(model, rng).x
    angle = np.arange(400) * (2 * np.pi / 400)
    circle = np.stack([np.cos(angle), np.sin(angle)], -1)[:, None]
    exact = special.logsumexp(model.likelihood(circle).log_prob(x).numpy(), axis=0) - np.log(400)
    bound = model.bound(x, backend.generator(0), samples=4000)
    assert (bound.value.numpy() < exact).all()
    log_q, log_p = model.posterior(x).log_prob(circle).numpy(), model.likelihood(circle).log_prob(x).numpy()
    weights = np.exp(log_q) * (2 * np.pi / 400)
    np.testing.assert_allclose(weights.sum(0), 1, rtol=1e-9)
    np.testing.assert_allclose(bound.kl.numpy(), (weights * (log_q + np.log(2 * np.pi))).sum(0), rtol=1e-9)
    mean = (weights * log_p).sum(0)
    spread = np.sqrt((weights * (log_p - mean) ** 2).sum(0) / 4000)
    assert (np.abs(bound.reconstruction.numpy() - mean) < CRITICAL_Z * spread).all()


def test_the_gradient_by_the_concentration_is_that_of_the_expectation(rng):
    """Of a step's loss on the circle, averaged over 6,000 draws of each point, against sums over angles."""
    model = made(latent_dim=2)
    model.decoder.logits.layers[0].weight.data[...] *= 6
    bias = model.encoder.concentration.bias
    bias.data[...] = 3.0
    x = rng.uniform(size=(1, model.data_dim))
    angle = np.arange(720) * (2 * np.pi / 720)
    circle = np.stack([np.cos(angle), np.sin(angle)], -1)[:, None]
    log_p = model.likelihood(circle).log_prob(x).numpy()[:, 0]

    def expected(shift):
        bias.data[...] += shift
        q = model.posterior(x)
        bias.data[...] -= shift
        weights = np.exp(q.log_prob(circle).numpy()[:, 0]) * (2 * np.pi / 720)
        return -(weights @ log_p)

    exact = (expected(1e-4) - expected(-1e-4)) / 2e-4
    generator, found, alone = backend.generator(3), [], []
    for _ in range(300):
        q = model.posterior(x)
        noise = q.draw_noise(generator, (60,))
        loss = -model.bound(x, noise).reconstruction.sum()
        found.append(float(backward(loss, [bias])[0]))
        path = -model.likelihood(q.sample(noise)).log_prob(x).mean()
        alone.append(float(backward(path, [bias])[0]))
    assert_mean(np.array(found), exact)
    alone = np.array(alone)
    assert abs(alone.mean() - exact) > 2 * CRITICAL_Z * alone.std() / np.sqrt(len(alone))


def test_every_weight_of_the_encoder_is_trained(rng):
    model = made()
    (phase,) = model.phases(Batch(batch_for(model, rng).x, None), Repeated()())
    gradients = backward(phase.loss, model.encoder.parameters())
    assert min(np.abs(g.numpy()).max() for g in gradients) > 1e-5
